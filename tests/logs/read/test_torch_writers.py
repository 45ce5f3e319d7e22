"""Logs that PyTorch, TensorFlow, Lightning and transformers wrote, of tiny runs whose rates are known."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kosine._logs.read.read import read_trace
from kosine.errors import LogError


def test_keras_tensorboard(tmp_path: Path) -> None:
    """TensorFlow writes these: tags with tensors, and a folder each for training and validation."""
    script = """
import sys
import tests.support.bare_keras
import keras, numpy as np

model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(0.1), "mse")
rates = keras.callbacks.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1))
model.fit(
    np.ones((8, 4)), np.ones((8, 1)), epochs=5, batch_size=4, verbose=0, validation_split=0.5,
    callbacks=[rates, keras.callbacks.TensorBoard(sys.argv[1], write_graph=False)],
)
"""
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow"}
    command = [sys.executable, "-c", script, str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, env=environment, cwd=Path(__file__).parents[3])
    trace = read_trace(tmp_path)
    assert (trace.axis, trace.format, list(trace.groups)) == (
        "epoch",
        "TensorBoard event files",
        ["epoch_learning_rate"],
    )
    assert trace.positions.tolist() == [0, 1, 2, 3, 4]
    assert trace.precision.single
    assert (np.abs(trace.rates - 0.1 / np.arange(1, 6)) <= trace.half_widths()).all()


def test_tensorboard_of_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)  # TensorBoard imports it for its folders, where it can
    from torch.utils.tensorboard import SummaryWriter

    for first in (0, 3):  # a run that was resumed goes on in a file of its own
        with SummaryWriter(str(tmp_path), filename_suffix=f".{first}") as writer:
            for step in range(first, first + 5):
                writer.add_scalar("train/learning_rate", 0.1 / (step + 1), step)
                writer.add_scalar("train/loss", 1.5, step)
                writer.add_scalar("lr-AdamW/pg2", 0.2 / (step + 1), step)
    trace = read_trace(tmp_path)
    assert (trace.axis, list(trace.groups)) == ("step", ["train/learning_rate", "lr-AdamW/pg2"])
    assert trace.positions.tolist() == list(range(8))
    assert trace.rates == pytest.approx(0.1 / np.arange(1, 9), rel=1e-7)
    assert read_trace(tmp_path, group="pg2").rates == pytest.approx(0.2 / np.arange(1, 9), rel=1e-7)
    assert read_trace(tmp_path, rate_column="train/loss").rates.tolist() == [1.5] * 8
    file = min(tmp_path.iterdir())
    assert len(read_trace(file)) == 5
    file.write_bytes(file.read_bytes()[:-20])
    assert len(read_trace(file)) < 5 + 1
    assert [remark.code for remark in read_trace(file).remarks] == ["damaged"]
    with pytest.raises(LogError, match="by their path only"):
        read_trace(io.BytesIO(file.read_bytes()))
    (tmp_path / "other").mkdir()
    with SummaryWriter(str(tmp_path / "other")) as writer:
        writer.add_scalar("lr", 0.1, 0)
    with pytest.raises(LogError, match="several runs"):
        read_trace(tmp_path)
    with pytest.raises(LogError, match="Found: the tags 'lr'"):
        read_trace(tmp_path / "other", rate_column="nope")


@pytest.mark.filterwarnings("ignore")  # of Lightning, about how this run could be faster
def test_lightning(tmp_path: Path) -> None:
    import lightning
    import torch
    from lightning.pytorch.callbacks import LearningRateMonitor
    from lightning.pytorch.loggers import CSVLogger

    class Model(lightning.LightningModule):  # type: ignore[misc]  # the types of Lightning are not read
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = torch.nn.Linear(4, 1), torch.nn.Linear(4, 1)

        def training_step(self, batch: torch.Tensor) -> torch.Tensor:
            loss: torch.Tensor = (self.one(batch) + self.two(batch)).pow(2).mean()
            self.log("train_loss", loss)
            return loss

        def configure_optimizers(self) -> Any:
            groups = [{"params": self.one.parameters()}, {"params": self.two.parameters(), "lr": 0.2}]
            optimizer = torch.optim.AdamW(groups, lr=0.1)
            scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (step + 1))
            return [optimizer], [{"scheduler": scheduler, "interval": "step"}]

    trainer = lightning.Trainer(
        max_epochs=2,
        logger=CSVLogger(str(tmp_path), version=0),
        callbacks=[LearningRateMonitor("step")],
        accelerator="cpu",
        log_every_n_steps=1,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
    )
    trainer.fit(Model(), torch.utils.data.DataLoader(torch.ones(20, 4), batch_size=4))
    (file,) = tmp_path.rglob("metrics.csv")
    trace = read_trace(file)
    assert (trace.axis, trace.format, list(trace.groups)) == (
        "step",
        "Lightning CSVLogger",
        ["lr-AdamW/pg1", "lr-AdamW/pg2"],
    )
    assert trace.positions.tolist() == list(range(10))
    assert trace.rates == pytest.approx(0.1 / np.arange(1, 11), rel=1e-15)
    assert read_trace(file, group="lr-AdamW/pg2").rates == pytest.approx(0.2 / np.arange(1, 11), rel=1e-15)
    assert {remark.code for remark in trace.remarks} == {"no rate"}


@pytest.mark.filterwarnings("ignore")
def test_hugging_face_trainer(tmp_path: Path) -> None:
    import torch
    import transformers

    import kosine as ks

    class Model(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(4, 1)

        def forward(self, x: torch.Tensor, labels: object = None) -> dict[str, torch.Tensor]:
            return {"loss": self.layer(x).pow(2).mean()}

    arguments = transformers.TrainingArguments(
        output_dir=str(tmp_path),
        num_train_epochs=2,
        per_device_train_batch_size=2,
        learning_rate=5e-5,
        report_to=[],
        lr_scheduler_type="cosine",
        logging_steps=1,
        use_cpu=True,
        disable_tqdm=True,
        save_strategy="no",
        warmup_steps=2,
    )
    trainer = transformers.Trainer(Model(), arguments, train_dataset=[{"x": torch.ones(4)} for _ in range(10)])
    trainer.train()
    trainer.save_state()
    trace = read_trace(tmp_path / "trainer_state.json")
    assert (trace.axis, trace.format, trace.total) == ("step", "Hugging Face log history", 10)
    assert trace.positions.tolist() == list(range(1, 11))
    plan = ks.warmup_cosine(peak=5e-5, warmup=2).plan(total_steps=10)
    assert trace.rates == pytest.approx(plan(np.arange(10)), rel=1e-12, abs=1e-18)
    lines = json.loads((tmp_path / "trainer_state.json").read_text())["log_history"]
    again = read_trace(io.StringIO("".join(json.dumps(line) + "\n" for line in lines)))
    assert again.rates.tolist() == trace.rates.tolist()
