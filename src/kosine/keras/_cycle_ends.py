"""The callback that keeps the models at the ends of a plan's cycles."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import keras

from kosine._core.arguments import read_count, read_flag
from kosine._core.schedule import Plan
from kosine.errors import ArgumentError, ArgumentTypeError, Described, TrainingError, TrainingWarning
from kosine.keras._averaging import average_weights, check_refresh, kept, refresh_statistics, state_of
from kosine.keras._cycle_files import CycleEnd, CycleFiles, CycleTable
from kosine.keras._evaluating import evaluate_apart
from kosine.keras._internals import calling_list, iterations, level_of_the_user, optimizers
from kosine.keras._plan_callback import PlanCallback
from kosine.keras._schedule import LearningRateSchedule


class CycleEnds(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Saves the model at the exact batch at which each cycle of the plan ends, inside an epoch, too.

    The plan is that of the `LearningRateCallback` or `WarmUpCosineDecayScheduler` in the same `fit` (of several plans
    the first), or of the `LearningRateSchedule` in the optimizer. Its `cycle_ends` say where a cycle ends; the run's
    last step is one of them. A file has the weights after the update of that step, and appears whole or not at all. A
    run that BackupAndRestore restores saves every cycle that ends from there on.

    With `average=True` the equal average of the weights of the last `keep` cycle ends (of all without `keep`) is saved
    when `fit` ends, as `average.keras` or `average.weights.h5` in the same folder; the model itself stays as it is.

    Args:
        filepath: the name of each file, which ends in ".keras", or ".weights.h5" with `weights_only`. It has
            "{cycle}", counted from 1, or "{step}", the last step of the cycle, counted from 0; and may have "{epoch}",
            counted from 1, and metrics of `evaluate` such as "{val_loss:.3f}".
        keep: how many of the last files stay; all if None.
        weights_only: whether a file holds the weights alone.
        average: whether to save the average of the weights, too.
        evaluate: data on which the model is evaluated at each cycle end: (x, y), (x, y, sample_weight) or a dataset.
            The training is as it is without it, bit for bit.
        refresh: training data, for `average` with BatchNormalization: inputs, (x, y) or a dataset. One pass over it
            makes the layers' statistics anew, as means over its batches.
        callbacks: Keras callbacks that see a cycle as an epoch: `on_epoch_end(cycle - 1, logs)` with the metrics of
            `evaluate`, such as "val_loss". `EarlyStopping` and `ModelCheckpoint` decide at cycle ends only.

    Attributes:
        cycles: a row (cycle, step, epoch, metrics, file) for each cycle that has ended; `print` shows a table.

    Raises:
        ArgumentError, ArgumentTypeError: a name without "{cycle}" and "{step}" or with another ending, a `keep` below
            1, `callbacks` without `evaluate` or with one that sets the rate, `refresh` without `average`; at the start
            of `fit`: `average` without `refresh` for a model with BatchNormalization.
        TrainingError: at the start of `fit`: no plan in it, or a cycle that ends inside an execution of several steps.
        PlanError: at the start of `fit`: a plan without an end.
        OSError: a file cannot be written; one that was there before is unchanged.

    Warns:
        TrainingWarning: files of an earlier run would stay beside those of this one.

    Example:
        >>> import keras, numpy as np, tempfile, kosine as ks
        >>> model = keras.Sequential([keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> folder = tempfile.mkdtemp()
        >>> ends = ks.keras.CycleEnds(f"{folder}/cycle-{{cycle:02d}}.keras")
        >>> rates = ks.keras.LearningRateCallback(ks.sgdr(peak=0.1, period=3, stretch=2), lint=False)
        >>> history = model.fit(
        ...     np.zeros((18, 2)), np.zeros((18, 1)), batch_size=2, verbose=0, callbacks=[rates, ends]
        ... )
        >>> [(row.cycle, row.step, row.file.name) for row in ends.cycles]
        [(1, 2, 'cycle-01.keras'), (2, 8, 'cycle-02.keras')]
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        *,
        keep: int | None = None,
        weights_only: bool = False,
        average: bool = False,
        evaluate: Any = None,
        refresh: Any = None,
        callbacks: Sequence[Any] = (),
    ) -> None:
        super().__init__()
        self._keep = None if keep is None else read_count(keep, "keep")
        if self._keep == 0:
            raise ArgumentError(argument="keep", rule="an integer >= 1, or None for all files", received=keep)
        self._average = read_flag(average, "average")
        if refresh is not None and not self._average:
            raise ArgumentError(argument="average", rule="True where `refresh` is given", received=average)
        for name, data in {"evaluate": evaluate, "refresh": refresh}.items():
            if isinstance(data, Iterator):
                rule = "data that can be read more than once: arrays or a dataset, not an iterator"
                raise ArgumentTypeError(argument=name, rule=rule, received=data)
        self._evaluated, self._refresh = evaluate, refresh
        self._files = CycleFiles(filepath, read_flag(weights_only, "weights_only"), evaluate is not None)
        self._watchers = _read_watchers(callbacks, evaluate is not None)
        if self._watchers:
            # They may end the training, which `fit` looks for after a batch. Without them nothing is to be done there,
            # and Keras on JAX goes on without waiting for a batch.
            self.on_train_batch_end = self._after_batch
        self._rows: list[CycleEnd] = []
        self._ends: list[int] = []
        self._steps: _Steps | None = None
        self._seen: int | None = None  # the steps before it have been looked at
        self._epoch = self._first = 0

    @property
    def cycles(self) -> CycleTable:
        return CycleTable(self._rows)

    # --- what Keras calls ---

    def on_train_begin(self, logs: Any = None) -> None:
        model, calling = self.model, calling_list()
        self._steps = _steps_of(model, [] if calling is None else calling.callbacks)
        self._seen = None
        self._ends = [] if self._steps is None else self._steps.plan.cycle_ends.tolist()
        if self._average:
            check_refresh(model, self._refresh)
        self._files.folder.mkdir(parents=True, exist_ok=True)
        if self._evaluated is not None:  # what is wrong with the data comes up now, not at the end of a cycle
            self._files.check_metrics(evaluate_apart(model, self._evaluated, steps=1))
        if calling is not None and any(each is self for each in calling.callbacks):
            _move_forward(self, calling.callbacks)
        for callback in self._watchers:
            callback.set_model(model)
            callback.set_params({**(self.params or {}), "epochs": len(self._ends), "steps": None})
            callback.on_train_begin(logs)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if self._steps is None:
            return
        self._epoch, self._first = epoch, self._steps.at_epoch_begin()
        if self._seen is None:
            self._start(self._first)
        self._look(self._first)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._look(self._first + batch)

    def _after_batch(self, batch: int, logs: Any = None) -> None:
        per_epoch = self._per_epoch  # Keras reports the last batch that a last execution could have had
        self._look(self._first + (batch + 1 if per_epoch is None else min(batch + 1, per_epoch)))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self._steps is not None:
            self._look(self._steps.at_epoch_end())

    def on_train_end(self, logs: Any = None) -> None:
        if self._average:
            self._save_average()
        for callback in self._watchers:
            callback.on_train_end(logs)

    # --- the start ---

    @property
    def _per_epoch(self) -> int | None:
        known = self._steps.per_epoch if self._steps is not None else None
        return known if known is not None else (self.params or {}).get("steps")

    def _start(self, first: int) -> None:
        """Look at where the run begins, when whatever was saved is restored."""
        _refuse_inside_executions(self._ends, first, self._per_epoch, int(self._model.steps_per_execution))
        self._seen = first
        rows = [self._row(end) for end in self._ends] if self._per_epoch else []
        known = {row.step: row for row in self._rows}
        before = [known.get(row.step) or replace(row, file=self._files.found(row)) for row in rows if row.step < first]
        self._rows = [row for row in before if row.step in known or row.file is not None]
        others = self._files.others(rows) if rows else []
        if others:
            warnings.warn(
                f"{len(others)} files of an earlier run would stay beside those of this one, such as {others[0]}. "
                "`Ensemble.load` takes all files of a folder. Remove them, or name another folder.",
                TrainingWarning,
                stacklevel=level_of_the_user(),
            )
        for callback in self._watchers:
            callback.on_epoch_begin(len([end for end in self._ends if end < first]))

    def _row(self, end: int) -> CycleEnd:
        epochs = 0 if self._per_epoch is None else (end - self._first) // self._per_epoch
        return CycleEnd(self._ends.index(end) + 1, end, self._epoch + epochs + 1)

    # --- the end of a cycle ---

    def _look(self, done: int) -> None:
        """Save the model if a cycle has ended before step `done`, since the last look."""
        if self._seen is None or done <= self._seen:
            return
        ended = [end for end in self._ends if self._seen <= end < done]
        self._seen = done
        if ended:
            if ended != [done - 1]:
                self._warn_of_late_report(ended, done)
            self._save(ended[-1])

    def _save(self, end: int) -> None:
        model = self.model  # on JAX this brings the weights of the last batch into the model
        metrics = {} if self._evaluated is None else evaluate_apart(model, self._evaluated)
        row = replace(self._row(end), epoch=self._epoch + 1, metrics=metrics)
        row = replace(row, file=self._files.name(row))
        assert row.file is not None
        self._files.save(model, row.file)
        self._files.remove_others(row)
        self._rows = [each for each in self._rows if each.step < end] + [row]
        self._remove_old()
        for callback in self._watchers:
            callback.on_epoch_end(row.cycle - 1, dict(metrics))
        if row.cycle < len(self._ends):
            for callback in self._watchers:
                callback.on_epoch_begin(row.cycle)

    def _remove_old(self) -> None:
        rows = [row for row in self._rows if row.file is not None]
        last = {row.file for row in rows[-(self._keep or len(rows)) :]}
        for row in rows:
            if row.file is not None and row.file not in last:
                row.file.unlink(missing_ok=True)
        self._rows = [row if row.file in last else replace(row, file=None) for row in self._rows]

    def _save_average(self) -> None:
        files = [row.file for row in self._rows if row.file is not None]
        if not files:
            return
        model = self.model
        with kept(state_of(model)):
            average_weights(model, files)
            refresh_statistics(model, self._refresh)
            self._files.save(model, self._files.average)

    def _warn_of_late_report(self, ended: list[int], done: int) -> None:
        warnings.warn(
            f"Cycles ended at steps {', '.join(map(str, ended))}, but the batches up to step {done - 1} were reported "
            f"together: the file of cycle {self._ends.index(ended[-1]) + 1} has the weights after step {done - 1}.",
            TrainingWarning,
            stacklevel=level_of_the_user(),
        )


class _Steps(NamedTuple):
    """Where the steps of the plan come from: a callback that drives the optimizer, or a schedule in it."""

    plan: Plan
    callback: PlanCallback | None
    optimizer: Any = None

    @property
    def per_epoch(self) -> int | None:
        return None if self.callback is None else self.callback.steps_per_epoch

    def at_epoch_begin(self) -> int:
        """The step of the next update, asked for in `on_epoch_begin`."""
        return self._done if self.callback is None else self.callback.epoch_start

    def at_epoch_end(self) -> int:
        """The step of the next update, asked for in `on_epoch_end`."""
        return self._done if self.callback is None else self.callback.epoch_stop

    @property
    def _done(self) -> int:
        return iterations(self.optimizer) - int(self.optimizer._learning_rate.offset)


def _steps_of(model: Any, callbacks: list[Any]) -> _Steps | None:
    for callback in callbacks:
        if isinstance(callback, PlanCallback):
            return None if callback.plan is None else _Steps(callback.plan, callback)
    for optimizer in optimizers(model):
        if isinstance(optimizer._learning_rate, LearningRateSchedule):
            return _Steps(optimizer._learning_rate.plan, None, optimizer)
    raise TrainingError(
        "CycleEnds needs a plan, which says where cycles end.",
        received=Described("a `fit` without a LearningRateCallback, and an optimizer without a LearningRateSchedule"),
        fix="Pass both: callbacks=[LearningRateCallback(schedule), CycleEnds(...)].",
    )


def _read_watchers(callbacks: object, evaluated: bool) -> list[Any]:
    """The callbacks that look at cycle ends."""
    if not isinstance(callbacks, list | tuple) or not all(
        isinstance(each, keras.callbacks.Callback) for each in callbacks
    ):
        raise ArgumentTypeError(argument="callbacks", rule="a list of Keras callbacks", received=callbacks)
    if callbacks and not evaluated:
        raise ArgumentError(
            argument="evaluate",
            rule="data, such as (x, y), where `callbacks` are given: its metrics are what they look at",
            received=None,
        )
    known = keras.callbacks
    for each in callbacks:
        if isinstance(
            each, PlanCallback | known.ReduceLROnPlateau | known.LearningRateScheduler | known.BackupAndRestore
        ):
            raise ArgumentError(
                argument="callbacks",
                rule="callbacks that look at metrics, such as EarlyStopping and ModelCheckpoint",
                received=Described(f"a {type(each).__name__}"),
                fix="Pass it to `fit`.",
            )
    return list(callbacks)


def _move_forward(own: CycleEnds, callbacks: list[Any]) -> None:
    """Put a callback before all but the one that counts the steps.

    A backup then follows the file of a cycle that ends with the epoch: a run that is killed between the two trains the
    cycle's last epoch once more. It is this callback's turn, so those that are still to come keep their places.
    """
    counting = isinstance(callbacks[0], PlanCallback)  # has had its turn
    callbacks.remove(own)
    callbacks.insert(1 if counting else 0, own)


def _refuse_inside_executions(ends: list[int], first: int, per_epoch: int | None, steps: int) -> None:
    """Refuse cycles that end inside an execution of several steps, where no callback sees the model."""

    def inside(size: int) -> list[int]:
        counts = [
            end + 1 - first if per_epoch is None else (end - first) % per_epoch + 1 for end in ends if end >= first
        ]
        return [count for count in counts if count % size and count != per_epoch]

    if not inside(steps):
        return
    fitting = next(size for size in range(steps - 1, 0, -1) if not inside(size))
    ended = [end + 1 for end in ends if end >= first]
    near = [round(count / steps) * steps or steps for count in ended[:3]]
    more = ", ..." if len(ended) > 3 else ""
    raise TrainingError(
        "A cycle ends inside an execution of several steps, where no callback sees the model.",
        received=Described(
            f"steps_per_execution={steps}, and cycles that end after {', '.join(map(str, ended[:3]))}{more} steps"
        ),
        fix=f"Make the cycles multiples of {steps} steps, such as ends after {', '.join(map(str, near))}{more} steps, "
        f"or compile with steps_per_execution={fitting}.",
    )
