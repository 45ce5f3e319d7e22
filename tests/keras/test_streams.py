"""Data that does not know its length: a DataLoader of PyTorch, on each backend."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import torch

import kosine as ks
from kosine.keras._callback import LearningRateCallback
from kosine.testing.keras import probe_data
from tests.support.keras_probe import LR, STEPS, assert_follows, compiled, fit

# So Keras finds the end of a stream.
pytestmark = pytest.mark.filterwarnings("ignore:Your input ran out of data:UserWarning")


class Stream(torch.utils.data.IterableDataset):  # type: ignore[misc]
    """One epoch of the probe's samples, without a length."""

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        x, y = probe_data(STEPS)
        yield from zip(x, y, strict=True)


def stream() -> dict[str, Any]:
    return {"x": torch.utils.data.DataLoader(Stream(), batch_size=2)}


def test_data_that_does_not_know_its_length() -> None:
    callback = LearningRateCallback(LR, steps_per_epoch=STEPS)
    applied = fit(compiled(), callback, data=stream())
    assert_follows(applied, LR.plan(epochs=4, steps_per_epoch=STEPS), count=4 * STEPS)
    assert len(callback.history) == 4 * STEPS


def test_a_schedule_in_steps_needs_no_length() -> None:
    schedule = ks.sgdr(peak=0.1, period=7)
    assert_follows(fit(compiled(), LearningRateCallback(schedule), data=stream()), schedule.plan(), count=40)


def test_a_wrong_steps_per_epoch_is_reported() -> None:
    callback = LearningRateCallback(ks.sgdr(peak=0.1, period="1ep"), steps_per_epoch=STEPS + 2)
    with pytest.warns(ks.TrainingWarning, match=re.escape("had 10 batches, but the schedule was planned for 12")):
        fit(compiled(), callback, data=stream(), epochs=2)


def test_unknown_steps_per_epoch_are_named() -> None:
    with pytest.raises(ks.TrainingError, match="Pass `steps_per_epoch` to LearningRateCallback"):
        fit(compiled(), LearningRateCallback(LR), data=stream())


def test_a_run_that_starts_in_the_middle_needs_the_steps_per_epoch() -> None:
    with pytest.raises(ks.TrainingError, match="starts in the middle needs the number of steps per epoch"):
        fit(compiled(), LearningRateCallback(ks.sgdr(peak=0.1, period=7)), data=stream(), initial_epoch=1)


def test_a_later_start_than_where_the_last_fit_ended_needs_the_steps_per_epoch() -> None:
    callback, model = LearningRateCallback(ks.sgdr(peak=0.1, period=7)), compiled()
    fit(model, callback, data=stream(), epochs=2)
    assert len(fit(model, callback, data=stream(), epochs=3, initial_epoch=2)) == STEPS
    with pytest.raises(ks.TrainingError, match="starts in the middle needs the number of steps per epoch"):
        fit(model, callback, data=stream(), epochs=7, initial_epoch=5)
