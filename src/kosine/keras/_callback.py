"""The callback that installs a schedule in the train step, and leaves the training loop alone."""

from __future__ import annotations

import warnings
import weakref
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, NamedTuple

import keras

from kosine._analysis.lint.lint import warn_of_errors
from kosine._core.arguments import read_flag
from kosine._core.run import read_run
from kosine._core.schedule import Plan, Schedule
from kosine._core.traced import last_step
from kosine.errors import ArgumentTypeError, Described, PlanError, TrainingError, TrainingWarning
from kosine.keras._history import LearningRateHistory
from kosine.keras._internals import build_if_needed, called_by_fit, calling_list, iterations, optimizers, scales_loss
from kosine.keras._schedule import STEP_DTYPE, LearningRateSchedule


class PlanCallback(keras.callbacks.Callback, ABC):  # type: ignore[misc]  # Keras has no types
    """Installs a plan in every optimizer of the model; subclasses say which plan and which step an epoch begins at."""

    async_safe = True  # on_train_batch_end only notes a number, so Keras may call it from other threads

    def __init__(self) -> None:
        super().__init__()
        self.plan: Plan | None = None
        self._history = LearningRateHistory()
        self._steps_per_epoch: int | None = None
        self._prepared = False
        self._stale = False
        self._first_step = 0
        self._next: tuple[int, int] | None = None  # the epoch after the last one, and the step that it begins at
        # Keras may call on_train_batch_end from several threads, out of order: of the last few the largest is kept.
        self._ends: deque[int] = deque(maxlen=128)
        self._iterations: list[int] = []
        self._warned: set[str] = set()

    # --- what subclasses decide ---

    @abstractmethod
    def make_plan(self) -> Plan:
        """The plan to follow, called when `fit` has said how many epochs and steps it trains."""

    @abstractmethod
    def epoch_step(self, epoch: int) -> int:
        """The step of the plan at the first batch of `epoch`."""

    # --- what users read ---

    @property
    def history(self) -> LearningRateHistory:
        """The steps and rates of every batch trained in this run, also in an unfinished epoch."""
        return self._history.and_running(self._first_step, self._batches)

    @property
    def _batches(self) -> int:
        """The batches that are done of an epoch that is not over."""
        return max(self._ends, default=0)

    # --- what Keras calls ---

    def set_params(self, params: Any) -> None:
        super().set_params(params)
        # `fit` says here what it trains, before any on_train_begin. Whatever must be refused is refused before an
        # optimizer is touched; and the schedule, which changes the layout of the optimizer's checkpoint, is in its
        # place before another callback restores one. `evaluate` and `predict` call this, too: they change nothing.
        if called_by_fit(self._model):
            self._prepare()

    def on_train_begin(self, logs: Any = None) -> None:
        if not self._prepared:  # the list of callbacks was made before `fit`
            self._prepare()
        self._prepared = False
        callbacks = calling_list()
        if callbacks is not None and any(callback is self for callback in callbacks.callbacks):
            # First in the list, so that its learning rate is in the logs that the others write. It is this callback's
            # turn, so the callbacks that are still to come keep their places.
            callbacks.callbacks.remove(self)
            callbacks.callbacks.insert(0, self)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        assert self.plan is not None
        self._first_step = self.epoch_step(epoch)
        self._ends.clear()
        model = self.model
        self._iterations = []
        for optimizer in optimizers(model):
            installed = _INSTALLED.get(optimizer)
            if installed is None or installed.schedule is not optimizer._learning_rate:  # changed by another callback
                self._stale |= _install(model, optimizer, self.plan)
            self._iterations.append(iterations(optimizer))
            self._stale |= optimizer._learning_rate.move(self._iterations[-1] - self._first_step)
        if self._stale:
            model.make_train_function(force=True)
            self._stale = False
        for optimizer in optimizers(model):
            _INSTALLED[optimizer] = _Installed(optimizer._learning_rate, weakref.ref(model.train_function))

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._ends.append(batch + 1)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        assert self.plan is not None
        model = self.model
        done = [
            iterations(optimizer) - before
            for optimizer, before in zip(optimizers(model), self._iterations, strict=True)
        ]
        batches = self._count(model, done)
        if len(done) == 1 and done[0] < batches:
            cause, mend = "", ""
            if scales_loss(model):
                cause = ", as loss scaling does after an overflow"
                mend = " Lower the optimizer's `initial_scale` if it is the first batches."
            self._warn(
                "behind",
                f"{batches - done[0]} of {batches} updates of epoch {epoch} were skipped{cause}: until the epoch's end "
                "the learning rate lagged behind the plan by as many steps. The logs and the history hold the plan's "
                f"rates.{mend}",
            )
        if max(done) > batches + 1:  # Keras 3.15 counts a phantom step at the end of some data
            self._warn(
                "ahead",
                f"Epoch {epoch} had {batches} batches but {max(done)} updates, so the learning rate ran ahead of the "
                "plan. The logs and the history hold the plan's rates. Plan for updates, and give the optimizer a "
                "LearningRateSchedule instead of this callback.",
            )
        expected = self._steps_per_epoch
        if expected is not None and batches != expected and not model.stop_training:
            self._warn(
                "length",
                f"Epoch {epoch} had {batches} batches, but the schedule was planned for {expected} steps per epoch. "
                f"If every epoch is like this one, pass steps_per_epoch={batches} to `fit` or to the callback.",
            )
        self._commit(batches)
        self._next = (epoch + 1, self._first_step + batches)
        if logs is not None and batches:
            logs["learning_rate"] = self.plan(self._first_step + batches - 1)

    def _prepare(self) -> None:
        self._commit(self._batches)  # of an epoch that an interruption has ended
        model = self.model
        callbacks = calling_list()
        if callbacks is not None:
            _refuse_rivals(self, callbacks.callbacks)
        build_if_needed(model)
        if not optimizers(model):
            raise TrainingError("The model has no optimizer that could follow a schedule. Compile it with one.")
        self._warned = set()
        self.plan = self.make_plan()
        params: dict[str, Any] = self.params or {}
        _refuse_uncountable_steps(params.get("epochs"), self._steps_per_epoch or params.get("steps"))
        self._stale = False
        for optimizer in optimizers(model):
            self._stale |= _install(model, optimizer, self.plan)
        self._prepared = True

    def _commit(self, batches: int) -> None:
        """Note the batches of an epoch that is over."""
        self._history.add(self._first_step, batches)
        self._ends.clear()

    def _count(self, model: Any, done: list[int]) -> int:
        """The number of batches in an epoch, from the number of updates that the optimizers did."""
        if model.steps_per_execution == 1:
            return self._batches
        # With several steps in an execution Keras reports the last that the execution could have had.
        if not scales_loss(model):
            return max(done)
        return self._batches if self._steps_per_epoch is None else min(self._batches, self._steps_per_epoch)

    def _warn(self, topic: str, message: str) -> None:
        if topic not in self._warned:
            self._warned.add(topic)
            warnings.warn(message, TrainingWarning, stacklevel=3)


class LearningRateCallback(PlanCallback):
    """Trains a Keras model along a schedule, batch by batch, at no cost: the schedule runs inside the train step.

    Batch b of epoch e uses the learning rate of step e * steps_per_epoch + b, counted from the start of this run. A
    new `fit` starts at 0 even if the optimizer has trained before. `initial_epoch=e` starts at e epochs. A run that
    BackupAndRestore restores goes on where it stopped. Steps are batches, also under gradient accumulation. The rate
    of an epoch's last batch is in its logs as `learning_rate`.

    After the training the schedule stays in the optimizer. A `fit` without the callback goes on where it stopped; if
    the plan is over, at its end value. Keras cannot replace a schedule with a plain number: for a constant rate pass
    `LearningRateCallback(constant(1e-4))`, or compile again.

    Args:
        schedule: a `Schedule`, planned for the epochs and steps that `fit` trains, or a `Plan` of your own.
        steps_per_epoch: training batches in an epoch, for data that does not know its length.
        lint: whether to warn of the errors that `kosine.lint` finds in the plan. It warns when training starts at
            epoch 0, once for a plan, and only of errors in steps that `fit` trains.

    Attributes:
        plan: the plan that is followed, from the start of training on.
        history: the steps and the planned rates of every batch trained in this run (`LearningRateHistory`); a `fit`
            that starts at step 0 begins a new one. On JAX, Keras reports batches late, so it may lag during an epoch.

    Raises:
        ArgumentTypeError: neither a schedule nor a plan, or a `steps_per_epoch` that is not an integer.
        TrainingError: at the start of `fit`: steps per epoch that are needed and unknown or that disagree, or another
            callback that sets the learning rate.
        PlanError: at the start of `fit`: a schedule that does not fit the run, or a run of more steps than the backend
            counts: 2**31 - 1 on JAX and PyTorch.

    Warns:
        TrainingWarning: at the start of `fit`: the plan wastes the training for certain. `lint=False` switches
            this off.

    Example:
        >>> import keras, numpy as np, kosine as ks
        >>> model = keras.Sequential([keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> callback = ks.keras.LearningRateCallback(ks.warmup_cosine(peak=0.1, warmup="1ep"))
        >>> history = model.fit(
        ...     np.zeros((8, 2)), np.zeros((8, 1)), batch_size=2, epochs=2, verbose=0, callbacks=[callback]
        ... )
        >>> callback.history.rates.round(3).tolist()
        [0.0, 0.025, 0.05, 0.075, 0.1, 0.085, 0.05, 0.015]
    """

    def __init__(self, schedule: Schedule | Plan, *, steps_per_epoch: int | None = None, lint: bool = True) -> None:
        super().__init__()
        if not isinstance(schedule, Schedule | Plan):
            raise ArgumentTypeError(
                argument="schedule",
                rule='a kosine Schedule or Plan, such as `warmup_cosine(peak=1e-3, warmup="5ep")`',
                received=schedule,
            )
        self._schedule = schedule
        self._given_steps = read_run(steps_per_epoch=steps_per_epoch).steps_per_epoch
        self._lint = read_flag(lint, "lint")
        self._linted: Plan | None = None

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if self._lint and epoch == 0 and self.plan is not None and self.plan != self._linted:  # not where a run goes on
            self._linted = self.plan
            tail = ["K003"] if isinstance(self._schedule, Plan) else []  # `_compare` has warned of that
            warn_of_errors([self.plan], "LearningRateCallback(..., lint=False)", stacklevel=2, ignore=tail)
        super().on_epoch_begin(epoch, logs)

    def make_plan(self) -> Plan:
        params: dict[str, Any] = self.params or {}
        known = params.get("steps")
        schedule = self._schedule
        planned = schedule.run.steps_per_epoch if isinstance(schedule, Plan) else None
        counts = {"fit": known, "LearningRateCallback": self._given_steps, "the plan": planned}
        given = {who: count for who, count in counts.items() if count is not None}
        if len(set(given.values())) > 1:
            said = ", ".join(f"{who}: {count}" for who, count in given.items())
            raise TrainingError("The numbers of steps per epoch disagree.", received=Described(said))
        self._steps_per_epoch = next(iter(given.values()), None)
        if isinstance(schedule, Plan):
            self._compare(schedule, params.get("epochs"))
            return schedule
        try:
            if self._steps_per_epoch is None:
                return schedule.plan()
            return schedule.plan(epochs=params.get("epochs"), steps_per_epoch=self._steps_per_epoch)
        except PlanError as error:
            if error.missing in ("samples_per_step", "tokens_per_step"):
                raise TrainingError(
                    "`fit` does not say how many samples or tokens a step has.",
                    received={error.missing: None},
                    fix="Pass a plan to LearningRateCallback: "
                    f"schedule.plan(epochs=..., steps_per_epoch=..., {error.missing}=...).",
                ) from error
            if self._steps_per_epoch is not None:
                raise
            raise TrainingError(
                "`fit` does not know how many steps an epoch of this data has.",
                received={"steps_per_epoch": None},
                fix="Pass `steps_per_epoch` to LearningRateCallback.",
            ) from error

    def epoch_step(self, epoch: int) -> int:
        if self._steps_per_epoch is not None:
            first = epoch * self._steps_per_epoch
        elif epoch == 0:
            first = 0
        elif self._next is not None and self._next[0] == epoch:
            first = self._next[1]
        else:
            raise TrainingError(
                "A run that starts in the middle needs the number of steps per epoch.",
                received=Described(f"steps_per_epoch=None, and epoch {epoch} as the first"),
                fix="Pass `steps_per_epoch` to LearningRateCallback.",
            )
        if first == 0 or self._history.plan != self.plan:
            self._history = LearningRateHistory(self.plan)
        return first

    def _compare(self, plan: Plan, epochs: int | None) -> None:
        """Warn of a run that is longer than the plan it is given."""
        if epochs is None or self._steps_per_epoch is None or plan.total_steps is None:
            return
        run, stop = epochs * self._steps_per_epoch, plan.after.first_step
        if stop < run:
            self._warn(
                "short",
                f"The plan ends after {stop:,} steps, but `fit` trains {run:,}: the rest is trained with the learning "
                f"rate {plan.after.end_lr:.6g}. Plan for {run:,} steps, or pass the schedule instead of a plan.",
            )


def _refuse_uncountable_steps(epochs: int | None, steps_per_epoch: int | None) -> None:
    """Refuse a run in which Keras' own count of the updates would turn negative, whatever the plan."""
    run, last = (epochs or 0) * (steps_per_epoch or 0), last_step(STEP_DTYPE)
    if run > last:
        raise PlanError(
            f"On this backend Keras counts steps in {STEP_DTYPE}, up to {last:,}.",
            received=Described(f"a `fit` of {run:,} steps"),
            fix="Train with larger batches or fewer epochs, or on TensorFlow, where Keras counts in int64.",
        )


class _Installed(NamedTuple):
    schedule: LearningRateSchedule
    train_function: Callable[[], Any]
    """A weak reference to the train function that the schedule was traced in."""


_INSTALLED: weakref.WeakKeyDictionary[Any, _Installed] = weakref.WeakKeyDictionary()
"""What this module put into each optimizer. Schedules that users made are theirs: other models may use them."""


def _install(model: Any, optimizer: Any, plan: Plan) -> bool:
    """Make `optimizer` follow `plan`; True where a train function that is traced already must be made anew."""
    installed = _INSTALLED.get(optimizer)
    if (
        installed is not None
        and installed.schedule is optimizer._learning_rate
        and installed.schedule.plan == plan
        and model.train_function is not None
        and installed.train_function() is model.train_function
    ):
        return False
    strategy = getattr(model, "distribute_strategy", None)
    with nullcontext() if strategy is None else strategy.scope():
        schedule = LearningRateSchedule(plan)
    optimizer.learning_rate = schedule
    _INSTALLED[optimizer] = _Installed(schedule, lambda: None)
    return True


def _refuse_rivals(own: PlanCallback, callbacks: list[Any]) -> None:
    rivals = (PlanCallback, keras.callbacks.ReduceLROnPlateau, keras.callbacks.LearningRateScheduler)
    for callback in callbacks:
        if isinstance(callback, rivals) and callback is not own:
            raise TrainingError(
                "Only one callback can set the learning rate.",
                received=Described(f"{type(own).__name__} and {type(callback).__name__} in the same `fit`"),
                fix="Remove one of them.",
            )
