"""Runs whose losses are the law itself, summed step by step."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import kosine as ks

PEAK = 1e-3
WSD = ks.wsd(peak=PEAK, warmup=200, cooldown="20%")
COSINE = ks.warmup_cosine(peak=PEAK, warmup=200)
LINE = ks.linear_to_zero(peak=PEAK, warmup=200)
STAGES = ks.Schedule(ks.linear(200, start=0.0, to=PEAK), ks.hold(4000), ks.hold(start=1e-4))


@dataclass(frozen=True)
class Law:
    """The numbers of the law, and what it says of a run."""

    l0: float = 2.7
    a: float = 0.9
    alpha: float = 0.45
    c: float = 120.0
    tau: float = 0.06
    p: float = 1.6

    def losses(self, plan: ks.Plan, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        sums = np.append(0.0, np.cumsum(plan(np.arange(steps[-1]))))[steps]
        return self.l0 + self.a * sums**-self.alpha + self.c * noise(plan, steps, self.tau, self.p)

    def run(self, plan: ks.Plan, every: int = 40) -> tuple[ks.Losses, ks.Plan]:
        """A past run whose loss was logged every so many steps."""
        assert plan.total_steps is not None
        steps = np.arange(every, plan.total_steps + 1, every)
        return ks.Losses(steps, self.losses(plan, steps)), plan


def noise(plan: ks.Plan, steps: NDArray[np.int64], tau: float, p: float) -> NDArray[np.float64]:
    """The sum over all steps before each of these, directly; the sum of the rates is that in the middle of a step."""
    rates = plan(np.arange(steps[-1]))
    ends = np.append(0.0, np.cumsum(rates))
    middles = ends[:-1] + rates / 2
    return np.array([np.sum(rates[:s] ** 2 * (1 + (ends[s] - middles[:s]) / tau) ** -p) / tau for s in steps])


def write_logs(folder: Path) -> None:
    """A log with rates and losses, wsd.csv; one with losses only, losses.csv; and the plan of both, wsd.json."""
    plan = WSD.plan(total_steps=6000)
    losses, _ = Law().run(plan)
    of_step = dict(zip(losses.positions.tolist(), losses.values.tolist(), strict=True))
    rows = [f"{step},{plan(step)!r},{of_step.get(step, '')}" for step in range(0, 6000, 20)]
    (folder / "wsd.csv").write_text("\n".join(["step,learning_rate,val_loss", *rows]), encoding="utf-8")
    rows = [f"{step},{loss},{loss + 1}" for step, loss in of_step.items()]
    (folder / "losses.csv").write_text("\n".join(["step,val_loss,other_loss", *rows]), encoding="utf-8")
    (folder / "wsd.json").write_text(ks.dumps(plan), encoding="utf-8")


def trace(run: tuple[ks.Losses, ks.Plan], every: int = 1) -> ks.Trace:
    """The same run as a log that has the rate of every so many steps."""
    losses, plan = run
    assert plan.total_steps is not None
    steps = np.arange(0, plan.total_steps, every)
    return ks.Trace(steps, plan(steps), losses=losses)
