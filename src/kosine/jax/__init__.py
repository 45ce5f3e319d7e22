"""kosine in JAX: a plan as a pure function of the step, for Optax and any JAX loop."""

from kosine.jax._schedule import PlanSchedule, schedule

__all__ = ["PlanSchedule", "schedule"]
