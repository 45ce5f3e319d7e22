"""The argument SCHEDULE of the commands: a text form, a file, standard input, or the name of a published recipe."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from kosine._core import constructors, curves
from kosine._core.groups import cycles, section
from kosine._core.plain_text import printable
from kosine._core.schedule import Schedule
from kosine._core.text_form import MAX_TEXT
from kosine.cli._errors import CommandError
from kosine.cli._number_types import ParamType
from kosine.cli._run_options import RUN_NAMES
from kosine.cli._schedule_files import NamedSchedule, parse_any, read_document
from kosine.errors import KosineError, NotationError
from kosine.published import PUBLISHED, recipe

_ENDINGS = (".json", ".toml", ".yaml", ".yml")
_NAME = re.compile(r"[A-Za-z][\w.-]*", re.ASCII)
_PATH = re.compile(r"[/\\]|\.[A-Za-z]\w*$", re.ASCII)
"""What only a file's name has: a folder, or an ending."""
_LOST_QUOTES = re.compile(r"[(,=]\s*(?:rest\b|floor\b|[\d./]+\s*(?:%|(?!e[+-]?\d)[A-Za-z]))")
"""A duration such as 5ep or rest without its quotes."""
_MAY_BE = (
    'SCHEDULE is the text form in single quotes, an expression such as warmup_cosine(peak=1e-3, warmup="5ep") '
    "({parts_are}); a schedule of another library, such as torch.OneCycleLR(0.1, total_steps=100); a .json, .toml or "
    ".yaml file; - for standard input; or the name of a published recipe."
)
_STANDARD_INPUT = "kosine.standard_input"
PARTS: dict[str, dict[str, Callable[..., Any]]] = {
    "Schedules": {name: getattr(constructors, name) for name in constructors.__all__} | {"Schedule": Schedule},
    "Curves, the phases of a Schedule": dict(curves.CONSTRUCTORS),
    "Groups of phases": {"cycles": cycles, "section": section},
}
"""What a text form is made of."""


class ScheduleCommand(click.Command):
    """A command with the argument SCHEDULE: its help says what it may be."""

    allow_extra_args = True  # so that `invoke` finds them, and says where they may be
    parts_are = "`kosine show --help` lists its parts"

    def invoke(self, ctx: click.Context) -> Any:
        if ctx.args:
            alone = sum(isinstance(parameter, click.Argument) for parameter in self.params) == 1
            hint = " `kosine compare` takes more than one schedule." if alone else ""
            s = "s" if len(ctx.args) > 1 else ""
            raise click.UsageError(f"Got unexpected extra argument{s}: {' '.join(ctx.args)}.{hint}", ctx)
        return super().invoke(ctx)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_help_text(ctx, formatter)
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(_MAY_BE.format(parts_are=self.parts_are))


class ScheduleType(ParamType):
    """Reads SCHEDULE into a `NamedSchedule`."""

    name = "schedule"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> NamedSchedule:
        if isinstance(value, NamedSchedule):
            return value
        if ctx is not None and ctx.resilient_parsing:  # a shell completes what comes after it: read no file for that
            return NamedSchedule(value, constructors.constant(0.0))
        if value == "-" and ctx is not None:
            take_standard_input(ctx, "one schedule only")
        try:
            return read_schedule(value)
        except NotationError as error:  # the size of the run, which no text form has, is an option here
            raise CommandError(error, RUN_NAMES) from error
        except KosineError as error:  # it names arguments of a schedule: these stay as they are in Python
            raise CommandError(error) from error

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        found = known_recipes(incomplete)
        if found:  # bash takes what it knows of files only where nothing else fits, and it must come first
            files = sorted(
                path.name for path in Path().iterdir() if path.name.startswith(incomplete) and path.suffix in _ENDINGS
            )
            found += [CompletionItem(name) for name in files]
        return [CompletionItem(incomplete, type="file"), *found]


def take_standard_input(ctx: click.Context, one: str) -> None:
    """Note that an argument is read from standard input, which only one can be."""
    if ctx.meta.get(_STANDARD_INPUT):
        raise click.BadParameter(f"Standard input can be read once: give `-` for {one}.", ctx)
    ctx.meta[_STANDARD_INPUT] = True


def known_recipes(begin: str) -> list[CompletionItem]:
    """The recipes whose names begin so, for a shell to complete."""
    return [CompletionItem(name, help=recipe.title) for name, recipe in PUBLISHED.items() if name.startswith(begin)]


def read_schedule(text: str) -> NamedSchedule:
    """Read the argument SCHEDULE.

    Raises:
        OSError: the file cannot be read.
        NotationError, ScheduleError, PlanError, ArgumentTypeError: it holds no schedule, or one that breaks a rule.
    """
    if text == "-":
        if sys.stdin is None:
            raise NotationError("SCHEDULE is -, but standard input is closed.")
        return read_document(sys.stdin.buffer.read(MAX_TEXT + 1), "standard input")
    if text in PUBLISHED:
        return _recipe(text)
    if os.path.isfile(text) or ("(" not in text and _PATH.search(text)):  # noqa: PTH113  pathlib raises for long texts
        with Path(text).open("rb") as file:
            return read_document(file.read(MAX_TEXT + 1), text)
    if any(text in calls for calls in PARTS.values()):
        raise NotationError(
            f"{text} alone is not a schedule: write its arguments in parentheses, such as "
            """'warmup_cosine(peak=1e-3, warmup="5ep")', in single quotes."""
        )
    if _NAME.fullmatch(text):
        return _recipe(text)
    try:
        schedule = parse_any(text)
    except NotationError as error:
        if not _LOST_QUOTES.search(text) or '"' in text or "'" in text:
            raise
        raise error.changed(
            fix="The quotes of its durations are lost: put the whole text in single quotes, so that the shell leaves "
            """them, as in 'linear("5ep", to=0.1)'."""
        ) from error
    return NamedSchedule(printable(text), schedule)


def _recipe(name: str) -> NamedSchedule:
    try:
        found = recipe(name)
    except KosineError as error:
        if os.path.isdir(name):  # noqa: PTH112  pathlib raises for long texts
            raise NotationError(f"{name} is a directory, not a schedule file.") from error
        raise error.changed(
            fix=(
                *((error.fix,) if isinstance(error.fix, str) else error.fix),
                " A schedule can also be a text form with its parentheses, such as constant(0.1), or a .json, .toml or "
                ".yaml file.",
            )
        ) from error
    return NamedSchedule(name, found.schedule, dict(found.run))
