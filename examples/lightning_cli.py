"""Train a Lightning module from a YAML file by LightningCLI, with the schedule as a text in the file.

What it shows: the schedule is an argument of the module, a text; the module plans it for the number of updates that
Lightning counts; the command line can replace it: `--model.lr "wsd(peak=0.1, warmup=4)"`.

    pip install '.[torch]' 'lightning[pytorch-extra]'
    python examples/lightning_cli.py fit --config examples/lightning_cli.yaml
"""

from typing import Any

import torch
from lightning import LightningModule
from lightning.pytorch.cli import LightningCLI

import kosine as ks


class Line(LightningModule):
    def __init__(self, lr: str) -> None:
        super().__init__()
        self.lr = lr
        self.layer = torch.nn.Linear(1, 1)
        self.used: list[float] = []

    def train_dataloader(self) -> Any:
        return torch.utils.data.DataLoader(torch.linspace(-1, 1, 256).reshape(-1, 1), batch_size=8)

    def training_step(self, batch: torch.Tensor, index: int) -> torch.Tensor:
        return torch.nn.functional.mse_loss(self.layer(batch), 3 * batch)

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        self.used.append(optimizer.param_groups[0]["lr"])

    def configure_optimizers(self) -> dict[str, Any]:
        optimizer = torch.optim.AdamW(self.parameters())
        updates = int(self.trainer.estimated_stepping_batches)
        scheduler = ks.torch.PlanLR(optimizer, self.lr, total_steps=updates)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}


cli = LightningCLI(Line, save_config_callback=None)
plan = cli.trainer.lr_scheduler_configs[0].scheduler.plan
print(plan)
used = cli.model.used
print("rates of the updates:", [round(rate, 5) for rate in used[::8]])
print(ks.check(ks.Trace(range(len(used)), used), plan).sentence)
