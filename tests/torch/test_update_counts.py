"""The updates that `plan` works out of data and batches are those that the libraries themselves count and make."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import lightning
import pytest
import torch
import transformers
from accelerate.data_loader import BatchSamplerShard
from torch.utils.data import BatchSampler, DataLoader, DistributedSampler

import kosine as ks
from tests.support.trainer_probe import BATCH, Model, settings

LR = ks.constant(0.1)
NUMBERS = random.Random(17)
RUNS = [
    {
        "dataset_size": NUMBERS.randint(64, 400),
        "batch_size": NUMBERS.randint(1, 8),
        "devices": NUMBERS.randint(1, 8),
        "accumulate": NUMBERS.randint(1, 6),
    }
    for _ in range(100)
]


def updates(drop_last: bool = False, **run: int) -> int:
    """The updates of an epoch."""
    return LR.plan(epochs=1, **run, drop_last=drop_last).total_steps or 0


def of_batches(batches: int, accumulate: int) -> int:
    return math.ceil(batches / accumulate)


@pytest.mark.parametrize("drop_last", [False, True])
def test_a_data_loader_and_a_distributed_sampler(drop_last: bool) -> None:
    for run in RUNS:
        data, batch, devices = range(run["dataset_size"]), run["batch_size"], run["devices"]
        alone: Any = DataLoader(data, batch, drop_last=drop_last)
        one = {**run, "devices": 1}
        assert updates(drop_last, **one) == of_batches(len(alone), run["accumulate"])
        for rank in (0, devices - 1):
            sampler: Any = DistributedSampler(data, devices, rank, drop_last=drop_last)
            shared: Any = DataLoader(data, batch, sampler=sampler, drop_last=drop_last)
            assert updates(drop_last, **run) == of_batches(len(shared), run["accumulate"])


def test_a_sampler_that_pads_may_fill_one_batch_more_before_the_loader_drops_it() -> None:
    """The exception that the guide names: `len(loader)` is what such a loop makes."""
    sampler: Any = DistributedSampler(range(23), 2, 0)  # 12 on each device, one of them twice
    assert len(DataLoader(range(23), 4, sampler=sampler, drop_last=True)) == 3
    assert updates(True, dataset_size=23, batch_size=4, devices=2) == 2


@pytest.mark.parametrize("drop_last", [False, True])
def test_the_processes_of_accelerate(drop_last: bool) -> None:
    for run in RUNS:
        batches = BatchSampler(range(run["dataset_size"]), run["batch_size"], drop_last)
        for process in (0, run["devices"] - 1):
            shard = BatchSamplerShard(batches, run["devices"], process)
            assert len(shard) == len(list(shard))
            assert updates(drop_last, **run) == of_batches(len(shard), run["accumulate"])


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize(("size", "accumulate"), [(20, 4), (21, 4), (23, 3), (2, 8)])
def test_a_trainer(size: int, accumulate: int, drop_last: bool, tmp_path: Path) -> None:
    data = [{"index": torch.tensor(0)}] * size
    arguments = settings(
        tmp_path, num_train_epochs=2, gradient_accumulation_steps=accumulate, dataloader_drop_last=drop_last
    )
    trainer = transformers.Trainer(Model(64), arguments, train_dataset=data)
    trainer.train()
    plan = LR.plan(epochs=2, dataset_size=size, batch_size=BATCH, accumulate=accumulate, drop_last=drop_last)
    assert plan.total_steps == trainer.state.global_step == trainer.state.max_steps
    assert plan.run.samples_per_step == BATCH * accumulate


class Line(lightning.LightningModule):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def training_step(self, batch: Any, index: int) -> Any:
        return self.layer(batch).square().mean()

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), 0.1)


@pytest.mark.filterwarnings("ignore:.*does not have many workers:UserWarning")
@pytest.mark.filterwarnings("ignore:`isinstance.treespec, LeafSpec.` is deprecated:FutureWarning")
@pytest.mark.parametrize("drop_last", [False, True])
def test_lightning(drop_last: bool, tmp_path: Path) -> None:
    quiet = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
    trainer = lightning.Trainer(
        max_epochs=2, accumulate_grad_batches=4, accelerator="cpu", default_root_dir=tmp_path, **quiet
    )
    trainer.fit(Line(), DataLoader(torch.zeros(19, 1), batch_size=2, drop_last=drop_last))
    plan = LR.plan(epochs=2, dataset_size=19, batch_size=2, accumulate=4, drop_last=drop_last)
    assert plan.total_steps == trainer.global_step == trainer.estimated_stepping_batches
