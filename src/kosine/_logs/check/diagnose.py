"""The simplest explanation of every row of a log, put in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from kosine._logs.check.alignment import Reading, Rows
from kosine._logs.check.jumps import Path, find_path, find_skips, typical_gap
from kosine._logs.check.pace import find_speed, find_staircase
from kosine._logs.check.param_groups import other_groups
from kosine._logs.check.run_length import find_horizon, find_scale
from kosine._logs.check.shifts import Interval, Shifts
from kosine._logs.check.verdict import Jump, Kind, Point, Verdict
from kosine._logs.check.wording import difference_text, factor_text, jump_text, number, place

if TYPE_CHECKING:
    from kosine._logs.trace import Trace

_FEWEST = 3  # rates that a log which begins mid-run is told from, and rows that show means

Skips = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class _Found:
    """What explains the log, not yet looked up in the rows."""

    kind: Kind
    reading: Reading
    sentence: str
    skips: Skips = ()
    jumps: tuple[Jump, ...] = ()


def judge(rows: Rows) -> Verdict:
    found = next(filter(None, _explanations(rows)))
    reading = Reading(offset=found.reading.offset, averaged=found.reading.averaged)
    first, largest, off = _points(rows, reading)
    return Verdict(
        trace=rows.trace,
        plan=rows.plan,
        kind=found.kind,
        sentence=found.sentence,
        offset=reading.offset,
        steps_per_unit=rows.steps_per_unit,
        factor=found.reading.factor,
        skips=found.skips,
        jumps=found.jumps,
        averaged=reading.averaged,
        first=first,
        largest=largest,
        off=off,
        compared=len(rows),
        remarks=tuple(_remarks(rows, found)),
    )


def _explanations(rows: Rows) -> Iterator[_Found | None]:
    """The simplest first; the last one always is one."""
    yield _follows(rows)
    yield _declared(rows)
    yield _speed(rows)
    yield _staircase(rows)
    shifts = Shifts(rows)
    yield _mid_run(rows, shifts)
    offsets = [reading.offset for reading in _conventions(rows) if not reading.averaged]
    if (path := find_skips(shifts, offsets)) is not None:
        yield _lags(rows, path)
    yield _scaled(rows)
    base = _best_base(rows)
    yield _other_length(rows, base)
    yield _means_again(rows, base)
    if (path := find_path(shifts, offsets)) is not None:
        yield _jumps(rows, path) if path.jumps else _lags(rows, path)
    yield _Found("differs", base, _difference(rows, base))


def _conventions(rows: Rows) -> list[Reading]:
    """How logs count, the simplest first."""
    if rows.trace.axis != "epoch":
        return [Reading(), Reading(offset=1), Reading(offset=-1)]
    epoch = rows.per_epoch
    found = [Reading(offset=offset) for offset in dict.fromkeys((0, epoch - 1, epoch))]
    found += [Reading(offset=offset) for offset in (-epoch, -1) if Reading(offset=offset) not in found]
    if epoch > 1 and rows.trace.positions.dtype == np.int64:
        found[len(found) - 2 : len(found) - 2] = [Reading(averaged=True)]
        found.append(Reading(offset=-epoch, averaged=True))
    return found


def _follows(rows: Rows) -> _Found | None:
    for reading in _conventions(rows):
        if rows.explains(reading):
            if reading == Reading():
                return _Found("follows", reading, f"The log follows the plan: {_covered(rows, reading)}.")
            return _Found("offset", reading, f"The log follows the plan with an offset: {_convention(rows, reading)}.")
    return None


def _convention(rows: Rows, reading: Reading) -> str:
    """A clause that says which step's rate each row shows."""
    if rows.trace.axis != "epoch":
        told = "each row shows the rate of the next step" if reading.offset > 0 else "its steps are counted from 1"
        return f"{told} ({reading.offset:+})"
    epoch = rows.per_epoch
    counted = "" if reading.offset >= 0 else ", and epochs are counted from 1"
    if reading.averaged:
        return f"each row shows the mean of its epoch{counted}"
    batch = {0: "first", -epoch: "first", epoch - 1: "last", -1: "last"}.get(reading.offset, "next epoch's first")
    whose = "the" if batch.startswith("next") else "its epoch's"
    return f"each row shows the rate of {whose} {batch} batch{counted} ({reading.offset:+,} steps)"


def _covered(rows: Rows, reading: Reading) -> str:
    steps = rows.steps(reading, np.array([0, len(rows) - 1]))
    total = rows.plan.total_steps
    of = f" of {total:,}" if total is not None else ""
    if len(rows) == 1:
        return f"its one row is at step {steps[0]:,}{of}"
    return f"its {len(rows):,} rows cover steps {steps[0]:,} to {steps[1]:,}{of}"


def _declared(rows: Rows) -> _Found | None:
    skips = _declared_skips(rows.trace)
    for reading in _conventions(rows) if skips else ():
        if rows.explains(replace(reading, declared=True)):
            sentence = (
                f"The log lags behind the plan by {_steps(_total(skips))} that the optimizer skipped, as the log "
                f"itself declares: {_where(rows, skips)}."
            )
            return _Found("lags", reading, sentence, skips=skips)
    return None


def _declared_skips(trace: Trace) -> Skips:
    return tuple((at, count) for at, count in trace.skipped if at <= trace.positions[-1] and count)


def _total(skips: Skips) -> int:
    return sum(count for _, count in skips)


def _lags(rows: Rows, path: Path) -> _Found:
    positions = rows.trace.positions
    skips = tuple((positions[row].item(), count) for row, count in path.skips)
    lost, told = _total(skips), _total(rows.trace.skipped)
    said = f" The log declares {told:,} skipped steps, which do not account for it." if told else ""
    them = "it" if lost == 1 else "them"
    sentence = (
        f"The log lags behind the plan by {_steps(lost)}, as if the optimizer had skipped {them} "
        f"(mixed precision does, where gradients overflow): {_where(rows, skips)}.{said}"
    )
    return _Found("lags", Reading(offset=path.offset), sentence, skips=skips)


def _steps(count: int) -> str:
    return f"{count:,} step{'' if count == 1 else 's'}"


def _where(rows: Rows, skips: Skips) -> str:
    first, last = skips[0], skips[-1]
    if len(skips) == 1:
        return f"all of them by {place(rows.trace, first[0])}" if first[1] > 1 else f"by {place(rows.trace, first[0])}"
    return f"the first by {place(rows.trace, first[0])}, the last by {place(rows.trace, last[0])}"


def _speed(rows: Rows) -> _Found | None:
    reading = find_speed(rows, _conventions(rows))
    if reading is None:
        return None
    factor = reading.factor
    if not factor:
        sentence = (
            f"The log is too slow: its rate never moves from that of the plan's first step, {rows.plan(0):.6g}, as if "
            "the scheduler were never called."
        )
        return _Found("too slow", reading, sentence)
    fast = factor > 1
    count = factor.numerator if fast else factor.denominator
    epoch = rows.plan.run.steps_per_epoch
    if fast:
        why = f"as if each of {count:,} processes, or each of {count:,} accumulated batches, had called the scheduler"
        if count == epoch:
            why = f"an epoch has {count:,} steps: the log's steps are epochs"
        sentence = f"The log is too fast: the schedule goes by {count:,} times as fast as planned ({why})."
    else:
        why = f"as if the scheduler were called once for {count:,} batches, such as those of gradient accumulation"
        if count == epoch:
            why = f"an epoch has {count:,} steps: the scheduler is called once an epoch, where the plan counts steps"
        sentence = f"The log is too slow: the schedule goes by at {factor_text(factor)} of the planned speed ({why})."
    return _Found("too fast" if fast else "too slow", reading, sentence)


def _mid_run(rows: Rows, shifts: Shifts) -> _Found | None:
    """A log that counts from 0 though the run was in the midst of its plan."""
    own = rows.own(np.array([0, len(rows) - 1]))
    if own[0] > typical_gap(rows) or np.unique(rows.trace.rates[: 2**16]).size < _FEWEST:
        return None
    total = rows.plan.total_steps
    fewest = rows.per_epoch + 1

    def wanted(allowed: tuple[Interval, ...]) -> int:
        later = [(max(low, fewest), high) for low, high in allowed if high >= fewest]
        if total is not None and any(low <= total - 1 - own[1] <= high for low, high in later):
            return int(total - 1 - own[1])
        return later[0][0] if later else allowed[0][0]

    run = shifts.run(0, wanted)
    if run is None or run.stop < len(rows) or run.shift < fewest:
        return None
    if total is not None and own[1] + run.shift > total:
        return None  # the log is as long as the run: something was left out of it
    ends = total is not None and total - own[1] - run.shift <= typical_gap(rows)
    if not ends and find_scale(rows, Reading()) is not None:
        return None  # a multiple of this curve looks like its further course
    sentence = (
        f"The log follows the plan with an offset: it counts from {number(rows.trace.positions[0])}, but begins at "
        f"step {own[0] + run.shift:,} of the plan ({run.shift:+,} steps)."
    )
    return _Found("offset", Reading(offset=run.shift), sentence)


def _jumps(rows: Rows, path: Path) -> _Found:
    jumps = []
    for i, (row, before, after) in enumerate(path.jumps):
        own = int(rows.own(slice(row, row + 1))[0])
        if i == 0 and path.again and rows.trace.axis == "epoch":
            jumps.append(Jump(rows.trace.positions[row].item(), before - after, 0))
        elif i == 0 and path.again:
            began = min(max(0, path.offset) - after, own)
            position = began / rows.steps_per_unit
            at = int(position) if position.denominator == 1 else float(position)
            jumps.append(Jump(at, began + before, began + after))
        else:
            jumps.append(Jump(rows.trace.positions[row].item(), own + before, own + after))
    positions = rows.trace.positions
    skips = tuple((positions[row].item(), count) for row, count in path.skips)
    more = f" It jumps {len(jumps) - 1} more time{'s' if len(jumps) > 2 else ''}." if len(jumps) > 1 else ""
    if path.again:
        sentence = f"{_restarted(rows, jumps[0])}{more}"
    else:
        sentence = f"The log jumped {jump_text(rows.trace, jumps[0])} of the plan.{more}"
    return _Found("restarted" if path.again else "jumped", Reading(offset=path.offset), sentence, skips, tuple(jumps))


def _restarted(rows: Rows, jump: Jump) -> str:
    return (
        f"The log restarted at {place(rows.trace, jump.position)}: there the schedule begins again at its first step, "
        f"where step {jump.before:,} would have come (a resume lost the state)."
    )


def _best_base(rows: Rows) -> Reading:
    """The convention that explains the most rows from the first on."""
    ends = [(rows.first_off(reading) or 0, -i, reading) for i, reading in enumerate(_conventions(rows))]
    return max(ends, key=lambda end: end[:2])[2]


def _difference(rows: Rows, base: Reading) -> str:
    row = rows.first_off(base)
    assert row is not None
    index = slice(row, row + 1)
    expected, found = float(rows.planned(base, index)[0]), float(rows.trace.rates[row])
    offset = f" (read with an offset of {base.offset:+,})" if base.offset else ""
    return (
        f"The log differs from the plan from {place(rows.trace, rows.trace.positions[row])} on{offset}: "
        f"{difference_text(expected, found, 6)}."
    )


def _other_length(rows: Rows, base: Reading) -> _Found | None:
    skips = _declared_skips(rows.trace)
    readings = [reading for reading in (base, *_conventions(rows)) if not reading.averaged]
    readings += [replace(reading, declared=True) for reading in readings] if skips else []
    lengths = [(found[1], found[0], reading) for reading in readings if (found := find_horizon(rows, reading))]
    if not lengths:
        return None
    off, length, reading = min(lengths, key=lambda each: each[0])
    fits = "It follows" if not off else f"All but {off:,} of {len(rows):,} rows follow"
    why = f"{fits} the same schedule planned for {_steps(length)} instead of {rows.plan.total_steps:,}"
    why += f", less the {_steps(_total(skips))} that the log declares as skipped." if reading.declared else "."
    plain = replace(reading, declared=False)
    return _Found("differs", plain, f"{_difference(rows, plain)} {why}", skips=skips if reading.declared else ())


def _means_again(rows: Rows, base: Reading) -> _Found | None:
    """A log of means whose plan began again with an epoch."""
    row = rows.first_off(base)
    if not base.averaged or not row or len(rows) - row < _FEWEST:
        return None
    own = int(rows.own(slice(row, row + 1))[0])
    if rows.first_off(replace(base, offset=-own), row) is not None:
        return None
    jump = Jump(rows.trace.positions[row].item(), own + base.offset, 0)
    return _Found("restarted", base, _restarted(rows, jump), jumps=(jump,))


def _staircase(rows: Rows) -> _Found | None:
    reading = find_staircase(rows)
    if reading is None:
        return None
    base = Reading(offset=reading.offset)
    sentence = f"{_difference(rows, base)} The rate moves only once an epoch, every {_steps(reading.every)}."
    return _Found("differs", base, sentence)


def _scaled(rows: Rows) -> _Found | None:
    for reading in _conventions(rows):
        scale = find_scale(rows, reading)
        if scale is not None:
            why = f"Its rates are {scale:.6g} times those of the plan throughout."
            return _Found("differs", reading, f"{_difference(rows, reading)} {why}")
    return None


def _points(rows: Rows, reading: Reading) -> tuple[Point | None, Point, int]:
    """The first row that is off, the one that is furthest off, and how many are."""
    first: int | None = None
    largest, most, count = 0, -1.0, 0
    for index in rows.blocks():
        apart = np.abs(rows.planned(reading, index) - rows.trace.rates[index])
        at = int(apart.argmax())
        if apart[at] > most:
            largest, most = index.start + at, float(apart[at])
        off = np.flatnonzero(rows.off(reading, index))
        count += int(off.size)
        if first is None and off.size:
            first = index.start + int(off[0])
    return None if first is None else _point(rows, reading, first), _point(rows, reading, largest), count


def _point(rows: Rows, reading: Reading, row: int) -> Point:
    index = slice(row, row + 1)
    return Point(
        position=rows.trace.positions[row].item(),
        step=int(rows.steps(reading, index)[0]),
        expected=float(rows.planned(reading, index)[0]),
        found=float(rows.trace.rates[row]),
        half_width=float(rows.tolerance(index)[0]),
    )


def _remarks(rows: Rows, found: _Found) -> Iterator[str]:
    trace, total = rows.trace, rows.plan.total_steps
    if found.kind == "follows" and all(
        rows.explains(reading) for reading in _conventions(rows) if reading.offset >= 0 and not reading.averaged
    ):
        yield "The plan hardly changes over these rows, so an offset could not have been seen."
    if total is not None and rows.plan.run.total_steps is not None and trace.axis != "epoch":
        beyond = sum(int(np.count_nonzero(rows.own(index) > total)) for index in rows.blocks())
        if beyond:
            yield f"{beyond:,} row{' lies' if beyond == 1 else 's lie'} beyond the {total:,} steps of the plan."
    if trace.total is not None and total is not None:
        declared = round(trace.total * rows.steps_per_unit)
        if declared != total:
            yield f"The log declares a run of {declared:,} steps, the plan has {total:,}."
    told = _total(_declared_skips(trace))
    if told and found.kind in ("follows", "offset"):
        yield "The log declares skipped steps, but its rates do not lag behind the plan."
    elif told and not found.skips:
        yield f"The log declares {_steps(told)} as skipped, which alone do not explain its rates."
    if found.reading.factor not in (0, 1) or (found.kind == "lags" and not trace.skipped):
        other = find_horizon(rows, Reading(offset=found.reading.offset))
        if other is not None and not other[1]:
            yield f"The same schedule planned for {_steps(other[0])} would explain the log as well."
    yield from other_groups(trace)
    yield from (remark.text for remark in trace.remarks)
