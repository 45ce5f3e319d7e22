"""The batches of a range test: from the start of the data for each seed, in another order, without an end."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, SequentialSampler

from kosine.errors import ArgumentTypeError, TrainingError, TrainingWarning
from kosine.torch._saved_state import RandomSource, global_sources


def check_loader(loader: Any, seeds: int) -> None:
    """Refuse what cannot be read once for each seed."""
    rule = "a DataLoader, a list of batches, or another object that gives the batches anew at each `iter`"
    if not isinstance(loader, Iterable) or isinstance(loader, str | bytes | Mapping | torch.Tensor):
        raise ArgumentTypeError(argument="loader", rule=rule, received=loader)
    if isinstance(loader, Iterator):
        raise TrainingError(
            argument="loader",
            rule=rule,
            received=loader,
            fix="An iterator can be read once, and the test would use up the batches. Pass what it was made from; or "
            "take a list of them, as in list(itertools.islice(batches, 100)), which serves for every seed.",
        )
    if seeds > 1 and isinstance(loader, DataLoader) and isinstance(loader.sampler, SequentialSampler):
        warnings.warn(
            "The loader does not shuffle, so every seed sees the batches in the same order, and their spread is too "
            "small. Pass a loader with shuffle=True, or seeds=1.",
            TrainingWarning,
            stacklevel=3,
        )


def batches(loader: Any, seed: int, sources: Iterable[RandomSource]) -> Generator[Any, None, None]:
    """The batches of a seed, pass after pass.

    A batch at the end of a pass that is smaller than the first is left out: its loss would count for a whole batch.

    Args:
        loader: what gives them.
        seed: what all random generators begin with.
        sources: random generators besides the global ones, such as the loader's.
    """
    for source in itertools.chain(global_sources(), sources):
        source.seed(seed)
    for number in itertools.count():
        for reader in _with_epochs(loader):
            reader.set_epoch(reader.epoch + (1 if number else 1_000 * seed))
        some = False
        for batch in _one_pass(loader, seed, number):
            some = True
            yield batch
        if not some:
            raise TrainingError(
                "The loader gave no batch." if number == 0 else f"The loader gave no batch at pass {number + 1}.",
                received=loader,
                fix="It must give the batches anew at each `iter`: a DataLoader, or a list of batches.",
            )


def _one_pass(loader: Any, seed: int, number: int) -> Iterator[Any]:
    if isinstance(loader, list | tuple):
        count = len(loader) - (len(loader) > 1 and _is_smaller(loader[-1], loader[0]))
        yield from (loader[index] for index in np.random.default_rng([seed, number]).permutation(count))
        return
    if isinstance(loader, DataLoader) and number == 0:
        loader._iterator = None  # persistent workers of the user's: an epoch may be going on with them
    last = _length(loader) - 1
    first = None
    for index, batch in enumerate(loader):
        first = batch if index == 0 else first
        if index == last and _is_smaller(batch, first):
            return
        yield batch


def _length(loader: Any) -> int:
    """The number of batches; 0 where the loader does not know."""
    try:
        return len(loader)
    except (TypeError, NotImplementedError):
        return 0


def _is_smaller(batch: Any, first: Any) -> bool:
    size, whole = size_of(batch), size_of(first)
    return size is not None and whole is not None and size < whole


def size_of(batch: Any) -> int | None:
    """How many samples a batch has: the length of the first tensor in it; None where there is none."""
    if isinstance(batch, torch.Tensor | np.ndarray):
        return len(batch) if batch.ndim else None
    if isinstance(batch, Mapping):
        batch = batch.values()
    if isinstance(batch, Iterable) and not isinstance(batch, str | bytes):
        sizes = map(size_of, batch)
        return next((size for size in sizes if size is not None), None)
    return None


def _with_epochs(loader: Any) -> list[Any]:
    """The parts of a loader whose order depends on the number of an epoch, such as torch's DistributedSampler."""
    parts = [getattr(loader, name, None) for name in ("sampler", "batch_sampler", "dataset")]
    return [
        part for part in (loader, *parts) if hasattr(part, "set_epoch") and "epoch" in getattr(part, "__dict__", {})
    ]
