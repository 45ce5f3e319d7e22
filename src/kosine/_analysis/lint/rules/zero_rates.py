"""Checks of updates with rate 0, which change nothing."""

from __future__ import annotations

from collections.abc import Iterator

from kosine._analysis.lint.plan_facts import PlanFacts
from kosine._analysis.lint.rule import Example, Remark, rule
from kosine._analysis.lint.wording import rate, share


@rule(
    "K004",
    "The first step has rate 0",
    severity="info where it is one step; warning where it is more",
    why="The rate at step 0 is the start of the warm-up. If it is 0, the first batch is read and its gradients are "
    "computed for an update without effect. This is common practice and costs one batch, so the severity is info. "
    "Where the rate stays 0 for longer, as in a warm-up that is counted in epochs, the whole first epoch is wasted.",
    fix="Start above 0: `warmup_start=` in a constructor, `start=` in a phase. nanoGPT starts at peak / (steps + 1).",
    example=Example('warmup_cosine(peak=1e-3, warmup="5ep")', {"epochs": 100, "steps_per_epoch": 500}),
    mended=Example(
        'warmup_cosine(peak=1e-3, warmup="5ep", warmup_start=1e-6)', {"epochs": 100, "steps_per_epoch": 500}
    ),
)
def first_step_at_0(facts: PlanFacts) -> Iterator[Remark]:
    if not facts.trains or not (steps := facts.zeros_at_start):
        return
    row = facts.row_at(steps - 1)
    if steps == row.steps == row.clock.span == 1 and row.end_lr > row.first_lr:  # K010 says to leave the phase out
        return
    start = rate(float(f"{facts.rate_at(steps):.3g}"))
    if steps == 1:
        message = "The first update has rate 0 and changes nothing: one batch is wasted."
    else:
        part = f" ({share(steps, facts.total)} of the run)" if facts.total else ""
        message = f"The rate is 0 for the first {facts.time(steps)}{part}: no weight changes before step {steps:,}."
    yield Remark(
        "info" if steps == 1 else "warning",
        message,
        f"Start above 0, for example at the rate of step {steps:,}: start={start}, in a constructor "
        f"warmup_start={start}.",
        row,
    )


@rule(
    "K015",
    "Every rate is 0",
    severity="error",
    why="No update changes a weight, so the run trains nothing.",
    fix="Give the schedule a peak above 0.",
    example=Example("warmup_cosine(peak=0.0)", {"total_steps": 1000}),
    mended=Example("warmup_cosine(peak=1e-3)", {"total_steps": 1000}),
)
def every_rate_is_0(facts: PlanFacts) -> Iterator[Remark]:
    if not facts.trains:
        yield Remark(
            "error",
            "Every rate of the run is 0: no weight ever changes.",
            "Give the schedule a peak above 0.",
            facts.phases[0].row,
        )
