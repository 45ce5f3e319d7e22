"""Drive PyTorch optimizers with kosine plans, wherever a torch learning-rate scheduler is asked for."""

from kosine.torch._scheduler import PlanLR
from kosine.torch._trainer import with_schedule

__all__ = ["PlanLR", "with_schedule"]
