"""Warm restarts of each library against exact rational arithmetic, for random periods and multipliers."""

from __future__ import annotations

import math
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice

os.environ["KERAS_BACKEND"] = "torch"  # before Keras is imported; on the others each setting would be traced anew

import keras
import numpy as np
import optax
import torch

import kosine as ks
from benchmarks.measure import progress
from benchmarks.peers import PEAK, followed, sgd, timm_schedulers
from benchmarks.tables import Table, report

SEED = 20_160_813
SETTINGS = 30_000
MOST_RESTARTS = 10
LAST_STEP = 10**7  # float32 holds each step up to 2**24
LATEST_STEP = 10**9  # of kosine alone
NEAR = 0.01  # of the peak
KINDS = ("1", "whole", "decimal")


@dataclass(frozen=True)
class Setting:
    """A cosine that restarts: its first cycle lasts `period` steps, each later one `multiplier` times the last."""

    period: int
    multiplier: Fraction

    @property
    def kind(self) -> str:
        return "decimal" if self.multiplier.denominator > 1 else "whole" if self.multiplier > 1 else "1"

    def boundaries(self, last: int) -> list[int]:
        """Where cycles begin, each exact sum rounded half up, with one more at the end. Written apart from kosine."""
        position, length = Fraction(0), Fraction(self.period)
        found: list[int] = []
        while len(found) < MOST_RESTARTS + 2 and (not found or found[-1] <= last):
            found.append(math.floor(position + Fraction(1, 2)))
            position += length
            length *= self.multiplier
        return found

    def whole_cycles(self) -> int:
        """How many cycles last a whole number of steps."""
        if self.multiplier.denominator == 1:
            return MOST_RESTARTS + 1
        length, count = Fraction(self.period), 0
        while length.denominator == 1:
            length, count = length * self.multiplier, count + 1
        return count


@dataclass(frozen=True)
class Restarts:
    """The steps before, at and after each restart of a setting, and the rates that they should have."""

    setting: Setting
    steps: list[int]
    rates: list[float]

    @classmethod
    def of(cls, setting: Setting, boundaries: list[int]) -> Restarts:
        steps, rates = [], []
        for before, here, after in zip(boundaries, boundaries[1:], boundaries[2:], strict=False):
            steps += [here - 1, here, here + 1]
            beyond = rate(here, after, here + 1) if here + 1 < after else PEAK
            rates += [rate(before, here, here - 1), PEAK, beyond]
        return cls(setting, steps, rates)


def rate(first: int, stop: int, step: int) -> float:
    """The rate at a step of the cycle [first, stop), accurate at both of its ends."""
    return PEAK * math.sin(math.pi / 2 * (stop - step) / (stop - first)) ** 2


def whole_settings() -> Iterator[Restarts]:
    """Random settings, and of each the restarts between cycles of whole steps: rounding plays no part there."""
    source = random.Random(SEED)
    while True:
        kind = source.choice(KINDS)
        if kind == "decimal":
            multiplier = Fraction(source.randint(105, 400), 100)
            unit = multiplier.denominator
            powers = [unit**power for power in range(1, 20) if unit**power <= 10**5]
            period = source.choice(powers) * source.randint(1, 20)
        else:
            multiplier = Fraction(1 if kind == "1" else source.choice([2, 2, 3, 3, 4, 5, 6, 7, 8, 9, 10]))
            period = source.choice([source.randint(2, 100), source.randint(2, 10**5)])
        setting = Setting(period, multiplier)
        boundaries = setting.boundaries(LAST_STEP)[: setting.whole_cycles() + 1]
        restarts = Restarts.of(setting, boundaries)
        if setting.kind == kind and restarts.steps:
            yield restarts


def any_settings() -> Iterator[Restarts]:
    """Random settings of all kinds, whose cycles may last fractions of a step."""
    source = random.Random(SEED)
    while True:
        period = source.choice([source.randint(1, 100), source.randint(1, 10**6)])
        decimal = f"{source.uniform(1, 4):.{source.randint(1, 6)}f}"
        multiplier = source.choice(["1", "1.1", "1.5", "2", "3", "10", *[decimal] * 6])
        setting = Setting(period, Fraction(multiplier))
        yield Restarts.of(setting, setting.boundaries(LATEST_STEP))


Rates = list[float]


def with_kosine(setting: Setting, steps: list[int]) -> Rates:
    plan = ks.sgdr(peak=PEAK, period=setting.period, stretch=float(setting.multiplier)).plan()
    return [plan(step) for step in steps]


def torch_scheduler(setting: Setting) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    optimizer = sgd()
    restarts = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts
    return optimizer, restarts(optimizer, setting.period, int(setting.multiplier))


def torch_jumping(setting: Setting, steps: list[int]) -> Rates:
    optimizer, scheduler = torch_scheduler(setting)
    return followed(optimizer, scheduler.step, steps)


def torch_stepping(setting: Setting, steps: list[int]) -> Rates:
    optimizer, scheduler = torch_scheduler(setting)
    optimizer.step()  # torch warns where it is not called
    every = []
    for _ in range(steps[-1] + 1):
        every.append(optimizer.param_groups[0]["lr"])
        scheduler.step()
    return [every[step] for step in steps]


def timm(setting: Setting, steps: list[int]) -> Rates:
    optimizer = sgd()
    scheduler = timm_schedulers().CosineLRScheduler(
        optimizer, setting.period, cycle_mul=float(setting.multiplier), cycle_limit=1000, t_in_epochs=False
    )
    return followed(optimizer, scheduler.step_update, steps)


def with_keras(setting: Setting, steps: list[int]) -> Rates:
    multiplier = float(setting.multiplier)
    schedule = keras.optimizers.schedules.CosineDecayRestarts(PEAK, setting.period, multiplier)
    rates: Rates = schedule(torch.tensor(steps)).tolist()
    return rates


def with_optax(setting: Setting, steps: list[int]) -> Rates:
    lengths = [int(setting.period * setting.multiplier**cycle) for cycle in range(len(steps) // 3 + 1)]
    cycle = {"init_value": PEAK, "peak_value": PEAK, "warmup_steps": 0}
    schedule = optax.sgdr_schedule([{**cycle, "decay_steps": length} for length in lengths])
    padded = np.zeros(3 * MOST_RESTARTS, np.int32)  # JAX compiles each operation anew for another number of steps
    padded[: len(steps)] = steps
    rates: Rates = np.asarray(schedule(padded), np.float64)[: len(steps)].tolist()
    return rates


@dataclass(frozen=True)
class Library:
    """One that restarts: its rates at steps of a setting, and the settings that it is asked for."""

    name: str
    rates: Callable[[Setting, list[int]], Rates]
    settings: int = SETTINGS
    kinds: tuple[str, ...] = KINDS
    last: int = LAST_STEP

    def asked(self) -> Iterator[Restarts]:
        taken = (one for one in whole_settings() if one.setting.kind in self.kinds and one.steps[-1] <= self.last + 1)
        return islice(taken, self.settings)


LIBRARIES = (
    Library("kosine sgdr", with_kosine),
    Library("torch CosineAnnealingWarmRestarts, step(n)", torch_jumping, kinds=KINDS[:2]),
    Library("torch CosineAnnealingWarmRestarts, step()", torch_stepping, 300, KINDS[:2], 10**4),
    Library("timm CosineLRScheduler", timm),
    Library("Keras CosineDecayRestarts", with_keras),
    Library("optax sgdr_schedule", with_optax),
)


def of_library(library: Library) -> tuple[str | int | None, ...]:
    settings = wrong_settings = restarts = 0
    wrong = dict.fromkeys(library.kinds, 0)
    for one in library.asked():
        far = np.abs(np.subtract(library.rates(one.setting, one.steps), one.rates)) > NEAR * PEAK
        mistakes = int(far.reshape(-1, 3).any(axis=1).sum())
        settings, restarts = settings + 1, restarts + len(far) // 3
        wrong_settings += mistakes > 0
        wrong[one.setting.kind] += mistakes
    by_kind = (wrong.get(kind) for kind in KINDS)
    return library.name, settings, wrong_settings, restarts, sum(wrong.values()), *by_kind


def of_all() -> Table:
    rows = []
    for library in LIBRARIES:
        progress(f"restarts of {library.name}")
        rows.append(of_library(library))
    return Table(
        "Wrong restarts of random settings: number",
        ("library", "settings", "with a wrong one", "restarts", "wrong", *(f"wrong: T_mult {kind}" for kind in KINDS)),
        tuple(rows),
        f"The first {MOST_RESTARTS} restarts up to step 10⁷, between cycles of whole steps, of random first periods "
        "and multipliers (T_mult). One is wrong where the rate at it, or at the step before or after it, is more than "
        "1 % of the peak from the exact one: most often the floor instead of the peak. torch takes whole T_mult only; "
        "step by step (up to step 10⁴, which takes long) it counts, and is right. Optax takes a list of cycles, whose "
        "lengths its user works out. Keras ran on PyTorch.",
    )


def of_kosine() -> Table:
    """Compares every digit; for a peer only the side of the restart counts."""
    progress("restarts of kosine, fractions of a step too")
    counts = dict.fromkeys((*KINDS, "all"), (0, 0, 0))
    for one in islice(any_settings(), SETTINGS):
        found = with_kosine(one.setting, one.steps)
        mistakes = sum(
            mine != exact if exact == PEAK else not math.isclose(mine, exact, rel_tol=1e-13)
            for mine, exact in zip(found, one.rates, strict=True)
        )
        for kind in (one.setting.kind, "all"):
            settings, rates, wrong = counts[kind]
            counts[kind] = settings + 1, rates + len(found), wrong + mistakes
    return Table(
        "Rates of kosine around restarts of random settings, cycles of fractions of a step too: number",
        ("T_mult", "settings", "rates", "wrong"),
        tuple((kind, *numbers) for kind, numbers in counts.items()),
        f"The first {MOST_RESTARTS} restarts up to step 10⁹, and the steps before and after them; boundaries are exact "
        "sums, each rounded half up once. A rate is wrong where it is not the peak at a restart, or differs by more "
        "than 1e-13 of itself.",
    )


def tables() -> Iterator[Table]:
    yield of_all()
    yield of_kosine()


if __name__ == "__main__":
    report(tables)
