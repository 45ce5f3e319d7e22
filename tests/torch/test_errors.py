"""What cannot be followed is refused when the scheduler is built, and nothing is written then."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import kosine as ks
from kosine.torch import PlanLR
from tests.torch.probe import LR, PLAN, probes


@pytest.mark.parametrize("wrong", [None, [], "adam", torch.nn.Linear(1, 1)], ids=repr)
def test_what_is_no_optimizer_is_refused(wrong: Any) -> None:
    with pytest.raises(
        ks.ArgumentTypeError, match=r"`optimizer` must be a torch.optim.Optimizer. Received: optimizer="
    ):
        PlanLR(wrong, PLAN)


@pytest.mark.parametrize("wrong", [LR, 0.1, None, [], [PLAN, LR], lambda step: 0.1, [[PLAN]]], ids=repr)
@pytest.mark.parametrize("argument", ["plan", "momentum"])
def test_what_is_no_plan_is_refused(wrong: Any, argument: str) -> None:
    _, optimizer = probes(0.5, 0.05)
    arguments = {"plan": PLAN, argument: wrong}
    with pytest.raises(
        ks.ArgumentTypeError, match=rf"`{argument}` must be a kosine Plan, .*: call `schedule\.plan\(total"
    ):
        PlanLR(optimizer, **arguments)
    assert [group["lr"] for group in optimizer.param_groups] == [0.5, 0.05]


@pytest.mark.parametrize(
    ("plan", "entries", "message"),
    [
        ([PLAN], {}, "one for each param group. Received: 1 plans for `lr`, 2 groups"),
        (PLAN, {"momentum": [PLAN] * 3}, "one for each param group. Received: 3 plans for `momentum`, 2 groups"),
        (PLAN, {"last_epoch": 10}, r"built at step 0: to resume, call `load_state_dict`.* Received: last_epoch=10"),
        (PLAN, {"lr": PLAN}, "Received: both `plan` and `lr`"),
        (
            PLAN,
            {"momentun": PLAN},
            "`momentun` must be a number in every .* momentun=None in a group with: params, lr, mom",
        ),
        (PLAN, {"nesterov": PLAN}, "`nesterov` must be a number in every param group, .* Received: nesterov=False"),
        (PLAN, {"foreach": PLAN}, "`foreach` must be a number in every param group, .* Received: foreach="),
        (PLAN, {"params": PLAN}, "`params` must be a number in every param group"),
        (PLAN, {"weight_decay": PLAN}, r"initial `weight_decay` must not be 0 .* Received: \[0.0, 0.1\]. Pass a list"),
    ],
)
def test_groups_that_cannot_follow_are_named(plan: Any, entries: dict[str, Any], message: str) -> None:
    _, optimizer = probes(0.5, 0.05)
    optimizer.param_groups[1]["weight_decay"] = 0.1
    before = [dict(group) for group in optimizer.param_groups]
    with pytest.raises(ks.TrainingError, match=message):
        PlanLR(optimizer, plan, **entries)
    assert optimizer.param_groups == before


def test_what_in_a_list_is_no_plan_is_named() -> None:
    _, optimizer = probes(0.5, 0.05)
    with pytest.raises(ks.ArgumentTypeError, match=r"whose element 1 is None\."):
        PlanLR(optimizer, [PLAN, None])  # type: ignore[list-item]


def test_a_first_rate_of_0_gives_no_ratio() -> None:
    _, optimizer = probes(0.0, 0.05)
    with pytest.raises(ks.TrainingError, match=r"initial `lr` must not be 0 .* Received: \[0.0, 0.05\]"):
        PlanLR(optimizer, PLAN)


@pytest.mark.parametrize(
    ("step", "error", "message"),
    [
        (-1, ks.StepError, "must be >= 0"),
        (2**63, ks.StepError, r"at most 2\*\*63 - 1"),
        (0.5, ks.ArgumentTypeError, "A step must be an integer. Received: 0.5"),
        (True, ks.ArgumentTypeError, "A step must be an integer. Received: True"),
        ([1, 2], ks.ArgumentTypeError, "A step must be an integer"),
        (np.arange(2), ks.ArgumentTypeError, "A step must be an integer"),
    ],
    ids=repr,
)
def test_what_is_no_step_is_refused(step: Any, error: type[Exception], message: str) -> None:
    _, optimizer = probes(0.5)
    scheduler = PlanLR(optimizer, PLAN)
    scheduler.step(4)
    with pytest.raises(error, match=message):
        scheduler.step(step)
    assert scheduler.last_epoch == 4
    assert scheduler.get_last_lr() == [PLAN(4)] == [group["lr"] for group in optimizer.param_groups]


def test_numpys_integers_are_steps() -> None:
    _, optimizer = probes(0.5)
    scheduler = PlanLR(optimizer, PLAN)
    scheduler.step(np.int64(4))  # type: ignore[arg-type]
    assert type(scheduler.state_dict()["last_epoch"]) is int
    assert scheduler.get_last_lr() == [PLAN(4)]


@pytest.mark.parametrize("place", [0, 1])
def test_a_part_of_torchs_sequence_is_refused_when_that_is_built(place: int) -> None:
    _, optimizer = probes(0.5)
    parts = [torch.optim.lr_scheduler.ConstantLR(optimizer)]
    parts.insert(place, PlanLR(optimizer, PLAN))
    with pytest.raises(
        ks.TrainingError, match=r"cannot be a part of torch's SequentialLR, .*: put all phases into one"
    ):
        torch.optim.lr_scheduler.SequentialLR(optimizer, parts, milestones=[3])
