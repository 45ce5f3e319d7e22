"""The losses beside the rates of a log: which are taken, and where they are."""

from __future__ import annotations

import gzip
import io
import json
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter

import kosine as ks
from kosine.errors import ArgumentTypeError, LogError
from tests.support.text_logs import TEXT_LOGS


class Case(NamedTuple):
    """A log, and the losses that it has."""

    text: str
    axis: str
    kind: str
    name: str
    positions: list[float]
    values: list[float]


def lines(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def read(text: str, **arguments: Any) -> ks.Trace:
    return ks.read_trace(io.BytesIO(text.encode()), **arguments)


HUGGING_FACE = {
    "log_history": [
        {"epoch": 0.1, "learning_rate": 1e-4, "loss": 2.5, "step": 10},
        {"epoch": 0.2, "learning_rate": 9e-5, "loss": 2.4, "step": 20},
        {"epoch": 0.2, "eval_loss": 2.45, "eval_runtime": 3.0, "step": 20},
        {"epoch": 0.3, "learning_rate": 8e-5, "loss": 2.3, "step": 30},
        {"epoch": 0.4, "eval_loss": 2.25, "eval_runtime": 3.0, "step": 40},
        {"epoch": 0.4, "train_loss": 2.4, "total_flos": 1.0, "step": 40},
    ]
}

CASES = {
    "Keras CSVLogger": Case(
        "epoch,accuracy,loss,lr,val_loss\n0,0.5,1.5,0.1,1.6\n1,0.6,1.4,0.05,1.2\n",
        "epoch",
        "validation",
        "val_loss",
        [1, 2],
        [1.6, 1.2],
    ),
    "Keras History": Case(
        json.dumps({"loss": [1.5, 1.4], "val_loss": [1.6, 1.2], "learning_rate": [0.1, 0.05]}),
        "epoch",
        "validation",
        "val_loss",
        [1, 2],
        [1.6, 1.2],
    ),
    "trainer_state.json": Case(json.dumps(HUGGING_FACE), "step", "validation", "eval_loss", [20, 40], [2.45, 2.25]),
    "LLaMA-Factory": Case(
        lines(
            {"current_steps": 5, "total_steps": 10, "loss": 2.5, "lr": 1e-4, "epoch": 0.5},
            {"current_steps": 5, "total_steps": 10, "eval_loss": 2.6, "epoch": 0.5},
            {"current_steps": 10, "total_steps": 10, "loss": 2.0, "lr": 5e-5, "epoch": 1.0},
            {"current_steps": 10, "total_steps": 10, "eval_loss": 2.1, "epoch": 1.0},
        ),
        "step",
        "validation",
        "eval_loss",
        [5, 10],
        [2.6, 2.1],
    ),
    "Lightning CSVLogger": Case(
        "epoch,step,lr-Adam,train_loss,val_loss\n,0,0.1,,\n0,1,,1.5,\n0,9,,,1.7\n,10,0.05,,\n1,11,,1.4,\n1,19,,,1.6\n",
        "step",
        "validation",
        "val_loss",
        [9, 19],
        [1.7, 1.6],
    ),
    "timm summary.csv": Case(
        "epoch,train_loss,eval_loss,eval_top1,lr\n0,6.9,6.8,0.1,0.1\n1,6.5,6.4,0.2,0.05\n",
        "epoch",
        "validation",
        "eval_loss",
        [1, 2],
        [6.8, 6.4],
    ),
    "DeiT log.txt": Case(
        lines(
            {"train_lr": 0.1, "train_loss": 6.9, "test_loss": 6.0, "epoch": 0},
            {"train_lr": 0.05, "train_loss": 6.1, "test_loss": 5.0, "epoch": 1},
        ),
        "epoch",
        "training",
        "train_loss",
        [1, 2],
        [6.9, 6.1],
    ),
    "mmcv JSON": Case(
        lines(
            {"mode": "train", "epoch": 1, "iter": 50, "lr": 0.1, "loss_cls": 9.0, "loss": 1.5},
            {"mode": "train", "epoch": 1, "iter": 100, "lr": 0.09, "loss_cls": 9.0, "loss": 1.4},
            {"mode": "val", "epoch": 1, "iter": 20, "lr": 0.09, "mAP": 0.5},
            {"mode": "train", "epoch": 2, "iter": 50, "lr": 0.08, "loss_cls": 9.0, "loss": 1.3},
        ),
        "epoch",
        "training",
        "loss",
        [0.49, 0.99, 1.49],
        [1.5, 1.4, 1.3],
    ),
    "mmengine JSON": Case(
        lines(
            {"lr": 0.1, "loss": 1.5, "loss_kpt": 9.0, "epoch": 1, "iter": 50, "step": 50},
            {"coco/AP": 0.5, "step": 1},
            {"lr": 0.09, "loss": 1.4, "loss_kpt": 9.0, "epoch": 2, "iter": 100, "step": 100},
        ),
        "step",
        "training",
        "loss",
        [50, 100],
        [1.5, 1.4],
    ),
    "mmcv text": Case(
        "2021-12-21 21:51:30,877 - mmdet - INFO - Epoch [1][50/200]\tlr: 2.0e-03, loss_cls: 0.9, loss: 1.1\n"
        "2021-12-21 21:51:49,944 - mmdet - INFO - Epoch(val) [1][625]\tloss: 9.0\n"
        "2021-12-21 21:51:52,944 - mmdet - INFO - Epoch [2][50/200]\tlr: 1.0e-03, loss_cls: 0.9, loss: 1.0\n",
        "epoch",
        "training",
        "loss",
        [0.245, 1.245],
        [1.1, 1.0],
    ),
    "detectron2": Case(
        lines(
            {"iteration": 19, "lr": 0.1, "total_loss": 1.5, "loss_cls": 0.5},
            {"iteration": 39, "lr": 0.09, "total_loss": 1.4, "loss_cls": 0.4},
        ),
        "step",
        "training",
        "total_loss",
        [19, 39],
        [1.5, 1.4],
    ),
    "Weights & Biases history": Case(
        lines(
            {"_step": 0, "_runtime": 1, "train/loss": 1.5, "lr": 0.1},
            {"_step": 1, "_runtime": 2, "val/loss": 1.6},
            {"_step": 2, "_runtime": 3, "train/loss": 1.4, "lr": 0.09},
            {"_step": 3, "_runtime": 4, "val/loss": 1.3},
        ),
        "step",
        "validation",
        "val/loss",
        [1, 3],
        [1.6, 1.3],
    ),
    "Megatron-LM": Case(
        " iteration 100/ 1000 | learning rate: 1.0E-04 | lm loss: 9.0E+00 | loss scale: 8388608.0 | grad norm: 1.5 |\n"
        " iteration 200/ 1000 | learning rate: 2.0E-04 | lm loss: 8.0E+00 | loss scale: 8388608.0 | grad norm: 1.5 |\n"
        " validation loss at iteration 200 | lm loss value: 8.017406E+00 | lm loss PPL: 3.033300E+03 |\n"
        " iteration 300/ 1000 | learning rate: 3.0E-04 | lm loss: 7.0E+00 | loss scale: 8388608.0 | grad norm: 1.5 |\n"
        " validation loss at iteration 400 | lm loss value: 7.487306E+00 | lm loss PPL: 1.785300E+03 |\n",
        "step",
        "validation",
        "validation loss",
        [200, 400],
        [8.017406, 7.487306],
    ),
    "nanoGPT": Case(
        "step 0: train loss 10.9, val loss 10.95\niter 0: loss 10.9, lr 1.0e-05, time 33 ms\n"
        "iter 100: loss 6.9, lr 1.0e-04, time 33 ms\nstep 250: train loss 5.1, val loss 5.2\n"
        "iter 250: loss 5.0, lr 2.0e-04, time 33 ms\n",
        "step",
        "validation",
        "val loss",
        [0, 250],
        [10.95, 5.2],
    ),
    "a validation on a line of its own": Case(
        "=> gradient accumulation steps: 32\nvalidation loss: 10.9\n"
        "step    0 | loss: 10.95 | lr 1e-05 | norm: 15.3\nstep  249 | loss: 6.13 | lr 2e-04 | norm: 1.1\n"
        "validation loss: 6.14\nstep  250 | loss: 6.10 | lr 2e-04 | norm: 1.0\n"
        "step  499 | loss: 5.14 | lr 4e-04 | norm: 1.0\nvalidation loss: 5.26\n",
        "step",
        "validation",
        "validation loss",
        [249, 499],
        [6.14, 5.26],
    ),
    "llm.c": Case(
        "s:0 tel:11.0\ns:0 trl:10.99 lr:0.000001 norm:20.0\ns:1 trl:10.9 lr:0.000002 norm:19.0\ns:250 tel:6.5\n",
        "step",
        "validation",
        "tel",
        [0, 250],
        [11.0, 6.5],
    ),
    "Hugging Face output": Case(
        "{'loss': 2.5, 'grad_norm': 1.5, 'learning_rate': 0.0001, 'epoch': 0.25}\n"
        "{'eval_loss': 2.6, 'eval_runtime': 3.0, 'epoch': 0.25}\n"
        "{'loss': 2.1, 'grad_norm': 1.5, 'learning_rate': 9e-05, 'epoch': 0.5}\n"
        "{'eval_loss': 2.2, 'eval_runtime': 3.0, 'epoch': 0.5}\n"
        "{'loss': 2.0, 'grad_norm': 1.5, 'learning_rate': 8e-05, 'epoch': 0.75}\n"
        "{'loss': 1.9, 'grad_norm': 1.5, 'learning_rate': 7e-05, 'epoch': 1.0}\n"
        "{'train_runtime': 3.0, 'train_loss': 2.1, 'epoch': 1.0}\n",
        "epoch",
        "validation",
        "eval_loss",
        [0.25, 0.5],
        [2.6, 2.2],
    ),
    "a heading for each epoch": Case(
        "Epoch 1/3\nTrain Loss: 7.3 | Valid Loss: 6.5 | lr: 0.1\nEpoch 2/3\n"
        "Train Loss: 6.3 | Valid Loss: 6.1 | lr: 0.05\n",
        "epoch",
        "validation",
        "Valid Loss",
        [1, 2],
        [6.5, 6.1],
    ),
    "a line of validation": Case(
        "iter: 100 - train loss: 0.9 - lr: 1e-05\niter: 200 - train loss: 0.8 - lr: 2e-05\n"
        "iter: 200 - valid loss: 0.7 - acc: 0.1\niter: 400 - valid loss: 0.6 - acc: 0.1\n",
        "step",
        "validation",
        "valid loss",
        [200, 400],
        [0.7, 0.6],
    ),
    "batches of a test": Case(
        "Epoch: [0][0/100] Loss 8.0 (8.0) lr: 0.1\nEpoch: [0][50/100] Loss 7.9 (7.9) lr: 0.1\n"
        "Test: [0/50] Loss 1.0 (1.0)\nTest: [10/50] Loss 1.1 (1.1)\nEpoch: [1][0/100] Loss 7.0 (7.0) lr: 0.05\n",
        "epoch",
        "training",
        "Loss",
        [0, 0.5, 1],
        [8.0, 7.9, 7.0],
    ),
    "batches of a validation, and their mean": Case(
        "epoch:[  1/3  ] train step:0    loss: 9.0 lr: 0.1\nepoch:[  1/3  ] val step:0    loss: 99.0\n"
        "END epoch:1   val loss_avg: 3.5\nepoch:[  2/3  ] train step:0    loss: 8.0 lr: 0.05\n"
        "epoch:[  2/3  ] val step:0    loss: 98.0\nEND epoch:2   val loss_avg: 3.1\n",
        "epoch",
        "validation",
        "val loss_avg",
        [1, 2],
        [3.5, 3.1],
    ),
    "scientific notation, and below 0": Case(
        "step,lr,loss\n0,0.1,-1.5e-3\n1,0.1,+2E2\n2,0.1,-.5\n",
        "step",
        "training",
        "loss",
        [0, 1, 2],
        [-1.5e-3, 200, -0.5],
    ),
    "a spreadsheet of Europe": Case(
        "step;lr;val_loss\n0;0,1;1,5\n1;0,05;1,25\n", "step", "validation", "val_loss", [0, 1], [1.5, 1.25]
    ),
    "epochs from 1": Case(
        "epoch,lr,val_loss\n1,0.1,1.5\n2,0.05,1.25\n", "epoch", "validation", "val_loss", [1, 2], [1.5, 1.25]
    ),
    "steps that are counted anew": Case(
        "epoch,batch,lr,val_loss\n"
        + "".join(f"{e},{b},0.1,{e + 1 if b == 3 else ''}\n" for e in range(3) for b in range(4)),
        "epoch",
        "validation",
        "val_loss",
        [0.75, 1.75, 2.75],
        [1, 2, 3],
    ),
    "losses of the first epoch only, as of a run that diverges": Case(
        lines(
            *({"mode": "train", "epoch": 1, "iter": n, "lr": 0.1, "loss": n / 8} for n in (50, 100)),
            *({"mode": "train", "epoch": 2, "iter": n, "lr": 0.1, "loss": float("nan")} for n in (50, 100)),
        ),
        "epoch",
        "training",
        "loss",
        [0.49, 0.99],
        [6.25, 12.5],
    ),
    "nested objects": Case(
        lines(
            {"step": 0, "train": {"lr": 0.1, "loss": 2.0}, "eval": {"loss": 2.5}},
            {"step": 1, "train": {"lr": 0.1, "loss": 1.0}, "eval": {"loss": 1.5}},
        ),
        "step",
        "validation",
        "eval/loss",
        [0, 1],
        [2.5, 1.5],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_losses_are_read(name: str) -> None:
    case = CASES[name]
    trace = read(case.text)
    losses = trace.needed_losses()
    assert (trace.axis, losses.axis, losses.kind, losses.name) == (case.axis, case.axis, case.kind, case.name)
    assert losses.positions.tolist() == pytest.approx(case.positions)
    assert losses.values.tolist() == case.values


TRAINERS = {
    "nanotron": [10.8, 10.7],
    "PaddleDetection": [3.1, 3.0, 2.0],
    "PaddleSeg": [1.2, 1.1],
    "PaddleOCR": [5.1, 4.1],
    "PaddleNLP": [2.1, 2.0],
    "timm": [6.93, 6.93, 6.83],
    "DETR": [30.1, 20.1, 20.1],
    "YOLOX": [15.1, 14.1],
    "icefall": [7.6, 1.6, 1.6],
    "WeNet": [410.1, 110.1, 80.1],
    "fairseq": [10.1, 9.1],
    "Marian": [5.41353178, 4.52651596],
    "detectron2": [1.5, 1.4],
    "torchtitan": [12.2, 11.2],
    "Coqui TTS": [3.1, 3.1],
    "Keras 3, verbose=1": [1.2, 1.2],
    "Keras 2, verbose=1": [1.4833, 1.1025],
    "darknet": [16.112345, 16.012345],
    "Informer": [0.1317, 0.1307],
    "SwAV": [8.0, 7.9, 7.8],
    "ESPnet": [153.9],
    "diffusers": [0.101, 0.1],
}


@pytest.mark.parametrize("name", [name for name in TRAINERS if name in TEXT_LOGS])
def test_losses_that_trainers_print(name: str) -> None:
    trace = read(TEXT_LOGS[name].text)
    losses = trace.needed_losses()
    assert losses.values.tolist() == TRAINERS[name]
    if losses.kind == "training" and trace.format != "Keras output":
        assert losses.positions.tolist() == trace.positions.tolist()[: len(losses.values)]


@pytest.mark.parametrize("name", ["Hugging Face Trainer 4, rounded epochs", "Hugging Face Trainer 5"])
def test_losses_beside_rounded_epochs(name: str) -> None:
    trace = read(TEXT_LOGS[name].text)
    assert trace.needed_losses().positions.tolist() == trace.positions.tolist()
    longer = trace.with_steps_per_epoch(4000 if "4" in name else 3000)
    assert longer.needed_losses().positions == pytest.approx(longer.positions)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (
            "epoch,train/box_loss,val/box_loss,lr/pg0\n0,1.5,1.6,0.1\n1,1.4,1.5,0.1\n",
            "'train/box_loss', 'val/box_loss'",
        ),
        ("step,lr,test_loss\n0,0.1,1\n1,0.1,2\n", "'test_loss'"),
        ("step,lr,loss_scale,best_val_loss\n0,0.1,1,1\n1,0.1,2,1\n", "'loss_scale', 'best_val_loss'"),
        (lines(*({"step": n, "lr": 0.1, "loss": [2.0, 1.0], "loss_x": 1.0} for n in (0, 1))), "'loss_x'"),
        (lines({"step": 0, "lr": 0.1, "loss_cls": 1.0}, {"step": 1, "lr": 0.1, "loss_cls": 1.0}), "'loss_cls'"),
    ],
)
def test_parts_are_not_taken_for_the_loss(text: str, named: str) -> None:
    trace = read(text)
    assert trace.losses is None
    with pytest.raises(LogError, match=named) as caught:
        trace.needed_losses()
    assert "`loss_column`" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "step,lr,accuracy,perplexity,grad_norm\n0,0.1,1,1,1\n1,0.1,1,1,1\n",
        "iteration 10/100 | lr: 0.1 | loss scale: 65536.0 | cls loss: 0.5 | box_loss: 0.4 | grad norm: 1.5\n"
        "iteration 20/100 | lr: 0.1 | loss scale: 65536.0 | cls loss: 0.5 | box_loss: 0.4 | grad norm: 1.5\n",
    ],
)
def test_a_log_without_losses(text: str) -> None:
    trace = read(text)
    assert trace.losses is None
    assert len(trace) == 2
    with pytest.raises(LogError, match="The log has no losses"):
        trace.needed_losses()


@pytest.mark.parametrize(
    ("text", "column", "kind", "values"),
    [
        (CASES["Keras CSVLogger"].text, "loss", "training", [1.5, 1.4]),
        (CASES["trainer_state.json"].text, "loss", "training", [2.5, 2.4, 2.3]),
        (CASES["DeiT log.txt"].text, "test_loss", "validation", [6.0, 5.0]),
        (CASES["mmcv text"].text, "loss_cls", "training", [0.9, 0.9]),
        (CASES["nanoGPT"].text, "train loss", "training", [10.9, 5.1]),
        (CASES["Megatron-LM"].text, "lm loss", "training", [9.0, 8.0, 7.0]),
        ("step,lr,nll\n0,0.1,3\n1,0.1,2\n", "nll", "training", [3, 2]),
        ("0,0.1,3\n1,0.1,2\n", "3", "training", [3, 2]),
    ],
)
def test_a_loss_is_chosen_by_name(text: str, column: str, kind: str, values: list[float]) -> None:
    numbers = {"step_column": "1", "rate_column": "2"} if column == "3" else {}
    losses = read(text, loss_column=column, **numbers).needed_losses()
    assert (losses.name, losses.kind, losses.values.tolist()) == (column, kind, values)


@pytest.mark.parametrize(
    ("text", "column", "match"),
    [
        (CASES["Keras CSVLogger"].text, "valloss", r"no `loss_column` 'valloss'.* Found: columns 'epoch', 'accuracy'"),
        (CASES["trainer_state.json"].text, "evalloss", "no `loss_column` 'evalloss'.* Found: the keys .*'loss'"),
        (CASES["detectron2"].text, "loss", "no `loss_column` 'loss'.* Found: JSON lines with the keys .*'total_loss'"),
        (CASES["nanoGPT"].text, "test loss", "no `loss_column` 'test loss'"),
    ],
)
def test_a_name_that_is_not_there(text: str, column: str, match: str) -> None:
    with pytest.raises(LogError, match=match):
        read(text, loss_column=column)


def test_a_wrong_loss_column() -> None:
    with pytest.raises(ArgumentTypeError) as caught:
        read("step,lr\n0,0.1\n", loss_column=3)
    assert caught.value.argument == "loss_column"
    with pytest.raises(LogError) as empty:
        ks.read_losses(io.StringIO("step,loss\n0,0.1\n"), loss_column=" ")
    assert empty.value.argument == "loss_column"


def test_what_else_there_is_stands_in_a_remark() -> None:
    losses = read(CASES["trainer_state.json"].text).needed_losses()
    assert [remark.code for remark in losses.remarks] == ["other losses"]
    assert losses.remarks[0].text == (
        "The losses are those of 'eval_loss' (2 rows). The log also has 'loss' (3), 'train_loss' (1)."
    )


def test_a_sentence_and_hostile_lines() -> None:
    hostile = ["a" * 60_000 + " loss 3", "loss" * 16_000, "val: loss 3 " * 5000, "train " * 10_000 + "loss: 3"]
    text = "step 1 lr 0.1 loss 0.25.\n" + "".join(f"step 2 lr 0.1 {line}\n" for line in hostile)
    begun = time.perf_counter()
    losses = read(text + "step 3 lr 0.1 loss 0.125.\n").needed_losses()
    assert time.perf_counter() - begun < 20
    assert {1, 3} <= set(losses.positions.tolist())
    assert losses.values[[0, -1]].tolist() == [0.25, 0.125]


def test_one_validation_alone_is_no_course() -> None:
    losses = read("step,lr,loss,val_loss\n0,0.1,3,\n1,0.1,2,\n2,0.1,1,1.5\n").needed_losses()
    assert (losses.name, len(losses.values)) == ("loss", 3)


def test_rows_without_a_finite_loss_are_left_out() -> None:
    losses = read("step,lr,loss\n0,0.1,3\n1,0.1,nan\n2,0.1,inf\n3,0.1,oops\n4,0.1,1\n").needed_losses()
    assert losses.positions.tolist() == [0, 4]
    assert [(remark.code, remark.rows) for remark in losses.remarks] == [("unreadable", 1), ("no loss", 2)]
    only = read("step,lr,loss\n0,0.1,nan\n1,0.1,nan\n")
    assert only.losses is None
    printed = read(
        "step 1 | lr 0.1 | loss 3.0\nstep 2 | lr 0.1 | loss nan\nstep 3 | lr 0.1 | loss 2.0\n"
    ).needed_losses()
    assert printed.positions.tolist() == [1, 3]


def test_a_resumed_run_writes_its_steps_again() -> None:
    rows = [*range(0, 100, 10), *range(50, 150, 10)]
    text = "step,lr,loss\n" + "".join(f"{step},0.1,{100 + place}\n" for place, step in enumerate(rows))
    losses = read(text).needed_losses()
    assert losses.positions.tolist() == list(range(0, 150, 10))
    assert losses.values.tolist() == [100, 101, 102, 103, 104, *range(110, 120)]
    assert [(remark.code, remark.rows) for remark in losses.remarks] == [("conflicts", 5)]


def test_losses_before_the_first_rate() -> None:
    text = lines(
        {"step": 0, "val_loss": 9.0}, {"step": 5, "val_loss": 8.0}, {"step": 10, "lr": 0.1}, {"step": 20, "lr": 0.1}
    )
    assert read(text).needed_losses().positions.tolist() == [0, 5]


def test_losses_by_epoch_are_never_taken_for_steps() -> None:
    by_step = [{"step": 10 * n, "lr": 0.1, "grad_norm": 1.0} for n in range(5)]
    trace = read(lines(*by_step, {"epoch": 0, "val_loss": 2.0}, {"epoch": 1, "val_loss": 1.0}))
    assert trace.losses is None
    with pytest.raises(LogError, match="by epoch, and not where these are in its steps"):
        trace.needed_losses()
    printed = "".join(f"Epoch [{e}][{b}/100] lr: 0.1 loss_cls: 1.0\n" for e in (1, 2) for b in (50, 100))
    both = read(printed + "Epoch 1 val loss: 2.0\nEpoch 2 val loss: 1.0\n").needed_losses()
    assert (both.axis, both.positions.tolist(), both.values.tolist()) == ("epoch", [1, 2], [2.0, 1.0])


def test_counted_rows() -> None:
    trace = read("lr,loss\n0.1,3\n0.2,2\n", count_rows=True)
    assert trace.needed_losses().positions.tolist() == [0, 1]
    apart = read("lr,loss\n0.1,3\n0.2,\n0.3,1\n", count_rows=True)
    assert apart.losses is None


@pytest.mark.parametrize("kind", ["bytes", "text", "gzip", "path"])
def test_any_way_to_open_it(kind: str, tmp_path: Path) -> None:
    text = CASES["nanoGPT"].text
    (tmp_path / "log.txt").write_text(text, encoding="utf-8")
    opened: Any = {
        "bytes": io.BytesIO(text.encode()),
        "text": io.StringIO(text),
        "gzip": io.BytesIO(gzip.compress(text.encode())),
        "path": tmp_path / "log.txt",
    }[kind]
    assert ks.read_trace(opened).needed_losses().values.tolist() == [10.95, 5.2]


def test_each_run_of_an_export_has_its_own_losses() -> None:
    text = "Step,a - lr,a - val_loss,b - lr,b - val_loss\n" + "".join(
        f"{n},0.1,{n + 1},0.2,{n + 5}\n" for n in range(3)
    )
    groups = read(text).groups
    found = {name: trace.needed_losses() for name, trace in groups.items()}
    assert {name: losses.values.tolist() for name, losses in found.items()} == {
        "a - lr": [1, 2, 3],
        "b - lr": [5, 6, 7],
    }


def test_a_long_log_is_thinned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kosine._logs.read.collect.MOST_ROWS", 100)
    text = "step,lr,loss\n" + "".join(f"{n},0.1,{1000 - n}\n" for n in range(1000))
    losses = read(text).needed_losses()
    assert 0 < len(losses.values) <= 100
    assert (losses.values == 1000 - losses.positions).all()
    assert [remark.code for remark in losses.remarks] == ["thinned"]


def write_events(folder: Path, tags: dict[str, list[tuple[int, float]]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    writer = EventFileWriter(str(folder))
    for tag, values in tags.items():
        for step, value in values:
            summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
            writer.add_event(Event(step=step, summary=summary))
    writer.close()


def test_event_files(tmp_path: Path) -> None:
    rates = [(0, 0.5), (10, 0.25)]
    write_events(
        tmp_path / "run", {"lr": rates, "train/loss": [(0, 4.0), (10, 2.0)], "val/loss": [(5, 5.0), (10, 3.0)]}
    )
    losses = ks.read_trace(tmp_path / "run").needed_losses()
    assert (losses.name, losses.positions.tolist(), losses.values.tolist()) == ("val/loss", [5, 10], [5.0, 3.0])
    chosen = ks.read_trace(tmp_path / "run", loss_column="train/loss").needed_losses()
    assert (chosen.kind, chosen.values.tolist()) == ("training", [4.0, 2.0])
    with pytest.raises(LogError, match=r"no `loss_column` 'loss'.* Found: the tags 'lr', 'train/loss', 'val/loss'"):
        ks.read_trace(tmp_path / "run", loss_column="loss")


def test_event_files_of_keras(tmp_path: Path) -> None:
    epochs = [(0, 4.0), (1, 2.0)]
    write_events(tmp_path / "train", {"epoch_learning_rate": [(0, 0.5), (1, 0.25)], "epoch_loss": epochs})
    write_events(tmp_path / "validation", {"epoch_loss": [(0, 5.0), (1, 3.0)]})
    losses = ks.read_trace(tmp_path).needed_losses()
    assert (losses.name, losses.kind, losses.axis) == ("validation/epoch_loss", "validation", "epoch")
    assert (losses.positions.tolist(), losses.values.tolist()) == ([1, 2], [5.0, 3.0])
    write_events(tmp_path / "steps" / "train", {"batch_lr": [(0, 0.5), (1, 0.25)]})
    write_events(tmp_path / "steps" / "validation", {"epoch_loss": epochs})
    assert ks.read_trace(tmp_path / "steps").losses is None
    assert ks.read_losses(tmp_path / "steps").values.tolist() == [4.0, 2.0]


def test_losses_of_a_log_without_rates() -> None:
    losses = ks.read_losses(io.StringIO("step,train_loss,val_loss\n100,5.5,5.6\n200,5.1,5.2\n"))
    assert (losses.kind, losses.axis, losses.positions.tolist()) == ("validation", "step", [100, 200])
    assert ks.read_losses(io.StringIO("step:0/9 val_loss:6.9\nstep:5/9 val_loss:2.1\n")).values.tolist() == [6.9, 2.1]
    epochs = ks.read_losses(io.StringIO(json.dumps({"loss": [3, 2], "val_loss": [4, 3]})))
    assert (epochs.axis, epochs.positions.tolist(), epochs.values.tolist()) == ("epoch", [1, 2], [4, 3])
    counted = ks.read_losses(io.StringIO("3.5\n3.0\n"), loss_column="1", count_rows=True)
    assert counted.positions.tolist() == [0, 1]


def test_a_loss_that_tensorboard_exports_is_named_by_its_file(tmp_path: Path) -> None:
    export = "Wall time,Step,Value\n1.5,0,4.5\n2.5,100,3.5\n"
    for name, kind in (("run-train-tag-val_loss.csv", "validation"), ("loss.csv", "training")):
        (tmp_path / name).write_text(export, encoding="utf-8")
        losses = ks.read_losses(tmp_path / name)
        assert (losses.kind, losses.values.tolist()) == (kind, [4.5, 3.5])
    (tmp_path / "lr.csv").write_text(export, encoding="utf-8")
    with pytest.raises(LogError, match=r"it names no loss\. If it is one, give `loss_column` Value"):
        ks.read_losses(tmp_path / "lr.csv")


def test_it_reads_the_same_losses_as_beside_rates() -> None:
    for case in CASES.values():
        beside, alone = read(case.text).needed_losses(), ks.read_losses(io.StringIO(case.text))
        assert (beside.name, beside.kind, beside.values.tolist()) == (alone.name, alone.kind, alone.values.tolist())


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("step,lr\n0,0.1\n", "No loss was found in the log.* `loss_column`"),
        ("loss\n1\n2\n", "no column of steps or epochs"),
        ("epoch,box_loss\n0,1\n1,2\n", "No loss was found.*'box_loss'"),
        ("", "The log is empty"),
        ("step,loss\n" + "".join(f"{n},{n + part}\n" for part in (0, 5, 9) for n in range(10)), "it holds"),
    ],
)
def test_a_log_that_gives_no_losses(text: str, match: str) -> None:
    with pytest.raises(LogError, match=match):
        ks.read_losses(io.StringIO(text))


def test_a_gap_in_the_losses_does_not_move_them() -> None:
    steps = np.arange(0, 5000, 10)
    plan = ks.warmup_cosine(peak=1e-3, warmup=100).plan(total_steps=5000)
    rows = [
        f"{step},{rate!r},{3 - step / 5000 if step % 250 == 0 else ''}\n"
        for step, rate in zip(steps.tolist(), plan(steps).tolist(), strict=True)
    ]
    losses = read("step,lr,val_loss\n" + "".join(rows)).needed_losses()
    assert losses.positions.tolist() == list(range(0, 5000, 250))


def test_validation_losses_that_may_be_parts_are_named() -> None:
    trace = read("step,lr,train_loss,val_loss_a,val_loss_b\n" + "".join(f"{i},0.1,3,{i},2\n" for i in range(9)))
    assert trace.losses is not None
    assert trace.losses.name == "train_loss"
    (remark,) = [each for each in trace.losses.remarks if each.code == "validation left"]
    assert "'val_loss_a', 'val_loss_b'" in remark.text
