"""Text logs whose rows are of several kinds, or hard to place."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import kosine as ks
from kosine._logs.check.check import check
from kosine._logs.infer.infer import infer
from kosine._logs.precision import Precision
from kosine._logs.read import collect
from kosine._logs.read.read import read_trace
from kosine._logs.trace import Trace
from kosine.errors import LogError
from tests.support.known_logs import FOLDER

HF_SPEED = 2178.78
"""Steps of an epoch, as gradients that are accumulated over several batches give them."""
HF = ks.parse("Schedule(linear(500, start=0.0, to=5e-05), linear(to=0.0))").plan(total_steps=15_000)


def read(text: str, **arguments: Any) -> Trace:
    return read_trace(io.BytesIO(text.encode()), **arguments)


def remarks(trace: Trace) -> dict[str, int]:
    return {remark.code: remark.rows for remark in trace.remarks}


# --- several kinds in one file ----------------------------------------------------------------------------------------


def megatron(rows: int) -> str:
    return "".join(f" iteration {row}/ 100 | learning rate: {row}.0E-04 |\n" for row in range(1, rows + 1))


def deepspeed(rows: int) -> str:
    return "".join(f"[Rank 0] step={row}, skipped=0, lr=[{row}e-3], mom=[0]\n" for row in range(1, rows + 1))


@pytest.mark.parametrize("others", [0, 1, 5])
@pytest.mark.parametrize("first", [False, True])
def test_the_kind_with_the_most_rows_is_read(others: int, first: bool) -> None:
    parts = [deepspeed(others), megatron(6)]
    trace = read("".join(parts if first else parts[::-1]))
    assert trace.format == "Megatron-LM output"
    assert trace.positions.tolist() == [1, 2, 3, 4, 5, 6]
    assert remarks(trace) == ({"other kinds": others} if others else {})


def test_what_is_left_out_is_said_with_counts() -> None:
    text = deepspeed(2) + megatron(5) + '{"step": 1, "lr": 0.5}\nEpoch 3: lr 0.1\n'
    (remark,) = read(text).remarks
    assert remark.rows == 4
    for count in ("2 rows of DeepSpeed output", "1 row of table", "1 row of text with an epoch and a rate"):
        assert count in remark.text


def test_of_equal_kinds_the_one_that_is_known_better_is_read() -> None:
    assert read(deepspeed(3) + megatron(3)).format == "Megatron-LM output"
    assert read("Epoch 1 lr 0.5\nstep 1 lr 0.1\n").axis == "step"


def test_a_known_log_whose_start_is_of_another_kind() -> None:
    trace = read_trace(FOLDER / "megds.out")
    assert (trace.format, len(trace), trace.total) == ("Megatron-LM output", 40, 1000)
    assert str(infer(trace).schedule) == "Schedule(linear(8, start=0.0, to=0.00015), hold())"
    plan = ks.warmup_cosine(peak=99.0, warmup=8).plan(total_steps=800)
    assert not check(trace, plan).follows


def test_objects_after_settings_and_words() -> None:
    settings = "{\n  optnet_optimize : true\n  lr : 0.1\n}\n"
    rows = "".join(f'{{"lr": {0.1 / epoch!r}, "epoch": {epoch}}}\n' for epoch in range(1, 5))
    for text in (settings + rows, "Started.\n" + rows, settings + rows.replace("{", "json_stats: {")):
        trace = read(text)
        assert trace.positions.tolist() == [1, 2, 3, 4]
        assert trace.rates.tolist() == [0.1 / epoch for epoch in range(1, 5)]


def test_objects_with_positions_of_two_numbers() -> None:
    """As SlowFast writes them."""
    line = '[11/08 09:34:30][INFO] logging.py:   98: json_stats: {{"_type": "train_{}", {}"lr": {}, "loss": 3.1}}\n'
    text = "".join(
        line.format("iter", f'"epoch": "{epoch}/3", "iter": "{batch}/40", ', f"0.{epoch}{batch}")
        + line.format("epoch", f'"epoch": "{epoch}/3", ', "0.5") * (batch == 30)
        for epoch in (1, 2, 3)
        for batch in (10, 20, 30)
    )
    trace = read(text)
    assert trace.positions == pytest.approx([epoch + (batch - 1) / 40 for epoch in range(3) for batch in (10, 20, 30)])
    assert (trace.axis, trace.steps_per_epoch, remarks(trace)["other rows"]) == ("epoch", 40, 3)


def test_options_of_a_run_are_no_row_of_it() -> None:
    rows = "Epoch 1 lr 0.1\nEpoch 2 lr 0.05\n"
    for options in (
        "Namespace(lr=0.5, epoch=90)",
        "{'lr': 0.5, 'epoch': 90, 'batch_size': 4, 'seed': 1, 'work_dir': ''}",
    ):
        assert read(f"{options}\n{rows}").positions.tolist() == [1, 2]


def test_kinds_share_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "MOST_ROWS", 1000)
    monkeypatch.setattr(collect, "BLOCK", 100)
    trace = read(deepspeed(1) + megatron(3000))
    assert len(trace) <= 500
    assert "thinned" in remarks(trace)


# --- rows that a log does not place -----------------------------------------------------------------------------------


def rate(epoch: int, batch: int) -> str:
    return f"{0.1 * (1 - (10 * epoch + batch) / 100):.4f}"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Epoch {epoch} lr {rate}", "90 rows have the epoch of the row before and another rate"),
        ("step {epoch} lr {rate}", "90 rows have the step of the row before and another rate"),
        ("iter {batch} lr {rate}", "starts again 9 times, and 90 of its 100 rows have another rate"),
    ],
)
def test_rows_at_one_place_with_different_rates(line: str, message: str) -> None:
    rows = [(epoch, batch) for epoch in range(10) for batch in range(10)]
    text = "".join(line.format(epoch=e, batch=b, rate=rate(e, b)) + "\n" for e, b in rows)
    with pytest.raises(LogError, match=message):
        read(text)


def test_tables_with_rows_at_one_place() -> None:
    rows = "".join(f"{epoch},{rate(epoch, batch)}\n" for epoch in range(10) for batch in range(10))
    with pytest.raises(LogError, match="90 rows have the epoch of the row before"):
        read("epoch,lr\n" + rows)


def test_a_few_rows_at_one_place_are_those_of_a_resume() -> None:
    rows = "".join(f"step {row} lr {1 / row!r}\n" for row in range(1, 40))
    assert remarks(read(rows + "step 39 lr 0.5\n" + "step 40 lr 0.4\n")) == {"conflicts": 1}


def test_several_ranks_that_write_the_same_rows() -> None:
    rows = "".join(f"step {row} lr {1 / row!r}\n" * 3 for row in range(1, 40))
    assert remarks(read(rows)) == {"doubles": 78}


@pytest.mark.parametrize("first_rows", [(20, 10, 60), (29,)])
def test_a_run_after_others_counts_where_it_has_most_rows(first_rows: tuple[int, ...]) -> None:
    runs = [*((rows, place / 10) for place, rows in enumerate(first_rows, 1)), (1 + sum(first_rows), 0.9)]
    text = "".join(f"step {row} lr {rate}\n" for rows, rate in runs for row in range(rows))
    trace = read(text)
    assert (len(trace), set(trace.rates.tolist())) == (runs[-1][0], {0.9})
    assert remarks(trace) == {"branch left": sum(first_rows)}
    counts = ", ".join(map(str, first_rows)) + f" and {sum(first_rows)} rows"
    with pytest.raises(LogError, match=f"it holds {len(runs)} runs, of {counts}"):
        read(text[: text.rindex("step")])


def test_rows_of_a_run_before_at_other_places_are_left_out() -> None:
    first = "".join(f"step {row} lr 0.1\n" for row in range(0, 20, 5))
    again = "".join(f"step {row} lr 0.01\n" for row in range(0, 400, 20))
    assert set(read(first + again).rates.tolist()) == {0.01}


def test_a_run_that_writes_the_same_rows_again() -> None:
    rows = [f"step {row} lr {1 / (1 + row)!r}\n" for row in range(100)]
    assert len(read("".join(rows + rows[:30]))) == 100


def test_two_models_that_write_the_same_steps() -> None:
    """As DeepSpeed-Chat does: the actor, then the critic."""
    line = "[INFO] [logging.py:96:log_dist] [Rank 0] step={}, skipped=0, lr=[{!r}, {!r}], mom=[(0.9, 0.95)]\n"
    text = "".join(line.format(step, rate / step, rate / step) for step in range(10, 101, 10) for rate in (1e-5, 5e-6))
    trace = read(text)
    assert list(trace.groups) == ["lr[0]", "lr[1]", "model 2: lr[0]", "model 2: lr[1]"]
    assert trace.rates.tolist() == [1e-5 / step for step in range(10, 101, 10)]
    assert trace.groups["model 2: lr[0]"].rates.tolist() == [5e-6 / step for step in range(10, 101, 10)]
    assert {remark.code for remark in trace.remarks} == {"several models"}


# --- positions of two numbers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "INFO - Epoch [{e1}][{b1}/40]\tlr: {rate}, eta: 0:56:09",
        "Epoch: [{e0}]  [{b0:>4}/40]  eta: 0:50:12  lr: {rate}  loss: 20.1",
        "INFO Train: [{e0}/300][{b0}/40]\teta 1 day, 4:45:36 lr {rate}\t wd 0.05",
        "[epoch {e1}][iter {b1}/40] lr {rate}",
        "Epoch: {e1} Iter: {b1}/40 lr {rate}",
        "| epoch {e1:>3} | {b1:>5}/   40 batches | lr {rate} | ms/batch 10.1",
        "Epoch {e0}:  20%|##        | {b1}/40 [00:01<00:04, 19.5it/s, v_num=0, lr={rate}]",
        "Train: {e0} [{b0:>4}/40 ( 10%)]  Loss: 6.93 (6.93)  LR: {rate}  Data: 3.0",
        "epoch: {e1}/300, iter: {b1}/40, mem: 9111Mb, lr: {rate}, size: 640",
    ],
)
def test_both_numbers_count(line: str) -> None:
    plan = ks.parse("Schedule(linear(30, start=0.0, to=0.1), cosine(to=0.001))").plan(total_steps=400)
    rows = [(epoch, batch) for epoch in range(10) for batch in range(0, 40, 5)]
    text = ""
    for epoch, batch in rows:
        printed = f"{plan(40 * epoch + batch):.4e}"
        text += line.format(e0=epoch, e1=epoch + 1, b0=batch, b1=batch + 1, rate=printed) + "\n"
    trace = read(text)
    assert (trace.axis, trace.steps_per_epoch) == ("epoch", 40)
    assert trace.positions == pytest.approx([epoch + batch / 40 for epoch, batch in rows], abs=1e-12)
    verdict = check(trace, ks.Schedule(*plan.schedule.parts).plan(total_steps=400, steps_per_epoch=40))
    assert (verdict.follows, verdict.offset) == (True, 0)


def icefall(plan: ks.Plan, steps_per_epoch: int) -> str:
    """Every fifth batch of an epoch, the first of which is 0."""
    rows = [(epoch, batch) for epoch in range(10) for batch in range(0, 41, 5)]
    return "".join(f"Epoch {e + 1}, batch {b}, loss[x], lr: {plan(steps_per_epoch * e + b)!r}\n" for e, b in rows)


def length_of_epochs(trace: Trace) -> str:
    return next(remark.text for remark in trace.remarks if remark.code == "steps of each epoch")


def test_the_rates_show_how_long_an_epoch_is_that_is_not_shown_whole() -> None:
    plan = ks.parse("Schedule(cosine(start=0.1, to=0.0))").plan(total_steps=440)
    trace = read(icefall(plan, 44))
    assert "44 of them, as the rates go on" in length_of_epochs(trace)
    assert infer(trace).schedule == plan.schedule
    assert check(trace, plan.schedule.plan(total_steps=440, steps_per_epoch=44)).follows


def test_the_steps_of_an_epoch_that_nothing_shows() -> None:
    plan = ks.parse("Schedule(hold(132, start=0.1), hold(start=0.01))").plan(total_steps=440, steps_per_epoch=44)
    trace = read(icefall(plan, 44))
    assert "41 of them; up to 45 are possible" in length_of_epochs(trace)
    assert trace.steps_per_epoch is None
    assert check(trace, plan).follows
    found = infer(trace, steps_per_epoch=44).plan
    assert found is not None
    assert check(trace, found).follows
    with pytest.raises(LogError, match="`steps_per_epoch` must be at least 41"):
        infer(trace, steps_per_epoch=40)


def test_batches_that_are_counted_from_0() -> None:
    text = "".join(f"Epoch[{e}] Batch [{b}]\tlr={0.1 / (e + b)!r}\n" for e in range(3) for b in range(9, 100, 10))
    assert read(text).positions[:3].tolist() == [0.09, 0.19, 0.29]


def test_a_rate_in_a_line_behind_that_of_its_place() -> None:
    trace = read("".join(f"Epoch: {epoch}/30\nTime: 30.1s - LR: {1 / epoch!r}\nloss: 1\n" for epoch in range(1, 9)))
    assert (trace.axis, trace.positions.tolist()) == ("epoch", list(range(1, 9)))
    trace = read("".join(f"epoch:0 || iter:{step} || loss:1\n->>lr:{1 / step!r}\n" for step in range(10, 90, 10)))
    assert (trace.axis, trace.positions.tolist()) == ("step", list(range(10, 90, 10)))


# --- epochs that are rounded ------------------------------------------------------------------------------------------


def hf4(step: int) -> str:
    """As transformers 4 prints it."""
    return f"{{'loss': 2.1, 'learning_rate': {HF(step)!r}, 'epoch': {round(step / HF_SPEED, 2)}}}\n"


def hf5(step: int) -> str:
    """As transformers 5 prints it."""
    return f"{{'loss': '2.1', 'learning_rate': '{HF(step):.4g}', 'epoch': '{step / HF_SPEED:.4g}'}}\n"


@pytest.mark.parametrize("print_row", [hf4, hf5])
@pytest.mark.parametrize("steps", [range(100, 15_001, 100), range(10, 2001, 10), range(5010, 6000, 10)])
def test_rows_at_rounded_epochs(print_row: Callable[[int], str], steps: range) -> None:
    trace = read("".join(map(print_row, steps)))
    assert len(trace) == len(steps)
    assert "rounded epochs" in remarks(trace)
    assert trace.positions == pytest.approx(np.array(steps) / HF_SPEED, abs=0.005)
    for known in (2178, 2179):  # there is no whole number of steps
        verdict = check(trace, HF.schedule.plan(total_steps=15_000, steps_per_epoch=known))
        assert (verdict.follows, verdict.offset, verdict.skips) == (True, 0, ())
    with pytest.raises(LogError, match="`steps_per_epoch` must be the steps of an epoch"):
        check(trace, HF.schedule.plan(total_steps=15_000, steps_per_epoch=1950))


def test_the_first_step_is_logged_as_well() -> None:
    trace = read("".join(map(hf4, [1, *range(10, 2001, 10)])))
    assert remarks(trace)["first step"] == 1
    assert check(trace, HF.schedule.plan(total_steps=15_000, steps_per_epoch=2178)).offset == 0


def test_rounded_epochs_of_rows_that_are_not_equally_far_apart() -> None:
    with pytest.raises(LogError, match="rounds its epochs too far"):
        read("".join(map(hf4, [*range(10, 500, 10), *range(500, 1000, 4)])))


def bar(step: int) -> str:
    return f"\r  {step // 150}%|#         | {step}/15000 [00:10<00:50,  2.05it/s]"


@pytest.mark.parametrize("late", [0, 1, 3])
def test_the_steps_of_a_progress_bar(late: int) -> None:
    """The bar before a row may not be drawn anew for some steps."""
    steps = range(100, 5001, 100)
    text = "".join(bar(step - late * (step % 300 == 0)) + " " * 20 + "\r" + hf4(step) + bar(step) for step in steps)
    trace = read(text)
    assert (trace.axis, trace.positions.tolist(), trace.total) == ("step", list(steps), 15_000)
    assert str(infer(trace).schedule) == str(HF.schedule)


@pytest.mark.parametrize("first", [[], [1]])
def test_the_steps_of_a_progress_bar_that_came_before_all_rows(first: list[int]) -> None:
    """Where standard output is written in blocks; the bar says how far the run came."""
    plan = ks.parse("Schedule(linear(6, start=0.0, to=1e-4), cosine(to=0.0))").plan(total_steps=362)
    steps = [*first, *range(10, 362, 10)]
    other = "\rMap: 100%|####| 2896/2896 [00:01<00:00, 900.1 examples/s]"
    bars = "".join(f"\r {step // 4}%|#    | {step}/362 [00:10<00:50,  2.05it/s]" for step in range(1, 363))
    rows = "".join(f"{{'learning_rate': {plan(step)!r}, 'epoch': {round(step / 181, 2)}}}\n" for step in steps)
    trace = read(other + bars + "\n" + rows)
    assert (trace.axis, trace.positions.tolist(), trace.total) == ("step", steps, 362)
    assert check(trace, plan).follows


def test_a_progress_bar_apart_from_the_rows() -> None:
    """Where standard output is written in blocks."""
    steps = range(100, 5001, 100)
    trace = read("".join(map(bar, range(1, 5001, 50))) + "\n" + "".join(map(hf4, steps)))
    assert trace.axis == "epoch"
    assert trace.positions == pytest.approx(np.array(steps) / HF_SPEED, abs=0.005)


def test_keras_prints_an_epoch_in_several_lines() -> None:
    plan = ks.parse("warmup_cosine(peak=0.0011, warmup='5ep', warmup_start=1e-4)").plan(epochs=30, steps_per_epoch=1500)
    text = ""
    for epoch in range(30):
        rate = plan(1500 * epoch)
        printed = f"{rate:.4f}" if rate > 1e-3 else f"{rate:.4e}"
        text += f"Epoch {epoch + 1}/30\n1500/1500 ━━━━ 47s 31ms/step - loss: 1.3 - learning_rate: {printed}\n"
    trace = read(text)
    assert (trace.positions.tolist(), trace.total, trace.steps_per_epoch) == (list(range(30)), 30, 1500)
    assert check(trace, plan).follows
    assert trace.precision == Precision(decimals=4, digits=5, decimals_from=0.001)
    assert trace.half_widths()[[4, 5, 20]] == pytest.approx([5e-9, 5e-5, 5e-9], rel=0.1)
    with pytest.raises(LogError, match="holds several runs"):
        read(text + text.replace("1.0000e-04", "2.0000e-04").replace("e-04", "e-05") + text)
