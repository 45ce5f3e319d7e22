"""The trace of a param group: its rows, placed by steps or by epochs, or an error where the log does not place them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from kosine._core.numbers import MAX_STEPS
from kosine._logs.read.epoch_length import GuessedEpochs, length_by_rates
from kosine._logs.read.repeated_rows import of_last_branch, refuse_crowded, refuse_many_runs
from kosine._logs.read.rounded_epochs import EvenRows, simplest
from kosine._logs.read.timeline import Timeline
from kosine._logs.remark import Remark, rows
from kosine._logs.trace import Trace

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kosine._logs.read.collect import GroupRows, TakenRows
    from kosine._logs.read.reading import Reading
    from kosine._logs.remark import Axis
    from kosine._logs.trace import Placing

_SOME = 10_000  # rows that show how far apart they are


@dataclass(slots=True)
class _Places:
    """Where the rows are, and how others of the same log are placed."""

    positions: NDArray[Any]
    rates: NDArray[np.float64]
    axis: Axis
    total: int | None
    steps_per_epoch: int | None = None
    placing: Placing | None = None
    clear: bool = False
    """Whether rows that are printed at one place are known to be at several, or to be one."""
    timeline: Timeline = field(default_factory=lambda: Timeline("step"))


def trace_of(group: GroupRows, reading: Reading, remarks: list[Remark], source: str) -> tuple[Trace, Timeline]:
    """The trace of the rows of a group, which are given away, and how other rows are placed beside them.

    Raises:
        LogError: many rows fall on one place and have different rates.
    """
    taken = group.take()
    mine = list(remarks)
    places = _places_of(taken, reading, mine)
    _sort_out_repeated(places, taken, reading, mine)
    if taken.stride > 1:
        text = f"The log is long: one row in {taken.stride} is kept, of {taken.seen:,}."
        mine.append(Remark("thinned", taken.seen - taken.rates.size, text))
    if reading.turns > 1:
        text = f"{reading.turns} models write the same steps: the groups of the later ones begin with 'model 2: '."
        mine.append(Remark("several models", reading.turns, text))
    places.positions.flags.writeable = places.rates.flags.writeable = False
    total = places.total
    if total is not None and not float(places.positions.max()) <= total <= MAX_STEPS:
        total = None  # a log may say anything
    trace = Trace(
        places.positions,
        places.rates,
        axis=places.axis,
        precision=taken.prints.precision(reading.decimals),
        name=taken.name,
        remarks=mine,
        total=total or None,
        skipped=reading.skipped,
        format=reading.format,
        source=source,
        steps_per_epoch=places.steps_per_epoch,
    )
    return trace if places.placing is None else trace.placed_by(places.placing), places.timeline


def timeline_of(taken: TakenRows, reading: Reading, remarks: list[Remark]) -> Timeline:
    """How rows are placed in a log without rates."""
    return _places_of(taken, reading, remarks).timeline


def _places_of(taken: TakenRows, reading: Reading, remarks: list[Remark]) -> _Places:
    if taken.anew:
        return _in_epochs(taken, reading, remarks)
    if reading.axis == "epoch":
        return _by_epochs(taken, reading, remarks)
    timeline = Timeline(reading.axis, each=_one(reading.batches), rows=taken.seen)
    return _Places(taken.positions, taken.rates, reading.axis, reading.total, timeline=timeline)


def _sort_out_repeated(places: _Places, taken: TakenRows, reading: Reading, remarks: list[Remark]) -> None:
    """Leave out rows that later ones replace, or raise LogError where the log does not place its rows."""
    if reading.redrawn:
        last = np.append(places.positions[1:] != places.positions[:-1], True)
        places.positions, places.rates = places.positions[last], places.rates[last]
    elif not places.clear:
        refuse_crowded(places.positions, places.axis, taken.crowded, taken.seen)
    refuse_many_runs(places.positions, places.rates, places.axis)
    kept = of_last_branch(places.positions, places.rates)
    left = int(kept.size - np.count_nonzero(kept))
    if left:
        places.positions, places.rates = places.positions[kept], places.rates[kept]
        text = f"{rows(left, 'is', 'are')} left out: the file has a run before the last one."
        remarks.append(Remark("branch left", left, text))


def _in_epochs(taken: TakenRows, reading: Reading, remarks: list[Remark]) -> _Places:
    """Steps that are counted anew in each epoch."""
    steps, epochs = taken.positions, taken.epochs
    first = _first_batch(steps)
    most = float(reading.last_batch or steps.max() + 1 - first)
    declared = reading.batches[0] if reading.batches and reading.batches[0] >= most else None
    each = float(declared or _guessed_length(taken, most, remarks))
    if declared is not None and len(reading.batches) > 1:
        others = ", ".join(f"{of:,}" for of in reading.batches[1:5])
        text = f"An epoch is taken to have {declared:,} batches; some rows say {others}."
        remarks.append(Remark("epochs of other lengths", taken.resets, text))
    start = float(epochs.min()) if reading.epochs_from is None else reading.epochs_from
    if reading.epochs_from is None and start > 1:
        start = first  # a run that was resumed: its epochs are taken to be counted as its batches are
    total = reading.epochs if reading.epochs_from is not None or start <= 1 else None
    placing = GuessedEpochs(each, most) if declared is None else None
    timeline = Timeline("epoch", start=start, begin=start, anew=True, first=first, each=each, rows=taken.seen)
    places = epochs - start + (steps - first) / each
    return _Places(places, taken.rates, "epoch", total, declared, placing, timeline=timeline)


def _guessed_length(taken: TakenRows, most: float, remarks: list[Remark]) -> float:
    """The steps of an epoch, of which the log shows some; its last ones may not be in the log."""
    gap = float(np.diff(np.unique(taken.positions[:_SOME]).astype(np.float64)).min(initial=np.inf))
    text = "Steps are counted anew in each epoch, which is taken to have"
    by_rates = length_by_rates(taken.epochs, taken.positions, taken.rates) if 1 < gap < np.inf else None
    if by_rates is not None and most <= by_rates < most + gap:
        text += f" {by_rates:,} of them, as the rates go on so from one to the next."
    elif 1 < gap < np.inf:
        text += f" {most:,g} of them; up to {most + gap - 1:,g} are possible, and `steps_per_epoch` says it."
    else:
        text += f" {most:,g} of them."
    remarks.append(Remark("steps of each epoch", taken.resets, text))
    return by_rates if by_rates is not None and most <= by_rates < most + gap else most


def _first_batch(steps: NDArray[Any]) -> int:
    """The number of the first batch of an epoch: 1, where the log does not show that it is 0.

    A log of batches 49, 99, 149, ... writes every 50th and counts from 0.
    """
    some = np.unique(steps[:_SOME]).astype(np.int64)
    every = int(np.gcd.reduce(np.diff(some))) if some.size > 1 else 1
    return int(some[0] > 0 and not (every > 1 and int(some[0] + 1) % every == 0))


def _by_epochs(taken: TakenRows, reading: Reading, remarks: list[Remark]) -> _Places:
    """Rows that are placed by epochs alone, which may be rounded."""
    epochs, printed = taken.positions, reading.printed
    whole = bool((epochs == np.floor(epochs)).all())
    if printed is not None and not whole and taken.stride == 1:
        by_bar = printed.steps(epochs)
        if by_bar is not None:
            text = f"The steps of the rows are those of the progress bar, of {by_bar[1]:,}."
            remarks.append(Remark("steps of a progress bar", epochs.size, text))
            timeline = Timeline("step", printed=(epochs, by_bar[0]), rows=taken.seen)
            return _Places(by_bar[0], taken.rates, "step", by_bar[1], clear=True, timeline=timeline)
        half = printed.half_widths(epochs)
        even = EvenRows.of(epochs, half) if float(half.max()) else None
        if even is not None:
            each = float(simplest(even.least, even.most))
            text = (
                f"The log rounds its epochs, by up to {float(half.max()):.1g}. Its rows are taken to be equally far "
                f"apart: {each:.6g} epochs. `steps_per_epoch` places them exactly."
            )
            remarks.append(Remark("rounded epochs", epochs.size, text))
            if even.extra:
                text = "The first row is left out: its epoch is rounded too far to say where it is."
                remarks.append(Remark("first step", even.extra, text))
            places, rates = even.positions(epochs), taken.rates[even.extra :]
            timeline = Timeline("epoch", printed=(epochs[even.extra :], places), rows=taken.seen)
            return _Places(places, rates, "epoch", reading.epochs, placing=even, clear=True, timeline=timeline)
    start, batches = reading.epochs_from or 0, _one(reading.batches)
    begin = reading.epochs_from if reading.epochs_from is not None else int(float(epochs.min()) >= 1)
    timeline = Timeline("epoch", start=start, begin=begin, whole=whole, each=batches, rows=taken.seen)
    return _Places(epochs - start, taken.rates, "epoch", reading.epochs if whole else None, batches, timeline=timeline)


def _one(batches: tuple[int, ...]) -> int | None:
    return batches[0] if len(batches) == 1 else None
