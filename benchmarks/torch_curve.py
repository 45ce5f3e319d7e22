"""A curve of 10**6 steps: `plan(array)` beside stepping the schedulers of torch, Hugging Face and timm through it.

Each peer steps an optimizer with one param group through a shorter run of the same shape, and its time is scaled to
10**6 steps. Run as `python -m benchmarks.torch_curve`.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import torch
from transformers import get_cosine_schedule_with_warmup

import kosine as ks
from benchmarks.measure import interleaved_medians, print_table

TOTAL, PEER_TOTAL = 10**6, 20_000
WARMUP = 0.01  # of the run
PEAK = 1e-3
ROUNDS = 11
TARGET = 100


def timm_scheduler() -> Any:
    """`timm.scheduler` without the rest of timm, which would need torchvision."""
    spec = importlib.util.find_spec("timm")
    assert spec is not None
    package = ModuleType("timm")
    package.__path__ = list(spec.submodule_search_locations or [])
    sys.modules["timm"] = package
    return importlib.import_module("timm.scheduler")


def sgd() -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=PEAK)


def torch_restarts() -> None:
    optimizer = sgd()
    scheduler = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, PEER_TOTAL)
    optimizer.step()  # torch warns where it is not called
    for _ in range(PEER_TOTAL):
        scheduler.step()


def hugging_face() -> None:
    optimizer = sgd()
    scheduler = get_cosine_schedule_with_warmup(optimizer, int(WARMUP * PEER_TOTAL), PEER_TOTAL)
    optimizer.step()
    for _ in range(PEER_TOTAL):
        scheduler.step()


def timm() -> None:
    scheduler = TIMM.CosineLRScheduler(sgd(), PEER_TOTAL, warmup_t=int(WARMUP * PEER_TOTAL), t_in_epochs=False)
    for step in range(PEER_TOTAL):
        scheduler.step_update(step)


TIMM = timm_scheduler()


def main() -> None:
    plan = ks.warmup_cosine(peak=PEAK, warmup=int(WARMUP * TOTAL)).plan(total_steps=TOTAL)
    steps = np.arange(TOTAL)
    peers: dict[str, Callable[[], object]] = {
        "torch CosineAnnealingWarmRestarts": torch_restarts,
        "Hugging Face get_cosine_schedule_with_warmup": hugging_face,
        "timm CosineLRScheduler": timm,
    }
    seconds = interleaved_medians({"plan(array)": lambda: plan(steps), **peers}, ROUNDS)
    ours = seconds["plan(array)"]
    rows = [[f"{TOTAL:,} steps (peers: {PEER_TOTAL:,}, scaled)", "s", "/ plan(array)", "target"]]
    rows.append(["plan(array), warm-up and cosine", f"{ours:.4f}", "1", ""])
    for name in peers:
        whole = seconds[name] * TOTAL / PEER_TOTAL
        rows.append([f"stepping {name}", f"{whole:.2f}", f"{whole / ours:.0f}", f">= {TARGET}"])
    print_table(rows)


if __name__ == "__main__":
    main()
