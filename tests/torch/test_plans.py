"""A plan may be a schedule or its text with the size of the run, for all param groups, in order, or by their names."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
import torch
from torch.distributed.checkpoint import FileSystemReader, FileSystemWriter, load, save

import kosine as ks
from kosine.testing.torch import Probe
from kosine.torch._scheduler import PlanLR
from tests.support.torch_probe import LR, PLAN, STEPS, planned, probes, through_a_file, train

OTHER_LR = ks.sgdr(peak=0.3, period=4)
OTHER = OTHER_LR.plan(total_steps=STEPS)


class ConfigList(Sequence[Any]):
    """A list of a configuration, such as OmegaConf's."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: Any) -> Any:
        return self.values[index]


class ConfigMapping(Mapping[str, Any]):
    def __init__(self, values: dict[str, Any]) -> None:
        self.values_of = values

    def __len__(self) -> int:
        return len(self.values_of)

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_of)

    def __getitem__(self, name: str) -> Any:
        return self.values_of[name]


class LikeAList:
    """It has what a list has, and no base class of one."""

    def __init__(self, *values: Any) -> None:
        self.values = values

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: int) -> Any:
        return self.values[index]


FORMS: dict[str, Any] = {
    "a plan": PLAN,
    "a schedule": LR,
    "its text": repr(LR),
    "a constructor's text": "ks.warmup_cosine(peak=0.1, warmup=3, warmup_start=0.01, hold=2)",
    "its JSON": ks.dumps(LR),
    "the plan's JSON": " " + ks.dumps(PLAN),
}


@pytest.mark.parametrize("given", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize(
    "size",
    [
        {"total_steps": STEPS},
        {"epochs": 3, "steps_per_epoch": 4},
        {"epochs": 1.5, "dataset_size": 15, "batch_size": 2},
        {"epochs": 4, "dataset_size": 100, "batch_size": 8, "accumulate": 2, "devices": 2, "drop_last": True},
        {"total_tokens": "1.2k", "tokens_per_step": 100},
        {"total_samples": 100, "samples_per_step": 9},
        {"total_time": "1min", "seconds_per_step": 5},
    ],
    ids=str,
)
def test_the_forms_of_a_plan(given: Any, size: dict[str, Any]) -> None:
    (probe,), optimizer = probes(0.5)
    if given in (PLAN, FORMS["the plan's JSON"]) and "total_steps" not in size:
        with pytest.raises(ks.PlanError, match=r"A Plan has the size of its run already.*Leave the size out"):
            PlanLR(optimizer, given, **size)
        return
    scheduler = PlanLR(optimizer, given, **size)
    train([probe], optimizer, scheduler, range(STEPS))
    assert probe.rates == planned(LR.plan(**size))


def test_the_second_argument_by_position_is_the_length() -> None:
    (probe,), optimizer = probes(0.5)
    train([probe], optimizer, PlanLR(optimizer, "Schedule(linear(start=0.5, to=0.0))", STEPS), range(STEPS))
    assert probe.rates == [0.5 * (STEPS - step) / STEPS for step in range(STEPS)]


def test_the_size_has_all_the_names_that_a_schedule_takes() -> None:
    taken = inspect.signature(PlanLR).parameters
    assert {name for name in inspect.signature(ks.Schedule.plan).parameters if name != "self"} <= set(taken)


def test_a_smoke_test_is_clipped() -> None:
    modules, optimizer = probes(0.1)
    scheduler = PlanLR(optimizer, "warmup_cosine(peak=0.1, warmup=100)", total_steps=STEPS, clip=True, watch=False)
    plan = ks.warmup_cosine(peak=0.1, warmup=100).plan(total_steps=STEPS, clip=True)
    assert scheduler.plan == plan
    assert plan.clipped
    train(modules, optimizer, scheduler, range(STEPS))
    assert modules[0].rates == planned(plan, range(STEPS))


def test_a_size_that_a_plan_does_not_have_is_refused() -> None:
    _, optimizer = probes(0.5)
    with pytest.raises(
        ks.PlanError, match=r"size of its run already\. Received: plan=Schedule.*, total_steps=13\. Leave"
    ):
        PlanLR(optimizer, PLAN, total_steps=STEPS + 1)
    with pytest.raises(ks.PlanError, match="needs"):
        PlanLR(optimizer, LR)
    with pytest.raises(ks.NotationError, match="wsdd"):
        PlanLR(optimizer, "wsdd(peak=0.1)", total_steps=STEPS)
    assert [group["lr"] for group in optimizer.param_groups] == [0.5]


@pytest.mark.parametrize("last_epoch", [-1, None])
def test_torchs_word_for_a_run_that_starts(last_epoch: int | None) -> None:
    (probe,), optimizer = probes(0.5)
    train([probe], optimizer, PlanLR(optimizer, PLAN, last_epoch=last_epoch), range(STEPS))
    assert probe.rates == planned(PLAN)


@pytest.mark.parametrize("last_epoch", [0, 10, -2, True, "-1", -1.0])
def test_a_run_that_has_started_is_refused_with_the_way_that_works(last_epoch: Any) -> None:
    _, optimizer = probes(0.5)
    with pytest.raises(
        ks.TrainingError, match=r"to resume, call `load_state_dict`, or `step\(n\)`\. Received: last_epoch="
    ):
        PlanLR(optimizer, PLAN, last_epoch=last_epoch)


@pytest.mark.parametrize(
    "kind",
    [list, tuple, ConfigList, lambda values: LikeAList(*values)],
    ids=["list", "tuple", "Sequence", "like a list"],
)
def test_a_plan_for_each_group_in_order(kind: Any) -> None:
    modules, optimizer = probes(0.5, 0.05)
    scheduler = PlanLR(optimizer, kind([repr(LR), OTHER]), total_steps=STEPS)
    train(modules, optimizer, scheduler, range(STEPS))
    assert [probe.rates for probe in modules] == [planned(PLAN), planned(OTHER)]


def named(*names: str, rate: float = 0.5, **options: Any) -> tuple[list[Probe], torch.optim.Optimizer]:
    modules = [Probe(STEPS) for _ in names]
    groups = [{"params": probe.parameters(), "name": name} for probe, name in zip(modules, names, strict=True)]
    return modules, torch.optim.SGD(groups, lr=rate, **options)


@pytest.mark.parametrize("kind", [dict, ConfigMapping])
def test_a_plan_for_each_group_by_name(kind: Any) -> None:
    modules, optimizer = named("head", "body", "head")
    scheduler = PlanLR(optimizer, kind({"body": repr(LR), "head": OTHER}), total_steps=STEPS)
    assert scheduler.plan == {"body": PLAN, "head": OTHER}
    train(modules, optimizer, scheduler, range(STEPS))
    assert [probe.rates for probe in modules] == [planned(OTHER), planned(PLAN), planned(OTHER)]


@pytest.mark.parametrize(
    "order", ["build optimizer scheduler", "build scheduler optimizer", "optimizer build scheduler"]
)
@pytest.mark.parametrize("saved_names", [True, False], ids=["", "a state without names"])
def test_plans_by_name_go_on_where_they_stopped(order: str, saved_names: bool) -> None:
    plans = {"body": PLAN, "head": OTHER}
    modules, optimizer = named("body", "head")
    scheduler = PlanLR(optimizer, plans)
    train(modules, optimizer, scheduler, range(5))
    states = {"optimizer": through_a_file(optimizer.state_dict()), "scheduler": through_a_file(scheduler.state_dict())}
    if not saved_names:
        if order.startswith("optimizer"):
            return
        for group in states["optimizer"]["param_groups"]:
            del group["name"]
    again, optimizer = named("body", "head")
    for part in order.split():
        if part == "build":
            scheduler = PlanLR(optimizer, plans)
        else:
            {"optimizer": optimizer, "scheduler": scheduler}[part].load_state_dict(states[part])
    train(again, optimizer, scheduler, range(5, STEPS))
    assert [probe.rates[5:] for probe in again] == [planned(PLAN, range(5, STEPS)), planned(OTHER, range(5, STEPS))]


@pytest.mark.parametrize(
    ("plans", "groups"),
    [
        ({"body": PLAN, "haed": PLAN}, ("body", "head")),
        ({"body": PLAN}, ("body", "head")),
        ({"body": PLAN, "head": PLAN}, ("body",)),
    ],
    ids=["another name", "a group without a plan", "a plan without a group"],
)
def test_names_that_do_not_match_are_listed(plans: dict[str, ks.Plan], groups: tuple[str, ...]) -> None:
    _, optimizer = named(*groups)
    with pytest.raises(ks.TrainingError) as error:
        PlanLR(optimizer, plans)
    assert f"Received: plans for `lr`: {[*plans]}; names of the groups: {[*groups]}." in str(error.value)
    assert [group["lr"] for group in optimizer.param_groups] == [0.5] * len(groups)


def test_a_group_without_a_name_is_shown_as_such() -> None:
    _, optimizer = probes(0.5)
    with pytest.raises(ks.TrainingError, match=r"plans for `lr`: \['body'\]; names of the groups: \[None\]\."):
        PlanLR(optimizer, {"body": PLAN})


def test_groups_with_names_come_and_go() -> None:
    modules, optimizer = named("body", "head")
    scheduler = PlanLR(optimizer, {"body": PLAN, "head": OTHER})
    train(modules, optimizer, scheduler, range(4))
    added = Probe(STEPS)
    optimizer.add_param_group({"params": added.parameters(), "name": "body"})
    scheduler.step(4)
    del optimizer.param_groups[1]
    train([*modules, added], optimizer, scheduler, range(4, STEPS))
    assert modules[0].rates == planned(PLAN)
    assert added.rates[4:] == planned(PLAN, range(4, STEPS))
    optimizer.add_param_group({"params": Probe(STEPS).parameters(), "name": "tail"})
    with pytest.raises(ks.TrainingError, match=r"names of the groups: \['body', 'body', 'tail'\]"):
        scheduler.step()


@pytest.mark.parametrize("given", [LR, [LR, OTHER_LR], {"body": LR, "head": OTHER_LR}], ids=["all", "list", "names"])
def test_relative_plans_are_factors_of_each_groups_own_rate(given: Any) -> None:
    modules, optimizer = named("body", "head")
    optimizer.param_groups[1]["lr"] = 2.0
    scheduler = PlanLR(optimizer, given, total_steps=STEPS, relative=True, watch=False)
    for step in range(STEPS):
        other = PLAN if given is LR else OTHER
        assert scheduler.get_last_lr() == [0.5 * PLAN(step), 2.0 * other(step)]
        train(modules, optimizer, scheduler, [step])
    assert [probe.rates for probe in modules] == [planned(PLAN, ratio=0.5), planned(other, ratio=2.0)]


def test_relative_groups_need_no_ratio() -> None:
    modules, optimizer = probes(0.0, 0.5)
    train(modules, optimizer, PlanLR(optimizer, PLAN, relative=True, watch=False), range(STEPS))
    assert [probe.rates for probe in modules] == [[0.0] * STEPS, planned(PLAN, ratio=0.5)]
    optimizer.param_groups[0]["initial_lr"] = math.nan
    with pytest.raises(
        ks.TrainingError, match=r"must be finite and >= 0: the plan's values are factors of it\. Received: \[nan"
    ):
        PlanLR(optimizer, PLAN, relative=True)


BETA1 = ks.Schedule(ks.linear(start=0.85, to=0.95)).plan(total_steps=STEPS)
BETA2 = ks.Schedule(ks.linear(start=0.9, to=0.999)).plan(total_steps=STEPS)


def adam_by_hand(gradients: list[float], betas: list[tuple[float, float]]) -> list[float]:
    """The weights of Adam without its correction of the start: torch corrects with the betas of the step."""
    weight, first, second, weights = 0.0, 0.0, 0.0, []
    for step, (gradient, (one, two)) in enumerate(zip(gradients, betas, strict=True)):
        first += (gradient - first) * (1 - one)
        second = second * two + (1 - two) * gradient**2
        corrected = math.sqrt(second) / math.sqrt(1 - two ** (step + 1)) + 1e-8
        weight -= PLAN(step) / (1 - one ** (step + 1)) * first / corrected
        weights.append(weight)
    return weights


@pytest.mark.parametrize(
    "entries",
    [{"beta2": BETA2}, {"beta1": BETA1}, {"beta1": BETA1, "beta2": BETA2}, {"betas": BETA1, "beta2": BETA2}],
    ids=lambda entries: " and ".join(entries),
)
@pytest.mark.parametrize(
    "kind", [float, lambda value: torch.tensor(value, dtype=torch.float64)], ids=["floats", "tensors"]
)
def test_both_betas(entries: dict[str, Any], kind: Any) -> None:
    weight = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    betas = (kind(0.9), kind(0.99))
    optimizer = torch.optim.Adam([weight], lr=0.5, foreach=False)
    optimizer.param_groups[0]["betas"] = betas
    scheduler = PlanLR(optimizer, PLAN, **entries)
    gradients = [math.sin(step) for step in range(STEPS)]
    weights = []
    for step in range(STEPS):
        weight.grad = torch.full_like(weight, gradients[step])
        optimizer.step()
        scheduler.step()
        weights.append(weight.item())
    one = entries.get("beta1", entries.get("betas"))
    two = entries.get("beta2")
    wanted = [(one(t) if one else 0.9, two(t) if two else 0.99) for t in range(STEPS)]
    assert weights == pytest.approx(adam_by_hand(gradients, wanted), rel=1e-9)
    if kind is not float:
        assert all(new is old for new, old in zip(optimizer.param_groups[0]["betas"], betas, strict=True))


def test_betas_that_cannot_be_driven() -> None:
    _, optimizer = probes(0.5)
    with pytest.raises(ks.TrainingError, match=r"`beta2` must be a number in every .* The two `betas` are `beta1` and"):
        PlanLR(optimizer, PLAN, beta2=BETA2)
    adam = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    with pytest.raises(ks.TrainingError, match=r"Received: both\. Leave one of them out; the second is `beta2`\."):
        PlanLR(adam, PLAN, betas=BETA1, beta1=BETA1)


@pytest.mark.filterwarnings("ignore:torch.distributed is disabled:UserWarning")
def test_a_checkpoint_of_the_distributed_kind_takes_one_entry_more(tmp_path: Any) -> None:
    modules, optimizer = probes(0.5)
    scheduler = PlanLR(optimizer, PLAN)
    train(modules, optimizer, scheduler, range(5))
    save({"scheduler": scheduler}, storage_writer=FileSystemWriter(tmp_path), no_dist=True)
    again, optimizer = probes(0.5)
    scheduler = PlanLR(optimizer, [PLAN], weight_decay=ks.constant(0.0).plan())
    with pytest.warns(ks.TrainingWarning) as caught:
        load({"scheduler": scheduler}, storage_reader=FileSystemReader(tmp_path), no_dist=True)
    assert "weight_decay at step 5: no plan then, 0 now" in str(caught[-1].message)
    train(again, optimizer, scheduler, range(5, STEPS))
    assert again[0].rates[5:] == planned(PLAN, range(5, STEPS))
