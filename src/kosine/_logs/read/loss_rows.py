"""Which of the losses of a log are taken: those of a validation set before those of training, and where they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from kosine._logs.losses import Losses, LossKind
from kosine._logs.read.columns import listed
from kosine._logs.read.loss_names import kind_of_read, like_losses, loss_kind, says_mean
from kosine._logs.read.repeated_rows import is_crowded, of_last_branch
from kosine._logs.remark import Remark, rows
from kosine.errors import Name

if TYPE_CHECKING:
    from kosine._logs.read.collect import TakenRows
    from kosine._logs.read.reading import Reading
    from kosine._logs.read.timeline import Timeline

_MOST_OTHERS = 8  # losses that a remark names

Reason = tuple[str | Name, ...]
"""Parts of a message."""


@dataclass(slots=True)
class LossSeries:
    """The rows of one loss of a log.

    Attributes:
        name: what the log calls it.
        kind: what it is of.
        taken: the rows.
        reading: the rows of its kind, and what they say besides.
        remarks: what was odd about the rows.
    """

    name: str
    kind: LossKind
    taken: TakenRows
    reading: Reading
    remarks: list[Remark] = field(default_factory=list)

    @property
    def run(self) -> str:
        """The run that the name begins with, where an export has several."""
        return self.name.rpartition(" - ")[0]


def series_in(readings: Iterable[Reading], asked: bool) -> list[LossSeries]:
    """The losses of a log: of two validations or more first, then those with the most rows, then the shortest names."""
    found = []
    for reading in readings:
        reading.found.finish()
        for name in list(reading.found.groups):
            remarks = reading.found.remarks(name, "loss")
            taken = reading.found.groups.pop(name).take()
            kind = loss_kind(name)
            if kind is None and "loss" in name.lower() and not asked:  # one of several, such as "loss[0]"
                continue
            found.append(LossSeries(name, kind or kind_of_read(name), taken, reading, remarks))
    return sorted(
        found,
        key=lambda one: (
            one.kind != "validation" or one.taken.seen < 2,
            -one.taken.seen,
            not says_mean(one.name),
            len(one.name),
        ),
    )


def losses_of(
    series: Sequence[LossSeries], timeline: Timeline, group: str, names: Iterable[str]
) -> tuple[Losses | None, Reason]:
    """The losses that belong to the rates of a group; None where there are none, and why.

    Args:
        series: the losses of the log, the likeliest first.
        timeline: how the rows with rates are placed.
        group: the name of the rates.
        names: of the columns, keys or tags of the log.
    """
    run = group.rpartition(" - ")[0]
    mine = [one for one in series if one.run in ("", run)]
    unplaced: Reason = ()
    for one in mine:
        losses, why = _placed(one, timeline, [*_others(one, mine), *_left_validation(one, names)])
        if losses is not None:
            return losses, ()
        unplaced = unplaced or why
    return None, unplaced or _parts(names)


def _placed(one: LossSeries, timeline: Timeline, others: list[Remark]) -> tuple[Losses | None, Reason]:
    """The losses of a series at their places; None where the log does not say where they are."""
    taken, reading = one.taken, one.reading
    places = timeline.places(taken, reading)
    if places is None:
        text = f"The log has losses ({one.name!r}), but by {_unit(reading, taken)}, and not where these are in its "
        return None, (f"{text}{timeline.axis}s.",)
    if not reading.redrawn and is_crowded(taken.crowded, taken.seen):
        text = f"The log does not say where its losses ({one.name!r}) are: {rows(taken.crowded, 'has', 'have')} the "
        return None, (f"{text}place of the row before and another loss, of {taken.seen:,}.",)
    kept = of_last_branch(places, taken.rates)
    losses = Losses(places[kept], taken.rates[kept], name=one.name, kind=one.kind, axis=timeline.axis)
    rest = int(np.count_nonzero(kept))
    odd = _odd(taken, kept.size - rest, 0 if reading.redrawn else rest - losses.positions.size)
    return replace(losses, remarks=(*one.remarks, *odd, *others)), ()


def _unit(reading: Reading, taken: TakenRows) -> str:
    return "step of each epoch" if taken.epochs.size else reading.axis


def _odd(taken: TakenRows, left: int, again: int) -> Iterator[Remark]:
    """What was odd about the places of losses: some are left out, or are there again."""
    if taken.stride > 1:
        text = f"The log is long: one loss in {taken.stride} is kept, of {taken.seen:,}."
        yield Remark("thinned", taken.seen - taken.rates.size, text)
    if left:
        yield Remark(
            "branch left", left, f"{rows(left, 'is', 'are')} left out: the file has a run before the last one."
        )
    if again:
        text = f"{rows(again, 'is', 'are')} at the place of another loss; the last one counts."
        yield Remark("conflicts", again, text)


def _others(one: LossSeries, series: Sequence[LossSeries]) -> Iterator[Remark]:
    """What to say of the losses that are not taken."""
    others = [other for other in series if other.name != one.name]
    if others:
        each = [f"{other.name!r} ({other.taken.seen:,})" for other in others[:_MOST_OTHERS]]
        text = f"The losses are those of {one.name!r} ({one.taken.seen:,} rows). The log also has {', '.join(each)}."
        yield Remark("other losses", len(others), text)


def _left_validation(one: LossSeries, names: Iterable[str]) -> Iterator[Remark]:
    """What to say of losses whose names have a word for a validation set, where those of training are taken."""
    left = [name for name in like_losses(names) if kind_of_read(name) == "validation"] if one.kind == "training" else []
    if left:
        text = f"The log also has {listed(left[:_MOST_OTHERS])}, and does not say which is the loss as a whole: "
        yield Remark("validation left", len(left), f"{text}they are taken by their names only.")


def _parts(names: Iterable[str]) -> Reason:
    """What to say of a log that has only parts of a loss, or losses of other kinds."""
    parts = like_losses(names)
    if not parts:
        return ()
    each = "none of which is" if len(parts) > 1 else "which is not"
    text = f"The log has {listed(parts[:_MOST_OTHERS])}, {each} known to be the loss as a whole. Name one with "
    return (text, Name("loss_column"), ".")
