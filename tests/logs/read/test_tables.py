"""Tables that lack names or positions, or are drawn for people, and rows that are counted."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from kosine._logs.read.read import read_trace
from kosine._logs.trace import Trace
from kosine.errors import ArgumentTypeError, LogError
from tests.support.known_logs import FOLDER


def read(text: str, **arguments: Any) -> Trace:
    return read_trace(io.BytesIO(text.encode()), **arguments)


def refusal(text: str, **arguments: Any) -> str:
    with pytest.raises(LogError) as caught:
        read(text, **arguments)
    return str(caught.value)


NO_POSITION = {
    "CSV": "loss,lr\n2.5,0.1\n2.0,0.05\n",
    "one column": "lr\n0.1\n0.05\n",
    "below a title": "Training of Nov 28, 2026\nloss,lr\n2.5,0.1\n2.0,0.05\n",
    "aligned": "loss     lr\n 2.5    0.1\n 2.0   0.05\n",
    "Markdown": "| loss | lr |\n|---|---:|\n| 2.5 | 0.1 |\n| 2.0 | 0.05 |\n",
    "JSON lines": '{"loss": 2.5, "lr": 0.1}\n{"loss": 2.0, "lr": 0.05}\n',
    "JSON": json.dumps({"log": [{"loss": 2.5, "lr": 0.1}, {"loss": 2.0, "lr": 0.05}]}),
}


@pytest.mark.parametrize("kind", NO_POSITION)
def test_a_rate_without_a_position_is_refused_and_can_be_counted(kind: str) -> None:
    text = NO_POSITION[kind]
    for asked in ({}, {"rate_column": "lr"}):
        message = refusal(text, **asked)
        assert "The log has learning rates ('lr'), but no column of steps or epochs beside them." in message
        assert "count the rows as 0, 1, 2, ... with `count_rows`" in message
    trace = read(text, count_rows=True)
    assert (trace.axis, trace.positions.tolist(), trace.rates.tolist()) == ("step", [0, 1], [0.1, 0.05])
    (remark,) = trace.remarks
    assert (remark.code, remark.rows) == ("counted", 2)
    assert remark.text == "The rows that have a rate are counted, from 0, as steps."


def test_text_without_a_position_can_be_counted() -> None:
    trace = read("loss 2.5 lr 0.1\nsaved\nloss 2.0 lr 0.05\n", count_rows=True)
    assert (trace.axis, trace.positions.tolist(), trace.rates.tolist()) == ("step", [0, 1], [0.1, 0.05])
    assert [remark.code for remark in trace.remarks] == ["counted"]


def test_rows_with_results_of_an_evaluation_are_epochs() -> None:
    assert read_trace(FOLDER / "detr.txt", count_rows=True).axis == "epoch"
    assert read("loss,val_loss,lr\n2,3,0.1\n1,2,0.05\n", count_rows=True).axis == "epoch"
    assert read_trace(FOLDER / "nopos.csv", count_rows=True).axis == "step"


def test_an_index_of_rows_counts_what_the_rows_are() -> None:
    """As pandas writes the History of Keras."""
    assert read(",loss,val_loss,lr\n0,2.5,2.6,0.1\n1,2.0,2.1,0.05\n").axis == "epoch"
    assert read("Unnamed: 0,loss,lr\n0,2.5,0.1\n1,2.0,0.05\n").axis == "step"


def test_names_of_positions() -> None:
    for name in ("Global Step", "train/global_step", "NumIters", "iters", "training_step"):
        assert read(f"{name},LearningRate\n0,0.1\n50,0.05\n").positions.tolist() == [0, 50]
    assert read("lr,Epoch Num\n0.1,0\n0.05,1\n").axis == "epoch"


def test_only_rows_with_a_rate_are_counted() -> None:
    """Loggers leave cells blank where a row is about something else."""
    table = "lr,loss,other/lr\n0.1,,\n,2.5,0.7\n0.05,,\n0.02,,0.6\n"
    trace = read(table, count_rows=True)
    assert (trace.positions.tolist(), trace.rates.tolist()) == ([0, 1, 2], [0.1, 0.05, 0.02])
    assert trace.groups["other/lr"].positions.tolist() == [0, 1]


def test_counting_goes_on_over_the_parts_of_a_long_file() -> None:
    trace = read("lr,loss\n" + "".join(f"{1 / (row + 1)!r},1\n" for row in range(100_000)), count_rows=True)
    assert trace.positions[[0, 70_000, -1]].tolist() == [0, 70_000, 99_999]
    assert trace.rates[70_000] == 1 / 70_001


def test_a_position_that_is_there_can_be_passed_over() -> None:
    assert read("step,lr\n7,0.1\n7,0.05\n", count_rows=True).positions.tolist() == [0, 1]
    with pytest.raises(LogError, match=r"`step_column` must be None where rows are counted \(`count_rows`\)"):
        read("step,lr\n7,0.1\n", count_rows=True, step_column="step")
    with pytest.raises(ArgumentTypeError, match="Argument `count_rows` must be True or False"):
        read("step,lr\n7,0.1\n", count_rows=1)


BARE = {
    "comma": ("0,0.1,5\n1,0.05,4\n", "1", "2"),
    "a date with a comma": ('"Nov 28, 2026",0,0.1\n"Nov 29, 2026",1,0.05\n', "2", "3"),
    "semicolon, decimal commas": ("0;0,1\n1;0,05\n", "1", "2"),
    "spaces": ("  0   0.1\n  1   0.05\n", "1", "2"),
    "below names of others": ("a,b\n0,0.1\n1,0.05\n", "1", "2"),
    "JSON": ("[[17.5, 0, 0.1], [18.5, 1, 0.05]]", "2", "3"),
}


@pytest.mark.parametrize("kind", BARE)
def test_columns_by_their_numbers(kind: str) -> None:
    text, step, rate = BARE[kind]
    trace = read(text, step_column=step, rate_column=rate)
    assert (trace.positions.tolist(), trace.rates.tolist()) == ([0, 1], [0.1, 0.05])
    assert read(text, rate_column=rate, count_rows=True).rates.tolist() == [0.1, 0.05]


def test_columns_by_numbers_that_are_not_there() -> None:
    assert "has no `rate_column` '7'" in refusal("0,0.1\n1,0.2\n", step_column="1", rate_column="7")
    assert "has no `step_column` '0'" in refusal("0,0.1\n1,0.2\n", step_column="0", rate_column="2")
    assert "a table without a header: its 2 columns are known by number" in refusal("0,0.1\n1,0.2\n")
    assert "its only column is known by number" in refusal("0.1\n0.2\n")
    assert read("0.1\n0.2\n", count_rows=True).rates.tolist() == [0.1, 0.2]


def test_a_number_alone_on_a_line_of_text_is_no_table() -> None:
    assert "Found: a first line 'Starting'" in refusal("Starting\n12\ndone\n")
    assert "Found: a first line 'Starting'" in refusal("\nStarting\n12\n", count_rows=True)


DRAWN = {
    "aligned": "epoch      lr   loss\n    0     0.1    2.5\n    1    0.05    2.0\n",
    "names with spaces": "Epoch   Learning Rate   Loss\n    0             0.1    2.5\n    1            0.05    2.0\n",
    "pandas": "   epoch    lr  loss\n0      0  0.10   2.5\n1      1  0.05   2.0\n",
    "Markdown": "| epoch | lr |\n|---|---:|\n| 0 | 0.1 |\n| 1 | 0.05 |\n",
    "bold and code": "| **Epoch** | **LR** |\n|:-:|:-:|\n| 0 | `1e-1` |\n| 1 | `5e-2` |\n",
    "with rules": "+-------+------+\n| epoch | lr   |\n+-------+------+\n| 0 | 0.1 |\n| 1 | 0.05 |\n+-------+------+\n",
    "numpy": "# epoch lr\n0.000e+00 1.000e-01\n1.000e+00 5.000e-02\n",
    "tabs and a comment": "# epoch\tlr\n0\t0.1\n1\t0.05\n",
    "commas and a comment": "#epoch,lr\n0,0.1\n1,0.05\n",
}


@pytest.mark.parametrize("kind", DRAWN)
def test_tables_for_people(kind: str) -> None:
    trace = read(DRAWN[kind])
    assert (trace.axis, trace.positions.tolist(), trace.rates.tolist()) == ("epoch", [0, 1], [0.1, 0.05])
    assert trace.remarks == ()


def test_words_in_a_row_are_no_header() -> None:
    trace = read("now step and lr follow\nstep 1 lr 0.1\nstep 2 lr 0.05\n")
    assert (trace.format, trace.positions.tolist()) == ("text with a step and a rate", [1, 2])
    trace = read("step, lr\nstep 1 lr 0.1\nstep 2 lr 0.05\n")
    assert (trace.format, trace.positions.tolist()) == ("text with a step and a rate", [1, 2])
    assert "no `rate_column`" not in refusal("a | step | lr\nnothing here\n")


EXPORT = "Wall time,Step,Value\n1654943296.2,0,0.1\n1654943313.7,1,0.05\n"


def test_a_scalar_that_tensorboard_exports_is_named_by_its_file(tmp_path: Path) -> None:
    for name in ("run-.-tag-lr-AdamW.csv", "run-train-tag-train_learning_rate.csv", "lr.csv"):
        (tmp_path / name).write_text(EXPORT)
        assert read_trace(tmp_path / name).rates.tolist() == [0.1, 0.05]
    for name in ("run-lr0.1-tag-loss.csv", "lr0.1_loss.csv"):
        (tmp_path / name).write_text(EXPORT)
        with pytest.raises(LogError, match=r"names no learning rate. If it is one, give `rate_column` Value"):
            read_trace(tmp_path / name)
    assert read(EXPORT, rate_column="Value").positions.tolist() == [0, 1]


LENGTHS = {
    "rows": ('{"step": 1, "lr": 0.1, "max_steps": 30}\n{"step": 2, "lr": 0.05, "max_steps": 30}\n', 30, None),
    "a table": ("step,total_steps,lr\n1,30,0.1\n2,30,0.05\n", 30, None),
    "epochs": ("epoch,num_epochs,max_steps,lr\n0,30,999,0.1\n1,30,999,0.05\n", 30, None),
    "settings": (json.dumps({"a": {"max_steps": 30}, "b": [{"step": 1, "lr": 1}, {"step": 2, "lr": 2}]}), 30, None),
    "unknown": (json.dumps({"max_steps": -1, "b": [{"step": 1, "lr": 1}, {"step": 2, "lr": 2}]}), None, None),
    "a counter": ("step,total_steps,lr\n1,30,0.1\n2,31,0.05\n", None, "'total_steps' changes within the log"),
    "too short": ("step,max_steps,lr\n1,30,0.1\n31,30,0.05\n", None, "gives the run 30 steps and has rows up to"),
}


@pytest.mark.parametrize("kind", LENGTHS)
def test_the_length_of_the_run(kind: str) -> None:
    text, total, remark = LENGTHS[kind]
    trace = read(text)
    assert trace.total == total
    assert [remark is not None and remark in each.text for each in trace.remarks] == ([True] if remark else [])


def test_a_header_of_more_columns_further_down() -> None:
    """A run that goes on with another metric, or two runs in one file."""
    trace = read("epoch,loss,lr\n0,2.5,0.1\n1,2.0,0.05\nepoch,acc,lr,loss\n2,0.5,0.02,1.5\n3,0.6,0.01,1.2\n")
    assert (trace.positions.tolist(), trace.rates.tolist()) == ([0, 1, 2, 3], [0.1, 0.05, 0.02, 0.01])
    assert trace.remarks == ()


def test_rows_below_a_header_of_another_axis_are_left_out() -> None:
    trace = read("epoch,lr\n0,0.1\n1,0.05\nstep,lr\n0,0.1\n100,0.05\n200,0.02\nepoch,lr\n2,0.02\n")
    assert (trace.axis, trace.positions.tolist(), trace.rates.tolist()) == ("epoch", [0, 1, 2], [0.1, 0.05, 0.02])
    assert [(remark.code, remark.rows) for remark in trace.remarks] == [("other rows", 3)]


def test_rows_that_do_not_fit_the_header_are_left_out() -> None:
    trace = read("epoch,lr\n0,0.1\n1,0.05,\n2,0.02,0.5\n3,0.01\n")
    assert (trace.positions.tolist(), trace.rates.tolist()) == ([0, 1, 3], [0.1, 0.05, 0.01])
    assert [(remark.code, remark.rows) for remark in trace.remarks] == [("cells", 1)]
    assert "no row of it has both a position and a rate" in refusal("epoch,lr\n0,0,1\n1,0,05\n")


def test_a_table_with_a_row_for_each_run_is_no_log() -> None:
    assert "All 3 rows are at epoch 99" in refusal("model,epoch,lr\na,99,0.1\nb,99,0.1\nc,99,0.1\n")
    assert len(read("rank,epoch,lr\n0,1,0.1\n1,1,0.1\n0,2,0.05\n1,2,0.05\n")) == 2


def test_a_position_and_a_rate_in_different_rows() -> None:
    message = refusal('{"step": 1, "loss": 2.5}\n{"lr": 0.1}\n{"step": 2, "loss": 2.0}\n')
    assert message == "The log has learning rates ('lr'), but no row of it has both a position and one."
