"""A checkpoint goes on along a plan that was made from the plan of its run, and speaks up where the past differs."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import lightning
import pytest
import torch
import transformers

import kosine as ks
from kosine.testing.torch import Probe
from kosine.torch import PlanLR, with_schedule
from tests.support.branches import AT, BRANCHES, EPOCH, OTHER_PASTS
from tests.support.torch_probe import planned, probes, through_a_file
from tests.support.trainer_probe import Counts, Model, samples, settings

MOST = 60  # updates of any of the runs

lightning_filters = [
    "ignore:`isinstance.treespec, LeafSpec.` is deprecated:FutureWarning",
    "ignore:.*does not have many workers:UserWarning",
    "ignore:You're resuming from a checkpoint that ended before the epoch ended:UserWarning",
]


def followed(before: ks.Plan, now: ks.Plan, ratio: float = 1.0) -> list[float]:
    """The rates of a run that was stopped after `AT` steps and went on along another plan."""
    assert now.total_steps is not None
    rates = [*planned(before, range(AT), ratio), *planned(now, range(AT, now.total_steps), ratio)]
    return rates + [0.0] * (MOST - len(rates))


def assert_names_the_first_step(caught: Any, first: int) -> None:
    messages = [str(warning.message) for warning in caught if warning.category is ks.TrainingWarning]
    assert any(f"lr at step {first}, in the past: " in message for message in messages)
    assert any(f"`plan.cooldown(at={AT}, over=...)`" in message for message in messages)
    earlier = f"The two plans are the same before step {first}: go on from a checkpoint of that step or an earlier one."
    assert any(earlier in message for message in messages) == (first > 0)


# PyTorch alone


def loop(plan: ks.Plan, checkpoint: Any = None, stop: int = MOST) -> tuple[list[Probe], dict[str, Any]]:
    """A loop over a DataLoader that resumes within an epoch; two param groups, the second at a tenth."""
    modules, optimizer = probes(0.5, 0.05, steps=MOST)
    scheduler = PlanLR(optimizer, plan)
    if checkpoint is not None:
        for module, weights in zip(modules, checkpoint["modules"], strict=True):
            module.load_state_dict(weights)
        optimizer.load_state_dict(checkpoint["optimizer"])
        scheduler.load_state_dict(checkpoint["scheduler"])
    loader = torch.utils.data.DataLoader(range(EPOCH))
    first = scheduler.last_epoch
    for epoch in range(first // EPOCH, MOST // EPOCH):
        for batch in islice(loader, first % EPOCH if epoch == first // EPOCH else 0, None):
            if scheduler.last_epoch == min(stop, plan.total_steps or MOST):
                break
            optimizer.zero_grad()
            sum(module(epoch * EPOCH + batch) for module in modules).backward()
            optimizer.step()
            scheduler.step()
    states = {"modules": modules, "optimizer": optimizer, "scheduler": scheduler}
    return modules, through_a_file(
        {
            name: [each.state_dict() for each in given] if isinstance(given, list) else given.state_dict()
            for name, given in states.items()
        }
    )


@pytest.mark.parametrize("name", BRANCHES)
def test_a_loop_goes_on_along_a_branch(name: str) -> None:
    parent, branch = BRANCHES[name]
    modules, checkpoint = loop(parent, stop=AT)
    assert modules[0].rates[:AT] == planned(parent, range(AT))
    modules, _ = loop(branch, checkpoint)
    assert [module.rates for module in modules] == [followed(parent, branch), followed(parent, branch, 0.05 / 0.5)]


def test_a_branch_goes_on_along_a_branch_of_its_own() -> None:
    """Stopped in the middle of a cooldown that began in the middle of an epoch."""
    parent, _ = BRANCHES["cooldown"]
    first = parent.extend(total_steps=50, at=AT, how="hold")
    second = first.cooldown(at=25, over=10)
    _, checkpoint = loop(parent, stop=AT)
    _, checkpoint = loop(first, checkpoint, stop=25)
    _, checkpoint = loop(second, checkpoint, stop=28)
    modules, _ = loop(second, checkpoint)
    assert modules[0].rates == planned(second, range(35)) + [0.0] * (MOST - 35)


@pytest.mark.parametrize("name", OTHER_PASTS)
def test_a_loop_with_another_past_names_the_first_step_that_differs_and_the_fix(name: str) -> None:
    parent, other, first = OTHER_PASTS[name]
    _, checkpoint = loop(parent, stop=AT)
    with pytest.warns(ks.TrainingWarning) as caught:
        modules, _ = loop(other, checkpoint)
    assert_names_the_first_step(caught, first)
    assert modules[0].rates == followed(parent, other)


def test_a_checkpoint_from_before_the_branch_is_as_good() -> None:
    parent, other, first = OTHER_PASTS["a branch before the checkpoint"]
    _, checkpoint = loop(parent, stop=first)
    modules, _ = loop(other, checkpoint)
    assert modules[0].rates == planned(other, range(30)) + [0.0] * (MOST - 30)


def test_rates_that_look_the_same_are_shown_with_the_digits_that_differ() -> None:
    before, now = (ks.constant(peak).plan(total_steps=30) for peak in (0.1, 0.1 + 3e-9))
    _, checkpoint = loop(before, stop=AT)
    with pytest.warns(ks.TrainingWarning) as caught:
        loop(now, checkpoint)
    assert "lr at step 0, in the past: 0.1 then, 0.100000003 now" in str(caught[1].message)
    assert_names_the_first_step(caught, 0)


# Hugging Face Trainer


def trainer(folder: Path, plan: ks.Plan, checkpoint: str | None = None, **arguments: Any) -> list[float]:
    model = Model(MOST)
    run = with_schedule(transformers.Trainer, plan)(
        model,
        settings(folder, max_steps=plan.total_steps, **arguments),
        train_dataset=samples(EPOCH),
        callbacks=[Counts],
    )
    run.train(resume_from_checkpoint=checkpoint)
    return model.rates


def test_a_trainer_goes_on_along_branches(tmp_path: Path) -> None:
    for name in ("cooldown", "rewarm"):
        parent, branch = BRANCHES[name]
        trainer(tmp_path / name, parent, save_strategy="steps", save_steps=AT)
        rates = trainer(tmp_path / name, branch, checkpoint=str(tmp_path / name / f"checkpoint-{AT}"))
        assert rates == followed(parent, branch)
    parent, other, first = OTHER_PASTS["a branch before the checkpoint"]
    with pytest.warns(ks.TrainingWarning) as caught:
        rates = trainer(tmp_path, other, checkpoint=str(tmp_path / "cooldown" / f"checkpoint-{AT}"))
    assert_names_the_first_step(caught, first)
    assert rates == followed(parent, other)


# Lightning


class Module(lightning.LightningModule):  # type: ignore[misc]
    def __init__(self, plan: ks.Plan) -> None:
        super().__init__()
        self.probe, self.plan = Probe(MOST), plan

    def training_step(self, batch: torch.Tensor) -> torch.Tensor:
        loss: torch.Tensor = self.probe(self.trainer.global_step)
        return loss

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.SGD(self.parameters(), lr=0.5)
        return [optimizer], [{"scheduler": PlanLR(optimizer, self.plan), "interval": "step"}]


def fit(folder: Path, plan: ks.Plan, steps: int, checkpoint: Path | None = None) -> tuple[list[float], Any]:
    module = Module(plan)
    run = lightning.Trainer(
        max_steps=steps,
        accelerator="cpu",
        default_root_dir=folder,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    run.fit(module, torch.utils.data.DataLoader(torch.zeros(EPOCH)), ckpt_path=checkpoint)
    return module.probe.rates, run


@pytest.mark.filterwarnings(*lightning_filters)
def test_lightning_goes_on_along_branches(tmp_path: Path) -> None:
    checkpoint = tmp_path / "stopped.ckpt"
    for name in ("cooldown", "rewarm"):
        parent, branch = BRANCHES[name]
        _, run = fit(tmp_path, parent, AT)
        run.save_checkpoint(checkpoint)
        rates, _ = fit(tmp_path, branch, branch.total_steps or 0, checkpoint)
        assert rates == followed(parent, branch)
    _, other, _ = OTHER_PASTS["a branch before the checkpoint"]
    with pytest.warns(ks.TrainingWarning) as caught:
        fit(tmp_path, other, other.total_steps or 0, checkpoint)
    assert_names_the_first_step(caught, 0)  # the last checkpoint is that of a run with stairs


# Long runs


def test_the_past_of_a_long_run_is_compared_by_its_phases() -> None:
    """A run of 10**9 steps: step by step it would take minutes."""
    parent = ks.wsd(peak=0.1, warmup=2_000, cooldown="20%").plan(total_steps=10**9)
    branch = parent.cooldown(at=6 * 10**8, over=10**8)
    _, optimizer = probes(0.1)
    scheduler = PlanLR(optimizer, branch)
    state = {**PlanLR(optimizer, parent).state_dict(), "last_epoch": 6 * 10**8}
    scheduler.load_state_dict(state)  # silent
    with pytest.warns(ks.TrainingWarning) as caught:
        scheduler.load_state_dict({**state, "last_epoch": 7 * 10**8})
    assert "lr at step 600000001, in the past: 0.1 then, 0.09999 now" in str(caught[1].message)
