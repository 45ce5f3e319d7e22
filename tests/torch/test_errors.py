"""What cannot be followed is refused when the scheduler is built, and nothing is written then."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import kosine as ks
from kosine.torch._scheduler import PlanLR
from tests.support.torch_probe import PLAN, probes


@pytest.mark.parametrize("wrong", [None, [], "adam", torch.nn.Linear(1, 1)], ids=repr)
def test_what_is_no_optimizer_is_refused(wrong: Any) -> None:
    with pytest.raises(
        ks.ArgumentTypeError, match=r"`optimizer` must be a torch.optim.Optimizer. Received: optimizer="
    ):
        PlanLR(wrong, PLAN)


@pytest.mark.parametrize(
    ("wrong", "place", "rule"),
    [
        (0.1, "", r", or the text of one; or a list of them, .* Received: {}=0\.1\."),
        (None, "", r", or the text of one; or a list of them, .* Received: {}=None\."),
        ([], "", r", or the text of one; or a list of them, .* Received: {}=\[\]\."),
        ({}, "", r", or the text of one; or a list of them, .* Received: {}=\{{\}}\."),
        ({3: PLAN}, "", r", or the text of one; or a list of them, .* mapping of them by the groups' names\. Received"),
        (abs, "", r", or the text of one; or a list of them, .* Received: {}=<built-in function abs>"),
        ([PLAN, None], r"\[1\]", r", or the text of one\. Received: {}\[1\]=None\."),
        ([[PLAN]], r"\[0\]", r", or the text of one\. Received: {}\[0\]=\[Schedule"),
        ({"body": 0.1}, r"\['body'\]", r", or the text of one\. Received: {}\['body'\]=0\.1\."),
        (ks.hold(3, start=0.1), "", r", or the text of one; or a list .* Received: {}=hold\(3, start=0\.1\)\."),
    ],
    ids=repr,
)
@pytest.mark.parametrize("argument", ["plan", "momentum"])
def test_what_is_no_plan_is_refused(wrong: Any, place: str, rule: str, argument: str) -> None:
    _, optimizer = probes(0.5, 0.05)
    arguments = {"plan": PLAN, argument: wrong}
    with pytest.raises(
        ks.ArgumentTypeError, match=rf"Argument `{argument}{place}` must be a Plan, a Schedule" + rule.format(argument)
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


def test_a_first_rate_of_0_gives_no_ratio() -> None:
    _, optimizer = probes(0.0, 0.05)
    with pytest.raises(ks.TrainingError, match=r"initial `lr` must not be 0 .* Received: \[0.0, 0.05\]"):
        PlanLR(optimizer, PLAN)


@pytest.mark.parametrize(
    ("rates", "message"),
    [
        ([5e-324, 0.1], r"must not be 0 .*, nor too small to divide by: .* Received: \[5e-324, 0.1\]"),
        ([float("nan")], r"`lr` of every param group must be finite and >= 0: .* Received: \[nan\]"),
        ([0.1, float("nan")], r"must be finite and >= 0: .* Received: \[0.1, nan\]. Correct it, or pass a list"),
        ([float("inf"), 0.1], r"must be finite and >= 0: .* Received: \[inf, 0.1\]"),
        ([0.1, -0.1], r"must be finite and >= 0: .* Received: \[0.1, -0.1\]"),
    ],
    ids=str,
)
def test_initial_rates_without_a_ratio_are_refused(rates: list[float], message: str) -> None:
    _, optimizer = probes(*[0.5] * len(rates))
    for group, rate in zip(optimizer.param_groups, rates, strict=True):
        group["lr"] = rate  # torch's optimizers refuse some of them themselves
    with pytest.raises(ks.TrainingError, match=message):
        PlanLR(optimizer, PLAN)
    assert ["initial_lr" in group for group in optimizer.param_groups] == [False] * len(rates)
    PlanLR(optimizer, [PLAN] * len(rates))
    assert [group["lr"] for group in optimizer.param_groups] == [PLAN(0)] * len(rates)


TENSORS_THAT_CANNOT_BE_FILLED = {
    "whole numbers": torch.tensor(1),
    "complex": torch.tensor(1j),
    "a leaf that requires a gradient": torch.tensor(0.5, requires_grad=True),
    "a result that requires a gradient": torch.tensor(0.5, requires_grad=True) * 2,
}


@pytest.mark.parametrize("tensor", TENSORS_THAT_CANNOT_BE_FILLED.values(), ids=list(TENSORS_THAT_CANNOT_BE_FILLED))
def test_a_tensor_that_the_plan_cannot_fill_is_refused(tensor: torch.Tensor) -> None:
    message = r"`lr` must be a floating-point one, and must not require a gradient: .* such as `torch\.tensor\(0\.1\)`"
    _, optimizer = probes(0.5)
    optimizer.param_groups[0]["lr"] = tensor
    with pytest.raises(ks.TrainingError, match=message):
        PlanLR(optimizer, PLAN)
    optimizer.param_groups[0]["lr"] = 0.5
    scheduler = PlanLR(optimizer, PLAN)
    scheduler.step(6)
    optimizer.param_groups[0]["lr"] = tensor
    with pytest.raises(ks.TrainingError, match=message):
        scheduler.step()
    assert scheduler.last_epoch == 6


@pytest.mark.parametrize("plan", [PLAN, [PLAN]], ids=["a plan", "a list"])
def test_an_optimizer_without_groups_is_refused(plan: Any) -> None:
    _, optimizer = probes(0.5)
    scheduler = PlanLR(optimizer, plan)
    scheduler.step(6)
    optimizer.param_groups.clear()
    with pytest.raises(ks.TrainingError, match=r"must have a param group\. .*`param_groups` is empty\. Give it one"):
        scheduler.step()
    assert scheduler.last_epoch == 6
    with pytest.raises(ks.TrainingError, match="must have a param group"):
        PlanLR(optimizer, plan)


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
