"""Train Keras 3 models with kosine schedules, on the TensorFlow, JAX and PyTorch backends."""

from kosine.keras._callback import LearningRateCallback
from kosine.keras._cycle_ends import CycleEnds
from kosine.keras._dropin import WarmUpCosineDecayScheduler, cosine_decay_with_warmup
from kosine.keras._ensemble import Ensemble
from kosine.keras._history import LearningRateHistory
from kosine.keras._parts import layer_rates
from kosine.keras._range_test import range_test
from kosine.keras._schedule import LearningRateSchedule
from kosine.keras._set_plan import plan_of, set_plan

__all__ = [
    "CycleEnds",
    "Ensemble",
    "LearningRateCallback",
    "LearningRateHistory",
    "LearningRateSchedule",
    "WarmUpCosineDecayScheduler",
    "cosine_decay_with_warmup",
    "layer_rates",
    "plan_of",
    "range_test",
    "set_plan",
]
