"""The range test of a pure training step: nothing is changed, so nothing is put back but the random state."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kosine._analysis.finder.divergence import Divergence
from kosine._analysis.finder.passes import check_batches, endless
from kosine._analysis.finder.progress import Progress
from kosine._analysis.finder.range_plan import RangePlan, read_range
from kosine._analysis.finder.range_test import RangeTest
from kosine._core.arguments import read_flag
from kosine.errors import ArgumentTypeError, Described, TrainingError
from kosine.jax._schedule import schedule

Step = Callable[[Any, Any, jax.Array], tuple[Any, Any]]


def range_test(
    step: Step,
    state: Any,
    batches: Iterable[Any] | Callable[[int], Iterable[Any]],
    *,
    low: float | None = None,
    high: float | None = None,
    steps: int = 100,
    seeds: int = 3,
    verbose: bool = True,
) -> RangeTest:
    """Train with a rate that rises at every step, and see where the loss falls and where it rises.

    The rate of step t is

        low * (high / low) ** (t / (steps - 1)),

    a float32 scalar on the device, so nothing is compiled anew for it. The loss of a step is what `step` returns for
    its batch. A seed ends early where the loss is NaN or infinite, or rises by more than it has fallen.

    Each seed begins from copies of the arrays in `state`, so `state` is as it was, also where `step` takes over its
    buffers (`jax.jit(step, donate_argnums=0)`). Python's and NumPy's random generators begin at the seed, and are put
    back afterwards. Batches that end before the steps begin anew. A last batch that is smaller than the first is left
    out, where the number of batches is known.

    Args:
        step: `(state, batch, rate) -> (state, loss)`: one update, pure, with the rate that it is given. With Optax
            scale the updates of a chain that has none, such as `optax.scale_by_adam()`, by `-rate`.
        state: weights, optimizer state, keys: any pytree.
        batches: a list of batches, which each seed takes in another order; a function that gives the batches of a seed;
            or an object that gives them anew at each `iter`.
        low: the rate of the first step, above 0; None: 1e-7.
        high: the rate of the last step; None: 10.
        steps: updates of each seed, at least 20.
        seeds: how many passes there are.
        verbose: whether to show the progress, on the standard error stream.

    Returns:
        What was seen; `print` it, or take its `bracket`.

    Raises:
        ArgumentTypeError: an argument of another type.
        ArgumentError: a number outside of its range; a `high` that is not above `low`.
        TrainingError: an iterator as the batches, or no batch; a step that does not return a state and a loss of one
            number.

    Source: Smith, Cyclical Learning Rates for Training Neural Networks, arXiv 1506.01186; fast.ai's `lr_find`.

    Example:
        >>> import jax
        >>> import jax.numpy as jnp
        >>> import kosine as ks
        >>> def loss(weights, batch):
        ...     return jnp.mean((batch @ weights - batch.sum(1)) ** 2)
        >>> @jax.jit
        ... def step(weights, batch, rate):
        ...     value, gradients = jax.value_and_grad(loss)(weights, batch)
        ...     return weights - rate * gradients, value
        >>> batches = list(jax.random.normal(jax.random.key(0), (16, 32, 4)))
        >>> test = ks.jax.range_test(step, jnp.zeros(4), batches, low=1e-4, verbose=False)
        >>> test.rates.size, test.ends
        (100, ('diverged', 'diverged', 'diverged'))
        >>> low, high = test.bracket
        >>> 0.01 < low < 0.2 < high < 10
        True
    """
    planned = read_range(low, high, steps, seeds)
    if not callable(step):
        raise ArgumentTypeError(argument="step", rule="a function (state, batch, rate) -> (state, loss)", received=step)
    of_seed = callable(batches) and not isinstance(batches, Iterable)
    if not of_seed:
        check_batches(batches, "batches", "a list of batches, a function that gives those of a seed")
    found = []
    shown = read_flag(verbose, "verbose")
    with _random_state_kept(), Progress(len(planned.seeds), planned.steps, shown) as progress:
        for seed in planned.seeds:
            random.seed(seed)
            np.random.seed(seed)
            parts = endless(_OfSeed(batches, seed) if of_seed else batches, seed, "batches")
            with contextlib.closing(parts):
                found.append(_train(step, state, parts, planned, seed, progress))
    return RangeTest.of(planned, found)


def _train(
    step: Step, state: Any, batches: Generator[Any, None, None], planned: RangePlan, seed: int, progress: Progress
) -> Divergence:
    rate = schedule(planned.plan)
    seen = Divergence()
    state = jax.tree.map(_copy, state)
    done = 0
    for done in range(1, planned.steps + 1):
        state, loss = _checked(step(state, next(batches), rate(done - 1)))
        progress.at(seed, done - 1, planned.rates[done - 1], loss)
        if seen.add(loss):
            break
    progress.ended(seed, seen.end, done)
    return seen


class _OfSeed:
    """The batches that a function gives for a seed, anew at each `iter`."""

    def __init__(self, batches: Any, seed: int) -> None:
        self._batches, self._seed = batches, seed

    def __iter__(self) -> Iterator[Any]:
        return iter(self._batches(self._seed))

    def __repr__(self) -> str:
        return f"{self._batches!r}({self._seed})"


def _copy(leaf: Any) -> Any:
    """A leaf that a step may take over or change."""
    return leaf.copy() if isinstance(leaf, jax.Array | np.ndarray) else leaf


def _checked(returned: Any) -> tuple[Any, float]:
    rule = "a function that returns a pair (state, loss) with a loss of one number"
    if not isinstance(returned, tuple) or len(returned) != 2:
        raise TrainingError(argument="step", rule=rule, received=Described(f"a {type(returned).__name__}"))
    state, loss = returned
    if jnp.size(loss) != 1 if hasattr(loss, "shape") else not isinstance(loss, float | int):
        shape = f"a loss of shape {loss.shape}" if hasattr(loss, "shape") else f"a {type(loss).__name__} as the loss"
        raise TrainingError(argument="step", rule=rule, received=Described(shape), fix="Return its mean.")
    return state, float(jnp.reshape(loss, ()))


@contextlib.contextmanager
def _random_state_kept() -> Iterator[None]:
    kept = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(kept[0])
        np.random.set_state(kept[1])
