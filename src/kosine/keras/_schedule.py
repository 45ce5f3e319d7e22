"""A plan as a Keras learning-rate schedule, evaluated inside the train step."""

from __future__ import annotations

from typing import Any, NoReturn

import keras

from kosine._core.foreign_words import refuse_as_callback
from kosine._core.json_form import from_data, to_data
from kosine._core.schedule import Plan
from kosine._core.traced import last_step
from kosine.errors import ArgumentTypeError, Described, NotationError, shown
from kosine.keras._internals import STEP_DTYPE
from kosine.keras._values import PlanValues


@keras.saving.register_keras_serializable(package="kosine")
class LearningRateSchedule(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """A plan as a `keras.optimizers.schedules.LearningRateSchedule`.

    The update of batch t uses `plan(t - offset)`, and `plan(0)` before step `offset`. On PyTorch the host computes
    the rate, so it is the nearest float32. For plans that end or repeat within 131,072 steps the rates are a table in
    the graph, also the nearest float32. For others on TensorFlow and JAX the graph computes them, to within 8 units in
    the last place, down to 1e-31 of the phase's highest rate: devices take numbers below 1.2e-38 as 0. The schedule is
    saved with the model, and needs no callback after a reload.

    Args:
        plan: what to follow; plan a `Schedule` first.
        offset: the number of updates that the optimizer has done before step 0 of the plan; below 0 where its first
            update is a later step of the plan, as after `initial_epoch`.

    Raises:
        ArgumentTypeError: the plan is not one, or the offset is not an integer or too large for the backend.
        PlanError: a plan longer than the backend can count: 2**31 - 1 steps on JAX and PyTorch, 2**63 - 1 on
            TensorFlow.

    Example:
        >>> import keras, kosine as ks
        >>> plan = ks.warmup_cosine(peak=1e-3, warmup=100).plan(total_steps=1000)
        >>> optimizer = keras.optimizers.AdamW(ks.keras.LearningRateSchedule(plan))
        >>> round(float(optimizer.learning_rate), 6)
        0.0
    """

    def __init__(self, plan: Plan, offset: int = 0) -> None:
        if not isinstance(plan, Plan):
            raise ArgumentTypeError(
                argument="plan",
                rule="a kosine Plan: call `schedule.plan(epochs=..., steps_per_epoch=...)` first",
                received=plan,
            )
        if isinstance(offset, bool) or not isinstance(offset, int) or abs(offset) > last_step(STEP_DTYPE):
            raise ArgumentTypeError(
                f"Argument `offset` must be an integer that {STEP_DTYPE} holds: the number of updates before "
                "step 0 of the plan.",
                received={"offset": offset},
            )
        self.plan = plan
        self._values = PlanValues(plan)
        self._offset = offset

    @property
    def offset(self) -> int:
        """The number of updates that the optimizer had done before step 0 of the plan."""
        return self._offset

    def __call__(self, step: Any) -> Any:
        """The learning rate of the update that the optimizer counts as `step`.

        Args:
            step: the optimizer's iterations: an integer, or an integer tensor of any shape.

        Returns:
            A float32 tensor of the shape of `step`; on PyTorch a float for a single step.
        """
        if keras.backend.backend() != "torch":
            step = keras.ops.cast(keras.ops.convert_to_tensor(step), STEP_DTYPE)
        elif getattr(step, "shape", ()):
            step = keras.ops.convert_to_numpy(step).astype("int64")
        else:
            step = int(step)
        return self._values(step - self._offset)

    def __getattr__(self, name: str) -> NoReturn:
        refuse_as_callback("A LearningRateSchedule", name)
        raise AttributeError(f"A LearningRateSchedule has no attribute {name!r}.", name=name, obj=self)

    def __repr__(self) -> str:
        return f"LearningRateSchedule({self.plan!r}, offset={self._offset})"

    def get_config(self) -> dict[str, Any]:
        """The resolved plan and the offset, as JSON can hold them."""
        return {"plan": to_data(self.plan), "offset": self._offset}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LearningRateSchedule:
        """Make the schedule again from `get_config`.

        Raises:
            NotationError: a field that is missing, unknown or of a wrong type.
            ScheduleError, PlanError: a value in it breaks a rule.
        """
        if not isinstance(config, dict) or set(config) != {"plan", "offset"}:
            received = f"the fields {shown(sorted(config, key=str))}" if isinstance(config, dict) else shown(config)
            raise NotationError(
                'The configuration of a LearningRateSchedule must have the fields "plan" and "offset" and no '
                "other, as `get_config` writes them.",
                received=Described(received),
            )
        try:
            plan = from_data(config["plan"])
            if isinstance(plan, Plan):
                return cls(plan, config["offset"])
        except ArgumentTypeError as error:  # Keras would treat a TypeError as its own
            raise NotationError(f"The configuration of a LearningRateSchedule has a wrong type: {error}") from error
        raise NotationError(
            'In the configuration of a LearningRateSchedule "plan" must be a plan, with its "run".', received=plan
        )
