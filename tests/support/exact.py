"""The curves in 50 digits, from their published formulas with mpmath: the reference for every accuracy check."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import mpmath

import kosine as ks

MP = mpmath.mp.clone()
MP.dps = 50

SPANS = (1, 2, 3, 10, 1000, 31_515, 10**8, 2 * 10**9, 10**12)


@dataclass(frozen=True)
class Case:
    """One curve between two values."""

    curve: str
    start: float
    to: float
    arguments: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        written = "".join(f",{name}={value}" for name, value in self.arguments.items())
        return f"{self.curve}({self.start:g}->{self.to:g}{written})"

    def schedule(self, steps: int) -> ks.Schedule:
        return ks.Schedule(getattr(ks, self.curve)(steps, start=self.start, to=self.to, **self.arguments))

    def value(self, step: int, steps: int) -> Any:
        """The exact value at `step` of `steps`, as an mpmath number."""
        return curve_value(self.curve, self.start, self.to, MP.mpf(step), MP.mpf(steps), self.arguments)


def curve_value(curve: str, start: float, to: float | None, done: Any, span: Any, arguments: dict[str, Any]) -> Any:
    """The published formula of a curve after `done` of `span` steps; durations in `arguments` count steps."""
    s, power, warp = MP.mpf(start), MP.mpf(arguments.get("power", 1)), MP.mpf(arguments.get("warp", 1))
    if "timescale" in arguments or "factor" in arguments:
        passed = done / MP.mpf(arguments.get("timescale", 1))
        match curve:
            case "exponential":
                return s * MP.mpf(arguments["factor"]) ** passed
            case "inverse_sqrt":
                return s / MP.sqrt(1 + passed)
            case "inverse_time":
                return s / (1 + passed)
    if curve == "hold":
        return s
    assert to is not None
    e, u = MP.mpf(to), done / span
    match curve:
        case "linear":
            return s + (e - s) * u
        case "cosine":
            return e + (s - e) * ((1 + MP.cos(MP.pi * u**warp)) / 2) ** power
        case "polynomial":
            return e + (s - e) * (1 - u**warp) ** power
        case "exponential" if "base" in arguments:
            base = MP.mpf(arguments["base"])
            return e + (s - e) * (base ** (1 - u) - 1) / (base - 1)
        case "exponential":
            return s * (e / s) ** u
        case "inverse_sqrt":
            return s / MP.sqrt(1 + u * ((s / e) ** 2 - 1))
        case "inverse_time":
            return s / (1 + u * (s / e - 1))
        case "one_minus_sqrt":
            return e + (s - e) * (1 - MP.sqrt(u))
        case "rex":
            return e + (s - e) * (1 - u) / (1 - MP.mpf(arguments.get("bend", 0.5)) * u)
        case "logarithm":
            base = MP.mpf(arguments.get("base", 10))
            return s + (e - s) * MP.log(1 + (base - 1) * u) / MP.log(base)
        case "tanh":
            lower, upper = MP.mpf(arguments.get("lower", -7)), MP.mpf(arguments.get("upper", 3))
            return e + (s - e) * (1 - MP.tanh(lower * (1 - u) + upper * u)) / 2
    raise AssertionError(curve)


CASES = (
    Case("linear", 1e-3, 0.0),
    Case("linear", 4e-6, 1e-4),
    Case("linear", 0.3, 0.1),
    Case("cosine", 1e-3, 0.0),
    Case("cosine", 0.0, 0.1),
    Case("cosine", 0.3, 1e-7),
    Case("cosine", 4e-6, 0.7),
    Case("polynomial", 1e-3, 0.0, {"power": 2.0}),
    Case("polynomial", 1e-3, 1e-5, {"power": 0.9}),
    Case("polynomial", 0.7, 0.0, {"power": 0.5}),
    Case("polynomial", 1.0, 0.0, {"power": 10.0}),
    Case("polynomial", 0.0, 1e-3, {"power": 3.0}),
    Case("polynomial", 1e-6, 0.3, {"power": 0.5}),
    Case("exponential", 0.1, 1e-7),
    Case("exponential", 1e-7, 0.3),
    Case("exponential", 1e-3, 9e-4),
    Case("inverse_sqrt", 0.1, 1e-4),
    Case("inverse_sqrt", 1e-3, 9e-4),
    Case("one_minus_sqrt", 1e-3, 0.0),
    Case("one_minus_sqrt", 0.7, 1e-5),
    Case("one_minus_sqrt", 1e-5, 0.7),
    Case("one_minus_sqrt", 0.0, 0.1),
    Case("rex", 1e-3, 0.0),
    Case("rex", 1e-5, 0.7),
    Case("rex", 1e-3, 1e-5, {"bend": 0.9}),
    Case("rex", 0.0, 0.1, {"bend": 0.999}),
    Case("logarithm", 0.0, 1e-3, {"base": 1000.0}),
    Case("logarithm", 1e-6, 0.3, {"base": 1e12}),
    Case("logarithm", 1e-3, 0.0),
    Case("logarithm", 0.7, 0.0, {"base": 1e6}),
    Case("logarithm", 0.3, 1e-5, {"base": 1.001}),
    Case("hold", 3e-4, 3e-4),
    Case("exponential", 1e-3, 0.0, {"base": 2.0}),
    Case("exponential", 0.3, 1e-7, {"base": 1e6}),
    Case("exponential", 0.0, 1e-3, {"base": 10.0}),
    Case("inverse_time", 0.1, 1e-7),
    Case("inverse_time", 1e-3, 9e-4),
    Case("tanh", 1e-3, 0.0),
    Case("tanh", 0.0, 1e-3, {"lower": -4.0, "upper": 5.0}),
)

BENT_CASES = (
    Case("cosine", 1e-3, 0.0, {"power": 2.0}),
    Case("cosine", 1e-3, 0.0, {"power": 0.5, "warp": 2.0}),
    Case("cosine", 0.3, 1e-7, {"warp": 0.5}),
    Case("cosine", 0.0, 1e-3, {"power": 3.0}),
    Case("cosine", 4e-6, 0.7, {"warp": 1.5, "power": 0.5}),
    Case("polynomial", 1e-3, 0.0, {"power": 2.0, "warp": 3.0}),
    Case("polynomial", 0.0, 1e-3, {"power": 0.9, "warp": 0.5}),
)
"""Powers of powers: each multiplies the error of the one inside it."""


def sampled_steps(steps: int, count: int = 40) -> list[int]:
    """The first and last steps of a phase, and a seeded sample of those between, evenly and log-evenly spread."""
    chosen = {0, 1, 2, steps // 3, steps // 2, steps - 3, steps - 2, steps - 1}
    chosen.update(_spread(random.Random(steps), steps, count))
    return sorted(step for step in chosen if 0 <= step < steps)


def _spread(source: random.Random, steps: int, count: int) -> Iterator[int]:
    for _ in range(count):
        near = int(math.exp(source.uniform(0, math.log(steps))))
        yield from (near, steps - near, source.randrange(steps))


def ulps(value: float, exact: Any) -> float:
    """How far `value` is from the exact number, in units of the last place of the exact number's float64."""
    return float(abs(MP.mpf(value) - exact) / MP.mpf(math.ulp(float(exact))))
