"""PlanLR warns of what surely wastes the training: once, when it is built, and only then."""

from __future__ import annotations

import copy
import pickle
import warnings
from typing import Any

import pytest
import torch

import kosine as ks
from kosine.torch._scheduler import PlanLR
from tests.support.torch_probe import PLAN, planned, probes, through_a_file, train

TAIL = ks.Schedule(ks.cosine(6, start=0.1, to=0.0)).plan(total_steps=12)
ZERO = ks.constant(0.0).plan(total_steps=12)
MID_CYCLE = ks.sgdr(peak=0.1, period=8).plan(total_steps=12)


def built(plan: Any, **arguments: Any) -> list[str]:
    """The warnings that building a scheduler gives."""
    _, optimizer = probes(0.5, 0.05)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        PlanLR(optimizer, plan, **arguments)
    assert all(warning.category is ks.TrainingWarning for warning in caught)
    assert all(warning.filename == __file__ for warning in caught)
    return [str(warning.message) for warning in caught]


def test_an_error_is_one_warning_with_the_fix_and_the_switch() -> None:
    assert built(TAIL) == [
        "K003: The rate is 0 from step 6 on: in the last 6 steps (50 % of the run) no weight changes any more. Write "
        "cosine(start=0.1, to=0.0), without a duration, and it takes the rest of the run; or end the run after 6 "
        "steps. (PlanLR(..., lint=False) switches this check off.)"
    ]


def test_it_can_be_switched_off_and_is_no_entry() -> None:
    assert built(TAIL, lint=False) == []
    _, optimizer = probes(0.5)
    with pytest.raises(ks.ArgumentTypeError, match=r"`lint` must be True or False\. Received: lint=Schedule"):
        PlanLR(optimizer, PLAN, lint=PLAN)  # type: ignore[arg-type]
    assert [group["lr"] for group in optimizer.param_groups] == [0.5]


@pytest.mark.parametrize("plan", [PLAN, MID_CYCLE, [PLAN, MID_CYCLE]], ids=["fine", "warning", "list"])
def test_what_is_no_error_is_not_warned_of(plan: Any) -> None:
    assert built(plan) == []


def test_a_list_of_plans_may_freeze_some_groups() -> None:
    assert built([PLAN, ZERO]) == []
    assert built([TAIL, PLAN]) == []
    assert [message[:4] for message in built([ZERO, ZERO])] == ["K015"]
    longer = ks.Schedule(ks.cosine(5, start=0.1, to=0.0)).plan(total_steps=12)
    assert [message[:4] for message in built([TAIL, longer])] == ["K003", "K003"]


def test_other_numbers_than_the_rate_are_not_looked_at() -> None:
    assert built(PLAN, weight_decay=[ZERO, ZERO], momentum=[TAIL, TAIL]) == []


def test_a_refused_scheduler_does_not_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ks.TrainingError, match="one for each param group"):
            PlanLR(probes(0.5, 0.05)[1], [ZERO])


def test_copies_and_states_do_not_warn_again() -> None:
    modules, optimizer = probes(0.5)
    with pytest.warns(ks.TrainingWarning, match=r"^K003") as caught:
        scheduler = PlanLR(optimizer, TAIL)
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scheduler.load_state_dict(through_a_file(scheduler.state_dict()))
        optimizer.load_state_dict(optimizer.state_dict())
        copy.deepcopy(scheduler).step()
        pickle.loads(pickle.dumps(scheduler)).step()
        train(modules, optimizer, scheduler, range(12))
    assert modules[0].rates == planned(TAIL)


def test_a_warning_that_is_an_error_stops_the_run() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ks.TrainingWarning, match=r"^K015"):
            PlanLR(torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1), ZERO)
