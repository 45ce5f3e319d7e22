"""The plans that every target writes: the recipes in several settings, each curve, cycles and sections of all kinds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

import kosine as ks

RUN: dict[str, Any] = {"total_steps": 1000, "steps_per_epoch": 97}

RECIPES = {
    "constant": ks.constant(3e-4),
    "constant 0": ks.constant(0.0),
    "warmup_cosine": ks.warmup_cosine(peak=1e-3, warmup=100),
    "warmup_cosine, floor": ks.warmup_cosine(peak=1e-3, warmup=100, floor=1e-5),
    "warmup_cosine, hold": ks.warmup_cosine(peak=1e-4, warmup="2ep", warmup_start=4e-6, hold=5),
    "warmup_cosine, no warm-up": ks.warmup_cosine(peak=0.3, floor=0.03),
    "sgdr": ks.sgdr(peak=0.05, period=10),
    "sgdr, long": ks.sgdr(peak=0.05, period=300, floor=1e-3),
    "sgdr, double": ks.sgdr(peak=0.05, period=10, stretch=2, floor=1e-3),
    "sgdr, warm-up": ks.sgdr(peak=0.05, period="1ep", stretch=2, warmup=30),
    "sgdr, ten times": ks.sgdr(peak=0.05, period=10, stretch=10),
    "sgdr, half": ks.sgdr(peak=0.05, period=10, stretch=1.5, shrink=0.9, floor=1e-5),
    "sgdr, shrink": ks.sgdr(peak=0.05, period=60, shrink=0.8, warmup=13),
    "sgdr, fraction": ks.sgdr(peak=0.05, period="0.25ep"),
    "one_cycle": ks.one_cycle(peak=1e-3),
    "one_cycle, short": ks.one_cycle(peak=1.0, warmup="10%", start=0.1, floor=0.0),
    "wsd": ks.wsd(peak=1e-3, warmup=100),
    "wsd, linear": ks.wsd(peak=1e-3, warmup=50, cooldown="10%", floor=1e-5, curve="linear"),
    "wsd, cosine": ks.wsd(peak=1e-3, cooldown=300, curve="cosine"),
    "inverse_sqrt_decay": ks.inverse_sqrt_decay(peak=1e-3, warmup=40),
    "inverse_sqrt_decay, timescale": ks.inverse_sqrt_decay(peak=1e-3, warmup=40, warmup_start=1e-4, timescale="1ep"),
    "step_decay": ks.step_decay(peak=0.1, every=30),
    "step_decay, epochs": ks.step_decay(peak=0.1, every="1ep", factor=0.96),
}

CURVES = {
    "linear": ks.Schedule(ks.linear(start=0.1, to=0.02)),
    "linear, endpoint": ks.Schedule(ks.linear(start=0.1, to=0.0, endpoint=True)),
    "linear, endpoint, cosine": ks.Schedule(ks.linear(100, start=0.01, to=0.1, endpoint=True), ks.cosine(to=0.0)),
    "cosine": ks.Schedule(ks.cosine(start=0.1, to=0.0)),
    "cosine, up": ks.Schedule(ks.cosine(start=0.001, to=0.3, endpoint=True)),
    "cosine, power": ks.Schedule(ks.cosine(400, start=1.0, to=0.01, power=1.5), ks.cosine(to=0.5, power=0.5)),
    "cosine, warp": ks.Schedule(ks.cosine(500, start=1.0, to=0.0, warp=1.5), ks.cosine(to=0.9, warp=0.5, power=2.0)),
    "hold": ks.Schedule(ks.hold(10, start=0.1), ks.hold(200, start=0.3), ks.hold(start=0.2)),
    "holds": ks.Schedule(*(ks.hold(7 * number, start=0.3 / number) for number in range(1, 15))),
    "halves": ks.Schedule(*(ks.hold(90, start=0.5**number) for number in range(11))),
    "polynomial": ks.Schedule(ks.polynomial(start=0.1, to=0.0)),
    "polynomial, 0.5": ks.Schedule(ks.polynomial(500, start=0.0, to=0.1, power=0.5), ks.polynomial(to=0.01, power=0.5)),
    "polynomial, 7": ks.Schedule(ks.polynomial(600, start=0.1, to=0.0, power=7.0), ks.polynomial(to=1.0, power=3.5)),
    "polynomial, warp": ks.Schedule(
        ks.polynomial(500, start=0.1, to=0.0, power=2.0, warp=1.5), ks.polynomial(to=0.1, power=0.5, warp=0.5)
    ),
    "exponential": ks.Schedule(ks.exponential(start=0.1, to=1e-6)),
    "exponential, up": ks.Schedule(ks.exponential(start=1e-6, to=0.3)),
    "exponential, factor": ks.Schedule(ks.exponential(start=0.1, factor=0.99)),
    "exponential, timescale": ks.Schedule(ks.exponential(start=0.1, factor=0.5, timescale="100/3st")),
    "exponential, growth": ks.Schedule(ks.exponential(300, start=1e-3, factor=1.01, endpoint=True)),
    "exponential, base": ks.Schedule(
        ks.exponential(500, start=0.1, to=0.0, base=2.0), ks.exponential(to=0.1, base=10.0, endpoint=True)
    ),
    "inverse_sqrt": ks.Schedule(ks.inverse_sqrt(start=0.1, to=0.01)),
    "inverse_sqrt, timescale": ks.Schedule(ks.inverse_sqrt(start=0.1, timescale=7)),
    "inverse_time": ks.Schedule(ks.inverse_time(300, start=0.1, to=0.01), ks.inverse_time(start=0.2, timescale=50)),
    "inverse_time, alone": ks.Schedule(ks.inverse_time(start=0.2, timescale=50)),
    "one_minus_sqrt": ks.Schedule(ks.one_minus_sqrt(500, start=0.1, to=0.0), ks.one_minus_sqrt(to=0.2)),
    "rex": ks.Schedule(ks.rex(500, start=0.1, to=0.0), ks.rex(to=0.2, endpoint=True)),
    "rex, bend": ks.Schedule(ks.rex(500, start=0.1, to=0.0, bend=0.9), ks.rex(to=0.2, bend=0.9)),
    "logarithm": ks.Schedule(ks.logarithm(500, start=0.0, to=0.1, base=500.0), ks.logarithm(to=0.0, endpoint=True)),
    "tanh": ks.Schedule(ks.tanh(500, start=0.1, to=0.0), ks.tanh(to=0.2, lower=-3.0, upper=2.0, endpoint=True)),
}

_CYCLE = (ks.linear(5, start=1e-4, to=0.05), ks.cosine(20, to=1e-4))

CYCLES = {
    "equal": ks.Schedule(ks.cycles(*_CYCLE)),
    "equal, shrinking": ks.Schedule(ks.cycles(*_CYCLE, shrink=0.9)),
    "shrinking to a value": ks.Schedule(
        ks.cycles(ks.linear(5, start=0.002, to=0.05), ks.cosine(20, to=0.01), shrink=0.7, shrink_to=0.02)
    ),
    "lowered to the peak": ks.Schedule(
        ks.cycles(ks.hold(5, start=0.04), ks.cosine(20, start=0.05, to=0.01), ks.linear(9, to=0.045), shrink=0.97)
    ),
    "shrinking by number": ks.Schedule(ks.hold(50, start=0.01), ks.cycles(*_CYCLE, shrink_power=0.5, count=9)),
    "down and up": ks.Schedule(ks.cycles(ks.cosine(90, start=0.1, to=0.01), ks.cosine(30, to=0.1))),
    "doubling": ks.Schedule(ks.cycles(*_CYCLE, stretch=2, shrink=0.5)),
    "by a half": ks.Schedule(ks.cycles(*_CYCLE, stretch=1.5, shrink=0.8)),
    "by a tenth": ks.Schedule(ks.linear(17, start=0.0, to=0.05), ks.cycles(*_CYCLE, stretch=1.1)),
    "counted": ks.Schedule(ks.cycles(*_CYCLE, stretch=3, count=3), ks.linear(to=0.0)),
    "of fractions": ks.Schedule(ks.hold("1.3st", start=0.2), ks.cycles(ks.cosine("17.7st", start=0.1, to=0.0))),
    "of fractions, two": ks.Schedule(ks.cycles(ks.linear("5/3st", start=0.0, to=1.0), ks.cosine("9.5st", to=0.0))),
    "of fractions, finite": ks.Schedule(
        ks.linear(3, start=0.0, to=0.1),
        ks.cycles(ks.tanh("9.5st", start=0.1, to=0.01), ks.polynomial("6.2st", to=0.1, warp=1.5), shrink=0.9, count=7),
        ks.hold(5),
    ),
    "with endpoints": ks.Schedule(
        ks.cycles(
            ks.linear(1, start=0.0, to=0.1, endpoint=True),
            ks.tanh(7, to=0.01, endpoint=True),
            ks.polynomial(9, to=0.2, power=0.5, endpoint=True),
            ks.exponential(8, to=0.01, base=3.0),
        )
    ),
    "with endpoints, growing": ks.Schedule(
        ks.linear(11, start=0.0, to=0.1),
        ks.cycles(
            ks.cosine(1, start=0.3, to=0.1, endpoint=True),
            ks.tanh(3, to=0.01, endpoint=True),
            ks.one_minus_sqrt(5, to=0.2, endpoint=True),
            stretch=1.5,
        ),
    ),
    "with endpoints, doubling": ks.Schedule(
        ks.cycles(ks.cosine(1, start=0.3, to=0.1, endpoint=True), ks.inverse_sqrt(6, to=0.05, endpoint=True), stretch=2)
    ),
    "of end values": ks.Schedule(ks.cycles(ks.cosine(1, start=8.0, to=0.5, endpoint=True))),
    "of end values, shrinking": ks.Schedule(
        ks.cycles(ks.exponential(1, start=2.0, to=1.0, endpoint=True), shrink=0.99, count=3)
    ),
    "beginning with an end value": ks.Schedule(
        ks.cycles(ks.cosine(1, start=2.0, to=1.5, endpoint=True), ks.cosine(4, to=0.5), shrink=0.9, count=3)
    ),
    "of holds": ks.Schedule(ks.cycles(ks.hold(10, start=0.3), ks.hold(5, start=0.1), stretch=1.5, shrink=0.9)),
    "two groups": ks.Schedule(
        ks.cycles(*_CYCLE, stretch=1.5, count=3), ks.cycles(*_CYCLE, count=4), ks.cycles(*_CYCLE, stretch=1.5)
    ),
    "of every falling curve": ks.Schedule(
        ks.cycles(
            ks.inverse_sqrt(9, start=0.4, to=0.1),
            ks.inverse_time(8, to=0.05),
            ks.exponential(7, to=0.01),
            ks.one_minus_sqrt(6, start=0.3, to=0.0),
            ks.polynomial(9, start=0.2, to=0.01, power=0.5),
            ks.cosine(9, start=0.3, to=0.01, power=2.0, warp=0.5),
            stretch=1.1,
            shrink=0.99,
        )
    ),
}

SECTIONS = {
    "entered late": ks.Schedule(
        ks.linear(20, start=1e-6, to=0.1), ks.section(ks.cosine(500, start=0.1, to=0.01), ks.hold(), skip=20)
    ),
    "left early": ks.Schedule(
        ks.section(ks.linear(100, start=0.0, to=0.1), ks.cosine(300, to=0.0), duration=150),
        ks.cosine(start=0.1, to=0.0),
    ),
    "read one step early": ks.Schedule(
        ks.section(ks.linear(50, start=0.0, to=0.1), ks.cosine(950, to=0.01), ks.hold(), skip=1)
    ),
    "a staircase": ks.Schedule(ks.section(ks.exponential(start=0.1, factor=0.96), tick=30)),
    "by epochs": ks.Schedule(ks.section(ks.linear(2, start=0.0, to=0.1), ks.cosine(8, to=0.0), ks.hold(), tick="1ep")),
    "by ticks, cut": ks.Schedule(
        ks.section(ks.tanh(30, start=0.1, to=0.0), ks.polynomial(20, to=0.1, warp=1.5), skip=7, tick=10, duration=333),
        ks.linear(start=0.1, to=0.0),
    ),
    "cycles by epochs": ks.Schedule(ks.section(ks.cycles(ks.cosine(2, start=0.1, to=0.0), stretch=2), tick="1ep")),
    "equal cycles entered late": ks.Schedule(ks.section(ks.cycles(ks.cosine(90, start=0.1, to=0.0)), skip=40)),
    "cycles entered late": ks.Schedule(ks.section(ks.cycles(*_CYCLE, stretch=1.5, shrink=0.9), skip=40)),
    "cycles left early": ks.Schedule(
        ks.section(ks.cycles(*_CYCLE, stretch=2), duration=400), ks.cosine(start=0.05, to=0.0)
    ),
    "continuous": ks.Schedule(
        ks.section(ks.linear("17.3st", start=0.0, to=0.1), ks.cosine("900/7st", to=0.01), ks.hold(), continuous=True)
    ),
    "continuous cycles": ks.Schedule(
        ks.section(ks.cycles(ks.linear("2.5st", start=0.0, to=0.1), ks.cosine("17.2st", to=0.0)), continuous=True)
    ),
    "continuous cycles, growing": ks.Schedule(
        ks.hold(9, start=0.02),
        ks.section(
            ks.cycles(ks.linear("2.5st", start=0.0, to=0.1), ks.tanh("7.2st", to=0.0), stretch=1.5, shrink=0.9),
            continuous=True,
            skip=3,
        ),
    ),
}

PARTS_OF_STEPS = {
    name: ks.Schedule(ks.section(curve, ks.hold(), tick=tick, skip=skip, continuous=True))
    for name, curve, tick, skip in (
        ("a root entered by part of a step", ks.one_minus_sqrt(300, start=0.7, to=0.0), 1, "1/3st"),
        ("a root by ticks", ks.one_minus_sqrt("55%", start=0.7, to=0.0), 100, 0),
        ("a warp by ticks", ks.polynomial("57%", start=0.7, to=0.0, power=0.5, warp=0.5), 100, 0),
        ("a wave with a warp by ticks", ks.cosine("57%", start=0.7, to=0.0, power=20.0, warp=50.0), 100, 7),
        ("an exponential whose top is skipped", ks.exponential(428, start=0.1, to=0.0, base=1e4), 7, 1234),
    )
}

SCHEDULES = {**PARTS_OF_STEPS, **RECIPES, **CURVES, **CYCLES, **SECTIONS}
PLANS = {name: schedule.plan(**RUN) for name, schedule in SCHEDULES.items()}


def steps_of(plan: ks.Plan, beyond: int = 0) -> NDArray[np.int64]:
    """The steps of the run, and some after it."""
    assert plan.total_steps is not None
    return np.arange(plan.total_steps + beyond)


def peak_of(plan: ks.Plan) -> float:
    """The highest rate of the run; for a plan of zeros the smallest number, so that nothing but 0 is near enough."""
    return float(plan(steps_of(plan)).max()) or math.ulp(0.0)


def highest_end(plan: ks.Plan) -> float:
    """The highest rate that a curve goes from or to: a phase that is cut may not reach it in the run."""
    return max(rate for row in plan.phases for rate in (row.clock.start, row.clock.to)) or math.ulp(0.0)


def names_of(program: str) -> dict[str, Any]:
    """What a program defines when it is run."""
    names: dict[str, Any] = {"__name__": "program"}
    exec(compile(program, "<program>", "exec"), names)
    return names
