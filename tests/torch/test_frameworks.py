"""Hugging Face Trainer, Lightning and accelerate take a PlanLR for the scheduler that it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import accelerate
import lightning
import pytest
import torch
import transformers

import kosine as ks
from kosine.testing.torch import Probe
from kosine.torch._scheduler import PlanLR
from tests.support.torch_probe import LR, PLAN, STEPS, planned

BATCH = 2
SAMPLES = torch.arange(STEPS).repeat_interleave(BATCH)  # every sample of a batch says which step it is


class ProbeWithLoss(Probe):
    """The output that Trainer expects."""

    def forward(self, step: Any) -> Any:
        return {"loss": super().forward(step)}


def trainer(folder: Path, plan: ks.Plan = PLAN, **arguments: Any) -> tuple[Probe, transformers.Trainer]:
    model = ProbeWithLoss(STEPS)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    settings = transformers.TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=1,
        per_device_train_batch_size=BATCH,
        train_sampling_strategy="sequential",
        max_grad_norm=0.0,  # the gradients are to stay what they are
        logging_steps=1,
        save_steps=5,
        use_cpu=True,
        dataloader_pin_memory=False,
        report_to="none",
        disable_tqdm=True,
        **arguments,
    )
    data = [{"step": step} for step in SAMPLES]
    return model, transformers.Trainer(
        model, settings, train_dataset=data, optimizers=(optimizer, PlanLR(optimizer, plan))
    )


def test_trainer(tmp_path: Path) -> None:
    model, run = trainer(tmp_path)
    run.train()
    assert model.rates == planned(PLAN)
    logged = [entry["learning_rate"] for entry in run.state.log_history if "learning_rate" in entry]
    assert logged == planned(PLAN)


def test_trainer_goes_on_from_a_checkpoint(tmp_path: Path) -> None:
    _, run = trainer(tmp_path)
    run.train()
    model, run = trainer(tmp_path)
    run.train(resume_from_checkpoint=str(tmp_path / "checkpoint-5"))
    assert model.rates == planned(PLAN)
    assert run.lr_scheduler is not None
    assert run.lr_scheduler.last_epoch == STEPS


def test_trainer_goes_on_along_a_longer_plan(tmp_path: Path) -> None:
    _, run = trainer(tmp_path)
    run.train()
    longer = LR.plan(total_steps=2 * STEPS)
    model, run = trainer(tmp_path, longer)
    run.train(resume_from_checkpoint=str(tmp_path / "checkpoint-5"))  # both plans are the same up to there
    assert model.rates == [*planned(PLAN, range(5)), *planned(longer, range(5, STEPS))]
    model, run = trainer(tmp_path, longer)
    run.args.save_strategy = "no"
    _, first = trainer(tmp_path)
    first.train()
    with pytest.warns(ks.TrainingWarning) as caught:
        run.train(resume_from_checkpoint=str(tmp_path / "checkpoint-10"))
    assert f"lr at step 10: {PLAN(10):.6g} then, {longer(10):.6g} now" in str(caught[1].message)
    assert model.rates == [*planned(PLAN, range(10)), *planned(longer, range(10, STEPS))]


def test_trainer_accumulates_gradients(tmp_path: Path) -> None:
    model, run = trainer(tmp_path, gradient_accumulation_steps=2)
    run.train()
    applied = [2 * rate for rate in model.rates]  # half of an update's gradient is that of each of its batches
    assert applied == [PLAN(batch // 2) for batch in range(STEPS)]


class Module(lightning.LightningModule):  # type: ignore[misc]
    def __init__(self, plan: ks.Plan) -> None:
        super().__init__()
        self.probe, self.plan, self.interval = Probe(STEPS), plan, "step"

    def training_step(self, batch: torch.Tensor) -> torch.Tensor:
        loss: torch.Tensor = self.probe(self.trainer.global_step)  # it goes on with the epoch's first batch
        return loss

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.SGD(self.parameters(), lr=0.5)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": PlanLR(optimizer, self.plan), "interval": self.interval},
        }


def fit(
    folder: Path, plan: ks.Plan = PLAN, checkpoint: Path | None = None, steps: int = STEPS, **arguments: Any
) -> tuple[list[float], lightning.Trainer]:
    module = Module(plan)
    run = lightning.Trainer(
        max_steps=steps,
        accelerator="cpu",
        default_root_dir=folder,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **arguments,
    )
    data = torch.utils.data.DataLoader(SAMPLES, batch_size=BATCH)
    run.fit(module, data, ckpt_path=checkpoint)
    return module.probe.rates, run


# Lightning 2.6 uses what PyTorch 2.13 deprecates; it warns of data loaders without workers where there are many cores,
# and of a checkpoint within an epoch, which this data resumes from as it should.
lightning_filters = [
    "ignore:`isinstance.treespec, LeafSpec.` is deprecated:FutureWarning",
    "ignore:.*does not have many workers:UserWarning",
    "ignore:You're resuming from a checkpoint that ended before the epoch ended:UserWarning",
]


@pytest.mark.filterwarnings(*lightning_filters)
def test_lightning(tmp_path: Path) -> None:
    rates, _ = fit(tmp_path)
    assert rates == planned(PLAN)


@pytest.mark.filterwarnings(*lightning_filters)
def test_lightning_goes_on_from_a_checkpoint(tmp_path: Path) -> None:
    _, run = fit(tmp_path, steps=5)
    run.save_checkpoint(tmp_path / "stopped.ckpt")
    rates, run = fit(tmp_path, checkpoint=tmp_path / "stopped.ckpt")
    assert rates == planned(PLAN)
    longer = LR.plan(total_steps=2 * STEPS)
    rates, _ = fit(tmp_path, longer, checkpoint=tmp_path / "stopped.ckpt")
    assert rates == [*planned(PLAN, range(5)), *planned(longer, range(5, STEPS))]
    lower = ks.constant(0.05).plan(total_steps=STEPS)
    with pytest.warns(ks.TrainingWarning) as caught:
        rates, _ = fit(tmp_path, lower, checkpoint=tmp_path / "stopped.ckpt")
    assert any("lr at step 5: 0.1 then, 0.05 now" in str(warning.message) for warning in caught)
    assert rates == [*planned(PLAN, range(5)), *[0.05] * (STEPS - 5)]


@pytest.mark.filterwarnings(*lightning_filters)
def test_lightning_accumulates_gradients(tmp_path: Path) -> None:
    rates, _ = fit(tmp_path, accumulate_grad_batches=2, steps=STEPS // 2)
    assert rates == planned(PLAN, range(STEPS // 2)) + [0.0] * (STEPS // 2)


@pytest.mark.filterwarnings(*lightning_filters)
def test_lightning_steps_once_an_epoch_unless_it_is_told(tmp_path: Path) -> None:
    module = Module(PLAN)
    module.interval = "epoch"
    run = lightning.Trainer(
        max_epochs=3,
        limit_train_batches=4,
        accelerator="cpu",
        default_root_dir=tmp_path,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    with pytest.warns(ks.TrainingWarning, match="once in 4 updates, .* its 12 steps take 48 updates") as caught:
        run.fit(module, torch.utils.data.DataLoader(SAMPLES, batch_size=BATCH))
    assert [warning.category for warning in caught].count(ks.TrainingWarning) == 1
    assert module.probe.rates == [PLAN(step // 4) for step in range(STEPS)]


@pytest.mark.usefixtures("fresh_accelerate")
@pytest.mark.parametrize("build", ["before", "after"])
@pytest.mark.parametrize("rate", [0.5, torch.tensor(0.5, dtype=torch.float64)], ids=["float", "tensor"])
def test_accelerate(tmp_path: Path, build: str, rate: Any) -> None:
    def prepared() -> tuple[Probe, Any, Any, Any]:
        accelerator = accelerate.Accelerator(cpu=True)
        probe = Probe(STEPS)
        plain = torch.optim.SGD(
            probe.parameters(), lr=rate.clone() if isinstance(rate, torch.Tensor) else rate, foreach=False
        )
        if build == "before":
            return probe, accelerator, *accelerator.prepare(plain, PlanLR(plain, PLAN))
        optimizer = accelerator.prepare(plain)
        return probe, accelerator, optimizer, accelerator.prepare(PlanLR(optimizer, PLAN))

    def train(probe: Probe, accelerator: Any, optimizer: Any, scheduler: Any, steps: range) -> None:
        assert type(scheduler) is accelerate.scheduler.AcceleratedScheduler
        for step in steps:
            optimizer.zero_grad()
            accelerator.backward(probe(step))
            optimizer.step()
            scheduler.step()

    probe, accelerator, optimizer, scheduler = prepared()
    train(probe, accelerator, optimizer, scheduler, range(5))
    accelerator.save_state(str(tmp_path), safe_serialization=False)
    weights = probe.state_dict()

    probe, accelerator, optimizer, scheduler = prepared()
    accelerator.load_state(str(tmp_path))
    assert scheduler.scheduler.last_epoch == 5
    probe.load_state_dict(weights)
    optimizer.load_state_dict(optimizer.state_dict())
    train(probe, accelerator, optimizer, scheduler, range(5, STEPS))
    assert probe.rates == planned(PLAN)


@pytest.mark.usefixtures("fresh_accelerate")
@pytest.mark.parametrize("adjust", [False, True])
def test_accelerate_accumulates_gradients(adjust: bool) -> None:
    accelerator = accelerate.Accelerator(cpu=True, gradient_accumulation_steps=2)
    accelerator.gradient_state.plugin_kwargs["adjust_scheduler"] = adjust
    probe = Probe(STEPS)
    plain = torch.optim.SGD(probe.parameters(), lr=0.5)
    optimizer, scheduler = accelerator.prepare(plain, PlanLR(plain, PLAN))
    for batch in range(STEPS):
        with accelerator.accumulate(probe):
            accelerator.backward(probe(batch))
            optimizer.step()
            scheduler.step()
            optimizer.zero_grad()
    assert [2 * rate for rate in probe.rates] == [PLAN(batch // 2) for batch in range(STEPS)]
