"""Sweeps on a local Ray cluster of two workers.

`python -m tests.support.ray_sweeps FOLDER` writes what came of them to FOLDER/outcome.json.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import ray
from ray import tune
from ray.tune.schedulers import ASHAScheduler, PopulationBasedTraining
from ray.tune.search.basic_variant import BasicVariantGenerator

import kosine as ks

SPACE = ks.space('warmup_cosine(peak=log(1e-2, 1.0), warmup=choice("5%", "20%"), hold=share("0%", "30%"), floor=0.0)')
STEPS = 60
CYCLES = ks.sgdr(peak=0.5, period=10, stretch=2).plan(total_steps=70)
ITERATIONS, STEPS_PER_ITERATION, INTERVAL = 13, 3, 2  # an odd number: no copy is made at the end


def descend(rate: float, weight: float) -> float:
    """A step of gradient descent on the square of the weight."""
    return weight - rate * weight


def meet(place: Path, count: int) -> None:
    """Wait until so many processes are here, so that none does all the work before the others have started."""
    place.mkdir(parents=True, exist_ok=True)
    (place / str(os.getpid())).touch()
    while len(list(place.iterdir())) < count:
        time.sleep(0.02)


def results_of(tuner: tune.Tuner) -> list[Any]:
    results = tuner.fit()
    assert not results.errors, results.errors
    return [results[number] for number in range(len(results))]


def train(config: dict[str, Any], place: Path) -> None:
    """One run of a sweep, with the schedule that the worker makes of its values."""
    meet(place, 2)
    schedule = SPACE(**config)
    plan, weight = schedule.plan(total_steps=STEPS), 1.0
    for step in range(STEPS):
        weight = descend(plan(step), weight)
    tune.report({"loss": abs(weight), "schedule": str(schedule)})


def sweep(folder: Path, name: str) -> list[dict[str, Any]]:
    """The config, the schedule and the loss of each run; all runs are of one seed."""
    tuner = tune.Tuner(
        tune.with_parameters(train, place=folder / f"meeting-{name}"),
        param_space=SPACE.ray(),
        tune_config=tune.TuneConfig(
            num_samples=6, search_alg=BasicVariantGenerator(random_state=7, max_concurrent=2), reuse_actors=True
        ),
        run_config=_run_config(folder, name),
    )
    results = results_of(tuner)
    rows = [(result.config, result.metrics) for result in results]
    return [
        {"config": config, "schedule": metrics["schedule"], "loss": metrics["loss"], "pid": metrics["pid"]}
        for config, metrics in rows
    ]


def train_with_cycles(config: dict[str, Any]) -> None:
    """One run that reports at the ends of its cycles."""
    plan, weight, reported = config["plan"], 1.0, list[int]()
    for step in range(plan.total_steps):
        weight = descend(plan(step) * config["scale"], weight)
        if step in plan.cycle_ends:
            reported.append(step)
            tune.report({"loss": abs(weight), "steps": step + 1, "reported": json.dumps(reported)})


def pruned(folder: Path) -> dict[str, list[int]]:
    """The cycle ends that each of four runs with other rates reported, where ASHA stops the worse half."""
    tuner = tune.Tuner(
        train_with_cycles,
        param_space={"scale": tune.grid_search([1.0, 0.5, 0.01, 0.001]), "plan": CYCLES},
        tune_config=tune.TuneConfig(
            metric="loss",
            mode="min",
            scheduler=ASHAScheduler(time_attr="steps", max_t=70, grace_period=10, reduction_factor=2),
            search_alg=BasicVariantGenerator(max_concurrent=1),
            reuse_actors=True,
        ),
        run_config=_run_config(folder, "asha"),
    )
    results = results_of(tuner)
    return {str(result.config["scale"]): json.loads(result.metrics["reported"]) for result in results}


def train_population(config: dict[str, Any], place: Path) -> None:
    """A trial of population-based training; its checkpoint holds the rate of every iteration of its weights."""
    rates: list[float] = []
    weight, checkpoint = 1.0, tune.get_checkpoint()
    if checkpoint is not None:
        with checkpoint.as_directory() as folder:
            rates, weight = json.loads(Path(folder, "state.json").read_text(encoding="utf-8"))
    meet(place, 4)
    while len(rates) < ITERATIONS:
        time.sleep(0.1)  # so that copies are made while others train
        rates.append(config["optimizer"]["lr"])
        for _ in range(STEPS_PER_ITERATION):
            weight = descend(rates[-1], weight)
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "state.json").write_text(json.dumps([rates, weight]), encoding="utf-8")
            report = {"loss": abs(weight), "rates": json.dumps(rates)}
            tune.report(report, checkpoint=tune.Checkpoint.from_directory(folder))


def population(folder: Path) -> list[dict[str, Any]]:
    """The log and the rates of each of four trials that copied another."""
    tuner = tune.Tuner(
        tune.with_resources(tune.with_parameters(train_population, place=folder / "meeting-population"), {"cpu": 0.5}),
        param_space={"optimizer": {"lr": tune.grid_search([1e-3, 2e-3, 2e-2, 3e-2])}},
        tune_config=tune.TuneConfig(
            scheduler=PopulationBasedTraining(
                metric="loss",
                mode="min",
                time_attr="training_iteration",
                perturbation_interval=INTERVAL,
                hyperparam_mutations={"optimizer": {"lr": tune.loguniform(1e-3, 0.1)}},
            ),
            reuse_actors=True,
        ),
        run_config=_run_config(folder, "population"),
    )
    results = results_of(tuner)
    rates = {result.metrics["trial_id"]: json.loads(result.metrics["rates"]) for result in results}
    logs = {trial: folder / "population" / f"pbt_policy_{trial}.txt" for trial in rates}
    return [{"log": str(log), "rates": rates[trial]} for trial, log in logs.items() if log.exists()]


def _run_config(folder: Path, name: str) -> Any:
    return tune.RunConfig(storage_path=str(folder), name=name, verbose=0)


@ray.remote
def there_and_back(value: Any) -> tuple[str, Any]:
    return str(value), value


def main(folder: Path) -> None:
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        object_store_memory=80 * 2**20,
        log_to_driver=False,
        _node_ip_address="127.0.0.1",
    )
    values = (SPACE, SPACE.sample(1), CYCLES)
    sent = ray.get([there_and_back.remote(value) for value in values])
    outcome = {
        "sent": [text == str(value) and back == value for (text, back), value in zip(sent, values, strict=True)],
        "sweeps": [sweep(folder, name) for name in ("first", "second")],
        "pruned": pruned(folder),
        "population": population(folder),
    }
    (folder / "outcome.json").write_text(json.dumps(outcome), encoding="utf-8")
    ray.shutdown()


if __name__ == "__main__":
    np.random.seed(0)  # where Ray is given none
    main(Path(sys.argv[1]).resolve())
