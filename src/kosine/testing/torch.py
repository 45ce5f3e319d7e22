"""The applied learning rate of a PyTorch run, read from the weights.

The rate that an optimizer reports may differ from the applied one, so the probe measures how far each update moved a
weight. The probe has one weight for each step, all 0. Its loss at step t has the gradient -1 with respect to weight t
and 0 with respect to the others. After plain SGD, weight t therefore *is* the learning rate that the update of step t
used. It is exact to the bit, because the update neither subtracts nor rounds.
"""

from __future__ import annotations

from typing import Any

import torch


class Probe(torch.nn.Module):  # type: ignore[misc]  # PyTorch's types are not read
    """A module with a weight for each step of a run; train it with plain SGD, one update a step.

    Args:
        steps: the number of steps, and of weights.
        dtype: the type of the weights; float64 holds a rate that is a Python float exactly.

    Example:
        >>> import torch
        >>> import kosine as ks
        >>> probe = ks.testing.torch.Probe(steps=4)
        >>> optimizer = torch.optim.SGD(probe.parameters(), lr=0.5)
        >>> plan = ks.Schedule(ks.linear(start=0.5, to=0)).plan(total_steps=4)
        >>> scheduler = ks.torch.PlanLR(optimizer, plan)
        >>> for step in range(4):
        ...     optimizer.zero_grad()
        ...     probe(step).backward()
        ...     optimizer.step()
        ...     scheduler.step()
        >>> probe.rates
        [0.5, 0.375, 0.25, 0.125]
    """

    def __init__(self, steps: int, dtype: torch.dtype = torch.float64) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(steps, dtype=dtype))

    def forward(self, step: int | torch.Tensor) -> torch.Tensor:
        """The loss of a batch.

        Args:
            step: the step of the update that the batch goes into; or an integer tensor, the step of each sample of a
                batch. A power of two of samples keeps the mean of their gradients exact.
        """
        return -self.weight[step].mean()

    @property
    def rates(self) -> list[float]:
        """The rate that the update of each step applied; 0 where there was none."""
        rates: list[Any] = self.weight.detach().tolist()
        return rates
