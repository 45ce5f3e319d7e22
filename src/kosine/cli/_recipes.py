"""`kosine recipes`: the schedules of published training runs, with their sources."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import click

from kosine._core.plain_text import aligned
from kosine.cli._output import json_option, phase_data, print_json
from kosine.cli._per_step_type import written
from kosine.cli._schedule_argument import known_recipes
from kosine.published import PUBLISHED, full_name

if TYPE_CHECKING:
    from kosine._core.schedule import Plan

_WIDTH = 80


@click.command(
    "recipes",
    epilog="""\b
Examples:
  kosine recipes
  kosine recipes gpt-3
  kosine show gpt-3""",
)
@click.argument("name", required=False, shell_complete=lambda context, parameter, incomplete: known_recipes(incomplete))
@json_option
def command(name: str | None, as_json: bool) -> None:
    """List the schedules of published training runs, or describe the one called NAME.

    The other commands take each name as SCHEDULE, with the size of its run.
    """
    if name is None:
        print_json([_row(each) for each in PUBLISHED]) if as_json else click.echo(_table())
    else:
        full = full_name(name)
        print_json(_described(full)) if as_json else click.echo(_description(full))


def _table() -> str:
    lines = [["name", "what", "steps", "peak", "source"]]
    for name, recipe in PUBLISHED.items():
        plan = recipe.plan()
        reference = recipe.source.partition(",")[0].partition(" and ")[0] + ("*" if recipe.secondary else "")
        lines.append([name, recipe.title, f"{plan.total_steps:,}", f"{_peak(plan):.4g}", reference])
    rows = aligned(lines, left=(0, 1, 4))
    return "\n".join(
        [*rows, "", "* from a secondary source.", "`kosine recipes NAME` says more; `kosine show NAME` draws it."]
    )


def _description(name: str) -> str:
    recipe = PUBLISHED[name]
    size = " ".join(f"--{argument.replace('_', '-')} {written(value)}" for argument, value in recipe.run.items())
    facts = {
        "schedule": repr(recipe.schedule),
        "run": size,
        "source": recipe.source + (" (a secondary source)" if recipe.secondary else ""),
        "note": recipe.note,
    }
    return "\n".join(
        [
            recipe.title,
            "",
            *(_paragraph(label, text) for label, text in facts.items()),
            "",
            str(recipe.plan()),
            "",
            "Go on with:",
            f"  kosine show {name}",
            f"  kosine plot {name} -o {name}.png",
            f"  kosine export {name} --to python",
        ]
    )


def _paragraph(label: str, text: str) -> str:
    lines = textwrap.wrap(text, _WIDTH - 10, break_long_words=False, break_on_hyphens=False)
    return f"{label:<10}" + ("\n" + " " * 10).join(lines)


def _row(name: str) -> dict[str, Any]:
    recipe = PUBLISHED[name]
    plan = recipe.plan()
    return {
        "name": name,
        "title": recipe.title,
        "schedule": repr(recipe.schedule),
        "run": dict(recipe.run),
        "total_steps": plan.total_steps,
        "peak_learning_rate": _peak(plan),
        "source": recipe.source,
        "secondary": recipe.secondary,
        "note": recipe.note,
    }


def _described(name: str) -> dict[str, Any]:
    plan = PUBLISHED[name].plan()
    phases = [phase_data(plan, row) for row in plan.phases]
    return {**_row(name), "phases": phases}


def _peak(plan: Plan) -> float:
    from kosine._analysis.summary import summarize

    return summarize(plan).peak
