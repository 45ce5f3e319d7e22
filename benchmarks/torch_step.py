"""What `PlanLR.step()` costs beside a scheduler of torch's and beside the least that could do it.

The rivals take turns, each with an optimizer of its own. Run as `python -m benchmarks.torch_step`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

import kosine as ks
from benchmarks.measure import interleaved_medians, print_table
from kosine.torch import PlanLR

WARMUP, TOTAL, PEAK = 10_000, 1_000_000, 1e-3
ROUNDS = 101


def warmup_cosine(step: int) -> float:
    """The curve as a script would write it."""
    if step < WARMUP:
        return PEAK * step / WARMUP
    if step < TOTAL:
        return 0.5 * PEAK * (1.0 + math.cos(math.pi * (step - WARMUP) / (TOTAL - WARMUP)))
    return 0.0


def optimizer_with(groups: int) -> torch.optim.Optimizer:
    return torch.optim.SGD([{"params": [torch.nn.Parameter(torch.zeros(1))]} for _ in range(groups)], lr=PEAK)


def bare(groups: int, steps: int) -> Callable[[], None]:
    """The least that could do it: the closed form, and a write into each group."""
    optimizer, step = optimizer_with(groups), 0

    def set_rates() -> None:
        rate = warmup_cosine(step)
        for group in optimizer.param_groups:
            group["lr"] = rate

    def call() -> None:
        nonlocal step
        for _ in range(steps):
            step += 1
            set_rates()

    return call


def plan_lr(groups: int, steps: int) -> Callable[[], None]:
    plan = ks.warmup_cosine(peak=PEAK, warmup=WARMUP).plan(total_steps=TOTAL)
    scheduler = PlanLR(optimizer_with(groups), plan)

    def call() -> None:
        for _ in range(steps):
            scheduler.step()

    return call


def torch_restarts(groups: int, steps: int) -> Callable[[], None]:
    optimizer = optimizer_with(groups)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, TOTAL)
    optimizer.step()  # torch warns where it is not called

    def call() -> None:
        for _ in range(steps):
            scheduler.step()

    return call


def main() -> None:
    rows = [["PlanLR.step(), ratio of medians", "µs", "measured", "target"]]
    for groups, steps, faster in ((1, 2_000, 3.0), (100, 100, 8.0)):
        seconds = interleaved_medians(
            {
                "PlanLR": plan_lr(groups, steps),
                "torch": torch_restarts(groups, steps),
                "bare": bare(groups, steps),
            },
            ROUNDS,
        )
        name = f"{groups} param group{'s' if groups > 1 else ''}"
        micro = {rival: f"{value / steps * 1e6:.2f}" for rival, value in seconds.items()}
        rows += [
            [
                f"{name}: torch's CosineAnnealingWarmRestarts / PlanLR",
                f"{micro['torch']} / {micro['PlanLR']}",
                f"{seconds['torch'] / seconds['PlanLR']:.1f}",
                f">= {faster:g}",
            ],
            [
                f"{name}: PlanLR / bare closed form and writes",
                f"{micro['PlanLR']} / {micro['bare']}",
                f"{seconds['PlanLR'] / seconds['bare']:.2f}",
                "<= 1.6",
            ],
        ]
    print_table(rows)


if __name__ == "__main__":
    main()
