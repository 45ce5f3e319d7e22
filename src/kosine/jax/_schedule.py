"""A plan as a schedule for Optax and for any JAX loop: a pure function of the step, traced once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from kosine._core.schedule import Plan
from kosine._core.traced import PhaseTable, RateTable, last_step, tabulate
from kosine.errors import ArgumentTypeError, Described

_FEW = 8
_FAN_OUT = 64


class _Operations:
    """jax.numpy, with the few operations that it names or does in another way than keras.ops."""

    @staticmethod
    def cast(values: Any, dtype: str) -> Any:
        return jnp.asarray(values, dtype)

    @staticmethod
    def take(values: Any, index: Any, axis: int) -> Any:
        return jnp.take(values, index, axis=axis, mode="clip")  # the default fills what lies outside with NaN

    @staticmethod
    def unstack(values: Any, number: int, axis: int) -> Any:
        return jnp.unstack(values, axis=axis)

    @staticmethod
    def sum(values: Any, axis: int) -> Any:
        if values.shape[axis] > _FEW:
            return jnp.sum(values, axis=axis)
        return sum(jnp.unstack(values, axis=axis))  # a reduction would be a separate kernel

    @staticmethod
    def searchsorted(boundaries: Any, steps: Any, side: str) -> Any:
        """Up to three comparisons, each with 64 boundaries at once; the loop of jax.numpy takes twice the time."""
        assert side == "right"
        levels = [boundaries]
        while len(levels[0]) > _FAN_OUT:
            levels.insert(0, levels[0][::_FAN_OUT])
        block = jnp.zeros_like(steps, dtype="int32")
        for level in levels:
            missing = -len(level) % _FAN_OUT
            largest = np.inf if level.dtype.kind == "f" else np.iinfo(level.dtype).max
            rows = np.pad(level, (0, missing), constant_values=largest).reshape(-1, _FAN_OUT)
            reached = jnp.expand_dims(steps, -1) >= jnp.take(rows, block, axis=0, mode="clip")
            block = block * _FAN_OUT + jnp.sum(reached, axis=-1, dtype="int32") - 1
        return block + 1

    def __getattr__(self, name: str) -> Any:
        return getattr(jnp, name)


@dataclass(frozen=True, repr=False)
class PlanSchedule:
    """A plan as a pure function from the step to a float32 rate; made by `schedule`.

    It is a value: equal plans make equal schedules, so it can be a static argument of `jax.jit`, and it can be
    pickled.

    Attributes:
        plan: what it follows.
    """

    __name__: ClassVar[str] = "schedule"  # what JAX calls it in traces and profiles

    plan: Plan
    _tables: dict[str, RateTable | PhaseTable] = field(init=False, compare=False, default_factory=dict)
    _compiled: Callable[[Any], Any] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.plan, Plan):
            raise ArgumentTypeError(
                argument="plan", rule="a kosine Plan: call `schedule.plan(total_steps=...)` first", received=self.plan
            )
        self._table()
        object.__setattr__(self, "_compiled", jax.jit(self._rates, inline=True))

    def __call__(self, step: Any) -> jax.Array:
        """The learning rate of update `step`, counted from 0.

        Args:
            step: an integer, or an array of integers of any shape; Optax passes the count in its state.

        Returns:
            A float32 array of the shape of `step`.

        Raises:
            ArgumentTypeError: steps that are not integers.
            StepError: an int, or a NumPy integer or array, below 0. `optax.join_schedules` asks its parts for such
                steps: call what it makes with an array of JAX, as Optax' optimizers do.
        """
        if not isinstance(step, jax.Array):
            return jnp.asarray(self.plan(step), "float32")
        if not jnp.issubdtype(step.dtype, jnp.integer):
            raise ArgumentTypeError(
                "Argument `step` must be an integer or an array of integers: count steps in an integer, or pass "
                "`step.astype(int)`.",
                received=Described(f"an array of dtype {step.dtype}"),
            )
        return self._compiled(step)

    def _rates(self, step: jax.Array) -> Any:
        table = self._table()
        last = last_step(table.step_dtype)
        if jnp.iinfo(step.dtype).max > last:  # unsigned
            step = jnp.minimum(step, last)
        return table(step.astype(table.step_dtype), _Operations())

    def _table(self) -> RateTable | PhaseTable:
        """The constants for the widest integers that JAX has switched on."""
        dtype = "int64" if jax.config.jax_enable_x64 else "int32"
        if dtype not in self._tables:
            self._tables[dtype] = tabulate(self.plan, dtype)
        return self._tables[dtype]

    def __reduce__(self) -> tuple[type[PlanSchedule], tuple[Plan]]:
        return PlanSchedule, (self.plan,)

    def __repr__(self) -> str:
        return f"schedule({self.plan!r})"


def schedule(plan: Plan) -> PlanSchedule:
    """A plan as an Optax schedule; in your own JAX loop, call it with the step.

    Update t, counted from 0, uses `plan(t)`. The type of the step decides where its rate is computed:

    - An int, or a NumPy integer or array: on the host, the float32 nearest to `plan(step)`.
    - An array of JAX, traced or not: on the device, in integers up to the last operations. It is the nearest float32
      for plans that end or repeat within 131,072 steps, which are a table; for others it is within 8 units in the last
      place, down to 1e-31 of the phase's highest rate: devices take numbers below 1.2e-38 as 0. The array is not read,
      so a step below 0 raises no error: it counts as step 0. A new step traces nothing anew, and the graph has a few
      dozen operations, about a hundred with a `power` or `warp`, however many cycles there are.

    The rate is a strongly typed float32, as from most schedules of Optax. Optax casts it to the type of each gradient;
    in your own loop with bfloat16 parameters, cast it: `rate.astype(parameters.dtype)`.

    A step is an update of the optimizer. `optax.MultiSteps` does one for every k batches, and `optax.apply_if_finite`
    none for a batch that it rejects. So with MultiSteps plan for `batches // k` steps; or count batches, and let each
    update use the rate of its last one: `optax.sgd(lambda update: rate(update * k + k - 1))`.

    JAX counts in int32 unless `jax_enable_x64` is on, and Optax always does: its count stays at 2**31 - 1. For
    longer runs switch `jax_enable_x64` on and count in int64.

    Args:
        plan: what to follow; plan a `Schedule` first.

    Returns:
        A callable that is a frozen value, with the attribute `plan`.

    Raises:
        ArgumentTypeError: no plan.
        PlanError: a run of more steps than JAX can count: 2**31 - 1, or 2**63 - 1 with `jax_enable_x64`; a rate
            that float32 cannot hold; more different cycles than a graph can hold.

    Example:
        >>> import jax.numpy as jnp, kosine as ks, optax
        >>> rate = ks.jax.schedule(ks.warmup_cosine(peak=1e-3, warmup=100).plan(total_steps=1000))
        >>> optimizer = optax.adamw(rate)
        >>> print(rate(jnp.array([0, 50, 100, 999])))
        [0.000000e+00 5.000000e-04 1.000000e-03 3.046171e-09]
    """
    return PlanSchedule(plan)
