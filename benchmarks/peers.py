"""The cosine decay of each library, as its users make it, at any steps: what `benchmarks.exactness` measures.

`benchmarks.looking` steps the same schedulers through a whole run.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

import jax
import numpy as np
import torch
from numpy.typing import NDArray

import kosine as ks

PEAK = 1e-3

Steps = NDArray[np.int64]
Rates = NDArray[np.float64]


@dataclass(frozen=True)
class Library:
    """A way to get a cosine from PEAK to a floor over a number of steps, at steps in ascending order."""

    name: str
    type: type[np.floating[Any]]
    """The type that it computes in."""
    cosine: Callable[[int, float, Steps], Any]
    longest: int = 2 * 10**9

    def rates(self, total: int, floor: float, steps: Steps) -> Rates:
        return np.asarray(self.cosine(total, floor, steps), np.float64)


def sgd() -> torch.optim.Optimizer:
    """An optimizer with one param group."""
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=PEAK)


def followed(optimizer: torch.optim.Optimizer, go_to: Callable[[int], object], steps: Iterable[int]) -> list[float]:
    """What a scheduler sets when it is sent to each of the steps."""
    rates = []
    for step in steps:
        go_to(step)
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


@cache
def timm_schedulers() -> Any:
    """`timm.scheduler` without the rest of timm, which would need torchvision."""
    spec = importlib.util.find_spec("timm")
    assert spec is not None
    package = ModuleType("timm")
    package.__path__ = list(spec.submodule_search_locations or [])
    sys.modules["timm"] = package
    return importlib.import_module("timm.scheduler")


def kosine_plan(total: int, floor: float) -> ks.Plan:
    return ks.Schedule(ks.cosine(start=PEAK, to=floor)).plan(total_steps=total)


def kosine_on_host(total: int, floor: float, steps: Steps) -> Any:
    return kosine_plan(total, floor)(steps)


def kosine_in_jax(total: int, floor: float, steps: Steps) -> Any:
    from kosine.jax._schedule import schedule

    return jax.jit(schedule(kosine_plan(total, floor)))(steps.astype(np.int32))


def kosine_in_keras(total: int, floor: float, steps: Steps) -> Any:
    return jax.jit(ks.keras.LearningRateSchedule(kosine_plan(total, floor)))(steps.astype(np.int32))


def torch_jumping(total: int, floor: float, steps: Steps) -> Any:
    optimizer = sgd()
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, total, floor)
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # its `epoch` is deprecated, and exact
        return followed(optimizer, scheduler.step, steps.tolist())


def torch_stepping(total: int, floor: float, steps: Steps) -> Any:
    optimizer = sgd()
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, total, floor)
    optimizer.step()  # torch warns where it is not called
    wanted, rates = set(steps.tolist()), []
    for step in range(total):
        if step in wanted:
            rates.append(optimizer.param_groups[0]["lr"])
        scheduler.step()
    return rates


def hugging_face(total: int, floor: float, steps: Steps) -> Any:
    from transformers import get_cosine_with_min_lr_schedule_with_warmup

    scheduler = get_cosine_with_min_lr_schedule_with_warmup(sgd(), 0, total, min_lr=floor)
    (factor,) = scheduler.lr_lambdas
    return [PEAK * factor(step) for step in steps.tolist()]  # what `LambdaLR.step()` does


def timm(total: int, floor: float, steps: Steps) -> Any:
    optimizer = sgd()
    scheduler = timm_schedulers().CosineLRScheduler(optimizer, total, lr_min=floor, t_in_epochs=False)
    return followed(optimizer, scheduler.step_update, steps.tolist())


def ignite(total: int, floor: float, steps: Steps) -> Any:
    from ignite.handlers.param_scheduler import CosineAnnealingScheduler

    scheduler = CosineAnnealingScheduler(sgd(), "lr", PEAK, floor, total)
    rates = []
    for step in steps.tolist():
        scheduler.event_index = step  # what its own counting comes to
        rates.append(scheduler.get_param())
    return rates


def optax_jitted(total: int, floor: float, steps: Steps) -> Any:
    import optax

    return jax.jit(optax.cosine_decay_schedule(PEAK, total, floor / PEAK))(steps.astype(np.int32))


def keras_jitted(total: int, floor: float, steps: Steps) -> Any:
    import keras

    return jax.jit(keras.optimizers.schedules.CosineDecay(PEAK, total, floor / PEAK))(steps.astype(np.int32))


LIBRARIES = (
    Library("kosine, plan", np.float64, kosine_on_host),
    Library("torch CosineAnnealingLR, jumping", np.float64, torch_jumping),
    Library("torch CosineAnnealingLR, stepping", np.float64, torch_stepping, longest=10**6),
    Library("Hugging Face cosine", np.float64, hugging_face),
    Library("timm CosineLRScheduler", np.float64, timm),
    Library("ignite CosineAnnealingScheduler", np.float64, ignite),
    Library("kosine, ks.jax.schedule", np.float32, kosine_in_jax),
    Library("kosine, Keras LearningRateSchedule", np.float32, kosine_in_keras),
    Library("optax cosine_decay_schedule", np.float32, optax_jitted),
    Library("Keras CosineDecay", np.float32, keras_jitted),
)
