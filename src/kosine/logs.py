"""The room of logs in kosine 0.5: its names are now `kosine.Trace`, `kosine.Precision` and `kosine.read_trace`."""

from __future__ import annotations

import warnings
from typing import Any

import kosine
from kosine._logs import trace as _trace

_HERE = {"Axis": _trace.Axis, "Remark": _trace.Remark}  # under their own names they would be found without a warning
_MOVED = ("Precision", "Trace", "read_trace")


def __getattr__(name: str) -> Any:
    if name not in (*_HERE, *_MOVED):
        raise AttributeError(f"module 'kosine.logs' has no attribute {name!r}")
    new = "what `kosine.Trace` holds" if name in _HERE else f"`kosine.{name}`"
    warnings.warn(f"`kosine.logs.{name}` is now {new}; the old name works until 0.8.", DeprecationWarning, stacklevel=2)
    return _HERE[name] if name in _HERE else getattr(kosine, name)
