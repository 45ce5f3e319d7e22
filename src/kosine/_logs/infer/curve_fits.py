"""Curves through rows of a log: which curve fits some of them, before the phases are known."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from kosine._core import curves
from kosine._core.curve import Curve, Operations
from kosine._core.fit import BentFit, Fit, StraightFit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SAMPLE = 160
"""Rows of a stretch that a curve is fitted to; it is tested on all of them."""
_ONE = Fraction(1)
_LEAST = 1e-20  # of the higher rate of a phase that cannot reach 0
_NEAREST = 1e-300  # in place of a distance of 0, which a formula divides by

_HOPELESS = 20.0  # half-widths that a curve may be off on average and still be looked at more closely
_FEW = 60  # rows of those that a curve is first looked for with
_AT_ONCE = 9  # numbers that are tried in a round
_NEXT, _LEAP = 1.3, 0.2  # steps to each side that the next round looks at; fewer where a parabola shows the place
_ALIKE, _ALIKE_AFTER_LEAP = 1e-4, 1e-8  # of a squared half-width: nothing to be seen; a leap is cheap
_ROOM = 0.01  # of a half-width, for a level
_LEVEL = 0.01  # of the squares: curves that differ by less are alike

LOOSE = 1.35
"""How far a fitted curve may be off, in half-widths: least squares do not find the curve that is nearest everywhere."""


@dataclass(frozen=True, slots=True, eq=False)
class FitFamily:
    """A curve that a phase may have, whatever its length and its two rates, and how it is fitted."""

    curve: Curve
    fit: Fit

    @property
    def name(self) -> str:
        """The name of the curve's constructor."""
        return self.curve.name

    @property
    def arguments(self) -> dict[str, Any]:
        """The constructor's arguments that are not the duration and the values."""
        return self.curve.arguments()

    @property
    def rows(self) -> int:
        """The fewest rows that can speak for it."""
        return self.fit.rows

    @property
    def begins(self) -> bool:
        """Whether the curve itself says where the phase begins."""
        return self.fit.begins

    @property
    def ends(self) -> bool:
        """Whether it says where the phase ends."""
        return self.fit.ends

    def values(self, start: float, end: float, share: Floats) -> Floats:
        """The rates after these shares of the phase; before it its start, after it its end."""
        return self.beyond(start, end, np.clip(share, 0.0, 1.0))

    def beyond(self, start: float, end: float, share: Floats) -> Floats:
        """The same from the one formula that the curve has, also outside the phase; not finite where it has no rate."""
        if start == end or self.curve.keeps_value:
            return np.full(share.shape, start)
        if not (math.isfinite(start) and math.isfinite(end)):
            return np.full(share.shape, math.inf)
        if self.fit.positive:
            least = max(start, end) * _LEAST
            start, end = max(start, least), max(end, least)
        form = self.curve.form(start, end, _ONE)
        done, left = share, 1.0 - share
        near, far = (done, left) if form.origin == "start" else (left, done)
        ratio = float(form.ratio)
        weight = form.weight(cast(Operations, np))
        weighed: dict[str, Callable[[], Floats]] = {
            "distance": lambda: weight(near * ratio),
            "split": lambda: weight(np.where(near == 0, _NEAREST, near * ratio), np.zeros_like(near)),
            "both": lambda: weight(near * ratio, far * ratio),
        }
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            weight_here = weighed[form.takes]()
            return form.top * weight_here + form.bottom * (1.0 - weight_here)


FAMILIES = tuple(
    sorted(
        (FitFamily(curve, fit) for kind in curves.CLASSES.values() for curve, fit in kind.fits()),
        key=lambda family: family.rows,
    )
)
"""From the simplest on: of two that explain as many rows the first is taken."""
SIMPLE = tuple(family for family in FAMILIES if not isinstance(family.fit.method, BentFit))
CURVED = tuple(family for family in FAMILIES if isinstance(family.fit.method, BentFit))
HOLD = next(family for family in SIMPLE if family.name == "hold")
LINEAR = next(family for family in SIMPLE if family.name == "linear")
ENDLESS = {family: family.fit.endless_power for family in FAMILIES if family.fit.endless_power is not None}
"""Curves that have no end, and the power of the rate that falls as one over 1 + t / timescale."""


@dataclass(frozen=True, slots=True)
class Arc:
    """A curve through some rows.

    Attributes:
        kind: which curve.
        predict: its rates at any positions.
        begin: the position at which its phase begins, where the curve says so; else None.
        end: the position at which its phase ends, where the curve says so; else None.
    """

    kind: FitFamily
    predict: Callable[[Floats], Floats]
    begin: float | None = None
    end: float | None = None


def fit(family: FitFamily, x: Floats, y: Floats, width: Floats) -> Arc | None:
    """The curve of this family that is nearest to the rows by least squares, or None where there is none."""
    method = family.fit.method
    if method is None:
        if float(np.ptp(y)) > float(width.min()):  # one rate is printed as one number
            return None
        low, high = float((y - width).max()), float((y + width).min())
        if high - low <= _ROOM * float(width.min()):  # no rate prints as both of two that are one unit apart
            return None
        level = float(np.median(y)) if float(y.min()) == float(y.max()) else (low + high) / 2
        return Arc(family, lambda at: np.full(at.shape, level))
    if isinstance(method, StraightFit):
        return _straight(family, method, x, y, width)
    return _bent(family, method, x, y, width)


# --- curves that are a line after a transformation of the rate ------------------------------------------------------


def _straight(family: FitFamily, method: StraightFit, x: Floats, y: Floats, width: Floats) -> Arc | None:
    if family is not LINEAR and (float(y.min()) <= 0 or x.size < family.rows):
        return None
    scale = float(y.max()) or 1.0
    seen = y / scale
    # A half-width of the rate is worth more or less after the transformation, by its slope there.
    weights = method.slope(seen) / width
    weights /= float(weights.max())
    origin, length = float(x[0]), float(x[-1] - x[0]) or 1.0
    share = (x - origin) / length
    z = method.transformed(seen)
    total = float(weights @ weights)
    middle = float(weights**2 @ share) / total
    level = float(weights**2 @ z) / total
    spread = float(weights**2 @ (share - middle) ** 2)
    slope = float(weights**2 @ ((share - middle) * (z - level))) / spread if spread else 0.0

    def predict(at: Floats) -> Floats:
        with np.errstate(over="ignore"):
            return cast("Floats", scale * method.rate(level + slope * ((at - origin) / length - middle)))

    return Arc(family, predict)


# --- curves with one bend: a number that is searched for, and coefficients that follow from it ---------------------


def _bent(family: FitFamily, method: BentFit, x: Floats, y: Floats, width: Floats) -> Arc | None:
    if x.size < family.rows:
        return None
    origin, length = float(x[0]), float(x[-1] - x[0])
    if not length:
        return None
    scale = float(y.max()) or 1.0
    found = _searched((x - origin) / length, y / scale, scale / width, method)
    if found is None or method.is_useless(*found):
        return None
    theta, coefficients = found

    def predict(at: Floats) -> Floats:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            rates = np.nan_to_num(method.columns((at - origin) / length, theta) @ coefficients, nan=np.inf)
        return cast("Floats", scale * rates)

    begin, end = method.ends(theta, coefficients)
    return Arc(
        family,
        predict,
        None if begin is None else origin + begin * length,
        None if end is None else origin + end * length,
    )


def _searched(t: Floats, y: Floats, weights: Floats, method: BentFit) -> tuple[float, Floats] | None:
    """The number and the coefficients with the least squares: the best of a grid, then of ever finer ones."""
    thetas: Floats = method.grid()
    few = slice(None, None, 1 + t.size // _FEW)
    coefficients, errors = _solved(t[few], y[few], weights[few], method, thetas)
    best = int(np.nanargmin(errors)) if bool(np.isfinite(errors).any()) else -1
    if best < 0:
        return None
    low, high = float(thetas[max(best - 1, 0)]), float(thetas[min(best + 1, thetas.size - 1)])
    theta, found, error, leaps = float(thetas[best]), coefficients[best], math.inf, True
    before_leap = low, high
    for _ in range(18):  # each round looks at a third of the last or less: in the end beyond float64's precision
        these = np.linspace(low, high, _AT_ONCE)
        coefficients, errors = _solved(t, y, weights, method, these)
        best = int(np.argmin(errors))
        if float(errors[best]) <= error:
            theta, found, error = float(these[best]), coefficients[best], float(errors[best])
        step = float(these[1] - these[0])
        if leaps and not 0 < best < _AT_ONCE - 1:  # the parabola led astray
            leaps, low, high = False, *before_leap
            continue
        if np.isfinite(errors).all():
            apart = float(np.ptp(errors))
            # nothing to be seen; or the best one is far off and others are no better
            alike = _ALIKE_AFTER_LEAP if leaps else _ALIKE
            if apart < alike or (apart < _LEVEL * error and error > _HOPELESS**2 * y.size):
                break
        before_leap = max(theta - _NEXT * step, float(thetas[0])), theta + _NEXT * step
        lowest = _lowest(errors[best - 1 : best + 2]) if leaps else None
        low, high = before_leap
        if lowest is not None:
            middle = float(these[best]) + lowest * step
            low, high = max(middle - _LEAP * step, float(thetas[0])), middle + _LEAP * step
    return theta, found


def _lowest(errors: Floats) -> float | None:
    """Where the parabola through three errors is lowest, from the middle one; None where they show none."""
    before, here, after = errors.tolist()
    bend = before - 2 * here + after
    return (before - after) / (2 * bend) if 0 < bend < math.inf else None


def _solved(t: Floats, y: Floats, weights: Floats, method: BentFit, thetas: Floats) -> tuple[Floats, Floats]:
    """For each theta the coefficients with the least squares, and these squares."""
    # A QR decomposition for every theta at once: normal equations would square the condition of the columns.
    weighed = weights * y
    q, r = np.linalg.qr(method.columns(t[None, :], thetas[:, None]) * weights[None, :, None])
    shares = np.einsum("gmk,m->gk", q, weighed)
    r = r + np.eye(r.shape[-1]) * 1e-300  # where a column is 0 its coefficient is free
    coefficients = np.linalg.solve(r, shares[..., None])[..., 0]
    left = weighed[None, :] - np.einsum("gmk,gk->gm", q, shares)
    errors = np.einsum("gm,gm->g", left, left)
    excluded = method.excluded(thetas, coefficients)
    return coefficients, errors if excluded is None else np.where(excluded, np.inf, errors)
