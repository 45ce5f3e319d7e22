"""A probe that a Hugging Face Trainer can train, and what the Trainer needs for that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers

from kosine.testing.torch import Probe

BATCH = 2


class Model(Probe):
    """A probe whose loss is that of the update that the Trainer is at."""

    step = 0

    def forward(self, index: Any) -> Any:
        return {"loss": super().forward(torch.full_like(index, self.step))}


class Counts(transformers.TrainerCallback):  # type: ignore[misc]  # the types of transformers are not read
    def on_step_begin(self, args: Any, state: Any, control: Any, model: Any = None, **others: Any) -> None:
        model.step = state.global_step


def settings(folder: Path, **arguments: Any) -> transformers.TrainingArguments:
    return transformers.Seq2SeqTrainingArguments(
        **{
            "output_dir": str(folder),
            "per_device_train_batch_size": BATCH,
            "optim": "sgd",
            "max_grad_norm": 0.0,  # the gradients are to stay what they are
            "save_strategy": "no",
            "use_cpu": True,
            "dataloader_pin_memory": False,
            "report_to": "none",
            "disable_tqdm": True,
            **arguments,
        }
    )


def samples(batches: int) -> list[dict[str, torch.Tensor]]:
    """The data of so many batches."""
    return [{"index": torch.tensor(0)}] * (BATCH * batches)
