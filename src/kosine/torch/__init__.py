"""Drive PyTorch optimizers with kosine plans, wherever a torch learning-rate scheduler is asked for."""

from kosine.torch._cycle_ends import CycleEnds
from kosine.torch._ensemble import Ensemble
from kosine.torch._range_test import range_test
from kosine.torch._scheduler import PlanLR
from kosine.torch._trainer import with_schedule

__all__ = ["CycleEnds", "Ensemble", "PlanLR", "range_test", "with_schedule"]
