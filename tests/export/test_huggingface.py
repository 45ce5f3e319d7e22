"""The training arguments for Hugging Face: transformers' own scheduler, built with them, follows the plan."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from transformers import HfArgumentParser, SchedulerType, Trainer, TrainingArguments, get_scheduler

import kosine as ks
from kosine._export.targets.huggingface import training_arguments
from kosine._export.to_code import to_code
from kosine.dialects import huggingface as hf
from tests.support.export_cases import PLANS, names_of, steps_of

W: dict[str, int] = {"num_warmup_steps": 10}
RUN: dict[str, int] = {**W, "num_training_steps": 100}
WSD: dict[str, Any] = {**RUN, "num_decay_steps": 20}

DIALECTS = {
    "constant": hf.constant(0.1),
    "constant_with_warmup": hf.constant_with_warmup(0.1, **W),
    "linear": hf.linear(0.1, **RUN),
    "cosine": hf.cosine(0.1, **RUN),
    "cosine, three waves": hf.cosine(0.1, **RUN, num_cycles=1.5),
    "cosine, half of one": hf.cosine(0.1, num_warmup_steps=0, num_training_steps=100, num_cycles=0.25),
    "cosine_with_restarts": hf.cosine_with_restarts(0.1, **RUN, num_cycles=3),
    "cosine_with_restarts, seven": hf.cosine_with_restarts(0.1, **RUN, num_cycles=7),
    "polynomial": hf.polynomial(0.1, **RUN),
    "polynomial, power": hf.polynomial(0.1, **RUN, lr_end=0.01, power=2.0),
    "inverse_sqrt": hf.inverse_sqrt(0.1, **W),
    "inverse_sqrt, timescale": hf.inverse_sqrt(0.1, **W, timescale=55),
    "inverse_sqrt, no warm-up": hf.inverse_sqrt(0.1, num_warmup_steps=0),
    "cosine_with_min_lr": hf.cosine_with_min_lr(0.1, **RUN, min_lr=0.01),
    "cosine_warmup_with_min_lr": hf.cosine_warmup_with_min_lr(0.1, **RUN, min_lr=0.01),
    "cosine_warmup_with_min_lr, rate": hf.cosine_warmup_with_min_lr(0.1, **RUN, min_lr=0.01, warmup_lr_rate=0.02),
    "warmup_stable_decay": hf.warmup_stable_decay(0.1, **WSD),
    "warmup_stable_decay, curves": hf.warmup_stable_decay(
        0.1, **WSD, warmup_type="cosine", decay_type="1-sqrt", min_lr_ratio=0.1
    ),
    "warmup_stable_decay, lines": hf.warmup_stable_decay(0.1, **WSD, warmup_type="1-sqrt", decay_type="linear"),
}


def trained_rates(arguments: dict[str, Any], steps: int) -> NDArray[np.float64]:
    """The rates that the Trainer would use: it builds the scheduler like this."""
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=arguments["learning_rate"])
    scheduler: Any = get_scheduler(
        SchedulerType(arguments["lr_scheduler_type"]),
        optimizer,
        num_warmup_steps=arguments.get("warmup_steps", 0),
        num_training_steps=arguments.get("max_steps"),
        scheduler_specific_kwargs=arguments.get("lr_scheduler_kwargs"),
    )
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return np.array(rates)


def assert_followed(plan: ks.Plan) -> dict[str, Any]:
    arguments: dict[str, Any] = names_of(to_code(plan, "huggingface"))["training_arguments"]
    steps = steps_of(plan)
    assert arguments.get("max_steps") == plan.total_steps
    assert np.abs(trained_rates(arguments, len(steps)) - plan(steps)).max() <= 1e-12 * plan(steps).max()
    return arguments


@pytest.mark.parametrize("name", DIALECTS)
def test_what_came_from_a_scheduler_goes_back_to_it(name: str) -> None:
    arguments = assert_followed(DIALECTS[name].plan(total_steps=100))
    assert arguments["lr_scheduler_type"] == name.partition(",")[0]


EXPRESSED = {
    "constant": "constant",
    "constant 0": "constant",
    "warmup_cosine": "cosine",
    "warmup_cosine, floor": "cosine_with_min_lr",
    "warmup_cosine, no warm-up": "cosine_with_min_lr",
    "wsd": "warmup_stable_decay",
    "wsd, cosine": "warmup_stable_decay",
    "inverse_sqrt_decay": "inverse_sqrt",
    "inverse_sqrt, timescale": "inverse_sqrt",
    "read one step early": "cosine_warmup_with_min_lr",
    "cosine": "cosine",
    "linear": "polynomial",
    "polynomial": "polynomial",
    "of end values": "constant",
    "of end values, shrinking": "constant",
}


@pytest.mark.parametrize("name", EXPRESSED)
def test_recipes(name: str) -> None:
    assert assert_followed(PLANS[name])["lr_scheduler_type"] == EXPRESSED[name]


@pytest.mark.parametrize("name", [name for name in PLANS if name not in EXPRESSED])
def test_every_other_plan_is_refused(name: str) -> None:
    with pytest.raises(ks.PlanError, match=r"cannot express the phase .* Use the target 'torch'"):
        to_code(PLANS[name], "huggingface")


def test_restarts_that_transformers_misses_are_refused() -> None:
    # In float64, 22 * (t / 220) % 1 falls short of 0 at one of the restarts.
    plan = ks.Schedule(ks.cycles(ks.cosine(10, start=1.0, to=0.0), count=22)).plan()
    given = {"learning_rate": 1.0, "lr_scheduler_type": "cosine_with_restarts", "max_steps": 220}
    rates = trained_rates({**given, "lr_scheduler_kwargs": {"num_cycles": 22}}, 220)
    missed = np.flatnonzero(np.abs(rates - plan(steps_of(plan))) > 1e-12)
    assert missed.size == 1
    assert rates[missed[0]] < 1e-12
    with pytest.raises(ks.PlanError, match=rf"from step {missed[0]} on: .* up to step {missed[0]}\."):
        to_code(plan, "huggingface")


def test_schedulers_without_an_end_need_no_length() -> None:
    plan = ks.inverse_sqrt_decay(peak=1e-3, warmup=40).plan()
    arguments = names_of(to_code(plan, "huggingface"))["training_arguments"]
    assert arguments == {"learning_rate": 1e-3, "lr_scheduler_type": "inverse_sqrt", "warmup_steps": 40}


@pytest.mark.parametrize(
    ("schedule", "phase", "first"),
    [
        (ks.Schedule(ks.linear(10, start=0.0, to=0.1), ks.hold(5), ks.exponential(to=1e-3)), "exponential", "15"),
        (ks.one_cycle(peak=1e-4), "cosine", "0"),
        (ks.step_decay(peak=0.1, every=30), "hold", "30"),
        (ks.sgdr(peak=0.05, period=10, stretch=2), "cosine", "0"),
    ],
)
def test_the_phase_that_cannot_be_expressed_is_named(schedule: ks.Schedule, phase: str, first: str) -> None:
    with pytest.raises(ks.PlanError, match=rf"'huggingface' cannot express the phase `{phase}` from step {first} on"):
        to_code(schedule.plan(total_steps=1000), "huggingface")


def test_a_plan_without_a_length_is_told_to_have_one() -> None:
    with pytest.raises(ks.PlanError, match=r"More can be, planned with `total_steps`"):
        to_code(ks.sgdr(peak=0.05, period=10).plan(), "huggingface")


def test_a_long_run_is_compared_where_it_counts() -> None:
    total = 10**9
    assert '"cosine"' in to_code(ks.warmup_cosine(peak=1e-4, warmup=10**6).plan(total_steps=total), "huggingface")
    late = ks.Schedule(ks.linear(10**6, start=0.0, to=1.0), ks.cosine(to=0.0), ks.hold(1, start=0.5))
    with pytest.raises(ks.PlanError, match=r"cannot express"):
        to_code(late.plan(total_steps=total), "huggingface")


# --- the same as a file, or as options ---


def read_back(text: str, form: str, folder: Path) -> Any:
    """The training arguments of a script whose settings have this text in them."""
    parser: Any = HfArgumentParser(TrainingArguments)
    others = {"output_dir": str(folder), "use_cpu": True, "report_to": "none"}
    file = folder / f"settings.{form}"
    if form == "json":
        file.write_text(json.dumps(others | json.loads(text)), encoding="utf-8")
        return parser.parse_json_file(file)[0]
    if form == "yaml":
        lines = [f"{name}: {value}\n" for name, value in others.items()]
        file.write_text("".join([text, *lines]), encoding="utf-8")
        return parser.parse_yaml_file(file)[0]
    options = [word for name, value in others.items() for word in (f"--{name}", str(value))]
    return parser.parse_args_into_dataclasses([*options, *shlex.split(text)])[0]


WRITTEN = {
    "small rates": ks.warmup_cosine(peak=1e-5, warmup=10, floor=1e-7).plan(total_steps=100),
    "words": DIALECTS["warmup_stable_decay, curves"].plan(total_steps=100),
    "no more than a type": ks.constant(1e-3).plan(total_steps=100),
    "an integer": DIALECTS["cosine_with_restarts"].plan(total_steps=100),
}


@pytest.mark.parametrize("form", ["json", "yaml", "args"])
@pytest.mark.parametrize("name", WRITTEN)
def test_a_trainer_with_the_settings_follows_the_plan(name: str, form: str, tmp_path: Path) -> None:
    plan = WRITTEN[name]
    arguments = read_back(training_arguments(plan, form), form, tmp_path)
    trainer: Any = Trainer(torch.nn.Linear(1, 1), arguments)
    assert arguments.max_steps == plan.total_steps
    trainer.create_optimizer_and_scheduler(arguments.max_steps)
    applied = []
    for _ in range(100):
        applied.append(trainer.optimizer.param_groups[0]["lr"])
        trainer.optimizer.step()
        trainer.lr_scheduler.step()
    assert applied == pytest.approx(plan(np.arange(100)).tolist(), rel=0, abs=1e-12 * plan.phases[-1].first_lr)


def test_python_is_the_program() -> None:
    for plan in WRITTEN.values():
        assert training_arguments(plan, "python") == to_code(plan, "huggingface")


def test_what_transformers_lacks_is_refused_in_every_form() -> None:
    plan = ks.sgdr(peak=0.05, period=10, stretch=2).plan(total_steps=1000)
    for form in ("python", "json", "yaml", "args"):
        with pytest.raises(ks.PlanError, match="'huggingface' cannot express"):
            training_arguments(plan, form)
