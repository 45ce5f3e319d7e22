"""The logs of real runs: what each was, as far as its digits tell. Their sources stand in `tests/support/traces`."""

from __future__ import annotations

import io

import numpy as np
import pytest

import kosine as ks
from tests.support.real_logs import NAMES, real

RECOVERED = {
    "hf_cosine_warmup10pct_mistral": ("Schedule(linear(866, start=0.0, to=5e-05), cosine(to=0.0))", 0, 8660),
    "llamafactory_cosine_warmup_qwen7b": ("Schedule(linear(675, start=0.0, to=0.0001), cosine(to=0.0))", -1, 6750),
    "llmc_gpt2_124m_10B": ("Schedule(linear(700, start=0.0, to=0.0006), hold(1), cosine(to=0.0))", 1, 19561),
    "wsd_linear_cooldown20_124m": ('Schedule(hold(20050, start=0.00099), linear(to=0.0))', 0, 25_000),
    "keras_sgdr_warmup_2": (
        'Schedule(cycles(cosine("31ep", start=0.01, to=0.001, endpoint=True)))', 1, 401,
    ),
}  # fmt: skip


def inferred(name: str) -> ks.Inference:
    log = real(name)
    return ks.infer(ks.read_trace(log.file(), step_column=log.arguments.get("step_column")))


@pytest.mark.parametrize("name", NAMES)
def test_every_row_is_explained(name: str) -> None:
    inference = inferred(name)
    assert inference.plan is not None, inference.sentence
    off = np.abs(inference.expected() - inference.trace.rates)
    assert bool((off <= inference.trace.half_widths()).all())


@pytest.mark.parametrize(("name", "expected"), RECOVERED.items())
def test_recovers_what_was_declared(name: str, expected: tuple[str, int, int]) -> None:
    inference = inferred(name)
    assert inference.plan is not None
    assert (repr(inference.schedule), inference.offset, inference.plan.total_steps) == expected


def test_skipped_start_of_megatron() -> None:
    inference = inferred("megatron_cosine_skipped_start")
    assert inference.plan is not None
    assert sum(count for _, count in inference.skips) == 19
    warmup = inference.plan.phases[0]
    assert (warmup.name, warmup.steps, warmup.end_lr) == ("linear", 8, 1.5e-4)
    (end,) = (each for each in inference.open if each.what == "end of cosine")
    assert end.low is not None
    assert end.high is not None
    assert end.low <= 800 <= end.high  # declared: lr_decay_iters, without those that were skipped


def test_bloom_in_samples() -> None:
    inference = inferred("bloom176b_samples_axis")
    assert inference.plan is not None
    assert inference.plan.phases[-1].first_lr == pytest.approx(6e-5, rel=1e-3)  # of thirteen prints with four digits
    (end,) = (each for each in inference.open if each.what == "end of cosine")
    assert end.low is not None
    assert end.high is not None
    assert end.low < 2e8 < end.high  # declared: lr_decay_samples 200,000,000


def test_cycles_of_their_own_lengths() -> None:
    """Warm-ups and cooldowns that grow by factors of their own, rounded up each time: no cycles, but phases."""
    inference = inferred("keras_sgdr_warmup_1")
    assert inference.plan is not None
    lengths = [row.steps for row in inference.plan.phases]
    assert lengths[:8] == [10, 33, 12, 37, 15, 41, 18, 46]
    peaks = [row.end_lr for row in inference.plan.phases if row.name == "linear"]
    assert peaks[:4] == pytest.approx([0.01, 0.01, 0.0095, 0.009025])


def test_one_cycle_of_torch() -> None:
    inference = inferred("onecycle_cosine_to_10pct_124m")
    assert inference.plan is not None
    rows = [(row.name, row.steps, row.first_lr, row.end_lr) for row in inference.plan.phases[:2]]
    assert rows == [("cosine", 299, 1e-5, 1e-3), ("cosine", 29700, 1e-3, 1e-4)]


def test_a_resumed_run_keeps_the_numbers_of_its_epochs() -> None:
    """As mmcv writes them, from epoch 3 of 12 on."""
    row = '{{"mode": "train", "epoch": {}, "iter": {}, "lr": {}}}\n'
    rate = [0.02] * 8 + [0.002] * 3 + [0.0002]
    rows = [row.format(epoch, batch, rate[epoch - 1]) for epoch in range(3, 13) for batch in range(50, 7301, 50)]
    trace = ks.read_trace(io.BytesIO("".join(rows).encode()))
    found = ks.infer(trace)
    assert repr(found.schedule) == 'Schedule(hold("8ep", start=0.02), hold("3ep", start=0.002), hold(start=0.0002))'
    assert "begin of the run" in [each.what for each in found.open]
    assert found.plan is not None
    assert ks.check(trace, found.plan).follows
