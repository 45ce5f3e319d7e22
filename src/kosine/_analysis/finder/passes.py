"""The batches of a range test: from the start of the data for each seed, pass after pass."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from kosine.errors import ArgumentTypeError, TrainingError


def check_batches(batches: Any, argument: str, kinds: str) -> None:
    """Refuse what cannot be read once for each seed; `kinds` says in words what can."""
    rule = f"{kinds}, or another object that gives the batches anew at each `iter`"
    is_one = isinstance(batches, str | bytes | Mapping) or hasattr(batches, "shape")  # a text, or a single batch
    if is_one or not isinstance(batches, Iterable):
        raise ArgumentTypeError(argument=argument, rule=rule, received=batches)
    if isinstance(batches, Iterator):
        raise TrainingError(
            argument=argument,
            rule=rule,
            received=batches,
            fix="An iterator can be read once, and the test would use up the batches. Pass what it was made from; or "
            "take a list of them, as in list(itertools.islice(batches, 100)), which serves for every seed.",
        )


def endless(
    batches: Any, seed: int, argument: str, begin: Callable[[int], object] = lambda number: None
) -> Generator[Any, None, None]:
    """The batches of a seed, pass after pass.

    Those of a list come in an order of the seed. A batch at the end of a pass that is smaller than the first is left
    out: its loss would count for a whole batch.

    Args:
        batches: what gives them.
        seed: of the order of a list.
        argument: what the user calls them.
        begin: called before each pass with its number, from 0.
    """
    for number in itertools.count():
        begin(number)
        some = False
        for batch in _one_pass(batches, seed, number):
            some = True
            yield batch
        if not some:
            raise TrainingError(
                f"`{argument}` gave no batch{'' if number == 0 else f' at pass {number + 1}'}.",
                received=batches,
                fix="It must give the batches anew at each `iter`, as a list of them does.",
            )


def _one_pass(batches: Any, seed: int, number: int) -> Iterator[Any]:
    if isinstance(batches, list | tuple):
        count = len(batches) - (len(batches) > 1 and _is_smaller(batches[-1], batches[0]))
        yield from (batches[index] for index in np.random.default_rng([seed, number]).permutation(count))
        return
    last = _length(batches) - 1
    first = None
    for index, batch in enumerate(batches):
        first = batch if index == 0 else first
        if index == last and _is_smaller(batch, first):
            return
        yield batch


def _length(batches: Any) -> int:
    """How many there are; 0 where that is unknown."""
    try:
        return len(batches)
    except (TypeError, NotImplementedError):
        return 0


def _is_smaller(batch: Any, first: Any) -> bool:
    size, whole = _size_of(batch), _size_of(first)
    return size is not None and whole is not None and size < whole


def _size_of(batch: Any) -> int | None:
    """How many samples a batch has: the length of the first array in it; None where there is none."""
    if isinstance(batch, Mapping):
        batch = [*batch.values()]
    if isinstance(batch, list | tuple):
        return next((size for size in map(_size_of, batch) if size is not None), None)
    shape = getattr(batch, "shape", ())
    return int(shape[0]) if shape else None
