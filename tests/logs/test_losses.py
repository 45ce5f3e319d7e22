"""The losses of a run: in order, each position once, only finite ones."""

from __future__ import annotations

import numpy as np
import pytest

import kosine as ks


def test_losses_are_put_in_order_and_the_last_row_of_a_position_counts() -> None:
    losses = ks.Losses([20, 0, 10, 20, 30], [3.0, 9.0, float("nan"), 2.5, float("inf")], name="val_loss")
    assert losses.positions.tolist() == [0, 20]
    assert losses.values.tolist() == [9.0, 2.5]
    assert not losses.values.flags.writeable


def test_a_trace_carries_losses() -> None:
    losses = ks.Losses(np.array([0.5, 1.0]), np.array([2, 1]), kind="training")
    trace = ks.Trace([0, 1], [0.1, 0.2], losses=losses)
    assert trace.losses is losses
    assert losses.values.dtype == np.float64
    assert ks.Trace([0], [0.1]).losses is None


@pytest.mark.parametrize(
    ("arguments", "error", "argument"),
    [
        ({"positions": [0], "values": [float("nan")]}, ks.LogError, "values"),
        ({"positions": [], "values": []}, (ks.LogError, ks.ArgumentTypeError), "values"),
        ({"positions": [0], "values": ["a"]}, ks.ArgumentTypeError, "values"),
        ({"positions": [[0]], "values": [1.0]}, ks.ArgumentTypeError, "positions"),
        ({"positions": [0], "values": [1.0], "kind": "test"}, ks.LogError, "kind"),
    ],
)
def test_wrong_losses(arguments: dict[str, object], error: type[Exception], argument: str) -> None:
    with pytest.raises(error) as caught:
        ks.Losses(**arguments)  # type: ignore[arg-type]
    assert caught.value.argument == argument  # type: ignore[attr-defined]


def test_lengths_that_differ() -> None:
    with pytest.raises(ks.LogError, match="same length"):
        ks.Losses([0, 1], [1.0])
    with pytest.raises(ks.ArgumentTypeError):
        ks.Trace([0], [0.1], losses=[1.0])  # type: ignore[arg-type]
