"""The room of summaries in kosine 0.5: it is now `kosine.summarize`."""

from __future__ import annotations

import warnings
from typing import Any

import kosine


def __getattr__(name: str) -> Any:
    if name not in ("Summary", "summarize"):
        raise AttributeError(f"module 'kosine.summary' has no attribute {name!r}")
    warnings.warn(
        f"`kosine.summary.{name}` is now `kosine.{name}`; the old name works until 0.8.",
        DeprecationWarning,
        stacklevel=2,
    )
    return getattr(kosine, name)
