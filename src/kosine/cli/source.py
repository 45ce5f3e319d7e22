"""The argument SCHEDULE of every command: a text form, a file, standard input, or the name of a published recipe."""

from __future__ import annotations

import re
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from kosine.cli.run_size import RUN_NAMES, AnyType
from kosine.errors import NotationError, shown
from kosine.notation import MAX_TEXT, from_data, parse, read_json
from kosine.plan import Plan
from kosine.published import PUBLISHED, published
from kosine.schedule import Schedule

_MOST_TOML = 2**20  # characters: its reader is slower than that of JSON
_ENDINGS = (".json", ".toml")
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*", re.ASCII)


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
        return value if isinstance(value, Source) else read_source(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        names = [CompletionItem(name) for name in PUBLISHED if name.startswith(incomplete)]
        return [*names, CompletionItem(incomplete, type="file")]


def read_source(text: str) -> Source:
    """Read what stands for SCHEDULE.

    Raises:
        OSError: the file cannot be read.
        NotationError, ScheduleError, PlanError, ArgumentTypeError: it holds no schedule, or one that breaks a rule.
    """
    if text == "-":
        return _read_document(sys.stdin.buffer.read(MAX_TEXT + 1), "standard input")
    if text.lower().endswith(_ENDINGS) and "(" not in text:
        with Path(text).open("rb") as file:
            return _read_document(file.read(MAX_TEXT + 1), text)
    if _NAME.fullmatch(text):
        recipe = published(text)
        return Source(text, recipe.schedule, dict(recipe.run))
    return Source(" ".join(text.split()), parse(text))


def _read_document(content: bytes, name: str) -> Source:
    """A document tells by its first characters what it is: JSON, the text form, or else TOML."""
    if len(content) > MAX_TEXT:
        raise NotationError(f"A document has at most {MAX_TEXT:,} bytes. Received: {name}, which has more.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotationError(f"Not a schedule: {name} is not UTF-8 text: {error}.") from error
    if text.lstrip().startswith("{"):
        return _read_data(read_json(text), name)
    if re.match(r"\s*[A-Za-z_]\w*\s*\(", text, re.ASCII):
        return Source(name, parse(text))
    if not text.strip():
        raise NotationError(f"{name[0].upper()}{name[1:]} is empty. It must hold a schedule.")
    if len(text) > _MOST_TOML:
        raise NotationError(f"A TOML document has at most {_MOST_TOML:,} characters. Received: {name}, which has more.")
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotationError(f"Not a schedule: {name} is no text form, no JSON and no TOML: {error}") from error
    return _read_data(data, name)


def _read_data(data: object, name: str) -> Source:
    if not isinstance(data, dict) or "format" in data:
        value = from_data(data)
        if isinstance(value, Schedule):
            return Source(name, value)
        return Source(name, value.schedule, _run_of(value))
    unknown = sorted(set(data) - {"schedule", "run"})
    text, run = data.get("schedule"), data.get("run", {})
    if unknown or not isinstance(text, str) or not isinstance(run, dict):
        problem = f"the unknown fields {shown(unknown)}" if unknown else f"schedule={shown(text)}, run={shown(run)}"
        raise NotationError(
            f'A schedule file has "schedule", the text form, and may have a table "run". Received: {problem} in {name}.'
        )
    strange = sorted(set(run) - set(RUN_NAMES))
    if strange:
        raise NotationError(f'The table "run" may have {", ".join(RUN_NAMES)}. Received: {shown(strange)} in {name}.')
    return Source(name, parse(text), dict(run))


def _run_of(plan: Plan) -> dict[str, Any]:
    return {name: value for name in RUN_NAMES if (value := getattr(plan.run, name, None)) is not None}
