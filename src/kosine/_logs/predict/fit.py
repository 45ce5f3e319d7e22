"""The numbers of the law that past runs allow, each with a weight."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kosine._logs.predict.law import Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    _Vector = NDArray[Any]

POWER = 1.6
"""How fast the memory of a step fades in the fit that is shown."""
_POWERS = (1.4, POWER, 2.0)
_ALPHAS = np.arange(2, 49) * 0.025  # 0.05 to 1.2
_TAUS = np.geomspace(4e-4, 1.0, 22)  # as shares of the sum of all rates of the longest run
_SHARPNESS = 1.5
"""The weight of a member falls with its squared error to this power: as if the residuals held three independent points,
as most of them is misfit, not noise. Chosen on the public runs, as the limits above are."""
_ALLOWED = 2.0  # times the lowest squared error: what the range is made of
_MARGIN = 0.004  # how far the losses of two equal public runs were apart at most
_LEAST_WEIGHT = 1e-7
_GOLDEN = (5**0.5 - 1) / 2
_ROUNDS = 16  # of golden sections
_FINEST = 1e-7  # of alpha


class Data(NamedTuple):
    """The losses of one run that the law is fitted to.

    Attributes:
        progress: the run.
        sums: the sum of the rates at each loss.
        losses: the losses.
    """

    progress: Progress
    sums: _Vector
    losses: _Vector


@dataclass(frozen=True)
class Fit:
    """The best fit of L0 + A S^-alpha + (C / tau) sum of rate_k² (1 + (S - S_k) / tau)^-p, where S sums up the rates.

    Attributes:
        l0: L0, the loss that no training goes below, >= 0.
        a: A, >= 0: what is left to learn.
        alpha: how fast that falls with the sum of the rates.
        c: C, >= 0: how much the rate of a step adds to the loss by its noise.
        tau: the sum of rates over which that noise fades.
        p: how it fades; 1.6 is assumed, not fitted.
        rms: the root mean square of what the fit leaves of the losses.
        explained: the share of the variance of the losses that it explains.
        points: how many losses it was fitted to, after neighbours were averaged.
    """

    l0: float
    a: float
    alpha: float
    c: float
    tau: float
    p: float
    rms: float
    explained: float
    points: int


@dataclass(frozen=True, eq=False)
class Ensemble:
    """All the numbers of the law that the losses allow; arrays of one length.

    Attributes:
        powers, taus, alphas: p, tau and alpha.
        l0, a, c: L0, A and C, the best for those.
        weights: how much each counts for the prediction; they add up to 1.
        allowed: which of them make the range.
    """

    powers: _Vector
    taus: _Vector
    alphas: _Vector
    l0: _Vector
    a: _Vector
    c: _Vector
    weights: _Vector
    allowed: NDArray[np.bool_]
    fit: Fit

    @property
    def margin(self) -> float:
        """What a range is wider by on both sides: the noise of equal runs, and what the fit leaves of its losses."""
        return _MARGIN + self.fit.rms

    def losses(self, progress: Progress, sums: _Vector) -> _Vector:
        """What each of them says where the sum of a run's rates has these values: a row for each."""
        said = np.empty((self.taus.size, sums.size))
        logs = np.log(sums)
        for tau in np.unique(self.taus):
            here = np.flatnonzero(self.taus == tau)
            powers = np.unique(self.powers[here])
            noise = progress.noise(sums, tau, powers.tolist())[np.searchsorted(powers, self.powers[here])]
            signal = np.exp(-self.alphas[here, None] * logs)
            said[here] = self.l0[here, None] + self.a[here, None] * signal + self.c[here, None] * noise
        return said

    def spread(self, said: _Vector) -> tuple[_Vector, _Vector, _Vector]:
        """The mean by weight of what they say, and its range."""
        middle = self.weights @ said
        low, high = said[self.allowed].min(0), said[self.allowed].max(0)
        return middle, np.minimum(low, middle) - self.margin, np.maximum(high, middle) + self.margin


class _Solved(NamedTuple):
    """For each tau (row) and alpha (column): the squared error and the best L0, A, C."""

    costs: _Vector
    l0: _Vector
    a: _Vector
    c: _Vector


def fit_law(runs: Sequence[Data]) -> Ensemble:
    """Fit the law to runs that were trained on the same task."""
    problem = _Problem(runs)
    taus = _TAUS * max(float(run.progress.sums[-1]) for run in runs)
    tables = [problem.solve(noise, _ALPHAS) for noise in problem.noise(taus, _POWERS)]
    best = _refined(problem, taus, tables[_POWERS.index(POWER)])
    parts = [_members(power, taus, _ALPHAS, table) for power, table in zip(_POWERS, tables, strict=True)]
    members = np.concatenate([*parts, best[None]])
    members = members[np.isfinite(members[:, 6])]
    costs = np.maximum(members[:, 6], problem.floor)
    weights = (costs.min() / costs) ** _SHARPNESS
    weights /= weights.sum()
    allowed = costs <= _ALLOWED * costs.min()
    kept = allowed | (weights > _LEAST_WEIGHT)
    powers, taus, alphas, l0, a, c, _ = members[kept].T
    weights = weights[kept] / weights[kept].sum()
    return Ensemble(powers, taus, alphas, l0, a, c, weights, allowed[kept], problem.described(best))


def _members(power: float, taus: _Vector, alphas: _Vector, table: _Solved) -> _Vector:
    """A row for each tau and alpha: p, tau, alpha, L0, A, C and the squared error."""
    grid = np.broadcast_arrays(
        np.float64(power), taus[:, None], alphas[None, :], table.l0, table.a, table.c, table.costs
    )
    return np.stack([each.ravel() for each in grid], axis=1)


def _refined(problem: _Problem, taus: _Vector, table: _Solved) -> _Vector:
    """The best member for p = 1.6: tau by golden sections between the neighbours of the best one of the grid."""
    best = _members(POWER, taus, _ALPHAS, table)[int(np.argmin(table.costs))]
    row = int(np.searchsorted(taus, best[1]))
    low, high = np.log(taus[max(row - 1, 0)]), np.log(taus[min(row + 1, taus.size - 1)])
    inner, outer = (
        _best_alpha(problem, high - _GOLDEN * (high - low)),
        _best_alpha(problem, low + _GOLDEN * (high - low)),
    )
    for _ in range(_ROUNDS):
        if inner[6] <= outer[6]:
            high, outer = np.log(outer[1]), inner
            inner = _best_alpha(problem, high - _GOLDEN * (high - low))
        else:
            low, inner = np.log(inner[1]), outer
            outer = _best_alpha(problem, low + _GOLDEN * (high - low))
    return min(best, inner, outer, key=lambda member: float(member[6]))


def _best_alpha(problem: _Problem, log_tau: float) -> _Vector:
    """The best member for p = 1.6 and one tau, on ever finer grids of alpha."""
    tau = np.exp([log_tau])
    (noise,) = problem.noise(tau, (POWER,))
    alphas = _ALPHAS[::4]
    while True:
        members = _members(POWER, tau, alphas, problem.solve(noise, alphas))
        best: _Vector = members[int(np.argmin(members[:, 6]))]
        width = alphas[1] - alphas[0]
        if width < _FINEST:
            return best
        alphas = np.linspace(max(best[2] - width, _ALPHAS[0]), min(best[2] + width, _ALPHAS[-1]), 9)


class _Problem:
    """Least squares for L0, A and C >= 0, which the law is linear in."""

    def __init__(self, runs: Sequence[Data]) -> None:
        self.runs = runs
        self.losses = np.concatenate([run.losses for run in runs])
        self.logs = np.log(np.concatenate([run.sums for run in runs]))
        self.mean = float(self.losses.mean())
        self.centred = self.losses - self.mean
        self.variance = float(np.mean(self.centred**2))
        self.floor = (1e-9 * self.mean) ** 2

    def noise(self, taus: _Vector, powers: Sequence[float]) -> Iterator[_Vector]:
        """For each power the last term of the law for C = 1: a row for each tau, a column for each loss."""
        of_runs = [np.stack([run.progress.noise(run.sums, tau, powers) for tau in taus]) for run in self.runs]
        yield from np.concatenate(of_runs, axis=2).transpose(1, 0, 2)

    def solve(self, noise: _Vector, alphas: _Vector) -> _Solved:
        """The best L0, A and C for each row of the noise and each alpha.

        Of all ways to keep some of A and C at 0, the one with the lowest error whose others are >= 0 is the solution of
        the least squares with these signs. Where L0 would be below 0, the error is infinite.
        """
        count = self.losses.size
        signal = np.exp(-alphas[:, None] * self.logs)
        means = signal.mean(1)[None, :], noise.mean(1)[:, None]
        signal, noise = signal - means[0].T, noise - means[1]
        ss, nn = (signal**2).mean(1)[None, :], (noise**2).mean(1)[:, None]
        sn = noise @ signal.T / count
        sy, ny = (signal @ self.centred)[None, :] / count, (noise @ self.centred)[:, None] / count
        det = ss * nn - sn**2
        apart = det > 1e-13 * ss * nn
        det = np.where(apart, det, 1.0)
        zero = np.zeros_like(sn)
        a_alone = np.maximum(sy / ss, 0) + zero
        c_alone = np.divide(np.maximum(ny, 0), nn, out=np.zeros_like(nn), where=nn > 0) + zero
        both = (sy * nn - ny * sn) / det, (ny * ss - sy * sn) / det
        signs = apart & (both[0] >= 0) & (both[1] >= 0)
        ways = [(np.where(signs, both[0], 0), np.where(signs, both[1], 0)), (a_alone, zero), (zero, c_alone)]
        errors = [self.variance - 2 * a * sy - 2 * c * ny + a * a * ss + c * c * nn + 2 * a * c * sn for a, c in ways]
        errors[0] = np.where(signs, errors[0], np.inf)
        which = np.argmin(errors, axis=0)
        a, c = (np.choose(which, [way[index] for way in ways]) for index in (0, 1))
        l0: _Vector = self.mean - a * means[0] - c * means[1]
        costs = np.where(l0 >= 0, np.maximum(np.min(errors, axis=0), 0), np.inf)
        return _Solved(costs, l0, a, c)

    def described(self, member: _Vector) -> Fit:
        p, tau, alpha, l0, a, c, cost = member.tolist()
        explained = 1 - cost / self.variance if self.variance else 0.0
        return Fit(l0, a, alpha, c, tau, p, cost**0.5, explained, self.losses.size)
