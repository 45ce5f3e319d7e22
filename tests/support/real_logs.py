"""The logs of real runs, written again in the shape that they were found in.

`traces/*.json` has the values of each, with its source (repository, commit, path) and what the run declared.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "traces"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))


@dataclass(frozen=True)
class Real:
    """A real log: its values, its text, and how to read it."""

    name: str
    positions: list[float]
    rates: list[float]
    text: str
    arguments: dict[str, Any]

    def file(self) -> io.BytesIO:
        return io.BytesIO(self.text.encode())


def real(name: str) -> Real:
    data = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    rows = data["trace"]
    arguments: dict[str, Any] = {"step_column": "consumed samples"} if "bloom" in name else {}
    return Real(name, [row[0] for row in rows], [float(row[1]) for row in rows], _SHAPES[name](data, rows), arguments)


def _markdown(data: dict[str, Any], rows: list[Any]) -> str:
    lines = ["# Chronicles", "", "Iteration time went up to 120 s; lr stayed.", "```"]
    for samples, rate in rows:
        iteration = data["iterations"][str(samples)]
        lines.append(
            f" iteration {iteration:8d}/  115311 | consumed samples: {samples:12d} | consumed tokens: "
            f"{samples * 2048:14d}"
            f" | elapsed time per iteration (s): 111.36 | learning rate: {rate:.3E} | global batch size:  2048 | "
            "lm loss: 2.035E+00 | grad norm: 0.181 | num zeros: 0.0 | number of skipped iterations:   0 | "
            "number of nan iterations:   0 | samples per second: 18.390 | TFLOPs: 150.58 |"
        )
    return "\n".join([*lines, "```", ""])


def _megatron(data: dict[str, Any], rows: list[Any]) -> str:
    skipped = dict(map(tuple, data["skipped_iterations"]))
    return "using world size: 32\n" + "".join(
        f" iteration {step:8d}/    1000 | consumed samples: {step * 512:12d} | elapsed time per iteration (ms): 1.0 | "
        f"learning rate: {rate:.3E} | global batch size:   512 | lm loss: 9.0E+00 | loss scale: 65536.0 | "
        f"number of skipped iterations: {skipped.get(step, 0):3d} | number of nan iterations:   0 |\ntime (ms)\n"
        for step, rate in rows
    )


def _trainer_state(data: dict[str, Any], rows: list[Any]) -> str:
    history: list[dict[str, float]] = []
    for step, rate in rows:
        history.append({"epoch": step / 2886, "grad_norm": 1.5, "learning_rate": rate, "loss": 1.25, "step": step})
        if step % 500 == 0:
            history.append({"epoch": step / 2886, "eval_loss": 1.0, "eval_runtime": 7.5, "step": step})
    state = {"best_metric": None, "epoch": 3.0, "global_step": 8660, "log_history": history, "max_steps": 8660}
    return json.dumps(state, indent=2)


def _llamafactory(data: dict[str, Any], rows: list[Any]) -> str:
    lines = []
    for step, rate in rows:
        row = {"current_steps": step, "total_steps": 6750, "loss": 1.5, "lr": rate, "epoch": step / 2250}
        lines.append(json.dumps({**row, "percentage": 1.0, "elapsed_time": "0:01:00", "remaining_time": "1:00:00"}))
        if step % 1000 == 0:
            lines.append(json.dumps({"current_steps": step, "total_steps": 6750, "eval_loss": 1.5, "epoch": 0.1}))
    return "\n".join([*lines, json.dumps({"current_steps": 6750, "total_steps": 6750, "epoch": 3.0}), ""])


def _llmc(data: dict[str, Any], rows: list[Any]) -> str:
    lines = ["s:0 tel:10.9888", "s:0 eval:0.2450"]
    for step, rate in rows:
        lines.append(f"s:{step} trl:{10.0:.4f} lr:{rate:.6f} norm:{1.5:.2f}")
        if step % 250 == 0:
            lines.append(f"s:{step} tel:5.1234")
    return "\n".join([*lines, ""])


def _keras(data: dict[str, Any], rows: list[Any]) -> str:
    return "epoch,accuracy,learning_rate,loss\r\n" + "".join(f"{epoch},0.5,{rate!r},1.5\r\n" for epoch, rate in rows)


def _wandb(data: dict[str, Any], rows: list[Any]) -> str:
    train = {"iter": [row[0] for row in rows], "train_lr": [row[1] for row in rows], "train_loss": [1.5] * len(rows)}
    steps, losses = zip(*data["val_loss"], strict=True)
    history = {"train": train, "val": {"iter": steps, "val_loss": losses}}
    return json.dumps({"summary": {"iter": 1}, "config": data["config"], "name": data["name"], "history": history})


_SHAPES = {
    "bloom176b_samples_axis": _markdown,
    "hf_cosine_warmup10pct_mistral": _trainer_state,
    "keras_sgdr_warmup_1": _keras,
    "keras_sgdr_warmup_2": _keras,
    "llamafactory_cosine_warmup_qwen7b": _llamafactory,
    "llmc_gpt2_124m_10B": _llmc,
    "megatron_cosine_skipped_start": _megatron,
    "onecycle_cosine_to_10pct_124m": _wandb,
    "wsd_linear_cooldown20_124m": _wandb,
}
