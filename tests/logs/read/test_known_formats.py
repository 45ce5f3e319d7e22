"""Each kind of log, as its writer writes it."""

from __future__ import annotations

import gzip
import io
import json
from typing import Any

import pytest

from kosine._logs.read.read import read_trace
from tests.support.text_logs import TEXT_LOGS, Log

NAN = float("nan")


def lines(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


LOGS = TEXT_LOGS | {
    "keras 2 CSVLogger": Log(
        "Keras log",
        "epoch,accuracy,loss,lr,val_loss\n0,0.5,1.5,0.1,NA\n1,0.6,1.4,0.05,1.2\n",
        [0, 1],
        [0.1, 0.05],
        "epoch",
    ),
    "keras 3 CSVLogger, other separator": Log(
        "Keras log",
        "epoch;learning_rate;loss\n0;0.1;1.5\n1;0.05;1.4\n",
        [0, 1],
        [0.1, 0.05],
        "epoch",
        ("learning_rate",),
    ),
    "keras History": Log(
        "Keras History JSON",
        json.dumps({"loss": [1.5, 1.4], "learning_rate": [0.1, 0.05]}),
        [0, 1],
        [0.1, 0.05],
        "epoch",
        ("learning_rate",),
    ),
    "keras 2 History by pandas": Log(
        "Keras History JSON",
        json.dumps({"loss": {"0": 1.5, "1": 1.4}, "lr": {"0": 0.1, "1": 0.05}}),
        [0, 1],
        [0.1, 0.05],
        "epoch",
    ),
    "JSON lines with the names of Keras": Log(
        "table with a position and a rate",
        lines({"epoch": 1, "lr": 0.1, "loss": 1.5}, {"epoch": 2, "lr": 0.05, "loss": 1.4}),
        [1, 2],
        [0.1, 0.05],
        "epoch",
    ),
    "a table of steps with the names of Keras": Log(
        "table with a position and a rate",
        "epoch,step,lr,loss\n0,10,0.1,1.5\n0,20,0.05,1.4\n",
        [10, 20],
        [0.1, 0.05],
    ),
    "trainer_state.json": Log(
        "Hugging Face log history",
        json.dumps(
            {
                "epoch": 1.0,
                "log_history": [
                    {"epoch": 0.5, "grad_norm": NAN, "learning_rate": 5e-05, "loss": 1.5, "step": 10},
                    {"epoch": 0.5, "eval_loss": 1.5, "step": 10},
                    {"epoch": 1.0, "learning_rate": 0.0, "loss": 1.5, "step": 20},
                ],
                "max_steps": 20,
            },
            indent=2,
        ),
        [10, 20],
        [5e-05, 0.0],
        groups=("learning_rate",),
        total=20,
    ),
    "LLaMA-Factory, older": Log(
        "LLaMA-Factory trainer_log.jsonl",
        lines(
            {"current_steps": 5, "total_steps": 30, "loss": 2.5, "learning_rate": 9e-05, "epoch": 0.5},
            {
                "current_steps": 10,
                "total_steps": 30,
                "loss": 2.0,
                "eval_loss": None,
                "learning_rate": 5e-05,
                "epoch": 1.0,
            },
        ),
        [5, 10],
        [9e-05, 5e-05],
        groups=("learning_rate",),
        total=30,
    ),
    "Lightning CSVLogger": Log(
        "Lightning CSVLogger",
        ""
        "epoch,lr-AdamW/pg1,lr-AdamW/pg1-momentum,lr-AdamW/pg2,step,train_loss\n,0.1,0.9,0.2,0,\n0,,,,0,1.5\n,0.05,0.9,0.1,1,\n",
        [0, 1],
        [0.1, 0.05],
        groups=("lr-AdamW/pg1", "lr-AdamW/pg2"),
    ),
    "timm summary.csv": Log(
        "timm summary.csv",
        "epoch,train_loss,eval_loss,eval_top1,eval_top5,lr\n0,6.9,6.8,1.5,5.0,1e-06\n1,6.5,6.4,3.5,9.0,0.0002\n",
        [0, 1],
        [1e-06, 0.0002],
        "epoch",
    ),
    "DeiT log.txt": Log(
        "DeiT or MAE log.txt",
        lines(
            {"train_lr": 1e-06, "train_loss": 6.9, "test_loss": 6.8, "epoch": 0, "n_parameters": 5717416},
            {"train_lr": 0.0002, "train_loss": 6.9, "test_loss": 6.8, "epoch": 1, "n_parameters": 5717416},
        ),
        [0, 1],
        [1e-06, 0.0002],
        "epoch",
        ("train_lr",),
    ),
    "mmengine scalars.json": Log(
        "mmengine JSON log",
        lines(
            {
                "lr": 0.002,
                "base_lr": 0.02,
                "data_time": 0.1,
                "loss": 1.5,
                "epoch": 1,
                "iter": 50,
                "memory": 1,
                "step": 50,
            },
            {"coco/bbox_mAP": 0.1, "data_time": 0.1, "time": 0.1, "step": 1},
            {
                "lr": 0.004,
                "base_lr": 0.04,
                "data_time": 0.1,
                "loss": 1.5,
                "epoch": 2,
                "iter": 150,
                "memory": 1,
                "step": 150,
            },
        ),
        [50, 150],
        [0.002, 0.004],
        groups=("lr", "base_lr"),
    ),
    "mmcv by epoch": Log(
        "mmcv JSON log",
        lines(
            {"env_info": "sys.platform: linux", "config": "lr = 0.02", "seed": None},
            {"mode": "train", "epoch": 1, "iter": 50, "lr": 0.00198, "memory": 1, "loss": 1.5},
            {"mode": "train", "epoch": 1, "iter": 100, "lr": 0.00398, "memory": 1, "loss": 1.5},
            {"mode": "val", "epoch": 1, "iter": 625, "lr": 0.00398, "bbox_mAP": 0.1},
            {"mode": "train", "epoch": 2, "iter": 50, "lr": 0.00598, "memory": 1, "loss": 1.5},
        ),
        [0.49, 0.99, 1.49],
        [0.00198, 0.00398, 0.00598],
        "epoch",
    ),
    "mmcv by iterations": Log(
        "mmcv JSON log",
        lines(
            {"mode": "train", "epoch": 1, "iter": 50, "lr": 0.00198, "loss": 1.5},
            {"mode": "train", "epoch": 2, "iter": 100, "lr": 0.00398, "loss": 1.5},
        ),
        [50, 100],
        [0.00198, 0.00398],
    ),
    "detectron2 metrics.json": Log(
        "detectron2 metrics.json",
        lines(
            {"data_time": 0.1, "iteration": 19, "lr": 0.00039962, "total_loss": 1.5},
            {"bbox/AP": 40.0, "iteration": 19},
            {"data_time": 0.1, "iteration": 39, "lr": 0.00079922, "total_loss": 1.5},
        ),
        [19, 39],
        [0.00039962, 0.00079922],
    ),
    "YOLOv5 results.csv": Log(
        "YOLO results.csv",
        "               epoch,      train/box_loss,               x/lr0,               x/lr1\n"
        "                   0,              0.1082,           0.0033222,           0.0033222\n"
        "                   1,              0.0981,           0.0066333,           0.0066334\n",
        [0, 1],
        [0.0033222, 0.0066333],
        "epoch",
        ("x/lr0", "x/lr1"),
    ),
    "YOLOv8 results.csv": Log(
        "YOLO results.csv",
        "                  epoch,         train/box_loss,                 lr/pg0,                 lr/pg1\n"
        "                      1,                 1.2045,                0.00332,                0.00333\n",
        [1],
        [0.00332],
        "epoch",
        ("lr/pg0", "lr/pg1"),
    ),
    "Megatron-LM": Log(
        "Megatron-LM output",
        "> learning rate decay style: cosine\n"
        " [2024-10-16 04:23:00] iteration        2/  500000 | consumed samples:          256 | elapsed "
        "time per iteration "
        "(ms): 1811.8 | learning rate: 4.000000E-07 | decoupled learning rate: 1.000000E-03 | global "
        "batch size:   128 | "
        "lm loss: 1.177651E+01 | number of skipped iterations:   1 | number of nan iterations:   0 |\n"
        " validation loss at iteration 2 | lm loss value: 1.0E+01 |\n"
        " [2024-10-16 04:23:02] iteration        3/  500000 | consumed samples:          384 | learning "
        "rate: 6.000000E-07 | "
        "number of skipped iterations:   0 |\n",
        [2, 3],
        [4e-07, 6e-07],
        groups=("learning rate",),
        total=500000,
        skipped=((2, 1),),
    ),
    "DeepSpeed": Log(
        "DeepSpeed output",
        "[2024-04-04 09:09:53,313] [INFO] [logging.py:96:log_dist] [Rank 0] step=10, skipped=2, lr=[0.0001, 0.0002], "
        "mom=[(0.9, 0.999), (0.9, 0.999)]\n"
        "[2024-04-04 09:09:53,313] [INFO] [logging.py:96:log_dist] [Rank 0] time (ms) | fwd: 6567.66 | step: 1139.29\n"
        "[2024-04-04 09:10:13,619] [INFO] [logging.py:96:log_dist] [Rank 0] step=20, skipped=2, "
        "lr=[0.0002, 0.0003], mom=[0]\n"
        "[2024-04-04 09:10:33,619] [INFO] [logging.py:96:log_dist] [Rank 0] step=30, skipped=5, "
        "lr=[0.0003, 0.0004], mom=[0]\n",
        [10, 20, 30],
        [0.0001, 0.0002, 0.0003],
        groups=("lr[0]", "lr[1]"),
        skipped=((10, 2), (30, 3)),
    ),
    "llm.c main.log": Log(
        "llm.c main.log",
        "s:0 tel:10.9888\ns:0 trl:10.9900 lr:0.000001 norm:15.32\ns:1 trl:10.9000 lr:0.000002 norm:14.99\n",
        [0, 1],
        [1e-06, 2e-06],
    ),
    "llm.c output": Log(
        "llm.c output",
        "| weight init method    | d12 |\nval loss 11.009\n"
        "step    1/19560 | loss 11.009 (+nanz)| norm 15.32 (+nanz)| lr 8.57e-07 | 3056.36 ms | 42.6% "
        "bf16 MFU | 171535 tok/s\n"
        "step    2/19560 | loss 10.962 (+nanz)| norm 15.41 (+nanz)| lr 1.71e-06 | 2975.11 ms | 43.8% "
        "bf16 MFU | 176221 tok/s\n",
        [1, 2],
        [8.57e-07, 1.71e-06],
        total=19560,
    ),
    "BasicSR": Log(
        "BasicSR log",
        "2021-08-01 20:21:43,152 INFO: Start training from epoch: 0, iter: 0\n"
        "2021-08-01 20:22:43,152 INFO: [EDSR_..][epoch:  0, iter:     100, lr:(2.000e-04,1.000e-04,)] "
        "[eta: 1 day, 0:00:00, "
        "time (data): 0.1 (0.0)] l_pix: 1.0e-01\n"
        "2021-08-01 20:23:43,152 INFO: [EDSR_..][epoch:  3, iter:   5,000, lr:(1.500e-04,5.000e-05,)] "
        "[eta: 1 day, 0:00:00]\n",
        [100, 5000],
        [2e-4, 1.5e-4],
        groups=("lr[0]", "lr[1]"),
    ),
    "ESPnet": Log(
        "ESPnet log, batches",
        "[host] 2023-10-27 13:37:46,484 (trainer:753) INFO: 1epoch:train:1-50batch: iter_time=1.9e-04, loss=153.9, "
        "optim0_lr0=1.007e-05, train_time=0.127\n"
        "[host] 2023-10-27 13:46:05,691 (trainer:753) INFO: 1epoch:train:51-100batch: "
        "iter_time=1.1e-04, optim0_lr0=2.007e-05\n"
        "[host] 2023-10-27 13:50:05,691 (trainer:338) INFO: 1epoch results: [train] iter_time=1.1e-04, "
        "optim0_lr0=1.507e-05\n"
        "[host] 2023-10-27 13:56:05,691 (trainer:753) INFO: 2epoch:train:1-50batch: iter_time=1.1e-04, "
        "optim0_lr0=3.007e-05\n",
        [0.245, 0.745, 1.245],
        [1.007e-05, 2.007e-05, 3.007e-05],
        "epoch",
        ("optim0_lr0",),
    ),
    "ESPnet, epochs only": Log(
        "ESPnet log, epochs",
        "(trainer:398) INFO: 13epoch results: [train] loss=39.899, optim0_lr0=1.697e-04, "
        "train_time=2.157, [valid] loss=1.0\n"
        "(trainer:398) INFO: 14epoch results: [train] loss=39.899, optim0_lr0=1.597e-04, "
        "train_time=2.157, [valid] loss=1.0\n",
        [13, 14],
        [1.697e-04, 1.597e-04],
        "epoch",
        ("optim0_lr0",),
    ),
    "mmengine text": Log(
        "mmengine log",
        "2024/01/01 00:00:00 - mmengine - INFO - Iter(train) [   50/160000]  base_lr: 1.0000e-02 lr: "
        "2.0000e-03  eta: 1 day\n"
        "2024/01/01 00:00:00 - mmengine - INFO - Iter(train) [  100/160000]  base_lr: 1.0000e-02 lr: "
        "4.0000e-03  eta: 1 day\n",
        [50, 100],
        [0.002, 0.004],
        total=160000,
    ),
    "W&B export of one run": Log(
        "Weights & Biases export",
        '"Step","noble-sun-1 - train/learning_rate","noble-sun-1 - train/learning_rate__MIN",'
        '"noble-sun-1 - train/learning_rate__MAX"\n"0","0.1","0.1","0.1"\n"10","0.05","0.05","0.05"\n',
        [0, 10],
        [0.1, 0.05],
        groups=("noble-sun-1 - train/learning_rate",),
    ),
    "W&B export of two runs": Log(
        "Weights & Biases export",
        '"train/global_step","a, b - lr","a, b - lr__MIN","a, b - lr__MAX","c - lr","c - lr__MIN","c - lr__MAX"\n'
        '"0","0.1","0.1","0.1","","",""\n"10","","","","0.3","0.3","0.3"\n"20","0.05","0.05","0.05","0.2","0.2","0.2"\n',
        [0, 20],
        [0.1, 0.05],
        groups=("a, b - lr", "c - lr"),
    ),
    "W&B history lines": Log(
        "Weights & Biases history",
        lines(
            {"_step": 0, "_runtime": 1.0, "train": {"learning_rate": 0.1, "loss": 1.5}},
            {"_step": 1, "_runtime": 2.0, "train": {"learning_rate": 0.05, "loss": 1.5}},
        ),
        [0, 1],
        [0.1, 0.05],
        groups=("train/learning_rate",),
    ),
    "kosine history": Log(
        "kosine history",
        "schedule,step,rate\nconstant,0,0.05\nconstant,1,0.05\ncosine,0,0.05\ncosine,1,0.025\n",
        [0, 1],
        [0.05, 0.05],
        groups=("constant", "cosine"),
    ),
    "kosine history of one": Log(
        "kosine history", "step,rate\n0,0.05\n1,0.04\n", [0, 1], [0.05, 0.04], groups=("rate",)
    ),
    "kosine values": Log(
        "table with a position and a rate",
        "step,epoch,learning_rate\n0,0.0,0.05\n1,0.5,0.04\n2,1.0,0.03\n",
        [0, 1, 2],
        [0.05, 0.04, 0.03],
        groups=("learning_rate",),
    ),
    "kosine values --json": Log(
        "table with a position and a rate",
        json.dumps([{"step": 0, "learning_rate": 0.05}, {"step": 1, "learning_rate": 0.04}], indent=2),
        [0, 1],
        [0.05, 0.04],
        groups=("learning_rate",),
    ),
    "a table with tabs": Log("table with a position and a rate", "iter\tlr\n0\t0.05\n5\t0.04\n", [0, 5], [0.05, 0.04]),
    "a table of Excel": Log("table with a position and a rate", "step;lr\n0;0,05\n5;0,04\n", [0, 5], [0.05, 0.04]),
    "one JSON object": Log("table with a position and a rate", '{"step": 3, "lr": 0.1}', [3], [0.1]),
    "steps of each epoch": Log(
        "table with a position and a rate",
        "epoch,step,lr\n0,0,0.1\n0,1,0.2\n1,0,0.3\n1,1,0.4\n2,0,0.5\n",
        [0, 0.5, 1, 1.5, 2],
        [0.1, 0.2, 0.3, 0.4, 0.5],
        "epoch",
    ),
    "the index of pandas": Log(
        "table with a position and a rate", ",loss,lr\n0,2,0.1\n5,1,0.05\n", [0, 5], [0.1, 0.05]
    ),
    "named rates": Log(
        "table with a position and a rate",
        lines({"step": 0, "lr": {"head": 0.1, "body": 0.2}}, {"step": 1, "lr": {"head": 0.3, "body": 0.4}}),
        [0, 1],
        [0.1, 0.3],
        groups=("lr/head", "lr/body"),
    ),
    "lists of rates": Log(
        "table with a position and a rate",
        lines({"step": 0, "lr": [0.1, 0.2]}, {"step": 1, "lr": [0.3, 0.4]}),
        [0, 1],
        [0.1, 0.3],
        groups=("lr[0]", "lr[1]"),
    ),
    "numbers as texts": Log(
        "table with a position and a rate",
        lines({"num_updates": "100", "lr": "1.25e-05"}, {"num_updates": "200", "lr": "2.5e-05"}),
        [100, 200],
        [1.25e-05, 2.5e-05],
    ),
}


@pytest.mark.parametrize("name", LOGS)
def test_format(name: str) -> None:
    log = LOGS[name]
    trace = read_trace(io.BytesIO(log.text.encode()))
    assert trace.format == log.format
    assert trace.positions.tolist() == pytest.approx(log.positions, abs=1e-12)
    assert trace.rates.tolist() == log.rates
    assert (trace.axis, tuple(trace.groups)) == (log.axis, log.groups)
    assert (trace.total, trace.skipped, trace.steps_per_epoch) == (log.total, log.skipped, log.steps_per_epoch)


@pytest.mark.parametrize("name", LOGS)
def test_how_it_is_stored_changes_nothing(name: str) -> None:
    """Windows' line ends, marks at the beginning, UTF-16, gzip, no end of the last line."""
    text = LOGS[name].text
    expected = read_trace(io.StringIO(text))
    windows = text.replace("\n", "\r\n").encode()
    half = len(windows) // 2
    for data in (
        windows,
        b"\xef\xbb\xbf" + text.encode(),
        text.encode("utf-16"),
        gzip.compress(text.encode()),
        gzip.compress(windows[:half]) + gzip.compress(windows[half:]),
        text.rstrip("\n").encode(),
    ):
        trace = read_trace(io.BytesIO(data))
        assert trace.positions.tolist() == expected.positions.tolist()
        assert trace.rates.tolist() == expected.rates.tolist()
        assert trace.format == expected.format


def test_every_declared_format_has_a_log() -> None:
    from kosine._logs.read.known_formats import ROW_FORMATS
    from kosine._logs.read.text_formats import TEXT_FORMATS

    assert {kind.name for kind in (*ROW_FORMATS, *TEXT_FORMATS)} <= {log.format for log in LOGS.values()}
