"""What one kind of rows in a file says of its run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from kosine._logs.read.collect import GroupCollection
from kosine._logs.read.columns import ColumnLayout
from kosine._logs.read.rounded_epochs import PrintedEpochs
from kosine._logs.read.run_length import RunLength
from kosine._logs.remark import Axis, Remark


@dataclass(frozen=True, slots=True)
class Reading:
    """The rows of one kind and what they say besides.

    Attributes:
        format: what to call the log.
        found: the rows.
        axis: what their positions count.
        decimals: the places after the point that the writer rounds rates to.
        total: the length of the run, on that axis.
        skipped: where optimizer steps were skipped, and how many.
        batches: the numbers that the log gives for the batches of an epoch, the commonest first.
        last_batch: the last batch of an epoch that the log shows, where a position may be the middle of several.
        epochs: the epochs of the run.
        epochs_from: the number of the first epoch, where it is known.
        redrawn: whether a place is written again and again, and the last time counts.
        printed: how the epochs were printed, and the steps of progress bars.
        turns: the models that write the same steps.
        counts_rows: whether the positions are the numbers of the rows that have a value.
        remarks: what was odd.
    """

    format: str
    found: GroupCollection
    axis: Axis
    decimals: int | None = None
    total: int | None = None
    skipped: Iterable[tuple[int, int]] = ()
    batches: tuple[int, ...] = ()
    last_batch: int | None = None
    epochs: int | None = None
    epochs_from: int | None = None
    redrawn: bool = False
    printed: PrintedEpochs | None = None
    turns: int = 1
    counts_rows: bool = False
    remarks: list[Remark] = field(default_factory=list)


def reading_of(layout: ColumnLayout, found: GroupCollection, length: RunLength) -> Reading:
    """What rows with named cells say of the run."""
    remarks: list[Remark] = []
    total = length.agreed(found.furthest, layout.axis, remarks) if layout.position is not None else None
    if found.count_rows:
        remarks.append(counted(found.rows, layout.axis))
    epochs = total if layout.axis == "epoch" else None
    return Reading(
        layout.format,
        found,
        layout.axis,
        layout.decimals,
        total,
        epochs=epochs,
        epochs_from=layout.epochs_from,
        counts_rows=found.count_rows,
        remarks=remarks,
    )


def counted(rows: int, axis: Axis) -> Remark:
    """What to say of rows that are counted."""
    return Remark("counted", rows, f"The rows that have a rate are counted, from 0, as {axis}s.")
