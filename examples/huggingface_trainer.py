"""Train with Hugging Face's Trainer along a kosine schedule, and check the run from the log that Trainer writes.

What it shows: `with_schedule` plans the schedule for the number of updates that the Trainer counts itself, so that
gradient accumulation, several devices and `max_steps` are right; a check of `trainer_state.json` afterwards.

    pip install '.[torch]' 'transformers[torch]'
    python examples/huggingface_trainer.py
"""

import tempfile
from pathlib import Path

import torch
from transformers import PrinterCallback, Trainer, TrainingArguments

import kosine as ks


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
    trainer = ks.torch.with_schedule(Trainer, lr)(Line(1, 1), settings, train_dataset=data)
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    trainer.save_state()
    log = ks.read_trace(Path(folder, "trainer_state.json"))
plan = trainer.lr_scheduler.plan
print(plan)
print("rates in the log:", [round(rate, 5) for rate in log.rates[::8].tolist()])
print(ks.check(log, plan).sentence)
