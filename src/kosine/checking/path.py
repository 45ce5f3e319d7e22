"""Runs of rows with one shift each: skipped steps, restarts and jumps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kosine.checking.rows import Reading, Rows
from kosine.checking.shifts import Interval, Run, Shifts, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST = 256  # runs
_SIMPLE = 6  # runs that are believed however few the rows are
_ROWS_OF_A_RUN = 8  # on average, of more
_MANY_SKIPPED = 64  # steps: more only as a share of those that were taken
_SHARE_SKIPPED = 1 / 8
_FEWEST = 3  # rows that a jump can be told from, and rates of theirs


@dataclass(frozen=True, slots=True)
class Path:
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


def find_skips(shifts: Shifts, offsets: Sequence[int]) -> Path | None:
    """The path with skipped steps alone, where a few explain every row."""
    return _best(shifts, offsets, ["skips"], _SIMPLE) or _best(shifts, offsets, ["fewest skips"], _SIMPLE)


def find_path(shifts: Shifts, offsets: Sequence[int]) -> Path | None:
    """Of the paths with skipped steps alone, if there are any, else of all, that with the fewest jumps and runs."""
    most = max(_SIMPLE, len(shifts.rows) // _ROWS_OF_A_RUN)
    return (
        _best(shifts, offsets, ["skips"], most)
        or _best(shifts, offsets, ["fewest skips"], most)
        or _best(shifts, offsets, ["skips", "again", "elsewhere"], most)
    )


def _best(shifts: Shifts, offsets: Sequence[int], choices: Sequence[str], most: int) -> Path | None:
    walks = (_Walk(shifts, offset, choices, most) for offset in offsets)
    found = [path for walk in walks if (path := walk.path()) is not None]
    return min(found, key=lambda path: (len(path.jumps), len(path.skips)), default=None)


def typical_gap(rows: Rows) -> int:
    """How many steps usually lie between two rows; at least a unit of the log's axis."""
    own = rows.own(slice(0, 1000))
    return max(rows.per_epoch, int(np.median(np.diff(own)))) if own.size > 1 else rows.per_epoch


class _Walk:
    """From one run to the next, as far as each goes."""

    def __init__(self, shifts: Shifts, offset: int, choices: Sequence[str], most: int) -> None:
        self.rows, self.shifts, self.offset, self.most = shifts.rows, shifts, offset, most
        known = {
            "skips": self._after_skips,
            "fewest skips": self._after_fewest_skips,
            "again": self._begun_again,
            "elsewhere": self._elsewhere,
        }
        self.choices = [(known[name], name) for name in choices]
        self.shift = self.least = offset  # that of the run so far, and the least that it may have
        self.row = 0

    def path(self) -> Path | None:
        first = self.rows.first_off(Reading(offset=self.offset))
        if first is None or (first == 0 and self.offset):
            return None
        skips: list[tuple[int, int]] = []
        jumps: list[tuple[int, int, int]] = []
        again, runs, self.row = False, 0, first
        while self.row < len(self.rows):
            tried = [(run, name) for choice, name in self.choices if (run := choice()) is not None]
            if not tried or len(skips) + len(jumps) == _MOST:
                return None
            run, choice = max(tried, key=lambda each: each[0].stop)
            if choice.endswith("skips"):
                skips.append((run.begin, self.shift - run.shift))
            elif self._believed(run, choice == "again"):
                again = again or (not jumps and choice == "again")
                jumps.append((run.begin, self.shift, run.shift))
            else:
                return None
            runs += run.stop - run.begin > 1  # one row after another of a burst counts once
            if runs > self.most:
                return None
            self.least = self._least(run, self.least if choice.endswith("skips") else run.shift)
            self.shift, self.row = run.shift, run.stop
        return Path(self.offset, tuple(skips), tuple(jumps), again)

    def _own(self, row: int) -> int:
        return int(self.rows.own(slice(row, row + 1))[0])

    def _after_skips(self) -> Run | None:
        """The rows from here on, if as many steps can have been skipped since the last row that contradicts it."""
        within = self._skippable()
        return within and self.shifts.run(self.row, lambda allowed: allowed[-1][1], within)

    def _after_fewest_skips(self) -> Run | None:
        """The rows from here on after as few skips as the row allows: never more than there were."""
        within = self._skippable()
        return within and self.shifts.run(self.row, lambda allowed: allowed[-1][1], (within[1], within[1]))

    def _skippable(self) -> Interval | None:
        """The shifts that skipped steps can have led to: the least of them, and the greatest that the row allows."""
        lowest = self.least - self._believable(self._own(self.row))
        less = self.shifts.narrowed(((lowest, self.shift - 1),), self.row)
        if not less:
            return None
        least = self.least - self._most_skipped(less[-1][1])
        return (least, less[-1][1]) if least <= less[-1][1] else None

    def _most_skipped(self, shift: int) -> int:
        before = self.rows.last_off(Reading(offset=shift), self.row)
        room = self._own(self.row) - (0 if before is None else self._own(before))
        return min(room, self._believable(room))

    def _believable(self, steps: int) -> int:
        """How many of so many steps may have been skipped."""
        return max(_MANY_SKIPPED, int(steps * _SHARE_SKIPPED))

    def _least(self, run: Run, before: int) -> int:
        """The least shift that explains a run: the most steps that may have been skipped before it."""
        widest = min(before, run.shift) - self._most_skipped(run.shift), run.shift
        least = self.shifts.run(run.begin, lambda allowed: allowed[0][0], widest, run.stop)
        return run.shift if least is None or least.stop < run.stop else least.shift

    def _begun_again(self) -> Run | None:
        """The rows from here on, if the plan can have begun again since the last row that contradicts it."""
        whole = self.offset - self._own(self.row)
        again = nearest(self.shifts.of_row(self.row) or ((whole, whole),), whole)
        before = self.rows.last_off(Reading(offset=again), self.row)
        latest = self.offset - 1 if before is None else self.offset - self._own(before) - 1
        return self.shifts.run(self.row, lambda allowed: nearest(allowed, whole), (whole, latest))

    def _elsewhere(self) -> Run | None:
        """The rows from here on, wherever the plan may have them."""
        return self.shifts.run(self.row, lambda allowed: nearest(allowed, self.shift))

    def _believed(self, run: Run, again: bool) -> bool:
        """Whether it is no chance: some shift explains any few rows, and a small one a rate that is a bit off."""
        if run.stop - run.begin < _FEWEST or 0 < run.shift - self.shift <= typical_gap(self.rows):
            return False
        rates = self.rows.trace.rates[run.begin : min(run.stop, run.begin + 2**16)]
        return again or np.unique(rates).size >= _FEWEST
