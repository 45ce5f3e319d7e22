"""`check` on the logs of real runs; `real_traces.json` holds about a hundred rows of each, and where they are from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import kosine as ks
from kosine._logs.check.check import check
from kosine._logs.precision import Precision
from kosine._logs.trace import Trace
from tests.support.real_logs import real

LOGS = json.loads((Path(__file__).parents[2] / "support" / "real_traces.json").read_text(encoding="utf-8"))
MEGATRON = ks.Schedule(ks.linear(8, start=0.0, to=1.5e-4), ks.cosine(792, to=1e-5)).plan(total_steps=1000)


def trace(name: str, **about: Any) -> Trace:
    positions, rates = zip(*LOGS[name]["trace"], strict=True)
    return Trace(positions, rates, source=LOGS[name]["source"], **about)


def test_bloom_176b_in_samples() -> None:
    plan = ks.warmup_cosine(peak=6e-5, warmup="183105sp", floor=6e-6).plan(total_steps=200_000_000, samples_per_step=1)
    verdict = check(trace("bloom176b_samples_axis", axis="sample", precision=Precision(digits=4)), plan)
    assert (verdict.kind, verdict.compared) == ("follows", 13)


def test_the_hugging_face_trainer_of_2024() -> None:
    plan = ks.warmup_cosine(peak=5e-5, warmup="10%").plan(total_steps=8660)
    assert check(trace("hf_cosine_warmup10pct_mistral", total=8660), plan).kind == "follows"


def test_llama_factory_counts_from_1() -> None:
    plan = ks.warmup_cosine(peak=1e-4, warmup="10%").plan(total_steps=6750)
    verdict = check(trace("llamafactory_cosine_warmup_qwen7b"), plan)
    assert (verdict.kind, verdict.offset) == ("offset", -1)


def test_llm_c_with_six_decimals() -> None:
    plan = ks.Schedule(ks.linear(699, start=6e-4 / 700, to=6e-4), ks.hold(1), ks.cosine(to=0.0)).plan(total_steps=19560)
    log = trace("llmc_gpt2_124m_10B", precision=Precision(decimals=6))
    assert check(log, plan).kind == "follows"
    verdict = check(log, ks.warmup_cosine(peak=6e-4, warmup=700, floor=6e-5).plan(total_steps=19560))
    assert verdict.kind == "differs"


@pytest.mark.parametrize("total", [10_000, 18_000, 18_865, 19_400, 25_000])
def test_llm_c_planned_for_another_length_does_not_lag(total: int) -> None:
    """Its warm-up shows the next step's rate and its decay does not, so no length explains every row."""
    log = ks.read_trace(real("llmc_gpt2_124m_10B").file())
    verdict = check(log, ks.warmup_cosine(peak=6e-4, warmup=700).plan(total_steps=total))
    assert verdict.kind == "differs"
    assert "All but 20 of 2,008 rows follow the same schedule planned for 19,562 steps" in verdict.sentence


def test_megatron_declares_the_steps_that_its_loss_scaler_skipped() -> None:
    name = "megatron_cosine_skipped_start"
    skipped = [(position, count) for position, count in LOGS[name]["skipped"]]
    verdict = check(trace(name, precision=Precision(digits=4), skipped=skipped), MEGATRON)
    assert (verdict.kind, verdict.skips) == ("lags", ((10, 10), (20, 8), (30, 1)))
    assert "lags behind the plan by 19 steps that the optimizer skipped, as the log itself declares" in verdict.sentence


def test_megatron_whose_decay_ends_before_the_run() -> None:
    """Planned for all 1,000 iterations, where its decay was told to take 800."""
    log = ks.read_trace(real("megatron_cosine_skipped_start").file())
    verdict = check(log, ks.warmup_cosine(peak=1.5e-4, warmup="1%", floor=1e-5).plan(total_steps=1000))
    assert (verdict.kind, verdict.skips) == ("differs", ((10, 10), (20, 8), (30, 1)))
    told = "the same schedule planned for 800 steps instead of 1,000, less the 19 steps that the log declares"
    assert told in verdict.sentence


def test_without_the_declaration_the_skipped_steps_are_found() -> None:
    verdict = check(trace("megatron_cosine_skipped_start", precision=Precision(digits=4)), MEGATRON)
    assert verdict.kind == "lags"
    assert verdict.skips[:2] == ((10, 10), (20, 8))
    assert sum(count for _, count in verdict.skips) == 19


def test_torch_one_cycle() -> None:
    plan = ks.Schedule(ks.cosine(299, start=1e-5, to=1e-3), ks.cosine(29_700, to=1e-4)).plan(total_steps=30_000)
    assert check(trace("onecycle_cosine_to_10pct_124m", precision=Precision(single=True)), plan).kind == "follows"


def test_a_cooldown_that_was_branched_off() -> None:
    schedule = ks.wsd(peak=1e-3, warmup=300, warmup_start=1e-5, cooldown="20%", curve="linear")
    verdict = check(trace("wsd_linear_cooldown20_124m"), schedule.plan(total_steps=25_000))
    assert (verdict.kind, verdict.offset) == ("follows", 0)
    assert "cover steps 20,050 to 25,000 of 25,000" in verdict.sentence


def test_keras_by_epoch() -> None:
    cycle = ks.cycles(ks.cosine("30ep", start=0.01, to=0.001), ks.linear("1ep", to=0.01))
    plan = ks.Schedule(cycle).plan(epochs=400, steps_per_epoch=10)
    verdict = check(trace("keras_sgdr_warmup_2", axis="epoch", precision=Precision(single=True)), plan)
    assert (verdict.kind, verdict.offset) == ("offset", 10)
    assert "the next epoch's first batch" in verdict.sentence


def test_keras_with_growing_cycles_that_shrink() -> None:
    peaks = [0.01 * 0.95 ** max(0, i - 1) for i in range(6)]
    lengths = [(10, 33), (12, 37), (15, 41), (18, 46), (22, 51), (27, 57)]
    parts: list[ks.Phase] = []
    for peak, (rise, fall) in zip(peaks, lengths, strict=True):
        parts += [ks.linear(f"{rise}ep", start=0.001, to=peak), ks.cosine(f"{fall}ep", to=0.001)]
    parts += [ks.linear("33ep", start=0.001, to=0.01 * 0.95**5)]
    plan = ks.Schedule(*parts).plan(epochs=402, steps_per_epoch=10)
    verdict = check(trace("keras_sgdr_warmup_1", axis="epoch", precision=Precision(single=True)), plan)
    assert (verdict.kind, verdict.offset) == ("offset", 10)
