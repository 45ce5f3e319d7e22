"""Drive PyTorch optimizers with kosine plans, wherever a torch learning-rate scheduler is asked for."""

from kosine.torch._scheduler import PlanLR

__all__ = ["PlanLR"]
