"""Train with Hugging Face's Trainer from one YAML file that has the schedule beside the training arguments.

What it shows: `HfArgumentParser` reads the schedule's text as one more setting, and `with_schedule` takes the text.

    pip install '.[torch]' 'transformers[torch]'
    python examples/trainer_from_yaml.py            # reads examples/trainer_from_yaml.yaml
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import HfArgumentParser, PrinterCallback, Trainer, TrainingArguments

import kosine as ks


@dataclass
class Experiment:
    schedule: str


class Line(torch.nn.Linear):
    def forward(self, x: torch.Tensor, y: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"loss": torch.nn.functional.mse_loss(super().forward(x), y)}


data = [{"x": torch.tensor([i / 256]), "y": torch.tensor([3 * i / 256])} for i in range(256)]
parser = HfArgumentParser((Experiment, TrainingArguments))
experiment, settings = parser.parse_yaml_file(Path(__file__).with_suffix(".yaml"))
trainer = ks.torch.with_schedule(Trainer, experiment.schedule)(Line(1, 1), settings, train_dataset=data)
trainer.remove_callback(PrinterCallback)
trainer.train()
rates = [entry["learning_rate"] for entry in trainer.state.log_history if "learning_rate" in entry]
plan = trainer.lr_scheduler.plan
print(plan)
print("rates in the log:", [round(rate, 5) for rate in rates[::8]])
print(ks.check(ks.Trace(range(len(rates)), rates), plan).sentence)
