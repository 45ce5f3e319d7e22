"""Whether a range test brackets the best peak, and whether a rehearsal finds it: handwritten digits, three optimizers.

Run as `python -m benchmarks.peak`, which takes about 5 minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray
from sklearn.datasets import load_digits

import kosine as ks
from benchmarks.measure import progress
from benchmarks.tables import Cell, Table, report
from kosine._analysis.finder.divergence import Divergence
from kosine._analysis.finder.range_plan import read_range
from kosine._analysis.finder.range_test import RangeTest, Suggestion

BATCH, HELD_OUT = 32, 360
SIZES = (64, 128, 64, 10)
LENGTHS = (300, 1_500)
PEAKS, SEEDS = np.geomspace(0.001, 5.0, 15), 4
TEST_STEPS, TEST_SEEDS = (100, 300), 12
NEAR = 1.1  # of the lowest loss
FINE_PEAKS = 9

Vector = NDArray[Any]
OPTIMIZERS: dict[str, Callable[[Any], optax.GradientTransformation]] = {
    "SGD, momentum 0.9": partial(optax.sgd, momentum=0.9),
    "AdamW": optax.adamw,
    "SGD": optax.sgd,
}


@cache
def digits() -> tuple[Vector, Vector]:
    """Pixels from 0 to 1, and labels."""
    x, y = load_digits(return_X_y=True)
    return (x / 16).astype(np.float32), y.astype(np.int32)


def split(seed: int, steps: int) -> tuple[Vector, Vector]:
    """The samples of each batch, every epoch in another order, and the samples that are held out of all of them."""
    dice = np.random.default_rng(seed)
    samples = dice.permutation(len(digits()[0]))
    held_out, trained_on = samples[:HELD_OUT], samples[HELD_OUT:]
    per_epoch = len(trained_on) // BATCH
    epochs = [dice.permutation(trained_on)[: per_epoch * BATCH] for _ in range(-(-steps // per_epoch))]
    return np.concatenate(epochs).reshape(-1, BATCH)[:steps], held_out


def initial(seed: Any) -> list[tuple[Any, Any]]:
    """The weights of a network as Keras begins: uniform by Glorot, and no bias."""
    layers = []
    for key, inputs, outputs in zip(jax.random.split(jax.random.key(seed), 3), SIZES, SIZES[1:], strict=False):
        most = (6 / (inputs + outputs)) ** 0.5
        layers.append((jax.random.uniform(key, (inputs, outputs), minval=-most, maxval=most), jnp.zeros(outputs)))
    return layers


def loss_of(layers: Any, x: Any, y: Any) -> Any:
    for weights, bias in layers[:-1]:
        x = jax.nn.relu(x @ weights + bias)
    weights, bias = layers[-1]
    return optax.softmax_cross_entropy_with_integer_labels(x @ weights + bias, y).mean()


def train(optimizer: str, rates: Any, seed: Any, batches: Any, held_out: Any) -> tuple[Any, Any]:
    """The loss of what was held out after a run, and the loss of each batch."""
    made = OPTIMIZERS[optimizer]
    x, y = map(jnp.asarray, digits())

    def step(state: Any, now: Any) -> tuple[Any, Any]:
        layers, slots = state
        rate, batch = now
        loss, gradients = jax.value_and_grad(loss_of)(layers, x[batch], y[batch])
        updates, slots = made(rate).update(gradients, slots, layers)
        return (optax.apply_updates(layers, updates), slots), loss

    layers = initial(seed)
    (layers, _), losses = jax.lax.scan(step, (layers, made(0.0).init(layers)), (rates, batches))
    return loss_of(layers, x[held_out], y[held_out]), losses


@partial(jax.jit, static_argnums=0)
def train_all(optimizer: str, rates: Any, seeds: Any, batches: Any, held_out: Any) -> tuple[Any, Any]:
    """`train` for each row of rates and each seed."""
    of_seed = jax.vmap(partial(train, optimizer), (None, 0, 0, 0))
    found: tuple[Any, Any] = jax.vmap(of_seed, (0, None, None, None))(rates, seeds, batches, held_out)
    return found


def trained(optimizer: str, plans: list[ks.Plan], seeds: range) -> tuple[Vector, Vector]:
    """The final loss of each plan and seed, and the losses of the batches."""
    steps = plans[0].total_steps
    assert steps is not None
    rates = np.array([plan(np.arange(steps)) for plan in plans], np.float32)
    batches, held_out = map(np.array, zip(*(split(seed, steps) for seed in seeds), strict=True))
    final, losses = train_all(optimizer, rates, np.array(seeds), batches, held_out)
    return np.asarray(final, np.float64), np.asarray(losses, np.float64)


def plan_of(peak: float, steps: int) -> ks.Plan:
    return ks.warmup_cosine(peak=peak, warmup="10%").plan(total_steps=steps)


@dataclass(frozen=True)
class Best:
    """The best peak of runs of one length, and the peaks within 10 % of its loss."""

    peak: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.peak:.3g} ({self.low:.2g} to {self.high:.2g})"


@cache
def best(optimizer: str, steps: int) -> Best:
    progress(f"{optimizer}, {steps} steps: {len(PEAKS)} peaks, {SEEDS} seeds")
    losses = trained(optimizer, [plan_of(peak, steps) for peak in PEAKS.tolist()], range(SEEDS))[0].mean(axis=1)
    losses = np.where(np.isfinite(losses), losses, np.inf)
    near = PEAKS[losses <= NEAR * losses.min()]
    return Best(float(PEAKS[losses.argmin()]), float(near[0]), float(near[-1]))


@cache
def range_test(optimizer: str, steps: int) -> RangeTest:
    progress(f"{optimizer}: a range test of {steps} steps, {TEST_SEEDS} seeds")
    planned = read_range(None, None, steps, TEST_SEEDS)
    losses = trained(optimizer, [planned.plan], range(100, 100 + TEST_SEEDS))[1][0]
    seeds = []
    for of_seed in losses.tolist():
        seeds.append(Divergence())
        any(seeds[-1].add(loss) for loss in of_seed)
    return RangeTest.of(planned, seeds)


def rehearsal(optimizer: str, steps: int, peaks: Any) -> ks.Rehearsal:
    def fit(seed: int, plan: ks.Plan) -> float:
        return float(trained(optimizer, [plan], range(seed, seed + 1))[0][0, 0])

    return ks.rehearse(lambda seed: 200 + seed, fit, plan_of(1.0, steps), peaks, verbose=False)


def with_spread(suggestion: Suggestion | None) -> str:
    return "" if suggestion is None else f"{suggestion.rate:.2g} ({suggestion.low:.2g} to {suggestion.high:.2g})"


def of_brackets() -> Table:
    rows: list[tuple[Cell, ...]] = []
    for optimizer in OPTIMIZERS:
        for length in LENGTHS:
            peak = best(optimizer, length)
            for steps in TEST_STEPS:
                test = range_test(optimizer, steps)
                low, high = test.bracket
                found = (with_spread(each) for each in (test.valley, test.minimum, test.steepest, test.slide))
                middle = (low * high) ** 0.5 / peak.peak
                inside = low <= peak.peak <= high
                rows.append((optimizer, length, str(peak), steps, *found, middle, "yes" if inside else "no"))
    held = sum(row[-1] == "yes" for row in rows)
    return Table(
        f"Range tests and the best peak of a warm-up and a cosine: the bracket holds it in {held} of {len(rows)} cases",
        ("optimizer", "run", "best peak", "test", "valley", "minimum", "steepest", "slide", "middle / best", "held"),
        tuple(rows),
        f"Digits, a network of {'-'.join(map(str, SIZES))}, batches of {BATCH}; warm-up 10 %, then a cosine to 0. Best "
        f"peak: the lowest mean loss of {HELD_OUT} samples held out, others for each seed, of {len(PEAKS)} peaks "
        f"from {PEAKS[0]:g} to {PEAKS[-1]:g} and {SEEDS} seeds; in brackets the peaks within 10 % of that loss. "
        f"Suggestions: the median of {TEST_SEEDS} "
        "seeds, in brackets the lowest and the highest. The bracket goes from valley to minimum.",
    )


def of_rehearsals() -> Table:
    rows: list[tuple[Cell, ...]] = []
    for optimizer in OPTIMIZERS:
        for length in LENGTHS:
            peak, test = best(optimizer, length), range_test(optimizer, TEST_STEPS[0])
            fine = [float(f"{each:.3g}") for each in np.geomspace(*test.bracket, FINE_PEAKS)]
            for peaks in (test, fine):
                progress(f"{optimizer}, {length} steps: a rehearsal")
                result = rehearsal(optimizer, length, peaks)
                low, high = result.peak
                ratio = result.full_best / peak.peak
                cost, count = f"{result.cost:.2g} x", len(result.rows)
                found = (result.best, result.full_best, f"{low:.2g} to {high:.2g}", ratio)
                rows.append((optimizer, length, str(peak), count, *found, cost))
    near = sum(1 / 1.7 <= float(row[-2]) <= 1.7 for row in rows)  # type: ignore[arg-type]  # the column of numbers
    return Table(
        f"Rehearsals at a fifth of the length: the peak is within a factor of 1.7 of the best in {near} of {len(rows)}",
        ("optimizer", "run", "best peak", "peaks", "rehearsed best", "full length", "range", "full / best", "cost"),
        tuple(rows),
        f"The peaks are five, and {FINE_PEAKS}, over the bracket of the range test of {TEST_STEPS[0]} steps; two "
        "seeds, others than those of the full runs. Full length: the rehearsed best times 0.2 to the power of 0.3. "
        "Cost: all steps as a multiple of one full run.",
    )


def tables() -> Iterator[Table]:
    yield of_brackets()
    yield of_rehearsals()


if __name__ == "__main__":
    report(tables)
