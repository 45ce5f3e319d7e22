"""The trace of a param group: its rows, placed by steps or by epochs, or an error where the log does not place them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kosine._core.numbers import MAX_STEPS
from kosine._logs.read.epoch_length import length_by_rates
from kosine._logs.read.rounded_epochs import EvenRows, simplest
from kosine._logs.trace import Remark, Trace, rows
from kosine.errors import LogError, Name

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kosine._logs.read.collect import GroupRows, TakenRows
    from kosine._logs.read.reading import Reading
    from kosine._logs.trace import Axis, Placing

_BRANCH = 5  # rows after the log went back: fewer may be leftovers
_SOME = 10_000  # rows that show how far apart they are
_FEW = 20  # one row in so many may have the place of another one, as after a resume


@dataclass(slots=True)
class _Places:
    """Where the rows are."""

    positions: NDArray[Any]
    rates: NDArray[np.float64]
    axis: Axis
    total: int | None
    steps_per_epoch: int | None = None
    placing: Placing | None = None
    clear: bool = False
    """Whether rows that are printed at one place are known to be at several, or to be one."""


@dataclass(frozen=True, slots=True)
class GuessedEpochs:
    """Steps that are counted anew in each epoch, of which the log shows the first ones.

    Attributes:
        guessed: the steps of an epoch that its rows are placed with.
        shown: those that the log shows.
    """

    guessed: float
    shown: float

    @property
    def resolution(self) -> None:
        """The positions show it."""

    def positions(self, epochs: NDArray[Any], steps_per_epoch: int) -> NDArray[np.float64]:
        """The epochs of the rows, where an epoch has so many steps."""
        if steps_per_epoch < self.shown:
            rule = f"at least {self.shown:,g}, as the log has a step of that number in an epoch"
            raise LogError(argument="steps_per_epoch", rule=rule, received=steps_per_epoch)
        whole = np.floor(epochs + 0.25 / self.guessed)
        return np.asarray(whole + np.round((epochs - whole) * self.guessed) / steps_per_epoch)


def trace_of(group: GroupRows, reading: Reading, remarks: list[Remark], source: str) -> Trace:
    """The trace of the rows of a group, which are given away.

    Raises:
        LogError: many rows fall on one place and have different rates.
    """
    taken = group.take()
    mine = list(remarks)
    if taken.epochs.size:
        places = _in_epochs(taken, reading, mine)
    elif reading.axis == "epoch":
        places = _by_epochs(taken, reading, mine)
    else:
        places = _Places(taken.positions, taken.rates, reading.axis, reading.total)
    if reading.redrawn:
        last = np.append(places.positions[1:] != places.positions[:-1], True)
        places.positions, places.rates = places.positions[last], places.rates[last]
    elif not places.clear:
        _refuse_crowded(taken, places)
    _refuse_many_runs(places)
    _leave_out_branch(places, mine)
    if taken.stride > 1:
        text = f"The log is long: one row in {taken.stride} is kept, of {taken.seen:,}."
        mine.append(Remark("thinned", taken.seen - taken.rates.size, text))
    if reading.turns > 1:
        text = f"{reading.turns} models write the same steps: the groups of the later ones begin with 'model 2: '."
        mine.append(Remark("several models", reading.turns, text))
    places.positions.flags.writeable = places.rates.flags.writeable = False
    total = places.total
    trace = Trace(
        places.positions,
        places.rates,
        axis=places.axis,
        precision=taken.prints.precision(reading.decimals),
        name=taken.name,
        remarks=mine,
        total=total if total is not None and 1 <= total <= MAX_STEPS else None,  # a log may say anything
        skipped=reading.skipped,
        format=reading.format,
        source=source,
        steps_per_epoch=places.steps_per_epoch,
    )
    return trace if places.placing is None else trace.placed_by(places.placing)


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
    start = reading.epochs_from if reading.epochs_from is not None else float(epochs.min())
    total = reading.epochs if reading.epochs_from is not None or start <= 1 else None
    placing = GuessedEpochs(each, most) if declared is None else None
    return _Places(epochs - start + (steps - first) / each, taken.rates, "epoch", total, declared, placing)


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
            return _Places(by_bar[0], taken.rates, "step", by_bar[1], clear=True)
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
            places = even.positions(epochs)
            return _Places(places, taken.rates[even.extra :], "epoch", reading.epochs, placing=even, clear=True)
    start = reading.epochs_from or 0
    return _Places(epochs - start, taken.rates, "epoch", reading.epochs if whole else None, _one(reading.batches))


def _one(batches: tuple[int, ...]) -> int | None:
    return batches[0] if len(batches) == 1 else None


def _refuse_crowded(taken: TakenRows, places: _Places) -> None:
    """An error where many rows have the place of the row before them, and another rate."""
    if taken.crowded < 2 or taken.crowded * _FEW <= taken.seen:
        return
    what = (
        f"{rows(taken.crowded, 'has', 'have')} the {places.axis} of the row before and another rate, of {taken.seen:,}"
    )
    cause = (
        "the log lacks the number of the batch in the epoch, or rounds its epochs too far"
        if places.axis == "epoch"
        else "the log counts its steps anew and lacks the epoch, or mixes several runs"
    )
    raise LogError(
        f"The log does not say where its rows are: {what}; {cause}.",
        fix=(
            "Name a column, key or word that counts all steps with ",
            Name("step_column"),
            ", or count the rows as steps with ",
            Name("count_rows"),
            ".",
        ),
    )


def _refuse_many_runs(places: _Places) -> None:
    """An error where the log starts again several times, with other rates each time."""
    where, rates = places.positions, places.rates
    again = int(np.count_nonzero((where[1:] < where[:-1]) & (where[1:] <= where[0])))
    if again < 2:
        return
    order = np.argsort(where, kind="stable")
    where, rates = where[order], rates[order]
    other = int(np.count_nonzero((where[1:] == where[:-1]) & (rates[1:] != rates[:-1])))
    if other * _FEW <= where.size:
        return
    raise LogError(
        f"The log starts again {again:,} times, and {other:,} of its {where.size:,} rows have another rate than one "
        f"before at the same {places.axis}: it holds several runs, or counts its steps anew and lacks the epoch.",
        fix=("Cut it to one run, or name what counts all steps with ", Name("step_column"), "."),
    )


def _leave_out_branch(places: _Places, remarks: list[Remark]) -> None:
    """Leave out what a run, or a part of one, had written further on when it was given up and done again."""
    back = np.flatnonzero(places.positions[1:] < places.positions[:-1])
    if not back.size:
        return
    kept = _without_branch(places.positions, places.rates, int(back[-1]) + 1)
    left = int(kept.size - np.count_nonzero(kept))
    if left:
        text = f"{rows(left, 'is', 'are')} left out: the log went back before them, with other rates."
        remarks.append(Remark("branch left", left, text))
        places.positions, places.rates = places.positions[kept], places.rates[kept]


def _without_branch(positions: NDArray[Any], rates: NDArray[Any], start: int) -> NDArray[np.bool_]:
    """Which rows to keep where the log last went back before the row `start`.

    If the rows from there on have other rates than those before at the same places, the earlier ones that lie beyond
    the end belong to a run, or a part of one, that was given up.
    """
    kept = np.ones(positions.size, np.bool_)
    beyond = positions[:start] > positions[start:].max()
    if positions.size - start < _BRANCH or not beyond.any():
        return kept
    earlier = np.argsort(positions[:start], kind="stable")
    at = np.searchsorted(positions[:start][earlier], positions[start:], side="right") - 1
    before = earlier[np.maximum(at, 0)]
    same = (at >= 0) & (positions[before] == positions[start:])
    if 2 * np.count_nonzero(same & (rates[before] != rates[start:])) > np.count_nonzero(same):
        kept[:start] = ~beyond
    return kept
