"""Train with Hugging Face's Trainer along a kosine schedule, and check the run from the log that Trainer writes.

What it shows: a Trainer that plans the schedule for the number of updates that it counted itself, so that gradient
accumulation, several devices and `max_steps` are right; a check of `trainer_state.json` afterwards.

    pip install '.[torch]' 'transformers[torch]'
    python examples/huggingface_trainer.py
"""

import tempfile
from pathlib import Path
from typing import Any

import torch
from transformers import PrinterCallback, Trainer, TrainingArguments

import kosine as ks


class ScheduledTrainer(Trainer):
    """A Trainer that takes a schedule."""

    def __init__(self, *args: Any, schedule: ks.Schedule, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.schedule = schedule

    def create_scheduler(self, num_training_steps: int, optimizer: torch.optim.Optimizer | None = None) -> Any:
        if self.lr_scheduler is None:
            plan = self.schedule.plan(total_steps=num_training_steps)
            self.lr_scheduler = ks.torch.PlanLR(optimizer or self.optimizer, plan)
        return self.lr_scheduler


class Line(torch.nn.Linear):
    def forward(self, x: torch.Tensor, y: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"loss": torch.nn.functional.mse_loss(super().forward(x), y)}


data = [{"x": torch.tensor([i / 256]), "y": torch.tensor([3 * i / 256])} for i in range(256)]
lr = ks.warmup_cosine(peak=0.1, warmup="10%", warmup_start=1e-3)
with tempfile.TemporaryDirectory() as folder:
    settings = TrainingArguments(
        output_dir=folder,
        num_train_epochs=5,
        per_device_train_batch_size=8,
        gradient_accumulation_steps=4,  # a step is an update: 8 an epoch here
        logging_steps=1,
        save_strategy="no",
        disable_tqdm=True,
        use_cpu=True,
    )
    trainer = ScheduledTrainer(Line(1, 1), settings, train_dataset=data, schedule=lr)
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    trainer.save_state()
    log = ks.read_trace(Path(folder, "trainer_state.json"))
plan = trainer.lr_scheduler.plan
print(plan)
print("rates in the log:", [round(rate, 5) for rate in log.rates[::8].tolist()])
print(ks.check(log, plan).sentence)
