"""A plan's values as the backend computes them inside the train step, and the step that each update asks for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import keras

from kosine._core.schedule import Plan
from kosine._core.traced import check_length, tabulate
from kosine.errors import TrainingError
from kosine.keras._internals import BACKEND, STEP_DTYPE, distribution_scope, make_train_function

_OPERATIONS: Any = keras.ops
if BACKEND == "tensorflow":
    import tensorflow as tf

    class _TensorFlowOperations:
        """keras.ops, without the three operations in `take` that make negative indices count from the end."""

        take = staticmethod(tf.gather)

        def __getattr__(self, name: str) -> Any:
            return getattr(keras.ops, name)

    _OPERATIONS = _TensorFlowOperations()


class PlanValues:
    """The values of a plan at steps of the backend.

    On PyTorch the host computes them, so each is the nearest float32. For plans that end or repeat within 131,072
    steps the values are a table in the graph, also the nearest float32. For others on TensorFlow and JAX the graph
    computes them, to within 8 units in the last place.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        check_length(plan, STEP_DTYPE)
        # On PyTorch the plan itself is evaluated.
        self._table = None if BACKEND == "torch" else tabulate(plan, STEP_DTYPE)

    def __call__(self, step: Any) -> Any:
        """The value at a step of the backend; that of step 0 before it."""
        if self._table is not None:
            return self._table(step, _OPERATIONS)
        if isinstance(step, int):
            return self.plan(max(0, step))
        return keras.ops.convert_to_tensor(self.plan(step.clip(0)), "float32")


class Clock(ABC):
    """Which step of the plans the next update of each of several optimizers is."""

    @abstractmethod
    def set(self, first_step: int, iterations: list[int]) -> None:
        """The next update of each optimizer, which has done so many, is `first_step`."""

    @abstractmethod
    def step(self, number: int, optimizer: Any) -> Any:
        """The step of this update of the optimizer of this number; asked for once in each update."""

    def train_function(self, model: Any) -> Any:
        return make_train_function(model)


class _HostClock(Clock):
    """PyTorch: the host runs each update, and counts them; a read of the device would wait for it."""

    def __init__(self, model: Any, count: int) -> None:
        self._next = [0] * count

    def set(self, first_step: int, iterations: list[int]) -> None:
        self._next = [first_step] * len(iterations)

    def step(self, number: int, optimizer: Any) -> int:
        step = self._next[number]
        self._next[number] = step + 1
        return step


class _VariableClock(Clock):
    """TensorFlow: the graph reads a variable, so that another offset needs no new trace."""

    def __init__(self, model: Any, count: int) -> None:
        strategy = distribution_scope(model)
        with nullcontext() if strategy is None else strategy.scope():
            self._offsets = [
                keras.Variable(
                    0, dtype=STEP_DTYPE, trainable=False, name="schedule_offset", aggregation="only_first_replica"
                )
                for _ in range(count)
            ]

    def set(self, first_step: int, iterations: list[int]) -> None:
        for offset, done in zip(self._offsets, iterations, strict=True):
            offset.assign(done - first_step)

    def step(self, number: int, optimizer: Any) -> Any:
        return keras.ops.cast(optimizer._iterations, STEP_DTYPE) - self._offsets[number].value


class _ArgumentClock(Clock):
    """JAX: a function that is compiled reads only its arguments, so each batch brings the offsets along."""

    def __init__(self, model: Any, count: int) -> None:
        self._offsets: tuple[Any, ...] = ()
        self._in_step: tuple[Any, ...] | None = None

    def set(self, first_step: int, iterations: list[int]) -> None:
        self._offsets = tuple(keras.ops.convert_to_tensor(done - first_step, STEP_DTYPE) for done in iterations)

    def step(self, number: int, optimizer: Any) -> Any:
        offsets = self._offsets if self._in_step is None else self._in_step
        return keras.ops.cast(optimizer._iterations, STEP_DTYPE) - offsets[number]

    def train_function(self, model: Any) -> Any:
        if getattr(keras.config, "is_nnx_enabled", bool)():  # there Keras calls the step of the class
            raise TrainingError(
                "Keras' NNX mode cannot be driven by a callback.",
                received={"keras.config.is_nnx_enabled()": True},
                fix="Give the optimizer a LearningRateSchedule(plan) instead.",
            )

        def unpack(batch: Any) -> Any:
            self._in_step, data = batch
            return data

        function = make_train_function(model, unpack)

        def train_function(state: Any, batches: Iterator[Any]) -> Any:
            try:
                return function(state, ((self._offsets, data) for data in batches))
            finally:
                self._in_step = None  # no tracer outlives its trace

        return train_function


CLOCKS: dict[str, Any] = {"torch": _HostClock, "tensorflow": _VariableClock, "jax": _ArgumentClock}
