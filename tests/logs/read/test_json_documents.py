"""JSON that is not one whole document: cut off, followed or preceded by something else, or several."""

from __future__ import annotations

import io
import json
import tracemalloc

import pytest

from kosine._logs.read.read import read_trace
from kosine._logs.trace import Trace
from kosine.errors import LogError

ROWS = [{"epoch": row / 10, "learning_rate": 0.5**row, "loss": 1.5, "step": 10 * row} for row in range(1, 9)]
STATE = {"epoch": 0.8, "log_history": ROWS, "max_steps": 80}


def read(text: str) -> Trace:
    return read_trace(io.BytesIO(text.encode()))


def codes(trace: Trace) -> list[str]:
    return [remark.code for remark in trace.remarks]


@pytest.mark.parametrize("indent", [None, 2])
def test_of_a_state_that_is_cut_off_the_whole_rows_are_read(indent: int | None) -> None:
    text = json.dumps(STATE, indent=indent)
    whole = [text.index("}", text.index(f'"step": {row["step"]}')) for row in ROWS]
    for end in range(whole[1] + 1, len(text), 7):
        trace = read(text[:end])
        count = sum(place < end for place in whole)
        assert trace.positions.tolist() == [row["step"] for row in ROWS[:count]]
        assert trace.rates.tolist() == [row["learning_rate"] for row in ROWS[:count]]
        assert trace.total is None
        (remark,) = trace.remarks
        assert remark.text.startswith("The JSON document breaks off (")
        assert remark.text.endswith(f"): {count} rows are read, which are whole.")


def test_of_lists_that_are_cut_off_the_last_number_is_dropped() -> None:
    trace = read('{"loss": [3, 2, 1], "lr": [0.1, 0.05, 0.02')
    assert (trace.rates.tolist(), codes(trace)) == ([0.1, 0.05], ["cut off"])


def test_lists_of_other_lengths_are_of_other_rows() -> None:
    rates = [0.5**row for row in range(6)]
    trace = read(json.dumps({"lr": rates, "epoch": [0, 1], "step": [0, 2, 4, 6, 8, 10]}))
    assert (trace.axis, trace.positions.tolist(), trace.rates.tolist()) == ("step", [0, 2, 4, 6, 8, 10], rates)
    text = json.dumps({"lr": rates, "loss": rates, "val_loss": [2.5, 2.0]})
    with pytest.raises(LogError, match="no column of steps or epochs beside them"):  # a rate for each batch, perhaps
        read(text)
    assert read_trace(io.StringIO(text), count_rows=True).axis == "step"


def test_nothing_that_is_whole() -> None:
    with pytest.raises(LogError, match="begins as a JSON document but is not one"):
        read(json.dumps(STATE, indent=2)[:60])
    with pytest.raises(LogError, match=r"rates \('lr'\), but no column of steps"):
        read('[{"lr": 0.1}, {"lr": 0.05}, {"lr')


def test_what_stands_around_a_document() -> None:
    text = json.dumps(STATE, indent=2)
    for before in ("// of a run\n", "# of a run\n\n", "\ufeff"):
        trace = read(before + text)
        assert (len(trace), trace.total, trace.remarks) == (8, 80, ())
    trace = read(text + "\nTerminated\n")
    assert (len(trace), codes(trace)) == (8, ["cut off"])
    assert "Something else follows the JSON document" in trace.remarks[0].text


def test_numbers_that_json_does_not_have() -> None:
    trace = read(
        json.dumps([*ROWS, {"step": 90, "learning_rate": float("nan")}, {"step": 95, "learning_rate": -1e999}])
    )
    assert (len(trace), codes(trace)) == (8, ["no rate"])


def test_documents_one_after_the_other() -> None:
    """Each is a row; or the one with the most rows is the log."""
    rows = "\n".join(json.dumps(row, indent=1) for row in ROWS)
    for between in ("", "\n", ",\n"):
        text = between.join(json.dumps(row) for row in ROWS)
        assert read(text).positions.tolist() == [row["step"] for row in ROWS]
        assert read(text).format == "Hugging Face log history"
    assert read(rows).positions.tolist() == [row["step"] for row in ROWS]
    trace = read(rows[:-9])
    assert (len(trace), codes(trace)) == (7, ["cut off"])
    earlier = json.dumps({**STATE, "log_history": ROWS[:3]}, indent=1)
    trace = read(f"{earlier}\n{json.dumps(STATE, indent=1)}")
    assert (len(trace), codes(trace)) == (8, ["other documents"])


SETTINGS = json.dumps({"lr": 0.5, "epochs": 300}, indent=1)


@pytest.mark.parametrize(
    "log",
    [
        "".join(f'{{"epoch": {epoch}, "lr": 0.{epoch}}}\n' for epoch in range(1, 5)),
        "epoch,lr\n1,0.1\n2,0.2\n3,0.3\n4,0.4\n",
        "".join(f"epoch {epoch} lr 0.{epoch}\n" for epoch in range(1, 5)),
        "\nnot JSON {\n  lr : 9\n}\n"
        + "".join(f'stats: {{"epoch": {epoch}, "lr": 0.{epoch}}}\n' for epoch in range(1, 5)),
    ],
    ids=["JSON lines", "CSV", "text", "prefixed"],
)
@pytest.mark.parametrize("settings", [SETTINGS, SETTINGS.replace("\n", ""), "{\n  lr : 0.5\n  epochs : 300\n}"])
def test_settings_before_the_rows_are_no_row(settings: str, log: str) -> None:
    trace = read(f"{settings}\n{log}")
    assert (trace.axis, trace.positions.tolist()) == ("epoch", [1, 2, 3, 4])
    assert trace.rates.tolist() == [0.1, 0.2, 0.3, 0.4]


def test_a_long_document_that_breaks_off_takes_bounded_memory_and_depth() -> None:
    with pytest.raises(LogError, match="nested too deeply"):
        read('{"a": ' * 100_000)
    with pytest.raises(LogError):
        read('{"a": [' * 300 + '{"step": 1, "lr": 2},')
    text = '{"log_history": [' + ", ".join(json.dumps(row) for row in ROWS * 400)
    tracemalloc.start()
    try:
        read(text)
        assert tracemalloc.get_traced_memory()[1] < 30 * len(text)
    finally:
        tracemalloc.stop()
