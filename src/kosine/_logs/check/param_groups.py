"""The other param groups of a log next to the one that is checked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from kosine._logs.trace import Trace

_BLOCK = 2**18  # rows that are looked at together


def other_groups(trace: Trace) -> Iterator[str]:
    """A sentence about each: its constant ratio to the checked one, or that the ratio varies."""
    for name, other in trace.groups.items():
        if name == trace.name:
            continue
        ratio = _ratio(trace, other)
        if ratio is None:
            yield f"Group {name!r} does not follow {trace.name!r} at a constant ratio; it was not checked."
        else:
            yield f"Group {name!r} has {ratio:.6g} times the rate of {trace.name!r}."


def _ratio(trace: Trace, other: Trace) -> float | None:
    """The constant by which the other group's rates differ, where both were logged at the same positions."""
    if len(trace) != len(other):
        return None
    at = int(trace.rates.argmax())
    highest = float(trace.rates[at])
    ratio = float(other.rates[at]) / highest if highest else 0.0
    slack = float(other.half_widths()[at]) / highest if highest else 0.0
    for begin in range(0, len(trace), _BLOCK):
        part = slice(begin, begin + _BLOCK)
        if not np.array_equal(trace.positions[part], other.positions[part]):
            return None
        peaks = np.append(trace.rates[part], highest), np.append(other.rates[part], other.rates[at])
        mine, theirs = trace.precision.half_width(peaks[0])[:-1], other.precision.half_width(peaks[1])[:-1]
        apart = np.abs(trace.rates[part] * ratio - other.rates[part])
        if bool((apart > ratio * mine + theirs + 2 * slack * trace.rates[part]).any()):
            return None
    return ratio
