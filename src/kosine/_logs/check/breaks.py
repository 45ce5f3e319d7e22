"""Runs that left their plan at one row: rates that stay where they are, or that are multiples of the plan's.

Somebody changed the rate by hand, a plateau scheduler did, or the scheduler was no longer called. A run may come back
to its plan later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kosine._logs.check.diagnosis import Cause, Diagnosis
from kosine._logs.check.run_length import find_scale
from kosine._logs.check.wording import difference, place

if TYPE_CHECKING:
    from kosine._logs.check.alignment import Alignment

_FEWEST = 3  # rows that show a change
_AT_THE_END = 4  # rows at one rate that show a scheduler that stopped
_MOST = 3  # changes of the rate
_LOOKED_AT = 512  # rows, or steps
_ROUND = 1e-3  # of a multiple: so near to a number of two digits it is one


@dataclass(frozen=True, slots=True)
class _Changed:
    """Rows one after the other that have another rate than the plan's, all in the same way.

    Attributes:
        begin: the first of them.
        stop: the row after the last.
        scale: what the plan's rates are times; None where the rate stays the same.
    """

    begin: int
    stop: int
    scale: float | None


def stopped(aligned: Alignment) -> Diagnosis | None:
    """A rate that stays the same from one row to the end, where the plan moves on."""
    rates = aligned.trace.rates
    last = aligned.last(lambda index: rates[index] != rates[-1], len(aligned))
    begin = 0 if last is None else last + 1  # of the rows that show the last rate
    if begin == 0:
        return _constant(aligned)
    for way in aligned.conventions():
        first = way.first_miss()
        if first is None or first < begin or len(way) - first < _AT_THE_END or not _all_off(way, first):
            continue
        if first == begin and not _passes(way, begin):
            continue  # a rate that the plan does not come by there was set, or is that of a restart
        held = first - begin >= _FEWEST and way.planned(slice(begin, begin + 1))[0] == way.planned(
            slice(first - 1, first)
        )
        why = f"{_stays(way, begin)}, as if the scheduler were no longer called{_after_the_warmup(way, begin)}"
        why += ", or a resume had gone back to where the plan stays." if held else "."
        return Diagnosis("differs", way, f"{difference(way)} {why}", "stopped")
    return None


def _constant(aligned: Alignment) -> Diagnosis | None:
    """A rate that never moves; where it is that of the plan's first step, `other_pace` finds it."""
    if len(aligned) < _FEWEST:
        return None
    sentence = f"{difference(aligned)} Its rate never moves from {float(aligned.trace.rates[0]):.6g}."
    return Diagnosis("differs", aligned, sentence, "never moves")


def _all_off(way: Alignment, begin: int) -> bool:
    """Whether nearly all rows from one on are off; a plan that comes by this rate again agrees there for a while."""
    some = np.unique(np.linspace(begin, len(way) - 1, _LOOKED_AT).astype(np.int64))
    return float(np.mean(way.misses(some))) > 1 / 2


def _passes(way: Alignment, row: int) -> bool:
    """Whether the plan comes by the rate of a row since the row before."""
    if row == 0:
        return False
    before, at = (int(step) for step in way.steps(np.array([row - 1, row])))
    inside = np.unique(np.linspace(max(0, before), max(0, at), _LOOKED_AT).astype(np.int64))
    rates, rate, width = way.plan(inside), float(way.trace.rates[row]), float(way.tolerance(slice(row, row + 1))[0])
    return float(rates.min()) - width <= rate <= float(rates.max()) + width


def _stays(way: Alignment, begin: int) -> str:
    trace = way.trace
    return f"Its rate stays at {float(trace.rates[begin]):.6g} from {place(trace, trace.positions[begin])} on"


def _after_the_warmup(way: Alignment, begin: int) -> str:
    """A clause where the rate stops at the end of a rise."""
    before, at = (max(0, int(step)) for step in way.steps(np.array([max(begin - 1, 0), begin])))
    rise = way.plan.phase_at(before)
    rises = rise.end_lr > rise.first_lr and rise.stop <= at + 1
    return " after the warm-up" if rises and before < rise.stop and rise.first_step == 0 else ""


@dataclass(frozen=True, slots=True)
class ByHand:
    """Changes of the rate that no scheduler made.

    Attributes:
        diagnosis: what they are.
        changes: how many there are.
        is_simple: whether it is one change that people make: down, and by a round number.
    """

    diagnosis: Diagnosis
    changes: int
    is_simple: bool


def changed_by_hand(aligned: Alignment) -> ByHand | None:
    """Rates that are multiples of the plan's, or all the same, between some rows, while the other rows agree."""
    for way in aligned.conventions():
        changes = _changes(way)
        if changes and changes[0].begin >= _FEWEST:  # else nothing shows that the run followed the plan at first
            scale = changes[0].scale
            cause: Cause = "set by hand" if scale is None else "scaled by hand"
            diagnosis = Diagnosis("differs", way, f"{difference(way)} {_told(way, changes)}", cause)
            is_round = scale is None or abs(scale - float(f"{scale:.2g}")) <= _ROUND * scale
            is_lower = float(way.planned(slice(changes[0].begin, changes[0].begin + 1))[0]) > float(
                way.trace.rates[changes[0].begin]
            )
            return ByHand(diagnosis, len(changes), len(changes) == 1 and is_round and is_lower)
    return None


def _changes(way: Alignment) -> list[_Changed]:
    """The changes that explain every row that is off; none where they do not."""
    found: list[_Changed] = []
    row = way.first_miss()
    while row is not None:
        change = _change_at(way, row)
        if change is None or len(found) == _MOST:
            return []
        found.append(change)
        row = way.first_miss(change.stop)
    return found


def _change_at(way: Alignment, begin: int) -> _Changed | None:
    """The longest run of rows from one on that are a multiple of the plan's rates, or all the same."""
    rates = way.trace.rates
    stop = len(way)
    same = way.first(lambda index: rates[index] != rates[begin], begin) or stop
    scale, scaled = None, begin
    for count in (_FEWEST, stop - begin):  # what many rows say of the multiple is more exact
        few = slice(begin, min(begin + count, stop))
        found = find_scale(way, few.start, few.stop)
        if found is not None:
            scale, scaled = found, few.stop
    if scale is not None and scaled < stop:
        limit = scale
        scaled = way.first(lambda index: _unlike(way, index, limit), begin) or stop
    if max(same, scaled) - begin < _FEWEST:
        return None
    if scaled >= same:
        return _Changed(begin, scaled, scale)
    return _Changed(begin, same, None)


def _unlike(way: Alignment, index: slice, scale: float) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which rows are not this multiple of the plan's rates; twice the tolerance, as the multiple is known as well."""
    planned = way.planned(index) * scale
    off: np.ndarray[tuple[int], np.dtype[np.bool_]] = np.abs(planned - way.trace.rates[index]) > 2 * way.tolerance(
        index
    )
    return off


def _told(way: Alignment, changes: list[_Changed]) -> str:
    trace, told = way.trace, []
    for change in changes:
        to = "on" if change.stop == len(way) else f"to {place(trace, trace.positions[change.stop - 1])}"
        where = f"from {place(trace, trace.positions[change.begin])} {to}"
        if change.scale is None:
            told.append(f"its rate stays at {float(trace.rates[change.begin]):.6g} {where}")
        else:
            told.append(f"its rates are {change.scale:.6g} times those of the plan {where}")
    text = ", and ".join(told)
    return f"{text[0].upper()}{text[1:]}, as if the rate were changed by hand."
