"""Skipped steps, restarts and jumps: the rows of a log as runs with one shift each.

A run that skips optimizer steps falls behind its plan by a few steps at a time. One that restarts or jumps goes on far
from where it was. From each row that the shift so far cannot explain, the walk takes the run that goes furthest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kosine._logs.check.shifts import Interval, ShiftedRun, Shifts, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST = 1024  # runs
_SIMPLE = 6  # runs that are believed however few the rows are
_ROWS_OF_A_RUN = 8  # on average, of more
_BURST = 32  # steps that may be skipped before the scale of the loss is found,
_STEPS_OF_A_SKIP = 500  # and then one in this many; a lag that grows faster is that of another schedule
_FEWEST = 3  # rows that show a jump, and rates of theirs
_COST, _ROWS_AT_ONCE = 500, 10  # see `Work`


@dataclass(frozen=True, slots=True)
class ShiftPath:
    """The rows of a log as runs with one shift each.

    Attributes:
        offset: the shift of the first rows, before anything happened.
        skips: the rows that are the first to show skipped steps, and how many.
        jumps: the rows that are the first after a jump, with the shifts before and after it.
        again: whether the first jump went back to the plan's first step.
    """

    offset: int
    skips: tuple[tuple[int, int], ...]
    jumps: tuple[tuple[int, int, int], ...]
    again: bool


def find_skips(shifts: Shifts, offsets: Sequence[int]) -> ShiftPath | None:
    """The path with skipped steps alone, where a few explain every row."""
    return _best(shifts, offsets, ["skips"], _SIMPLE) or _best(shifts, offsets, ["fewest skips"], _SIMPLE)


def find_path(shifts: Shifts, offsets: Sequence[int]) -> ShiftPath | None:
    """Of the paths with skipped steps alone, if there are any, else of all, that with the fewest jumps and runs."""
    most = max(_SIMPLE, len(shifts.aligned) // _ROWS_OF_A_RUN)
    lags = min(most, _SIMPLE + shifts.aligned.own_step(-1) // _STEPS_OF_A_SKIP)
    return (
        _best(shifts, offsets, ["skips"], lags)
        or _best(shifts, offsets, ["fewest skips"], lags)
        or _best(shifts, offsets, ["skips", "again", "elsewhere"], most)
    )


def _best(shifts: Shifts, offsets: Sequence[int], choices: Sequence[str], most: int) -> ShiftPath | None:
    walks = (_Walk(shifts, offset, choices, most) for offset in offsets)
    found = [path for walk in walks if (path := walk.path()) is not None]
    return min(found, key=lambda path: (len(path.jumps), len(path.skips)), default=None)


class _Walk:
    """From one run to the next, as far as each goes."""

    def __init__(self, shifts: Shifts, offset: int, choices: Sequence[str], most: int) -> None:
        self.aligned, self.shifts, self.offset, self.most = shifts.aligned, shifts, offset, most
        known = {
            "skips": self._after_skips,
            "fewest skips": self._after_fewest_skips,
            "again": self._begun_again,
            "elsewhere": self._elsewhere,
        }
        self.choices = [(known[name], name) for name in choices]
        self.shift = self.least = offset  # that of the run so far, and the least that it may have
        self.base = offset  # the shift of the rows since the last jump, had no step been skipped
        self.row = 0

    def path(self) -> ShiftPath | None:
        first = self.aligned.reread(offset=self.offset).first_miss()
        if first is None or (first == 0 and self.offset):
            return None
        skips: list[tuple[int, int]] = []
        jumps: list[tuple[int, int, int]] = []
        again, runs, self.row = False, 0, first
        while self.row < len(self.aligned):  # at the first row that the run so far does not explain
            tried = [(run, name) for choice, name in self.choices if (run := choice()) is not None]
            if not tried or len(skips) + len(jumps) == _MOST:
                return None
            run, choice = max(tried, key=lambda each: each[0].stop)
            if choice.endswith("skips"):
                skips.append((run.begin, self.shift - run.shift))
            elif self._believed(run, choice == "again"):
                again = again or (not jumps and choice == "again")
                jumps.append((run.begin, self.shift, run.shift))
                self.base = run.shift
            else:
                return None
            runs += run.stop - run.begin > 1  # one row after another of a burst counts once
            if runs > self.most:
                return None
            self.least = self._least(run, self.least if choice.endswith("skips") else run.shift)
            self.shift, self.row = run.shift, run.stop
        return ShiftPath(self.offset, tuple(skips), tuple(jumps), again)

    def _after_skips(self) -> ShiftedRun | None:
        """The rows from here on, if as many steps can have been skipped since the last row that contradicts it."""
        within = self._skippable()
        return within and self.shifts.longest_run(self.row, lambda allowed: allowed[-1][1], within)

    def _after_fewest_skips(self) -> ShiftedRun | None:
        """The rows from here on after as few skips as the row allows: never more than there were."""
        within = self._skippable()
        return within and self.shifts.longest_run(self.row, lambda allowed: allowed[-1][1], (within[1], within[1]))

    def _skippable(self) -> Interval | None:
        """The shifts that skipped steps can have led to: the least of them, and the greatest that the row allows."""
        less = self.shifts.narrowed(((self._lowest(self.row), self.shift - 1),), self.row)
        if not less:
            return None
        least = self._after_most(self.least, less[-1][1], self.row)
        return (least, less[-1][1]) if least <= less[-1][1] else None

    def _lowest(self, row: int) -> int:
        """The shift of a row after as many skipped steps as can be believed."""
        return self.base - _BURST - self.aligned.own_step(row) // _STEPS_OF_A_SKIP

    def _after_most(self, before: int, shift: int, row: int) -> int:
        """The least shift of a row, if all steps were skipped since the last row that contradicts its shift."""
        other = self.aligned.reread(offset=shift).last_miss(row)
        self.shifts.work.spend(_COST + (row - (other or 0)) / _ROWS_AT_ONCE)
        room = self.aligned.own_step(row) - (0 if other is None else self.aligned.own_step(other))
        return max(before - room, self._lowest(row))

    def _least(self, run: ShiftedRun, before: int) -> int:
        """The least shift that explains a run: the most steps that may have been skipped before it."""
        widest = self._after_most(min(before, run.shift), run.shift, run.begin), run.shift
        least = self.shifts.longest_run(run.begin, lambda allowed: allowed[0][0], widest, run.stop)
        return run.shift if least is None or least.stop < run.stop else least.shift

    def _begun_again(self) -> ShiftedRun | None:
        """The rows from here on, if the plan began again at a step after which no row contradicts it."""
        own, first = self.aligned.own_step(self.row), max(0, self.offset)
        whole, latest = first - own, self.offset - 1
        lowest = -own  # this row may show the very first step, whatever the offset
        while lowest <= latest:
            run = self.shifts.longest_run(self.row, lambda allowed: nearest(allowed, whole), (lowest, latest))
            other = None if run is None else self.aligned.reread(offset=run.shift).last_miss(self.row)
            if run is None or other is None or self.aligned.own_step(other) < first - run.shift:
                return run
            latest = min(first - self.aligned.own_step(other), run.shift) - 1
        return None

    def _elsewhere(self) -> ShiftedRun | None:
        """The rows from here on, wherever the plan may have them."""
        return self.shifts.longest_run(self.row, lambda allowed: nearest(allowed, self.shift))

    def _believed(self, run: ShiftedRun, again: bool) -> bool:
        """Whether a jump is more than a coincidence.

        Some shift explains any few rows, and a shift by less than the rows' gap explains a rate that is a bit off.
        """
        if run.stop - run.begin < _FEWEST or 0 < run.shift - self.shift <= self.aligned.typical_gap():
            return False
        rates = self.aligned.trace.rates[run.begin : min(run.stop, run.begin + 2**16)]
        return again or np.unique(rates).size >= _FEWEST
