"""The range test: a model trains at rates that rise from batch to batch, and is as before when it is over."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, NoReturn

import keras
import numpy as np

from kosine._analysis.finder.divergence import Divergence
from kosine._analysis.finder.range_plan import RangePlan, read_range
from kosine._analysis.finder.range_test import RangeTest
from kosine._core.curves.hold import hold
from kosine._core.schedule import Plan, Schedule
from kosine.errors import ArgumentError, ArgumentTypeError, Described, TrainingError
from kosine.keras._callback import LearningRateCallback
from kosine.keras._internals import (
    BACKEND,
    build_weights,
    called_by_fit,
    epoch_iterator,
    is_built,
    iterations,
    loss_metrics,
    optimizers,
    replicas,
    scales_loss,
    token_of_compile,
    updates_in_epoch,
    without_metrics,
)
from kosine.keras._range_data import Given, TestData, read_data
from kosine.keras._saved_state import saved_state, saved_surroundings, set_seed

_MOST_SKIPPED = 64  # batches without an update that a seed may have: loss scaling halves its scale at each


def range_test(
    model: Any,
    x: Any,
    y: Any = None,
    *,
    sample_weight: Any = None,
    class_weight: Mapping[int, float] | None = None,
    batch_size: int | None = None,
    low: float | None = None,
    high: float | None = None,
    steps: int = 100,
    seeds: int = 3,
    verbose: Literal["auto"] | int = "auto",
) -> RangeTest:
    """Train a compiled Keras model for a few batches at rising learning rates, note the losses, and undo it all.

    Update t of S uses the rate low * (high / low) ** (t / (S - 1)); the model is that of `fit`, so the rate is that
    inside the train step. Each seed begins at the weights and the optimizer's state of now, with the data in another
    order, and ends early where the loss diverges. The loss of an update is that of its batches alone, with
    regularisation, at the weights before it.

    Afterwards all is as before, bit for bit, also where an error or Ctrl-C ends the test: weights, statistics, seed
    generators, metrics, the optimizer's slots, counters and rates, loss scale, the random numbers of Python, NumPy and
    the framework, and the state of a PyDataset or DataLoader. A model without weights gets those of its first `fit`.

    Args:
        model: a compiled `keras.Model`. The parts of a `MultiOptimizer` keep the ratio of their rates.
        x: training data, as `fit` takes it: arrays, a PyDataset, a `tf.data.Dataset`, a DataLoader. An epoch with fewer
            batches than updates begins anew. Of a generator each batch can be had once: pass the function that makes
            it, without parentheses. Of a generator itself the test takes what it needs and uses it for each seed.
        y: targets, where `x` is arrays.
        sample_weight: a weight for each sample, where `x` is arrays.
        class_weight: the weight of each class.
        batch_size: samples in a batch, where `x` is arrays; 32 by default.
        low: the rate of the first update; 1e-7 by default.
        high: the rate of the last update; 10 by default.
        steps: updates of each seed. Under gradient accumulation each takes several batches; updates that loss scaling
            skips do not count. A model with `steps_per_execution` above 1 trains batch by batch here.
        seeds: how often the test is done.
        verbose: 0 prints nothing; 1, 2 and "auto" print a line for each seed.

    Returns:
        A `kosine.RangeTest`: rates, losses of each seed, suggestions, and the bracket that the peak is in.

    Raises:
        ArgumentError: rates that cross, or too few steps or seeds.
        ArgumentTypeError: no model, or no data.
        TrainingError: before the first batch: a model that is not compiled or is just being trained, an optimizer that
            cannot be driven, a generator with fewer batches than the test needs. Later: a train step that reports no
            loss or does no update.

    Warns:
        TrainingWarning: a generator gives batches away that `fit` will miss, or other optimizers of the model keep
            their rates.

    Source: Smith, "Cyclical Learning Rates for Training Neural Networks" (arXiv 1506.01186), section 3.3.

    Example:
        >>> import keras, numpy as np, kosine as ks
        >>> x = np.random.default_rng(0).normal(size=(640, 8)).astype("float32")
        >>> model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> test = ks.keras.range_test(model, x, x.sum(1, keepdims=True), low=1e-4, verbose=0)
        >>> len(test.losses), test.ends
        (3, ('diverged', 'diverged', 'diverged'))
    """
    planned = read_range(low, high, steps, seeds)
    say = _read_verbose(verbose)
    _refuse_what_cannot_be_tested(model)
    data = read_data(Given(x, y, sample_weight, class_weight, batch_size), _Pace.of(model).batches(planned.steps))
    with saved_surroundings(x):
        first = None if is_built(model) else data.first()
    if first is not None:
        build_weights(model, first)
    with saved_surroundings(x), saved_state(model) as values, _reporting_each_loss(model):
        pace = _Pace.of(model)
        say(_what_begins(planned, data, pace))
        done = []
        for number, seed in enumerate(planned.seeds):
            values.put_back()
            set_seed(seed)
            done.append(_one_seed(model, planned, pace, data))
            say(_what_ended(number, planned, done[-1]))
    return RangeTest.of(planned, done)


def _one_seed(model: Any, planned: RangePlan, pace: _Pace, data: TestData) -> Divergence:
    """Train one seed, and return its losses."""
    recorder = _Recorder(planned.steps, pace)
    follow = _Follow(pace.plan(planned), origin="fit", lint=False)
    try:
        model.fit(**data.for_seed(), verbose=0, callbacks=[follow, recorder])
    finally:
        recorder.release()
    return recorder.divergence


# --- before the first batch ---


def _read_verbose(verbose: object) -> Callable[[str], None]:
    if verbose not in ("auto", 0, 1, 2):
        raise ArgumentError(argument="verbose", rule='"auto", 0, 1 or 2', received=verbose)
    return print if verbose else lambda line: None


def _refuse_what_cannot_be_tested(model: Any) -> None:
    if not isinstance(model, keras.Model):
        raise ArgumentTypeError(argument="model", rule="a keras.Model", received=model)
    if not model.compiled:
        raise TrainingError(
            "A range test trains the model, so it must be compiled.",
            received={"model.compiled": False},
            fix='Call model.compile(optimizer=..., loss=...) first, such as model.compile("adamw", "mse").',
        )
    if model.optimizer is None:
        raise TrainingError("The model has no optimizer that could follow a schedule. Compile it with one.")
    if called_by_fit(model):
        raise TrainingError(
            "A model that is just being trained cannot be tested.",
            received=Described("a range test inside the `fit` of the same model"),
            fix="Call range_test before `fit`.",
        )


def _what_begins(planned: RangePlan, data: TestData, pace: _Pace) -> str:
    rates = planned.rates
    line = f"kosine: range test of {planned.steps:,} updates at rates from {rates[0]:.3g} to {rates[-1]:.3g}"
    batches = pace.batches(planned.steps)
    if data.in_epoch is None or data.in_epoch >= batches:
        return line
    return f"{line}; the {data.in_epoch:,} batches of an epoch begin anew until {batches:,} are done"


def _what_ended(number: int, planned: RangePlan, seed: Divergence) -> str:
    losses, name = seed.losses, f"kosine: seed {number + 1} of {len(planned.seeds)}"
    if not len(losses):
        return f"{name}: {seed.end} at the first update"
    rate = planned.rates[min(len(losses), planned.steps) - 1]
    return f"{name}: {len(losses):,} updates, {seed.end} at the rate {rate:.3g}; lowest loss {losses.min():.4g}"


# --- the pace: batches and updates ---


class _Pace:
    """How many batches an update takes: under gradient accumulation several."""

    def __init__(self, every: int, before: int, slack: int) -> None:
        self._every = every
        self._first = every - before % every  # batches until the first update
        self._slack = slack

    @classmethod
    def of(cls, model: Any) -> _Pace:
        known = optimizers(model)  # a MultiOptimizer that is not built may not know its own
        every = (known and getattr(known[0], "gradient_accumulation_steps", None)) or 1
        return cls(every, iterations(known[0]) if known else 0, _MOST_SKIPPED if scales_loss(model) else 0)

    def batches(self, steps: int) -> int:
        """The batches of so many updates, and those that may be skipped."""
        return self._first + (steps - 1) * self._every + self._slack

    def updates(self, count: int) -> bool:
        """Whether an optimizer that has counted so many batches has just done an update."""
        return count % self._every == 0

    def plan(self, planned: RangePlan) -> Plan:
        """The plan of the batches."""
        if self._every == 1:
            return planned.plan
        counts = itertools.chain([self._first], itertools.repeat(self._every))
        stairs = [hold(count, start=rate) for count, rate in zip(counts, planned.rates.tolist(), strict=False)]
        return Schedule(*stairs).plan()


# --- while it trains ---


class _Follow(LearningRateCallback):
    """The callback of every training; updates that are skipped are no news here."""

    def _warn(self, topic: str, message: str) -> None:
        if topic not in ("behind", "idle"):
            super()._warn(topic, message)


class _Recorder(keras.callbacks.Callback):  # type: ignore[misc]
    """Notes the loss of each update, and ends the training."""

    def __init__(self, steps: int, pace: _Pace) -> None:
        super().__init__()
        self.divergence = Divergence()
        self._steps, self._pace = steps, pace
        self._counted = self._points = 0
        self._losses: list[float] = []  # of the batches since the last update
        self._iterator: Any = None

    def on_train_begin(self, logs: Any = None) -> None:
        self._optimizer, self._iterator = optimizers(self.model)[0], epoch_iterator(self.model)
        self._skips = scales_loss(self.model)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._before = self._counted = iterations(self._optimizer)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        loss = self._loss(logs)
        # To read the count is to wait for the device, which nothing but loss scaling needs.
        counted = updates_in_epoch(self.model, self._optimizer) if self._skips else self._counted + 1
        skipped, self._counted = counted == self._counted, counted
        if not math.isfinite(loss):
            self._end(loss)
        elif not skipped:
            self._losses.append(loss)
            if self._pace.updates(counted):
                self._end(float(np.mean(self._losses)))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if not self._skips and iterations(self._optimizer) == self._before:  # the batches were counted instead
            self._refuse()

    def _end(self, loss: float) -> None:
        """An update is done, or the last one was done."""
        self._losses.clear()
        self._points += 1
        if self.divergence.add(loss) or self._points == self._steps:
            self.model.stop_training = True

    def _loss(self, logs: Any) -> float:
        metrics = loss_metrics(self.model)
        if metrics and replicas(self.model) > 1:  # Keras reports the mean of the replicas, whatever their sizes
            return float(metrics[0].result())
        if "loss" not in (logs or {}):
            raise TrainingError(
                "The model's `train_step` reports no loss.",
                received={"logs": list(logs or {})},
                fix='Return it from `train_step`, as in {"loss": loss}.',
            )
        return float(logs["loss"])

    def on_train_end(self, logs: Any = None) -> None:
        if not self.model.stop_training:
            self._refuse()

    def _refuse(self) -> NoReturn:
        raise TrainingError(
            "The model did fewer updates than it had batches, so the range test cannot go on.",
            received=Described(f"{iterations(self._optimizer) - self._before:,} updates in the last epoch"),
            fix="Let the model's `train_step` call model.optimizer for each batch, and the data give a batch or more "
            "in each epoch. Lower the `initial_scale` of a LossScaleOptimizer that skips the first updates.",
        )

    def release(self) -> None:
        """Close what reads the data ahead, which would change its state later on."""
        if self._iterator is not None:
            self._iterator.reset()
            self._iterator = None


@contextmanager
def _reporting_each_loss(model: Any) -> Iterator[None]:
    """Let the model report the loss of each batch, not the mean of the epoch so far; `saved_state` undoes the rest."""
    without_metrics(model)
    vars(model)["_steps_per_execution" if hasattr(model, "_steps_per_execution") else "steps_per_execution"] = 1
    vars(model)["train_function"] = _kept(model)
    metrics = loss_metrics(model)
    for metric in metrics:
        vars(metric)["update_state"] = _of_one_batch(metric)
    try:
        yield
        _keep(model)
    finally:
        for metric in metrics:
            del vars(metric)["update_state"]


def _of_one_batch(metric: Any) -> Callable[..., Any]:
    def update_state(*arguments: Any, **named: Any) -> Any:
        metric.reset_state()
        return type(metric).update_state(metric, *arguments, **named)

    return update_state


# --- the compiled train step, kept for the next range test of the same model ---


def _key(model: Any) -> list[Any]:
    """What a train step was compiled for. On TensorFlow the slots of the optimizer are part of it."""
    variables = model.optimizer.variables if BACKEND == "tensorflow" else []
    return [model.optimizer, model.run_eagerly, model.jit_compile, *model.trainable_variables, *variables]


def _kept(model: Any) -> Any:
    key, function = vars(token_of_compile(model)).get("kosine_range_test", ([], None))
    now = _key(model)
    return function if len(key) == len(now) and all(map(_same, key, now)) else None


def _same(one: Any, other: Any) -> bool:
    return one is other


def _keep(model: Any) -> None:
    vars(token_of_compile(model))["kosine_range_test"] = (_key(model), model.train_function)
