"""The timescale of a curve without an end, found from the share of its start that it comes down to."""

from __future__ import annotations

import math

import numpy as np

from kosine._logs.infer.curve_fits import ENDLESS
from kosine._logs.infer.draft import Draft


def timescale(draft: Draft) -> float:
    """The timescale of the last phase, in steps, where its curve has one; 0 or not finite where no schedule has it."""
    with np.errstate(all="ignore"):
        growth = (draft.starts[-1] / draft.ends[-1]) ** ENDLESS[draft.kinds[-1]] - 1
        return float((draft.bounds[-1] - draft.bounds[-2]) / growth)


def timescale_range(draft: Draft, width: float) -> tuple[float, float]:
    """The timescale of an endless curve, and how far it moves with the share that the curve ends at."""
    middle = timescale(draft)
    moved = draft.with_numbers(draft.bounds, np.append(draft.rates[:-1], min(draft.rates[-1] + width, 1 - 1e-12)))
    return middle, abs(timescale(moved) - middle)


def share_of(draft: Draft, steps: float) -> float:
    """The share that the last phase ends at with this timescale."""
    length = draft.bounds[-1] - draft.bounds[-2]
    with np.errstate(all="ignore"):
        return float((1 + length / steps) ** (-1 / ENDLESS[draft.kinds[-1]]))


def is_timescale(steps: float) -> bool:
    """Whether a schedule can have this timescale."""
    return 0 < steps < math.inf
