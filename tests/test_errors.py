"""Errors: their fields, and their text for Python and for a terminal."""

from __future__ import annotations

import copy
import pickle

import pytest

import kosine as ks
from kosine.errors import Described, Name, missing_package

CLASSES = [
    ks.ArgumentError,
    ks.ArgumentTypeError,
    ks.ScheduleError,
    ks.PlanError,
    ks.StepError,
    ks.NotationError,
    ks.LogError,
    ks.TrainingError,
    ks.MissingPackageError,
]
RUN = ks.PlanError(
    ("Arguments ", Name("total_steps"), " and ", Name("epochs"), " disagree."),
    received={"total_steps": 5, "epochs": 2},
    fix=("Leave out ", Name("epochs"), "."),
)


def as_options(error: ks.KosineError) -> str:
    return error.written(lambda name: f"--{name.replace('_', '-')}", lambda name: f"--{name.replace('_', '-')} ")


def test_an_argument_that_breaks_a_rule_is_written_with_its_name_rule_value_and_fix() -> None:
    error = ks.ScheduleError(argument="stretch", rule="a number >= 1", received=0.5, fix="Use 2.")
    assert (error.argument, error.rule, error.received, error.fix) == ("stretch", "a number >= 1", 0.5, "Use 2.")
    assert str(error) == "Argument `stretch` must be a number >= 1. Received: stretch=0.5. Use 2."
    assert error.args == (str(error),)


def test_names_of_arguments_are_written_as_options_on_the_command_line() -> None:
    assert str(RUN) == "Arguments `total_steps` and `epochs` disagree. Received: total_steps=5, epochs=2. " + (
        "Leave out `epochs`."
    )
    assert as_options(
        RUN
    ) == "Arguments --total-steps and --epochs disagree. Received: --total-steps 5, --epochs 2. " + (
        "Leave out --epochs."
    )
    assert as_options(ks.PlanError(argument="total_steps", rule=">= 1", received=0)) == (
        "--total-steps must be >= 1. Received: --total-steps 0."
    )


def test_the_users_own_text_is_never_rewritten() -> None:
    error = ks.NotationError("Not a schedule.", received="OneCycleLR(0.1, total_steps=100, `epochs`)")
    assert "'OneCycleLR(0.1, total_steps=100, `epochs`)'" in as_options(error)


def test_a_value_in_words_stands_as_it_is_and_a_dictionary_is_one_value() -> None:
    assert str(ks.PlanError("No.", received=Described("3 plans for 2 groups"))) == "No. Received: 3 plans for 2 groups."
    assert str(ks.ScheduleError(argument="values", rule="a list", received={"a": 1})).endswith("values={'a': 1}.")
    assert str(ks.ScheduleError(argument="values", rule="a list", received={})).endswith("Received: values={}.")


def test_a_changed_error_says_more_and_leaves_the_first_as_it_was() -> None:
    changed = RUN.changed(where="run.toml", fix="")
    assert str(changed) == "run.toml: " + str(RUN).removesuffix(" Leave out `epochs`.")
    assert changed.received == {"total_steps": 5, "epochs": 2}
    assert type(changed) is ks.PlanError
    assert RUN.where == ""
    assert str(RUN).startswith("Arguments")


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_errors_are_copied_and_pickled_with_their_fields(kind: type[ks.KosineError]) -> None:
    error = kind(("Give ", Name("epochs"), "."), argument="x", rule="small", received=lambda: 1, where="a.toml")
    for other in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert type(other) is kind
        assert str(other) == str(error)
        assert as_options(other) == as_options(error)
        assert (other.argument, other.rule, other.where) == ("x", "small", "a.toml")


@pytest.mark.parametrize(
    ("schedule", "run", "missing"),
    [
        ("warmup_cosine(peak=1)", {}, "total_steps"),
        ("warmup_cosine(peak=1, warmup='5%')", {}, "total_steps"),
        ("constant(1)", {"epochs": 5}, "steps_per_epoch"),
        ("warmup_cosine(peak=1, warmup='5ep')", {"total_steps": 9}, "steps_per_epoch"),
        ("warmup_cosine(peak=1, warmup='5sp')", {"total_steps": 9}, "samples_per_step"),
        ("warmup_cosine(peak=1, warmup='5tok')", {"total_steps": 9}, "tokens_per_step"),
        ("constant(1)", {"dataset_size": 9}, "batch_size"),
        ("constant(1)", {"total_steps": 0}, None),
    ],
)
def test_a_plan_error_says_which_argument_of_plan_is_missing(
    schedule: str, run: dict[str, int], missing: str | None
) -> None:
    with pytest.raises(ks.PlanError) as raised:
        ks.parse(schedule).plan(**run)
    assert raised.value.missing == missing
    assert pickle.loads(pickle.dumps(raised.value)).missing == missing
    assert raised.value.changed(where="run.toml").missing == missing


def test_a_missing_package_names_the_extra_that_brings_it() -> None:
    assert str(missing_package("A picture", "Matplotlib", "plot")) == (
        "A picture needs Matplotlib. Install it in your clone of kosine: pip install '.[plot]'"
    )
