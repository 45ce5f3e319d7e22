"""Rates of steps as CSV and as JSON, in pieces: the memory does not grow with the run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kosine._core.schedule import Plan

_CHUNK = 2**14  # steps that are worked out at a time


def as_csv(plan: Plan, steps: Iterable[int]) -> Iterator[str]:
    """The rates of steps as the text of a CSV file, in pieces."""
    header = "step,learning_rate\n" if plan.run.steps_per_epoch is None else "step,epoch,learning_rate\n"
    for lines in _rows(plan, steps):
        yield header + "".join(f"{','.join(map(repr, line))}\n" for line in lines)
        header = ""


def as_objects(plan: Plan, steps: Iterable[int]) -> Iterator[str]:
    """The same as the text of a list in JSON, in pieces."""
    names = ("step", "learning_rate") if plan.run.steps_per_epoch is None else ("step", "epoch", "learning_rate")
    before = "[\n  "
    for lines in _rows(plan, steps):
        objects = (", ".join(f'"{name}": {value!r}' for name, value in zip(names, line, strict=True)) for line in lines)
        yield before + ",\n  ".join(f"{{{each}}}" for each in objects)
        before = ",\n  "
    yield "\n]\n"


def _rows(plan: Plan, steps: Iterable[int]) -> Iterator[list[tuple[float, ...]]]:
    """Each step with its epoch, where that is known, and its rate; many of them at a time."""
    per_epoch = plan.run.steps_per_epoch
    remaining = iter(steps)
    while chunk := list(islice(remaining, _CHUNK)):
        rates = plan(chunk).tolist()
        if per_epoch is None:
            yield list(zip(chunk, rates, strict=True))
        else:
            epochs = (step // per_epoch if step % per_epoch == 0 else step / per_epoch for step in chunk)
            yield list(zip(chunk, epochs, rates, strict=True))
