"""Lint: every code finds its example and nothing else, sensible schedules are left alone, and the numbers are true."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, strategies as st

import kosine as ks
from kosine._analysis.lint.lint import RULES
from kosine._analysis.lint.plan_facts import PlanFacts
from kosine._analysis.lint.rule import Example
from kosine._core.planned_cycles import PlannedCycles
from kosine._core.timeline import PlannedPhase
from kosine._display.lint_text import count, document, explanation, report
from kosine.published import PUBLISHED
from tests.support.dialect_plans import SCHEDULES, dialect_case
from tests.support.strategies import RUN, SMALL_RUN, schedules, small_schedules

DOCUMENT = Path(__file__).parents[2] / "docs" / "lint.md"
CIFAR = {"epochs": 200, "steps_per_epoch": 391}
IMAGENET = {"epochs": 90, "steps_per_epoch": 1251}


def found(text: str, run: Mapping[str, Any], **arguments: Any) -> dict[str, ks.Finding]:
    """The findings by code; none may come twice."""
    findings = ks.lint(ks.parse(text).plan(**run), **arguments)
    assert len({finding.code for finding in findings}) == len(findings)
    return {finding.code: finding for finding in findings}


def codes(text: str, run: Mapping[str, Any], **arguments: Any) -> list[str]:
    return [finding.code for finding in ks.lint(ks.parse(text).plan(**run), **arguments)]


# --- the list of checks -----------------------------------------------------------------------------------------


def test_codes_keep_their_meaning() -> None:
    assert {code: rule.title for code, rule in RULES.items()} == {
        "K001": "The run ends in the middle of a cycle",
        "K002": "The run ends before the decay is done",
        "K003": "The run goes on long after the decay is done",
        "K004": "The first step has rate 0",
        "K005": "The rate jumps up where nothing restarts",
        "K006": "The warm-up takes a large share of the run",
        "K007": "Nothing decays",
        "K008": "The floor is above half the peak",
        "K009": "A cycle is shorter than an epoch",
        "K010": "A phase has fewer than two steps",
        "K011": "An endpoint is never reached",
        "K012": "A number of steps looks like a number of epochs",
        "K013": "A number of epochs looks like a number of steps",
        "K014": "The rate changes only once an epoch",
        "K015": "Every rate is 0",
        "K016": "The run ends before the warm-up is done",
        "K017": "A section around a rest changes the past",
        "K018": "A branch begins inside a decay",
        "K019": "The decay ends above 0",
    }


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_the_example_of_a_code_is_found_and_nothing_else(rule: Any) -> None:
    example: Example = rule.example
    finding = found(example.schedule, example.run)
    assert list(finding) == [rule.code]
    assert finding[rule.code].severity in rule.severity
    assert codes(rule.mended.schedule, rule.mended.run) == []


def test_the_examples_that_are_errors() -> None:
    severities = {code: found(rule.example.schedule, rule.example.run)[code].severity for code, rule in RULES.items()}
    assert [code for code, severity in severities.items() if severity == "error"] == ["K003", "K015", "K016"]
    assert [code for code, severity in severities.items() if severity == "info"] == ["K004", "K007", "K014", "K019"]


def test_errors_come_first() -> None:
    findings = ks.lint(ks.sgdr(peak=0.1, period=4000, warmup=4000).plan(total_steps=200, steps_per_epoch=4000))
    assert [(finding.code, finding.severity) for finding in findings] == [
        ("K016", "error"),
        ("K012", "warning"),
        ("K004", "info"),
    ]


def test_docs_are_those_of_the_list() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document() + "\n"


def test_the_list_of_contents_leads_to_the_chapters() -> None:
    text = document()
    titles = re.findall(r"^## (.*)$", text, re.MULTILINE)
    anchors = re.findall(r"\]\(#(.*?)\)", text)
    assert anchors == [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles]
    assert all(explanation(code) in text for code in RULES)


# --- sensible schedules -----------------------------------------------------------------------------------------

SENSIBLE: dict[str, tuple[str, Mapping[str, Any]]] = {
    "design": (
        'warmup_cosine(peak=1e-4, warmup="10ep", warmup_start=4e-6, hold=5)',
        {"epochs": 50, "steps_per_epoch": 788},
    ),
    "warm-up of 5 %": ('warmup_cosine(peak=1e-3, warmup="5%")', IMAGENET),
    "one cycle": ("one_cycle(peak=0.1)", IMAGENET),
    "one cycle, steps that 30 % do not divide": ("one_cycle(peak=0.1)", {"total_steps": 1001}),
    "wsd": ("wsd(peak=1e-3, warmup=300)", {"total_steps": 50_000}),
    "wsd over epochs": ('wsd(peak=1e-3, warmup="1ep", cooldown="10%", curve="linear")', IMAGENET),
    "constant": ("constant(3e-4)", IMAGENET),
    "constant with warm-up": ("Schedule(linear(500, start=0.0, to=1e-4), hold())", IMAGENET),
    "inverse square root": ("inverse_sqrt_decay(peak=1e-3, warmup=4000)", {"total_steps": 100_000}),
    "step decay": ('step_decay(0.1, every="30ep")', IMAGENET),
    "step decay that the run ends in": ('step_decay(0.1, every="30ep")', {"epochs": 100, "steps_per_epoch": 1251}),
    "milestones": (
        'Schedule(hold("60ep", start=0.1), hold("60ep", start=0.02), hold("40ep", start=0.004), hold(start=8e-4))',
        CIFAR,
    ),
    "milestones beyond the run": (
        'Schedule(hold("30ep", start=0.1), hold("60ep", start=0.01), hold("30ep", start=1e-3))',
        IMAGENET,
    ),
    "sgdr to the end of a cycle": (
        'sgdr(peak=0.05, period="10ep", stretch=2)',
        {"epochs": 150, "steps_per_epoch": 391},
    ),
    "sgdr without a restart": ('sgdr(peak=0.05, period="200ep")', CIFAR),
    "snapshot ensemble": ('sgdr(peak=0.2, period="50ep")', {"epochs": 300, "steps_per_epoch": 782}),
    "readme's cycles": (
        'Schedule(cycles(linear("1ep", start=1e-4, to=0.05), cosine("9ep", to=1e-4), stretch=1.5, shrink=0.8))',
        {"epochs": 47.5, "steps_per_epoch": 100},
    ),
    "readme's section": (
        'Schedule(section(cycles(cosine("10ep", start=0.1, to=0.01)), duration="rest"), linear("5ep", to=0.0))',
        {"epochs": 40, "steps_per_epoch": 100},
    ),
    "a factor each epoch": ('Schedule(section(exponential(start=0.1, factor=0.94), tick="1ep"))', IMAGENET),
    "restarts by hand": (
        'Schedule(cosine("10ep", start=0.05, to=0.0), cosine("20ep", start=0.04, to=0.0), cosine(start=0.03, to=0.0))',
        IMAGENET,
    ),
    "restarts by hand with warm-up": (
        'Schedule(cosine("10ep", start=0.05, to=0.0), linear("1ep", start=1e-3, to=0.05), cosine(to=0.0))',
        IMAGENET,
    ),
    "triangles": (
        'Schedule(cycles(linear("4ep", start=1e-3, to=6e-3), linear("4ep", to=1e-3)))',
        {"epochs": 48, "steps_per_epoch": 500},
    ),
    "a constant warm-up": ('Schedule(hold("1ep", start=0.01), hold("80ep", start=0.1), hold(start=0.01))', IMAGENET),
    "range test": ("Schedule(exponential(start=1e-7, to=1.0))", {"total_steps": 1000}),
    "torch's cosine, which rises after its end": (
        "Schedule(linear(100, start=1e-6, to=1e-3), cycles(cosine(8900, start=1e-3, to=0.0), cosine(8900, to=1e-3)))",
        {"total_steps": 9000},
    ),
    "cycles with a rest at the floor": (
        'Schedule(cycles(cosine("9ep", start=0.1, to=0.01), hold("1ep")))',
        {"epochs": 29.5, "steps_per_epoch": 100},
    ),
    "a floor that is held to the end": (
        'Schedule(linear("375Mtok", start=1e-8, to=6e-5), cosine("259.625Btok", to=6e-6), hold())',
        {"total_steps": 93_750, "tokens_per_step": 3_200_000},
    ),
    "short runs on much data": (
        'sgdr(peak=1e-4, period="10%")',
        {"total_steps": 5000, "steps_per_epoch": 20_000},
    ),
    "a few epochs with several cycles in each": (
        'sgdr(peak=0.1, period="0.5ep")',
        {"epochs": 2, "steps_per_epoch": 5000},
    ),
    "whoever counts in steps": (
        "Schedule(linear(20, start=1e-5, to=1e-3), cosine(39380, to=0.0))",
        {"epochs": 50, "steps_per_epoch": 788},
    ),
    "many epochs on little data": ('warmup_cosine(peak=1e-3, warmup="5%")', {"epochs": 1000, "steps_per_epoch": 100}),
    "a last step at 0": ("Schedule(linear(100, start=0.1, to=0.0, endpoint=True))", {"total_steps": 100}),
}


@pytest.mark.parametrize(("text", "run"), SENSIBLE.values(), ids=SENSIBLE)
def test_sensible_schedules_are_left_alone(text: str, run: Mapping[str, Any]) -> None:
    assert [str(finding) for finding in ks.lint(ks.parse(text).plan(**run)) if finding.severity != "info"] == []


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_runs_have_no_error_and_hardly_a_warning(name: str) -> None:
    recipe = PUBLISHED[name]
    odd = [finding.code for finding in ks.lint(recipe.schedule.plan(**recipe.run)) if finding.severity != "info"]
    # the two runs of SGDR's authors that do stop in the middle of a cycle
    assert odd == (["K001"] if name in ("sgdr-1-2", "sgdr-10-2") else [])


# --- K001 -------------------------------------------------------------------------------------------------------


def test_sgdr_in_the_middle_of_a_cycle() -> None:
    (finding,) = found('sgdr(peak=0.05, period="10ep", stretch=2)', CIFAR).values()
    assert finding.severity == "warning"
    assert finding.message == (
        "The run ends 50 epochs into a cycle of 160 (cycle #5): its last update has the rate 0.0388903, where the "
        "cycle goes down to 0."
    )
    assert finding.fix == (
        'End the run after 150 or 310 epochs; or give this run a period of "40/3ep" (4 cycles), "200/31ep" (5 cycles) '
        'or "200/63ep" (6 cycles).'
    )
    assert finding.phase is not None
    assert (finding.phase.first_step, finding.phase.steps, finding.phase.cycle) == (150 * 391, 160 * 391, 4)
    assert str(finding) == f"K001 warning: {finding.message} {finding.fix}"


@given(
    period=st.integers(2, 400),
    stretch=st.sampled_from([1, 1.1, 1.25, 1.5, 2, 3]),
    warmup=st.integers(0, 50),
    total=st.integers(60, 5000),
)
@example(period=100, stretch=1, warmup=0, total=300)
@example(period=100, stretch=1, warmup=0, total=299)
@example(period=100, stretch=1, warmup=0, total=301)
def test_every_length_and_period_that_is_suggested_ends_a_cycle(
    period: int, stretch: float, warmup: int, total: int
) -> None:
    ends, position, length = [warmup], Fraction(warmup), Fraction(period)
    while ends[-1] < total:
        position += length
        length *= Fraction(repr(stretch))
        ends.append(int(position + Fraction(1, 2)))
    ends.append(int(position + length + Fraction(1, 2)))
    begin = max(end for end in ends if end < total)
    stop = min(end for end in ends if end >= total)
    written = f"sgdr(peak=0.1, period={{}}, stretch={stretch}, warmup={warmup}, warmup_start=0.01)"
    finding = found(written.format(period), {"total_steps": total}).get("K001")
    assert (finding is None) == ((stop - total) * 100 <= stop - begin)
    if finding is None:
        return
    cycle = ends.index(begin) + 1
    assert (
        f"ends {total - begin:,} step{'s' * (total - begin > 1)} into a cycle of {stop - begin:,} (cycle #{cycle:,})"
        in (finding.message)
    )
    lengths = re.match(r"End the run after ([\d, or]+) steps", finding.fix)
    assert lengths is not None
    suggested = [int(number.replace(",", "")) for number in lengths[1].split(" or ")]
    assert suggested == [*([begin] if begin > warmup else []), stop]
    for steps in suggested:
        assert "K001" not in codes(written.format(period), {"total_steps": steps})
    periods = re.findall(r'("[^"]+"|\d+) \(([\d,]+) cycles?\)', finding.fix)
    counts = [int(number.replace(",", "")) for _, number in periods]
    assert set(counts) <= {cycle - 1, cycle, cycle + 1}
    for (text, _), number in zip(periods, counts, strict=True):
        plan = ks.parse(written.format(text)).plan(total_steps=total)
        assert "K001" not in [finding.code for finding in ks.lint(plan)]
        cosines = [row for row in plan.phases if row.cycle is not None]
        assert len(cosines) == number
        assert cosines[-1].stop == total


def test_cycles_of_several_phases_are_scaled_together() -> None:
    text = "Schedule(cycles(linear({}, start=1e-3, to=0.1), cosine({}, to=1e-3)))"
    run = {"epochs": 24, "steps_per_epoch": 100}
    finding = found(text.format('"1ep"', '"9ep"'), run)["K001"]
    assert finding.fix == (
        'End the run after 20 or 30 epochs; or give this run a first cycle of "1.2ep" + "10.8ep" (2 cycles), '
        '"0.8ep" + "7.2ep" (3 cycles) or "0.6ep" + "5.4ep" (4 cycles).'
    )
    assert "K001" not in found(text.format('"0.8ep"', '"7.2ep"'), run)


@pytest.mark.parametrize(
    "text",
    [
        'sgdr(peak=0.1, period="30%")',
        'Schedule(section(cycles(cosine(300, start=0.1, to=0.0)), duration="rest"))',
    ],
    ids=["a share", "a section"],
)
def test_no_length_is_suggested_where_the_cycles_move_with_it(text: str) -> None:
    finding = found(text, {"total_steps": 1000})["K001"]
    assert finding.fix.startswith("Give this run a period of ")
    assert "1000/3" in finding.fix or "100/3%" in finding.fix


def test_cycles_before_a_cooldown_may_be_cut() -> None:
    text = "Schedule(section(cycles(cosine(300, start=0.1, to=0.0)), duration={}), linear(200, to=0.0))"
    assert codes(text.format(800), {"total_steps": 1000}) == []


def test_a_restart_just_before_the_end_is_found() -> None:
    finding = found("sgdr(peak=0.1, period=1000)", {"total_steps": 3001})["K001"]
    assert "The run ends 1 step into a cycle of 1,000 (cycle #4): its last update has the rate 0.1" in finding.message


def test_a_cycle_that_lacks_a_sliver_is_done() -> None:
    assert codes("sgdr(peak=0.1, period=1000)", {"total_steps": 2990}) == []
    assert codes("sgdr(peak=0.1, period=1000)", {"total_steps": 2989}) == ["K001"]


# --- K002, K016 -------------------------------------------------------------------------------------------------


def test_a_decay_that_is_never_begun() -> None:
    text = 'Schedule(linear(100, start=1e-6, to=1e-3), hold("60ep"), linear("10ep", to=0.0))'
    finding = found(text, {"epochs": 50, "steps_per_epoch": 100})["K002"]
    assert finding.message == (
        "The run ends after 50 epochs, and the decay would begin only after 61 epochs: its last update has the rate "
        "0.001."
    )
    assert finding.fix == "Make the phases shorter; or end the run after 71 epochs."
    assert finding.phase is not None
    assert finding.phase.first_step == 6100


def test_a_decay_that_lacks_a_sliver_is_done() -> None:
    text = "Schedule(cosine(1000, start=0.1, to=0.0))"
    assert codes(text, {"total_steps": 990}) == []
    assert codes(text, {"total_steps": 989}) == ["K002"]


def test_shares_that_add_up_to_more_than_the_run() -> None:
    finding = found('Schedule(linear("20%", start=0.01, to=0.1), cosine("90%", to=0.0))', {"total_steps": 1000})["K002"]
    assert finding.fix == "Write cosine(to=0.0), without a duration, and it takes the rest of the run."


def test_a_run_that_ends_in_the_warmup_is_an_error() -> None:
    finding = found("sgdr(peak=1e-3, period=500, warmup=4000, warmup_start=1e-7)", {"total_steps": 1000})["K016"]
    assert finding.severity == "error"
    assert finding.message == (
        "The run ends after 1,000 steps of the 4,000 of the warm-up: its last update has the rate 0.0002498"
        "25, where the warm-up goes up to 0.001, and what follows is never reached."
    )


# --- K003, K004, K015 -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "floor", "severity"),
    [
        (899, 0.0, "error"),
        (900, 0.0, "error"),
        (901, 0.0, "warning"),
        (990, 0.0, "warning"),
        (991, 0.0, "info"),
        (998, 0.0, "info"),
        (999, 0.0, None),
        (400, 0.01, "warning"),
        (950, 0.01, "warning"),
        (951, 0.01, None),
    ],
)
def test_a_tail_is_as_bad_as_it_is_long(steps: int, floor: float, severity: str | None) -> None:
    finding = found(f"Schedule(cosine({steps}, start=0.1, to={floor}))", {"total_steps": 1000}).get("K003")
    assert (finding and finding.severity) == severity
    if finding:
        assert f"{1000 - steps} steps" in finding.message


def test_the_tail_is_counted_through_holds_at_0() -> None:
    finding = found("Schedule(linear(400, start=0.1, to=0.0), hold(100), hold(100))", {"total_steps": 1000})["K003"]
    assert (
        finding.message
        == "The rate is 0 from step 400 on: in the last 600 steps (60 % of the run) no weight changes any more."
    )
    assert finding.fix == "End the run after 400 steps."


def test_a_rate_that_has_shrunk_to_nothing_is_0() -> None:
    plan = ks.step_decay(0.1, every=30).plan(total_steps=1_000_000)
    zeros = 10**6 - next(step for step in range(0, 10**6, 30) if plan(step) == 0)
    (finding,) = ks.lint(plan)
    assert (finding.code, finding.severity) == ("K003", "error")
    assert finding.message.startswith(f"The rate is 0 from step {10**6 - zeros:,} on: in the last {zeros:,} steps (")


@pytest.mark.parametrize(
    ("text", "run", "step", "fix"),
    [
        (
            "Schedule(exponential(start=0.1, factor=0.5))",
            {"total_steps": 1000},
            30,
            "Write exponential(start=0.1, to=0.0001), and it has a 1,000th of its start when the run ends; or end the "
            "run after 30 steps.",
        ),
        (
            "Schedule(exponential(start=0.1, factor=0.95))",
            {"epochs": 90, "steps_per_epoch": 100},
            405,
            'Write exponential(start=0.1, factor=0.95, timescale="1ep"), if the factor was meant for an epoch; or '
            "write exponential(start=0.1, to=0.0001), and it has a 1,000th of its start when the run ends; or end the "
            "run after 4.05 epochs.",
        ),
        (
            "Schedule(cycles(cosine(300, start=0.1, to=0.0), hold(100), shrink=0.1))",
            {"total_steps": 39_400},
            3601,
            "Make the cycles longer, or write shrink=0.932, and the last has a 1,000th of the first; or end the run "
            "after 3,601 steps.",
        ),
        (
            "step_decay(0.1, every=300, factor=0.5)",
            {"total_steps": 39_400},
            9000,
            "Make the cycles longer, or write shrink=0.949 (in step_decay: factor), and the last has a 1,000th of the "
            "first; or end the run after 9,000 steps.",
        ),
        (
            "Schedule(section(exponential(start=0.1, factor=0.5)))",
            {"total_steps": 1000},
            30,
            "End the run after 30 steps.",
        ),
        (
            "Schedule(polynomial(start=0.1, to=0.0, power=9.0))",
            {"total_steps": 1000},
            900,
            "Make the decay longer or less steep: it is done at step 900 of 1,000.",
        ),
    ],
)
def test_a_rate_that_is_practically_0(text: str, run: Mapping[str, Any], step: int, fix: str) -> None:
    finding = found(text, run)["K003"]
    plan = ks.parse(text).plan(**run)
    assert plan(step) <= 1e-10 < plan(step - 1)
    assert finding.severity == "error"
    assert finding.message.startswith(
        f"The rate is practically 0 from step {step:,} on, below 1e-09 of the highest: the last "
    )
    assert finding.message.endswith(" train nothing.")
    assert finding.fix == fix


@pytest.mark.parametrize(
    ("text", "run"),
    [
        ("Schedule(exponential(start=0.1, to=0.0001))", {"total_steps": 1000}),
        ('Schedule(exponential(start=0.1, factor=0.95, timescale="1ep"))', {"epochs": 90, "steps_per_epoch": 100}),
        ("step_decay(0.1, every=300, factor=0.949)", {"total_steps": 39_400}),
        ("Schedule(exponential(start=0.1, factor=0.5))", {"total_steps": 30}),
        ("Schedule(cosine(start=0.1, to=0.0))", {"total_steps": 10**9}),
        ("one_cycle(peak=0.1)", {"total_steps": 10**9}),
    ],
)
def test_what_is_suggested_is_not_found_nor_are_the_last_steps_of_a_decay(text: str, run: Mapping[str, Any]) -> None:
    assert "K003" not in codes(text, run)


@pytest.mark.parametrize(
    ("power", "severity"), [(4.0, None), (4.6, "warning"), (8.9, "warning"), (9.1, "error")]
)  # 10**(-9 / power) of the run
def test_a_dead_tail_counts_from_a_hundredth_of_the_run(power: float, severity: str | None) -> None:
    finding = found(f"Schedule(polynomial(start=0.1, to=0.0, power={power}))", {"total_steps": 10**6}).get("K003")
    assert (finding and finding.severity) == severity


def test_the_first_dead_step_is_found_by_bisection(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = ks.Schedule(ks.exponential(start=0.1, factor=1 - 1e-12)).plan(total_steps=2**63 - 1)
    calls: list[int] = []
    original = PlannedPhase.value_at

    def counted(self: PlannedPhase, step: int) -> float:
        calls.append(step)
        return original(self, step)

    monkeypatch.setattr(PlannedPhase, "value_at", counted)
    assert [finding.code for finding in ks.lint(plan)] == ["K003"]
    assert 0 < len(calls) < 300


def test_cycles_that_show_nothing_but_zeros() -> None:
    text = "Schedule(linear(1000, start=0.1, to=0.0), cycles(linear(1, start=0.0, to=0.1)))"
    finding = found(text, {"total_steps": 10**9}, ignore=["K010"])["K003"]
    assert finding.message.startswith("The rate is 0 from step 1,000 on: in the last 999,999,000 steps")


def test_a_warmup_by_epochs_wastes_an_epoch() -> None:
    text = 'Schedule(section(linear(5, start=0.0, to=0.1), cosine(85, to=0.0), tick="1ep"))'
    finding = found(text, {"epochs": 90, "steps_per_epoch": 500})["K004"]
    assert finding.severity == "warning"
    assert (
        finding.message == "The rate is 0 for the first 1 epoch (1.11 % of the run): no weight changes before step 500."
    )
    assert "start=0.02," in finding.fix


def test_a_warmup_of_one_step_is_one_finding() -> None:
    assert codes("warmup_cosine(peak=1e-3, warmup=1)", {"total_steps": 1000}) == ["K010"]
    assert codes("Schedule(hold(1, start=0.0), cosine(start=0.1, to=0.0))", {"total_steps": 1000}) == ["K004"]


def test_a_first_step_at_0_is_information() -> None:
    finding = found("warmup_cosine(peak=1e-3, warmup=100)", {"total_steps": 1000})["K004"]
    assert finding.severity == "info"
    assert "start=1e-05, in a constructor warmup_start=1e-05" in finding.fix


@given(small_schedules(), st.sampled_from([1, 7, 60, 200]))
def test_zeros_are_those_of_the_run(schedule: ks.Schedule, total: int) -> None:
    try:
        plan = schedule.plan(**(SMALL_RUN | {"total_steps": total}))
    except ks.PlanError:
        return
    _compare_zeros(plan)


ZEROS = st.lists(
    st.one_of(
        st.integers(1, 30).map(lambda steps: ks.hold(steps, start=0.0)),
        st.integers(1, 30).map(lambda steps: ks.linear(steps, start=0.0, to=0.1)),
        st.integers(1, 30).map(lambda steps: ks.cosine(steps, start=0.1, to=0.0)),
        st.integers(1, 30).map(lambda steps: ks.linear(steps, start=0.1, to=0.0, endpoint=True)),
        st.integers(1, 9).map(lambda steps: ks.section(ks.linear(steps, start=0.0, to=0.1), tick=3)),
        st.integers(2, 9).map(lambda steps: ks.cycles(ks.cosine(steps, start=0.1, to=0.0), count=2)),
        st.integers(1, 3).map(
            lambda steps: ks.cycles(ks.linear(steps, start=0.0, to=0.1), ks.hold(2, start=0.0), count=9)
        ),
        st.integers(1, 9).map(lambda steps: ks.cycles(ks.hold(steps, start=1e-300), shrink=1e-9, count=9)),
    ),
    min_size=1,
    max_size=5,
)


@given(ZEROS, st.integers(1, 150))
def test_zeros_are_counted_as_they_are(parts: list[Any], total: int) -> None:
    _compare_zeros(ks.Schedule(*parts).plan(total_steps=total))


def _compare_zeros(plan: ks.Plan) -> None:
    assert plan.total_steps is not None
    rates = [plan(step) for step in range(plan.total_steps)]
    findings = {finding.code: finding for finding in ks.lint(plan)}
    assert ("K015" in findings) == (not any(rates))
    if not any(rates):
        return
    first = next(step for step, rate in enumerate(rates) if rate)
    row = plan.phase_at(0)
    one_step = first == row.steps == row.clock.span == 1 and "K010" in findings and row.first_lr != row.end_lr
    assert ("K004" in findings) == (first > 0 and not one_step)
    if first > 1:
        assert f"no weight changes before step {first:,}." in findings["K004"].message
    zeros, dead = (
        next(step for step, rate in enumerate(reversed(rates)) if rate > limit) for limit in (0, 1e-9 * max(rates))
    )
    practically = (dead - zeros) * 100 >= len(rates)
    tail = dead if practically else zeros
    start = "The rate is practically 0" if practically else "The rate is 0"
    reported = "K003" in findings and findings["K003"].message.startswith(start)
    assert reported == (tail >= 2)
    if reported:
        assert f"from step {len(rates) - tail:,} on" in findings["K003"].message
        assert f"({100 * tail / len(rates):.3g} % of the run)" in findings["K003"].message


# --- K005 to K011 -----------------------------------------------------------------------------------------------


def test_a_jump_is_told_by_its_two_rates() -> None:
    finding = found(
        "Schedule(linear(100, start=1e-6, to=1e-4), hold(10), cosine(start=1e-3, to=0.0))", {"total_steps": 1000}
    )
    assert finding["K005"].message == (
        "The rate jumps from 0.0001 up to 0.001 at step 110, where the cosine begins, and nothing restarts there."
    )
    assert finding["K005"].phase is not None
    assert finding["K005"].phase.name == "cosine"


@pytest.mark.parametrize(
    "text",
    [
        "Schedule(cosine(500, start=0.1, to=0.01), hold(start=0.05))",
        "Schedule(cosine(500, start=0.1, to=0.01), cosine(start=0.2, to=0.0))",
        "Schedule(hold(500, start=0.01), cosine(start=0.1, to=0.0))",
        "Schedule(cosine(200, start=0.1, to=0.05), hold(100), cosine(start=0.1, to=0.0))",
        "Schedule(linear(100, start=1e-3, to=0.01), cycles(cosine(300, start=0.1, to=0.0)))",
        "Schedule(cycles(linear(50, start=1e-3, to=0.01), cosine(200, start=0.1, to=0.0)))",
    ],
)
def test_a_jump_that_restarts_nothing(text: str) -> None:
    assert codes(text, {"total_steps": 1000}) == ["K005"]


def test_the_longest_warmup_is_an_argument() -> None:
    text, run = 'warmup_cosine(peak=1e-3, warmup="40%", warmup_start=1e-6)', {"total_steps": 1000}
    finding = found(text, run)["K006"]
    assert finding.message == "The warm-up lasts 400 steps, which is 40 % of the run of 1,000 steps."
    assert finding.fix.endswith("Or allow more: longest_warmup=0.4, on the command line --longest-warmup 40%.")
    assert codes(text, run, longest_warmup=0.4) == []
    assert codes(text, run, longest_warmup=0.39) == ["K006"]


def test_a_floor_that_is_the_peak_is_no_decay() -> None:
    assert codes("Schedule(cosine(start=0.1, to=0.1))", {"total_steps": 1000}) == ["K007"]


def test_steps_down_that_the_run_ends_before_are_no_decay() -> None:
    text = 'step_decay(peak=0.1, every="{}ep", factor=0.1)'
    finding = found(text.format(100), {"epochs": 90, "steps_per_epoch": 100})
    assert list(finding) == ["K007"]
    assert finding["K007"].message == (
        "Nothing decays: the rate stays at its peak of 0.1 from step 0 to the end of the run."
    )
    assert finding["K007"].fix == "Make the cycles shorter: the second begins only after 100 epochs."
    assert codes(text.format(90), {"epochs": 90, "steps_per_epoch": 100}) == ["K007"]
    assert codes(text.format(89), {"epochs": 90, "steps_per_epoch": 100}) == []
    assert codes(text.format(89), {"steps_per_epoch": 100}) == []


def test_a_run_that_ends_at_its_peak() -> None:
    text = "Schedule(linear(100, start=0.1, to=0.001), cosine(to={}))"
    finding = found(text.format(0.1), {"total_steps": 1000})
    assert list(finding) == ["K007"]
    assert finding["K007"].severity == "warning"
    assert finding["K007"].message == (
        "Nothing decays at the end: the cosine from step 100 on goes up again, and the last update of the run has the "
        "rate 0.0999997, 100 % of the highest."
    )
    assert finding["K007"].phase is not None
    assert finding["K007"].phase.first_step == 100
    assert codes(text.format(0.04), {"total_steps": 1000}) == []
    held = "Schedule(linear(100, start=0.1, to=0.001), cosine(200, to=0.1), hold({}), linear(500, to=0.0))"
    assert codes(held.format(200), {"total_steps": 1000}) == []
    assert codes(held.format(700), {"total_steps": 1000}) == ["K002"]
    assert codes(held.replace(", linear(500, to=0.0)", "").format("700"), {"total_steps": 1000}) == ["K007"]


@pytest.mark.parametrize(("floor", "expected"), [(0.05, []), (0.051, ["K008"]), (0.099, ["K008"])])
def test_a_floor_above_half_the_peak(floor: float, expected: list[str]) -> None:
    found_codes = codes(f"Schedule(cosine(start=0.1, to={floor}))", {"total_steps": 1000})
    assert [code for code in found_codes if code != "K019"] == expected
    assert codes(f"sgdr(peak=0.1, period=500, floor={floor})", {"total_steps": 1000}) == expected


def test_the_lowest_of_several_floors_counts() -> None:
    assert codes("Schedule(cosine(500, start=0.1, to=0.08), cosine(to=0.01))", {"total_steps": 1000}) == []


def test_a_share_that_rounds_down_to_nothing() -> None:
    finding = found('Schedule(linear("floor 0.5%", start=1e-5, to=0.1), cosine(to=0.0))', {"total_steps": 100})["K010"]
    assert finding.message == (
        'linear("floor 0.5%", start=1e-05, to=0.1) lasts less than a step in this run, and as a floor it is left out.'
    )


def test_many_short_phases_are_one_finding() -> None:
    phases = ", ".join(["cosine(1, start=0.1, to=0.01)"] * 5)
    finding = found(f"Schedule({phases}, cosine(start=0.1, to=0.0))", {"total_steps": 100})["K010"]
    assert "The same goes for 4 more phases." in finding.message


def test_an_endpoint_that_a_section_cuts() -> None:
    text = "Schedule(section(cosine(100, start=0.1, to=0.01, endpoint=True), duration={}))"
    finding = found(text.format(50), {"total_steps": 50})["K011"]
    assert "0.01 would be the rate of step 99, and its last step is 49." in finding.message
    assert "shorter by 50 steps" in finding.fix
    assert codes(text.format(100), {"total_steps": 100}, ignore=["K012"]) == []


# --- K012, K013 -------------------------------------------------------------------------------------------------

FIFTY = {"epochs": 50, "steps_per_epoch": 788}


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (
            "warmup_cosine(peak=1e-3, warmup=5, warmup_start=1e-5)",
            'linear("5ep", start=1e-05, to=0.001), in a constructor warmup="5ep"',
        ),
        (
            "sgdr(peak=0.05, period=10, stretch=2)",
            'cycles(cosine("10ep", start=0.05, to=0.0), stretch=2.0), in a constructor period="10ep"',
        ),
        (
            "step_decay(0.1, every=30, factor=0.99)",
            'cycles(hold("30ep", start=0.1), shrink=0.99), in a constructor every="30ep"',
        ),
        (
            "sgdr(peak=0.05, period=10, warmup=5, warmup_start=1e-5)",
            'linear("5ep", start=1e-05, to=0.05) and cycles(cosine("10ep", start=0.05, to=0.0)), in a constructor '
            'warmup="5ep" and period="10ep"',
        ),
        (
            "Schedule(cycles(linear(2, start=1e-3, to=0.1), cosine(4, to=1e-3)))",
            'cycles(linear("2ep", start=0.001, to=0.1), cosine("4ep", to=0.001))',
        ),
        ('Schedule(hold("1ep", start=0.1), cosine(5, to=0.05), cosine(to=0.0))', 'cosine("5ep", to=0.05)'),
    ],
)
def test_epochs_that_were_written_as_steps(text: str, written: str) -> None:
    finding = found(text, FIFTY)
    assert list(finding) == ["K012"]
    assert finding["K012"].fix.endswith(f"write {written}.")


def test_step_decay_by_steps_of_a_typical_run() -> None:
    finding = found("step_decay(peak=0.1, every=30, factor=0.1)", {"epochs": 90, "steps_per_epoch": 100})
    assert list(finding) == ["K003", "K012"]
    assert finding["K012"].message == "The first cycle lasts 30 steps of a run of 90 epochs, each of 100 steps."


@pytest.mark.parametrize(
    ("every", "run", "expected"),
    [
        (50, FIFTY, ["K012"]),
        (51, FIFTY, []),  # more than there are epochs
        (30, {"epochs": 50, "steps_per_epoch": 31}, []),  # more than a 100th of the run
        (30, {"epochs": 100, "steps_per_epoch": 30}, []),  # an epoch
        (30, {"epochs": 100, "steps_per_epoch": 31}, ["K012"]),
        (30, {"total_steps": 39_400}, []),  # epochs are not known
    ],
)
def test_cycles_of_so_many_steps_as_epochs(every: int, run: Mapping[str, Any], expected: list[str]) -> None:
    assert codes(f"step_decay(0.1, every={every}, factor=0.999)", run) == expected
    veto = f"Schedule(linear(1000, start=1e-3, to=0.1), cycles(hold({every}), shrink=0.999))"
    assert codes(veto, run, longest_warmup=1.0) == []


@pytest.mark.parametrize(
    ("text", "run"),
    [
        ("warmup_cosine(peak=1e-3, warmup=51, warmup_start=1e-5)", FIFTY),  # more than there are epochs
        ("warmup_cosine(peak=1e-3, warmup=40, warmup_start=1e-5)", FIFTY),  # more than a 20th of an epoch
        ("warmup_cosine(peak=1e-3, warmup=5, warmup_start=1e-5)", {"epochs": 50, "steps_per_epoch": 99}),
        ("warmup_cosine(peak=1e-3, warmup=5, warmup_start=1e-5)", {"total_steps": 39_400}),  # epochs are not known
        ('warmup_cosine(peak=1e-3, warmup="5ep", warmup_start=1e-5, hold=5)', FIFTY),
    ],
)
def test_weak_evidence_is_none(text: str, run: Mapping[str, Any]) -> None:
    assert codes(text, run) == []


def test_a_run_of_so_many_steps_as_epochs() -> None:
    finding = found("constant(0.1)", {"total_steps": 50, "steps_per_epoch": 788}, ignore=["K007"])["K012"]
    assert finding.fix == "If 50 epochs were meant, plan with epochs=50 and steps_per_epoch=788: 39,400 steps."
    assert finding.phase is None


@pytest.mark.parametrize(
    ("text", "run", "expected"),
    [
        ("warmup_cosine(peak=0.1)", {"total_steps": 90}, ["K012"]),
        ("warmup_cosine(peak=0.1)", {"total_steps": 300}, ["K012"]),
        ("warmup_cosine(peak=0.1)", {"total_steps": 301}, []),
        ("warmup_cosine(peak=0.1)", {"total_steps": 90, "steps_per_epoch": 9}, []),
        ('Schedule(cosine("90sp", start=0.1, to=0.0))', {"total_steps": 90, "samples_per_step": 1}, []),
        ('Schedule(section(cosine("90tok", start=0.1, to=0.0)))', {"total_steps": 90, "tokens_per_step": 1}, []),
        ("warmup_cosine(peak=0.1)", {"total_steps": 90, "samples_per_step": 1}, ["K012"]),
    ],
)
def test_a_short_run_whose_epochs_are_not_known(text: str, run: Mapping[str, Any], expected: list[str]) -> None:
    finding = found(text, run)
    assert list(finding) == expected
    if expected:
        assert finding["K012"].severity == "info"
        assert finding["K012"].message == f"The run lasts {run['total_steps']} steps. A step is one training batch."
        assert finding["K012"].fix == (
            f"If these are epochs, plan with epochs={run['total_steps']} and steps_per_epoch=..."
        )


def test_steps_that_were_written_as_epochs() -> None:
    text = 'Schedule(linear("500ep", start=1e-5, to=1e-3), cosine("38900ep", to=0.0))'
    finding = found(text, FIFTY)
    assert list(finding) == ["K016", "K013"]
    assert finding["K013"].fix == "If 500 steps were meant, write linear(500, start=1e-05, to=0.001)."


def test_a_longer_recipe_in_a_shorter_run_is_no_mix_up() -> None:
    assert codes('Schedule(cosine("300ep", start=0.1, to=0.0))', FIFTY) == ["K002"]


# --- any plan ---------------------------------------------------------------------------------------------------


def _check_findings(plan: ks.Plan) -> None:
    findings = ks.lint(plan)
    order = [(["error", "warning", "info"].index(finding.severity), finding.code) for finding in findings]
    assert order == sorted(order)
    for finding in findings:
        assert finding.severity in ("error", "warning", "info")
        assert finding.message[-1] == "."
        assert finding.fix[-1] in ".?"
        assert "\n" not in str(finding)
        if finding.phase is not None:
            assert finding.phase.first_step <= max(plan.after.first_step, plan.total_steps or 0)
    assert max(map(len, report(findings).splitlines()), default=0) <= 200
    assert count(findings)


@given(schedules, st.sampled_from([1000, 10**6, 10**9, None]))
def test_any_plan_can_be_looked_at(schedule: ks.Schedule, total: int | None) -> None:
    try:
        plan = schedule.plan(**(RUN | {"total_steps": total}))
    except ks.PlanError:
        return
    _check_findings(plan)


@given(small_schedules(), st.sampled_from([1, 7, 60, 10**6, None]))
def test_any_plan_with_sections_can_be_looked_at(schedule: ks.Schedule, total: int | None) -> None:
    try:
        plan = schedule.plan(**(SMALL_RUN | {"total_steps": total}))
    except ks.PlanError:
        return
    _check_findings(plan)


@given(small_schedules(), st.lists(st.integers(0, 150), min_size=1, max_size=5))
def test_a_step_is_looked_up_as_the_plan_does(schedule: ks.Schedule, steps: list[int]) -> None:
    try:
        plan = schedule.plan(**SMALL_RUN)
    except ks.PlanError:
        return
    case = PlanFacts(plan, 0.3)
    assert [case.rate_at(step) for step in steps] == [plan(step) for step in steps]
    assert [case.row_at(step) for step in steps] == [plan.phase_at(step) for step in steps]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sgdr(peak=0.1, period=100)", []),
        ("constant(0.1)", ["K007"]),
        ("constant(0.0)", ["K015"]),
        ("inverse_sqrt_decay(peak=0.1, warmup=10)", ["K004"]),
        ("sgdr(peak=0.1, period=100, floor=0.09)", ["K008"]),
    ],
)
def test_without_a_length_only_what_does_not_need_one(text: str, expected: list[str]) -> None:
    assert codes(text, {}) == expected


@pytest.mark.parametrize("total", [10**7, 2**63 - 1])
@pytest.mark.parametrize("stretch", [1, 1.001])
def test_cycles_are_not_gone_through(total: int, stretch: float, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = ks.sgdr(peak=0.1, period=99, stretch=stretch).plan(total_steps=total)
    calls = 0
    original = PlannedCycles._rounded_position

    def counted(self: PlannedCycles, cycle: int, phase: int) -> tuple[int, Fraction]:
        nonlocal calls
        calls += 1
        return original(self, cycle, phase)

    monkeypatch.setattr(PlannedCycles, "_rounded_position", counted)
    assert [finding.code for finding in ks.lint(plan)] == ["K001"]
    assert calls < 500


def test_steps_are_not_gone_through(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = ks.warmup_cosine(peak=0.1, warmup="40%", floor=0.09).plan(total_steps=2**63 - 1)
    calls: list[int] = []
    original = PlannedPhase.value_at

    def counted(self: PlannedPhase, step: int) -> float:
        calls.append(step)
        return original(self, step)

    monkeypatch.setattr(PlannedPhase, "value_at", counted)
    assert [finding.code for finding in ks.lint(plan)] == ["K006", "K008", "K004"]
    assert 0 < len(calls) < 100


# --- arguments --------------------------------------------------------------------------------------------------


def test_codes_can_be_ignored() -> None:
    text, run = 'warmup_cosine(peak=1e-3, warmup="40%")', {"total_steps": 1000}
    assert codes(text, run) == ["K006", "K004"]
    assert codes(text, run, ignore=["k004"]) == ["K006"]
    assert codes(text, run, ignore=("K006", "K004", "K001")) == []


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"ignore": ["K999"]}, ks.ArgumentError, r"`ignore` must be a code from K001 to K019. Received: ignore='K999'"),
        ({"ignore": ["K0003"]}, ks.ArgumentError, r"Did you mean 'K003'\?"),
        ({"ignore": ["k3"]}, ks.ArgumentError, r"Did you mean 'K003'\?"),
        ({"ignore": ["K0"]}, ks.ArgumentError, r"Received: ignore='K0'\.$"),
        ({"ignore": ["K00"]}, ks.ArgumentError, r"Received: ignore='K00'\.$"),
        ({"ignore": ["K20"]}, ks.ArgumentError, r"Received: ignore='K20'\.$"),
        ({"ignore": "K004"}, ks.ArgumentTypeError, r'must be a list of codes, such as \["K004"\]'),
        ({"ignore": [4]}, ks.ArgumentTypeError, r'must be a code such as "K004". Received: ignore=4'),
        ({"longest_warmup": 0}, ks.ArgumentError, r"`longest_warmup` must be a share of the run, in \(0, 1\]"),
        ({"longest_warmup": 30}, ks.ArgumentError, r"Received: longest_warmup=30"),
        ({"longest_warmup": "30%"}, ks.ArgumentTypeError, r"`longest_warmup` must be a share of the run"),
    ],
)
def test_arguments_that_cannot_be_meant(arguments: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        ks.lint(ks.constant(0.1).plan(), **arguments)


def test_a_schedule_is_to_be_planned_first() -> None:
    with pytest.raises(ks.ArgumentTypeError, match=r"First call `schedule.plan\(total_steps=...\)`"):
        ks.lint(ks.constant(0.1))  # type: ignore[arg-type]


def test_lint_needs_no_numpy() -> None:
    code = (
        "import sys, kosine as ks; plan = ks.sgdr(peak=0.1, period=7).plan(total_steps=1000); assert ks.lint(plan); "
        "sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "schedule",
    [
        ks.dialects.torch.CosineAnnealingLR(0.1, 200),
        ks.dialects.torch.MultiStepLR(0.1, [60, 120, 160], 0.2),
        ks.Schedule(ks.hold(60, start=0.1), ks.hold(60, start=0.02), ks.hold(80, start=0.004)),
        ks.step_decay(peak=0.1, every=60),
        ks.Schedule(ks.cosine(200, start=0.1, to=1e-4)),
        ks.Schedule(ks.linear(5, start=1e-4, to=0.1), ks.cosine(195, to=1e-4)),
        ks.sgdr(peak=0.1, period=50),
    ],
)
def test_steps_that_add_up_to_the_epochs_were_meant_as_epochs(schedule: ks.Schedule) -> None:
    assert "K012" in [finding.code for finding in ks.lint(schedule.plan(**CIFAR))]


@pytest.mark.parametrize(
    ("schedule", "code", "run"),
    [
        (ks.Schedule(ks.cycles(ks.linear("1.4st", start=0.0, to=1.0))), "K015", {"total_steps": 1000}),
        (
            ks.Schedule(
                ks.linear(50, start=1e-4, to=0.05), ks.section(ks.cycles(ks.cosine(100, start=0.1, to=0.0)), skip=50)
            ),
            "K005",
            {"total_steps": 1000},
        ),
        (ks.Schedule(ks.linear(50, start=0.1, to=0.0), ks.hold(start=0.0015)), "K005", {"total_steps": 1000}),
        (ks.dialects.keras.PolynomialDecay(0.1, 1000, cycle=True), "K011", {"total_steps": 3000}),
        (ks.warmup_cosine(peak=1e-4, warmup="10ep", warmup_start=4e-6, hold=5), "K012", CIFAR),
        (
            ks.Schedule(ks.cycles(ks.linear("1.4st", start=1.0, to=0.0, endpoint=True))),
            "K015",
            {"total_steps": 60},
        ),
        (
            ks.warmup_cosine(peak=0.1, warmup=1000, warmup_start=1e-3),
            "K012",
            {"epochs": 1000, "steps_per_epoch": 100},
        ),
        (
            ks.Schedule(
                ks.linear(20, start=1e-4, to=0.05), ks.section(ks.cycles(ks.cosine(100, start=0.1, to=0.0)), skip=50)
            ),
            "K005",
            {"total_steps": 1000},
        ),
    ],
)
def test_false_alarms_that_reviews_found_are_gone(schedule: ks.Schedule, code: str, run: dict[str, Any]) -> None:
    assert code not in [finding.code for finding in ks.lint(schedule.plan(**run))]


def test_no_period_is_suggested_that_cannot_be_planned() -> None:
    plan = ks.sgdr(peak=0.1, period="5ep", stretch=2, shrink=0.9, floor=0.06).plan(epochs=90, steps_per_epoch=1000)
    (finding,) = (finding for finding in ks.lint(plan) if finding.code == "K001")
    assert "(6 cycles)" not in finding.fix


def test_a_run_ends_after_the_step_that_has_the_endpoint() -> None:
    decay = ks.one_minus_sqrt(50, start=0.1, to=0.0, endpoint=True)
    schedule = ks.Schedule(ks.linear(10, start=1e-6, to=0.1), decay)
    (finding,) = (finding for finding in ks.lint(schedule.plan(total_steps=100)) if finding.code == "K003")
    assert "end the run after 60 steps" in finding.fix
    assert not [finding for finding in ks.lint(schedule.plan(total_steps=60)) if finding.code != "K012"]


def test_findings_print_as_the_report_and_stay_a_tuple() -> None:
    found = ks.lint(ks.warmup_cosine(peak=0.1, warmup=600).plan(total_steps=1000))
    assert found == tuple(found)
    assert str(found).startswith(f"{found[0].code} {found[0].severity}  ")
    assert f"Fix: {found[0].fix.split()[0]}" in str(found)
    assert str(ks.lint(ks.warmup_cosine(peak=0.1).plan(total_steps=1000))) == "Nothing odd found."


# --- K017, K018: plans made from plans --------------------------------------------------------------------------

WSD = ks.wsd(peak=1e-3, warmup=500, cooldown="20%").plan(total_steps=10_000)
COSINE = ks.Schedule(ks.linear(500, start=1e-6, to=1e-3), ks.cosine(to=1e-4)).plan(total_steps=10_000)
LONGER = {"total_steps": 20_000}


def of_branches(plan: ks.Plan) -> list[tuple[str, str]]:
    return [(each.code, each.severity) for each in ks.lint(plan) if each.code in ("K017", "K018")]


@pytest.mark.parametrize(
    ("plan", "severity"),
    [
        (WSD.cooldown(at=8000, over=1000), None),  # where the decay begins
        (WSD.cooldown(at=9000, over=500), "warning"),
        (WSD.cooldown(at=6000, over=1000), None),
        (WSD.extend(at=9000, how="hold", **LONGER), "warning"),
        (WSD.extend(at=9000, how="stretch", **LONGER), "info"),
        (WSD.extend(at=9000, how="meet", **LONGER), None),  # it goes back up first
        (COSINE.cooldown(at=5000, over=1000, shape="linear"), "warning"),
        (COSINE.extend(at=5000, how="hold", **LONGER), "warning"),
        (COSINE.extend(at=5000, how="stretch", **LONGER), "info"),
        (COSINE.extend(at=5000, how="meet", **LONGER), None),
        (COSINE.until(5000).then(ks.cosine(1000, to=0.0)), "warning"),
        (COSINE.until(5000).then(ks.hold(5000)), None),  # as a curve that is cut at a floor
        (COSINE.rewarm(at=5000, warmup=100, peak=1e-3, then=ks.cosine(to=0.0), **LONGER), None),
        (COSINE.cooldown(at=510, over=1000), None),  # hardly begun
        (COSINE.cooldown(at=9_950, over=50), None),  # as good as done
        (ks.inverse_sqrt_decay(peak=1e-3, warmup=100).plan(total_steps=9000).cooldown(at=5000, over=1000), None),
        (ks.sgdr(peak=0.1, period=1000).plan(total_steps=9000).cooldown(at=5500, over=1000), None),
    ],
)
def test_a_branch_inside_a_decay(plan: ks.Plan, severity: str | None) -> None:
    assert of_branches(plan) == ([] if severity is None else [("K018", severity)])


def test_a_branch_inside_a_decay_says_where_the_stable_part_ends() -> None:
    (finding,) = [each for each in ks.lint(WSD.cooldown(at=9000, over=500)) if each.code == "K018"]
    assert finding.message == (
        "The one_minus_sqrt is cut at step 9,000, after 1,000 of its 2,000 steps: the one_minus_sqrt that follows "
        "begins at 0.000292893, 29.3 % of the peak."
    )
    assert WSD(9000) == pytest.approx(0.000292893, rel=1e-5)
    assert finding.fix == "Branch off at step 8,000, where the decay begins, or earlier."
    assert of_branches(WSD.cooldown(at=8000, over=500)) == []
    assert finding.phase is not None
    assert finding.phase.first_step == 9000


def test_two_branches_in_decays_are_one_finding() -> None:
    twice = COSINE.cooldown(at=5000, over=1000).cooldown(at=5500, over=200)
    (finding,) = [each for each in ks.lint(twice) if each.code == "K018"]
    assert "The same goes for 1 more cut." in finding.message


@pytest.mark.parametrize(
    ("section", "after", "severity"),
    [
        (
            'linear(100, start=1e-6, to=1e-3), hold(), one_minus_sqrt("20%", to=0.0), duration=600',
            "hold(400)",
            "warning",
        ),
        ("linear(100, start=1e-6, to=1e-3), cosine(to=1e-4), duration=600", "linear(400, to=0.0)", "warning"),
        ('linear(100, start=1e-6, to=1e-3), cosine(to=1e-4), duration="6ep"', "linear(400, to=0.0)", "warning"),
        ("linear(100, start=1e-6, to=1e-3), cosine(to=1e-4), duration=600", "linear(400, to=1e-3)", "info"),
        ("linear(100, start=1e-6, to=1e-3), cosine(to=1e-4), duration=600", "hold(400, start=1e-3)", "info"),
        ('linear("5%", start=1e-6, to=1e-3), hold(), duration=600', "linear(400, to=0.0)", "info"),
        ("linear(100, start=1e-6, to=1e-3), cosine(to=1e-4), duration=1000", "", "info"),
        ("linear(100, start=1e-6, to=1e-3), hold(), duration=600", "linear(400, to=0.0)", None),
        ("linear(100, start=1e-6, to=1e-3), hold(500), duration=600", "linear(400, to=0.0)", None),
        ('linear(100, start=1e-6, to=1e-3), cosine(to=1e-4), duration="60%"', "linear(400, to=0.0)", None),
        ("cosine(start=1e-3, to=1e-4), duration=600", "linear(400, to=0.0)", None),
    ],
)
def test_a_section_around_a_rest(section: str, after: str, severity: str | None) -> None:
    schedule = ks.parse(f"Schedule(section({section}){', ' * bool(after)}{after})")
    assert of_branches(schedule.plan(total_steps=1000, steps_per_epoch=100)) == (
        [] if severity is None else [("K017", severity)]
    )


@pytest.mark.parametrize("old", [WSD, ks.warmup_cosine(peak=1e-3, warmup="5%").plan(total_steps=10_000)])
def test_a_section_is_found_where_it_changes_the_past_and_the_fix_mends_it(old: ks.Plan) -> None:
    naive = ks.Schedule(ks.section(*old.schedule.parts, duration=6000), ks.linear(1000, to=0.0)).plan(total_steps=7000)
    assert naive(5000) != old(5000)
    (finding,) = [each for each in ks.lint(naive) if each.code == "K017"]
    assert finding.severity == "warning"
    assert "`plan.until(6000)`" in finding.fix
    mended = old.until(6000).then(ks.linear(1000, to=0.0))
    assert all(mended(step) == old(step) for step in range(0, 6000, 7))
    assert "K017" not in [each.code for each in ks.lint(mended)]


@given(schedules)
def test_a_schedule_without_a_cut_has_no_branch(schedule: ks.Schedule) -> None:
    assert of_branches(schedule.plan(**RUN)) == []


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_of_other_libraries_have_no_branch(name: str) -> None:
    assert [of_branches(dialect_case(name, seed).plan) for seed in range(3)] == [[]] * 3


# --- K019: a floor above 0 --------------------------------------------------------------------------------------


def cost(text: str, **run: Any) -> float | None:
    """What K019 says that the end of the run costs, as a share of the bound; None where it says nothing."""
    messages = [each.message for each in ks.lint(ks.parse(text).plan(**run)) if each.code == "K019"]
    return float(re.findall(r"costs ([0-9.]+) %", messages[0])[0]) / 100 if messages else None


@pytest.mark.parametrize("total", [3000, 50_000, 10**9])
@pytest.mark.parametrize(
    "text",
    [
        'warmup_cosine(peak=1e-3, warmup="2%", floor={})',
        'wsd(peak=1e-3, warmup="2%", floor={}, curve="linear")',
        'Schedule(linear("30%", start=0.0, to=1e-3), hold("10%"), polynomial(to={}, power=2.0))',
    ],
)
def test_what_a_floor_costs_is_what_the_ranking_says(text: str, total: int) -> None:
    floor, zero = (ks.parse(text.format(to)).plan(total_steps=total) for to in (3e-4, 0.0))
    ranking = ks.rank(floor, zero)
    assert ranking.best.plan == zero
    expected = ranking.above_best(ranking.rows[1])
    assert cost(text.format(3e-4), total_steps=total) == pytest.approx(expected, abs=0.006)  # two digits are printed


@pytest.mark.parametrize(
    "text",
    [
        "warmup_cosine(peak=1e-3, warmup=500, floor=1e-6)",
        "warmup_cosine(peak=1e-3, warmup=500)",
        "sgdr(peak=1e-3, period=5000, floor=1e-4)",
        "Schedule(cosine(8000, start=1e-3, to=1e-4), hold())",
        "constant(1e-3)",
    ],
)
def test_a_floor_that_costs_little_restarts_and_a_hold_are_left_alone(text: str) -> None:
    assert cost(text, total_steps=10_000) is None
    assert cost("warmup_cosine(peak=1e-3, warmup=500, floor=1e-4)", total_steps=10_000) == 0.073


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("Schedule(cosine(start=1e-3, to=2e-4))", "Let it end at 0, unless"),
        ("Schedule(section(linear(start=1e-3, to=2e-4)))", "Let it end at 0, unless"),
        ("Schedule(exponential(start=1e-3, to=1e-4))", "End with a cooldown"),
        ("Schedule(inverse_sqrt(start=1e-3, to=2e-4))", "End with a cooldown"),
    ],
)
def test_the_fix_of_a_floor_can_be_written(text: str, fix: str) -> None:
    (finding,) = [each for each in ks.lint(ks.parse(text).plan(total_steps=10_000)) if each.code == "K019"]
    assert finding.fix.startswith(fix)
