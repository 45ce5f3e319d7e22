"""Train a small network on handwritten digits with three schedules, several seeds each, and show what they did.

What it shows: one network at one brave peak rate, trained with a constant rate, with warm-up, hold and cosine, and with
warm restarts (SGDR); a table of test errors that claims no more than the seeds allow; a range test, which says where
the peak may be; what the models at the ends of SGDR's cycles predict together; pictures of the rate of every batch and
of the training; and the worked example of the widely copied callback.

    make demo
    python examples/train_digits.py --seeds 1 --epochs 6    # a quick look; needs pip install '.[demo]'
"""

from __future__ import annotations

import argparse
import csv
import math
import os
import sys
import textwrap
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.ticker import LogLocator, MaxNLocator
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from tqdm import tqdm

import kosine as ks

# Keras is imported by the functions that train, after `main` has chosen its backend.

PEAK = 0.05  # fifty times Adam's default rate: brave on purpose, so that the schedule has something to do
EPOCHS = 30  # SGDR's cycles of 2, 4, 8 and 16 epochs end here: the model to keep is the one at a cycle's end
SEEDS = 5
BATCH_SIZE = 32
LINES = {
    "constant": ("#D55E00", "-"),
    "warm-up, hold, cosine": ("#0072B2", "-"),
    "SGDR (warm restarts)": ("#009E73", "--"),
}


def schedules() -> dict[str, ks.Schedule]:
    """The three schedules, by name; all have the same peak."""
    return {
        "constant": ks.constant(PEAK),
        "warm-up, hold, cosine": ks.warmup_cosine(peak=PEAK, warmup="10%", hold="10%"),
        "SGDR (warm restarts)": ks.sgdr(peak=PEAK, period="2ep", stretch=2),
    }


class Digits(NamedTuple):
    """Images of handwritten digits as rows of 64 numbers from 0 to 1, and which digit each is."""

    x_train: NDArray[np.float32]
    x_test: NDArray[np.float32]
    y_train: NDArray[np.int64]
    y_test: NDArray[np.int64]


class Run(NamedTuple):
    """The training loss and the test error (in %) of each epoch, and the step and the rate of every batch."""

    loss: NDArray[np.float64]
    error: NDArray[np.float64]
    steps: NDArray[np.int64]
    rates: NDArray[np.float64]


# --- training -----------------------------------------------------------------------------------------------------


def digits() -> Digits:
    """Scikit-learn's handwritten digits: one half to train on, the other to test on, the same halves every time."""
    images, labels = load_digits(return_X_y=True)
    images = (images / 16).astype(np.float32)
    return Digits(*train_test_split(images, labels, test_size=0.5, stratify=labels, random_state=0))


def network(seed: int) -> Any:
    """Fresh weights, which the seed decides, as it does the order of the batches."""
    import keras

    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(), loss, metrics=["accuracy"])
    return model


def train(
    schedule: ks.Schedule, data: Digits, *, seed: int, epochs: int, progress: tqdm[Any], callbacks: Sequence[Any] = ()
) -> Run:
    """Train from fresh weights."""
    import keras

    callback = ks.keras.LearningRateCallback(schedule)
    counter = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: progress.update())
    history = network(seed).fit(
        data.x_train,
        data.y_train,
        epochs=epochs,
        batch_size=BATCH_SIZE,
        verbose=0,
        validation_data=(data.x_test, data.y_test),
        validation_batch_size=len(data.x_test),
        callbacks=[callback, counter, *callbacks],
    )
    error = 100 * (1 - np.array(history.history["val_accuracy"]))
    return Run(np.array(history.history["loss"]), error, callback.history.steps, callback.history.rates)


def train_all(data: Digits, *, seeds: int, epochs: int, cycles: Path) -> dict[str, list[Run]]:
    """Each schedule with each seed, under a progress bar; SGDR's first seed leaves a model for each cycle."""
    runs: dict[str, list[Run]] = {name: [] for name in schedules()}
    with tqdm(total=len(runs) * seeds * epochs, unit="epoch", ncols=79, leave=False, disable=None) as progress:
        for name, schedule in schedules().items():
            for seed in range(seeds):
                progress.set_description(f"{name.split(' (')[0]}, seed {seed + 1}/{seeds}")
                keeps = name.startswith("SGDR") and not seed
                ends = [ks.keras.CycleEnds(cycles / "cycle-{cycle:02d}.keras")] if keeps else []
                run = train(schedule, data, seed=seed, epochs=epochs, progress=progress, callbacks=ends)
                runs[name].append(run)
    return runs


def range_test(data: Digits) -> ks.RangeTest:
    """The losses of the network where the rate rises at every batch."""
    found: ks.RangeTest = ks.keras.range_test(
        network(0), data.x_train, data.y_train, batch_size=BATCH_SIZE, low=1e-5, verbose=0
    )
    return found


def train_worked_example(epochs: int) -> tuple[NDArray[np.float64], float, ks.Plan]:
    """The first epochs of the copied callback's example: the rate of each batch, the last loss, and kosine's plan."""
    import keras

    samples, batch_size, steps_per_epoch = 12_608, 16, 788
    keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    x = random.random((samples, 100), dtype=np.float32)
    y = keras.utils.to_categorical(random.integers(0, 10, samples), 10)
    model = keras.Sequential(
        [keras.Input((100,)), keras.layers.Dense(32, "relu"), keras.layers.Dense(10, activation="softmax")]
    )
    model.compile("rmsprop", "categorical_crossentropy", metrics=["accuracy"])
    warm_up_lr = ks.keras.WarmUpCosineDecayScheduler(
        learning_rate_base=1e-4,
        total_steps=50 * steps_per_epoch,
        warmup_learning_rate=4e-6,
        warmup_steps=10 * steps_per_epoch,
        hold_base_rate_steps=5,
    )
    losses = model.fit(x, y, epochs=epochs, batch_size=batch_size, verbose=0, callbacks=[warm_up_lr]).history["loss"]
    lr = ks.warmup_cosine(peak=1e-4, warmup="10ep", warmup_start=4e-6, hold=5)
    return np.array(warm_up_lr.learning_rates), losses[-1], lr.plan(epochs=50, steps_per_epoch=steps_per_epoch)


# --- what the numbers say -----------------------------------------------------------------------------------------


def last_errors(runs: Mapping[str, Sequence[Run]]) -> dict[str, NDArray[np.float64]]:
    """The test error of each seed after the last epoch."""
    return {name: np.array([run.error[-1] for run in of_name]) for name, of_name in runs.items()}


def spread(values: NDArray[np.float64]) -> float | None:
    """The standard deviation over the seeds; None for a single one."""
    return float(values.std(ddof=1)) if values.size > 1 else None


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
    """Which error is lowest, by how much, and whether that exceeds the spread of the seeds."""
    best, *others = sorted(errors, key=lambda name: float(errors[name].mean()))
    lines = [f"Lowest test error: {best}, {errors[best].mean():.2f} %."]
    for other in others:
        distance = float(errors[other].mean() - errors[best].mean())
        far = f"{distance:.2f} points higher" if round(distance, 2) else "the same to 0.01 points"
        widest = max((s for s in (spread(errors[best]), spread(errors[other])) if s is not None), default=None)
        if widest is None:
            verdict = "one seed cannot tell whether that is chance"
        elif distance > widest:
            verdict = f"more than the larger spread of the two, {widest:.2f}"
        else:
            verdict = f"no clear difference, as the larger spread of the two is {widest:.2f}"
        lines.append(textwrap.fill(f"- {other}: {far}: {verdict}.", 79, subsequent_indent="  "))
    return "\n".join(lines)


def ensemble_table(data: Digits, cycles: Path) -> str:
    """The test error of the last 1, 2, ... models at cycle ends: the mean of their probabilities."""
    rows = ks.keras.Ensemble.load(cycles).evaluate(data.x_test, data.y_test)
    lines = ["models  test error, %  loss   this one alone, %"]
    for row in rows:
        error, own = (100 * (1 - each["accuracy"]) for each in (row.metrics, row.own))
        lines.append(f"{row.members:6d}  {error:13.2f}  {row.metrics['loss']:.3f}  {own:17.2f}")
    return "\n".join(lines)


def write_history(path: Path, runs: Mapping[str, Sequence[Run]]) -> None:
    """The rate of every batch as CSV. The seeds of a schedule have the same rates."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["schedule", "step", "rate"])
        for name, (run, *_) in runs.items():
            writer.writerows(
                (name, step, rate) for step, rate in zip(run.steps.tolist(), run.rates.tolist(), strict=True)
            )


# --- pictures -----------------------------------------------------------------------------------------------------


def draw_learning_rates(path: Path, runs: Mapping[str, Sequence[Run]], *, steps_per_epoch: int) -> None:
    """The plans with their phases and restarts, and on them the rate of every batch that was trained."""
    constant, *others = runs
    figure, panels = plt.subplots(len(others), figsize=(10, 6.4), layout="constrained")
    for axes, name in zip(panels, others, strict=True):
        steps, rates = runs[name][0].steps, runs[name][0].rates
        schedules()[name].plan(total_steps=len(steps), steps_per_epoch=steps_per_epoch).plot(ax=axes)
        axes.plot(steps, rates, color="black", linewidth=0.8, zorder=4)
        axes.plot(steps, runs[constant][0].rates, color=LINES[constant][0], linewidth=1, linestyle=":", zorder=2)
        axes.text(steps[-1], PEAK, "constant ", color=LINES[constant][0], fontsize=9, ha="right", va="bottom")
        axes.set_title(f"{name}  (black: the rate of every batch)", loc="left", fontsize=11)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def draw_training(path: Path, runs: Mapping[str, Sequence[Run]], restarts: Sequence[float]) -> None:
    """Loss and error by epoch: the mean of the seeds, from the lowest to the highest of them, and SGDR's restarts."""
    figure, panels = plt.subplots(1, 2, figsize=(10, 4.8), layout="constrained")
    for axes, field, title in zip(panels, ("loss", "error"), ("training loss", "test error, %"), strict=True):
        for name, of_name in runs.items():
            colour, style = LINES[name]
            values = np.array([getattr(run, field) for run in of_name])
            epochs = np.arange(1, values.shape[1] + 1)
            axes.fill_between(epochs, values.min(0), values.max(0), color=colour, alpha=0.15, linewidth=0)
            axes.plot(epochs, values.mean(0), color=colour, linestyle=style, marker=".", label=name)
        for epoch in restarts:
            restart = axes.axvline(epoch, color=LINES["SGDR (warm restarts)"][0], linestyle=":", linewidth=1, zorder=0)
            restart.set_label("restart" if epoch == restarts[0] else "")
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("")
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True, steps=[1, 2, 5, 10]))
        axes.grid(axis="y", color="#E6E6E6", linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_title(title, loc="left", fontsize=11)
        axes.set_xlabel("epoch")
    seeds = len(next(iter(runs.values())))
    note = f"lines: the mean of {seeds} seeds; bands: from the lowest to the highest" if seeds > 1 else "one seed"
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False, title=note)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def draw_worked_example(path: Path, plan: ks.Plan, rates: NDArray[np.float64]) -> None:
    """The whole curve of the worked example, and on it the batches that were trained."""
    figure, axes = plt.subplots(figsize=(10, 4), layout="constrained")
    plan.plot(ax=axes)
    axes.plot(rates, color="black", linewidth=4, solid_capstyle="butt", zorder=4)
    axes.set_title("Cosine decay with warmup (black: trained here)", loc="left", fontsize=11)
    figure.savefig(path, dpi=150)
    plt.close(figure)


# --- the demonstration --------------------------------------------------------------------------------------------


def run(output: Path, *, seeds: int, epochs: int) -> None:
    """Train, print what the numbers say, and write pictures and rates to the folder `output`."""
    output.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    data = digits()
    steps_per_epoch = math.ceil(len(data.x_train) / BATCH_SIZE)
    of_seeds = f"{seeds} seed" + ("s" if seeds > 1 else "")
    training, test = len(data.x_train), len(data.x_test)
    print(f"Data: {training + test:,} handwritten digits, really measured (bundled with scikit-learn):")
    print(f"      {training} to train on, {test} to test on. No download.")
    print(f"Runs: a 64-64-32-10 network, Adam, a brave peak rate of {PEAK:g}, batches of {BATCH_SIZE},")
    print(f"      {epochs} epochs of {steps_per_epoch} steps; {of_seeds} for each of three schedules:")
    for name, schedule in schedules().items():
        print(f"      {name}:\n        {schedule!r}")
    print(flush=True)

    found = range_test(data)
    found.save(output / "range_test.png")
    low, high = found.bracket
    print(f"A range test (3 x 100 steps) puts the best peak between {low:.2g} and {high:.2g}:")
    print(f"      {output / 'range_test.png'}\n", flush=True)

    runs = train_all(data, seeds=seeds, epochs=epochs, cycles=output / "cycles")
    errors = last_errors(runs)
    print(f"After {epochs} epochs (mean ± standard deviation over {of_seeds}):\n")
    print(f"{error_table(errors)}\n\n{findings(errors)}")

    print("\nThe models at the ends of SGDR's cycles (seed 0), the last 1, 2, ... together:\n")
    print(ensemble_table(data, output / "cycles"), flush=True)

    sgdr = schedules()["SGDR (warm restarts)"].plan(epochs=epochs, steps_per_epoch=steps_per_epoch)
    restarts = [row.first_step / steps_per_epoch for row in sgdr.phases[1:]]
    write_history(output / "history.csv", runs)
    draw_learning_rates(output / "learning_rate.png", runs, steps_per_epoch=steps_per_epoch)
    draw_training(output / "training.png", runs, restarts)

    print("\nThe drop-in for the widely copied callback, WarmUpCosineDecayScheduler:", flush=True)
    rates, loss, plan = train_worked_example(epochs=min(epochs, 3))
    same = np.array_equal(rates, plan(np.arange(len(rates))))
    print(f"      a 100-32-10 network on 12,608 random samples, the first {min(epochs, 3)} of 50 epochs")
    print(f"      rate at step 0: {rates[0]:.6g}; at step {len(rates) - 1:,}, the last one here: {rates[-1]:.6g}")
    print(f"      the same as the plan's at every one of {len(rates):,} steps: {'yes' if same else 'NO'}")
    print(f"      loss {loss:.3f}; the labels are random, and guessing has a loss of {np.log(10):.3f}")
    draw_worked_example(output / "worked_example.png", plan, rates)

    print(f"\nWritten in {time.perf_counter() - began:.0f} s:")
    print(f"      {output / 'learning_rate.png'}  (the rate of every batch)")
    print(f"      {output / 'training.png'}  (loss and error by epoch)")
    print(f"      {output / 'history.csv'}  (schedule, step, rate)")
    print(f"      {output / 'worked_example.png'}  (the curve of the worked example)")
    kosine = ".venv/bin/kosine" if Path(".venv/bin/kosine").exists() else "kosine"
    print("\nSee a schedule before you train with it:")
    print(f"      {kosine} show 'sgdr(peak={PEAK}, period=\"2ep\", stretch=2)' \\")
    print(f"        --epochs {epochs} --steps-per-epoch {steps_per_epoch}")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of the demonstration."""
    parser = argparse.ArgumentParser(description="Train on handwritten digits with three schedules.")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="runs for each schedule (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="epochs of each run (default: %(default)s)")
    parser.add_argument("--output", type=Path, default=Path("runs/demo"), help="folder (default: %(default)s)")
    given = parser.parse_args(arguments)
    if given.seeds < 1 or given.epochs < 1:
        parser.error("--seeds and --epochs must be at least 1")
    os.environ.setdefault("KERAS_BACKEND", "jax")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # where TensorFlow is installed Keras loads it, and it talks
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    try:
        run(given.output, seeds=given.seeds, epochs=given.epochs)
    except OSError as error:
        print(f"train_digits.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
