"""The weights say that the plan's rates were applied: in plain loops, with tensors as rates, scaled and compiled."""

from __future__ import annotations

import copy
import gc
import itertools
import pickle
from typing import Any

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given

import kosine as ks
from kosine.testing.torch import Probe
from kosine.torch._scheduler import PlanLR
from tests.support.torch_probe import LR, PLAN, STEPS, planned, probes, train

PLANS = {
    "warm-up, hold, cosine": PLAN,
    "past the end": LR.plan(total_steps=8),
    "restarts": ks.sgdr(peak=0.1, period=2, stretch=2, floor=0.01).plan(),
    "equal cycles of one step": ks.Schedule(ks.cycles(ks.hold(1, start=0.2), ks.hold(1, start=0.1))).plan(),
    "end point": ks.Schedule(ks.linear(5, start=0.1, to=0.2, endpoint=True), ks.cosine(to=0)).plan(total_steps=STEPS),
    "for ever": ks.inverse_sqrt_decay(peak=0.1, warmup=4).plan(),
    "constant": ks.constant(0.3).plan(),
}


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_a_plain_loop(plan: ks.Plan) -> None:
    (probe,), optimizer = probes(0.5)
    scheduler = PlanLR(optimizer, plan, watch=False)  # one of the plans ends early
    assert isinstance(scheduler, torch.optim.lr_scheduler.LRScheduler)
    train([probe], optimizer, scheduler, range(STEPS))
    assert probe.rates == planned(plan)


@pytest.mark.parametrize("arguments", [{}, {"foreach": True}, {"fused": True}, {"nesterov": True, "momentum": 1e-300}])
def test_float32_weights_take_the_nearest_rate(arguments: dict[str, Any]) -> None:
    probe = Probe(STEPS, torch.float32)
    optimizer = torch.optim.SGD(probe.parameters(), lr=0.5, **arguments)
    train([probe], optimizer, PlanLR(optimizer, PLAN), range(STEPS))
    assert probe.rates == torch.tensor(planned(PLAN), dtype=torch.float32).tolist()


@pytest.mark.parametrize("arguments", [{"foreach": False}, {"fused": True}], ids=str)
def test_a_tensor_as_the_rate_is_filled_in_place(arguments: dict[str, Any]) -> None:
    probe, rate = Probe(STEPS), torch.tensor(0.5, dtype=torch.float64)
    optimizer = torch.optim.SGD(probe.parameters(), lr=rate, **arguments)
    train([probe], optimizer, PlanLR(optimizer, PLAN), range(STEPS))
    assert optimizer.param_groups[0]["lr"] is rate
    assert probe.rates == planned(PLAN)


SIGN = {"betas": (0.0, 0.0), "eps": 0.0}  # with them an update of Adam is the rate times the gradient's sign


@pytest.mark.parametrize("arguments", [{"fused": True}, {"foreach": True}], ids=str)
def test_adam(arguments: dict[str, Any]) -> None:
    weight = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    optimizer = torch.optim.AdamW([weight], lr=0.5, weight_decay=0.0, **SIGN, **arguments)
    scheduler = PlanLR(optimizer, PLAN)
    weights = [0.0]
    for _ in range(STEPS):
        weight.grad = torch.full_like(weight, -1.0)
        optimizer.step()
        scheduler.step()
        weights.append(weight.item())
    applied = [after - before for before, after in itertools.pairwise(weights)]
    assert applied == pytest.approx(planned(PLAN), abs=1e-14)


# PyTorch 2.13 loads a module of its own that uses what PyTorch 2.13 deprecates.
LOADS_TORCH_JIT = pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is:DeprecationWarning")


class Counter:
    """A backend of torch.compile that runs the graph as it is, and counts how often it is asked to."""

    def __init__(self) -> None:
        self.graphs = 0

    def __call__(self, graph: torch.fx.GraphModule, _: Any) -> Any:
        self.graphs += 1
        return graph.forward


@LOADS_TORCH_JIT
@pytest.mark.parametrize("inside", [False, True], ids=["step", "step with the scheduler"])
@pytest.mark.parametrize("optimizer_class", [torch.optim.SGD, torch.optim.Adam])
def test_a_compiled_step_is_compiled_once(optimizer_class: Any, inside: bool) -> None:
    torch.compiler.reset()
    weight = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    capturable = {"capturable": True, **SIGN} if optimizer_class is torch.optim.Adam else {}
    optimizer = optimizer_class([weight], lr=torch.tensor(0.5, dtype=torch.float64), foreach=False, **capturable)
    scheduler = PlanLR(optimizer, PLAN)
    counter = Counter()

    @torch.compile(backend=counter)  # type: ignore[untyped-decorator]
    def step() -> None:
        optimizer.step()
        if inside:
            scheduler.step()

    weights, graphs = [0.0], []
    with torch._dynamo.config.patch(error_on_recompile=True):
        for _ in range(STEPS):
            weight.grad = torch.full_like(weight, -1.0)
            step()
            if not inside:
                scheduler.step()
            weights.append(weight.item())
            graphs.append(counter.graphs)
    applied = [after - before for before, after in itertools.pairwise(weights)]
    assert applied == pytest.approx(planned(PLAN), abs=1e-14)
    assert set(graphs) == {1}


@LOADS_TORCH_JIT
def test_a_compiled_forward_pass_with_the_scheduler_in_it() -> None:
    torch.compiler.reset()
    (probe,), optimizer = probes(torch.tensor(0.5, dtype=torch.float64))
    scheduler = PlanLR(optimizer, PLAN)
    counter = Counter()

    @torch.compile(backend=counter)  # type: ignore[untyped-decorator]
    def double_and_step(x: torch.Tensor) -> torch.Tensor:
        doubled = x * 2
        scheduler.step()
        return doubled + 1

    graphs = []
    with torch._dynamo.config.patch(error_on_recompile=True):
        for step in range(STEPS):
            train([probe], optimizer, None, [step])
            assert double_and_step(torch.ones(2)).tolist() == [3, 3]
            graphs.append(counter.graphs)
    assert probe.rates == planned(PLAN)
    assert set(graphs) == {2}  # before and after the scheduler


def test_loss_scaling() -> None:
    """Steps are batches: after an update that was skipped the next batch has its own rate."""
    (probe,), optimizer = probes(0.5)
    scheduler = PlanLR(optimizer, PLAN)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10, growth_interval=3)
    for step in range(STEPS):
        optimizer.zero_grad()
        scaler.scale(probe(step) * (float("inf") if step == 5 else 1.0)).backward()
        scaler.step(optimizer)
        scaler.update()
        scheduler.step()
    assert probe.rates == [0.0 if step == 5 else PLAN(step) for step in range(STEPS)]


def test_gradient_accumulation() -> None:
    """Two batches an update: the scheduler steps with the optimizer."""
    (probe,), optimizer = probes(0.5)
    scheduler = PlanLR(optimizer, PLAN)
    for batch in range(2 * STEPS):
        (probe(batch // 2) / 2).backward()
        if batch % 2:
            optimizer.step()
            optimizer.zero_grad()
            scheduler.step()
    assert probe.rates == planned(PLAN)


def test_any_step_in_any_order() -> None:
    (probe,), optimizer = probes(0.5)
    scheduler = PlanLR(optimizer, PLAN)
    for step in [7, 0, 11, 3, 3, 2, 1, 10]:
        scheduler.step(step)
        assert scheduler.last_epoch == step
        probe.weight.data[step] = 0.0
        train([probe], optimizer, None, [step])
    assert probe.rates == [PLAN(step) if step in {7, 0, 11, 3, 2, 1, 10} else 0.0 for step in range(STEPS)]


@given(st.lists(st.none() | st.integers(0, 300), max_size=30), st.sampled_from(list(PLANS)), st.booleans())
def test_the_groups_hold_the_rates_of_the_step(calls: list[int | None], name: str, ratios: bool) -> None:
    _, optimizer = probes(0.5, 0.05 if ratios else 0.5, steps=1)
    scheduler, step, plan = PlanLR(optimizer, PLANS[name], watch=False), 0, PLANS[name]
    for call in calls:
        scheduler.step(call)
        step = step + 1 if call is None else call
        wanted = [plan(step), plan(step) * (0.05 / 0.5) if ratios else plan(step)]
        assert [group["lr"] for group in optimizer.param_groups] == wanted == scheduler.get_last_lr()
        assert scheduler.last_epoch == step


def test_setting_last_epoch_shows_in_the_groups_at_the_next_step() -> None:
    """As with torch's schedulers, which ignite relies on."""
    (probe,), optimizer = probes(0.5)
    scheduler = PlanLR(optimizer, PLAN)
    scheduler.last_epoch = 4
    assert (scheduler.last_epoch, scheduler.get_last_lr()) == (4, [PLAN(4)])
    train([probe], optimizer, scheduler, range(4, STEPS))
    assert probe.rates[4:] == [PLAN(0), *planned(PLAN, range(5, STEPS))]


@pytest.mark.parametrize(
    ("step", "error"), [(-2, ks.StepError), (2**63, ks.StepError), (0.5, ks.ArgumentTypeError)], ids=str
)
def test_what_is_no_step_cannot_be_set(step: Any, error: type[Exception]) -> None:
    _, optimizer = probes(0.5)
    scheduler = PlanLR(optimizer, PLAN)
    with pytest.raises(error, match=r"step"):
        scheduler.last_epoch = step
    assert scheduler.last_epoch == 0


def test_the_last_rate_is_that_of_the_next_update() -> None:
    (probe,), optimizer = probes(0.5)
    scheduler = PlanLR(optimizer, PLAN)
    told = []
    for step in range(STEPS):
        told += scheduler.get_last_lr()
        assert scheduler.get_lr() == scheduler.get_last_lr()
        train([probe], optimizer, scheduler, [step])
    assert probe.rates == told


class Watched(torch.optim.SGD):  # type: ignore[misc]
    """Notes what is done to it besides reading its param groups."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        self.touched: list[str] = []
        super().__init__(*arguments, **keywords)
        self.touched.clear()

    def step(self, closure: Any = None) -> Any:
        self.touched.append("step")
        return super().step(closure)

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        self.touched.append(name)


def test_building_neither_steps_nor_patches() -> None:
    probe = Probe(STEPS)
    optimizer = Watched(probe.parameters(), lr=0.5)
    scheduler = PlanLR(optimizer, PLAN)
    assert not optimizer.touched
    assert "step" not in vars(optimizer)
    assert not optimizer.state
    assert probe.rates == [0.0] * STEPS
    assert {name: value for name, value in optimizer.param_groups[0].items() if name.endswith("lr")} == {
        "lr": PLAN(0),
        "initial_lr": 0.5,
    }
    assert scheduler.last_epoch == 0


def test_nothing_but_the_groups_is_read() -> None:
    class Groups(torch.optim.Optimizer):  # type: ignore[misc]
        def __init__(self) -> None:  # it has nothing that an optimizer usually has
            self.param_groups = [{"params": [], "lr": 0.5}]

    optimizer = Groups()
    scheduler = PlanLR(optimizer, PLAN)
    scheduler.step()
    assert optimizer.param_groups == [{"params": [], "lr": PLAN(1), "initial_lr": 0.5}]


def test_a_rate_that_is_made_a_tensor_afterwards_stays_one() -> None:
    (probe, other), optimizer = probes(0.5, 0.5)
    scheduler = PlanLR(optimizer, PLAN)
    train([probe, other], optimizer, scheduler, range(7))
    tensors = [torch.tensor(group["lr"], dtype=torch.float64) for group in optimizer.param_groups]
    for group, tensor in zip(optimizer.param_groups, tensors, strict=True):
        group["lr"] = tensor
    train([probe, other], optimizer, scheduler, range(7, STEPS))
    assert probe.rates == other.rates == planned(PLAN)
    assert [id(group["lr"]) for group in optimizer.param_groups] == [id(tensor) for tensor in tensors]


def test_what_another_hand_wrote_lasts_for_one_update() -> None:
    (probe,), optimizer = probes(0.5)
    scheduler = PlanLR(optimizer, PLAN)
    train([probe], optimizer, scheduler, range(7))
    optimizer.param_groups[0]["lr"] = 7.0
    train([probe], optimizer, scheduler, range(7, STEPS))
    assert probe.rates == [7.0 if step == 7 else PLAN(step) for step in range(STEPS)]


@pytest.mark.parametrize(
    "again", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))], ids=["copy", "pickle"]
)
def test_a_copy_goes_on_by_itself(again: Any) -> None:
    (probe,), optimizer = probes(0.5)
    scheduler = PlanLR(optimizer, PLAN)
    train([probe], optimizer, scheduler, range(4))
    other_probe, other_optimizer, other = again((probe, optimizer, scheduler))
    assert other.optimizer is other_optimizer
    train([other_probe], other_optimizer, other, range(4, STEPS))
    assert (other.last_epoch, other_probe.rates) == (STEPS, planned(PLAN))
    assert (scheduler.last_epoch, probe.rates) == (4, planned(PLAN, range(4)) + [0.0] * (STEPS - 4))
    other_optimizer.load_state_dict(optimizer.state_dict())
    assert other_optimizer.param_groups[0]["lr"] == PLAN(STEPS)


def test_a_copy_keeps_the_ratios_to_a_group_that_was_removed() -> None:
    modules, optimizer = probes(0.5, 0.05)
    scheduler = PlanLR(optimizer, PLAN)
    del optimizer.param_groups[0]
    (_, probe), other_optimizer, other = copy.deepcopy((modules, optimizer, scheduler))
    train([probe], other_optimizer, other, range(STEPS))
    assert probe.rates == planned(PLAN, ratio=0.1)


def test_the_representation_says_what_and_where() -> None:
    _, optimizer = probes(0.5)
    scheduler = PlanLR(optimizer, PLAN)
    scheduler.step(4)
    assert repr(scheduler) == f"PlanLR(SGD, {PLAN!r}, last_epoch=4)"
    assert scheduler.plan is PLAN
    assert scheduler.base_lrs == [0.5]


def test_a_scheduler_that_is_gone_leaves_no_hook_behind() -> None:
    _, optimizer = probes(0.5)
    hooks = optimizer._optimizer_load_state_dict_post_hooks
    for _ in range(100):
        scheduler = PlanLR(optimizer, PLAN)
    gc.collect()
    assert len(hooks) == 1
    del scheduler
    gc.collect()
    assert not hooks


def test_an_optimizer_does_not_keep_its_scheduler_alive() -> None:
    (probe,), optimizer = probes(0.5)
    PlanLR(optimizer, PLAN)
    state = optimizer.state_dict()
    state["param_groups"][0]["lr"] = 7.0
    optimizer.load_state_dict(state)
    train([probe], optimizer, None, [0])
    assert probe.rates[0] == 7.0
