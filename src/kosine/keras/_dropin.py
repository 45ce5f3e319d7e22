"""Drop-in for the widely copied warm-up and cosine callback: the same names and arguments, in Keras 3."""

from __future__ import annotations

from typing import Any

import numpy as np

from kosine._core.arguments import read_count, read_rate
from kosine._core.curves.cosine import cosine
from kosine._core.curves.hold import hold
from kosine._core.curves.linear import linear
from kosine._core.run import read_run
from kosine._core.schedule import Plan, Schedule
from kosine.errors import ArgumentTypeError, ScheduleError
from kosine.keras._history import LearningRateHistory
from kosine.keras._plan_callback import PlanCallback


def cosine_decay_with_warmup(
    global_step: Any,
    learning_rate_base: float,
    total_steps: int,
    warmup_learning_rate: float = 0.0,
    warmup_steps: int = 0,
    hold_base_rate_steps: int = 0,
) -> Any:
    """Cosine decay with linear warm-up and an optional hold, at a step or at many.

    With W = warmup_steps, H = hold_base_rate_steps, T = total_steps, base = learning_rate_base and
    w0 = warmup_learning_rate:

        t < W             w0 + (base - w0) t / W
        W <= t <= W + H   base
        W + H < t <= T    base (1 + cos(pi (t - W - H) / (T - W - H))) / 2
        t > T             0

    Where T = W + H there is no decay: base up to and including T, then 0.

    Args:
        global_step: a whole number >= 0, or an array of them.
        learning_rate_base: the rate after the warm-up.
        total_steps: the number of training steps.
        warmup_learning_rate: the rate of the first step.
        warmup_steps: the number of warm-up steps.
        hold_base_rate_steps: for how many steps the base rate is held before the decay.

    Returns:
        A float for a number; a float64 array of the same shape for an array.

    Raises:
        ScheduleError: total_steps below warmup_steps + hold_base_rate_steps, a base rate below the warm-up rate,
            or a negative number.
        PlanError: total_steps below 1.
        ArgumentTypeError: steps that are not whole numbers.
        StepError: a step below 0.

    Example:
        >>> import kosine as ks
        >>> ks.keras.cosine_decay_with_warmup([0, 2, 4, 7, 10], 0.1, total_steps=10, warmup_steps=4).round(3)
        array([0.  , 0.05, 0.1 , 0.05, 0.  ])
    """
    plan = _plan(learning_rate_base, total_steps, warmup_learning_rate, warmup_steps, hold_base_rate_steps)
    steps = np.asarray(global_step)
    if steps.dtype.kind == "f" and bool((steps == np.floor(steps)).all()):
        steps = steps.astype(np.int64)
    if steps.dtype.kind not in "iu":
        raise ArgumentTypeError(
            argument="global_step", rule="a whole number or an array of whole numbers", received=global_step
        )
    return plan(steps) if steps.ndim else plan(int(steps))


class WarmUpCosineDecayScheduler(PlanCallback):
    """A Keras callback: cosine decay with linear warm-up and an optional hold, updated on every batch.

    Every batch uses the rate of `global_step` (see `cosine_decay_with_warmup`); after the batch `global_step` grows by
    one. Unlike the original it costs nothing: the schedule runs inside the train step.

    Args:
        learning_rate_base: the rate after the warm-up.
        total_steps: the number of training steps.
        global_step_init: the step of the first batch; continues an earlier run.
        warmup_learning_rate: the rate of the first step.
        warmup_steps: the number of warm-up steps.
        hold_base_rate_steps: for how many steps the base rate is held before the decay.
        verbose: 1: print a line before every batch with the step and the rate; 0: quiet.

    Attributes:
        global_step: the step of the next batch.
        learning_rates: the rate of every batch trained so far, in order.

    Raises:
        ScheduleError: total_steps below warmup_steps + hold_base_rate_steps, a base rate below the warm-up rate,
            or a negative number.
        PlanError: total_steps below 1.

    Warns:
        TrainingWarning: at the start of `fit`: it trains beyond `total_steps`, or ends before it at a step
            from which whole epochs do not reach it.

    Example:
        >>> import keras, numpy as np, kosine as ks
        >>> model = keras.Sequential([keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> warm_up = ks.keras.WarmUpCosineDecayScheduler(0.1, total_steps=4, warmup_steps=2)
        >>> history = model.fit(np.zeros((8, 2)), np.zeros((8, 1)), batch_size=2, verbose=0, callbacks=[warm_up])
        >>> [round(rate, 3) for rate in warm_up.learning_rates]
        [0.0, 0.05, 0.1, 0.05]
    """

    def __init__(
        self,
        learning_rate_base: float,
        total_steps: int,
        global_step_init: int = 0,
        warmup_learning_rate: float = 0.0,
        warmup_steps: int = 0,
        hold_base_rate_steps: int = 0,
        verbose: int = 0,
    ) -> None:
        super().__init__()
        self._own_plan = _plan(
            learning_rate_base, total_steps, warmup_learning_rate, warmup_steps, hold_base_rate_steps
        )
        global_step_init = read_count(global_step_init, "global_step_init")
        self.verbose = verbose
        self._history = LearningRateHistory(self._own_plan)
        self._global_step = global_step_init

    @property
    def global_step(self) -> int:
        return self._global_step + self._batches

    @global_step.setter
    def global_step(self, step: int) -> None:
        self._own_plan(step)  # a step that no plan has fails here
        self._global_step = step

    @property
    def learning_rates(self) -> list[float]:
        rates: list[float] = self.history.rates.tolist()
        return rates

    def make_plan(self) -> Plan:
        return self._own_plan

    def epoch_step(self, epoch: int) -> int:
        return self._global_step

    def check_start(self, epoch: int) -> None:
        params: dict[str, Any] = self.params or {}
        total = self._own_plan.total_steps
        if params.get("epochs") is None or params.get("steps") is None or total is None:
            return
        stop = self._global_step + (params["epochs"] - epoch) * params["steps"]
        if stop <= total and (total - stop) % params["steps"] == 0:  # a later `fit` may train whole epochs more
            return
        odd = (
            f"the last {stop - total:,} run at the rate 0"
            if stop > total
            else f"it stops at the rate {self._own_plan(stop - 1):.6g}, {total - stop:,} steps before the end"
        )
        self._warn("length", f"`total_steps` is {total:,}, but `fit` trains up to step {stop:,}: {odd}. Pass {stop:,}.")

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        if self.verbose > 0:
            for step in range(self._global_step + batch, self._global_step + self._execution_end(batch)):
                print(f"\nBatch {step:05d}: setting learning rate to {self._own_plan(step):.6g}.")

    def _execution_end(self, batch: int) -> int:
        """The batch after those that are trained at once from `batch` on."""
        end = batch + int(self._model.steps_per_execution)
        known = (self.params or {}).get("steps")
        return end if known is None else min(end, known)

    def _commit(self, batches: int) -> None:
        super()._commit(batches)
        self._global_step += batches


def _plan(base: float, total: object, start: float, warmup: object, held: object) -> Plan:
    read_rate(base, "learning_rate_base")
    read_rate(start, "warmup_learning_rate")
    total_steps = read_run(total_steps=total).total_steps
    warmup_steps, hold_steps = read_count(warmup, "warmup_steps"), read_count(held, "hold_base_rate_steps")
    assert total_steps is not None
    decay = total_steps - warmup_steps - hold_steps
    if decay < 0:
        raise ScheduleError(
            argument="total_steps",
            rule="at least `warmup_steps` + `hold_base_rate_steps`",
            received={"total_steps": total_steps, "warmup_steps": warmup_steps, "hold_base_rate_steps": hold_steps},
        )
    if warmup_steps and base < start:
        raise ScheduleError(
            argument="learning_rate_base",
            rule="at least `warmup_learning_rate`",
            received={"learning_rate_base": base, "warmup_learning_rate": start},
        )
    warm = [linear(warmup_steps, start=start, to=base)] if warmup_steps else []
    if decay:
        parts = [hold(hold_steps, start=base), cosine(decay, to=0.0)]
    else:
        parts = [hold(hold_steps + 1, start=base), hold(1, start=0.0)]
    return Schedule(*warm, *parts).plan()
