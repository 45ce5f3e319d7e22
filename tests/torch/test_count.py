"""A scheduler that counts tokens or samples: each update applies the plan's rate at the count so far."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path
from typing import Any

import accelerate
import lightning
import numpy as np
import pytest
import torch
import transformers

import kosine as ks
from kosine.testing.torch import Probe
from kosine.torch import CycleEnds, PlanLR, with_schedule
from tests.support.torch_probe import probes, through_a_file
from tests.support.trainer_probe import Counts, Model, samples, settings

TOKENS = [480, 512, 0, 37, 512, 1, 505, 470, 300, 183]
TOTAL = sum(TOKENS)
PLACES = [0, *accumulate(TOKENS)]  # the count before each update, and after the last
LR = ks.warmup_cosine(peak=0.1, warmup="1000tok", warmup_start=0.01)
PLAN = LR.plan(total_steps=TOTAL, tokens_per_step=1)


def built(optimizer: Any, plan: Any = PLAN, **arguments: Any) -> PlanLR:
    return PlanLR(optimizer, plan, count="tokens", **arguments)


def train(modules: Any, optimizer: Any, scheduler: PlanLR, updates: range) -> None:
    for update in updates:
        optimizer.zero_grad()
        sum(module(update) for module in modules).backward()
        optimizer.step()
        scheduler.step(tokens=TOKENS[update])


def rates(plan: ks.Plan = PLAN, ratio: float = 1.0) -> list[float]:
    return [plan(place) * ratio for place in PLACES[:-1]]


@pytest.mark.parametrize("kind", [float, lambda rate: torch.tensor(rate, dtype=torch.float64)], ids=["float", "tensor"])
def test_each_update_applies_the_rate_at_the_tokens_so_far(kind: Callable[[float], Any]) -> None:
    modules, optimizer = probes(kind(0.5), kind(0.05), steps=len(TOKENS))
    scheduler = built(optimizer)
    train(modules, optimizer, scheduler, range(len(TOKENS)))
    assert [module.rates for module in modules] == [rates(), rates(ratio=0.05 / 0.5)]
    assert scheduler.last_epoch == TOTAL


SCHEDULES: dict[str, Callable[[Any], PlanLR]] = {
    "a schedule": lambda optimizer: PlanLR(optimizer, LR, TOTAL, count="tokens"),
    "a text": lambda optimizer: PlanLR(
        optimizer, "warmup_cosine(peak=0.1, warmup=1000, warmup_start=0.01)", TOTAL, count="tokens"
    ),
    "for each group": lambda optimizer: PlanLR(optimizer, [LR], TOTAL, count="tokens", tokens_per_step=1),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_step_of_a_schedule_is_a_token(name: str) -> None:
    modules, optimizer = probes(0.5, steps=len(TOKENS))
    train(modules, optimizer, SCHEDULES[name](optimizer), range(len(TOKENS)))
    assert modules[0].rates == rates()


def test_samples_and_other_numbers_of_the_groups() -> None:
    """Momentum at first and then none: after it has fallen to 0 an update is the rate alone."""
    modules, optimizer = probes(0.1, steps=4)
    momentum = ks.Schedule(ks.hold("64sp", start=0.5), ks.hold(start=0.0))
    scheduler = PlanLR(optimizer, "constant(0.1)", 100, count="samples", momentum=momentum, lint=False)
    seen = [optimizer.param_groups[0]["momentum"]]
    for update in range(4):
        optimizer.zero_grad()
        modules[0](update).backward()
        optimizer.step()
        scheduler.step(samples=np.int64(20))  # type: ignore[arg-type]  # an integer of NumPy
        seen.append(optimizer.param_groups[0]["momentum"])
    assert seen == [0.5, 0.5, 0.5, 0.5, 0.0]
    assert modules[0].rates == pytest.approx([0.1 * 1.875, 0.1 * 1.75, 0.1 * 1.5, 0.1], rel=1e-12)


@pytest.mark.parametrize("stop", [1, 3, 5, 10])
def test_a_run_goes_on_exactly_where_it_stopped(stop: int) -> None:
    modules, optimizer = probes(0.5, steps=len(TOKENS))
    scheduler = built(optimizer)
    train(modules, optimizer, scheduler, range(stop))
    state = through_a_file([modules[0].state_dict(), optimizer.state_dict(), scheduler.state_dict()])
    modules, optimizer = probes(0.5, steps=len(TOKENS))
    scheduler = built(optimizer)
    for each, saved in zip((modules[0], optimizer, scheduler), state, strict=True):
        each.load_state_dict(saved)
    assert scheduler.last_epoch == PLACES[stop]
    train(modules, optimizer, scheduler, range(stop, len(TOKENS)))
    assert modules[0].rates == rates()


def test_a_run_goes_on_along_a_branch() -> None:
    branch = PLAN.cooldown(at=1100, over=900)
    modules, optimizer = probes(0.5, steps=len(TOKENS))
    scheduler = built(optimizer)
    train(modules, optimizer, scheduler, range(4))
    state, weights = through_a_file([scheduler.state_dict(), modules[0].state_dict()])
    modules, optimizer = probes(0.5, steps=len(TOKENS))
    modules[0].load_state_dict(weights)
    scheduler = built(optimizer, branch)
    scheduler.load_state_dict(state)
    train(modules, optimizer, scheduler, range(4, 6))
    assert modules[0].rates[:6] == rates(branch)[:6]


@pytest.mark.parametrize("how", [copy.deepcopy, lambda given: pickle.loads(pickle.dumps(given))])
def test_copies_count_on(how: Callable[[Any], Any]) -> None:
    _, optimizer = probes(0.5)
    scheduler = built(optimizer)
    scheduler.step(tokens=300)
    again = how(scheduler)
    again.step(tokens=torch.tensor(200))
    assert (scheduler.last_epoch, again.last_epoch) == (300, 500)
    assert again.get_last_lr() == [PLAN(500)]
    assert repr(again).endswith(", tokens_per_step=1), count='tokens', last_epoch=500)")


def test_a_place_is_set_in_two_lines() -> None:
    _, optimizer = probes(0.5)
    scheduler = built(optimizer)
    scheduler.last_epoch = 1234
    scheduler.step(tokens=0)
    assert optimizer.param_groups[0]["lr"] == PLAN(1234)


CYCLES = ks.sgdr(peak=0.1, period=100).plan(total_steps=300, tokens_per_step=1)


def test_a_cycle_ends_with_one_of_the_tokens_of_an_update(tmp_path: Path) -> None:
    modules, optimizer = probes(0.1)
    scheduler = built(optimizer, CYCLES)
    ends = CycleEnds(modules[0], scheduler, tmp_path / "cycle-{cycle}.pt")
    ended, saved = [], []
    for tokens in (60, 39, 1, 0, 99, 70, 60):  # 60, 99, 100, 100, 199, 269, 329
        optimizer.step()
        scheduler.step(tokens=tokens)
        ended.append(scheduler.cycle_ended)
        saved.append(ends.step())
    assert ended == saved == [False, False, True, False, False, True, True]
    assert [row.step for row in ends.cycles] == [99, 199, 299]


@pytest.mark.parametrize("last", [0, 31])
def test_the_last_update_may_go_beyond_the_end_and_another_is_reported(last: int) -> None:
    _, optimizer = probes(0.1)
    scheduler = built(optimizer, CYCLES)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for tokens in (200, 100 + last):
            optimizer.step()
            scheduler.step(tokens=tokens)
        built(optimizer, CYCLES, watch=True).load_state_dict(scheduler.state_dict())
    with pytest.warns(ks.TrainingWarning, match=r"ended at token 300, .* token 3[13].* all tokens of the run"):
        scheduler.step(tokens=10 if not last else 1)


def test_another_hand_at_every_update_is_reported() -> None:
    _, optimizer = probes(0.1)
    scheduler = built(optimizer)
    optimizer.param_groups[0]["lr"] = 0.07
    scheduler.step(tokens=10)  # once is nothing
    optimizer.param_groups[0]["lr"] = 0.07
    with pytest.warns(ks.TrainingWarning, match="Something else sets the learning rate"):
        scheduler.step(tokens=20)


def scheduler_of_tokens() -> PlanLR:
    return built(probes(0.5)[1])


def scheduler_of_steps() -> PlanLR:
    return PlanLR(probes(0.5)[1], "constant(0.5)", 10)


MISTAKES: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "no number": (lambda: scheduler_of_tokens().step(), ks.TrainingError, r"counts tokens.*Call `scheduler.step\(tok"),
    "a bare number": (lambda: scheduler_of_tokens().step(512), ks.TrainingError, r"whether `step\(n\)` goes to n"),
    "samples": (lambda: scheduler_of_tokens().step(samples=4), ks.TrainingError, "counts tokens.*samples=4"),
    "both": (lambda: scheduler_of_tokens().step(tokens=4, samples=4), ks.TrainingError, "tokens=4, samples=4"),
    "below 0": (lambda: scheduler_of_tokens().step(tokens=-1), ks.ArgumentError, "`tokens` must be an integer >= 0"),
    "a fraction": (lambda: scheduler_of_tokens().step(tokens=2.5), ks.ArgumentTypeError, "`tokens` must be an integer"),  # type: ignore[arg-type]
    "a scheduler of steps": (
        lambda: scheduler_of_steps().step(tokens=512),
        ks.TrainingError,
        r'counts updates.*PlanLR\(..., count="tokens"\)',
    ),
    "a plan of steps": (
        lambda: built(probes(0.5)[1], ks.constant(0.5).plan(total_steps=10)),
        ks.PlanError,
        r"`schedule.plan\(total_steps=..., tokens_per_step=1\)`",
    ),
    "larger steps": (
        lambda: built(probes(0.5)[1], "constant(0.5)", total_steps=10, tokens_per_step=8),
        ks.PlanError,
        "a step of the plan is one of the tokens",
    ),
    "another word": (
        lambda: PlanLR(probes(0.5)[1], PLAN, count="words"),  # type: ignore[arg-type]
        ks.ArgumentError,
        '`count` must be "steps", "tokens" or "samples"',
    ),
    "a state of steps": (
        lambda: scheduler_of_tokens().load_state_dict(scheduler_of_steps().state_dict()),
        ks.TrainingError,
        "The state counts steps, and this PlanLR counts tokens",
    ),
    "a state of tokens": (
        lambda: scheduler_of_steps().load_state_dict(scheduler_of_tokens().state_dict()),
        ks.TrainingError,
        "The state counts tokens, and this PlanLR counts steps.*count='tokens'",
    ),
    "a Trainer": (
        lambda: with_schedule(transformers.Trainer, LR, count="tokens"),
        ks.TrainingError,
        "A Trainer steps its scheduler without a number.*the mean `tokens_per_step`",
    ),
}


@pytest.mark.parametrize(("call", "kind", "pattern"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes(call: Callable[[], Any], kind: type[Exception], pattern: str) -> None:
    with pytest.raises(kind, match=pattern):
        call()


def test_a_refused_step_changes_nothing() -> None:
    scheduler = scheduler_of_tokens()
    scheduler.step(tokens=300)
    with pytest.raises(ks.TrainingError):
        scheduler.step()
    assert scheduler.last_epoch == 300
    assert scheduler.optimizer.param_groups[0]["lr"] == PLAN(300)


def test_a_trainer_that_steps_by_itself_gets_the_error(tmp_path: Path) -> None:
    model = Model(4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    run = transformers.Trainer(
        model,
        settings(tmp_path, max_steps=4),
        train_dataset=samples(4),
        callbacks=[Counts],
        optimizers=(optimizer, built(optimizer)),
    )
    with pytest.raises(ks.TrainingError, match="Trainers that call `step\\(\\)` themselves"):
        run.train()


@pytest.mark.usefixtures("fresh_accelerate")
def test_accelerate_passes_the_number_on_and_needs_one() -> None:
    modules, optimizer = probes(0.5, steps=len(TOKENS))
    accelerator = accelerate.Accelerator(cpu=True)
    module, driven, scheduler = accelerator.prepare(modules[0], optimizer, built(optimizer))
    module(0).backward()
    driven.step()
    with pytest.raises(ks.TrainingError, match="accelerate"):
        scheduler.step()
    scheduler.step(tokens=TOKENS[0])
    assert optimizer.param_groups[0]["lr"] == PLAN(TOKENS[0])


class Module(lightning.LightningModule):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.probe = Probe(len(TOKENS))

    def training_step(self, batch: torch.Tensor) -> torch.Tensor:
        loss: torch.Tensor = self.probe(batch)
        return loss

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.SGD(self.parameters(), lr=0.5)
        return [optimizer], [{"scheduler": built(optimizer), "interval": "step"}]


class CountingModule(Module):
    def lr_scheduler_step(self, scheduler: PlanLR, metric: Any) -> None:
        scheduler.step(tokens=TOKENS[self.global_step - 1])


@pytest.mark.filterwarnings(
    "ignore:`isinstance.treespec, LeafSpec.` is deprecated:FutureWarning",
    "ignore:.*does not have many workers:UserWarning",
)
@pytest.mark.parametrize("kind", [Module, CountingModule])
def test_a_module_of_lightning_says_the_tokens(kind: type[Module], tmp_path: Path) -> None:
    module = kind()
    run = lightning.Trainer(
        max_epochs=1,
        accelerator="cpu",
        default_root_dir=tmp_path,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    data = torch.utils.data.DataLoader(torch.arange(len(TOKENS)))
    if kind is CountingModule:
        run.fit(module, data)
        assert module.probe.rates == rates()
    else:
        with pytest.raises(ks.TrainingError, match="Lightning"):
            run.fit(module, data)
