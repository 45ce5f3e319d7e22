"""What the programs look like, what they hold, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest

import kosine as ks
from kosine._core.code import integer, real
from kosine._export.printing import comment
from kosine._export.to_code import to_code
from kosine.errors import ArgumentError
from tests.support.export_cases import PLANS, names_of

TARGETS = ("python", "numpy", "torch", "optax", "keras", "huggingface")


def written(target: str) -> dict[str, str]:
    """The programs of all plans that the target can express."""
    programs = {}
    for name, plan in PLANS.items():
        try:
            programs[name] = to_code(plan, target)
        except ks.PlanError:
            assert target == "huggingface"
    return programs


PYTHON = """\
# The learning rate of this schedule over 39,400 steps, counted from 0:
# Schedule(linear("10ep", start=4e-06, to=0.0001), hold(5), cosine(to=0.0))

from math import pi, sin

PEAK = 0.0001
WARMUP_START = 4e-06
WARMUP_STEPS = 7_880
TOTAL_STEPS = 39_400
DECAY_STEPS = 31_515


def learning_rate(step: int) -> float:
    if step < WARMUP_STEPS:  # linear
        return WARMUP_START + (PEAK - WARMUP_START) * step / WARMUP_STEPS
    if step < 7_885:  # hold
        return PEAK
    if step < TOTAL_STEPS:  # cosine
        return PEAK * sin(pi / 2 / DECAY_STEPS * (TOTAL_STEPS - step)) ** 2
    return 0.0
"""

NUMPY = """\
# The learning rate of this schedule over 4,750 steps, counted from 0:
# Schedule(cycles(linear("1ep", start=0.0001, to=0.05), cosine("9ep", to=0.0001),
# stretch=1.5, shrink=0.8))

from fractions import Fraction
from math import floor

import numpy as np

PEAK = 0.05
FLOOR = 0.0001
FIRST_STEPS = [
    floor(scale * Fraction(3, 2) ** cycle - 2_000 + Fraction(1, 2))
    for cycle in range(89)
    for scale in (2_000, 2_100)
]
FIRST_STEPS = np.array(FIRST_STEPS, "int64")


def learning_rate(step):
    step = np.asarray(step, "int64")
    n = np.clip(step, FIRST_STEPS[0], FIRST_STEPS[-1] - 1)
    index = np.searchsorted(FIRST_STEPS, n, "right") - 1
    first = np.take(FIRST_STEPS, index)
    stop = np.take(FIRST_STEPS, index + 1)
    cycle = index // 2
    phase = index % 2
    peak = np.maximum(PEAK * 0.8**cycle, FLOOR)
    rate = FLOOR + (peak - FLOOR) * (n - first) / (stop - first)  # linear
    left = stop - n
    span = stop - first
    cosine = FLOOR + (peak - FLOOR) * np.sin(np.pi / 2 / span * left) ** 2
    rate = np.where(phase < 1, rate, cosine)
    return rate[()]
"""

TORCH = """\
# The learning rate of this schedule for ever, counted from 0:
# Schedule(linear(100, start=0.0, to=0.05), cycles(cosine(10, start=0.05, to=0.0),
# stretch=2.0))

from math import pi, sin

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

PEAK = 0.05
WARMUP_STEPS = 100
PERIOD = 10


def learning_rate(step: int) -> float:
    if step < WARMUP_STEPS:  # linear
        return PEAK * step / WARMUP_STEPS
    # cycles of cosine
    t, length = step - WARMUP_STEPS, PERIOD
    while t >= length:
        t, length = t - length, 2 * length
    return PEAK * sin(pi / 2 / length * (length - t)) ** 2


def make_scheduler(optimizer: Optimizer) -> LambdaLR:
    \"\"\"For an optimizer with lr=PEAK; call `step()` after each update.\"\"\"
    return LambdaLR(optimizer, lambda step: learning_rate(step) / PEAK)
"""

OPTAX = """\
# The learning rate of this schedule over 1,000 steps, counted from 0:
# Schedule(linear(100, start=0.0, to=0.001), cosine(to=1e-05))

import optax

PEAK = 0.001
FLOOR = 1e-05
WARMUP_STEPS = 100
TOTAL_STEPS = 1_000

schedule = optax.warmup_cosine_decay_schedule(
    init_value=0.0,
    peak_value=PEAK,
    warmup_steps=WARMUP_STEPS,
    decay_steps=TOTAL_STEPS,
    end_value=FLOOR,
)
"""

KERAS = """\
# The learning rate of this schedule for ever, counted from 0:
# Schedule(cycles(hold(30, start=0.1), shrink=0.5))

from math import log

import keras
from keras import ops

PEAK = 0.1
PERIOD = 30


@keras.saving.register_keras_serializable("learning_rate")
class LearningRate(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        step = ops.cast(step, "int32")
        cycle = step // PERIOD
        count = ops.cast(cycle, "float32")
        return PEAK * ops.exp(log(0.5) * count)

    def get_config(self):
        return {}


schedule = LearningRate()
"""

HUGGINGFACE = """\
# The learning rate of this schedule over 1,000 steps, counted from 0:
# Schedule(linear(100, start=0.0, to=0.001), cosine(to=1e-05))
# Give them to transformers.TrainingArguments(**training_arguments).

training_arguments = {
    "learning_rate": 0.001,
    "lr_scheduler_type": "cosine_with_min_lr",
    "lr_scheduler_kwargs": {"min_lr": 1e-05},
    "warmup_steps": 100,
    "max_steps": 1_000,
}
"""

_WARM = ks.warmup_cosine(peak=1e-4, warmup="10ep", warmup_start=4e-6, hold=5)
_CYCLES = ks.cycles(ks.linear("1ep", start=1e-4, to=0.05), ks.cosine("9ep", to=1e-4), stretch=1.5, shrink=0.8)
_FLOOR = ks.warmup_cosine(peak=1e-3, warmup=100, floor=1e-5).plan(total_steps=1000)


@pytest.mark.parametrize(
    ("plan", "target", "program"),
    [
        (_WARM.plan(epochs=50, steps_per_epoch=788), "python", PYTHON),
        (ks.Schedule(_CYCLES).plan(epochs=47.5, steps_per_epoch=100), "numpy", NUMPY),
        (ks.sgdr(peak=0.05, period=10, stretch=2, warmup=100).plan(), "torch", TORCH),
        (_FLOOR, "optax", OPTAX),
        (ks.step_decay(peak=0.1, every=30, factor=0.5).plan(), "keras", KERAS),
        (_FLOOR, "huggingface", HUGGINGFACE),
    ],
)
def test_programs_look_like_this(plan: ks.Plan, target: str, program: str) -> None:
    assert to_code(plan, target) == program


@pytest.mark.parametrize("target", TARGETS)
def test_programs_are_laid_out_and_clean(target: str, tmp_path: Path) -> None:
    for number, program in enumerate(written(target).values()):
        (tmp_path / f"program_{number}.py").write_text(program, encoding="utf-8")
    ruff = [sys.executable, "-m", "ruff"]
    laid_out = subprocess.run(
        [*ruff, "format", "--isolated", "--check", "."], cwd=tmp_path, capture_output=True, text=True
    )
    assert laid_out.returncode == 0, laid_out.stdout
    rules = "B,C4,E,F,I,N,PIE,RET,RUF,SIM,UP,W"
    options = ["--isolated", "--target-version", "py311", "--select", rules, "--line-length", "100"]
    clean = subprocess.run([*ruff, "check", *options, "."], cwd=tmp_path, capture_output=True, text=True)
    assert clean.returncode == 0, clean.stdout


@pytest.mark.parametrize("target", TARGETS)
def test_programs_are_short_and_need_no_kosine(target: str) -> None:
    for name, program in written(target).items():
        lines = [line for line in program.split("\n") if line and not line.startswith("#")]
        assert "kosine" not in "\n".join(lines)
        assert len(lines) <= 90, name


def test_many_constants_are_a_table() -> None:
    assert "return RATES[bisect_right(BOUNDARIES, step)]" in to_code(PLANS["holds"], "python")
    assert "np.take(RATES, np.searchsorted(BOUNDARIES, step" in to_code(PLANS["holds"], "numpy")


def test_hundreds_of_cycles_are_no_longer_than_one() -> None:
    few, many = (ks.sgdr(0.1, period=7, stretch=1.1).plan(total_steps=steps) for steps in (100, 10**9))
    for target in ("python", "numpy", "torch", "optax", "keras"):
        assert len(to_code(few, target).split("\n")) == len(to_code(many, target).split("\n"))


def test_writing_a_program_imports_no_framework() -> None:
    code = (
        "import sys, kosine as ks; from kosine import to_code\n"
        "plan = ks.warmup_cosine(peak=1e-3, warmup=10).plan(total_steps=100)\n"
        f"programs = [to_code(plan, target) for target in {TARGETS}]\n"
        "print({'torch', 'jax', 'optax', 'keras', 'tensorflow', 'transformers'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "set()\n"


def test_writing_it_again_gives_the_same_text() -> None:
    for target in TARGETS:
        assert written(target) == written(target)


# --- what a user wrote stays outside ----------------------------------------------------------------------------


def test_no_text_leaves_the_comment() -> None:
    lines = comment("Schedule()\nimport os\r\x0b\x0c\x1c\x85\u2028\u2029os.remove('x')", 5)
    assert all(line.startswith("# ") for line in lines)
    assert all(line.isascii() and line.isprintable() for line in lines)
    assert "\n".join(lines).splitlines() == lines


def test_a_long_schedule_is_cut_in_the_comment() -> None:
    plan = ks.Schedule(*(ks.hold(3, start=0.1 / number) for number in range(1, 200))).plan()
    head = to_code(plan, "python").partition("\n\n")[0]
    assert len(head) < 1000
    assert head.endswith("...")


class Loud(int):
    def __format__(self, specification: str) -> str:
        return "__import__('os')"

    __repr__ = __str__ = lambda self: "__import__('os')"


class LoudFloat(float):
    __repr__ = __str__ = lambda self: "__import__('os')"


def test_numbers_are_written_as_numbers_whatever_their_type() -> None:
    assert integer(Loud(7_000)) == "7_000"
    assert real(LoudFloat(0.5)) == "0.5"
    schedule = ks.Schedule(ks.linear(Loud(10), start=LoudFloat(0.25), to=1.0), ks.cosine(to=0.0))
    for target in TARGETS[:-1]:
        program = to_code(schedule.plan(total_steps=Loud(100)), target)
        body = "\n".join(line for line in program.split("\n") if not line.startswith("#"))
        assert "__import__" not in body


# --- errors -----------------------------------------------------------------------------------------------------

PLAN = ks.constant(0.1).plan(total_steps=10)


@pytest.mark.parametrize(
    ("target", "meant"), [("pytorch", "torch"), ("Keras", "keras"), ("optx", "optax"), ("hugging_face", "huggingface")]
)
def test_an_unknown_target_is_met_with_a_guess(target: str, meant: str) -> None:
    with pytest.raises(ArgumentError, match=rf"`target` must be one of .* Did you mean '{meant}'\?"):
        to_code(PLAN, target)


def test_a_target_like_no_other_is_met_with_the_list() -> None:
    with pytest.raises(ArgumentError, match=r"'huggingface'\]\. Received: target='cobol'\.$"):
        to_code(PLAN, "cobol")


def test_a_target_is_a_text() -> None:
    with pytest.raises(ks.ArgumentTypeError, match=r"`target` must be one of .* Received: target=None"):
        to_code(PLAN, cast(Any, None))


def test_a_schedule_must_be_planned_first() -> None:
    with pytest.raises(ks.ArgumentTypeError, match=r"must be a Plan\. .* Plan it first"):
        to_code(cast(Any, ks.constant(0.1)), "python")


def test_anything_else_is_no_plan() -> None:
    with pytest.raises(ks.ArgumentTypeError, match=r"must be a Plan\. Received: plan=3\.$"):
        to_code(cast(Any, 3), "python")


@pytest.mark.parametrize("target", ["optax", "keras"])
def test_steps_beyond_32_bits_are_refused(target: str) -> None:
    plan = ks.Schedule(ks.linear(10, start=0.0, to=0.1), ks.cosine(2**32, to=0.0)).plan()
    with pytest.raises(ks.PlanError, match=rf"Target '{target}' counts steps in 32 bits.* cannot express .*'numpy'"):
        to_code(plan, target)


@pytest.mark.parametrize("target", ["optax", "keras"])
def test_rates_beyond_float32_are_refused(target: str) -> None:
    plan = ks.Schedule(ks.cosine(100, start=1e300, to=0.0)).plan()
    with pytest.raises(ks.PlanError, match=rf"Target '{target}' computes in float32.* cannot express the rate 1e\+300"):
        to_code(plan, target)


@pytest.mark.parametrize("target", TARGETS[:-1])
def test_slowly_growing_cycles_need_a_run(target: str) -> None:
    with pytest.raises(
        ks.PlanError, match=rf"'{target}' lists cycles .* cycles of cosine for ever. Plan .*`total_steps`"
    ):
        to_code(ks.sgdr(0.1, period=10, stretch=1.001).plan(), target)


@pytest.mark.parametrize("target", TARGETS[:-1])
def test_too_many_different_cycles_are_refused(target: str) -> None:
    plan = ks.sgdr(0.1, period=10, stretch=1.0001).plan(total_steps=10**6)
    with pytest.raises(ks.PlanError, match=rf"'{target}' lists at most 4,096 phases .* cycles of cosine, which has"):
        to_code(plan, target)


@pytest.mark.parametrize("target", ["optax", "keras"])
def test_a_cycle_that_ends_beyond_32_bits_is_refused(target: str) -> None:
    plan = ks.sgdr(0.1, period=10, stretch=10**9, shrink=0.9).plan(total_steps=1000)
    with pytest.raises(
        ks.PlanError, match=rf"'{target}' counts steps up to 2,147,483,647.* a cycle in this run ends later"
    ):
        to_code(plan, target)


@pytest.mark.parametrize(("target", "period"), [("optax", "1000001/100000st"), ("numpy", f"{10**19 + 1}/{10**18}st")])
def test_fractions_too_fine_to_count_are_refused(target: str, period: str) -> None:
    plan = ks.sgdr(0.1, period=period).plan(total_steps=10**5)
    with pytest.raises(ks.PlanError, match=rf"'{target}' counts up to .* Use the target 'python' or 'torch'"):
        to_code(plan, target)
    learning_rate = names_of(to_code(plan, "python"))["learning_rate"]
    assert learning_rate(12_345) == pytest.approx(plan(12_345), rel=1e-12)
