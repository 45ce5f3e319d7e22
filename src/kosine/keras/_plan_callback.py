"""What the callbacks share: they drive the optimizers while `fit` runs, and watch what it does."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections import deque
from typing import Any, NamedTuple

import keras

from kosine._core.schedule import Plan
from kosine._core.traced import check_length, last_step
from kosine.errors import Described, PlanError, TrainingError, TrainingWarning
from kosine.keras._driver import Driver, Followed
from kosine.keras._history import LearningRateHistory
from kosine.keras._internals import (
    STEP_DTYPE,
    Running,
    build_if_needed,
    called_by_fit,
    calling_list,
    idle_optimizers,
    iterations,
    level_of_the_user,
    optimizer_patterns,
    optimizers,
    reads_batches,
    scales_loss,
    wraps_another,
)
from kosine.keras._parts import constant_rates, in_ratio, note_rates, unmatched


class Counted(NamedTuple):
    """What an optimizer follows, and the updates that it had done when the epoch began."""

    followed: Followed
    before: int

    @property
    def done(self) -> int:
        return iterations(self.followed.optimizer) - self.before


class PlanCallback(keras.callbacks.Callback, ABC):  # type: ignore[misc]  # Keras has no types
    """Drives every optimizer of the model along a plan; subclasses say which, and which step an epoch begins at."""

    async_safe = True  # on_train_batch_end only notes a number, so Keras may call it from other threads

    def __init__(self) -> None:
        super().__init__()
        self.plan: Plan | None = None
        self._history = LearningRateHistory()
        self._steps_per_epoch: int | None = None
        self._cycles = False  # whether the plan has more than one cycle
        self._prepared = False
        self._running: Running | None = None
        self._driver: Driver | None = None
        self._first_step = 0
        self._next: tuple[int, int] | None = None  # the epoch after the last one, and the step that it begins at
        # Keras may call on_train_batch_end from several threads, out of order: of the last few the largest is kept.
        self._ends: deque[int] = deque(maxlen=128)
        self._counted: list[Counted] = []
        self._logs_batches = False
        self._warned: set[str] = set()

    # --- what subclasses decide ---

    @abstractmethod
    def make_plan(self) -> Plan:
        """The plan to follow, called when `fit` has said how many epochs and steps it trains."""

    @abstractmethod
    def epoch_step(self, epoch: int) -> int:
        """The step of the plan at the first batch of `epoch`."""

    def follow(self, model: Any) -> list[Followed]:
        """What each optimizer follows."""
        assert self.plan is not None
        return [Followed(optimizer, plan, {}) for optimizer, plan in in_ratio(model, self.plan, self._rates)]

    @property
    def patterns(self) -> list[str]:
        """The patterns of the paths of variables that schedules were given for."""
        return []

    def check_start(self, epoch: int) -> None:
        """Look at the first epoch of a run, when its first step is known and whatever was saved is restored."""

    # --- what users read ---

    @property
    def history(self) -> LearningRateHistory:
        """The steps and rates of every batch trained in this run, also in an unfinished epoch."""
        return self._history.and_running(self._first_step, self._batches)

    @property
    def steps_per_epoch(self) -> int | None:
        """The batches of an epoch, where the plan or `fit` says how many there are."""
        return self._steps_per_epoch

    @property
    def epoch_start(self) -> int:
        """The step that this epoch began at."""
        return self._first_step

    @property
    def epoch_stop(self) -> int:
        """The step after the last one of an epoch that is over."""
        return self._first_step if self._next is None else self._next[1]

    @property
    def _batches(self) -> int:
        """The batches that are done of an epoch that is not over."""
        return max(self._ends, default=0)

    # --- what Keras calls ---

    def set_model(self, model: Any) -> None:
        if self._running is not None and self._running.alive and model is not self._model:
            raise TrainingError(
                "A callback follows one `fit` at a time.",
                received=Described(
                    f"this {type(self).__name__} in the `fit` of another model, while the first one runs"
                ),
                fix="Make one callback for each `fit`; a schedule can be shared.",
            )
        super().set_model(model)

    def set_params(self, params: Any) -> None:
        super().set_params(params)
        # `fit` says here what it trains, before any on_train_begin. Whatever must be refused is refused before an
        # optimizer is touched. `evaluate` and `predict` call this, too: they change nothing.
        if called_by_fit(self._model):
            self._prepare()

    def on_train_begin(self, logs: Any = None) -> None:
        if not self._prepared:  # the list of callbacks was made before `fit`
            self._prepare()
        self._prepared = False
        self._running, self._driver = Running(self._model), None
        callbacks = calling_list()
        if callbacks is None:
            return
        if any(callback is self for callback in callbacks.callbacks):
            # First in the list, so that its learning rate is in the logs that the others write. It is this callback's
            # turn, so the callbacks that are still to come keep their places.
            callbacks.callbacks.remove(self)
            callbacks.callbacks.insert(0, self)
        self._logs_batches = any(reads_batches(each) for each in callbacks.callbacks if each is not self)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._first_step = self.epoch_step(epoch)
        self._ends.clear()
        if self._driver is None:
            self.check_start(epoch)
        self._drive(self._first_step)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._ends.append(batch + 1)
        if self._logs_batches and logs is not None:
            logs.update(self._rates_at(self._first_step + batch))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        done = [counted.done for counted in self._counted]
        batches = self._count(self.model, done)
        if batches and not any(done):
            self._warn("idle", self._no_update(epoch))
            self._ends.clear()
        else:
            self._compare_counts(epoch, done, batches)
            self._commit(batches)
            updates = max(done)
            if updates == batches + 1:  # Keras 3.15 counts a phantom step at the end of some data
                updates = batches
            if logs is not None and batches:  # the rate of the last update, also where some were skipped
                logs.update(self._cycle_at(self._first_step + batches - 1))
                logs.update(self._rates_at(self._first_step + updates - 1))
        self._next = (epoch + 1, self._first_step + batches)

    def on_train_end(self, logs: Any = None) -> None:
        if self._driver is not None:
            self._driver.stop(self.model)
            note_rates(self.model, self._rates, left=True)
        self._running = self._driver = None

    # --- driving ---

    def _prepare(self) -> None:
        self._commit(self._batches)  # of an epoch that an interruption has ended
        model = self.model
        callbacks = calling_list()
        if callbacks is not None:
            _refuse_rivals(self, callbacks.callbacks)
        build_if_needed(model)
        _check_optimizers(model)
        self._rates = constant_rates(model)
        self._warned = set()
        params: dict[str, Any] = self.params or {}
        if params.get("epochs") != 0:  # else nothing is trained
            self.plan = self.make_plan()
            self._cycles = _has_cycles(self.plan)
            _refuse_uncountable_steps(params.get("epochs"), self._steps_per_epoch or params.get("steps"))
            check_length(self.plan, STEP_DTYPE)
            self.follow(model)  # whatever it refuses
            self._warn_of_idle_optimizers(model)
            self._warn_of_idle_patterns(model)
        self._prepared = True

    def _drive(self, step: int) -> None:
        """Make the next update that of `step`."""
        model = self.model
        assert self._running is not None
        if self._driver is None or not self._driver.drives(model):
            if self._driver is not None:
                self._driver.stop(model)
            if model.train_function is None:
                model.make_train_function()
            followed = self.follow(model)
            self._driver = Driver.of(model, followed)
            self._driver.start(model, self._running, self._go_on)
            note_rates(model, self._rates, left=False)
        else:
            followed = [counted.followed for counted in self._counted]
        self._counted = [Counted(each, iterations(each.optimizer)) for each in followed]
        self._driver.set_step(step, [counted.before for counted in self._counted])

    def _go_on(self) -> None:
        """The model was compiled anew, or its train function made anew, by another callback."""
        _check_optimizers(self.model)
        self._drive(self._first_step + self._batches)

    def _commit(self, batches: int) -> None:
        """Note the batches of an epoch that is over."""
        self._history.add(self._first_step, batches)
        self._ends.clear()

    def _count(self, model: Any, done: list[int]) -> int:
        """The number of batches in an epoch, from the number of updates that the optimizers did."""
        if model.steps_per_execution == 1 and self._batches:
            return self._batches
        # With several steps in an execution Keras reports the last that the execution could have had. A subclass, or a
        # loop of the user's own, may report none.
        if not scales_loss(model) or not self._batches:
            return max(done)
        return self._batches if self._steps_per_epoch is None else min(self._batches, self._steps_per_epoch)

    def _rates_at(self, step: int) -> dict[str, float]:
        """The learning rates for the logs: one a part, that of the default part without a name, as TensorBoard's."""
        assert self.plan is not None
        if len(self._counted) == 1:
            return {"learning_rate": self._counted[0].followed.rates(step)}
        parts = {f"learning_rate_{each.optimizer.name}": each.rates(step) for each, _ in self._counted}
        return {"learning_rate": self.plan(step), **parts}

    def _cycle_at(self, step: int) -> dict[str, int]:
        """The cycle for the logs, counted from 1, of a plan with several."""
        assert self.plan is not None
        return {"cycle": self.plan.cycle_at(step) + 1} if self._cycles else {}

    # --- speaking up ---

    def _compare_counts(self, epoch: int, done: list[int], batches: int) -> None:
        if len(done) == 1 and done[0] < batches:
            cause, mend = "", ""
            if scales_loss(self.model):
                cause = ", as loss scaling does after an overflow"
                mend = " Lower the optimizer's `initial_scale` if it is the first batches."
            self._warn(
                "behind",
                f"{batches - done[0]} of {batches} updates of epoch {epoch} were skipped{cause}: until the epoch's end "
                "the learning rate lagged behind the plan by as many steps. The history of every batch holds the plan's"
                f" rates.{mend}",
            )
        if max(done) > batches + 1:  # more than the phantom step
            self._warn(
                "ahead",
                f"Epoch {epoch} had {batches} batches but {max(done)} updates, so the learning rate ran ahead of the "
                "plan. The history of every batch holds the plan's rates. Plan for updates, and give the optimizer a "
                "LearningRateSchedule instead of this callback.",
            )
        expected = self._steps_per_epoch
        if expected is not None and batches != expected and not self.model.stop_training:
            self._warn(
                "length",
                f"Epoch {epoch} had {batches} batches, but the schedule was planned for {expected} steps per epoch. "
                f"If every epoch is like this one, pass steps_per_epoch={batches} to `fit` or to the callback.",
            )

    def _no_update(self, epoch: int) -> str:
        """Why an epoch without any update had none."""
        names = ", ".join(type(optimizer).__name__ for optimizer in optimizers(self.model))
        idle = f"model.optimizer ({names}) did no update in epoch {epoch}, so the schedule was not applied"
        others = idle_optimizers(self.model)
        if others:
            return f"{idle}: the model trains with {_named(others)}. {_GIVE_EACH}"
        if not self.model.trainable_variables:
            return f"{idle}: the model has no trainable variables."
        return f"{idle}: the model's `train_step` never calls it, or every gradient overflowed. {_GIVE_EACH}"

    def _warn_of_idle_optimizers(self, model: Any) -> None:
        others = idle_optimizers(model)
        if others:
            self._warn(
                "others",
                f"{type(self).__name__} drives model.optimizer, and the model has other optimizers: "
                f"{_named(others)}. They keep their own rates. {_GIVE_EACH}",
            )

    def _warn_of_idle_patterns(self, model: Any) -> None:
        idle = unmatched(model, [*self.patterns, *optimizer_patterns(model)])
        if idle:
            self._warn(
                "patterns",
                f"No variable of the model has a path that matches {' or '.join(map(repr, idle))} as a whole, so what "
                f"was given for it trains nothing. The first path is {model.variables[0].path!r}.",
            )

    def _warn(self, topic: str, message: str) -> None:
        if topic not in self._warned:
            self._warned.add(topic)
            warnings.warn(message, TrainingWarning, stacklevel=level_of_the_user())


def _has_cycles(plan: Plan) -> bool:
    try:
        return plan.cycle_ends.size > 1
    except PlanError:  # without an end, or of cycles that nobody counts
        return False


_GIVE_EACH = "Give each of them a LearningRateSchedule(plan) instead."


def _named(others: dict[str, Any]) -> str:
    return ", ".join(f"{name} ({type(optimizer).__name__})" for name, optimizer in others.items())


def _check_optimizers(model: Any) -> None:
    found = optimizers(model)
    if not found:
        raise TrainingError("The model has no optimizer that could follow a schedule. Compile it with one.")
    for optimizer in found:
        if wraps_another(optimizer):
            raise TrainingError(
                "An optimizer whose updates are done by another one cannot be driven.",
                received=Described(f"an optimizer of the class {type(optimizer).__name__}"),
                fix="Give the inner optimizer a LearningRateSchedule(plan) instead of using this callback.",
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


def _refuse_rivals(own: PlanCallback, callbacks: list[Any]) -> None:
    rivals = (PlanCallback, keras.callbacks.ReduceLROnPlateau, keras.callbacks.LearningRateScheduler)
    for callback in callbacks:
        if isinstance(callback, rivals) and callback is not own:
            raise TrainingError(
                "Only one callback can set the learning rate.",
                received=Described(f"{type(own).__name__} and {type(callback).__name__} in the same `fit`"),
                fix="Remove one of them.",
            )
