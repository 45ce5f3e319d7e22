"""Other numbers in the param groups follow plans too, which shows in the weights."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
import torch

import kosine as ks
from kosine.torch._scheduler import PlanLR
from tests.support.torch_probe import PLAN, STEPS, planned

CONSTANT = ks.constant(0.5).plan()
MOMENTUM = ks.Schedule(ks.linear(start=0.85, to=0.95)).plan(total_steps=STEPS)
DECAY = ks.warmup_cosine(peak=0.4, warmup=4, warmup_start=0.1, floor=0.2).plan(total_steps=STEPS)


def weights(value: float, count: int = 1) -> list[torch.nn.Parameter]:
    return [torch.nn.Parameter(torch.full((1,), value, dtype=torch.float64)) for _ in range(count)]


def follow(optimizer: torch.optim.Optimizer, scheduler: PlanLR, gradients: list[float]) -> list[list[float]]:
    """The value of the weight of each group, before the first update and after each."""
    parameters = [group["params"][0] for group in optimizer.param_groups]
    values = [[parameter.item() for parameter in parameters]]
    for gradient in gradients:
        for parameter in parameters:
            parameter.grad = torch.full_like(parameter, gradient)
        optimizer.step()
        scheduler.step()
        values.append([parameter.item() for parameter in parameters])
    return [list(column) for column in zip(*values, strict=True)]


def decays(values: list[float]) -> list[float]:
    """With the rate 0.5 and no gradient, w is multiplied by 1 - 0.5 * decay."""
    return [(1 - after / before) / 0.5 for before, after in itertools.pairwise(values)]


def test_weight_decay() -> None:
    optimizer = torch.optim.SGD(weights(1.0), lr=0.5, weight_decay=0.3)
    (values,) = follow(optimizer, PlanLR(optimizer, CONSTANT, weight_decay=DECAY), [0.0] * STEPS)
    assert decays(values) == pytest.approx(planned(DECAY), rel=1e-12)


def test_groups_without_weight_decay_stay_without() -> None:
    groups = [
        {"params": weight, "weight_decay": decay}
        for weight, decay in zip(weights(1.0, 3), [0.3, 0.0, 0.6], strict=True)
    ]
    optimizer = torch.optim.AdamW(groups, lr=0.5)
    kept, none, double = follow(optimizer, PlanLR(optimizer, CONSTANT, weight_decay=DECAY), [0.0] * STEPS)
    assert decays(kept) == pytest.approx(planned(DECAY), rel=1e-12)
    assert decays(double) == pytest.approx(planned(DECAY, ratio=2.0), rel=1e-12)
    assert none == [1.0] * (STEPS + 1)


def test_a_plan_for_each_group() -> None:
    groups = [
        {"params": weight, "weight_decay": decay} for weight, decay in zip(weights(1.0, 2), [0, 0.3], strict=True)
    ]
    optimizer = torch.optim.SGD(groups, lr=0.5)
    scheduler = PlanLR(optimizer, CONSTANT, weight_decay=[DECAY, MOMENTUM])
    first, second = follow(optimizer, scheduler, [0.0] * STEPS)
    assert decays(first) == pytest.approx(planned(DECAY), rel=1e-12)
    assert decays(second) == pytest.approx(planned(MOMENTUM), rel=1e-12)


def test_momentum() -> None:
    """After one gradient each move is the last one times the momentum."""
    optimizer = torch.optim.SGD(weights(0.0), lr=0.5, momentum=0.9)
    scheduler = PlanLR(optimizer, CONSTANT, momentum=MOMENTUM)
    (values,) = follow(optimizer, scheduler, [-1.0] + [0.0] * (STEPS - 1))
    moves = [after - before for before, after in itertools.pairwise(values)]
    assert [after / before for before, after in itertools.pairwise(moves)] == pytest.approx(
        planned(MOMENTUM, range(1, STEPS)), rel=1e-12
    )


def adam(gradients: list[float], rates: list[float], betas: list[float], second: float) -> list[float]:
    """Algorithm 1 of Kingma and Ba (arXiv 1412.6980), beta_1 of each step as given."""
    values, first_moment, second_moment = [0.0], 0.0, 0.0
    for t, (gradient, rate, beta) in enumerate(zip(gradients, rates, betas, strict=True), start=1):
        first_moment = beta * first_moment + (1 - beta) * gradient
        second_moment = second * second_moment + (1 - second) * gradient**2
        unbiased = first_moment / (1 - beta**t), second_moment / (1 - second**t)
        values.append(values[-1] - rate * unbiased[0] / (math.sqrt(unbiased[1]) + 1e-8))
    return values


@pytest.mark.parametrize(
    ("betas", "arguments"),
    [
        ((0.9, 0.99), {}),
        ((0.9, 0.99), {"fused": True}),
        ([0.9, 0.99], {}),
        ((torch.tensor(0.9, dtype=torch.float64), torch.tensor(0.99, dtype=torch.float64)), {"foreach": False}),
    ],
    ids=["single", "fused", "a list", "tensors"],
)
def test_the_first_of_adams_betas(betas: Any, arguments: dict[str, Any]) -> None:
    optimizer = torch.optim.Adam(weights(0.0), lr=0.5, **arguments)
    optimizer.param_groups[0]["betas"] = betas
    gradients = [math.sin(step) for step in range(STEPS)]
    (values,) = follow(optimizer, PlanLR(optimizer, PLAN, betas=MOMENTUM), gradients)
    assert values == pytest.approx(adam(gradients, planned(PLAN), planned(MOMENTUM), 0.99), rel=1e-9)
    assert type(optimizer.param_groups[0]["betas"]) is type(betas)
    if isinstance(betas[0], torch.Tensor):
        assert optimizer.param_groups[0]["betas"][0] is betas[0]


def test_groups_added_later_join_with_their_own_ratio() -> None:
    (first, second) = weights(1.0, 2)
    optimizer = torch.optim.SGD([first], lr=0.5, weight_decay=0.3)
    scheduler = PlanLR(optimizer, CONSTANT, weight_decay=DECAY)
    optimizer.add_param_group({"params": second, "weight_decay": 0.15})
    scheduler.step(0)
    _, values = follow(optimizer, scheduler, [0.0] * STEPS)
    assert decays(values) == pytest.approx(planned(DECAY, ratio=0.5), rel=1e-12)
