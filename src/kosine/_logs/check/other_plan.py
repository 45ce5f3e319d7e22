"""Runs that followed another plan: one with other rates, other lengths, or without its warm-up."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from kosine._core.groups import phases_of
from kosine._logs.check.alignment import phases_between
from kosine._logs.check.diagnosis import Cause, Diagnosis, declared_skips, total_skipped
from kosine._logs.check.nearest_plan import Nearest, nearest_plan
from kosine._logs.check.rewritten import (
    WrittenRate,
    timed_phases,
    warmup,
    with_rate,
    with_steps,
    without_warmup,
    written_rates,
)
from kosine._logs.check.run_length import find_length, find_scale
from kosine._logs.check.wording import difference, steps_text
from kosine.errors import PlanError, ScheduleError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kosine._logs.check.alignment import Alignment

    Floats = NDArray[np.float64]
    Told = tuple[str, Cause]

_ROUNDS = 6  # in which a rate is found; one is enough where the plan is linear in it
_LOOKED_AT = 512  # rows
_NUDGE = 1e-3  # of the highest rate: a change of a rate that shows how the plan depends on it
_FLAT = 1e-9  # of a change that a rate follows
_DIGITS = 12
_MOST_PHASES = 100  # of a plan that is planned anew many times
_LONGER = 8  # times that a phase may be longer or shorter
_CAUSES: dict[str, Cause] = {"floor": "another floor", "peak": "another peak"}


def other_scale(aligned: Alignment) -> Diagnosis | None:
    for way in aligned.conventions():
        scale = find_scale(way)
        if scale is not None:
            why = f"Its rates are {scale:.6g} times those of the plan throughout."
            return Diagnosis("differs", way, f"{difference(way)} {why}", "scaled")
    return None


def no_warmup(aligned: Alignment, best: Alignment) -> Diagnosis | None:
    """The same schedule without its warm-up; it explains every row."""
    for way in _ways(aligned, best):
        told = _no_warmup(way)
        if told:
            sentence = f"{difference(way)} It follows the same schedule {told}."
            return Diagnosis("differs", way, sentence, "no warm-up")
    return None


def another_plan(aligned: Alignment, best: Alignment) -> Diagnosis | None:
    """The same schedule with another length, rate or duration; it explains every row.

    Where several numbers do, the sentence names them all: a line to a higher floor is also a longer line.
    """
    few = len(phases_between(aligned.plan, 0, aligned.own_step(-1) + 1)) <= _MOST_PHASES
    for way in _ways(aligned, best):
        ideas = [_exact_length(way)]
        ideas += [_other_rate(way)] if few else []
        ideas += [_other_duration(way)] if few and way.offset in (0, best.offset) else []
        found = [idea for idea in ideas if idea is not None]
        if found:
            told = ", or ".join(idea[0] for idea in found)
            sentence = f"{difference(way)} It follows the same schedule {told}."
            return Diagnosis("differs", way, sentence, found[0][1])
    return None


def _ways(aligned: Alignment, best: Alignment) -> list[Alignment]:
    """The ways in which logs count, each row of its own step first and then the best one."""
    ways = (aligned, best, *aligned.conventions())
    return list({way.offset: way for way in ways if not way.averaged}.values())


# --- a plan of another length -----------------------------------------------------------------------------------------


def declared_and_another_length(aligned: Alignment) -> Diagnosis | None:
    """Another length, less the skipped steps that the log declares."""
    skips = declared_skips(aligned.trace)
    for way in aligned.conventions() if skips else ():
        found = None if way.averaged else _exact_length(way.reread(declared=True))
        if found:
            less = f"less the {steps_text(total_skipped(skips))} that the log declares as skipped"
            sentence = f"{difference(way)} It follows the same schedule {found[0]}, {less}."
            return Diagnosis("differs", way, sentence, found[1], skips=skips)
    return None


def nearly_another_length(aligned: Alignment, best: Alignment) -> Diagnosis | None:
    """Another length that explains nearly every row."""
    ways = _ways(aligned, best)
    lengths = [(found, way) for way in ways if (found := find_length(way))]
    if not lengths:
        return None
    found, way = min(lengths, key=lambda each: each[0].off)
    fit = f"All but {found.off:,} of {len(way):,} rows follow the same schedule {_length(way, found)}."
    return Diagnosis("differs", way, f"{difference(way)} {fit}", "another length")


def _exact_length(way: Alignment) -> Told | None:
    found = find_length(way)
    return None if found is None or found.off else (_length(way, found), "another length")


def _length(way: Alignment, found: Nearest) -> str:
    return f"planned for {steps_text(found.number)} instead of {way.plan.total_steps:,}"


# --- a schedule with another number -----------------------------------------------------------------------------------


def _no_warmup(way: Alignment) -> str:
    """What is left out, where the rows show it; else nothing."""
    if warmup(way.plan) is None:
        return ""
    steps = way.plan.phase_at(0).stop
    told = f"without its warm-up of {steps_text(steps)}"
    with suppress(PlanError, ScheduleError):  # a schedule that needs its warm-up
        if any(way.with_plan(plan).explains_all() for plan in without_warmup(way.plan)):
            return told
    begins_later = way.reread(offset=way.offset + steps).explains_all()
    return f"{told}: it begins where the warm-up ends" if begins_later else ""


def _other_rate(way: Alignment) -> Told | None:
    for rate in written_rates(way.plan):
        value = _find_rate(way, rate)
        if value is not None:
            name = {"start": "a warm-up from", "rate": "a rate of"}.get(rate.name, f"a {rate.name} of")
            return f"with {name} {value:.6g} instead of {rate.value:.6g}", _CAUSES.get(rate.name, "another rate")
    return None


def _find_rate(way: Alignment, rate: WrittenRate) -> float | None:
    """The value of a rate for which the plan explains every row."""
    some = way.spread(_LOOKED_AT)
    steps, rates, width = np.maximum(way.steps(some), 0), way.trace.rates[some], way.tolerance(some)
    value, nudge = rate.value, _NUDGE * way.highest
    for _ in range(_ROUNDS):
        try:
            here = with_rate(way.plan, rate, value)
            slope = (with_rate(way.plan, rate, value + nudge)(steps) - here(steps)) / nudge
        except (PlanError, ScheduleError):
            return None
        if value != rate.value and way.with_plan(here).explains_all():
            return value
        value = _nearer(value, rates - here(steps), width, slope)
        if not 0 <= value < np.inf:
            return None
    return None


def _nearer(value: float, off: Floats, width: Floats, slope: Floats) -> float:
    """The value that the rows leave, as if linear in it; NaN where a row is off that does not depend on it."""
    matters = np.abs(slope) > _FLAT
    if not bool(matters.any()) or bool((np.abs(off) > width)[~matters].any()):
        return float("nan")
    slope, off, width = slope[matters], off[matters], width[matters]
    change, room = off / slope, width / np.abs(slope)
    return value + _roundest(value, float((change - room).max()), float((change + room).min()))


def _roundest(value: float, low: float, high: float) -> float:
    """The change by which a value becomes the shortest number between two; the one between them where they cross."""
    middle = value + (low + high) / 2
    tries = (float(f"{middle:.{digits}g}") for digits in range(1, _DIGITS))
    return next((near for near in tries if value + low <= near <= value + high), middle) - value


def _other_duration(way: Alignment) -> Told | None:
    names = [phase.curve.name for phase in phases_of(way.plan.schedule.parts)]
    for number, planned in timed_phases(way.plan):
        rises = number == 0 and warmup(way.plan) is not None
        range_ = (1 if rises else planned / _LONGER, planned * _LONGER)
        found = nearest_plan(way, partial(with_steps, way.plan, number), planned, range_)
        if found is None or found.off:
            continue
        length = f"{steps_text(found.number)} instead of {planned:,}"
        if rises:
            return f"with a warm-up of {length}", "another warm-up"
        again = " (or it began again inside it)" if names[number] == "hold" and found.number > planned else ""
        return f"whose {names[number]} lasts {length}{again}", "another duration"
    return None
