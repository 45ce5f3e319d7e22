"""`kosine infer`: the schedule that a log shows, as a file that other commands read."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kosine._core.plain_text import aligned, printable, shortened
from kosine.cli._log_argument import LogType, log_data, log_options, remarks, skip_data
from kosine.cli._number_types import Count
from kosine.cli._output import json_option, print_json, written
from kosine.cli._pictures import picture_option, write_picture
from kosine.cli._schedule_files import toml_lines

if TYPE_CHECKING:
    from kosine._logs.infer.result import Inference
    from kosine._logs.trace import Trace

_WIDTH = 98
_MOST_SKIPS = 8


@click.command(
    "infer",
    epilog="""\b
Examples:
  kosine infer history.csv
  kosine infer history.csv --plot schedule.png --json

To look at the schedule that was found: kosine infer LOG | kosine show -

Exit status: 0 where a schedule explains the log, 1 where none does, 2 after an error.""",
)
@click.argument("log", type=LogType())
@log_options
@click.option("--steps-per-epoch", type=Count(1), metavar="N", help="Training batches in an epoch, if you know it.")
@picture_option("--plot")
@json_option
def command(
    trace: Trace,
    steps_per_epoch: int | None,
    output: Path | None,
    as_json: bool,
) -> int:
    """Find the schedule that the learning rates in LOG follow, and print it as a schedule file.

    The file is a SCHEDULE that the other commands read, also from a pipe. Its comments say how well it fits, and what
    the log leaves open. Where no schedule explains the log, its pieces are printed instead. LOG is a file that a run
    wrote: CSV, JSON, JSON lines, TensorBoard events or text of the known trainers; or - for standard input.
    """
    from kosine._logs.infer.infer import infer

    inference = infer(trace, steps_per_epoch=steps_per_epoch)
    if output is not None:
        write_picture(inference, output, inference.trace.source)
    if as_json:
        print_json(_data(inference) | ({} if output is None else written(output)))
        return 0 if inference.schedule is not None else 1
    if output is not None and output.is_file():
        click.echo(f"wrote {printable(str(output))}", err=True)  # standard output is the schedule's
    if inference.schedule is None:
        click.echo(printable(inference.sentence), err=True)
        click.echo("\n".join(f"# {line}" for line in _table(inference)))  # a file without a schedule, for what reads it
        return 1
    click.echo("\n".join(_file(inference)))
    return 0


def _file(inference: Inference) -> Iterator[str]:
    """A schedule file in TOML."""
    for comment in _comments(inference):
        yield from textwrap.wrap(printable(comment), _WIDTH, initial_indent="# ", subsequent_indent="#   ")
    yield from toml_lines(repr(inference.schedule), {} if inference.plan is None else inference.plan.run.known())
    skipped, odd = sum(count for _, count in inference.skips), len(inference.odd)
    if skipped or odd:
        yield from ("", "[check]  # what this log shows besides the schedule")
        yield from (f"{name} = {count}" for name, count in (("allow_skips", skipped), ("allow_odd_rows", odd)) if count)


def _comments(inference: Inference) -> Iterator[str]:
    log = inference.trace
    yield inference.sentence
    yield _origin(log)
    allowed = _half_width(log)
    yield (
        f"The largest residual is {inference.residual:.3g}; the precision of the log ({log.precision}) leaves "
        f"{allowed:.3g} open."
    )
    if inference.steps_per_unit != 1 or log.axis != "step":  # else the sentence has said it
        yield _reading(log.axis, inference.steps_per_unit, inference.offset)
    if inference.skips:
        yield _skipped(log.axis, inference.skips)
    yield from (f"Left open: {found.text}" for found in inference.open)
    yield from remarks(log)


def _half_width(log: Trace) -> float:
    """How far the highest rate of a log, and so any, may be from the one that was used."""
    return float(log.precision.half_width(log.rates.max(keepdims=True))[0])


def _origin(log: Trace) -> str:
    first, last = log.positions[[0, -1]].tolist()
    kind = f", {log.format}" if log.format else ""
    rows = f"{len(log):,} row{'s' if len(log) > 1 else ''}"
    return f"From {log.source or 'a log'}{kind}: {rows}, {log.axis} {_place(first)} to {_place(last)}."


def _reading(axis: str, steps_per_unit: Fraction, offset: int) -> str:
    """How a row of the log is read."""
    each = "" if steps_per_unit == 1 else f" x {_number(steps_per_unit)}"
    shift = f" {'+' if offset > 0 else '-'} {abs(offset):,}" if offset else ""
    unit = f" A step of this schedule is one {axis}." if steps_per_unit == 1 and axis != "step" else ""
    return f"The row at {axis} n shows the rate of step n{each}{shift}.{unit}"


def _skipped(axis: str, skips: tuple[tuple[int, int], ...]) -> str:
    places = ", ".join(f"{count:,} by {axis} {_place(position)}" for position, count in skips[:_MOST_SKIPS])
    more = ", ..." if len(skips) > _MOST_SKIPS else ""
    total = sum(count for _, count in skips)
    return f"The schedule did not advance in {total:,} step{'s' if total > 1 else ''} ({places}{more})."


def _number(value: Fraction) -> str:
    return f"{value.numerator:,}" if value.denominator == 1 else f"{float(value):.6g}"


def _place(position: float) -> str:
    from kosine._display.labels import step_text

    return step_text(position) if float(position).is_integer() else f"{position:.6g}"


def _table(inference: Inference) -> list[str]:
    """The pieces of a log that no schedule explains."""
    rows = [["piece", f"from {inference.trace.axis}", "to", "first rate", "last rate"]]
    for piece in inference.pieces:
        ends = [_place(piece.first), _place(piece.last), f"{piece.first_rate:.6g}", f"{piece.last_rate:.6g}"]
        rows.append([shortened(piece.curve, 40), *ends])
    return [*aligned(rows), *remarks(inference.trace)]


def _data(inference: Inference) -> dict[str, Any]:
    plan = inference.plan
    return {
        "explained": inference.schedule is not None,
        "sentence": printable(inference.sentence),
        "log": log_data(inference.trace),
        "schedule": None if inference.schedule is None else repr(inference.schedule),
        "run": {} if plan is None else plan.run.known(),
        "total_steps": None if plan is None else plan.total_steps,
        "residual": None if inference.schedule is None else inference.residual,
        "half_width": _half_width(inference.trace),
        "offset": inference.offset,
        "steps_per_unit": float(inference.steps_per_unit),
        "skips": skip_data(inference.skips),
        "odd": list(map(asdict, inference.odd)),
        "open": list(map(asdict, inference.open)),
        "pieces": list(map(asdict, inference.pieces)),
        "complete": inference.complete,
    }
