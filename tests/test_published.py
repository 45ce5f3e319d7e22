"""The published recipes: their rates are those that the sources give, worked out here from the sources' numbers."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest

import kosine as ks
from kosine.published import PUBLISHED

EXACT = 1e-12
CIFAR_EPOCH = math.ceil(50_000 / 128)


def rates(name: str, steps: list[int]) -> list[float]:
    plan = PUBLISHED[name].plan()
    return [plan(step) for step in steps]


def cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


# --- SGDR -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "restarts"),
    [
        ("sgdr-50-1", [50, 100, 150]),
        ("sgdr-100-1", [100]),
        ("sgdr-200-1", []),
        ("sgdr-1-2", [1, 3, 7, 15, 31, 63, 127]),
        ("sgdr-10-2", [10, 30, 70, 150]),
    ],
)
def test_sgdr_restarts_at_the_epochs_of_the_paper(name: str, restarts: list[int]) -> None:
    plan = PUBLISHED[name].plan()
    assert plan.total_steps == 200 * CIFAR_EPOCH
    assert [row.first_step for row in plan.phases] == [epoch * CIFAR_EPOCH for epoch in [0, *restarts]]
    assert {plan(row.first_step) for row in plan.phases} == {0.05}
    ends = [*restarts[1:], 200] if restarts else [200]
    for begin, end in zip(restarts or [0], ends, strict=True):
        if name.endswith("-1") or end < 200:  # whole cycles end at 0
            assert plan((begin + end) * CIFAR_EPOCH // 2) == pytest.approx(0.025, rel=1e-2)
            assert 0 < plan(end * CIFAR_EPOCH - 1) < 1e-6


def test_sgdr_is_the_formula_of_the_paper_at_every_batch() -> None:
    plan = PUBLISHED["sgdr-10-2"].plan()
    for batch in (1, 100, 3909, 10 * CIFAR_EPOCH + 1, 25 * CIFAR_EPOCH, 69 * CIFAR_EPOCH, 199 * CIFAR_EPOCH):
        epoch, period = batch / CIFAR_EPOCH, 10.0
        while epoch >= period:
            epoch, period = epoch - period, period * 2
        assert plan(batch) == pytest.approx(cosine(0.05, 0.0, epoch / period), rel=1e-9)


@pytest.mark.parametrize("peak", [0.05, 0.1])
def test_the_baseline_of_sgdr_is_times_one_fifth_three_times(peak: float) -> None:
    first, second, third = (epoch * CIFAR_EPOCH for epoch in (60, 120, 160))
    found = rates(f"sgdr-step-{peak}", [0, first - 1, first, second - 1, second, third - 1, third, 78_199])
    expected = [peak, peak, peak / 5, peak / 5, peak / 25, peak / 25, peak / 125, peak / 125]
    assert found == pytest.approx(expected, rel=EXACT)


# --- language models --------------------------------------------------------------------------------------------


def test_gpt_3() -> None:
    seen, tokens, step = [], 0, 32_000  # the tokens before each step, added up batch by batch
    while tokens < 300e9:
        seen.append(tokens)
        tokens += min(3_200_000, step + step * (tokens * 99 // 12_000_000_000))
    plan = PUBLISHED["gpt-3"].plan()
    assert plan.total_steps == len(seen)
    warm, end = (next(step for step, before in enumerate(seen) if before >= count) for count in (375e6, 260e9))
    for step in (0, 1, 100, 3_000, warm, 10_000, 19_614, 60_000, end - 1, end, len(seen) - 1):
        if step < warm:
            rate = 6e-5 * seen[step] / 375e6
        else:
            rate = cosine(6e-5, 6e-6, min(1.0, (seen[step] - 375e6) / (260e9 - 375e6)))
        assert plan(step) == pytest.approx(rate, rel=1e-3)  # phases begin with a step, not within one
    phases = [row.first_step for row in plan.phases]
    assert phases == [0, min((warm - 1, warm), key=lambda step: abs(seen[step] - 375e6)), end - 1]
    assert (plan(phases[1]), plan(phases[2])) == (6e-5, 6e-6)
    assert plan(phases[2] - 1) > 6e-6


def test_llama_3_405b_and_that_its_source_is_secondary() -> None:
    assert rates("llama-3-405b", [0, 4000, 8000, 604_000, 1_200_000]) == pytest.approx(
        [0.0, 4e-5, 8e-5, (8e-5 + 8e-7) / 2, 8e-7], rel=EXACT
    )
    assert [name for name, recipe in PUBLISHED.items() if recipe.secondary] == ["llama-3-405b"]


def test_nanogpt_is_the_dialect_and_its_warm_up_begins_above_0() -> None:
    recipe = PUBLISHED["nanogpt"]
    own, other = recipe.plan(), ks.dialects.nanogpt.get_lr().plan(total_steps=600_000)
    for step in (0, 1, 1999, 2000, 2001, 301_000, 599_999, 600_000):
        assert own(step) == other(step)
    assert rates("nanogpt", [0, 1999, 2000, 301_000, 600_000]) == pytest.approx(
        [6e-4 / 2001, 6e-4 * 2000 / 2001, 6e-4, 3.3e-4, 6e-5], rel=EXACT
    )


def test_tinyllama() -> None:
    total = 715_256 * 2
    middle = (2000 + total) // 2
    assert rates("tinyllama", [0, 1000, 2000, middle, total]) == pytest.approx(
        [0.0, 2e-4, 4e-4, 2.2e-4, 4e-5], rel=EXACT
    )
    assert total * 1024 * 2048 == pytest.approx(3e12, rel=1e-4)


def test_mpt_7b_is_composers_scheduler() -> None:
    assert rates("mpt-7b", [0, 50, 100, 32_000, 63_900]) == pytest.approx(
        [0.0, 6e-5, 1.2e-4, 6.6e-5, 1.2e-5], rel=EXACT
    )


def test_olmo_2_7b() -> None:
    tokens = 1024 * 4096
    warm, total = 8_388_608_000 // tokens, round(5e12 / tokens)
    assert warm * tokens == 8_388_608_000
    plan = PUBLISHED["olmo2-7b"].plan()
    assert plan.total_steps == total
    middle = 600_000
    assert rates("olmo2-7b", [0, 1, warm, middle, total]) == pytest.approx(
        [0.0, 1.5e-7, 3e-4, cosine(3e-4, 3e-5, (middle - warm) / (total - warm)), 3e-5], rel=EXACT
    )


def test_bloom_176b() -> None:
    warm, end, total = round(183_105 / 2048), round(2e8 / 2048), int(2.2e8 / 2048)
    plan = PUBLISHED["bloom-176b"].plan()
    assert plan.total_steps == total
    assert rates("bloom-176b", [0, warm, 50_000, end, total - 1]) == pytest.approx(
        [0.0, 6e-5, cosine(6e-5, 6e-6, (50_000 - warm) / (end - warm)), 6e-6, 6e-6], rel=EXACT
    )


def test_pythia_410m() -> None:
    assert PUBLISHED["pythia-410m"].plan().total_steps == 143_000
    assert rates("pythia-410m", [0, 715, 1430, (1430 + 143_000) // 2, 143_000]) == pytest.approx(
        [0.0, 1.5e-4, 3e-4, 1.65e-4, 3e-5], rel=EXACT
    )


def test_pythia_410m_as_run_is_what_gpt_neox_did() -> None:
    """The rule of its AnnealingLR before August 2023: a cosine to 0 over all iterations, never below the floor."""
    plan = PUBLISHED["pythia-as-run"].plan()
    for step in [0, 1, 715, 1430, 1431, 72_930, 115_137, 115_138, 115_139, 115_140, 141_570, 142_999]:
        if step <= 1430:
            expected = 3e-4 * step / 1430
        else:
            done = min(step, 143_000 - 1430) - 1430
            expected = max(3e-4 / 2 * (math.cos(math.pi * done / 143_000) + 1), 3e-5)
        assert plan(step) == pytest.approx(expected, rel=1e-10)
    assert plan(115_138) > 3e-5
    assert plan(115_139) == 3e-5


def test_a_cooldown_of_60_percent_is_the_logged_run() -> None:
    """The log's own rates: a hundredth of the peak at step 0, and a line to 0 from step 20,000 on."""
    assert PUBLISHED["wsd-60"].plan().total_steps == 50_000
    assert rates("wsd-60", [0, 150, 300, 19_999, 20_000, 35_000, 49_999, 50_000]) == pytest.approx(
        [1e-5, 1e-5 + 9.9e-4 / 2, 1e-3, 1e-3, 1e-3, 5e-4, 1e-3 / 30_000, 0.0], rel=EXACT
    )
    own = ks.wsd(peak=1e-3, warmup=300, warmup_start=1e-5, cooldown="60%", curve="linear")
    assert own == PUBLISHED["wsd-60"].schedule


# --- vision -----------------------------------------------------------------------------------------------------


def test_vit_s16() -> None:
    total = int(90 * 1_268_355 / 1024)
    middle = (10_000 + total) // 2
    assert rates("vit-s16", [0, 5000, 10_000, middle, total]) == pytest.approx([0.0, 5e-4, 1e-3, 5e-4, 0.0], rel=EXACT)


def test_deit_is_timms_scheduler_stepped_after_each_epoch() -> None:
    """timm 0.3.2: warm-up over the cosine, the first rate before any step, then the rate of epoch e after epoch e."""

    def timm(epoch: int) -> float:
        return 1e-6 + epoch * (1e-3 - 1e-6) / 5 if epoch < 5 else cosine(1e-3, 1e-5, epoch / 300)

    plan = PUBLISHED["deit"].plan()
    assert plan.total_steps == 300 * (1_281_167 // 1024)
    for epoch in (0, 1, 2, 5, 6, 7, 150, 298, 299):
        expected = timm(max(0, epoch - 1))
        assert plan(epoch * 1251) == plan(epoch * 1251 + 1250) == pytest.approx(expected, rel=1e-11)
    assert max(plan(epoch * 1251) for epoch in range(300)) == pytest.approx(9.993e-4, rel=1e-4)


def test_convnext_is_linspace_and_a_cosine() -> None:
    per_epoch = 1_281_167 // 4096
    warm, total = 20 * per_epoch, 300 * per_epoch
    middle = (warm + total) // 2
    assert PUBLISHED["convnext"].plan().total_steps == total
    assert rates("convnext", [0, 1, warm - 1, warm, middle, total]) == pytest.approx(
        [0.0, 4e-3 / (warm - 1), 4e-3, 4e-3, (4e-3 + 1e-6) / 2, 1e-6], rel=EXACT
    )


# --- all of them ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PUBLISHED)
def test_each_can_be_planned_written_and_read_and_has_a_source(name: str) -> None:
    recipe = PUBLISHED[name]
    plan = recipe.plan()
    assert plan.total_steps is not None
    assert ks.parse(repr(recipe.schedule)) == recipe.schedule
    assert ks.loads(ks.dumps(plan)) == plan
    assert "," in recipe.source
    assert recipe.note.endswith(".")
    assert len(recipe.title) <= 23
    assert name == name.lower()


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("gpt-3", "gpt-3"),
        ("GPT3", "gpt-3"),
        ("gpt_3", "gpt-3"),
        ("llama-3", "llama-3-405b"),
        ("Llama3", "llama-3-405b"),
        ("gpt-2", "nanogpt"),
        ("sgdr", "sgdr-10-2"),
        ("OLMo-2-7B", "olmo2-7b"),
        ("ViT-S/16", "vit-s16"),
    ],
)
def test_names_are_found_as_people_type_them(typed: str, name: str) -> None:
    assert ks.published(typed) is PUBLISHED[name]


@pytest.mark.parametrize(
    ("typed", "pattern"),
    [
        ("gtp-3", r"Received: 'gtp-3'\. Did you mean 'gpt-3'\?"),
        ("llama-4", r"Did you mean 'llama-3-405b'\?"),
        ("", r"Received: ''\. `kosine recipes` lists them"),
    ],
)
def test_an_unknown_name_is_an_error_with_the_nearest(typed: str, pattern: str) -> None:
    with pytest.raises(ks.ArgumentError, match=pattern):
        ks.published(typed)


def test_a_recipe_is_a_frozen_value() -> None:
    with pytest.raises(TypeError):
        PUBLISHED["sgdr-10-2"].run["epochs"] = 3  # type: ignore[index]  # what is tested
    with pytest.raises(ks.ArgumentTypeError, match=r"must be a string\. Received: 3"):
        ks.published(3)  # type: ignore[arg-type]  # what is tested


def test_the_aliases_lead_to_recipes() -> None:
    from kosine.published import _ALIASES

    assert set(_ALIASES.values()) <= set(PUBLISHED)


def test_the_names_come_without_numpy() -> None:
    code = "import sys, kosine.published; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_no_rate_is_above_the_peak_or_below_the_floor() -> None:
    for recipe in PUBLISHED.values():
        plan = recipe.plan()
        rates = [plan(step) for step in range(0, plan.total_steps or 0, 997)]
        values = [value for row in plan.phases for value in (row.first_lr, row.end_lr)]
        assert min(values) <= min(rates) < max(rates) <= max(values)
