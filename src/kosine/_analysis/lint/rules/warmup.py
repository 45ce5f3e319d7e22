"""Checks of the warm-up: how much of the run it takes."""

from __future__ import annotations

from collections.abc import Iterator

from kosine._analysis.lint.plan_facts import PlanFacts
from kosine._analysis.lint.rule import Example, Remark, rule
from kosine._analysis.lint.wording import rate, share


@rule(
    "K006",
    "The warm-up takes a large share of the run",
    severity="warning",
    why="A warm-up keeps the rate low during the first updates, while the statistics of the optimizer settle. "
    "Published runs spend 0.1 to 10 % of their steps on it (GPT-3: 0.1 %, Pythia: 1 %, ConvNeXt: 7 %), and one-cycle "
    "schedules 30 %. A longer warm-up leaves less time for high rates and for the decay. A common cause is a number "
    "of steps that was kept while the run got shorter. The share is an argument: `longest_warmup`, `--longest-warmup`.",
    fix='Make the warm-up shorter, or write it as a share of the run, such as `"5%"`.',
    example=Example(
        "warmup_cosine(peak=1e-3, warmup=10000, warmup_start=1e-6)", {"epochs": 40, "steps_per_epoch": 500}
    ),
    mended=Example('warmup_cosine(peak=1e-3, warmup="5%", warmup_start=1e-6)', {"epochs": 40, "steps_per_epoch": 500}),
)
def long_warmup(facts: PlanFacts) -> Iterator[Remark]:
    if facts.total is None or not facts.warmup:
        return
    row = facts.warmup[-1]
    if row.stop >= facts.total or row is facts.plan.parts[-1]:
        return
    if row.stop - 0.5 > facts.longest_warmup * facts.total:
        longest = int(facts.longest_warmup * facts.total)
        enough = -(-1000 * row.stop // facts.total)
        yield Remark(
            "warning",
            f"The warm-up lasts {facts.time(row.stop)}, which is {share(row.stop, facts.total)} of the run of "
            f"{facts.time(facts.total)}.",
            f'Make it shorter, such as "5%" of the run; at most {longest:,} steps are {share(longest, facts.total)}. '
            f"Or allow more: longest_warmup={enough / 1000:g}, on the command line --longest-warmup {enough / 10:g}%.",
            row,
        )


@rule(
    "K016",
    "The run ends before the warm-up is done",
    severity="error",
    why="The run never reaches the peak, nor any phase after the warm-up. Most often the warm-up was written for a "
    "longer run, or the run's length counts something other than steps. A schedule that only rises, as in a "
    "learning-rate range test, is not reported.",
    fix='Write the warm-up as a share of the run, such as `"5%"`, or train longer.',
    example=Example(
        'sgdr(peak=0.05, period="10ep", warmup=5000, warmup_start=1e-4)', {"epochs": 20, "steps_per_epoch": 100}
    ),
    mended=Example(
        'sgdr(peak=0.05, period="10ep", warmup=500, warmup_start=1e-4)', {"epochs": 25, "steps_per_epoch": 100}
    ),
)
def before_the_warmup_is_done(facts: PlanFacts) -> Iterator[Remark]:
    if facts.ends_in_warmup and facts.total is not None:
        row = facts.warmup[-1]
        begin = facts.warmup[0].first_step
        into, of = facts.of(max(0, facts.total - begin), row.stop - begin)
        yield Remark(
            "error",
            f"The run ends after {into} of the {of} of the warm-up: its last update has the rate "
            f"{rate(facts.rate_at(facts.total - 1))}, where the warm-up goes up to {rate(row.end_lr)}, and what "
            "follows is never reached.",
            f'Make the warm-up shorter, such as "5%" of the run; or train for more than {facts.time(row.stop)}.',
            row,
        )
