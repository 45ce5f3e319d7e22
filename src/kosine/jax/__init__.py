"""kosine in JAX: a plan as a pure function of the step, for Optax and any JAX loop."""

from kosine.jax._range_test import range_test
from kosine.jax._schedule import PlanSchedule, schedule

__all__ = ["PlanSchedule", "range_test", "schedule"]
