"""`ks.space`: its text, its parameters and their names, its values, and what it refuses."""

from __future__ import annotations

import json
import pickle
import random
from typing import Any

import numpy as np
import pytest

import kosine as ks
from kosine._tune.parameters import Choice, Integers, Log, Share, Uniform

TEXT = 'warmup_cosine(peak=log(1e-4, 1e-2), warmup=choice("1%", "5%"), floor=0.0)'
SPACE = ks.space(TEXT)
EACH_KIND = ks.space(
    'Schedule(linear(integers(10, 90), start=0.0, to=log(1e-5, 1e-1)), hold("20%"), choice(cosine("20%", to=1e-6), '
    'linear("20%", to=1e-6)), cosine(share("5%", "40%"), to=uniform(0.0, 1e-6)))'
)


def schedules(count: int, space: ks.Space = EACH_KIND) -> list[ks.Schedule]:
    return [space.sample(seed) for seed in range(count)]


# --- the value ---


def test_its_repr_is_its_text_which_reads_back() -> None:
    written = 'warmup_cosine(peak=log(0.0001, 0.01), warmup=choice("1%", "5%"), floor=0.0)'
    assert repr(SPACE) == str(SPACE) == SPACE.text == written
    for space in (SPACE, EACH_KIND):
        assert ks.space(repr(space)) == ks.loads(ks.dumps(space)) == pickle.loads(pickle.dumps(space)) == space
        assert hash(ks.space(repr(space))) == hash(space)
    assert ks.space(TEXT.replace("1e-2", "2e-2")) != SPACE
    assert ks.space("ks.warmup_cosine(peak = ks.log(1e-4, 0.01), warmup=choice('1%', '5%'), floor=0.0)") == SPACE


def test_its_json_has_a_version() -> None:
    assert json.loads(ks.dumps(SPACE)) == {"format": "kosine", "version": 1, "space": SPACE.text}


@pytest.mark.parametrize(
    ("document", "error", "message"),
    [
        ({"space": TEXT, "run": {}}, ks.NotationError, r"The document has the unknown fields \['run'\]"),
        ({"space": 3}, ks.ArgumentTypeError, r"Argument `text` must be a string\. Received: text=3\."),
        ({"space": TEXT, "version": 2}, ks.NotationError, "Update kosine"),
        ({"space": "constant(0.1)"}, ks.NotationError, "A space needs a parameter"),
    ],
)
def test_a_document_that_is_no_space(document: dict[str, Any], error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        ks.loads(json.dumps({"format": "kosine", "version": 1, **document}))


def test_it_is_frozen() -> None:
    with pytest.raises(AttributeError):
        SPACE.text = "constant(log(1, 2))"  # type: ignore[misc]
    SPACE.parameters.clear()
    assert list(SPACE.parameters) == ["peak", "warmup"]


def test_where_a_schedule_is_needed_it_says_how_to_make_one() -> None:
    with pytest.raises(AttributeError, match=r"A space has no attribute 'plan'\. Make a schedule first: "):
        SPACE.plan(total_steps=100)
    with pytest.raises(AttributeError, match=r"`log\(\.\.\.\)` stands inside the text of `ks\.space`"):
        ks.log(1e-4, 1e-2)


# --- its parameters ---


def test_each_kind_of_parameter() -> None:
    assert SPACE.parameters == {"peak": Log(1e-4, 1e-2), "warmup": Choice(("1%", "5%"))}
    assert EACH_KIND.parameters == {
        "linear_duration": Integers(10, 90),
        "linear_to": Log(1e-5, 1e-1),
        "part": Choice(('cosine("20%", to=1e-06)', 'linear("20%", to=1e-06)')),
        "cosine_duration": Share(5, 40),
        "cosine_to": Uniform(0.0, 1e-6),
    }


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("warmup_cosine(log(1e-4, 1e-2))", ["peak"]),
        ("warmup_cosine(log(1e-4, 1e-2), warmup=integers(1, 9))", ["peak", "warmup"]),
        (
            "Schedule(linear(5, start=0.0, to=log(1e-4, 1e-2)), linear(to=uniform(0, 1e-4)))",
            ["linear1_to", "linear2_to"],
        ),
        (
            "Schedule(linear(integers(1, 9), start=0.0, to=log(1e-4, 1e-2)), hold(5), linear(5, to=uniform(0, 1e-4)), "
            "cosine(to=uniform(0, 1e-4)))",
            ["duration", "linear1_to", "linear2_to", "cosine_to"],
        ),
        (
            "Schedule(section(linear(integers(1, 9), start=0.0, to=0.1), skip=integers(0, 2)), cosine(to=0.0))",
            ["duration", "skip"],
        ),
        (
            "Schedule(cycles(cosine(integers(1, 9), start=log(1e-3, 1), to=0.0), stretch=choice(1, 2)))",
            ["duration", "start", "stretch"],
        ),
        ('piecewise([(0, log(1e-3, 1e-1)), ("50%", log(1e-4, 1e-3))])', ["points1", "points2"]),
        ("choice(constant(0.1), constant(0.2))", ["schedule"]),
        (
            'Schedule(linear(5, start=0.0, to=log(1e-4, 1e-2, name="peak")), cosine(5, start=log(1e-4, 1e-2, '
            'name="peak"), to=0.0))',
            ["peak"],
        ),
        ('warmup_cosine(peak=log(1e-3, 1), floor=log(1e-6, 1e-4, name="peak"))', ["warmup_cosine_peak", "peak"]),
    ],
)
def test_a_parameter_is_called_as_its_argument(text: str, names: list[str]) -> None:
    assert list(ks.space(text).parameters) == names


def test_two_places_can_share_a_parameter() -> None:
    peak = 'log(1e-4, 1e-2, name="peak")'
    space = ks.space(f'Schedule(linear("5%", start=0.0, to={peak}), cosine("50%", start={peak}, to=0.0))')
    assert space(peak=1e-3) == ks.parse(
        'Schedule(linear("5%", start=0.0, to=0.001), cosine("50%", start=0.001, to=0.0))'
    )
    assert ks.space(space.text) == space
    with pytest.raises(ks.NotationError, match=r"share the parameter 'peak' need the same range"):
        ks.space(space.text.replace("0.01", "0.02", 1))


# --- its values ---


def test_values_make_the_schedule_that_the_text_says() -> None:
    space = ks.space('wsd(peak=log(1e-4, 1e-2), warmup=choice("1%", "5%"), cooldown=share("5%", "60%"))')
    expected = ks.wsd(peak=3e-4, warmup="5%", cooldown="22.5%")
    assert space(peak=3e-4, warmup="5%", cooldown=22.5) == space(peak=3e-4, warmup="5%", cooldown="22.5%") == expected
    assert space({"peak": 3e-4, "warmup": "5%", "cooldown": 22.5, "batch_size": 32}) == expected


def test_a_choice_may_be_of_curves_in_quotes_and_of_whole_schedules() -> None:
    space = ks.space('Schedule(linear("5%", start=0.0, to=1e-3), choice("cosine(to=0.0)", linear(to=0.0)))')
    assert space(part="linear(to=0.0)") == ks.linear_to_zero(peak=1e-3, warmup="5%")
    space = ks.space('choice(warmup_cosine(peak=1e-3), wsd(peak=1e-3, cooldown="20%"))')
    assert space(schedule='wsd(peak=0.001, cooldown="20%")') == ks.wsd(peak=1e-3, cooldown="20%")


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ({"peak": 3, "warmup": "5%"}, ks.ArgumentError, r"`peak` must be a number from 0\.0001 to 0\.01\. .*peak=3\.$"),
        ({"peak": float("nan"), "warmup": "5%"}, ks.ArgumentError, r"Received: peak=nan\.$"),
        ({"peak": "1e-3", "warmup": "5%"}, ks.ArgumentTypeError, r"Write 1e-3 without quotes\.$"),
        ({"peak": 1e-3, "warmup": "2%"}, ks.ArgumentError, r"`warmup` must be one of '1%', '5%'\."),
        ({"peak": 1e-3}, ks.ArgumentError, r"Give a value for warmup\. Received: peak\. Its parameters are peak: log"),
        ({}, ks.ArgumentError, r"Give a value for peak and warmup\. Received: no value\."),
        (
            {"lr": 1e-3},
            ks.ArgumentError,
            r"no parameter 'lr'\. .* Its parameters are peak: log\(0\.0001",
        ),
        ({"paek": 1e-3, "warmup": "5%"}, ks.ArgumentError, r"no parameter 'paek'\. .* Did you mean 'peak'\?"),
    ],
)
def test_values_that_break_a_rule(values: dict[str, Any], error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        SPACE(**values)


def test_a_mapping_needs_all_values_and_nothing_else_can_be_called() -> None:
    with pytest.raises(ks.ArgumentError, match=r"Give a value for warmup\. Received: peak\."):
        SPACE({"peak": 1e-3, "batch_size": 32})
    with pytest.raises(ks.ArgumentTypeError, match=r"called with a mapping .* Write space\(peak=\.\.\.\)\."):
        SPACE([1e-3, "5%"])  # type: ignore[arg-type]
    with pytest.raises(ks.ArgumentTypeError, match="as one mapping or by their names"):
        SPACE({"peak": 1e-3}, warmup="5%")


def test_values_that_make_no_schedule_together_raise_and_others_do() -> None:
    space = ks.space("warmup_cosine(peak=log(1e-4, 1e-2), floor=log(1e-5, 1e-3))")
    assert space(peak=1e-4, floor=1e-5) == ks.warmup_cosine(peak=1e-4, floor=1e-5)
    with pytest.raises(ks.ScheduleError, match=r"`peak` must be at least `floor`"):
        space(peak=1e-4, floor=1e-3)


# --- samples ---


def test_a_seed_gives_one_schedule() -> None:
    assert schedules(50) == schedules(50, ks.space(EACH_KIND.text))
    assert len({*schedules(50)}) == 50
    assert schedules(50) == [EACH_KIND(**EACH_KIND.values(seed)) for seed in range(50)]


def test_the_samples_of_a_seed_are_written_here_for_every_machine() -> None:
    assert repr(SPACE.sample(3)) == 'Schedule(linear("5%", start=0.0, to=0.0002991777241598977), cosine(to=0.0))'
    assert EACH_KIND.values(0) == {
        "linear_duration": 78,
        "linear_to": 0.010760132314343229,
        "part": 'cosine("20%", to=1e-06)',
        "cosine_duration": 14.062086260253718,
        "cosine_to": 5.112747213686085e-07,
    }


def test_a_generator_goes_on_with_each_sample() -> None:
    for generators in ([random.Random(7) for _ in range(2)], [np.random.default_rng(7) for _ in range(2)]):
        first, second = ([EACH_KIND.sample(generator) for _ in range(5)] for generator in generators)
        assert first == second
        assert len({*first}) == 5
    assert EACH_KIND.sample(random.Random(7)) == EACH_KIND.sample(7) == EACH_KIND.sample(np.int64(7))  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", [-1, 1.5, "3", None, True, random, np.random])
def test_a_seed_is_an_integer_or_a_generator(seed: Any) -> None:
    with pytest.raises((ks.ArgumentError, ks.ArgumentTypeError), match=r"`seed` must be an integer >= 0, or a "):
        EACH_KIND.sample(seed)


def test_every_one_of_thousands_of_samples_is_inside_its_bounds() -> None:
    parameters = EACH_KIND.parameters
    seen: dict[str, list[Any]] = {name: [] for name in parameters}
    generator = random.Random(0)
    for _ in range(5_000):
        for name, value in EACH_KIND.values(generator).items():
            assert parameters[name].read(value, name) == value
            seen[name].append(value)
    low, middle, high = 1e-5, 1e-3, 1e-1  # half of a logarithmic range is below its geometric middle
    assert all(low <= value <= high for value in seen["linear_to"])
    assert sum(value < middle for value in seen["linear_to"]) == pytest.approx(2_500, abs=150)
    assert {*seen["linear_duration"]} == {*range(10, 91)}
    assert all(5 <= value <= 40 for value in seen["cosine_duration"])
    assert all(0 <= value <= 1e-6 for value in seen["cosine_to"])
    assert {*seen["part"]} == {*parameters["part"].ends()}


def test_a_share_becomes_a_duration_of_the_run() -> None:
    space = ks.space('wsd(peak=1.0, cooldown=share("5%", "60%"))')
    for seed in range(20):
        percent = space.values(seed)["cooldown"]
        assert isinstance(percent, float)
        cooldown = space.sample(seed).plan(total_steps=10_000).phases[-1]
        assert cooldown.steps == pytest.approx(100 * percent, abs=1)


# --- texts that are no space ---


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("warmup_cosine(peak=1e-3)", ks.NotationError, r"A space needs a parameter: log.* `ks\.parse` reads "),
        ("warmup_cosine(peak=log(1e-2, 1e-4))", ks.ArgumentError, r"^log\(0\.01, 0\.0001\): .* Write log\(0\.0001, 0"),
        ("warmup_cosine(peak=log(0, 1e-4))", ks.ArgumentError, r"^log\(0, 0\.0001\): Argument `low` must be .* > 0\."),
        ("warmup_cosine(peak=log(1e-4))", ks.NotationError, r"`log` cannot be called like this: missing .*'high'"),
        ("warmup_cosine(peak=log(1e-4, 1e-2, base=10))", ks.NotationError, r"`log` has no argument 'base'"),
        ("warmup_cosine(peak=log_uniform(1e-4, 1e-2))", ks.NotationError, r"expected `log` at character 20"),
        ("warmup_cosine(peak=loguniform(1e-4, 1e-2))", ks.NotationError, r"expected `log` at character 20"),
        ("warmup_cosine(peak=logs(1e-4, 1e-2))", ks.NotationError, r"expected `log` at character 20"),
        ("warmup_cosine(peak=randint(1, 2))", ks.NotationError, r"expected `integers` at character 20"),
        ("warmup_cosne(peak=log(1e-4, 1e-2))", ks.NotationError, r"expected `warmup_cosine` at character 1"),
        ("warmup_cosine(lr=log(1e-4, 1e-2))", ks.NotationError, r"Write `peak` for lr\."),
        ("warmup_cosine(peak=peak)", ks.NotationError, r"expected `\(` after the name 'peak'"),
        ('wsd(1.0, warmup=choice(["1%", "5%"]))', ks.NotationError, r'without brackets\. .* Write choice\("1%"'),
        ("wsd(1.0, warmup=choice())", ks.ArgumentError, r"`choice` needs options"),
        ("piecewise(choice([(0, 0.1)], [(0, 0.2)]))", ks.ArgumentTypeError, r"one of numbers, texts and calls"),
        ('wsd(1.0, warmup=choice("1%", "5 eps"))', ks.ScheduleError, r'^warmup=choice.* mean "5ep"'),
        ("wsd(1.0, warmup=uniform(0.01, 0.1))", ks.ArgumentTypeError, r'write share\("1%", "10%"\)\.$'),
        ("wsd(1.0, warmup=uniform(10, 100))", ks.ArgumentTypeError, r"Write integers\(10, 100\)\.$"),
        ('wsd(1.0, warmup=log("1%", "10%"))', ks.ArgumentTypeError, r'write share\("1%", "10%"\)\.$'),
        ("wsd(1.0, warmup=share(0.01, 0.1))", ks.ArgumentError, r'as in share\("5%", "60%"\)\. .* mean "1%"\?$'),
        ('wsd(1.0, warmup=share("1%", "110%"))', ks.ArgumentError, r"`high` must be a share of the run"),
        ('wsd(1.0, warmup=share("1ep", "9ep"))', ks.ArgumentError, r"`low` must be a share of the run"),
        ("wsd(1.0, warmup=integers(1.5, 9))", ks.ArgumentTypeError, r"`low` must be an integer\. Received: low=1\.5\."),
        ("sgdr(1.0, period=5, shrink=uniform(0.5, 1.5))", ks.ScheduleError, r"^shrink=uniform.* Received: shrink=1\.5"),
        ("warmup_cosine(log(1e-4, 1e-2), floor=1e-3)", ks.ScheduleError, r"^peak=log.* peak=0\.0001, floor=0\.001"),
        ("cosine(start=log(1e-4, 1e-2), to=0.0)", ks.NotationError, r"Write Schedule\(\.\.\.\) around its phases"),
        ("linear(5, start=0.0, to=log(1e-4, 1e-2)), cosine(to=0.0)", ks.NotationError, r"nothing more after"),
        ("log(1e-4, 1e-2)", ks.NotationError, r"The text of a space must be a schedule"),
        ("", ks.NotationError, r"expected a schedule"),
        ("constant(log(log(1, 2), 3))", ks.ArgumentTypeError, r"`low` must be a finite number > 0"),
        ("constant(choice(0.1, log(1, 2)))", ks.NotationError, r"only where that option is chosen"),
        ("choice(constant(log(1, 2)), constant(5))", ks.NotationError, r"only where that option is chosen"),
        ("choice('constant(log(1, 2))', constant(5))", ks.NotationError, r"only where that option is chosen"),
        ('constant(log(1, 2, name="my peak"))', ks.ArgumentError, r"`name` must be a name of letters, digits and _"),
        ('constant(log(1, 2, name="from"))', ks.ArgumentError, r"`name` must be a name of letters, digits and _"),
        ("constant(log(1, 2, name=3))", ks.ArgumentTypeError, r'`name` must be a text, as in name="peak"'),
        ("constant(log(1, 2)).plan(total_steps=5)", ks.NotationError, r"Leave out `\.plan\(\.\.\.\)`"),
        ("constant(__import__('os').system('ls'))", ks.NotationError, r"expected one of .* at character 10"),
        ("constant(" + "log(" * 40, ks.NotationError, r"at most 32 calls inside each other"),
        (f"Schedule({'hold(5, start=log(1, 2)), ' * 101})", ks.NotationError, r"at most 100 parameters\. .* 101"),
        ("constant(log(1, 2))" + " " * 2**14, ks.NotationError, r"has at most 16,384 characters"),
    ],
)  # fmt: skip
def test_a_text_that_is_no_space(text: str, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        ks.space(text)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            ks.constant(0.1),
            r"Write 'Schedule\(hold\(start=0\.1\)\)' in quotes, and log\(1e-4, 1e-2\), say, ",
        ),
        (ks.constant(0.1).plan(), r"Write 'Schedule\(hold\(start=0\.1\)\)' in quotes"),
        (3, r"Argument `text` must be a string\. Received: text=3\."),
        (TEXT.encode(), r"Argument `text` must be a string"),
    ],
)
def test_what_is_no_text(value: Any, message: str) -> None:
    with pytest.raises(ks.ArgumentTypeError, match=message):
        ks.space(value)
