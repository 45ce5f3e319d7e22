"""Curves through rows of a log: which curve fits a stretch of them, before anything is known about the phases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from kosine._core import curves
from kosine._core.curve import Curve, Operations

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SAMPLE = 160
"""Rows of a stretch that a curve is fitted to; it is tested on all of them."""
_ONE = Fraction(1)
_LEAST = 1e-20  # of the higher rate of a phase that cannot reach 0
_NEAREST = 1e-300  # in place of a distance of 0, which a formula divides by

LOOSE = 1.35
"""How far a fitted curve may be off, in half-widths: least squares do not find the curve that is nearest everywhere."""


@dataclass(frozen=True, slots=True)
class FitFamily:
    """A curve that a phase may have, and how to fit it.

    Attributes:
        name: the name of its constructor.
        curve: the curve itself.
        rows: the fewest rows that can speak for it.
        begins: whether the curve itself says where the phase begins.
        ends: whether it says where it ends.
        arguments: the constructor's arguments that are not the duration and the values.
        positive: whether it neither leaves nor reaches 0.
    """

    name: str
    curve: Curve
    rows: int
    begins: bool = False
    ends: bool = False
    arguments: tuple[tuple[str, float], ...] = ()
    positive: bool = False

    def values(self, start: float, end: float, share: Floats) -> Floats:
        """The rates after these shares of the phase; before it its start, after it its end."""
        return self.beyond(start, end, np.clip(share, 0.0, 1.0))

    def beyond(self, start: float, end: float, share: Floats) -> Floats:
        """The same from the one formula that the curve has, also outside the phase; not finite where it has no rate."""
        if start == end or self.name == "hold":
            return np.full(share.shape, start)
        if self.positive:
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


HOLD = FitFamily("hold", curves.Hold(), 1)
LINEAR = FitFamily("linear", curves.Linear(), 2)
EXPONENTIAL = FitFamily("exponential", curves.Exponential(), 3, positive=True)
INVERSE_SQRT = FitFamily("inverse_sqrt", curves.InverseSqrt(), 3, positive=True)
INVERSE_TIME = FitFamily("inverse_time", curves.InverseTime(), 3, positive=True)
COSINE = FitFamily("cosine", curves.Cosine(), 4, begins=True, ends=True)
ONE_MINUS_SQRT = FitFamily("one_minus_sqrt", curves.OneMinusSqrt(), 4, begins=True)
POLYNOMIALS = tuple(
    FitFamily("polynomial", curves.Polynomial(power), 4, ends=True, arguments=(("power", power),))
    for power in (2.0, 0.9, 3.0, 1.5, 4.0)
)
ENDLESS = {INVERSE_SQRT: 2, INVERSE_TIME: 1}
"""Curves that have no end, and the power of the rate that falls as one over 1 + t / timescale."""
SIMPLE = (HOLD, LINEAR, EXPONENTIAL, INVERSE_SQRT, INVERSE_TIME)
CURVED = (COSINE, ONE_MINUS_SQRT, *POLYNOMIALS)
"""From the simplest on: of two that explain as many rows the first is taken."""


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


def fit(kind: FitFamily, x: Floats, y: Floats, width: Floats) -> Arc | None:
    """The curve of this kind that is nearest to the rows by least squares, or None where there is none."""
    if kind is HOLD:
        low, high = float((y - width).max()), float((y + width).min())
        level = float(np.median(y)) if float(y.min()) == float(y.max()) else (low + high) / 2
        return Arc(kind, lambda at: np.full(at.shape, level))
    if kind in _STRAIGHTENED:
        return _straight(kind, x, y, width)
    if x.size < kind.rows:
        return None
    origin, length = float(x[0]), float(x[-1] - x[0])
    if not length:
        return None
    scale = float(y.max()) or 1.0
    basis, thetas = _BENT[kind.name](kind)
    found = _bent((x - origin) / length, y / scale, scale / width, basis, thetas, kind)
    if found is None:
        return None
    theta, coefficients = found

    def predict(at: Floats) -> Floats:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            rates = np.nan_to_num(basis((at - origin) / length, theta) @ coefficients, nan=np.inf)
        return cast("Floats", scale * rates)

    if kind is COSINE and _crest(theta, coefficients) > _HIGHEST:
        return None
    begin, end = _ends(kind, theta, coefficients)
    return Arc(
        kind,
        predict,
        None if begin is None else origin + begin * length,
        None if end is None else origin + end * length,
    )


# --- curves that are a line after a transformation of the rate ------------------------------------------------------

_Transformation = Callable[["Floats"], "Floats"]
_STRAIGHTENED: dict[FitFamily, tuple[_Transformation, _Transformation, _Transformation]] = {
    LINEAR: (lambda y: y, np.ones_like, lambda z: z),
    EXPONENTIAL: (np.log, lambda y: y, np.exp),
    INVERSE_SQRT: (lambda y: y**-2, lambda y: y**3 / 2, lambda z: np.maximum(z, 1e-300) ** -0.5),
    INVERSE_TIME: (lambda y: 1 / y, lambda y: y**2, lambda z: 1 / np.maximum(z, 1e-300)),
}
"""The transformation, the rate's change per change of what it makes, and the way back."""


def _straight(kind: FitFamily, x: Floats, y: Floats, width: Floats) -> Arc | None:
    there, change, back = _STRAIGHTENED[kind]
    if kind is not LINEAR and (float(y.min()) <= 0 or x.size < kind.rows):
        return None
    scale = float(y.max()) or 1.0
    seen = y / scale
    weights = change(seen) / width
    weights /= float(weights.max())
    origin, length = float(x[0]), float(x[-1] - x[0]) or 1.0
    share = (x - origin) / length
    z = there(seen)
    total = float(weights @ weights)
    middle = float(weights**2 @ share) / total
    level = float(weights**2 @ z) / total
    spread = float(weights**2 @ (share - middle) ** 2)
    slope = float(weights**2 @ ((share - middle) * (z - level))) / spread if spread else 0.0

    def predict(at: Floats) -> Floats:
        with np.errstate(over="ignore"):
            return scale * back(level + slope * ((at - origin) / length - middle))

    return Arc(kind, predict)


# --- curves with one bend: a number that is searched for, and coefficients that follow from it ---------------------

_Basis = Callable[[Any, Any], Any]


def _cosine_basis(kind: FitFamily) -> tuple[_Basis, Floats]:
    def basis(t: Any, half_wave: Any) -> Any:
        # 1, t and t**2 where the half wave is much longer than the rows, so that the three stay apart
        t, half_wave = np.broadcast_arrays(t, half_wave)
        pace = np.pi / half_wave
        return np.stack([np.ones_like(t), np.sin(pace * t) / pace, 2 * (np.sin(pace * t / 2) / pace) ** 2], axis=-1)

    return basis, np.concatenate([np.linspace(0.9, 1.3, 9), np.geomspace(1.4, 4000, 36)])


def _sqrt_basis(kind: FitFamily) -> tuple[_Basis, Floats]:
    def basis(t: Any, lead: Any) -> Any:
        t, lead = np.broadcast_arrays(t, lead)
        return np.stack([np.ones_like(t), np.sqrt(np.maximum(t + lead, 0.0))], axis=-1)

    return basis, np.concatenate([[0.0], np.geomspace(1e-4, 1e4, 45)])


def _polynomial_basis(kind: FitFamily) -> tuple[_Basis, Floats]:
    power = dict(kind.arguments)["power"]

    def basis(t: Any, left: Any) -> Any:
        t, left = np.broadcast_arrays(t, left)
        return np.stack([np.ones_like(t), np.maximum(1.0 + left - t, 0.0) ** power], axis=-1)

    return basis, np.concatenate([[0.0], np.geomspace(1e-4, 1e4, 45)])


_BENT: dict[str, Callable[[FitFamily], tuple[_Basis, Floats]]] = {
    "cosine": _cosine_basis,
    "one_minus_sqrt": _sqrt_basis,
    "polynomial": _polynomial_basis,
}


def _bent(
    t: Floats, y: Floats, weights: Floats, basis: _Basis, thetas: Floats, kind: FitFamily
) -> tuple[float, Floats] | None:
    """The number and the coefficients with the least squares: the best of a grid, then of ever finer ones."""
    weighed = weights * y

    def solved(these: Floats) -> tuple[Floats, Floats]:
        q, r = np.linalg.qr(basis(t[None, :], these[:, None]) * weights[None, :, None])
        shares = np.einsum("gmk,m->gk", q, weighed)
        r = r + np.eye(r.shape[-1]) * 1e-300  # where a column is 0 its coefficient is free
        coefficients = np.linalg.solve(r, shares[..., None])[..., 0]
        left = weighed[None, :] - np.einsum("gmk,gk->gm", q, shares)
        errors = np.einsum("gm,gm->g", left, left)
        if kind is COSINE:
            errors = np.where(_trough(these, coefficients) < _DEEPEST, np.inf, errors)
        return coefficients, errors

    coefficients, errors = solved(thetas)
    best = int(np.nanargmin(errors)) if bool(np.isfinite(errors).any()) else -1
    if best < 0:
        return None
    low, high = float(thetas[max(best - 1, 0)]), float(thetas[min(best + 1, thetas.size - 1)])
    theta, found, error = float(thetas[best]), coefficients[best], float(errors[best])
    for _ in range(18):  # each round looks at a third of the last: in the end beyond what float64 tells apart
        these = np.linspace(low, high, 9)
        coefficients, errors = solved(these)
        best = int(np.argmin(errors))
        if float(errors[best]) <= error:
            theta, found, error = float(these[best]), coefficients[best], float(errors[best])
        if np.isfinite(errors).all() and float(np.ptp(errors)) < 1e-4:  # of a squared half-width: nothing to be seen
            break
        step = float(these[1] - these[0])
        low, high = max(theta - 1.3 * step, float(thetas[0])), theta + 1.3 * step
    return theta, found


_HIGHEST = 1e4  # times the rates that were seen: a wave that comes from so far above is a parabola
_DEEPEST = -0.3  # times them: a wave that goes so far below 0 is no schedule's, and no end can be told from it


def _trough(half_wave: Floats, coefficients: Floats) -> Floats:
    """How low the waves come, in units of the highest rate that was seen."""
    pace = np.pi / half_wave
    bent = coefficients[..., 2] / pace**2
    lowest: Floats = coefficients[..., 0] + bent - np.hypot(coefficients[..., 1] / pace, bent)
    return lowest


def _crest(half_wave: float, coefficients: Floats) -> float:
    """How high the wave comes, in units of the highest rate that was seen."""
    pace = np.pi / half_wave
    middle = coefficients[0] + coefficients[2] / pace**2
    return float(middle + np.hypot(coefficients[1] / pace, coefficients[2] / pace**2))


def _ends(kind: FitFamily, theta: float, coefficients: Floats) -> tuple[float | None, float | None]:
    """Where the curve begins and ends, in lengths of the rows from the first one on."""
    if kind is ONE_MINUS_SQRT:
        return -theta, None
    if kind is not COSINE:
        return None, 1.0 + theta
    pace = np.pi / theta
    crest = float(np.arctan2(coefficients[1] / pace, -coefficients[2] / pace**2)) / pace  # where the wave is highest
    begins = [crest + turn * theta for turn in (-2, -1, 0, 1)]
    begin = min(begins, key=lambda place: abs(place + theta / 2 - 0.5))  # the half wave around the middle of the rows
    return begin, begin + theta
