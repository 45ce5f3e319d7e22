"""Train Keras 3 models with kosine schedules, on the TensorFlow, JAX and PyTorch backends."""

from kosine.keras.callback import LearningRateCallback, LearningRateHistory
from kosine.keras.dropin import WarmUpCosineDecayScheduler, cosine_decay_with_warmup
from kosine.keras.schedule import LearningRateSchedule

__all__ = [
    "LearningRateCallback",
    "LearningRateHistory",
    "LearningRateSchedule",
    "WarmUpCosineDecayScheduler",
    "cosine_decay_with_warmup",
]
