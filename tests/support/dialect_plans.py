"""Schedules of every dialect with random plausible arguments, and the logs of runs that followed them."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

import kosine as ks
from kosine.dialects import (
    axolotl,
    composer,
    deepspeed,
    huggingface,
    keras,
    megatron,
    nanogpt,
    optax,
    timm,
    torch,
    torchtitan,
)

Choice = TypeVar("Choice")

ROWS = 200
_PEAKS = (1e-4, 3e-4, 6e-4, 1e-3, 2e-5, 5e-5, 4e-3, 0.05, 0.1)
_TOTALS = (200, 300, 1000, 1250, 3000, 5000, 7300, 12_000, 20_000)


@dataclass(frozen=True)
class DialectCase:
    """The log of a run that followed a schedule of another library.

    Attributes:
        name: of the library and of its scheduler, as in "torch.StepLR".
        plan: the true plan.
        steps: the step of each row.

    """

    name: str
    plan: ks.Plan
    steps: np.ndarray

    def trace(self) -> ks.Trace:
        return ks.Trace(self.steps, self.plan(self.steps))


class Draw:
    """Arguments as people choose them."""

    def __init__(self, name: str, seed: int) -> None:
        self._random = np.random.default_rng([seed, zlib.crc32(name.encode())])
        self.peak = self.one_of(*_PEAKS)
        self.total = self.one_of(*_TOTALS)
        self.warmup = max(2, round(self.total * self.one_of(0.01, 0.03, 0.05, 0.1)))
        self.floor = self.one_of(0.0, 0.0, 0.01, 0.1)  # a share of the peak
        self.low = float(f"{self.floor * self.peak:.6g}")

    def one_of(self, *choices: Choice) -> Choice:
        return choices[int(self._random.integers(len(choices)))]

    def share(self, *shares: float) -> int:
        """A share of the run, in steps."""
        return max(1, round(self.total * self.one_of(*shares)))

    def milestones(self) -> list[int]:
        return self.one_of(
            [round(self.total * share) for share in (0.3, 0.6, 0.8)],
            [round(self.total * share) for share in (0.5, 0.75)],
            [round(self.total * share) for share in (0.67, 0.89)],
            sorted(set(self._random.integers(self.total // 10, self.total * 9 // 10, 3).tolist())),
        )


def _two_after_another(draw: Draw) -> ks.Schedule:
    warm = torch.LinearLR(draw.peak, start_factor=draw.one_of(0.01, 0.1, 1 / 3), total_iters=draw.warmup)
    rest = draw.total - draw.warmup
    later = draw.one_of(
        torch.CosineAnnealingLR(draw.peak, T_max=rest, eta_min=draw.low),
        torch.ExponentialLR(draw.peak, gamma=0.1 ** (1 / rest)),
        torch.StepLR(draw.peak, step_size=max(1, rest // 4), gamma=0.5),
        torch.PolynomialLR(draw.peak, total_iters=rest, power=draw.one_of(1.0, 2.0)),
    )
    return torch.SequentialLR([warm, later], milestones=[draw.warmup])


def _timm_cycles(draw: Draw) -> dict[str, Any]:
    warm: dict[str, Any] = draw.one_of(
        {},
        {"warmup_t": draw.warmup, "warmup_lr_init": draw.peak / 100},
        {"warmup_t": draw.warmup, "warmup_lr_init": 1e-6},
        {"warmup_t": draw.warmup, "warmup_lr_init": 1e-6, "warmup_prefix": True},
    )
    cycles: dict[str, Any] = draw.one_of({}, {}, {"cycle_limit": 3}, {"cycle_limit": 3, "cycle_decay": 0.5})
    period = draw.total // 3 if cycles else draw.total
    return {"lr": draw.peak, "t_initial": period, "lr_min": draw.low, **warm, **cycles}


def _timm_steps(draw: Draw) -> dict[str, Any]:
    return draw.one_of(
        {},
        {"warmup_t": draw.warmup, "warmup_lr_init": 1e-6},
        {"warmup_t": draw.warmup, "warmup_lr_init": 1e-6, "warmup_prefix": False},
    )


def _waves(draw: Draw) -> dict[str, Any]:
    return {"num_warmup_steps": draw.one_of(0, draw.warmup, draw.warmup), "num_training_steps": draw.total}


def _deepspeed_warmup(draw: Draw) -> dict[str, Any]:
    return {"warmup_num_steps": draw.warmup, "warmup_type": "linear"}


def _batches(count: int) -> str:
    return f"{count}ba"


def _composer_run(draw: Draw) -> dict[str, Any]:
    return {"t_max": draw.one_of("1dur", _batches(draw.total)), "alpha_f": draw.floor}


SCHEDULES: dict[str, Callable[[Draw], ks.Schedule]] = {
    "torch.ConstantLR": lambda d: torch.ConstantLR(d.peak, factor=d.one_of(1 / 3, 0.1, 0.5), total_iters=d.warmup),
    "torch.CosineAnnealingLR": lambda d: torch.CosineAnnealingLR(d.peak, d.one_of(d.total, d.total // 3), d.low),
    "torch.CosineAnnealingWarmRestarts": lambda d: torch.CosineAnnealingWarmRestarts(
        d.peak, d.share(0.1, 0.14, 0.25), d.one_of(1, 2), d.low
    ),
    "torch.ExponentialLR": lambda d: torch.ExponentialLR(d.peak, 1 - d.one_of(1, 3, 5) / d.total),
    "torch.LinearLR": lambda d: torch.LinearLR(
        d.peak, d.one_of(1 / 3, 0.1, 1.0), d.one_of(1.0, 0.01, 0.1), d.share(0.05, 0.5, 1.0)
    ),
    "torch.MultiStepLR": lambda d: torch.MultiStepLR(d.peak, d.milestones(), d.one_of(0.1, 0.5, 0.2)),
    "torch.OneCycleLR": lambda d: torch.OneCycleLR(
        d.peak,
        d.total,
        pct_start=d.one_of(0.3, 0.1, 0.25),
        anneal_strategy=d.one_of("cos", "cos", "linear"),
        three_phase=d.one_of(False, False, True),
    ),
    "torch.PolynomialLR": lambda d: torch.PolynomialLR(d.peak, d.total, d.one_of(1.0, 0.9, 2.0, 0.5, 3.0)),
    "torch.SequentialLR": _two_after_another,
    "torch.StepLR": lambda d: torch.StepLR(d.peak, d.share(0.1, 0.3, 0.21), d.one_of(0.1, 0.5, 0.97)),
    "torch.one_cycle_momentum": lambda d: torch.one_cycle_momentum(
        d.total, pct_start=d.one_of(0.3, 0.1, 0.25), anneal_strategy=d.one_of("cos", "linear")
    ),
    "torch.CyclicLR": lambda d: ks.Schedule(
        ks.cycles(
            ks.linear(d.total // 8, start=d.peak / 10, to=d.peak),
            ks.linear(d.one_of(d.total // 8, d.total // 5), to=d.peak / 10),
        )
    ),
    "timm.CosineLRScheduler": lambda d: timm.CosineLRScheduler(**_timm_cycles(d)),
    "timm.CosineLRScheduler k_decay": lambda d: timm.CosineLRScheduler(**_timm_cycles(d), k_decay=d.one_of(0.5, 2.0)),
    "timm.MultiStepLRScheduler": lambda d: timm.MultiStepLRScheduler(d.peak, d.milestones(), 0.1, **_timm_steps(d)),
    "timm.PolyLRScheduler": lambda d: timm.PolyLRScheduler(**_timm_cycles(d), power=d.one_of(0.5, 0.9, 1.0, 2.0)),
    "timm.StepLRScheduler": lambda d: timm.StepLRScheduler(d.peak, d.share(0.1, 0.3, 0.21), 0.5, **_timm_steps(d)),
    "timm.TanhLRScheduler": lambda d: timm.TanhLRScheduler(**_timm_cycles(d)),
    "timm.WSDLRScheduler": lambda d: timm.WSDLRScheduler(
        d.peak,
        d.total,
        d.share(0.1, 0.2),
        d.low,
        decay_fn=d.one_of("1-sqrt", "linear", "cosine"),
        warmup_t=d.warmup,
        warmup_lr_init=1e-6,
    ),
    "huggingface.constant": lambda d: huggingface.constant(d.peak),
    "huggingface.constant_with_warmup": lambda d: huggingface.constant_with_warmup(d.peak, d.warmup),
    "huggingface.cosine": lambda d: huggingface.cosine(d.peak, **_waves(d), num_cycles=d.one_of(0.5, 0.5, 0.45, 1.0)),
    "huggingface.cosine_warmup_with_min_lr": lambda d: huggingface.cosine_warmup_with_min_lr(
        d.peak, **_waves(d), min_lr_rate=d.floor
    ),
    "huggingface.cosine_with_min_lr": lambda d: huggingface.cosine_with_min_lr(
        d.peak, **_waves(d), min_lr_rate=d.floor
    ),
    "huggingface.cosine_with_restarts": lambda d: huggingface.cosine_with_restarts(
        d.peak, **_waves(d), num_cycles=d.one_of(1, 2, 3, 4)
    ),
    "huggingface.inverse_sqrt": lambda d: huggingface.inverse_sqrt(d.peak, d.warmup, d.one_of(None, None, 500)),
    "huggingface.linear": lambda d: huggingface.linear(d.peak, **_waves(d)),
    "huggingface.polynomial": lambda d: huggingface.polynomial(d.peak, **_waves(d), power=d.one_of(1.0, 2.0, 0.5, 3.0)),
    "huggingface.warmup_stable_decay": lambda d: huggingface.warmup_stable_decay(
        d.peak,
        d.warmup,
        d.share(0.1, 0.2, 0.3),
        d.total,
        decay_type=d.one_of("linear", "cosine", "1-sqrt"),
        warmup_type=d.one_of("linear", "linear", "cosine", "1-sqrt"),
        min_lr_ratio=d.floor,
    ),
    "keras.CosineDecay": lambda d: (
        keras.CosineDecay(d.peak, d.total, d.floor)
        if d.one_of(True, False)
        else keras.CosineDecay(0.0, d.total - d.warmup, d.floor, warmup_target=d.peak, warmup_steps=d.warmup)
    ),
    "keras.CosineDecayRestarts": lambda d: keras.CosineDecayRestarts(
        d.peak, d.share(0.1, 0.14, 0.2), d.one_of(1.0, 2.0, 1.5), d.one_of(1.0, 0.9, 0.5), d.floor
    ),
    "keras.ExponentialDecay": lambda d: keras.ExponentialDecay(
        d.peak, d.share(0.1, 0.2), d.one_of(0.96, 0.5), d.one_of(True, False)
    ),
    "keras.InverseTimeDecay": lambda d: keras.InverseTimeDecay(
        d.peak, d.share(0.1, 0.2), d.one_of(0.5, 1.0), d.one_of(True, False)
    ),
    "keras.PiecewiseConstantDecay": lambda d: keras.PiecewiseConstantDecay(
        (places := d.milestones()), [d.peak * 0.5**index for index in range(len(places) + 1)]
    ),
    "keras.PolynomialDecay": lambda d: keras.PolynomialDecay(
        d.peak, d.one_of(d.total, d.total // 3), d.low, d.one_of(1.0, 2.0, 0.5), d.one_of(True, False)
    ),
    "megatron.OptimizerParamScheduler": lambda d: megatron.OptimizerParamScheduler(
        0.0,
        d.peak,
        d.low,
        d.warmup,
        d.total,
        style := d.one_of("constant", "linear", "cosine", "inverse-square-root", "WSD"),
        wsd_decay_steps=d.share(0.1, 0.2) if style == "WSD" else None,
        lr_wsd_decay_style=d.one_of("linear", "cosine", "exponential", "minus_sqrt") if style == "WSD" else None,
    ),
    "megatron.weight_decay": lambda d: megatron.weight_decay(0.01, 0.1, d.total, d.one_of("linear", "cosine")),
    "composer.ConstantScheduler": lambda d: composer.ConstantScheduler(d.peak, 0.5, _batches(d.share(0.2, 0.5))),
    "composer.ConstantWithWarmupScheduler": lambda d: composer.ConstantWithWarmupScheduler(d.peak, _batches(d.warmup)),
    "composer.CosineAnnealingScheduler": lambda d: composer.CosineAnnealingScheduler(d.peak, **_composer_run(d)),
    "composer.CosineAnnealingWarmRestartsScheduler": lambda d: composer.CosineAnnealingWarmRestartsScheduler(
        d.peak, _batches(d.share(0.1, 0.14, 0.25)), d.one_of(1.0, 2.0, 1.5), d.floor
    ),
    "composer.CosineAnnealingWithWarmupScheduler": lambda d: composer.CosineAnnealingWithWarmupScheduler(
        d.peak, _batches(d.warmup), **_composer_run(d)
    ),
    "composer.ExponentialScheduler": lambda d: composer.ExponentialScheduler(
        d.peak, d.one_of(0.9, 0.5), _batches(d.share(0.1, 0.2))
    ),
    "composer.LinearScheduler": lambda d: composer.LinearScheduler(d.peak, **_composer_run(d)),
    "composer.LinearWithWarmupScheduler": lambda d: composer.LinearWithWarmupScheduler(
        d.peak, _batches(d.warmup), **_composer_run(d)
    ),
    "composer.MultiStepScheduler": lambda d: composer.MultiStepScheduler(d.peak, [_batches(n) for n in d.milestones()]),
    "composer.MultiStepWithWarmupScheduler": lambda d: composer.MultiStepWithWarmupScheduler(
        d.peak, _batches(d.warmup), [_batches(n) for n in d.milestones()], d.one_of(0.1, 0.5)
    ),
    "composer.PolynomialScheduler": lambda d: composer.PolynomialScheduler(
        d.peak, d.one_of(2.0, 3.0, 0.9), **_composer_run(d)
    ),
    "composer.PolynomialWithWarmupScheduler": lambda d: composer.PolynomialWithWarmupScheduler(
        d.peak, _batches(d.warmup), d.one_of(2.0, 3.0), **_composer_run(d)
    ),
    "composer.StepScheduler": lambda d: composer.StepScheduler(d.peak, _batches(d.share(0.1, 0.3)), d.one_of(0.1, 0.5)),
    "optax.constant_schedule": lambda d: optax.constant_schedule(d.peak),
    "optax.cosine_decay_schedule": lambda d: optax.cosine_decay_schedule(
        d.peak, d.total, d.floor, d.one_of(1.0, 1.0, 2.0)
    ),
    "optax.cosine_onecycle_schedule": lambda d: optax.cosine_onecycle_schedule(d.total, d.peak, d.one_of(0.3, 0.1)),
    "optax.exponential_decay": lambda d: optax.exponential_decay(
        d.peak,
        d.share(0.05, 0.1),
        d.one_of(0.96, 0.5),
        d.one_of(0, d.warmup),
        d.one_of(True, False),
        d.one_of(None, d.peak / 100),
    ),
    "optax.join_schedules": lambda d: optax.join_schedules(
        [
            optax.linear_schedule(0.0, d.peak, d.warmup),
            optax.cosine_decay_schedule(d.peak, d.total - d.warmup, d.floor),
        ],
        [d.warmup],
    ),
    "optax.linear_onecycle_schedule": lambda d: optax.linear_onecycle_schedule(d.total, d.peak, d.one_of(0.3, 0.1)),
    "optax.linear_schedule": lambda d: optax.linear_schedule(d.peak, d.low, d.share(0.5, 1.0), d.one_of(0, d.warmup)),
    "optax.piecewise_constant_schedule": lambda d: optax.piecewise_constant_schedule(
        d.peak, dict.fromkeys(d.milestones(), d.one_of(0.1, 0.5))
    ),
    "optax.piecewise_interpolate_schedule": lambda d: optax.piecewise_interpolate_schedule(
        d.one_of("linear", "cosine"), d.peak, dict.fromkeys(d.milestones(), d.one_of(0.1, 0.5))
    ),
    "optax.polynomial_schedule": lambda d: optax.polynomial_schedule(
        d.peak, d.low, d.one_of(2.0, 0.5, 1.0, 0.9), d.share(0.5, 1.0), d.one_of(0, d.warmup)
    ),
    "optax.sgdr_schedule": lambda d: optax.sgdr_schedule(
        [
            {"init_value": 0.0, "peak_value": d.peak * fall, "warmup_steps": d.total // 40, "decay_steps": d.total // 4}
            for fall in (1, 0.5, 0.25, 0.125)
        ]
    ),
    "optax.warmup_constant_schedule": lambda d: optax.warmup_constant_schedule(0.0, d.peak, d.warmup),
    "optax.warmup_cosine_decay_schedule": lambda d: optax.warmup_cosine_decay_schedule(
        0.0, d.peak, d.warmup, d.total, d.low, d.one_of(1.0, 1.0, 2.0)
    ),
    "optax.warmup_exponential_decay_schedule": lambda d: optax.warmup_exponential_decay_schedule(
        0.0, d.peak, d.warmup, d.share(0.05, 0.1), d.one_of(0.96, 0.5), d.one_of(0, d.warmup), d.one_of(True, False)
    ),
    "torchtitan.lr_scheduler": lambda d: torchtitan.lr_scheduler(
        d.peak,
        d.total,
        warmup_steps=d.warmup,
        decay_ratio=d.one_of(None, 0.1, 0.2, 0.6),
        decay_type=d.one_of("linear", "sqrt", "cosine"),
        min_lr_factor=d.floor,
    ),
    "deepspeed.WarmupLR": lambda d: deepspeed.WarmupLR(warmup_max_lr=d.peak, **_deepspeed_warmup(d)),
    "deepspeed.WarmupDecayLR": lambda d: deepspeed.WarmupDecayLR(
        total_num_steps=d.total, warmup_max_lr=d.peak, **_deepspeed_warmup(d)
    ),
    "deepspeed.WarmupLR log": lambda d: deepspeed.WarmupLR(
        warmup_max_lr=d.peak, warmup_min_lr=d.low, warmup_num_steps=d.share(0.05, 0.1, 0.2)
    ),
    "deepspeed.WarmupDecayLR log": lambda d: deepspeed.WarmupDecayLR(
        total_num_steps=d.total, warmup_max_lr=d.peak, warmup_num_steps=d.share(0.05, 0.1, 0.2)
    ),
    "deepspeed.WarmupCosineLR": lambda d: deepspeed.WarmupCosineLR(
        d.peak,
        total_num_steps=d.total,
        cos_min_ratio=d.one_of(1e-4, d.floor),
        warmup_num_steps=d.share(0.05, 0.1, 0.2),
        warmup_type="linear",
    ),
    "deepspeed.WarmupCosineLR log": lambda d: deepspeed.WarmupCosineLR(
        d.peak, total_num_steps=d.total, warmup_num_steps=d.share(0.05, 0.1, 0.2), warmup_min_ratio=d.one_of(0.0, 0.01)
    ),
    "deepspeed.OneCycle": lambda d: deepspeed.OneCycle(
        cycle_min_lr=d.peak / 10,
        cycle_max_lr=d.peak,
        cycle_first_step_size=d.share(0.3, 0.4),
        decay_lr_rate=d.one_of(0.0, 1.0),
        decay_step_size=d.share(0.05, 0.1),
    ),
    "deepspeed.LRRangeTest": lambda d: deepspeed.LRRangeTest(
        lr_range_test_min_lr=d.peak / 100,
        lr_range_test_step_size=d.share(0.01, 0.05),
        lr_range_test_step_rate=d.one_of(1.0, 5.0),
        lr_range_test_staircase=d.one_of(True, False, False),
    ),
    "axolotl.RexLR": lambda d: axolotl.RexLR(d.peak, d.low, d.total, d.warmup),
    "axolotl.get_cosine_schedule_with_quadratic_warmup": lambda d: axolotl.get_cosine_schedule_with_quadratic_warmup(
        d.peak, d.share(0.05, 0.1, 0.2), d.total
    ),
    "axolotl.get_cosine_schedule_with_min_lr": lambda d: axolotl.get_cosine_schedule_with_min_lr(
        d.peak, **_waves(d), min_lr_ratio=d.floor
    ),
    "axolotl.get_cosine_schedule_with_warmup_decay_constant": lambda d: (
        axolotl.get_cosine_schedule_with_warmup_decay_constant(
            d.peak, **_waves(d), constant_lr_ratio=d.one_of(0.8, 0.9), min_lr_ratio=d.one_of(0.1, 0.3)
        )
    ),
    "nanogpt.get_lr": lambda d: nanogpt.get_lr(
        learning_rate=d.peak, warmup_iters=d.warmup, lr_decay_iters=d.total, min_lr=d.low
    ),
}


def dialect_case(name: str, seed: int) -> DialectCase:
    """The log of a run of 200 rows that followed this scheduler with arguments drawn from this seed."""
    draw = Draw(name, seed)
    plan = SCHEDULES[name](draw).plan(total_steps=draw.total)
    return DialectCase(name, plan, np.arange(0, draw.total, max(1, draw.total // ROWS)))
