"""Drive PyTorch optimizers with kosine plans, wherever a torch learning-rate scheduler is asked for."""

from kosine.torch.scheduler import PlanLR

__all__ = ["PlanLR"]
