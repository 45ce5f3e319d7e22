"""Train a Lightning module along a kosine schedule, and check the run from the CSV file of Lightning's logger.

What it shows: `estimated_stepping_batches` as the length of the run; `"interval": "step"`, without which Lightning
moves a scheduler once an epoch only; `LearningRateMonitor` writes the rates, `ks.check` compares them with the plan.

    pip install '.[torch]' lightning
    python examples/lightning_module.py
"""

import tempfile
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import LearningRateMonitor
from lightning.pytorch.loggers import CSVLogger

import kosine as ks


class Line(lightning.LightningModule):
    def __init__(self, lr: ks.Schedule) -> None:
        super().__init__()
        self.lr = lr
        self.layer = torch.nn.Linear(1, 1)

    def training_step(self, batch: torch.Tensor, index: int) -> torch.Tensor:
        return torch.nn.functional.mse_loss(self.layer(batch), 3 * batch)

    def configure_optimizers(self) -> dict[str, Any]:
        optimizer = torch.optim.AdamW(self.parameters())
        plan = self.lr.plan(total_steps=int(self.trainer.estimated_stepping_batches))
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": ks.torch.PlanLR(optimizer, plan), "interval": "step"},
        }


lr = ks.warmup_cosine(peak=0.1, warmup="10%", warmup_start=1e-3)
loader = torch.utils.data.DataLoader(torch.linspace(-1, 1, 256).reshape(-1, 1), batch_size=8)
with tempfile.TemporaryDirectory() as folder:
    trainer = lightning.Trainer(
        max_epochs=5,
        accumulate_grad_batches=4,  # a step is an update: 8 an epoch here
        log_every_n_steps=1,
        logger=CSVLogger(folder),
        callbacks=[LearningRateMonitor(logging_interval="step")],
        accelerator="cpu",
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(Line(lr), loader)
    log = ks.read_trace(Path(trainer.logger.log_dir, "metrics.csv"))
plan = trainer.lr_scheduler_configs[0].scheduler.plan
print(plan)
print("rates in the log:", [round(rate, 5) for rate in log.rates[::8].tolist()])
print(ks.check(log, plan).sentence)
