"""The argument LOG of commands, and the options for reading it."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click
from click.shell_completion import CompletionItem

from kosine._core.plain_text import printable, shortened
from kosine.cli._number_types import ParamType
from kosine.cli._run_options import CommandFunction
from kosine.cli._schedule_argument import read_schedule, take_standard_input
from kosine.errors import KosineError, LogError
from kosine.published import PUBLISHED

if TYPE_CHECKING:
    from kosine._logs.trace import Trace

_STANDARD_INPUT = "standard input"
_LARGEST_SCHEDULE = 2**16  # bytes of a file that may be a schedule given in the place of a log
_ENDINGS = (".json", ".toml", ".yaml", ".yml")
_MOST_GROUPS = 8

_OPTIONS = (
    ("--group", "NAME", "The param group, for a log that has several."),
    ("--step-column", "NAME", "The column or key of the steps, for a log of a kind that is not known."),
    ("--rate-column", "NAME", "The column or key of the learning rates; its number, from 1, in a table without names."),
)

loss_column_option = click.option(
    "--loss-column",
    metavar="NAME",
    help="The column or key of the losses, such as train_loss; by default of validation, else of training.",
)
"""For a command that needs losses: it gives `loss_column` to `ks.read_trace` or `ks.read_losses`."""


class LogType(ParamType):
    """The name of a log, or `-`."""

    name = "log"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        name = str(value)
        if ctx is None or ctx.resilient_parsing:
            return name
        if name == "-":
            take_standard_input(ctx, "LOG or SCHEDULE, not for both")
        elif _is_schedule(name):
            if ctx.info_name == "check":
                fix = "LOG comes first and SCHEDULE after it: kosine check LOG SCHEDULE"
            else:
                fix = "LOG is the file that a run wrote its learning rates to"
            self.fail(f"{shortened(name, 200)!r} is a schedule, not a log. {fix}.", param, ctx)
        return name

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(incomplete, type="file")]


def log_options(function: CommandFunction) -> CommandFunction:
    """Add the options to a command, which takes the trace of LOG as `trace` in place of them all."""

    @functools.wraps(function)
    def command(
        log: str,
        group: str | None,
        step_column: str | None,
        rate_column: str | None,
        count_rows: bool,
        **others: Any,
    ) -> Any:
        trace = _read_log(log, group=group, step_column=step_column, rate_column=rate_column, count_rows=count_rows)
        return function(trace=trace, **others)

    return cast("CommandFunction", reading_options(command))


def reading_options(function: CommandFunction) -> CommandFunction:
    """Add the options to a command that reads logs itself; it takes them by the names of `read_trace`."""
    text = "Take the rows that have a rate as steps 0, 1, 2, ..., for a log that does not say where they are."
    wrapped = click.option("--count-rows", is_flag=True, help=text)(function)
    for option, kind, text in reversed(_OPTIONS):
        wrapped = click.option(option, metavar=kind, help=text)(wrapped)
    return wrapped


def _read_log(log: str, **options: Any) -> Trace:
    """Read the argument LOG.

    Raises:
        OSError: the file cannot be read.
        LogError: the file is not a log, or has no such group or column.
    """
    from kosine._logs.read.read import read_log

    if log == "-" and sys.stdin is None:
        raise LogError("LOG is -, but standard input is closed.")
    name = _STANDARD_INPUT if log == "-" else log
    try:
        trace = read_log(sys.stdin.buffer if log == "-" else log, **options)
    except LogError as error:
        raise error.changed(where=name) from error
    for each in trace.groups.values():
        each.source = name
    return trace


def other_groups(trace: Trace) -> str:
    """A sentence about the other param groups; empty without any."""
    names = [name for name in trace.groups if name != trace.name]
    if not names:
        return ""
    others = ", ".join(shortened(name, 40) for name in names[:_MOST_GROUPS])
    more = f" and {len(names) - _MOST_GROUPS:,} more" if len(names) > _MOST_GROUPS else ""
    return f"This is the group {shortened(trace.name, 40)}; the log also has {others}{more} (--group)."


def log_data(trace: Trace) -> dict[str, Any]:
    """What a log is, for other programs."""
    first, last = trace.positions[[0, -1]].tolist()
    return {
        "source": trace.source,
        "format": trace.format,
        "group": trace.name,
        "groups": list(trace.groups),
        "axis": trace.axis,
        "rows": len(trace),
        "first": first,
        "last": last,
        "total": trace.total,
        "precision": str(trace.precision),
        "remarks": [{"code": remark.code, "rows": remark.rows, "text": remark.text} for remark in trace.remarks],
    }


def remarks(trace: Trace) -> list[str]:
    """The remarks on a log and its other groups, one line each."""
    return [printable(text) for text in (*(remark.text for remark in trace.remarks), other_groups(trace)) if text]


def skip_data(skips: tuple[tuple[int, int], ...]) -> list[Mapping[str, int]]:
    return [{"position": position, "count": count} for position, count in skips]


def _is_schedule(name: str) -> bool:
    """Whether an argument that should be a log is a text form, a recipe, or a schedule file."""
    if not os.path.exists(name):  # noqa: PTH110  pathlib raises for long texts
        return name in PUBLISHED or ("(" in name and ")" in name)
    path = Path(name)
    if path.suffix.lower() not in _ENDINGS or not path.is_file() or path.stat().st_size > _LARGEST_SCHEDULE:
        return False
    try:
        read_schedule(name)
    except (KosineError, OSError):
        return False
    return True
