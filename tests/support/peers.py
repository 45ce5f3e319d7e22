"""What the tests of all dialects share: a schedule beside the rates that its peer gave, step by step."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

import kosine as ks

RUNS = (1, 2, 3, 10**6)
"""Lengths that every dialect can be planned for."""


def assert_same(
    schedule: ks.Schedule,
    peer_rates: Sequence[float],
    *,
    total_steps: int | None = None,
    tolerance: float = 1e-12,
    peak: float = 0.0,
    except_at: Collection[int] = (),
) -> None:
    """The plan has the peer's rate at each of its steps, whatever length of run is planned.

    Args:
        schedule: what the dialect made.
        peer_rates: the peer's rates at the steps 0, 1, 2, ..., to beyond the nominal end.
        total_steps: the length to plan for; as many steps as there are rates if None. A run of one step must have the
            same rates.
        tolerance: the largest difference, as a share of the peer's highest rate, or of `peak` where that is higher.
        peak: the highest value in the peer's formula, where no step has it.
        except_at: the steps at which the peer is wrong; there the two must differ.
    """
    expected = np.asarray(peer_rates, np.float64)
    steps = np.arange(len(expected))
    plan = schedule.plan(total_steps=len(expected) if total_steps is None else total_steps)
    rates = plan(steps)
    allowed = tolerance * max(peak, np.abs(expected).max())
    differs = np.abs(rates - expected) > allowed
    wrong = [int(step) for step in steps[differs] if step not in except_at]
    assert not wrong, "\n".join(
        f"step {step}: {rates[step]!r}, peer {expected[step]!r} in {schedule!r}" for step in wrong[:5]
    )
    assert all(differs[step] for step in except_at)
    assert np.array_equal(rates, schedule.plan(total_steps=1)(steps))
    assert np.abs(np.array([plan(int(step)) for step in steps]) - rates).max() <= 1e-14 * np.abs(rates).max()


def assert_plannable_and_written(schedule: ks.Schedule) -> None:
    """It can be planned for a run of any length, and read back from its text and from JSON."""
    for total_steps in RUNS:
        assert schedule.plan(total_steps=total_steps).total_steps == total_steps
    assert ks.parse(repr(schedule)) == schedule
    assert ks.loads(ks.dumps(schedule)) == schedule
