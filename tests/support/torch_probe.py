"""Train probes with plain SGD and compare what was applied with the plan."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Any

import torch

import kosine as ks
from kosine.testing.torch import Probe
from kosine.torch._scheduler import PlanLR

LR = ks.warmup_cosine(peak=0.1, warmup=3, warmup_start=0.01, hold=2)
STEPS = 12
PLAN = LR.plan(total_steps=STEPS)


def planned(plan: ks.Plan, steps: Iterable[int] = range(STEPS), ratio: float = 1.0) -> list[float]:
    return [plan(step) * ratio for step in steps]


def probes(*rates: Any, steps: int = STEPS) -> tuple[list[Probe], torch.optim.Optimizer]:
    """A probe, and a param group of plain SGD, for each initial rate: a float, or a tensor."""
    modules = [Probe(steps) for _ in rates]
    groups = [{"params": probe.parameters(), "lr": rate} for probe, rate in zip(modules, rates, strict=True)]
    return modules, torch.optim.SGD(groups, foreach=False)  # foreach takes no float64 tensor as the rate


def train(
    modules: Sequence[Probe], optimizer: torch.optim.Optimizer, scheduler: PlanLR | None, steps: Iterable[int]
) -> None:
    """The usual loop: the batch of each step, the update, the scheduler."""
    for step in steps:
        optimizer.zero_grad()
        sum(probe(step) for probe in modules).backward()
        optimizer.step()
        if scheduler is not None:
            scheduler.step()


def through_a_file(state: Any) -> Any:
    """What comes back when a checkpoint is saved and loaded, as safely as torch can."""
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)
