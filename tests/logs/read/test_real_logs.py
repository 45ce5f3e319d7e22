"""The logs of real runs, in their own shapes, give their own values."""

from __future__ import annotations

import pytest

from kosine._logs.precision import Precision
from kosine._logs.read.read import read_trace
from tests.support.real_logs import NAMES, real

EXPECTED = {
    "bloom176b_samples_axis": ("Megatron-LM output", "sample", None, Precision(digits=4)),
    "hf_cosine_warmup10pct_mistral": ("Hugging Face log history", "step", 8660, Precision()),
    "keras_sgdr_warmup_1": ("Keras log", "epoch", None, Precision(single=True)),
    "keras_sgdr_warmup_2": ("Keras log", "epoch", None, Precision(single=True)),
    "llamafactory_cosine_warmup_qwen7b": ("LLaMA-Factory trainer_log.jsonl", "step", 6750, Precision()),
    "llmc_gpt2_124m_10B": ("llm.c main.log", "step", None, Precision(decimals=6)),
    "megatron_cosine_skipped_start": ("Megatron-LM output", "step", 1000, Precision(digits=4)),
    "onecycle_cosine_to_10pct_124m": ("table with a position and a rate", "step", None, Precision()),
    "wsd_linear_cooldown20_124m": ("table with a position and a rate", "step", None, Precision()),
}


@pytest.mark.parametrize("name", NAMES)
def test_its_values_are_read(name: str) -> None:
    log = real(name)
    trace = read_trace(log.file(), **log.arguments)
    assert trace.positions.tolist() == log.positions
    assert trace.rates.tolist() == log.rates
    assert (trace.format, trace.axis, trace.total, trace.precision) == EXPECTED[name]
    assert list(trace.groups.values()) == [trace]
    assert {remark.code for remark in trace.remarks} <= {"no rate"}


def test_bloom_in_iterations() -> None:
    trace = read_trace(real("bloom176b_samples_axis").file())
    assert trace.axis == "step"
    assert trace.positions.tolist()[:2] == [12695, 31214]
    assert trace.total == 115311


def test_megatron_says_what_it_skipped() -> None:
    assert read_trace(real("megatron_cosine_skipped_start").file()).skipped == ((10, 10), (20, 8), (30, 1))


@pytest.mark.parametrize("name", ["hf_cosine_warmup10pct_mistral", "llamafactory_cosine_warmup_qwen7b"])
def test_rows_of_evaluations_are_counted(name: str) -> None:
    (remark,) = read_trace(real(name).file()).remarks
    assert remark.rows > 1
    assert remark.text == f"{remark.rows} rows have no rate."
