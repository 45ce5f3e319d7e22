"""Param groups keep their ratios or follow plans of their own, those that are added later included."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch

import kosine as ks
from kosine.testing.torch import Probe
from kosine.torch._scheduler import PlanLR
from tests.support.torch_probe import PLAN, STEPS, planned, probes, train

OTHER = ks.sgdr(peak=0.3, period=4).plan(total_steps=STEPS)


def double(value: float) -> torch.Tensor:
    return torch.tensor(value, dtype=torch.float64)


@pytest.mark.parametrize("kind", [float, double])
def test_groups_keep_their_ratio_to_the_first(kind: Any) -> None:
    modules, optimizer = probes(*map(kind, [0.1, 0.01, 0.1, 0.0, 0.4]))
    scheduler = PlanLR(optimizer, PLAN)
    assert scheduler.base_lrs == [0.1, 0.01, 0.1, 0.0, 0.4]
    train(modules, optimizer, scheduler, range(STEPS))
    for probe, ratio in zip(modules, [1.0, 0.01 / 0.1, 1.0, 0.0, 4.0], strict=True):
        assert probe.rates == planned(PLAN, ratio=ratio)


def test_whole_numbers_are_rates_too() -> None:
    modules, optimizer = probes(1, 2)
    train(modules, optimizer, PlanLR(optimizer, PLAN, watch=False), range(STEPS))
    assert [probe.rates for probe in modules] == [planned(PLAN), planned(PLAN, ratio=2.0)]


def test_groups_that_all_begin_at_0_follow_the_plan() -> None:
    modules, optimizer = probes(0.0, 0.0)
    train(modules, optimizer, PlanLR(optimizer, PLAN), range(STEPS))
    assert [probe.rates for probe in modules] == [planned(PLAN)] * 2


def test_the_initial_rate_is_torchs_where_a_group_has_one() -> None:
    """Such as from another scheduler that has warmed up, or is at its end."""
    modules, optimizer = probes(0.5, 0.05)
    torch.optim.lr_scheduler.LambdaLR(optimizer, [lambda _: 0.0, lambda _: 0.3])
    assert [group["lr"] for group in optimizer.param_groups] == [0.0, pytest.approx(0.015)]
    train(modules, optimizer, PlanLR(optimizer, PLAN), range(STEPS))
    assert [probe.rates for probe in modules] == [planned(PLAN), planned(PLAN, ratio=0.1)]


@pytest.mark.parametrize("kind", [float, double])
def test_a_plan_for_each_group(kind: Any) -> None:
    modules, optimizer = probes(*map(kind, [0.0, 0.5, 0.1]))
    scheduler = PlanLR(optimizer, [PLAN, OTHER, PLAN])
    for step in range(STEPS):
        assert scheduler.get_last_lr() == [PLAN(step), OTHER(step), PLAN(step)]
        train(modules, optimizer, scheduler, [step])
    assert [probe.rates for probe in modules] == [planned(PLAN), planned(OTHER), planned(PLAN)]


def test_groups_that_share_a_tensor_but_not_a_rate_get_one_each() -> None:
    shared = double(0.5)
    modules, optimizer = probes(shared, shared, shared)
    train(modules, optimizer, PlanLR(optimizer, [PLAN, OTHER, PLAN]), range(STEPS))
    assert [probe.rates for probe in modules] == [planned(PLAN), planned(OTHER), planned(PLAN)]
    assert optimizer.param_groups[0]["lr"] is optimizer.param_groups[2]["lr"] is shared


def add(optimizer: torch.optim.Optimizer, **options: Any) -> Probe:
    probe = Probe(STEPS)
    optimizer.add_param_group({"params": probe.parameters(), **options})
    return probe


@pytest.mark.parametrize("ratios", [False, True])
def test_a_group_added_later_joins_with_its_own_ratio(ratios: bool) -> None:
    modules, optimizer = probes(*([0.1, 0.4] if ratios else [0.1]))
    scheduler = PlanLR(optimizer, PLAN)
    train(modules, optimizer, scheduler, range(4))
    assert PLAN(4) == 0.1
    added = add(optimizer, lr=0.01)
    scheduler.step(scheduler.last_epoch)
    train([*modules, added], optimizer, scheduler, range(4, STEPS))
    assert modules[0].rates == planned(PLAN)
    assert added.rates[4:] == pytest.approx(planned(PLAN, range(4, STEPS), ratio=0.1), rel=1e-12)
    assert scheduler.base_lrs == [0.1, *([0.4] if ratios else []), pytest.approx(0.01)]


def test_a_group_added_later_joins_at_the_next_step_at_the_latest() -> None:
    modules, optimizer = probes(0.5)
    scheduler = PlanLR(optimizer, PLAN)
    train(modules, optimizer, scheduler, range(4))
    added = add(optimizer, lr=0.25)  # above the first group's rate now: its initial rate
    assert scheduler.get_last_lr() == [PLAN(4)]
    train([*modules, added], optimizer, scheduler, range(4, STEPS))
    assert modules[0].rates == planned(PLAN)
    assert added.rates[4:] == [0.25, *planned(PLAN, range(5, STEPS), ratio=0.5)]


def test_a_group_added_with_the_optimizers_own_tensor_joins_with_its_initial_rate() -> None:
    """A tensor that is the optimizer's default is that of its groups, too, and holds the plan's rate by now."""
    probe, rate = Probe(STEPS), double(0.5)
    optimizer = torch.optim.SGD(probe.parameters(), lr=rate, foreach=False)
    scheduler = PlanLR(optimizer, PLAN)
    train([probe], optimizer, scheduler, range(4))
    added = add(optimizer)
    assert optimizer.param_groups[1]["lr"] is rate
    train([probe, added], optimizer, scheduler, range(4, STEPS))
    assert probe.rates == planned(PLAN)
    assert added.rates[4:] == planned(PLAN, range(4, STEPS))


def test_a_group_added_with_the_rate_of_another_at_the_time() -> None:
    modules, optimizer = probes(0.5)
    scheduler = PlanLR(optimizer, PLAN)
    train(modules, optimizer, scheduler, range(6))
    added = add(optimizer, lr=optimizer.param_groups[0]["lr"])
    train([*modules, added], optimizer, scheduler, range(6, STEPS))
    assert added.rates[6:] == planned(PLAN, range(6, STEPS))  # lowered once, not twice


@pytest.mark.parametrize("peak", [0.5, 0.1], ids=["the optimizer's rate is the peak", "it is not"])
@pytest.mark.parametrize("kind", [float, double])
@pytest.mark.parametrize("arguments", [{}, {"relative": True}], ids=["ratios", "relative"])
def test_a_group_added_at_a_tenth_of_the_rate_stays_at_a_tenth(arguments: Any, kind: Any, peak: float) -> None:
    """Such as by Lightning's BackboneFinetuning, when a backbone is unfrozen."""
    plan = ks.Schedule(ks.cosine(start=peak, to=0.0)).plan(total_steps=STEPS)
    (head,), optimizer = probes(kind(0.5))
    scheduler = PlanLR(optimizer, plan, watch=False, **arguments)
    train([head], optimizer, scheduler, range(6))
    backbone = add(optimizer, lr=kind(0.1 * float(optimizer.param_groups[0]["lr"])))
    train([head, backbone], optimizer, scheduler, range(6, STEPS))
    assert backbone.rates[6:] == pytest.approx([0.1 * rate for rate in head.rates[6:]], rel=1e-12)
    assert scheduler.base_lrs == [0.5, pytest.approx(0.05)]


def test_a_group_added_without_a_rate_has_the_optimizers_default() -> None:
    probe = Probe(STEPS)
    optimizer = torch.optim.SGD(probe.parameters(), lr=0.05)
    scheduler = PlanLR(optimizer, PLAN)
    train([probe], optimizer, scheduler, range(4))
    added = add(optimizer)
    train([probe, added], optimizer, scheduler, range(4, STEPS))
    assert added.rates[5:] == planned(PLAN, range(5, STEPS))


def test_a_group_in_the_place_of_another() -> None:
    modules, optimizer = probes(0.1, 0.4)
    scheduler = PlanLR(optimizer, PLAN)
    train(modules, optimizer, scheduler, range(4))
    del optimizer.param_groups[1]
    added = add(optimizer, lr=0.01)
    scheduler.step(4)
    train([modules[0], added], optimizer, scheduler, range(4, STEPS))
    assert modules[0].rates == planned(PLAN)
    assert added.rates[4:] == pytest.approx(planned(PLAN, range(4, STEPS), ratio=0.1), rel=1e-12)


@pytest.mark.parametrize("kind", [float, double])
def test_without_the_first_group_the_others_keep_their_ratio_to_it(kind: Any) -> None:
    modules, optimizer = probes(*map(kind, [0.1, 0.4]))
    scheduler = PlanLR(optimizer, PLAN)
    train(modules, optimizer, scheduler, range(4))
    del optimizer.param_groups[0]
    train(modules, optimizer, scheduler, range(4, 6))
    added = add(optimizer, lr=kind(0.1 * PLAN(6)))
    scheduler.step(6)
    train([*modules, added], optimizer, scheduler, range(6, STEPS))
    assert modules[0].rates == planned(PLAN, range(4)) + [0.0] * (STEPS - 4)
    assert modules[1].rates == planned(PLAN, ratio=4.0)
    assert added.rates[6:] == pytest.approx(planned(PLAN, range(6, STEPS), ratio=0.1), rel=1e-12)


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[1:], ids=str)
def test_groups_that_change_places_keep_their_ratios(order: tuple[int, ...]) -> None:
    modules, optimizer = probes(0.1, 0.01, 0.2, 0.4)
    scheduler = PlanLR(optimizer, PLAN)
    train(modules, optimizer, scheduler, range(7))  # in the middle of a phase
    optimizer.param_groups[:] = [optimizer.param_groups[index] for index in order]
    train(modules, optimizer, scheduler, range(7, STEPS))
    assert [probe.rates for probe in modules] == [planned(PLAN, ratio=ratio) for ratio in [1.0, 0.01 / 0.1, 2.0, 4.0]]
    assert scheduler.get_last_lr() == [group["lr"] for group in optimizer.param_groups]
    assert scheduler.state_dict().get("ratios_to") == (None if order[0] == 0 else {"lr": 0.1})


def test_a_group_without_a_plan_in_a_list_is_named() -> None:
    modules, optimizer = probes(0.5, 0.05)
    scheduler = PlanLR(optimizer, [PLAN, OTHER])
    added = add(optimizer, lr=0.05)
    with pytest.raises(ks.TrainingError, match="Received: 2 plans for `lr`, 3 groups"):
        scheduler.step()
    assert scheduler.last_epoch == 0
    scheduler = PlanLR(optimizer, [PLAN, OTHER, OTHER])
    train([*modules, added], optimizer, scheduler, range(STEPS))
    assert added.rates == planned(OTHER)
