"""Files that hold a schedule and may say for which run: the text form, TOML, YAML, or JSON."""

from __future__ import annotations

import codecs
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kosine._core.json_form import from_data, read_json
from kosine._core.plain_text import printable, shortened
from kosine._core.schedule import Schedule
from kosine._core.text_form import MAX_DEPTH, MAX_TEXT, parse
from kosine.cli._dialect_calls import is_dialect_call, parse_dialect_call
from kosine.cli._run_options import RUN_NAMES
from kosine.cli._yaml import read_yaml
from kosine.errors import KosineError, NotationError, shown

_MOST_TOML = 2**20  # characters: its reader is slower than that of JSON
_DEEP_TOML = re.compile(rf"(?:\.[^=.\n]*+){{{MAX_DEPTH}}}")
"""A key of many parts, for each of which its reader keeps all those before it."""
_YAML = re.compile(
    r"""(?: \s*+ \# [^\n]*+ \n )*+ \s*+
    (?: --- | %YAML | -\s | \{ \s*+ [A-Za-z_'] | (["']?+) [A-Za-z_]\w*+ \1 [ \t]*+ : (?:\s|\Z) )""",
    re.ASCII | re.VERBOSE,
)
"""How a document begins that is YAML and nothing else."""
_QUOTES_IN_QUOTES = re.compile(r'^[ \t]*schedule[ \t]*=[ \t]*"[^"\n(]*\([^"\n]*"[^\s#]', re.MULTILINE)
"""A text form that has double quotes in it, in double quotes."""
_FILE = 'A schedule file has "schedule", the text form, and may have the tables "run" and "check".'
_ALLOWED = ("allow_skips", "allow_odd_rows")


@dataclass(frozen=True)
class NamedSchedule:
    """A schedule as the command line named it."""

    name: str
    """What to call it: its file, its recipe, or its text."""
    schedule: Schedule
    run: dict[str, Any] = field(default_factory=dict)
    """What its file or recipe says of the run, by the names of the options; these go before it."""
    allowed: dict[str, int] = field(default_factory=dict)
    """What its file lets `kosine check` pass, by the names of the options."""


def parse_any(text: str) -> Schedule:
    """The schedule of a text form, or of a call of another library's."""
    return parse_dialect_call(text) if is_dialect_call(text) else parse(text)


def read_document(content: bytes, name: str) -> NamedSchedule:
    """Read a document, and say its name in every error."""
    name = printable(name)
    try:
        return _read_text(_decoded(content), name)
    except KosineError as error:
        raise error.changed(where=f"{name}, {error.where}" if error.where else name) from error


def _decoded(content: bytes) -> str:
    if len(content) > MAX_TEXT:
        raise NotationError(f"A document has at most {MAX_TEXT:,} bytes. This one has more.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        fix = "Save it as UTF-8." if content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else ""
        raise NotationError("Not a schedule: the file is not UTF-8 text.", fix=fix) from error


def _read_text(text: str, name: str) -> NamedSchedule:
    """A document shows by its first characters what it is: YAML, JSON, the text form, or else TOML."""
    if not text.strip():
        raise NotationError("It is empty. It must hold a schedule.")
    if all(not line.strip() or line.lstrip().startswith("#") for line in text.splitlines()):
        raise NotationError(
            "It has comments and no schedule.", fix="`kosine infer` writes that where no schedule explains a log."
        )
    if _YAML.match(text):
        return _read_data(_read_yaml(text), name)
    if text.lstrip().startswith("{") or _is_json(text):
        return _read_data(read_json(text), name)
    if re.match(r"\s*[A-Za-z_][\w.]*\s*\(", text, re.ASCII) or is_dialect_call(text):
        return NamedSchedule(name, parse_any(text))
    return _read_data(_read_toml(text), name)


def _read_yaml(text: str) -> object:
    data = read_yaml(text)
    if not isinstance(data, dict):
        raise NotationError(_FILE, received=data)
    return data


def _read_toml(text: str) -> object:
    if len(text) > _MOST_TOML:
        raise NotationError(f"A TOML document has at most {_MOST_TOML:,} characters. This one has {len(text):,}.")
    if _DEEP_TOML.search(text):
        raise NotationError(f"A TOML document is nested at most {MAX_DEPTH} levels deep: keys have as few parts.")
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotationError(
            "Not a schedule: neither a text form such as constant(0.1), nor JSON, nor YAML, nor TOML "
            f"({shortened(str(error), 200)}).",
            fix="Put the text form in single quotes: schedule = '...'." if _QUOTES_IN_QUOTES.search(text) else "",
        ) from error


def _is_json(text: str) -> bool:
    """Whether a document that does not begin as an object does is JSON all the same; `[run]` begins a table of TOML."""
    if text.lstrip()[0] not in '["':
        return False
    try:
        read_json(text)
    except NotationError:
        return False
    return True


def _read_data(data: object, name: str) -> NamedSchedule:
    if not isinstance(data, dict) or "format" in data:
        try:
            value = from_data(data)
        except KosineError as error:  # options may give the same argument: this one is the document's
            raise error.changed(where="in its run" if error.argument in RUN_NAMES else "") from error
        if isinstance(value, Schedule):
            return NamedSchedule(name, value)
        return NamedSchedule(name, value.schedule, value.run.known())
    unknown = sorted(set(data) - {"schedule", "run", "check"})
    if unknown:
        fix = "Put the size of the run into the table [run]." if set(unknown) <= set(RUN_NAMES) else ""
        raise NotationError(f"{_FILE} Received: the unknown fields {shown(unknown)}.", fix=fix)
    if "schedule" not in data:
        raise NotationError(f"{_FILE} Received: no schedule.")
    text, run = data["schedule"], data.get("run", {})
    if not isinstance(text, str):
        raise NotationError(_FILE, received={"schedule": text})
    if not isinstance(run, dict):
        raise NotationError(_FILE, received={"run": run})
    strange = sorted(set(run) - set(RUN_NAMES))
    if strange:
        raise NotationError(f'The table "run" may have {", ".join(RUN_NAMES)}.', received=strange)
    return NamedSchedule(name, parse_any(text), dict(run), _read_allowed(data.get("check", {})))


def _read_allowed(allowed: object) -> dict[str, int]:
    if not isinstance(allowed, dict) or not set(allowed) <= set(_ALLOWED):
        raise NotationError(f'The table "check" may have {" and ".join(_ALLOWED)}.', received=allowed)
    for name, value in allowed.items():
        if not isinstance(value, int) or value < 0 or (value is True and name != "allow_skips"):
            raise NotationError(f'In the table "check", {name} must be an integer >= 0.', received=value)
    return dict(allowed)


def toml_lines(schedule: str, run: Mapping[str, Any]) -> Iterator[str]:
    """The lines of a schedule file in TOML: a text form, and what is known of the run."""
    yield "schedule = " + (json.dumps(schedule) if "'" in schedule else f"'{schedule}'")
    if run:
        yield from ("", "[run]")
        yield from (f"{name} = {json.dumps(value)}" for name, value in run.items())


def yaml_lines(schedule: str, run: Mapping[str, Any]) -> Iterator[str]:
    """The lines of a schedule file in YAML."""
    yield "schedule: " + (json.dumps(schedule) if "'" in schedule else f"'{schedule}'")
    if run:
        yield "run:"
        yield from (f"  {name}: {json.dumps(value)}" for name, value in run.items())
