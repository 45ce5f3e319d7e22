"""The worked example behind `make demo`: train on real data with three schedules and show what they did.

python -m kosine.demo [--seeds N] [--epochs N] [--output FOLDER]
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import textwrap
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import kosine as ks
from kosine._core.files import whole_file
from kosine._display.figure import draw_rates, mark_phases, new_figure, save_figure

if TYPE_CHECKING:
    from numpy.typing import NDArray

PEAK = 0.05
"""Fifty times Adam's default rate: brave on purpose, so that the schedule has something to do."""

EPOCHS = 30  # SGDR's cycles of 2, 4, 8 and 16 epochs end here: the model to keep is the one at a cycle's end
SEEDS = 5
BATCH = 32

_STYLES = {0: ("#D55E00", "-"), 1: ("#0072B2", "-"), 2: ("#009E73", "--")}


def schedules() -> dict[str, ks.Schedule]:
    """The three schedules, by name; all have the same peak."""
    return {
        "constant": ks.constant(PEAK),
        "warm-up, hold, cosine": ks.warmup_cosine(peak=PEAK, warmup="10%", hold="10%"),
        "SGDR (warm restarts)": ks.sgdr(peak=PEAK, period="2ep", stretch=2),
    }


# --- data and training ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Digits:
    """Images of handwritten digits as rows of 64 numbers from 0 to 1, and which digit each is."""

    x_train: NDArray[np.float32]
    y_train: NDArray[np.int64]
    x_test: NDArray[np.float32]
    y_test: NDArray[np.int64]

    @property
    def steps_per_epoch(self) -> int:
        return -(-len(self.x_train) // BATCH)


def digits() -> Digits:
    """Scikit-learn's handwritten digits: one half to train on, the other to test on, the same halves every time."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    images, labels = load_digits(return_X_y=True)
    images = (images / 16).astype(np.float32)
    x_train, x_test, y_train, y_test = train_test_split(images, labels, test_size=0.5, stratify=labels, random_state=0)
    return Digits(x_train, y_train, x_test, y_test)


@dataclass(frozen=True)
class Run:
    """One training run: the training loss and the test error (in %) of each epoch, and the rate of every batch."""

    loss: NDArray[np.float64]
    error: NDArray[np.float64]
    steps: NDArray[np.int64]
    rates: NDArray[np.float64]


def train(schedule: ks.Schedule, data: Digits, *, seed: int, epochs: int, on_epoch: Callable[[], object]) -> Run:
    """Train a small dense network from fresh weights; the seed decides these and the order of the batches."""
    import keras

    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((data.x_train.shape[1],)),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(10),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    callback = ks.keras.LearningRateCallback(schedule)
    progress = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: on_epoch())
    history = model.fit(
        data.x_train,
        data.y_train,
        epochs=epochs,
        batch_size=BATCH,
        verbose=0,
        validation_data=(data.x_test, data.y_test),
        validation_batch_size=len(data.x_test),
        callbacks=[callback, progress],
    ).history
    return Run(
        loss=np.array(history["loss"]),
        error=100 * (1 - np.array(history["val_accuracy"])),
        steps=callback.history.steps,
        rates=callback.history.rates,
    )


def train_all(data: Digits, *, seeds: int, epochs: int) -> dict[str, list[Run]]:
    """Each schedule with each seed, under a progress bar."""
    from tqdm import tqdm

    runs: dict[str, list[Run]] = {}
    with tqdm(total=len(schedules()) * seeds * epochs, unit="epoch", ncols=79, leave=False, disable=None) as bar:
        for name, schedule in schedules().items():
            runs[name] = []
            for seed in range(seeds):
                bar.set_description(f"{name.split(' (')[0]}, seed {seed + 1}/{seeds}")
                runs[name].append(train(schedule, data, seed=seed, epochs=epochs, on_epoch=bar.update))
    return runs


# --- what was seen ----------------------------------------------------------------------------------------------


def spread(values: NDArray[np.float64]) -> float | None:
    """The standard deviation over the seeds; None for a single one."""
    return float(values.std(ddof=1)) if values.size > 1 else None


def last_errors(runs: Mapping[str, Sequence[Run]]) -> dict[str, NDArray[np.float64]]:
    """The test error of each seed after the last epoch."""
    return {name: np.array([run.error[-1] for run in of_name]) for name, of_name in runs.items()}


def error_table(errors: Mapping[str, NDArray[np.float64]]) -> str:
    """The test errors as a table for a terminal."""
    width = max(map(len, errors))
    lines = [f"{'schedule':<{width}}  test error, %  each seed"]
    for name, values in errors.items():
        deviation = spread(values)
        mean = f"{values.mean():5.2f}" + ("" if deviation is None else f" ± {deviation:.2f}")
        lines.append(f"{name:<{width}}  {mean:<13}  {' '.join(f'{value:5.2f}' for value in values)}")
    return "\n".join(lines)


def findings(errors: Mapping[str, NDArray[np.float64]]) -> str:
    """What the numbers say, in words: which error is lowest, by how much, and whether that exceeds the spread."""
    ranked = sorted(errors, key=lambda name: float(errors[name].mean()))
    best = ranked[0]
    lines = [f"Lowest test error: {best}, {errors[best].mean():.2f} %."]
    for other in ranked[1:]:
        distance = float(errors[other].mean() - errors[best].mean())
        far = f"{distance:.2f} points higher" if round(distance, 2) else "the same to 0.01 points"
        deviations = [spread(errors[best]), spread(errors[other])]
        widest = max((value for value in deviations if value is not None), default=None)
        if widest is None:
            verdict = "one seed cannot tell whether that is chance"
        elif distance > widest:
            verdict = f"more than the larger spread of the two, {widest:.2f}"
        else:
            verdict = f"no clear difference, as the larger spread of the two is {widest:.2f}"
        lines.append(textwrap.fill(f"- {other}: {far}: {verdict}.", 79, subsequent_indent="  "))
    return "\n".join(lines)


def write_history(path: Path, runs: Mapping[str, Sequence[Run]]) -> None:
    """The rate of every batch as CSV, whole or not at all. The seeds of a schedule have the same rates."""
    with whole_file(path) as file:
        writer = csv.writer(file)
        writer.writerow(["schedule", "step", "rate"])
        for name, of_name in runs.items():
            run = of_name[0]
            writer.writerows(
                (name, step, rate) for step, rate in zip(run.steps.tolist(), run.rates.tolist(), strict=True)
            )


def draw_learning_rates(path: Path, runs: Mapping[str, Sequence[Run]], *, epochs: int, steps_per_epoch: int) -> None:
    """The rate of every batch of the three schedules, above each other."""
    from matplotlib.ticker import MultipleLocator

    figure = new_figure(10, 7.5)
    panels = figure.subplots(len(runs), 1)
    for index, (axes, (name, schedule)) in enumerate(zip(panels, schedules().items(), strict=True)):
        plan = schedule.plan(epochs=epochs, steps_per_epoch=steps_per_epoch)
        last = index == len(panels) - 1
        mark_phases(plan, axes, epochs=index == 0)
        draw_rates(axes, runs[name][0].steps, runs[name][0].rates)
        axes.set_title(name, loc="left", fontsize=11, fontweight="bold")
        axes.xaxis.set_minor_locator(MultipleLocator(steps_per_epoch))  # a tick and a thin line for each epoch
        axes.grid(axis="x", which="minor", color="#DDDDDD", linewidth=0.5)
        axes.tick_params(axis="x", which="minor", color="#BBBBBB")
        if not last:
            axes.set_xlabel("")
            axes.tick_params(labelbottom=False)
    save_figure(figure, path)


def draw_training(path: Path, runs: Mapping[str, Sequence[Run]]) -> None:
    """Training loss and test error by epoch: the mean of the seeds, and from the lowest to the highest of them."""
    from matplotlib.ticker import MaxNLocator

    figure = new_figure(10, 4.6)
    panels = figure.subplots(1, 2)
    seeds = len(next(iter(runs.values())))
    for axes, attribute, title in zip(panels, ("loss", "error"), ("training loss", "test error, %"), strict=True):
        for index, (name, of_name) in enumerate(runs.items()):
            colour, style = _STYLES[index]
            values = np.array([getattr(run, attribute) for run in of_name])
            epoch = np.arange(1, values.shape[1] + 1)
            axes.fill_between(epoch, values.min(0), values.max(0), color=colour, alpha=0.15, linewidth=0)
            marker = "o" if values.shape[1] == 1 else ""
            axes.plot(epoch, values.mean(0), color=colour, linestyle=style, linewidth=1.8, marker=marker, label=name)
        axes.set_yscale("log")
        axes.set_title(title, loc="left", fontsize=11, fontweight="bold")
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True, steps=[1, 2, 5, 10]))
        axes.grid(color="#E6E6E6", linewidth=0.6)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    _plain_log_ticks(panels[1])
    handles, labels = panels[0].get_legend_handles_labels()
    note = "lines: mean; bands: lowest to highest of the seeds" if seeds > 1 else "one seed"
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False, title=note)
    save_figure(figure, path)


def _plain_log_ticks(axes: Any) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


# --- the worked example of the drop-in callback -----------------------------------------------------------------


@dataclass(frozen=True)
class WorkedExample:
    """What the drop-in callback did in the first epochs of its worked example."""

    rates: list[float]
    loss: float
    plan: ks.Plan


def worked_example(epochs: int) -> WorkedExample:
    """Train the network of the widely copied callback's example for its first epochs of 50, through the drop-in."""
    import keras

    samples, batch, planned_epochs = 12_608, 16, 50
    steps_per_epoch = samples // batch
    keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    x = random.random((samples, 100), dtype=np.float32)
    y = np.eye(10, dtype=np.float32)[random.integers(0, 10, samples)]
    model = keras.Sequential(
        [
            keras.Input((100,)),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="rmsprop", loss="categorical_crossentropy", metrics=["accuracy"])
    warm_up = ks.keras.WarmUpCosineDecayScheduler(
        learning_rate_base=1e-4,
        total_steps=planned_epochs * steps_per_epoch,
        warmup_learning_rate=4e-6,
        warmup_steps=10 * steps_per_epoch,
        hold_base_rate_steps=5,
    )
    history = model.fit(x, y, epochs=epochs, batch_size=batch, verbose=0, callbacks=[warm_up]).history
    plan = ks.warmup_cosine(peak=1e-4, warmup="10ep", warmup_start=4e-6, hold=5).plan(
        epochs=planned_epochs, steps_per_epoch=steps_per_epoch
    )
    return WorkedExample(list(warm_up.learning_rates), float(history["loss"][-1]), plan)


def draw_worked_example(path: Path, example: WorkedExample) -> None:
    """The whole curve of the worked example, and on it the batches that were trained."""
    figure = new_figure(10, 4)
    axes = example.plan.plot(figure.subplots())
    trained = np.arange(len(example.rates))
    axes.plot(trained, example.rates, color="#000000", linewidth=4, solid_capstyle="butt", zorder=4)
    axes.set_title("Cosine decay with warmup (black: trained here)", loc="left", fontsize=11, fontweight="bold")
    save_figure(figure, path)


# --- the demonstration ------------------------------------------------------------------------------------------


def run(output: Path, *, seeds: int = SEEDS, epochs: int = EPOCHS) -> None:
    """Train, print what was seen, and write pictures and rates to the folder `output`."""
    output.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    data = digits()
    size = len(data.x_train) + len(data.x_test)
    print(f"Data: {size:,} handwritten digits, really measured (bundled with scikit-learn):")
    print(f"      {len(data.x_train)} to train on, {len(data.x_test)} to test on. No download.")
    print(f"Runs: a 64-64-32-10 network, Adam, a brave peak rate of {PEAK:g}, batches of {BATCH},")
    print(f"      {epochs} epochs of {data.steps_per_epoch} steps; {_seeds(seeds)} for each of three schedules:")
    for name, schedule in schedules().items():
        print(f"      {name}:\n        {schedule!r}")
    print(flush=True)

    runs = train_all(data, seeds=seeds, epochs=epochs)
    errors = last_errors(runs)
    print(f"After {epochs} epochs (mean ± standard deviation over {_seeds(seeds)}):\n")
    print(error_table(errors))
    print()
    print(findings(errors))

    write_history(output / "history.csv", runs)
    draw_learning_rates(output / "learning_rate.png", runs, epochs=epochs, steps_per_epoch=data.steps_per_epoch)
    draw_training(output / "training.png", runs)

    print("\nThe drop-in for the widely copied callback, WarmUpCosineDecayScheduler:", flush=True)
    example = worked_example(min(epochs, 3))
    last = len(example.rates) - 1
    print(f"      a 100-32-10 network on 12,608 random samples, the first {min(epochs, 3)} of 50 epochs")
    print(f"      rate at step 0: {example.rates[0]:.6g}; at step {last:,}, the last one here: {example.rates[-1]:.6g}")
    same = example.rates == example.plan(np.arange(last + 1)).tolist()
    print(f"      the same as the plan's at every one of {last + 1:,} steps: {'yes' if same else 'NO'}")
    print(f"      loss {example.loss:.3f}; the labels are random, and guessing has a loss of {np.log(10):.3f}")
    draw_worked_example(output / "worked_example.png", example)

    print(f"\nWritten in {time.perf_counter() - began:.0f} s:")
    for file, what in {
        "learning_rate.png": "the rate of every batch",
        "training.png": "loss and error by epoch",
        "history.csv": "schedule, step, rate",
        "worked_example.png": "the curve of the worked example",
    }.items():
        print(f"      {output / file}  ({what})")


def _seeds(count: int) -> str:
    return f"{count} seed" + ("s" if count > 1 else "")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of the demonstration."""
    parser = argparse.ArgumentParser(
        prog="python -m kosine.demo", description="Train on real data with three schedules."
    )
    parser.add_argument("--seeds", type=int, default=SEEDS, help="runs for each schedule (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="epochs of each run (default: %(default)s)")
    parser.add_argument("--output", type=Path, default=Path("runs/demo"), help="folder (default: %(default)s)")
    given = parser.parse_args(arguments)
    if given.seeds < 1 or given.epochs < 1:
        parser.error("--seeds and --epochs must be at least 1")
    os.environ.setdefault("KERAS_BACKEND", "jax")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # Keras loads TensorFlow where it is installed, which then talks
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    try:
        run(given.output, seeds=given.seeds, epochs=given.epochs)
    except ModuleNotFoundError as error:
        print(f"kosine.demo: needs {error.name}: pip install 'kosine[demo]'", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"kosine.demo: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
