"""What the models at cycle ends are worth together: digits, five cycles, three peaks, 10 seeds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import kosine as ks
from benchmarks.measure import progress
from benchmarks.tables import Table, report

Array = NDArray[np.float32]
Weights = list[Array]

PEAKS = (0.2, 0.05, 0.02)
SEEDS = 10
EPOCHS = 30
CYCLES = 5
BATCH = 32
LAYERS = (64, 128, 64, 10)
MOMENTUM = np.float32(0.9)


class Digits(NamedTuple):
    x_train: Array
    x_test: Array
    y_train: NDArray[np.int64]
    y_test: NDArray[np.int64]


class Score(NamedTuple):
    error: float  # %
    nll: float


@cache
def digits() -> Digits:
    """1,168 images to train on and 629 to test on."""
    images, labels = load_digits(return_X_y=True)
    pixels = (images / 16).astype(np.float32)
    return Digits(*train_test_split(pixels, labels, test_size=0.35, stratify=labels, random_state=0))


# --- a network ---


def fresh(rng: np.random.Generator) -> Weights:
    weights = []
    for inputs, outputs in pairwise(LAYERS):
        weights.append((rng.normal(size=(inputs, outputs)) * np.sqrt(2 / inputs)).astype(np.float32))
        weights.append(np.zeros(outputs, np.float32))
    return weights


def forward(weights: Weights, x: Array) -> list[Array]:
    """The input of each layer, and the probabilities."""
    values = [x]
    for number in range(0, len(weights), 2):
        values.append(values[-1] @ weights[number] + weights[number + 1])
        if number < len(weights) - 2:
            values[-1] = np.maximum(values[-1], 0)
    powers = np.exp(values[-1] - values[-1].max(-1, keepdims=True))
    return [*values[:-1], powers / powers.sum(-1, keepdims=True)]


def gradients(weights: Weights, x: Array, y: NDArray[np.int64]) -> Weights:
    *inputs, slope = forward(weights, x)
    slope[np.arange(len(y)), y] -= 1
    slope /= len(y)
    found: Weights = []
    for number in range(len(inputs) - 1, -1, -1):
        found = [inputs[number].T @ slope, slope.sum(0), *found]
        if number:
            slope = (slope @ weights[2 * number].T) * (inputs[number] > 0)
    return found


def train(schedule: ks.Schedule, epochs: int, seed: int, ends: Sequence[int]) -> list[Weights]:
    """The weights after each of the steps `ends`."""
    data, rng = digits(), np.random.default_rng(seed)
    per_epoch = -(-len(data.y_train) // BATCH)
    plan = schedule.plan(epochs=epochs, steps_per_epoch=per_epoch)
    rates = plan(np.arange(epochs * per_epoch)).astype(np.float32)
    weights, kept = fresh(rng), []
    speeds = [np.zeros_like(each) for each in weights]
    for step, rate in enumerate(rates):
        if step % per_epoch == 0:
            order = rng.permutation(len(data.y_train))
        batch = order[step % per_epoch * BATCH :][:BATCH]
        for weight, speed, slope in zip(
            weights, speeds, gradients(weights, data.x_train[batch], data.y_train[batch]), strict=True
        ):
            speed *= MOMENTUM
            speed -= rate * slope
            weight += speed
        if step in ends:
            kept.append([each.copy() for each in weights])
    return kept


# --- what is compared ---


def score(members: Sequence[Weights]) -> Score:
    """The error and the loss of the mean of the members' probabilities."""
    data = digits()
    mean = np.stack([forward(weights, data.x_test)[-1] for weights in members]).astype(np.float64).mean(0)
    nll = -np.log(np.maximum(mean[np.arange(len(data.y_test)), data.y_test], 1e-30)).mean()
    return Score(100 * float((mean.argmax(-1) != data.y_test).mean()), float(nll))


def averaged(members: Sequence[Weights]) -> Weights:
    return [np.mean(each, axis=0) for each in zip(*members, strict=True)]


def scores(peak: float, seed: int) -> dict[str, Score]:
    """Each way of using a budget of 30 epochs, for one seed."""
    per_epoch = -(-len(digits().y_train) // BATCH)
    length = EPOCHS // CYCLES
    cycles = ks.sgdr(peak=peak, period=f"{length}ep")
    ends = cycles.plan(epochs=EPOCHS, steps_per_epoch=per_epoch).cycle_ends.tolist()
    one = ks.Schedule(ks.cosine(start=peak, to=0.0))
    snapshots = train(cycles, EPOCHS, seed, ends)
    points = train(one, EPOCHS, seed, ends)
    runs = [train(one, length, seed + 1000 * (number + 1), ends[:1])[0] for number in range(CYCLES)]
    found = {"one cosine": score(points[-1:]), "cycles: the last model": score(snapshots[-1:])}
    for count in range(2, CYCLES + 1):
        found[f"cycles: mean of the last {count}"] = score(snapshots[-count:])
    for count in (CYCLES // 2, CYCLES):
        found[f"cycles: weights of the last {count} averaged"] = score([averaged(snapshots[-count:])])
    found[f"mean of {CYCLES} points of one cosine"] = score(points)
    found[f"mean of {CYCLES} independent runs of {length} epochs"] = score(runs)
    return found


def shown(values: Sequence[float], digits_after: int) -> str:
    error = np.std(values, ddof=1) / np.sqrt(len(values))
    return f"{np.mean(values):.{digits_after}f} ± {error:.{digits_after}f}"


def tables() -> Iterator[Table]:
    columns: list[dict[str, list[Score]]] = []
    for peak in PEAKS:
        progress(f"Peak {peak:g}, {SEEDS} seeds")
        columns.append({})
        for seed in range(SEEDS):
            for name, found in scores(peak, seed).items():
                columns[-1].setdefault(name, []).append(found)
    rows = [
        (
            name,
            *(
                text
                for column in columns
                for text in (
                    shown([each.error for each in column[name]], 2),
                    shown([each.nll for each in column[name]], 4),
                )
            ),
        )
        for name in columns[0]
    ]
    yield Table(
        f"Test error (%) and loss on digits, {EPOCHS} epochs: mean ± standard error of {SEEDS} seeds",
        ("", *(f"peak {peak:g}: {what}" for peak in PEAKS for what in ("error", "loss"))),
        tuple(rows),
        f"A network {'-'.join(map(str, LAYERS))}, SGD with momentum {MOMENTUM:g}, batches of {BATCH}; {CYCLES} cosine "
        "cycles of equal length down to 0, or one cosine. Means are of probabilities.",
    )


if __name__ == "__main__":
    report(tables)
