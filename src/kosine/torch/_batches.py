"""The batches of a loader for a range test: another order for each seed, and its workers left alone."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Generator, Iterable
from typing import Any

from torch.utils.data import DataLoader, SequentialSampler

from kosine._analysis.finder.passes import check_batches, endless
from kosine.errors import TrainingWarning
from kosine.torch._saved_state import RandomSource, global_sources


def check_loader(loader: Any, seeds: int) -> None:
    """Refuse what cannot be read once for each seed, and warn of what has one order."""
    check_batches(loader, "loader", "a DataLoader, a list of batches")
    if seeds > 1 and isinstance(loader, DataLoader) and isinstance(loader.sampler, SequentialSampler):
        warnings.warn(
            "The loader does not shuffle, so every seed sees the batches in the same order, and their spread is too "
            "small. Pass a loader with shuffle=True, or seeds=1.",
            TrainingWarning,
            stacklevel=3,
        )


def batches_of(loader: Any, seed: int, sources: Iterable[RandomSource]) -> Generator[Any, None, None]:
    """The batches of a seed, pass after pass.

    Args:
        loader: what gives them.
        seed: what all random generators begin with.
        sources: random generators besides the global ones, such as the loader's.
    """
    for source in itertools.chain(global_sources(), sources):
        source.seed(seed)
    if isinstance(loader, DataLoader):
        loader._iterator = None  # persistent workers of the user's: an epoch may be going on with them

    def begin(number: int) -> None:
        for reader in _with_epochs(loader):
            reader.set_epoch(reader.epoch + (1 if number else 1_000 * seed))

    return endless(loader, seed, "loader", begin)


def _with_epochs(loader: Any) -> list[Any]:
    """The parts of a loader whose order depends on the number of an epoch, such as torch's DistributedSampler."""
    parts = [getattr(loader, name, None) for name in ("sampler", "batch_sampler", "dataset")]
    known = [part for part in (loader, *parts) if "epoch" in getattr(part, "__dict__", {})]
    return [part for part in known if hasattr(part, "set_epoch")]
