"""The argument SCHEDULE of every command: a text form, a file, standard input, or the name of a published recipe."""

from __future__ import annotations

import codecs
import os
import re
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from kosine._core import constructors, curves
from kosine._core.json_form import from_data, read_json
from kosine._core.plain_text import printable, shortened
from kosine._core.schedule import Plan, Schedule
from kosine._core.text_form import MAX_DEPTH, MAX_TEXT, parse
from kosine.cli._run_options import RUN_NAMES, AnyType
from kosine.errors import KosineError, NotationError, shown
from kosine.published import PUBLISHED, recipe

_MOST_TOML = 2**20  # characters: its reader is slower than that of JSON
_DEEP_TOML = re.compile(rf"(?:\.[^=.\n]*+){{{MAX_DEPTH}}}")
"""A key of many parts, for each of which its reader keeps all those before it."""
_ENDINGS = (".json", ".toml")
_NAME = re.compile(r"[A-Za-z][\w.-]*", re.ASCII)
_PATH = re.compile(r"[/\\]|\.[A-Za-z]\w*$", re.ASCII)
"""What only a file's name has: a folder, or an ending."""
_LOST_QUOTES = re.compile(r"[(,=]\s*(?:rest\b|floor\b|[\d./]+\s*(?:%|(?!e[+-]?\d)[A-Za-z]))")
"""A duration such as 5ep or rest without its quotes."""
_YAML = re.compile(r"(?:\s*#[^\n]*\n)*\s*(?:---|[A-Za-z_]\w*:(?:\s|\Z))", re.ASCII)
_QUOTES_IN_QUOTES = re.compile(r'^[ \t]*schedule[ \t]*=[ \t]*"[^"\n(]*\([^"\n]*"[^\s#]', re.MULTILINE)
"""A text form that has double quotes in it, in double quotes."""
_STANDARD_INPUT = "kosine.standard_input"
_CALLS = {*curves.CONSTRUCTORS, *constructors.__all__, "cycles", "section", "Schedule"}
_FILE = 'A schedule file has "schedule", the text form, and may have a table "run".'


@dataclass(frozen=True)
class Source:
    """A schedule as the command line named it."""

    name: str
    """What to call it: its file, its recipe, or its text."""
    schedule: Schedule
    run: dict[str, Any] = field(default_factory=dict)
    """What its file or recipe says of the run, by the names of the options; these go before it."""


class SourceType(AnyType):
    """Reads SCHEDULE into a `Source`."""

    name = "schedule"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Source:
        if isinstance(value, Source):
            return value
        if ctx is not None and ctx.resilient_parsing:  # a shell completes what comes after it: read no file for that
            return Source(value, constructors.constant(0.0))
        if value == "-" and ctx is not None:
            take_standard_input(ctx, "one schedule only")
        return read_source(value)

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


def read_source(text: str) -> Source:
    """Read what stands for SCHEDULE.

    Raises:
        OSError: the file cannot be read.
        NotationError, ScheduleError, PlanError, ArgumentTypeError: it holds no schedule, or one that breaks a rule.
    """
    if text == "-":
        if sys.stdin is None:
            raise NotationError("SCHEDULE is -, but standard input is closed.")
        return _read_document(sys.stdin.buffer.read(MAX_TEXT + 1), "standard input")
    if text in PUBLISHED:
        return _recipe(text)
    if os.path.isfile(text) or ("(" not in text and _PATH.search(text)):  # noqa: PTH113  pathlib raises for long texts
        with Path(text).open("rb") as file:
            return _read_document(file.read(MAX_TEXT + 1), text)
    if text in _CALLS:
        raise NotationError(
            f"{text} alone is no schedule: write its arguments in parentheses, such as "
            """'warmup_cosine(peak=1e-3, warmup="5ep")', in single quotes."""
        )
    if _NAME.fullmatch(text):
        return _recipe(text)
    try:
        schedule = parse(text)
    except NotationError as error:
        if not _LOST_QUOTES.search(text) or '"' in text or "'" in text:
            raise
        raise NotationError(
            f"{error} The quotes of its durations are lost: put the whole text in single quotes, so that the shell "
            """leaves them, as in 'linear("5ep", to=0.1)'."""
        ) from error
    return Source(printable(text), schedule)


def _recipe(name: str) -> Source:
    try:
        found = recipe(name)
    except KosineError as error:
        if os.path.isdir(name):  # noqa: PTH112  pathlib raises for long texts
            raise NotationError(f"{name} is a directory, not a schedule file.") from error
        raise type(error)(
            f"{error} A schedule can also be a text form with its parentheses, such as constant(0.1), or a .json or "
            ".toml file."
        ) from error
    return Source(name, found.schedule, dict(found.run))


def _read_document(content: bytes, name: str) -> Source:
    """Read a document, and say its name in every error."""
    name = printable(name)
    try:
        return _read_text(_decoded(content), name)
    except KosineError as error:
        message = re.sub(rf"Argument `({'|'.join(RUN_NAMES)})`", r"\1 in its run", str(error))
        raise type(error)(f"{name}: " + re.sub(rf"\b({'|'.join(RUN_NAMES)})=", r"\1 = ", message)) from error


def _decoded(content: bytes) -> str:
    if len(content) > MAX_TEXT:
        raise NotationError(f"A document has at most {MAX_TEXT:,} bytes. This one has more.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        fix = " Save it as UTF-8." if content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else ""
        raise NotationError(f"Not a schedule: it is no UTF-8 text.{fix}") from error


def _read_text(text: str, name: str) -> Source:
    """A document tells by its first characters what it is: JSON, the text form, or else TOML."""
    if not text.strip():
        raise NotationError("It is empty. It must hold a schedule.")
    if text.lstrip().startswith("{") or _is_json(text):
        return _read_data(read_json(text), name)
    if re.match(r"\s*[A-Za-z_]\w*\s*\(", text, re.ASCII):
        return Source(name, parse(text))
    if len(text) > _MOST_TOML:
        raise NotationError(f"A TOML document has at most {_MOST_TOML:,} characters. This one has {len(text):,}.")
    if _DEEP_TOML.search(text):
        raise NotationError(f"A TOML document is nested at most {MAX_DEPTH} levels deep: keys have as few parts.")
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        if name.lower().endswith((".yaml", ".yml")) or _YAML.match(text):
            raise NotationError("YAML is not read. Write the schedule in a .toml or .json file.") from error
        hint = """ Put the text form in single quotes: schedule = '...'.""" if _QUOTES_IN_QUOTES.search(text) else ""
        raise NotationError(
            "Not a schedule: it is no text form such as constant(0.1), no JSON, and no TOML "
            f"({shortened(str(error), 200)}).{hint}"
        ) from error
    return _read_data(data, name)


def _is_json(text: str) -> bool:
    """Whether a document that does not begin as an object does is JSON all the same; `[run]` begins a table of TOML."""
    if text.lstrip()[0] not in '["':
        return False
    try:
        read_json(text)
    except NotationError:
        return False
    return True


def _read_data(data: object, name: str) -> Source:
    if not isinstance(data, dict) or "format" in data:
        value = from_data(data)
        if isinstance(value, Schedule):
            return Source(name, value)
        return Source(name, value.schedule, run_of(value))
    unknown = sorted(set(data) - {"schedule", "run"})
    if unknown:
        fix = " What it says of the run stands in the table [run]." if set(unknown) <= set(RUN_NAMES) else ""
        raise NotationError(f"{_FILE} Received: the unknown fields {shown(unknown)}.{fix}")
    text, run = data.get("schedule"), data.get("run", {})
    if not isinstance(text, str):
        raise NotationError(f"{_FILE} Received: {f'schedule={shown(text)}' if 'schedule' in data else 'no schedule'}.")
    if not isinstance(run, dict):
        raise NotationError(f"{_FILE} Received: run={shown(run)}.")
    strange = sorted(set(run) - set(RUN_NAMES))
    if strange:
        raise NotationError(f'The table "run" may have {", ".join(RUN_NAMES)}. Received: {shown(strange)}.')
    return Source(name, parse(text), dict(run))


def run_of(plan: Plan) -> dict[str, Any]:
    """What a plan knows of its run, by the names of the options."""
    return {name: value for name in RUN_NAMES if (value := getattr(plan.run, name, None)) is not None}
