"""Which names of a log are those of a loss as a whole, and whether it is one of training or of a validation set."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from kosine._logs.losses import LossKind

_LONGEST = 200  # characters of a name
_WORDS = re.compile(r"[a-z]+|\d+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
VALIDATION = frozenset(
    ("val", "vali", "valid", "validate", "validation", "eval", "evaluate", "evaluation", "dev", "cv")
)
TRAINING = frozenset(("train", "training", "trn", "tr"))
_NEUTRAL = frozenset(
    ("total", "overall", "lm", "avg", "average", "mean", "epoch", "step", "batch", "iter", "iteration", "iterations")
) | frozenset(("vs", "cross", "entropy", "global", "current", "cur"))
"""Words that leave a loss whole. Any other word may name a part (`cls`, `box`), a set that is kept apart (`test`), or
something else (`scale`, `best`)."""


_OF_FORMATS = frozenset(("tel", "cross", "ce"))  # of llm.c and Marian, where they are of a validation set


@lru_cache(maxsize=4096)
def loss_kind(name: str) -> LossKind | None:
    """What a loss of this name is of; None where the name is not that of a whole loss."""
    if len(name) > _LONGEST or "loss" not in name.lower():
        return None
    own = name.rpartition(" - ")[2]  # Weights & Biases puts the name of the run before
    words = _WORDS.findall(_HUMP.sub(" ", own).lower())
    others = {word for word in words if word != "loss"}
    if "loss" not in words or not others <= VALIDATION | TRAINING | _NEUTRAL or "__" in own.strip("_"):
        return None
    return "validation" if others & VALIDATION else "training"


@lru_cache(maxsize=4096)
def says_its_set(name: str) -> bool:
    """Whether the name of a loss says that it is of training, or of a validation set."""
    return bool(set(_WORDS.findall(_HUMP.sub(" ", name).lower())) & (VALIDATION | TRAINING))


def says_mean(name: str) -> bool:
    """Whether the name of a loss says that it is a mean, rather than the loss of one batch."""
    return bool(set(_WORDS.findall(name.lower())) & {"avg", "average", "mean", "epoch"})


def kind_of_read(name: str) -> LossKind:
    """What a loss that was read is of; one that was asked for may be of a test set, or have any name."""
    words = set(_WORDS.findall(_HUMP.sub(" ", name).lower()))
    return "validation" if words & (VALIDATION | _OF_FORMATS | {"test", "testing"}) else "training"


def loss_columns(columns: Iterable[str]) -> list[str]:
    """The columns with losses as a whole."""
    return [column for column in columns if loss_kind(column) is not None]


def like_losses(columns: Iterable[str]) -> list[str]:
    """The columns whose names have the word, and another one that makes them a part of a loss or something else."""
    return [name for name in columns if "loss" in name[:_LONGEST].lower() and loss_kind(name) is None]
