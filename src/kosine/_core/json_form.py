"""Schedules and plans as JSON, with a version; rooms above the core register documents of their own."""

from __future__ import annotations

import importlib
import json
import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from typing import Any

from kosine._core.groups import Cycles, Part, Section, cycles, section
from kosine._core.phase import Phase
from kosine._core.run import RunSize, read_run
from kosine._core.schedule import Plan, Schedule
from kosine._core.text_form import MAX_DEPTH, MAX_TEXT, PHASES, SIGNATURES, call
from kosine.errors import ArgumentTypeError, Described, NotationError, shown

FORMAT_VERSION = 1


_MADE_OF = {"cycles": "phases", "section": "phases, groups and sections"}


# A string, closed or not, is one match without backtracking.
_JSON_MARK = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


class Document(ABC):
    """A value of a room above the core that `dumps` writes."""

    __slots__ = ()

    @abstractmethod
    def _document(self) -> dict[str, object]:
        """Its one field, by which the document is known, and what that holds."""


_READ_BY: dict[str, str] = {}


def read_by(readers: Mapping[str, str]) -> None:
    """Say what reads the documents of rooms above the core, each by its field and as "module:function".

    The package's front door calls it; a module is imported when its first document is read.
    """
    _READ_BY.update(readers)


def dumps(value: Schedule | Plan | Document) -> str:
    """A schedule, a plan with the size of its run, or a space, as versioned JSON.

    Args:
        value: the schedule, the plan or the space.

    Raises:
        ArgumentTypeError: none of them.

    Example:
        >>> import kosine as ks
        >>> ks.dumps(ks.constant(0.1))
        '{"format": "kosine", "version": 1, "schedule": [{"curve": "hold", "duration": "rest", "start": 0.1}]}'
    """
    if isinstance(value, Document):
        return json.dumps({"format": "kosine", "version": FORMAT_VERSION, **value._document()}, allow_nan=False)
    return json.dumps(to_data(value), allow_nan=False)


def loads(text: str | bytes) -> Any:
    """Read back what `dumps` wrote: `loads(dumps(s)) == s` for every schedule, every plan and every space.

    The time is proportional to the length of the document, and the memory is at most 40 times that length.

    Args:
        text: the JSON document; at most 64 MiB and 32 levels deep.

    Returns:
        A `Schedule`, a `Plan` where the document has a run, or a `Space`.

    Raises:
        NotationError: no JSON, not a document of kosine, an unknown field, a missing one, a value of a wrong type,
            or a newer version.
        ScheduleError, PlanError, ArgumentError, ArgumentTypeError: a value in it breaks a rule.

    Example:
        >>> import kosine as ks
        >>> ks.loads(ks.dumps(ks.sgdr(peak=0.05, period="10ep"))) == ks.sgdr(peak=0.05, period="10ep")
        True
    """
    data = read_json(text)
    for field, reader in _READ_BY.items():
        if isinstance(data, dict) and field in data:
            _fields(_checked_version(data), "the document", {"format", "version", field}, set())
            module, function = reader.split(":")
            return getattr(importlib.import_module(module), function)(data[field])
    return from_data(data)


def read_json(text: object) -> object:
    """A JSON document as plain dictionaries and lists: no field twice, finite numbers, bounded in size and depth.

    Raises:
        NotationError: it is none, or breaks one of these rules.
        ArgumentTypeError: no text and no bytes.
    """
    if isinstance(text, bytes | bytearray):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as error:
            raise NotationError(f"Not a schedule: the document is not UTF-8 text: {error}.") from error
    if not isinstance(text, str):
        raise ArgumentTypeError(argument="text", rule="a string or bytes", received=text)
    if len(text) > MAX_TEXT:
        raise NotationError(f"A document has at most {MAX_TEXT:,} characters.", received=Described(f"{len(text):,}"))
    _check_depth(text)
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer)
    except json.JSONDecodeError as error:
        raise NotationError(f"Not a schedule: the document is not JSON: {error}.", received=text) from error


def to_data(value: Schedule | Plan) -> dict[str, Any]:
    """The document of `dumps` as plain dictionaries and lists."""
    if not isinstance(value, Schedule | Plan):
        raise ArgumentTypeError("Only a Schedule, a Plan or a Space can be written.", received=value)
    schedule = value.schedule if isinstance(value, Plan) else value
    data: dict[str, Any] = {
        "format": "kosine",
        "version": FORMAT_VERSION,
        "schedule": [_part_data(part) for part in schedule.parts],
    }
    if isinstance(value, Plan):
        data["run"] = value.run.known()
    return data


def from_data(data: object) -> Schedule | Plan:
    """The schedule or plan of a document, given as plain dictionaries and lists."""
    document = _checked_version(data)
    for field in set(document) & set(_READ_BY):
        raise NotationError(f"The document is a {field}, not a schedule.", fix="`ks.loads` reads it.")
    _fields(document, "the document", {"format", "version", "schedule"}, {"run"})
    parts = document["schedule"]
    if not isinstance(parts, list):
        raise NotationError('"schedule" must be a list of phases and groups.', received=Described(shown(parts)))
    schedule = Schedule(*(_part(part) for part in parts))
    if "run" not in document:
        return schedule
    run = _mapping(document["run"], '"run"')
    _fields(run, '"run"', set(), set(RunSize.__dataclass_fields__))
    return Plan(schedule, read_run(**run))


def _checked_version(data: object) -> dict[str, Any]:
    """A document of kosine, of a version that this kosine reads."""
    document = _mapping(data, "the document")
    if document.get("format") != "kosine":
        received = {"format": document.get("format")}
        raise NotationError('Not a schedule: the document needs "format": "kosine".', received=received)
    version = document.get("version")
    if type(version) is not int or version < 1:
        raise NotationError('The document needs an integer "version" >= 1.', received={"version": version})
    if version > FORMAT_VERSION:
        problem = f"This kosine reads documents up to version {FORMAT_VERSION}."
        raise NotationError(problem, received={"version": version}, fix="Update kosine.")
    return document


def _part_data(part: Part) -> dict[str, Any]:
    if isinstance(part, Cycles):
        return {"cycles": [_part_data(phase) for phase in part.phases], **part.keywords()}
    if isinstance(part, Section):
        return {"section": [_part_data(inside) for inside in part.parts], **part.keywords()}
    duration = {} if part.duration.until else {"duration": part.duration.written()}
    return {"curve": part.curve.name, **duration, **part.keywords()}


def _part(data: object) -> Part:
    part = _mapping(data, "a phase, a group or a section")
    if "cycles" in part:
        return cycles(*(_phase(_mapping(phase, "a phase")) for phase in _inside(part, "cycles", "a group")), **part)
    if "section" in part:
        return section(*(_part(inside) for inside in _inside(part, "section", "a section")), **part)
    return _phase(part)


def _inside(part: dict[str, Any], field: str, what: str) -> list[Any]:
    """Take out of a document what a group or a section is made of; what stays are its arguments."""
    keywords = [name for name, one in SIGNATURES[field].parameters.items() if one.kind is one.KEYWORD_ONLY]
    _fields(part, what, {field}, set(keywords))
    inside = part.pop(field)
    if not isinstance(inside, list):
        raise NotationError(f'"{field}" must be a list of {_MADE_OF[field]}.', received=Described(shown(inside)))
    return inside


def _phase(data: dict[str, Any]) -> Phase:
    curve = data.get("curve")
    if not isinstance(curve, str) or curve not in PHASES:
        raise NotationError(f'"curve" must be one of {sorted(PHASES)}.', received={"curve": curve})
    allowed = set(SIGNATURES[curve].parameters)
    _fields(data, f"a {curve} phase", {"curve"} if "until" in data else {"curve", "duration"}, allowed)
    phase = call(curve, [], {name: value for name, value in data.items() if name != "curve"})
    assert isinstance(phase, Phase)
    return phase


def _mapping(data: object, what: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise NotationError(f"{what[0].upper()}{what[1:]} must be a JSON object.", received=Described(shown(data)))
    return dict(data)


def _fields(data: Mapping[str, Any], what: str, needed: set[str], optional: set[str]) -> None:
    missing, unknown = needed - set(data), set(data) - needed - optional
    if missing or unknown:
        problem = f"lacks {sorted(missing)}" if missing else f"has the unknown fields {shown(sorted(unknown))}"
        raise NotationError(
            f"{what[0].upper()}{what[1:]} {problem}.",
            fix=f"It has {sorted(needed)} and may have {sorted(optional - needed)}.",
        )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        ((twice, _),) = Counter(name for name, _ in pairs).most_common(1)
        received = Described(f"{shown(twice)} more than once")
        raise NotationError("A JSON object can have each field only once.", received=received)
    return result


def _constant(name: str) -> float:
    raise NotationError("A document has finite numbers only.", received=Described(name))


def _integer(digits: str) -> int:
    if len(digits) > 400:
        raise NotationError("A number has at most 400 digits.", received=Described(f"one of {len(digits)} digits"))
    return int(digits)


def _check_depth(text: str) -> None:
    """Refuse deep nesting before the JSON reader meets it: it reads nested values by recursion."""
    depth = 0
    for match in _JSON_MARK.finditer(text):
        mark = match[0][0]
        depth += (mark in "[{") - (mark in "]}")
        if depth > MAX_DEPTH:
            raise NotationError(f"A document is nested at most {MAX_DEPTH} levels deep.", received=text)
