"""What goes wrong with logs: it is read nevertheless, with a remark, or refused with one clear error."""

from __future__ import annotations

import gzip
import io
import json
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from kosine._logs.precision import Precision
from kosine._logs.read import collect
from kosine._logs.read.read import read_trace
from kosine._logs.trace import Trace
from kosine.errors import ArgumentTypeError, LogError
from tests.support.real_logs import NAMES, real


def read(text: str | bytes, **arguments: Any) -> Trace:
    return read_trace(io.BytesIO(text.encode() if isinstance(text, str) else text), **arguments)


def remarks(trace: Trace) -> dict[str, int]:
    return {remark.code: remark.rows for remark in trace.remarks}


TABLE = "epoch,step,lr\n" + "".join(f"{step // 10},{step},{0.1 / (step + 1)!r}\n" for step in range(40))
NOISE = np.random.default_rng(0).bytes(5000)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TABLE.replace("1,12,", "epoch,step,lr\n1,12,"), {"unreadable": 1}),
        (TABLE.replace("1,12,", "1,12,NA\n1,12,"), {"no rate": 1}),
        (TABLE.replace("1,12,", "1,12,\n1,12,nan\n1,12,"), {"no rate": 2}),
        (TABLE.replace("1,12,", "\n\n# a note, of mine, here\n1,12,"), {"unreadable": 1}),
        (TABLE + "4,40", {"no rate": 1}),
        (TABLE + "4,40,0.00", {}),
        (TABLE.replace("1,12,", "1,12,0.5,6,7,8\n1,12,"), {"cells": 1}),
        (TABLE.replace("1,12,", '1,"12",'), {}),
        (TABLE.replace("1,12,", '1,13,"0.5\n1,12,'), {"conflicts": 1, "out of order": 1}),
        (TABLE.replace("\n", "\n\0\0"), {"zero bytes": 82}),
        (TABLE + TABLE[14:], {"doubles": 40, "out of order": 1, "starts again": 1}),
        (TABLE.replace("1,12,", "1,12,0.5\n1,12,"), {"conflicts": 1}),
        (TABLE.replace("1,12,", '"' + "x" * 200_000 + '",-,x\n1,12,'), {"unreadable": 1}),
        (TABLE.replace("1,12,", "x" * 5_000_000 + "\n1,12,"), {"long lines": 1}),
    ],
)
def test_odd_rows_of_a_table(text: str, expected: dict[str, int]) -> None:
    trace = read(text)
    assert trace.rates[:40].tolist() == [0.1 / (step + 1) for step in range(40)] or "0.5\n1,12" in text
    assert trace.positions[:40].tolist() == list(range(40))
    assert remarks(trace) == expected


def test_two_ranks_write_one_file() -> None:
    rows = [line for line in TABLE.splitlines(keepends=True)[1:] for _ in range(2)]
    rows[3], rows[4] = rows[4], rows[3]
    trace = read("epoch,step,lr\n" + "".join(rows))
    assert trace.positions.tolist() == list(range(40))
    assert remarks(trace) == {"out of order": 1, "doubles": 40}


def test_a_run_that_was_resumed_writes_its_steps_again() -> None:
    lines = TABLE.splitlines(keepends=True)
    again = [line.replace(",0.", ",1.") for line in lines[21:]]
    trace = read("".join(lines[:31] + again))
    assert trace.rates[19] < 1 < trace.rates[20]
    assert remarks(trace) == {"out of order": 1, "conflicts": 10}
    assert "from 29 to 20" in trace.remarks[0].text


def test_odd_lines_of_json() -> None:
    rows = [json.dumps({"step": step, "lr": 0.5**step}) for step in range(10)]
    odd = ["not json", '{"step": 3', "[1, 2]", '{"step": 4, "lr": null}', '{"step": true, "lr": 1}', "[" * 100_000]
    odd += ['{"step": 5, "lr": "high"}', '{"step": 1' + "0" * 5000 + ', "lr": 1}', '{"note": {"a": {"b": {}}}}']
    trace = read("\n".join([*rows[:5], *odd, *rows[5:], '{"step": 10, "l']))
    assert trace.positions.tolist() == list(range(10))
    assert trace.rates.tolist() == [0.5**step for step in range(10)]
    told = remarks(trace)
    assert told == {"no JSON": 6, "unreadable": 2, "no rate": 2}


def test_text_among_other_text() -> None:
    log = "step 3 had lr 0.5, I think\n" + real("megatron_cosine_skipped_start").text
    trace = read(log.replace("\n", "\r\n\x1b[32mINFO\x1b[0m: \xe9\n"))
    assert trace.format == "Megatron-LM output"
    assert len(trace) == 20
    assert len(trace.groups) == 1


def test_steps_in_a_text_count_more_than_epochs() -> None:
    trace = read("epoch 3 began, lr 0.5\nstep 1 lr 0.1\nepoch 3 ended, lr 0.5\nstep 2 lr 0.05\n")
    assert (trace.axis, trace.positions.tolist(), trace.rates.tolist()) == ("step", [1, 2], [0.1, 0.05])


def epochs(*rows: tuple[int, int]) -> Trace:
    """The trace of a long table of (epoch, step), which is read in several parts."""
    text = "".join(f"{epoch},{step},{1 / (step + epoch + 1)!r}\n" for epoch, step in rows)
    return read(f"epoch,step,lr\n{text}")


def test_steps_of_long_epochs() -> None:
    """They go back for the first time where some parts of the file are read already."""
    trace = epochs(*((epoch, step) for epoch in range(3, 6) for step in range(50_000)))
    assert trace.axis == "epoch"
    assert trace.positions[[0, 49_999, 50_000, -1]].tolist() == [3, 3.99998, 4, 5.99998]
    assert remarks(trace) == {"steps of each epoch": 2}


def test_rows_that_do_not_tell_their_epoch() -> None:
    assert read("epoch,step,lr\n0,0,0.1\n,1,0.2\n1,0,0.3\n,1,0.4\n").positions.tolist() == [0, 0.5, 1, 1.5]


def test_steps_that_go_back_late() -> None:
    rows = [(step // 10_000, step) for step in range(150_000)]
    trace = epochs(*rows[:120_000], (13, 99_000), *rows[120_000:])
    assert trace.axis == "step"
    assert trace.positions.tolist() == list(range(150_000))
    assert trace.rates[99_000] == 1 / 99_014


def test_more_steps_than_any_epoch_has() -> None:
    steps = [1, 2, 1, 2, 5 * 10**9, 6 * 10**9, 5 * 10**9 + 1]
    trace = epochs(*enumerate(steps))
    assert (trace.axis, trace.positions.tolist()) == ("step", sorted(set(steps)))


def test_own_columns() -> None:
    table = "seen samples,eta\n100,0.5\n200,0.25\n"
    with pytest.raises(LogError, match="columns 'seen samples', 'eta'"):
        read(table)
    trace = read(table, step_column="seen samples", rate_column="eta")
    assert (trace.axis, trace.name, trace.positions.tolist(), trace.rates.tolist()) == (
        "sample",
        "eta",
        [100, 200],
        [0.5, 0.25],
    )
    trace = read("epoch,step,lr,tokens\n0,1,0.5,1024\n0,2,0.25,2048\n", step_column="tokens")
    assert (trace.axis, trace.positions.tolist()) == ("token", [1024, 2048])
    trace = read('{"n": 1, "eta": 0.5}\n{"n": 2, "eta": 0.25}\n', step_column="n", rate_column="eta")
    assert trace.positions.tolist() == [1, 2]
    trace = read('{"a": {"n": [1, 2], "eta": [0.5, 0.25]}}', step_column="n", rate_column="eta")
    assert trace.positions.tolist() == [1, 2]
    trace = read("now t=1 and eta = 0.5\nnow t=2 and eta = 2.5e-1\n", step_column="t", rate_column="eta")
    assert (trace.positions.tolist(), trace.rates.tolist()) == ([1, 2], [0.5, 0.25])
    trace = read("0 0.5\n1 0.25\n".replace(" ", "\t"), step_column="1", rate_column="2")
    assert (trace.positions.tolist(), trace.rates.tolist()) == ([0, 1], [0.5, 0.25])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The log is empty"),
        ("\n \n", "The log is empty"),
        ("epoch,loss\n0,1.5\n", "Found: columns 'epoch', 'loss'"),
        ("lr,loss\n0.1,1.5\n", "Found: columns 'lr', 'loss'"),
        ("Once upon a time\n", "Found: a first line 'Once upon a time'"),
        ('{"step": 1, "loss": 2}\n{"step": 2, "loss": 2}\n', "JSON lines with the keys 'step', 'loss'"),
        ('{"a": {"b": [1, 2]}}', "Found: the keys 'a', 'b'"),
        ("[]", "Found: no objects"),
        ('{"log_history": [', "begins as a JSON document but is not one"),
        ('{"a": ' * 100_000, "nested too deeply"),
        ("step,lr\n", "no row of it has both a position and a rate"),
        ("step,lr\n1,nan\n2,\n", "no row of it has both a position and a rate"),
        ("step,lr\n1,-0.5\n", "must be >= 0"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(32)) * 100, "The file is binary"),
        (b"PK\x03\x04" + NOISE, "The file is binary"),
        (NOISE, "The file is binary"),
    ],
)
def test_one_clear_error(text: str | bytes, message: str) -> None:
    with pytest.raises(LogError) as caught:
        read(text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1500


def test_what_was_looked_for_is_listed() -> None:
    with pytest.raises(LogError) as caught:
        read("epoch,loss\n0,1.5\n")
    for name in ("Keras", "TensorBoard", "Megatron-LM", "llm.c", "YOLO", "`step_column`", "`rate_column`"):
        assert name in str(caught.value)


def test_columns_that_are_not_there() -> None:
    with pytest.raises(LogError, match=r"no `step_column` 'nope' that could be read. Found: columns 'step', 'lr'"):
        read("step,lr\n1,0.5\n", step_column="nope")
    with pytest.raises(LogError, match=r"no `step_column` 'no' and `rate_column` 'nope'"):
        read('{"step": 1, "lr": 2}\n{"step": 2, "lr": 2}\n', step_column="no", rate_column="nope")
    with pytest.raises(LogError, match=r"has no `rate_column` 'nope'"):
        read('{"step": 1, "lr": 2}\n{"step": 2, "lr": 2}\n', step_column="step", rate_column="nope")
    with pytest.raises(LogError, match="no `rate_column` 'nope'"):
        read("step 1 lr 0.5\n", rate_column="nope")


def test_groups() -> None:
    table = "step,lr-AdamW/pg1,lr-AdamW/pg2\n0,0.1,0.2\n1,0.05,\n"
    trace = read(table)
    assert trace.name == "lr-AdamW/pg1"
    assert trace.groups["lr-AdamW/pg1"] is trace
    assert trace.groups["lr-AdamW/pg2"].groups is trace.groups
    assert read(table, group="pg2").positions.tolist() == [0]
    with pytest.raises(LogError, match="one of the log's param groups: 'lr-AdamW/pg1', 'lr-AdamW/pg2'"):
        read(table, group="pg")
    with pytest.raises(LogError, match="Argument `group`"):
        read(table, group=" ")


def test_names_of_runs_are_no_names_of_columns() -> None:
    """Weights & Biases writes the name of the run before that of the metric."""
    table = "Step,lr-sweep - train/loss,sgd-momentum - train/lr,lr find - lr\n0,1.5,0.1,0.2\n"
    assert list(read(table).groups) == ["sgd-momentum - train/lr", "lr find - lr"]


def test_columns_that_are_no_rates() -> None:
    table = "step,max_lr,lr_scale,dropout_rate,clr,lrs,lr-Adam-weight_decay,opt/lr_group0\n0,1,2,3,4,5,6,0.5\n"
    assert list(read(table).groups) == ["opt/lr_group0"]


def test_more_groups_than_anybody_has() -> None:
    columns = [f"run {number} - lr" for number in range(100)]
    trace = read("step," + ",".join(columns) + "\n" + "1" + ",0.5" * 100 + "\n")
    assert len(trace.groups) == 64
    assert remarks(trace)["many groups"] == 36


def test_paths(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_trace(tmp_path / "nothing.csv")
    with pytest.raises(LogError, match="no TensorBoard event files"):
        read_trace(tmp_path)
    with pytest.raises(LogError, match="must be the path of a file"):
        read_trace("a\0b")
    with pytest.raises(ArgumentTypeError, match="Argument `path`"):
        read_trace(5)  # type: ignore[arg-type]  # what is tested
    with pytest.raises(ArgumentTypeError, match="Argument `step_column`"):
        read_trace("log", step_column=5)  # type: ignore[arg-type]  # what is tested
    (tmp_path / "log.txt").write_text(TABLE)
    assert read_trace(str(tmp_path / "log.txt")).source == str(tmp_path / "log.txt")
    with (tmp_path / "log.txt").open() as file:
        assert len(read_trace(file)) == 40


def test_a_link_that_leads_nowhere_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "events").symlink_to(tmp_path / "nothing")
    with pytest.raises(LogError, match="no TensorBoard event files"):
        read_trace(tmp_path)


class Endless(io.RawIOBase):
    """A file of many bytes, which are made when they are read."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        return next(self._parts, b"")


def rows(first: int, last: int) -> bytes:
    return "".join(f"{step},{1 / (step + 1)!r}\n" for step in range(first, last)).encode()


def test_a_long_log_is_thinned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "MOST_ROWS", 1000)
    parts = iter([b"step,lr\n", *(rows(first, first + 5000) for first in range(0, 100_000, 5000))])
    trace = read_trace(Endless(parts))
    assert 500 < len(trace) <= 1000
    (step,) = set(np.diff(trace.positions).tolist())
    assert step == 128
    assert trace.rates.tolist() == [1 / (position + 1) for position in trace.positions.tolist()]
    assert remarks(trace) == {"thinned": 100_000 - len(trace)}


def test_groups_that_take_turns_are_all_thinned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "MOST_ROWS", 1000)
    monkeypatch.setattr(collect, "BLOCK", 100)
    text = "schedule,step,rate\n" + "".join(f"{'ab'[row % 2]},{row // 2},0.5\n" for row in range(5000))
    trace = read(text)
    assert [250 < len(one) <= 500 for one in trace.groups.values()] == [True, True]


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "MOST_ROWS", 10_000)
    lines = b"INFO nothing of interest, but long\n" * 30_000
    texts = (b" iteration %d/ 100 | learning rate: 1.0E-04 |\n" % number + lines for number in range(60))
    bomb = gzip.compress(b"step,lr\n") + gzip.compress(b"0" * 1_000_000) * 200
    tracemalloc.start()
    try:
        assert len(read_trace(Endless(texts))) == 60
        endless = (b"x" * 1_000_000 for _ in range(60))
        with pytest.raises(LogError):
            read_trace(Endless(endless))
        with pytest.raises(LogError):
            read(bomb)
        assert tracemalloc.get_traced_memory()[1] < 60_000_000
    finally:
        tracemalloc.stop()


def test_a_document_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kosine._logs.read.log_reader.LARGEST", 1000)
    monkeypatch.setattr("kosine._logs.read.json_document.LARGEST", 1000)
    with pytest.raises(LogError, match="can have 1,000 characters at most"):
        read(json.dumps({"lr": [0.5] * 1000}))


def test_damaged_gzip() -> None:
    data = gzip.compress(TABLE.encode() * 100)
    assert remarks(read(data[:-50]))["damaged"] == 1
    broken = bytearray(data)
    broken[len(data) // 2 :] = NOISE[: len(data) - len(data) // 2]
    with suppress(LogError):  # where nothing was left of it
        assert remarks(read(bytes(broken)))["damaged"] == 1


PARTS = [
    b"step,lr\n",
    b"epoch;loss;lr\n",
    b"1,0.5\n",
    b"2,nan\r\n",
    b'"3",1e-5\n',
    b'{"step": 1, "lr": 0.5}\n',
    b'{"log_history": [{"step": 1, "learning_rate": 0.1}, ',
    b'{"lr": [1, 2]}',
    b"]}",
    b" iteration 10/ 100 | learning rate: 1.0E-04 | number of skipped iterations: 99999999999999999999 |\n",
    b"step=10, skipped=1, lr=[0.1, 1e999]\n",
    b"s:1 trl:1 lr:0.1\n",
    b"1epoch:train:1-50batch: optim0_lr0=1e-5\n",
    b"Epoch(train) [1][50/100] lr: 1e-3\n",
    b"step 99999999999999999999999999 lr 0.5\n",
    b"- INFO - Epoch [1][50/930]\tlr: 1e-3\n",
    b"Epoch [2][0/0]\tlr: 1e-3\n",
    b"Epoch 2/3\n",
    b"\x1b[1m10/10\x1b[0m 1s 3ms/step - loss: 1 - learning_rate: 0.0010\x08\n",
    b"Epoch 1:   5%|#  | 5/0 [00:01<00:04, 19.5it/s, lr=1e-4]\r",
    b"  3%|#   | 30/100 [00:01<00:04, 19.5it/s]\r",
    b"{'learning_rate': 0.1, 'epoch': 0.01}\n",
    b"{'learning_rate': '0.2', 'epoch': '1e-05'}\n",
    b'json_stats: {"epoch": "1/3", "iter": "99/0", "lr": 0.1}\n',
    b"epoch 3 || iter 70\n",
    b"->> lr: 0.25\n",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\x1f\x8b\x08\x00",
    b"\0\0\0\0\0\0\0\0\0\0\0\0\0\x1a\x0dbrain.Event:2",
    b"-1,1e400\n",
    b"1e300,0.1\n",
    b"9223372036854775807,0.25\n",
]


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PARTS) | st.binary(max_size=20), max_size=12))
def test_whatever_a_file_holds(parts: list[bytes]) -> None:
    with suppress(LogError):
        trace = read(b"".join(parts))
        assert len(trace)
        assert np.isfinite(trace.rates).all()


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(NAMES), st.data())
def test_a_real_log_that_was_damaged(name: str, data: st.DataObject) -> None:
    log = bytearray(real(name).text.encode())
    for _ in range(data.draw(st.integers(0, 5))):
        place = data.draw(st.integers(0, len(log) - 1))
        log[place : place + data.draw(st.integers(0, 100))] = data.draw(st.binary(max_size=10))
    with suppress(LogError):
        assert len(read(bytes(log)))


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 100))
def test_a_damaged_event_file(tmp_path_factory: pytest.TempPathFactory, junk: bytes, place: int) -> None:
    from tensorboard.compat.proto.event_pb2 import Event

    records = [Event(file_version="brain.Event:2"), Event(step=1)]
    records[1].summary.value.add(tag="lr", simple_value=0.5)
    data = b""
    for record in records:
        text = record.SerializeToString()
        data += len(text).to_bytes(8, "little") + bytes(4) + text + bytes(4)
    file = tmp_path_factory.mktemp("events") / "file"
    file.write_bytes(data[:place] + junk + data[place:])
    with suppress(LogError):
        assert len(read_trace(file))


@pytest.mark.parametrize("rows", [20_000, 200_000])
def test_document_on_one_line(rows: int) -> None:
    rates = [1e-3 / (row + 1) for row in range(rows)]
    trace = read_trace(io.BytesIO(json.dumps({"loss": [1.0] * rows, "learning_rate": rates}).encode()))
    assert trace.rates.tolist() == rates


def test_json_tells_how_its_rates_were_printed() -> None:
    rates = [f"{1e-3 * 0.99**row:.3e}" for row in range(50)]
    lines = "".join(f'{{"step": {row}, "lr": {rate}}}\n' for row, rate in enumerate(rates))
    document = '{"lr": [' + ", ".join(rates) + "]}"
    for text in (lines, document):
        trace = read_trace(io.BytesIO(text.encode()))
        assert trace.precision == Precision(digits=4)
        assert trace.rates.tolist() == [float(rate) for rate in rates]
