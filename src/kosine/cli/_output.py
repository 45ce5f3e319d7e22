"""What commands print for machines or write to a file, and the options for it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kosine._core.files import whole_file
from kosine._core.plain_text import printable

if TYPE_CHECKING:
    from kosine._core.schedule import Plan
    from kosine._core.timeline import PlannedPhase

json_option = click.option(
    "--json",
    "as_json",
    is_flag=True,
    is_eager=True,  # read before options that print and exit, in any order
    help="Print JSON instead, for other programs.",
)
output_option = click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write to a file instead."
)


def print_json(data: Any) -> None:
    click.echo(json.dumps(data, indent=2, allow_nan=False))


def say_written(output: Path, as_json: bool, **more: Any) -> None:
    """Say what was written to a file; nothing where it went to a pipe or a device, which may be this output."""
    if not output.is_file():
        return
    if as_json:
        print_json(written(output) | more)
    else:
        click.echo(f"wrote {printable(str(output))}")


def print_result(
    result: object, data: dict[str, Any], output: Path | None, as_json: bool, notes: Iterable[str] = ()
) -> None:
    """Print a result as JSON, or as its text, notes and curve; and what was drawn into a file."""
    if as_json:
        print_json(data | ({} if output is None else written(output)))
        return
    from kosine._display.terminal import Screen, draw

    click.echo("\n\n".join([str(result), *notes, draw(result, Screen.of_stdout())]))
    if output is not None:
        click.echo()
        say_written(output, as_json)


def written(output: Path) -> dict[str, Any]:
    return {"written": str(output), "bytes": output.stat().st_size}


def write_out(pieces: Iterable[str], output: Path | None, as_json: bool) -> None:
    """Print a text that comes in pieces, or write it to a file, whole or not at all, and say so."""
    if output is None:
        for piece in pieces:
            click.echo(piece, nl=False)
        return
    with whole_file(output) as file:
        for piece in pieces:
            file.write(piece)
    say_written(output, as_json)


def phase_data(plan: Plan, row: PlannedPhase) -> dict[str, Any]:
    """A phase, with the numbers that its line of the table has."""
    per_epoch, total = plan.run.steps_per_epoch, plan.total_steps
    goes_on = row.steps is None and total is not None and total > row.first_step
    return {
        "name": row.name,
        "cycle": None if row.cycle is None else row.cycle + 1,
        "first_step": row.first_step,
        "steps": row.steps,
        "epochs": None if row.steps is None or per_epoch is None else row.steps / per_epoch,
        "first_learning_rate": row.first_lr,
        "end_learning_rate": plan(total) if goes_on and total else row.end_lr,  # the rate at the end of the run
    }
