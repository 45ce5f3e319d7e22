"""Spaces and logs of population-based training with Ray Tune itself: sweeps run on a local cluster of two workers."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ray.tune.schedulers import PopulationBasedTrainingReplay

import kosine as ks
from tests.support import ray_sweeps
from tests.support.ray_cluster import printed

SPACE = ks.space(
    'warmup_cosine(peak=log(1e-4, 1e-2), warmup=integers(0, 3), hold=share("5%", "60%"), '
    "floor=uniform(0.0, 1e-5), warmup_start=choice(0.0, 1e-6, 1e-5))"
)


# --- domains ---


def draws(seed: int, count: int) -> list[dict[str, Any]]:
    state = np.random.RandomState(seed)
    return [{name: domain.sample(random_state=state) for name, domain in SPACE.ray().items()} for _ in range(count)]


def test_rays_domains_draw_all_of_each_range_and_nothing_outside() -> None:
    drawn = draws(0, 500)
    for values in drawn:
        assert {name: each.read(values[name], name) for name, each in SPACE.parameters.items()} == values
    of = {name: [values[name] for values in drawn] for name in SPACE.parameters}
    assert set(of["warmup"]) == {0, 1, 2, 3}
    assert set(of["warmup_start"]) == {0.0, 1e-6, 1e-5}
    for name, low, high in (("hold", 5, 60), ("floor", 0, 1e-5)):
        assert np.quantile(of[name], [0, 0.5, 1]) == pytest.approx([low, (low + high) / 2, high], abs=high / 10)
    assert np.quantile(np.log10(of["peak"]), [0, 0.5, 1]) == pytest.approx([-4, -3, -2], abs=0.2)


def test_a_seed_of_rays_gives_one_list_of_schedules() -> None:
    first, again, other = ([SPACE(**values) for values in draws(seed, 20)] for seed in (3, 3, 4))
    assert first == again
    assert first != other
    assert len(set(first)) == 20


def test_without_ray_the_error_says_what_to_install() -> None:
    code = f"import sys; sys.modules['ray'] = None\nimport kosine\nkosine.space({SPACE.text!r}).ray()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("kosine.errors.MissingPackageError: `space.ray` needs Ray Tune.")
    assert "[ray]" in last


# --- logs of population-based training ---


def test_a_log_is_read_as_rays_replay_reads_it(tmp_path: Path) -> None:
    chance = random.Random(0)
    for case in range(100):
        at, lines, rate, tag = 0, [], chance.random(), 0
        for _ in range(chance.randint(1, 8)):
            at += chance.randint(1, 5)
            copied = tag if chance.random() < 0.7 else 9  # 9 has copied none: what was before is void
            tag = chance.randrange(4) if copied == tag else tag
            rate, before = chance.random(), rate
            lines.append(json.dumps([str(tag), str(copied), at, at, {"lr": before}, {"lr": rate}]))
        path = tmp_path / f"pbt_policy_{case}.txt"
        path.write_text("\n".join(lines), encoding="utf-8")
        replay = PopulationBasedTrainingReplay(str(path))
        points = [(0, replay.config["lr"]), *((5 * at, config["lr"]) for at, config in replay._policy)]
        assert ks.population_schedule(path, steps_per_iteration=5) == ks.piecewise(points)


# --- on a cluster ---


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What came of the sweeps of `ray_sweeps`, in a process of their own where each warning is an error."""
    folder = tmp_path_factory.mktemp("ray")
    printed(folder, "-W", "error", "-m", "tests.support.ray_sweeps", str(folder))
    found: dict[str, Any] = json.loads((folder / "outcome.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.slow
def test_two_sweeps_of_one_seed_train_with_the_same_schedules(outcome: dict[str, Any]) -> None:
    first, second = ([(run["config"], run["schedule"], run["loss"]) for run in runs] for runs in outcome["sweeps"])
    assert first == second
    assert len({schedule for _, schedule, _ in first}) == 6
    for config, schedule, _ in first:
        assert ks.parse(schedule) == ray_sweeps.SPACE(**config)  # raises for a value outside its range
    assert all(len({run["pid"] for run in runs}) == 2 for runs in outcome["sweeps"])


@pytest.mark.slow
def test_spaces_schedules_and_plans_come_back_from_a_worker_as_they_were(outcome: dict[str, Any]) -> None:
    assert outcome["sent"] == [True, True, True]


@pytest.mark.slow
def test_asha_stops_runs_at_the_ends_of_their_cycles(outcome: dict[str, Any]) -> None:
    ends = ray_sweeps.CYCLES.cycle_ends.tolist()
    best, *others = outcome["pruned"].values()
    assert best == ends
    assert others == [ends[:1]] * 3


@pytest.mark.slow
def test_a_finished_population_reproduces_the_rate_of_every_iteration(outcome: dict[str, Any]) -> None:
    assert outcome["population"]
    for trial in outcome["population"]:
        schedule = ks.population_schedule(
            trial["log"],
            "optimizer/lr",
            steps_per_iteration=ray_sweeps.STEPS_PER_ITERATION,
            perturbation_interval=ray_sweeps.INTERVAL,
        )
        plan = schedule.plan(total_steps=ray_sweeps.ITERATIONS * ray_sweeps.STEPS_PER_ITERATION, clip=True)
        steps = range(0, plan.total_steps or 0, ray_sweeps.STEPS_PER_ITERATION)
        assert [plan(step) for step in steps] == trial["rates"]
        assert len(set(trial["rates"])) > 1
