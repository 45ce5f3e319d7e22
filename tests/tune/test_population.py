"""The log of population-based training as a schedule: real logs of Ray, and logs that are none."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest

import kosine as ks
from tests.support.population_logs import REAL, RealRun

LINE = '["1", "2", 3, 4, {"lr": 0.1}, {"lr": 0.2}]'


def written(folder: Path, *lines: str) -> Path:
    path = folder / "pbt_policy_00001.txt"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def rates_of(schedule: ks.Schedule, steps_per_iteration: int, iterations: int) -> list[float]:
    """The rate of each iteration, which all its steps have."""
    plan = schedule.plan(total_steps=iterations * steps_per_iteration, clip=True)
    by_step = plan(np.arange(iterations * steps_per_iteration)).reshape(iterations, steps_per_iteration)
    assert (by_step == by_step[:, :1]).all()
    return [float(rate) for rate in by_step[:, 0]]


# --- real logs ---


@pytest.mark.parametrize("run", REAL, ids=str)
def test_a_real_log_reproduces_the_rate_of_every_iteration(run: RealRun) -> None:
    schedule = ks.population_schedule(
        run.path, "optimizer/lr", steps_per_iteration=5, perturbation_interval=run.perturbation_interval
    )
    assert rates_of(schedule, 5, len(run.rates)) == run.rates
    assert len(set(run.rates)) > 1


def test_without_the_interval_the_copies_are_where_ray_logs_them() -> None:
    run = next(run for run in REAL if not run.synchronous)
    lines = [json.loads(line) for line in run.path.read_text(encoding="utf-8").splitlines()]
    plan = ks.population_schedule(run.path, "optimizer/lr", steps_per_iteration=1).plan()
    for *_, at, before, after in lines:
        assert (plan(at - 1), plan(at)) == (before["optimizer"]["lr"], after["optimizer"]["lr"])
    assert rates_of(ks.population_schedule(run.path, "optimizer/lr", steps_per_iteration=1), 1, 12) != run.rates


# --- which lines count ---


def test_a_copy_of_a_trial_without_copies_makes_the_lines_before_it_void(tmp_path: Path) -> None:
    path = written(tmp_path, LINE, '["1", "3", 8, 8, {"lr": 0.5}, {"lr": 0.4}]')
    assert ks.population_schedule(path, steps_per_iteration=10) == ks.Schedule(
        ks.hold(80, start=0.5), ks.hold(start=0.4)
    )


def test_copies_that_keep_the_rate_make_no_phase(tmp_path: Path) -> None:
    lines = [f'["0", "0", {at}, {at}, {{"lr": {old}}}, {{"lr": {new}}}]' for at, old, new in ((2, 1, 1), (4, 1, 2))]
    schedule = ks.population_schedule(written(tmp_path, *lines, ""), steps_per_iteration=3)
    assert schedule == ks.Schedule(ks.hold(12, start=1), ks.hold(start=2))


def test_two_copies_at_one_iteration_leave_the_later_rate(tmp_path: Path) -> None:
    lines = [f'["0", "0", {at}, {at}, {{"lr": {old}}}, {{"lr": {new}}}]' for at, old, new in ((0, 3, 1), (0, 1, 2))]
    assert ks.population_schedule(written(tmp_path, *lines), steps_per_iteration=3) == ks.Schedule(ks.hold(start=2))


def test_a_copy_after_the_last_iteration_is_cut_off_with_clip(tmp_path: Path) -> None:
    schedule = ks.population_schedule(written(tmp_path, LINE), steps_per_iteration=1)
    assert rates_of(schedule, 1, 4) == [0.1] * 4


@pytest.mark.parametrize("key", ["train/optimizer/lr", "a/b"])
def test_a_key_leads_to_nested_names_and_may_be_a_name_with_a_slash(tmp_path: Path, key: str) -> None:
    configs = [{"train": {"optimizer": {"lr": rate}}, "a/b": rate} for rate in (0.1, 0.2)]
    path = written(tmp_path, json.dumps(["1", "2", 3, 4, *configs]))
    assert ks.population_schedule(path, key, steps_per_iteration=1) == ks.Schedule(
        ks.hold(4, start=0.1), ks.hold(start=0.2)
    )


# --- with the interval: a log as Ray writes it, whatever the trials' speeds ---


@pytest.mark.parametrize(
    ("interval", "synchronous"), [(1, False), (2, False), (5, False), (2, True), (5, True)], ids=str
)
def test_the_interval_finds_where_the_copies_were_made(tmp_path: Path, interval: int, synchronous: bool) -> None:
    chance = random.Random(interval)
    for _ in range(50):
        boundaries = sorted(chance.sample(range(1, 30), 4))
        lines = []
        for number, boundary in enumerate(boundaries):
            at = boundary * interval
            if synchronous:  # the last of all trials to report is logged one iteration early
                iteration, seen = at - (last := chance.randrange(3) == 0), at - (not last and chance.randrange(2))
            else:  # the trial that copies has just reported, and the copied one has gone on from what is copied
                iteration, seen = chance.randrange(1, 30) * interval - 1, at + chance.randrange(interval)
            rates = [{"lr": 0.1 + number}, {"lr": 1.1 + number}]
            lines.append(json.dumps([str(number + 1), str(number), iteration, seen, *rates]))
        schedule = ks.population_schedule(
            written(tmp_path, *lines), steps_per_iteration=7, perturbation_interval=interval
        )
        plan = schedule.plan()
        assert [plan(0), *(plan(boundary * interval * 7) for boundary in boundaries)] == [0.1, 1.1, 2.1, 3.1, 4.1]
        assert [plan(boundary * interval * 7 - 1) for boundary in boundaries] == [0.1, 1.1, 2.1, 3.1]


@pytest.mark.parametrize("interval", [3, 5, 60])
def test_an_interval_that_is_not_the_one_of_the_log(tmp_path: Path, interval: int) -> None:
    lines = [f'["0", "0", {at - 1}, {at}, {{"lr": 1}}, {{"lr": 2}}]' for at in (6, 8)]
    with pytest.raises(ks.LogError, match="`perturbation_interval` must be the iterations between copies"):
        ks.population_schedule(written(tmp_path, *lines), steps_per_iteration=1, perturbation_interval=interval)


# --- what is no such log ---


@pytest.mark.parametrize(
    ("lines", "rule"),
    [
        pytest.param([], "a log of population-based training", id="empty"),
        pytest.param(["", " "], "a log of population-based training", id="blank"),
        pytest.param([LINE, LINE[:-9]], r"line 2: .* on each line", id="cut off"),
        pytest.param(['{"lr": 0.1}'], r"line 1: .* on each line", id="an object"),
        pytest.param(["7"], r"line 1: .* on each line", id="a number"),
        pytest.param(['["1", "2", 3, 4, {"lr": 0.1}]'], r"line 1: .* on each line", id="five parts"),
        pytest.param(["[" * 100_000], r"line 1: .* on each line", id="nested deeply"),
        pytest.param(["1" * 100_000], r"line 1: .* on each line", id="many digits"),
        pytest.param(["\udcff"], r"line 1: .* on each line", id="no UTF-8"),
        pytest.param([LINE.replace('"1"', "1")], "with tags of text", id="a tag of another type"),
        pytest.param([LINE.replace("3", "-1")], "with iterations that are integers >= 0", id="an iteration below 0"),
        pytest.param([LINE.replace("4", "4.5")], "with iterations that are integers >= 0", id="half an iteration"),
        pytest.param([LINE.replace("4", "true")], "with iterations that are integers >= 0", id="a boolean"),
        pytest.param([LINE.replace("4", str(2**63))], "with iterations that are integers >= 0", id="beyond 64 bits"),
        pytest.param([LINE.replace("4", str(2**62))], "a log of at most 2.*steps in all", id="beyond 64 bits of steps"),
        pytest.param([LINE, LINE.replace('"2", 3, 4', '"1", 5, 3')], "iterations go up, here from 4 on", id="back"),
        pytest.param([LINE + " " * 2**20], "lines of at most 1,048,576 bytes", id="a long line"),
        pytest.param(
            [LINE, LINE.replace('"1", "2"', '"5", "6"')], r"the log of one trial.*2 trials: '1', '5'", id="two trials"
        ),
    ],
)
def test_a_file_that_is_no_log_of_a_trial(tmp_path: Path, lines: list[str], rule: str) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes("\n".join(lines).encode("utf-8", "surrogateescape"))
    with pytest.raises(ks.LogError, match=rule) as caught:
        ks.population_schedule(path, steps_per_iteration=10)
    assert caught.value.argument == "path"
    assert caught.value.where.startswith(str(path))


@pytest.mark.parametrize(
    "rate", ["-0.1", "NaN", "Infinity", "1e999", '"0.1"', "true", "[0.1]", "{}", "9" * 400], ids=lambda rate: rate[:9]
)
def test_a_rate_that_is_no_rate(tmp_path: Path, rate: str) -> None:
    path = written(tmp_path, LINE, f'["1", "1", 8, 8, {{"lr": 0.2}}, {{"lr": {rate}}}]')
    with pytest.raises(ks.LogError, match=r"line 2: .*`key` must be the name of a finite number >= 0"):
        ks.population_schedule(path, steps_per_iteration=10)


@pytest.mark.parametrize(
    ("config", "fix"),
    [
        ({"opt": {"lr": 0.1}, "name": "sgd", "seed": 3}, 'Its numbers are "seed", "opt/lr".'),
        ({"name": "sgd"}, "Its configs have no number."),
        ({"lr": None}, "Its configs have no number."),
        ([0.1], "Its configs have no number."),
    ],
)
def test_a_key_that_the_config_does_not_have(tmp_path: Path, config: object, fix: str) -> None:
    path = written(tmp_path, json.dumps(["1", "2", 3, 4, config, config]))
    with pytest.raises(ks.LogError, match="the name of the rate in the trial's config") as caught:
        ks.population_schedule(path, steps_per_iteration=10)
    assert (caught.value.argument, caught.value.received, caught.value.fix) == ("key", "lr", fix)


def test_the_files_of_the_trials_are_named_where_a_folder_or_the_log_of_all_is_given(tmp_path: Path) -> None:
    written(tmp_path, LINE)
    every = tmp_path / "pbt_global.txt"
    every.write_text(f"{LINE}\n{LINE.replace('1', '7')}", encoding="utf-8")
    for path in (tmp_path, every):
        with pytest.raises(ks.LogError, match=r"of one trial: pbt_policy_00001\.txt"):
            ks.population_schedule(path, steps_per_iteration=10)


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes((b" " * 1023 + b"\n") * (2**14 + 1))
    with pytest.raises(ks.LogError, match="a log of at most 16,777,216 bytes"):
        ks.population_schedule(path, steps_per_iteration=10)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ks.population_schedule(tmp_path / "none", steps_per_iteration=10)


@pytest.mark.parametrize(
    ("arguments", "error", "rule"),
    [
        ({"path": 3}, ks.ArgumentTypeError, "`path` must be the path of a file"),
        ({"path": "\ud800"}, ks.LogError, "`path` must be the path of a file"),
        ({"path": "a\0b"}, ks.LogError, "`path` must be the path of a file"),
        ({"key": 3}, ks.ArgumentTypeError, "`key` must be a name"),
        ({"steps_per_iteration": 0}, ks.ScheduleError, "`steps_per_iteration` must be an integer >= 1"),
        ({"steps_per_iteration": 1.5}, ks.ArgumentTypeError, "`steps_per_iteration` must be an integer >= 1"),
        ({"perturbation_interval": 0}, ks.ScheduleError, "`perturbation_interval` must be an integer >= 1"),
    ],
)
def test_an_argument_that_breaks_its_rule(
    tmp_path: Path, arguments: dict[str, object], error: type[Exception], rule: str
) -> None:
    given = {"path": written(tmp_path, LINE), "steps_per_iteration": 10} | arguments
    with pytest.raises(error, match=rule):
        ks.population_schedule(**given)  # type: ignore[arg-type]  # that is the test
