"""A run that stops and goes on applies the plan's rates, in whatever order things are built and loaded."""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch

import kosine as ks
from kosine._analysis.past import how_to_share_the_past
from kosine.testing.torch import Probe
from kosine.torch._scheduler import PlanLR
from tests.support.torch_probe import LR, PLAN, STEPS, planned, probes, through_a_file, train

OTHER = ks.sgdr(peak=0.3, period=4).plan(total_steps=STEPS)
STOP = 5

NO_STEPS: list[Any] = [-1, None, 2.5, 3.0, float("nan"), float("inf"), "3", True, 2**63, 10**400, [3], {"step": 3}]

ORDERS = ["build optimizer scheduler", "build scheduler optimizer", "optimizer build scheduler"]


def double(value: float) -> torch.Tensor:
    return torch.tensor(value, dtype=torch.float64)


def texts(**plans: Any) -> str:
    """The plans as a state holds them."""
    return json.dumps(
        {
            name: [ks.dumps(plan) for plan in given] if isinstance(given, list) else ks.dumps(given)
            for name, given in plans.items()
        }
    )


SETUPS: dict[str, tuple[Callable[[float], Any], Callable[[torch.optim.Optimizer], PlanLR], list[list[float]]]] = {
    "ratios": (float, lambda optimizer: PlanLR(optimizer, PLAN), [planned(PLAN), planned(PLAN, ratio=0.05 / 0.5)]),
    "tensors": (double, lambda optimizer: PlanLR(optimizer, PLAN), [planned(PLAN), planned(PLAN, ratio=0.05 / 0.5)]),
    "plans": (float, lambda optimizer: PlanLR(optimizer, [PLAN, OTHER]), [planned(PLAN), planned(OTHER)]),
    "tensors and plans": (double, lambda optimizer: PlanLR(optimizer, [OTHER, PLAN]), [planned(OTHER), planned(PLAN)]),
    "at rate 0": (
        float,
        lambda optimizer: PlanLR(
            optimizer, ks.Schedule(ks.hold(STOP, start=0.1), ks.hold(2, start=0.0)).plan(), lint=False, watch=False
        ),
        [[0.1] * STOP + [0.0] * (STEPS - STOP), [0.1 * (0.05 / 0.5)] * STOP + [0.0] * (STEPS - STOP)],
    ),
}


def stopped(kind: Callable[[float], Any], build: Callable[[torch.optim.Optimizer], PlanLR]) -> dict[str, Any]:
    """The checkpoint of a run that was stopped after so many steps, as it comes from a file."""
    modules, optimizer = probes(kind(0.5), kind(0.05))
    scheduler = build(optimizer)
    train(modules, optimizer, scheduler, range(STOP))
    return {
        "models": through_a_file([probe.state_dict() for probe in modules]),
        "optimizer": through_a_file(optimizer.state_dict()),
        "scheduler": through_a_file(scheduler.state_dict()),
    }


def resumed(
    checkpoint: dict[str, Any],
    order: str,
    kind: Callable[[float], Any],
    build: Callable[[torch.optim.Optimizer], PlanLR],
) -> tuple[list[Probe], torch.optim.Optimizer, PlanLR]:
    modules, optimizer = probes(kind(0.5), kind(0.05))
    for probe, weights in zip(modules, checkpoint["models"], strict=True):
        probe.load_state_dict(weights)
    scheduler = None
    for part in order.split():
        if part == "build":
            scheduler = build(optimizer)
        elif part == "optimizer":
            optimizer.load_state_dict(checkpoint["optimizer"])
        else:
            assert scheduler is not None
            scheduler.load_state_dict(checkpoint["scheduler"])
    assert scheduler is not None
    return modules, optimizer, scheduler


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("kind", "build", "rates"), SETUPS.values(), ids=SETUPS)
def test_the_run_goes_on_where_it_stopped(order: str, kind: Any, build: Any, rates: list[list[float]]) -> None:
    modules, optimizer, scheduler = resumed(stopped(kind, build), order, kind, build)
    assert scheduler.last_epoch == STOP
    train(modules, optimizer, scheduler, range(STOP, STEPS))
    assert [probe.rates for probe in modules] == rates


@pytest.mark.parametrize("order", ["build optimizer", "optimizer build"])
@pytest.mark.parametrize(("kind", "build", "rates"), SETUPS.values(), ids=SETUPS)
def test_without_the_schedulers_state_the_plan_begins_anew(
    order: str, kind: Any, build: Any, rates: list[list[float]]
) -> None:
    modules, optimizer, scheduler = resumed(stopped(kind, build), order, kind, build)
    for probe in modules:
        probe.weight.data.zero_()
    train(modules, optimizer, scheduler, range(STEPS))
    assert [probe.rates for probe in modules] == rates


@pytest.mark.parametrize("order", ["build optimizer", "optimizer build"])
@pytest.mark.parametrize(("kind", "build", "rates"), SETUPS.values(), ids=SETUPS)
def test_a_step_that_is_known_is_enough(order: str, kind: Any, build: Any, rates: list[list[float]]) -> None:
    modules, optimizer, scheduler = resumed(stopped(kind, build), order, kind, build)
    scheduler.step(STOP)
    train(modules, optimizer, scheduler, range(STOP, STEPS))
    assert [probe.rates for probe in modules] == rates


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", [float, double])
def test_the_optimizer_may_have_been_saved_without_a_scheduler(order: str, kind: Any) -> None:
    plan = ks.warmup_cosine(peak=0.1, warmup=3).plan(total_steps=STEPS)
    modules, optimizer = probes(kind(0.5), kind(0.05))
    checkpoint = {
        "models": [probe.state_dict() for probe in modules],
        "optimizer": through_a_file(optimizer.state_dict()),
        "scheduler": {"last_epoch": STOP, "plans": {"lr": ks.dumps(plan)}},
    }
    modules, optimizer, scheduler = resumed(checkpoint, order, kind, lambda optimizer: PlanLR(optimizer, plan))
    train(modules, optimizer, scheduler, range(STOP, STEPS))
    assert [probe.rates[STOP:] for probe in modules] == [
        planned(plan, range(STOP, STEPS)),
        planned(plan, range(STOP, STEPS), ratio=0.1),
    ]


@pytest.mark.parametrize("order", ORDERS)
def test_other_entries(order: str) -> None:
    def build(optimizer: torch.optim.Optimizer) -> PlanLR:
        return PlanLR(optimizer, PLAN, weight_decay=OTHER)

    def fresh() -> Any:
        weights = [torch.nn.Parameter(torch.ones(1, dtype=torch.float64)) for _ in range(2)]
        groups = [{"params": weights[0]}, {"params": weights[1], "weight_decay": 0.1}]
        return *weights, torch.optim.AdamW(groups, lr=0.5, weight_decay=0.2)

    def run(weights: Any, optimizer: torch.optim.Optimizer, scheduler: PlanLR, steps: range) -> None:
        one, two = weights
        for step in steps:
            one.grad, two.grad = torch.full_like(one, step - 3.5), torch.full_like(two, 4.5 - step)
            optimizer.step()
            scheduler.step()

    *straight, optimizer = fresh()
    run(straight, optimizer, build(optimizer), range(STEPS))

    *before, optimizer = fresh()
    scheduler = build(optimizer)
    run(before, optimizer, scheduler, range(STOP))
    states = {"optimizer": through_a_file(optimizer.state_dict()), "scheduler": through_a_file(scheduler.state_dict())}
    *after, optimizer = fresh()
    for old, new in zip(before, after, strict=True):
        new.data.copy_(old.data)
    for part in order.split():
        if part == "build":
            scheduler = build(optimizer)
        else:
            {"optimizer": optimizer, "scheduler": scheduler}[part].load_state_dict(states[part])
    run(after, optimizer, scheduler, range(STOP, STEPS))
    assert [weight.item() for weight in after] == [weight.item() for weight in straight]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("saved", [float, double], ids=["a float in the file", "a tensor in the file"])
def test_a_tensor_stays_the_same_object(order: str, saved: Any) -> None:
    """A compiled or captured step has its address. What is built after the optimizer's load finds the loaded one."""
    checkpoint = stopped(saved, lambda optimizer: PlanLR(optimizer, PLAN))
    tensors: list[Any] = []

    def build(optimizer: torch.optim.Optimizer) -> PlanLR:
        tensors[:] = [group["lr"] for group in optimizer.param_groups]
        return PlanLR(optimizer, PLAN)

    modules, optimizer, scheduler = resumed(checkpoint, order, double, build)
    assert [group["lr"] is tensor for group, tensor in zip(optimizer.param_groups, tensors, strict=True)] == [
        saved is double or order.startswith("build")
    ] * 2
    train(modules, optimizer, scheduler, range(STOP, STEPS))
    assert [probe.rates for probe in modules] == [planned(PLAN), planned(PLAN, ratio=0.1)]


@pytest.mark.parametrize("order", ORDERS)
def test_a_group_that_was_added(order: str) -> None:
    modules, optimizer = probes(0.1)
    scheduler = PlanLR(optimizer, PLAN)
    train(modules, optimizer, scheduler, range(2))
    modules.append(Probe(STEPS))
    optimizer.add_param_group({"params": modules[1].parameters(), "lr": 0.1 * PLAN(2)})
    scheduler.step(2)
    train(modules, optimizer, scheduler, range(2, STOP))
    checkpoint = {
        "models": [probe.state_dict() for probe in modules],
        "optimizer": through_a_file(optimizer.state_dict()),
        "scheduler": through_a_file(scheduler.state_dict()),
    }

    def build(optimizer: torch.optim.Optimizer) -> PlanLR:
        second = optimizer.param_groups.pop()
        scheduler = PlanLR(optimizer, PLAN)
        optimizer.add_param_group(second)
        return scheduler

    modules, optimizer, scheduler = resumed(checkpoint, order, float, build)
    train(modules, optimizer, scheduler, range(STOP, STEPS))
    assert modules[0].rates == planned(PLAN)
    assert modules[1].rates == pytest.approx([0.0] * 2 + planned(PLAN, range(2, STEPS), ratio=0.1), rel=1e-12)


def test_a_group_that_was_removed() -> None:
    modules, optimizer = probes(double(0.5), double(0.05))
    scheduler = PlanLR(optimizer, PLAN)
    train(modules, optimizer, scheduler, range(STOP))
    del optimizer.param_groups[1]
    optimizer.load_state_dict(through_a_file(optimizer.state_dict()))
    train(modules, optimizer, scheduler, range(STOP, STEPS))
    assert modules[0].rates == planned(PLAN)
    assert modules[1].rates == planned(PLAN, range(STOP), ratio=0.1) + [0.0] * (STEPS - STOP)


@pytest.mark.parametrize("stepped", [False, True], ids=["at once", "after a step"])
def test_a_tensor_stays_with_its_group_when_the_first_was_removed(stepped: bool) -> None:
    modules, optimizer = probes(double(0.1), double(0.01), double(0.4))
    scheduler = PlanLR(optimizer, PLAN)
    train(modules, optimizer, scheduler, range(STOP))
    tensors = [group["lr"] for group in optimizer.param_groups]
    del optimizer.param_groups[0]
    if stepped:
        scheduler.step(STOP)
    optimizer.load_state_dict(through_a_file(optimizer.state_dict()))
    assert [group["lr"] is tensor for group, tensor in zip(optimizer.param_groups, tensors[1:], strict=True)] == [
        True,
        True,
    ]
    train(modules, optimizer, scheduler, range(STOP, STEPS))
    assert modules[0].rates == planned(PLAN, range(STOP)) + [0.0] * (STEPS - STOP)
    assert [probe.rates for probe in modules[1:]] == [planned(PLAN, ratio=0.01 / 0.1), planned(PLAN, ratio=4.0)]


@pytest.mark.parametrize("again", [False, True], ids=["saved once", "saved twice"])
@pytest.mark.parametrize("built_with", ["the others", "all groups"])
@pytest.mark.parametrize("order", ORDERS)
def test_ratios_to_a_first_group_that_was_removed(order: str, built_with: str, again: bool) -> None:
    modules, optimizer = probes(0.1, 0.01, 0.4)
    scheduler = PlanLR(optimizer, PLAN)
    train(modules, optimizer, scheduler, range(STOP))
    del optimizer.param_groups[0]
    for _ in range(1 + again):
        states = {part: through_a_file(of.state_dict()) for part, of in (("o", optimizer), ("s", scheduler))}
        assert states["s"] == {"last_epoch": STOP, "plans": texts(lr=PLAN), "ratios_to": {"lr": 0.1}}
        weights = [probe.state_dict() for probe in modules[-2:]]
        modules, optimizer = probes(*([0.01, 0.4] if built_with == "the others" else [0.1, 0.01, 0.4]))
        for probe, saved in zip(modules[-2:], weights, strict=True):
            probe.load_state_dict(saved)
        for part in order.split():
            if part == "build":
                scheduler = PlanLR(optimizer, PLAN, watch=False)  # the peak is for a group that is gone
            if part == order.split()[0] and built_with == "all groups":
                del optimizer.param_groups[0]
            if part != "build":
                {"optimizer": optimizer, "scheduler": scheduler}[part].load_state_dict(states[part[0]])
    train(modules, optimizer, scheduler, range(STOP, STEPS))
    assert [probe.rates for probe in modules[-2:]] == [planned(PLAN, ratio=0.01 / 0.1), planned(PLAN, ratio=4.0)]


def test_the_ratios_are_those_of_the_file_while_the_first_group_is_there() -> None:
    """The new run was built with other rates; those that the optimizer loads replace them all."""
    checkpoint = stopped(float, lambda optimizer: PlanLR(optimizer, PLAN))
    modules, optimizer = probes(3.0, 6.0)
    scheduler = PlanLR(optimizer, PLAN, watch=False)
    optimizer.load_state_dict(checkpoint["optimizer"])
    scheduler.load_state_dict(checkpoint["scheduler"])
    train(modules, optimizer, scheduler, range(STOP, STEPS))
    assert [probe.rates[STOP:] for probe in modules] == [
        planned(PLAN, range(STOP, STEPS)),
        planned(PLAN, range(STOP, STEPS), ratio=0.1),
    ]


LONGER = LR.plan(total_steps=2 * STEPS)


@pytest.mark.parametrize("order", ORDERS)
def test_a_branch_that_agrees_up_to_the_step_is_silent(order: str) -> None:
    """Warm-up and hold are the same; only the cosine after them is longer."""
    checkpoint = stopped(float, lambda optimizer: PlanLR(optimizer, PLAN))
    modules, optimizer, scheduler = resumed(checkpoint, order, float, lambda optimizer: PlanLR(optimizer, LONGER))
    train(modules, optimizer, scheduler, range(STOP, STEPS))
    assert modules[0].rates == [*planned(PLAN, range(STOP)), *planned(LONGER, range(STOP, STEPS))]
    assert modules[1].rates[STOP:] == planned(LONGER, range(STOP, STEPS), ratio=0.1)


WSD = ks.wsd(peak=0.1, warmup=2, cooldown=4)
BRANCHES: dict[str, tuple[ks.Plan, ks.Plan, int, list[str]]] = {
    "a cooldown that begins there": (WSD.plan(total_steps=30), WSD.plan(total_steps=12), 8, []),
    "a cooldown that has begun": (WSD.plan(total_steps=30), WSD.plan(total_steps=12), 9, []),
    "a jump that the branch wants": (
        ks.constant(0.1).plan(total_steps=12),
        ks.Schedule(ks.hold(6, start=0.1), ks.hold(start=0.3)).plan(total_steps=12),
        6,
        [],
    ),
    "a jump in the past": (
        ks.constant(0.1).plan(total_steps=12),
        ks.Schedule(ks.hold(6, start=0.1), ks.hold(start=0.3)).plan(total_steps=12),
        7,
        ["6, in the past: 0.1 then, 0.3 now", "7: 0.1 then, 0.3 now"],
    ),
    "the same in other words": (
        ks.Schedule(ks.cosine(12, start=0.1, to=0.0)).plan(),
        ks.Schedule(ks.section(ks.cosine(start=0.1, to=0.0), duration=6), ks.linear(to=0.0)).plan(total_steps=12),
        0,
        [],
    ),
    "another past": (
        ks.Schedule(ks.hold(3, start=0.2), ks.hold(start=0.1)).plan(total_steps=12),
        ks.constant(0.1).plan(total_steps=12),
        7,
        ["0, in the past: 0.2 then, 0.1 now"],
    ),
    "another past and a jump": (
        PLAN,
        OTHER,
        6,
        ["0, in the past: 0.01 then, 0.3 now", f"6: {PLAN(6):.6g} then, {OTHER(6):.6g} now"],
    ),
    "cycles without an end": (
        ks.sgdr(peak=0.1, period=4).plan(),
        ks.sgdr(peak=0.1, period=4, shrink=0.5).plan(total_steps=100),
        6,
        ["4, in the past: 0.1 then, 0.05 now", "6: 0.05 then, 0.025 now"],
    ),
    "a late change of a long run": (
        ks.warmup_cosine(peak=0.1, warmup=10**6).plan(total_steps=10**12),
        ks.warmup_cosine(peak=0.1, warmup=10**6).plan(total_steps=2 * 10**12),
        10**6,
        [],
    ),
}


@pytest.mark.parametrize(("before", "now", "step", "places"), BRANCHES.values(), ids=BRANCHES)
def test_another_past_is_shown_with_both_rates(before: ks.Plan, now: ks.Plan, step: int, places: list[str]) -> None:
    _, optimizer = probes(0.1)
    state = {**PlanLR(optimizer, before).state_dict(), "last_epoch": step}
    scheduler = PlanLR(optimizer, now, lint=False)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        scheduler.load_state_dict(state)
    assert optimizer.param_groups[0]["lr"] == now(step)
    assert all(warning.category is ks.TrainingWarning for warning in caught)
    messages = [str(warning.message) for warning in caught]
    if not places:
        assert messages == []
        return
    what, details = messages
    assert what.startswith("The state was saved with another plan. The run follows the plan that this PlanLR was built")
    assert details.splitlines() == [
        "The difference between the plan then and now:",
        *(f"lr at step {place}" for place in places),
        f"  then: {before!r}",
        f"   now: {now!r}",
        how_to_share_the_past(int(places[0].split(",")[0]), step),
    ]


def test_the_difference_is_shown_entry_by_entry() -> None:
    _, optimizer = probes(0.5, 0.05)
    state = PlanLR(optimizer, [PLAN, OTHER], momentum=PLAN).state_dict()
    state["last_epoch"] = 8
    scheduler = PlanLR(optimizer, [PLAN, LONGER], weight_decay=PLAN)
    with pytest.warns(ks.TrainingWarning) as caught:
        scheduler.load_state_dict(state)
    _, details = [str(warning.message) for warning in caught]
    assert details.splitlines()[1:] == [
        f"lr of group 1 at step 0, in the past: {OTHER(0):.6g} then, {LONGER(0):.6g} now",
        f"lr of group 1 at step 8: {OTHER(8):.6g} then, {LONGER(8):.6g} now",
        f"  then: {OTHER!r}",
        f"   now: {LONGER!r}",
        f"weight_decay at step 8: no plan then, {PLAN(8):.6g} now",
        "  then: no plan",
        f"   now: {PLAN!r}",
        f"momentum at step 8: {PLAN(8):.6g} then, no plan now",
        f"  then: {PLAN!r}",
        "   now: no plan",
        how_to_share_the_past(0, 8),
    ]


def test_a_long_plan_is_cut_and_one_of_a_later_version_is_shown_as_it_is() -> None:
    _, optimizer = probes(0.5)
    scheduler = PlanLR(optimizer, ks.Schedule(*[ks.hold(1, start=0.5)] * 100).plan())
    with pytest.warns(ks.TrainingWarning) as caught:
        scheduler.load_state_dict({"last_epoch": 3, "plans": {"lr": '{"kosine": 99}'}})
    _, details = [str(warning.message) for warning in caught]
    *_, values, then, now = details.splitlines()
    assert values == "lr at step 3: unknown then, 0.5 now"
    assert then == '  then: {"kosine": 99}'
    assert now.endswith("...")
    assert len(now) == len("   now: ") + 1_000 + len("...")
    assert scheduler.last_epoch == 3


@pytest.mark.parametrize("build", [lambda plan: plan, lambda plan: [plan]], ids=["a plan", "a list"])
def test_the_same_plan_in_other_words_is_no_difference(build: Any) -> None:
    _, optimizer = probes(0.5)
    scheduler = PlanLR(optimizer, build(PLAN))
    text = ks.dumps(PLAN).replace(" ", "  ")
    assert text != ks.dumps(PLAN)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scheduler.load_state_dict({"last_epoch": 7, "plans": {"lr": text}})
    assert scheduler.last_epoch == 7


@pytest.mark.parametrize(
    "foreign",
    [
        lambda optimizer: torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.5**step),
        lambda optimizer: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=STEPS),
        lambda optimizer: torch.optim.lr_scheduler.SequentialLR(
            optimizer,
            [torch.optim.lr_scheduler.LinearLR(optimizer), torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 9)],
            milestones=[3],
        ),
    ],
    ids=["LambdaLR", "CosineAnnealingLR", "SequentialLR"],
)
@pytest.mark.parametrize("order", ORDERS)
def test_the_state_of_another_scheduler_gives_the_step(order: str, foreign: Any) -> None:
    checkpoint = stopped(float, foreign)
    with pytest.warns(ks.TrainingWarning) as caught:
        modules, optimizer, scheduler = resumed(checkpoint, order, float, lambda optimizer: PlanLR(optimizer, PLAN))
    what, details = [str(warning.message) for warning in caught]
    assert what.startswith("The state is not a PlanLR's: its `last_epoch` was taken as the step.")
    assert details == "The next update is that of step 5, and its rates are: 0.1, 0.01."
    train(modules, optimizer, scheduler, range(STOP, STEPS))
    assert modules[0].rates[STOP:] == planned(PLAN, range(STOP, STEPS))
    assert modules[1].rates[STOP:] == planned(PLAN, range(STOP, STEPS), ratio=0.05 / 0.5)


def everything(scheduler: PlanLR) -> Any:
    """What a state that is refused must leave as it is."""
    groups = [
        {name: value for name, value in group.items() if name != "params"} for group in scheduler.optimizer.param_groups
    ]
    return copy.deepcopy((scheduler.state_dict(), scheduler.get_last_lr(), scheduler.base_lrs, groups))


def refused(state: Any, message: str, kind: Callable[[float], Any] = float) -> None:
    """Loading the state raises, changes nothing, and the run goes on."""
    modules, optimizer = probes(kind(0.5), kind(0.05))
    scheduler = PlanLR(optimizer, PLAN)
    train(modules, optimizer, scheduler, range(STOP))
    before = everything(scheduler)
    with pytest.raises(ks.TrainingError, match=message):
        scheduler.load_state_dict(state)
    assert everything(scheduler) == before
    train(modules, optimizer, scheduler, range(STOP, STEPS))
    assert [probe.rates for probe in modules] == [planned(PLAN), planned(PLAN, ratio=0.05 / 0.5)]


PLANS = {"lr": ks.dumps(PLAN)}


@pytest.mark.parametrize(
    "state",
    [{}, {"best": 3.0}, {"plans": PLANS}, *({"last_epoch": step, "plans": PLANS} for step in NO_STEPS)],
    ids=lambda state: str(state)[:30],
)
@pytest.mark.parametrize("kind", [float, double])
def test_a_state_without_a_step_is_refused(kind: Any, state: dict[str, Any]) -> None:
    refused(state, r"must hold the step, an integer from 0 to 2\*\*63 - 1, as `last_epoch`\. Pass what", kind)


@pytest.mark.parametrize("state", [None, [], [("last_epoch", 3)], 3, "last_epoch", b"\x80\x04", PLAN], ids=repr)
def test_a_state_that_is_no_dict_is_refused(state: Any) -> None:
    refused(state, "must be a dict that holds the step as `last_epoch`")


def test_the_whole_checkpoint_instead_of_the_state_is_named_in_short() -> None:
    _, optimizer = probes(0.5)
    scheduler = PlanLR(optimizer, PLAN)
    with pytest.raises(ks.TrainingError, match=r"Received: last_epoch=None, among: layer\.0, layer\.1, ") as caught:
        scheduler.load_state_dict({f"layer.{number}": 0.0 for number in range(10**5)})
    assert len(str(caught.value)) < 1_500


@pytest.mark.parametrize(
    ("ratios_to", "message"),
    [
        ([0.5], r"`ratios_to` must be a dict of numbers: .* Received: ratios_to=\[0\.5\]"),
        (0.5, "`ratios_to` must be a dict of numbers"),
        ({"lr": "0.5"}, r"`ratios_to` must be a dict of numbers: .* Received: ratios_to=\{'lr': '0\.5'\}"),
        ({"lr": None}, "`ratios_to` must be a dict of numbers"),
        ({"lr": True}, "`ratios_to` must be a dict of numbers"),
        ({"lr": float("nan")}, r"must be finite and >= 0: .* Received: \[0\.5, 0\.05\], to nan\."),
        ({"lr": float("inf")}, "must be finite and >= 0"),
        ({"lr": -0.5}, "must be finite and >= 0"),
        ({"lr": 0}, r"must not be 0 where another's is not"),
        ({"lr": 5e-324}, "nor too small to divide by"),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", [float, double])
def test_ratios_that_there_cannot_be_are_refused(kind: Any, ratios_to: Any, message: str) -> None:
    refused({"last_epoch": 7, "plans": PLANS, "ratios_to": ratios_to}, message, kind)


@pytest.mark.parametrize("step", [9, None], ids=["another step", "the next"])
def test_where_one_group_cannot_follow_none_does(step: int | None) -> None:
    _, optimizer = probes(0.5, 0.05)
    scheduler = PlanLR(optimizer, PLAN)
    scheduler.step(STOP - 1)
    optimizer.param_groups[1]["lr"] = torch.tensor(1)
    before = everything(scheduler)
    with pytest.raises(ks.TrainingError, match="`lr` must be a floating-point one"):
        scheduler.step(step)
    with pytest.raises(ks.TrainingError, match="`lr` must be a floating-point one"):
        scheduler.load_state_dict({"last_epoch": 7, "plans": PLANS})
    assert everything(scheduler) == before
    optimizer.param_groups[1]["lr"] = 0.05
    scheduler.step()
    assert [group["lr"] for group in optimizer.param_groups] == [PLAN(STOP), PLAN(STOP) * (0.05 / 0.5)]


@pytest.mark.parametrize(
    "saved",
    [
        {"lr": [ks.dumps(ks.constant(0.3).plan(total_steps=STEPS))] * 3},  # of three groups
        {},
        {"lr": None},
        {"lr": 3},
        {"lr": {"curve": "hold"}},
        {"lr": [None, 3]},
        {"lr": torch.arange(3)},
        {"lr": ks.dumps(PLAN)[:40]},
        {"lr": ks.dumps(LR)},
        {"lr": "[" * 10**5},
        {7: "\udcff"},
    ],
    ids=lambda saved: str(saved)[:40],
)
def test_plans_that_cannot_be_compared_with_are_warned_of_and_not_followed(saved: Any) -> None:
    modules, optimizer = probes(0.5, 0.05)
    scheduler = PlanLR(optimizer, PLAN)
    with pytest.warns(ks.TrainingWarning) as caught:
        scheduler.load_state_dict({"last_epoch": STOP, "plans": saved})
    what, details = [str(warning.message) for warning in caught]
    assert what.startswith("The state was saved with another plan. The run follows the plan that this PlanLR was built")
    assert len(details) < 5_000
    train(modules, optimizer, scheduler, range(STOP, STEPS))
    assert modules[0].rates[STOP:] == planned(PLAN, range(STOP, STEPS))
    assert modules[1].rates[STOP:] == planned(PLAN, range(STOP, STEPS), ratio=0.05 / 0.5)


def test_a_state_from_somebody_else_does_not_steer_the_terminal() -> None:
    _, optimizer = probes(0.5)
    scheduler = PlanLR(optimizer, PLAN)
    with pytest.warns(ks.TrainingWarning) as caught:
        scheduler.load_state_dict(
            {
                "last_epoch": 3,
                "plans": {"lr": "\x1b]0;owned\x07", "x\x1b[31m\n": {"\x1b[2J": "\x9b31m"}, "y": ["\x1b[1m", 3]},
            }
        )
    with pytest.raises(ks.TrainingError) as error:
        scheduler.load_state_dict({"\x1b[31m": 1})
    for text in (*(str(warning.message) for warning in caught), str(error.value)):
        assert text.replace("\n", "").isprintable()


@pytest.mark.parametrize(
    "saved", ["", "{", "[" * 5000, "[]", "3", '{"lr": null}', '{"lr": {"a": "b"}}', "\udcff"], ids=repr
)
def test_a_text_of_plans_that_cannot_be_read_is_warned_of(saved: str) -> None:
    modules, optimizer = probes(0.5)
    scheduler = PlanLR(optimizer, PLAN)
    with pytest.warns(ks.TrainingWarning) as caught:
        scheduler.load_state_dict({"last_epoch": STOP, "plans": saved})
    assert len(caught) == 2
    train(modules, optimizer, scheduler, range(STOP, STEPS))
    assert modules[0].rates[STOP:] == planned(PLAN, range(STOP, STEPS))


PEAK_THEN = ks.Schedule(ks.linear(4, start=0.1, to=1.0)).plan()


@pytest.mark.parametrize("longer", [False, True], ids=["the same plan", "a plan that goes on otherwise"])
@pytest.mark.parametrize("kind", [float, double])
@pytest.mark.parametrize("order", [*ORDERS, "build scheduler optimizer scheduler"])
def test_a_rate_that_another_scheduler_has_set_since_stays(order: str, kind: Any, longer: bool) -> None:
    """A warm-up by PlanLR, then ReduceLROnPlateau."""

    def train_on(modules: Any, optimizer: Any, scheduler: Any, plateau: Any, steps: Any) -> None:
        for step in steps:
            train(modules, optimizer, None, [step])
            scheduler.step() if step < 4 else plateau.step(1.0)

    def plateau_of(optimizer: Any) -> Any:
        return torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=0)

    modules, optimizer = probes(kind(1.0), kind(0.1))
    scheduler, plateau = PlanLR(optimizer, PEAK_THEN), plateau_of(optimizer)
    train_on(modules, optimizer, scheduler, plateau, range(8))
    assert float(optimizer.param_groups[0]["lr"]) == 0.125
    states = [through_a_file(part.state_dict()) for part in (optimizer, scheduler, plateau)]
    train_on(modules, optimizer, scheduler, plateau, range(8, STEPS))

    again, optimizer = probes(kind(1.0), kind(0.1))
    plan = (
        ks.Schedule(ks.linear(4, start=0.1, to=1.0), ks.hold(4), ks.linear(9, to=0.0)).plan() if longer else PEAK_THEN
    )
    for part in order.split():
        if part == "build":
            scheduler = PlanLR(optimizer, plan)
            tensors = [group["lr"] for group in optimizer.param_groups]
        elif part == "optimizer":
            optimizer.load_state_dict(states[0])
        else:
            scheduler.load_state_dict(states[1])
    plateau = plateau_of(optimizer)
    plateau.load_state_dict(states[2])
    assert [group["lr"] is tensor for group, tensor in zip(optimizer.param_groups, tensors, strict=True)] == [
        kind is double
    ] * 2
    train_on(again, optimizer, scheduler, plateau, range(8, STEPS))
    for one, other in zip(modules, again, strict=True):
        assert one.rates[8:] == other.rates[8:]
        assert all(rate > 0 for rate in other.rates[8:])
    scheduler.step(9)  # where the plan is asked for, it is followed
    assert float(optimizer.param_groups[0]["lr"]) == plan(9)


@pytest.mark.parametrize("stepped", [False, True])
def test_a_rate_of_another_scheduler_stays_when_the_optimizer_loads_its_own_state(stepped: bool) -> None:
    """As accelerate does when it prepares one."""
    _, optimizer = probes(0.5, 0.05)
    scheduler = PlanLR(optimizer, PLAN)
    scheduler.step(3)
    for group in optimizer.param_groups:
        group["lr"] *= 0.5
    if stepped:
        scheduler.step()
    optimizer.load_state_dict(through_a_file(optimizer.state_dict()))
    rate = PLAN(4) if stepped else 0.5 * PLAN(3)
    assert [group["lr"] for group in optimizer.param_groups] == [rate, rate * (0.05 / 0.5)]


@pytest.mark.parametrize("first", [2**31 - 3, 2**31, 2**53 - 3, 2**62])
@pytest.mark.parametrize("kind", [float, double])
def test_a_run_beyond_the_integers_of_other_libraries_goes_on_where_it_stopped(kind: Any, first: int) -> None:
    """A step is an integer of Python, so PyTorch is not the backend whose limit is 2**31 - 1."""
    plan = ks.warmup_cosine(peak=0.1, warmup=2**31).plan(total_steps=2**63 - 1)
    steps = range(first, first + 6)
    applied, state = [], {"last_epoch": first, "plans": {"lr": ks.dumps(plan)}}
    for run in (steps[:3], steps[3:]):
        modules, optimizer = probes(kind(0.5), steps=6)
        scheduler = PlanLR(optimizer, plan)
        scheduler.load_state_dict(state)
        for step in run:
            assert scheduler.last_epoch == step
            train(modules, optimizer, scheduler, [step - first])
        applied += [rate for rate in modules[0].rates if rate]
        state = through_a_file(scheduler.state_dict())
    assert applied == planned(plan, steps)
    assert state["last_epoch"] == first + 6


def test_the_plans_are_written_once_for_all_states(monkeypatch: pytest.MonkeyPatch) -> None:
    written = []

    def dumps(plan: ks.Plan) -> str:
        written.append(plan)
        return ks.dumps(plan)

    monkeypatch.setattr("kosine.torch._state.dumps", dumps)
    _, optimizer = probes(0.5, 0.05)
    scheduler = PlanLR(optimizer, PLAN, momentum=[OTHER, PLAN])
    assert not written
    scheduler.state_dict()
    second = scheduler.state_dict()
    scheduler.load_state_dict(second)
    assert second["plans"] == texts(lr=PLAN, momentum=[OTHER, PLAN])
    assert written == [PLAN, OTHER, PLAN]


def test_the_state_is_the_step_and_what_the_plans_were() -> None:
    _, optimizer = probes(0.5)
    scheduler = PlanLR(optimizer, PLAN, momentum=[OTHER])
    scheduler.step(3)
    assert scheduler.state_dict() == {
        "last_epoch": 3,
        "plans": texts(lr=PLAN, momentum=[OTHER]),
    }


def test_of_two_schedulers_the_one_built_last_sets_the_rates_at_a_load() -> None:
    modules, optimizer = probes(0.5)
    first = PlanLR(optimizer, OTHER)
    second = PlanLR(optimizer, PLAN)
    optimizer.load_state_dict(through_a_file(optimizer.state_dict()))
    assert first.last_epoch == 0
    train(modules, optimizer, second, range(STEPS))
    assert modules[0].rates == planned(PLAN)
