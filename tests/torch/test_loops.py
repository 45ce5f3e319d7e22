"""PlanLR sees what the loop around it does: a wrong one gets one warning, with the figures and the fix.

Warnings are errors in these tests, so every other test of a loop also says that PlanLR is silent in a right one.
"""

from __future__ import annotations

import copy
import gc
import itertools
import pickle
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch

import kosine as ks
from kosine.testing.torch import Probe
from kosine.torch._scheduler import PlanLR
from tests.support.torch_probe import PLAN, STEPS, planned, probes, train

SWITCH = " (PlanLR(..., watch=False) switches this off.)"


@contextmanager
def warned() -> Iterator[list[str]]:
    """The warnings of a loop; each is a TrainingWarning that points here, or into torch."""
    messages: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield messages
    assert all(warning.category is ks.TrainingWarning for warning in caught)
    messages += [str(warning.message) for warning in caught]


def update(probe: Probe, optimizer: torch.optim.Optimizer, step: int, loss: float = 1.0) -> None:
    optimizer.zero_grad()
    (probe(step) * loss).backward()
    optimizer.step()


def hooks(optimizer: Any) -> int:
    return len(optimizer._optimizer_step_post_hooks) + len(optimizer._optimizer_step_pre_hooks)


# --- wrong loops ---


def test_a_step_before_the_first_update() -> None:
    (probe,), optimizer = probes(0.5)
    scheduler = PlanLR(optimizer, PLAN)
    with warned() as messages:
        for step in range(STEPS):
            scheduler.step()
            update(probe, optimizer, step)
    assert messages == [
        "`scheduler.step()` was called before the first `optimizer.step()`, so every update uses the rate of the next "
        "step: the first one used 0.04, and the plan begins with 0.01. Call `scheduler.step()` after "
        f"`optimizer.step()`. To resume, call `load_state_dict`, or `step(n)`.{SWITCH}"
    ]
    assert probe.rates == planned(PLAN, range(1, STEPS + 1))


@pytest.mark.parametrize("epoch", [2, 4, 100])
def test_a_step_once_an_epoch(epoch: int) -> None:
    plan = ks.warmup_cosine(peak=0.1, warmup="10%").plan(total_steps=3 * epoch)
    (probe,), optimizer = probes(0.1, steps=3 * epoch)
    scheduler = PlanLR(optimizer, plan)
    with warned() as messages:
        for step in range(3 * epoch):
            update(probe, optimizer, step)
            if (step + 1) % epoch == 0:
                scheduler.step()
                assert len(messages) == 0
    (message,) = messages
    assert message.startswith(
        f"`scheduler.step()` was called once in {epoch} updates, and a step of the plan is an update: at this pace its "
        f"{3 * epoch} steps take {3 * epoch * epoch:,} updates. Call `scheduler.step()` after each `optimizer.step()`; "
    )
    assert message.endswith(f"plan with `steps_per_epoch=1`.{SWITCH}")
    assert probe.rates == [plan(step // epoch) for step in range(3 * epoch)]


def test_a_step_once_an_epoch_is_seen_at_the_second_update_of_the_second_epoch() -> None:
    (probe,), optimizer = probes(0.5)
    scheduler = PlanLR(optimizer, PLAN)
    with warned() as messages:
        for step in range(4):
            update(probe, optimizer, step)
        scheduler.step()
        update(probe, optimizer, 4)
    assert not messages
    with pytest.warns(ks.TrainingWarning, match="once in 4 updates"):
        update(probe, optimizer, 5)


@pytest.mark.parametrize(
    "arguments",
    [{"epochs": 3, "steps_per_epoch": 1}, {"total_steps": 3}],
    ids=["an epoch is a step", "more updates in an epoch than steps"],
)
def test_a_plan_of_epochs_may_step_once_an_epoch(arguments: dict[str, int]) -> None:
    (probe,), optimizer = probes(0.1)
    scheduler = PlanLR(optimizer, ks.Schedule(ks.linear(start=0.1, to=0.01)), **arguments)  # type: ignore[arg-type]
    with warned() as messages:
        for step in range(STEPS):
            update(probe, optimizer, step)
            if step % 4 == 3:
                scheduler.step()
    assert messages == []
    assert probe.rates == [scheduler.plan(step // 4) for step in range(STEPS)]  # type: ignore[operator]


@pytest.mark.parametrize("steps", [2, 3, 4])
@pytest.mark.parametrize("loop", ["accumulates", "processes", "processes, before the update"])
@pytest.mark.parametrize("scaled", [False, True], ids=["", "with a scaled loss"])
def test_several_steps_for_each_update(loop: str, steps: int, scaled: bool) -> None:
    plan = ks.warmup_cosine(peak=0.1, warmup=3, warmup_start=0.01).plan(total_steps=100)
    (probe,), optimizer = probes(0.5, steps=5)
    scheduler = PlanLR(optimizer, plan)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0, enabled=scaled)

    def step_of_the_optimizer(batch: int) -> None:
        optimizer.zero_grad()
        scaler.scale(probe(batch)).backward()
        scaler.step(optimizer)
        scaler.update()

    with warned() as messages:
        for batch in range(5):
            if loop == "accumulates":
                for _ in range(steps - 1):
                    scheduler.step()
                step_of_the_optimizer(batch)
                scheduler.step()
            elif loop == "processes":
                step_of_the_optimizer(batch)
                for _ in range(steps):
                    scheduler.step()
            else:
                for _ in range(steps):
                    scheduler.step()
                step_of_the_optimizer(batch)
    (message,) = messages
    assert message.startswith(
        f"`scheduler.step()` was called {steps} times for each update: the plan's 100 steps end after "
        f"{100 / steps:.6g} updates. Call it once, after `optimizer.step()`: "
    )
    first = {"accumulates": steps - 1, "processes": 0}.get(loop, steps)
    assert probe.rates == planned(plan, range(first, 100, steps)[:5])


@pytest.mark.parametrize("through", ["step", "step(n)", "last_epoch", "state"])
def test_a_run_beyond_the_end_of_the_plan(through: str) -> None:
    plan = ks.warmup_cosine(peak=0.1, warmup=2, floor=0.01).plan(total_steps=6)
    (probe,), optimizer = probes(0.5)
    scheduler = PlanLR(optimizer, plan)
    train([probe], optimizer, scheduler, range(6))  # all of the plan
    with warned() as messages:
        for step in range(6, STEPS):
            update(probe, optimizer, step)
            if through == "step":
                scheduler.step()
            elif through == "last_epoch":
                scheduler.last_epoch += 1
            elif through == "state":
                scheduler.load_state_dict({**scheduler.state_dict(), "last_epoch": step + 1})
            else:
                scheduler.step(step + 1)
    assert messages == [
        "The plan ended at step 6, and the run goes on: the next update is that of step 7, and the rate stays at 0.01. "
        f"Plan for all updates of the run, with `total_steps`.{SWITCH}"
    ]
    assert probe.rates[6:] == [0.01] * 6


ENDS: dict[str, tuple[Any, int | None]] = {
    "a warm-up that holds": (ks.Schedule(ks.linear(4, start=0.1, to=0.5)).plan(), None),
    "a decay to 0 without a length": (ks.Schedule(ks.cosine(4, start=0.5, to=0.0)).plan(), 5),
    "cycles without an end": (ks.sgdr(peak=0.5, period=2).plan(), None),
    "cycles in a run": (ks.sgdr(peak=0.5, period=2).plan(total_steps=4), 5),
    "the longest of a list": ([PLAN, ks.constant(0.1).plan(total_steps=4)], STEPS + 1),
    "a list with one that holds": ([ks.constant(0.1).plan(total_steps=4), ks.constant(0.1).plan()], None),
    "an end inside a phase": (ks.Schedule(ks.linear(40, start=0.5, to=0.1)).plan(total_steps=4), 5),
}


@pytest.mark.parametrize(("plan", "step"), ENDS.values(), ids=ENDS)
def test_the_end_is_that_of_the_run_that_was_planned(plan: Any, step: int | None) -> None:
    _, optimizer = probes(*([0.5, 0.5] if isinstance(plan, list) else [0.5]))
    scheduler = PlanLR(optimizer, plan, lint=False)
    seen = []
    for _ in range(2 * STEPS):
        with warned() as messages:
            scheduler.step()
        seen += [scheduler.last_epoch] * len(messages)
    assert seen == ([] if step is None else [step])


# --- loops that are right ---


def test_a_right_loop_is_left_alone_after_three_updates() -> None:
    (probe,), optimizer = probes(0.5)
    before = {name: copy.copy(value) for name, value in vars(optimizer).items() if name.endswith("hooks")}
    scheduler = PlanLR(optimizer, PLAN)
    counts = []
    for step in range(STEPS):
        train([probe], optimizer, scheduler, [step])
        counts.append(hooks(optimizer))
    assert counts == [1, 1, 0] + [0] * (STEPS - 3)
    assert probe.rates == planned(PLAN)
    del scheduler
    gc.collect()
    assert {name: vars(optimizer)[name] for name in before} == before


def test_watching_can_be_switched_off() -> None:
    (probe,), optimizer = probes(0.5)
    scheduler = PlanLR(optimizer, PLAN, watch=False)
    assert hooks(optimizer) == 0
    for step in range(STEPS):
        scheduler.step()
        scheduler.step()
        update(probe, optimizer, step)
    with pytest.raises(ks.ArgumentTypeError, match=r"`watch` must be True or False\. Received: watch=1\."):
        PlanLR(optimizer, PLAN, watch=1)  # type: ignore[arg-type]


@pytest.mark.parametrize("growth", [1, 2, 3, 4, 100])
@pytest.mark.parametrize("skipped", [[0], [0, 1, 2, 3, 4], [1], [1, 3, 5, 7], [3, 4, 7, 8], [2, 5, 8], []], ids=str)
@pytest.mark.parametrize("zero_first", [True, False])
def test_updates_that_loss_scaling_skips(growth: int, skipped: list[int], zero_first: bool) -> None:
    (probe,), optimizer = probes(0.5)
    scheduler = PlanLR(optimizer, PLAN)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10, growth_interval=growth)
    for step in range(STEPS):
        if zero_first:
            optimizer.zero_grad()
        scaler.scale(probe(step) * (float("inf") if step in skipped else 1.0)).backward()
        scaler.step(optimizer)
        scaler.update()
        if not zero_first:
            optimizer.zero_grad()
        scheduler.step()
    assert probe.rates == [0.0 if step in skipped else PLAN(step) for step in range(STEPS)]


def test_a_scale_that_grows_and_overflows_at_every_other_batch() -> None:
    """Two steps for each update, again and again; none of them is one too many."""
    (probe,), optimizer = probes(0.5)
    scheduler = PlanLR(optimizer, PLAN)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0, growth_interval=1)
    for step in range(STEPS):
        optimizer.zero_grad()
        scaler.scale(probe(step) * (1e300 if scaler.get_scale() > 4 else 1.0)).backward()
        if scaler.get_scale() > 4:
            probe.weight.grad.fill_(torch.inf)
        scaler.step(optimizer)
        scaler.update()
        scheduler.step()
    assert probe.rates == [PLAN(step) if step % 2 == 0 else 0.0 for step in range(STEPS)]


@pytest.mark.parametrize("forward", [2, 3, 8])
def test_a_loop_that_goes_forward_to_where_it_resumes(forward: int) -> None:
    (probe,), optimizer = probes(0.5)
    scheduler = PlanLR(optimizer, PLAN)
    for _ in range(forward):
        scheduler.step()
    train([probe], optimizer, scheduler, range(forward, STEPS))
    assert probe.rates[forward:] == planned(PLAN, range(forward, STEPS))


@pytest.mark.parametrize("first", [False, True], ids=["after the update", "before the update"])
def test_a_loop_that_says_the_step(first: bool) -> None:
    (probe,), optimizer = probes(0.5)
    scheduler = PlanLR(optimizer, PLAN)
    for step in range(STEPS):
        if first:
            scheduler.step(step)
        update(probe, optimizer, step)
        if not first:
            scheduler.step(step + 1)
    assert probe.rates == planned(PLAN)
    assert hooks(optimizer) == 0


def test_a_loop_that_resumes_in_the_middle_of_a_mistake_is_looked_at_anew() -> None:
    (probe,), optimizer = probes(0.5)
    scheduler = PlanLR(optimizer, PLAN)
    scheduler.step()  # one step too many, and then the step of the checkpoint
    scheduler.load_state_dict({**scheduler.state_dict(), "last_epoch": 0})
    train([probe], optimizer, scheduler, range(STEPS))
    assert probe.rates == planned(PLAN)


def test_updates_before_the_first_step() -> None:
    """Such as those of another scheduler's warm-up."""
    (probe,), optimizer = probes(0.5)
    scheduler = PlanLR(optimizer, PLAN)
    for _ in range(5):
        update(probe, optimizer, 0)
    probe.weight.data.zero_()
    train([probe], optimizer, scheduler, range(STEPS))
    assert probe.rates == planned(PLAN)


def test_an_optimizer_that_asks_for_the_loss_again_and_again() -> None:
    weight = torch.nn.Parameter(torch.tensor([3.0]))
    optimizer = torch.optim.LBFGS([weight], lr=1.0, max_iter=3)
    scheduler = PlanLR(optimizer, ks.constant(0.5), total_steps=STEPS)
    asked = 0

    def closure() -> torch.Tensor:
        nonlocal asked
        asked += 1
        optimizer.zero_grad()
        loss = (weight**4).sum()
        loss.backward()
        return loss

    for _ in range(STEPS):
        optimizer.step(closure)
        scheduler.step()
    assert asked > 2 * STEPS


class Twice(torch.optim.SGD):  # type: ignore[misc]
    """Its `step` calls that of its base, so its hooks are called twice."""

    def step(self, closure: Any = None) -> Any:
        return super().step(closure)


def test_a_subclass_whose_step_calls_its_base() -> None:
    probe = Probe(STEPS)
    optimizer = Twice(probe.parameters(), lr=0.5)
    calls = []
    handle = optimizer.register_step_post_hook(lambda *_: calls.append(1))
    train([probe], optimizer, PlanLR(optimizer, PLAN), range(STEPS))
    handle.remove()
    assert len(calls) == 2 * STEPS
    assert probe.rates == planned(PLAN)
    with warned() as messages:  # a wrong loop is seen there, too
        scheduler = PlanLR(optimizer, PLAN)
        for step in range(STEPS):
            update(probe, optimizer, step)
            scheduler.step()
            scheduler.step()
    assert [message[:43] for message in messages if "2 times" in message] == [
        "`scheduler.step()` was called 2 times for e"
    ]


def test_two_optimizers_that_take_turns() -> None:
    modules, optimizers = zip(*(probes(0.5) for _ in range(2)), strict=True)
    schedulers = [PlanLR(optimizer, PLAN) for optimizer in optimizers]
    for step in range(STEPS):
        for number in (0, 1):
            if number == 0 or step % 3 == 2:  # the second does one update for three of the first
                train(modules[number], optimizers[number], schedulers[number], [schedulers[number].last_epoch])
    assert modules[0][0].rates == planned(PLAN)
    assert modules[1][0].rates[:4] == planned(PLAN, range(4))


@pytest.mark.parametrize(
    "again", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))], ids=["copy", "pickle"]
)
@pytest.mark.parametrize("at", [0, 1, 2, 6])
def test_optimizers_can_be_copied_while_they_are_watched(again: Callable[[Any], Any], at: int) -> None:
    (probe,), optimizer = probes(0.5)
    scheduler = PlanLR(optimizer, PLAN)
    train([probe], optimizer, scheduler, range(at))
    twin, twin_optimizer = again((probe, optimizer))
    assert hooks(twin_optimizer) == 0
    train([twin], twin_optimizer, None, [at])
    assert twin.rates[at] == PLAN(at)
    twin, twin_optimizer, twin_scheduler = again((probe, optimizer, scheduler))
    train([twin], twin_optimizer, twin_scheduler, range(at, STEPS))
    train([probe], optimizer, scheduler, range(at, STEPS))
    assert twin.rates == probe.rates == planned(PLAN)
    assert hooks(optimizer) == hooks(twin_optimizer) == 0


def test_a_scheduler_that_is_gone_watches_no_more() -> None:
    (probe,), optimizer = probes(0.5)
    scheduler = PlanLR(optimizer, PLAN)
    assert hooks(optimizer) == 1
    del scheduler
    gc.collect()
    assert hooks(optimizer) == 0
    train([probe], optimizer, None, range(STEPS))


# --- rates that the optimizer was built with ---


def built(rates: list[float], peak: float, **arguments: Any) -> list[str]:
    _, optimizer = probes(*rates)
    with warned() as messages:
        PlanLR(optimizer, ks.warmup_cosine(peak=peak, warmup=2), total_steps=STEPS, **arguments)
    return messages


@pytest.mark.parametrize(("own", "peak"), [(0.5, 0.05), (0.5, 5e-4), (1e-4, 1e-3), (0.01, 10.0)])
def test_a_rate_far_from_the_peak(own: float, peak: float) -> None:
    assert built([own, 0.01 * own], peak) == [
        f"The optimizer was built with a rate of {own:.6g}, far from the plan's peak, {peak:.6g}. The plan's rates "
        "apply. Build the optimizer with the plan's peak; or, if the plan is a factor of the optimizer's rate, pass "
        f"`relative=True`.{SWITCH}"
    ]


@pytest.mark.parametrize(
    ("rates", "peak"),
    [([0.1], 0.1), ([0.5], 0.1), ([0.1], 0.5), ([0.0], 0.1), ([0.1, 0.5], 0.1), ([0.5, 0.05], 0.1), ([5e-5], 0.1)],
    ids=str,
)
def test_rates_that_go_with_the_plan(rates: list[float], peak: float) -> None:
    assert built(rates, peak) == []


def test_a_rate_that_nobody_chose_is_not_looked_at() -> None:
    weight = torch.nn.Parameter(torch.zeros(1))
    for optimizer in (torch.optim.AdamW([weight]), torch.optim.Adam([weight]), torch.optim.SGD([weight])):
        PlanLR(optimizer, PLAN)
        assert optimizer.param_groups[0]["initial_lr"] == 1e-3


DECAYED = [1e-3 * 0.75**depth for depth in (3, 2, 1, 0)]


@pytest.mark.parametrize(
    ("rates", "peak", "highest"),
    [
        (DECAYED, 1e-3, "group 3 gets up to 0.00237037"),
        ([0.2, 0.1], 0.1, "group 1 gets up to 0.05"),
        ([0.02, 0.2, 0.01], 0.1, "group 1 gets up to 1"),
    ],
    ids=["layer-wise decay", "the peak in another group", "a higher group"],
)
def test_a_peak_that_goes_to_another_group_than_is_meant(rates: list[float], peak: float, highest: str) -> None:
    (message,) = built(rates, peak)
    assert message.startswith(
        f"The plan's peak, {peak:.6g}, goes to the first param group, which was built with {rates[0]:.6g}. The others "
        f"keep their ratio to it, so {highest}. "
    )
    assert built(rates, peak, watch=False) == []
    assert built(rates, 1.0, relative=True) == []


def test_a_relative_plan_of_absolute_rates() -> None:
    (message,) = built([1e-3], 1e-3, relative=True)
    assert message.startswith(
        "With `relative=True` the plan is a factor of each group's own rate: the first group, built with 0.001, gets "
        "at most 1e-06. Give the plan a peak of about 1"
    )


# --- another hand ---


def test_chained_with_another_scheduler() -> None:
    (probe,), optimizer = probes(0.5)
    mine = PlanLR(optimizer, PLAN)
    chained = torch.optim.lr_scheduler.ChainedScheduler(
        [mine, torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)], optimizer=optimizer
    )
    with warned() as messages:
        train([probe], optimizer, chained, range(STEPS))
    assert messages == [
        "Something else sets the learning rate between the steps: PlanLR wrote 0.07 and found 0.035 there at the next "
        "step, for the second time. PlanLR writes the plan's rate over it, so the change lasts for one update. "
        f"Schedulers do not chain with it (ChainedScheduler): put all phases into one Schedule.{SWITCH}"
    ]
    assert probe.rates == [PLAN(0), *(0.5 * PLAN(step) for step in range(1, STEPS))]


def test_two_plans_on_one_optimizer() -> None:
    (probe,), optimizer = probes(0.5)
    schedulers = [PlanLR(optimizer, plan) for plan in (PLAN, ks.constant(0.3).plan())]
    with warned() as messages:
        for step in range(STEPS):
            update(probe, optimizer, step)
            for scheduler in schedulers:
                scheduler.step()
    assert [message[:61] for message in messages] == [
        "Something else sets the learning rate between the steps: Plan"
    ] * len(messages)
    assert messages
    assert probe.rates == [0.3] * STEPS


@pytest.mark.parametrize("steps", [[3], [3, 5, 7], [2, 9]], ids=str)
def test_a_change_now_and_then_is_the_users(steps: list[int]) -> None:
    (probe,), optimizer = probes(0.5)
    scheduler = PlanLR(optimizer, PLAN)
    for step in range(STEPS):
        if step in steps:
            optimizer.param_groups[0]["lr"] = 7.0
        train([probe], optimizer, scheduler, [step])
    assert probe.rates == [7.0 if step in steps else PLAN(step) for step in range(STEPS)]


# --- ignite ---


class IgnitesHandler:
    """What ignite's `LRScheduler` does at each event: it writes `get_lr()` into the groups and counts `last_epoch`."""

    def __init__(self, scheduler: Any) -> None:
        self.scheduler = scheduler

    def __call__(self) -> None:
        self.scheduler._get_lr_called_within_step = True
        rates = self.scheduler.get_lr()
        self.scheduler._get_lr_called_within_step = False
        for group, rate in zip(self.scheduler.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate
        self.scheduler.last_epoch += 1


@pytest.mark.parametrize(
    "build",
    [lambda o: PlanLR(o, PLAN), lambda o: torch.optim.lr_scheduler.LambdaLR(o, lambda t: PLAN(t) / 0.5)],
    ids=["PlanLR", "LambdaLR"],
)
def test_ignite_at_the_start_of_an_iteration(build: Callable[[Any], Any]) -> None:
    modules, optimizer = probes(0.5, 0.05)
    handler = IgnitesHandler(build(optimizer))
    for step in range(STEPS):
        handler()
        train(modules, optimizer, None, [step])
    assert modules[0].rates == pytest.approx(planned(PLAN), rel=1e-12)
    assert modules[1].rates == pytest.approx(planned(PLAN, ratio=0.1), rel=1e-12)


# --- LambdaLR ---


@pytest.mark.parametrize("peak", [1.0, 0.4])
def test_a_plan_as_the_function_of_a_lambda_scheduler_is_saved_and_loaded(peak: float) -> None:
    plan = ks.warmup_cosine(peak=peak, warmup=2, warmup_start=0.1).plan(total_steps=STEPS)

    def build() -> tuple[list[Probe], torch.optim.Optimizer, Any]:
        modules, optimizer = probes(0.5, 0.05)
        return modules, optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, plan)

    modules, optimizer, scheduler = build()
    train(modules, optimizer, scheduler, range(5))
    states = pickle.loads(pickle.dumps([optimizer.state_dict(), scheduler.state_dict()]))
    assert states[1]["lr_lambdas"] == [{}, {}]
    again, optimizer, scheduler = build()
    for part, state in zip((optimizer, scheduler), states, strict=True):
        part.load_state_dict(state)
    train(again, optimizer, scheduler, range(5, STEPS))
    for modules_of, steps in ((modules, range(5)), (again, range(5, STEPS))):
        for probe, rate in zip(modules_of, (0.5, 0.05), strict=True):
            assert [probe.rates[step] for step in steps] == [rate * plan(step) for step in steps]


def test_relative_is_what_lambda_schedulers_do() -> None:
    plan = ks.warmup_cosine(peak=1.0, warmup=2, warmup_start=0.1).plan(total_steps=STEPS)
    applied = []
    for build in (lambda o: PlanLR(o, plan, relative=True), lambda o: torch.optim.lr_scheduler.LambdaLR(o, plan)):
        modules, optimizer = probes(0.05, 0.5, 2.0)
        train(modules, optimizer, build(optimizer), range(STEPS))
        applied.append([probe.rates for probe in modules])
    assert applied[0] == applied[1] == [planned(plan, ratio=rate) for rate in (0.05, 0.5, 2.0)]
    assert len({tuple(rates) for rates in itertools.chain(*applied)}) == 3
