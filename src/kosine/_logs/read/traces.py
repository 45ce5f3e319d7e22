"""The trace of a param group: its rows, placed by steps or by epochs, or an error where the log does not place them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kosine._core.numbers import MAX_STEPS
from kosine._logs.read.rounded_epochs import EvenRows, simplest
from kosine._logs.trace import Remark, Trace, rows
from kosine.errors import LogError, Name

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kosine._logs.read.collect import GroupRows, TakenRows
    from kosine._logs.read.reading import Reading
    from kosine._logs.trace import Axis, Placing

_FEW = 20  # one row in so many may have the place of another one, as after a resume


@dataclass(slots=True)
class _Places:
    """Where the rows are."""

    positions: NDArray[Any]
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
        shown: the steps of an epoch that the log shows.
    """

    shown: float

    def positions(self, epochs: NDArray[Any], steps_per_epoch: int) -> NDArray[np.float64]:
        """The epochs of the rows, where an epoch has so many steps."""
        if steps_per_epoch < self.shown:
            rule = f"at least {self.shown:,g}, as the log has a step of that number in an epoch"
            raise LogError(argument="steps_per_epoch", rule=rule, received=steps_per_epoch)
        whole = np.floor(epochs + 0.25 / self.shown)
        return np.asarray(whole + np.round((epochs - whole) * self.shown) / steps_per_epoch)


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
        places = _Places(taken.positions, reading.axis, reading.total)
    if not (places.clear or reading.redrawn):
        _refuse_crowded(taken, places)
        _refuse_one_place(taken, places)
    if taken.stride > 1:
        text = f"The log is long: one row in {taken.stride} is kept, of {taken.seen:,}."
        mine.append(Remark("thinned", taken.seen - taken.rates.size, text))
    if reading.turns > 1:
        text = f"{reading.turns} models write the same steps; the rates of each are a group of their own."
        mine.append(Remark("several models", reading.turns, text))
    places.positions.flags.writeable = taken.rates.flags.writeable = False
    total = places.total
    trace = Trace(
        places.positions,
        taken.rates,
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
    first = min(1.0, float(steps.min()))  # most writers count from 1
    most = float(reading.last_batch or steps.max() + 1 - first)
    declared = reading.batches[0] if reading.batches and reading.batches[0] >= most else None
    each = most if declared is None else float(declared)
    if declared is None:
        text = f"Steps are counted anew in each epoch, which is taken to have {each:,g} of them."
        remarks.append(Remark("steps of each epoch", taken.resets, text))
    elif len(reading.batches) > 1:
        others = ", ".join(f"{of:,}" for of in reading.batches[1:5])
        text = f"An epoch is taken to have {declared:,} batches; some rows say {others}."
        remarks.append(Remark("epochs of other lengths", taken.resets, text))
    start = reading.epochs_from if reading.epochs_from is not None else float(epochs.min())
    total = reading.epochs if reading.epochs_from is not None or start <= 1 else None
    placing = GuessedEpochs(each) if declared is None else None
    return _Places(epochs - start + (steps - first) / each, "epoch", total, declared, placing)


def _by_epochs(taken: TakenRows, reading: Reading, remarks: list[Remark]) -> _Places:
    """Rows that are placed by epochs alone, which may be rounded."""
    epochs, printed = taken.positions, reading.printed
    whole = bool((epochs == np.floor(epochs)).all())
    if printed is not None and not whole and taken.stride == 1:
        by_bar = printed.steps(epochs)
        if by_bar is not None:
            text = f"The steps of the rows are those of the progress bar, of {by_bar[1]:,}."
            remarks.append(Remark("steps of a progress bar", epochs.size, text))
            return _Places(by_bar[0], "step", by_bar[1], clear=True)
        half = printed.half_widths(epochs)
        even = EvenRows.of(epochs, half) if float(half.max()) else None
        if even is not None:
            each = float(simplest(even.least, even.most))
            text = (
                f"The log rounds its epochs, by up to {float(half.max()):.1g}. Its rows are taken to be equally far "
                f"apart: {each:.6g} epochs, from {even.least:.6g} to {even.most:.6g}."
            )
            remarks.append(Remark("rounded epochs", epochs.size, text))
            return _Places(even.positions(epochs), "epoch", reading.epochs, placing=even, clear=True)
    start = reading.epochs_from or 0
    return _Places(epochs - start, "epoch", reading.epochs if whole else None, _one(reading.batches))


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


def _refuse_one_place(taken: TakenRows, places: _Places) -> None:
    """An error where all of several rows are at one place, as in a table with a row for each run."""
    if taken.seen > 2 and (places.positions == places.positions[0]).all():
        raise LogError(
            f"All {taken.seen:,} rows are at {places.axis} {places.positions[0]:,g}: a log of one run has its rates at "
            "different places.",
            fix=("Name a column, key or word that counts all steps with ", Name("step_column"), "."),
        )
