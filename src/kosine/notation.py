"""A schedule as text and as JSON, and back. What a user hands in is data: nothing is evaluated."""

from __future__ import annotations

import difflib
import inspect
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from kosine import recipes, shapes
from kosine.durations import RunSize
from kosine.errors import ArgumentTypeError, NotationError, shown
from kosine.phases import Phase
from kosine.plan import Plan, read_run
from kosine.schedule import Cycles, Part, Schedule, Section, cycles, section

MAX_TEXT = 64 * 2**20
"""Longest text, in characters, that is read: about 10**6 phases."""

MAX_DEPTH = 32
"""Deepest nesting that is read; a schedule of sections in sections needs 21."""

FORMAT_VERSION = 1

_PHASES: dict[str, Callable[..., Phase]] = {name: getattr(shapes, name) for name in shapes.__all__}
_CALLS: dict[str, Callable[..., Any]] = {
    **_PHASES,
    **{name: getattr(recipes, name) for name in recipes.__all__},
    "cycles": cycles,
    "section": section,
    "Schedule": Schedule,
}
_SIGNATURES = {name: inspect.signature(call) for name, call in _CALLS.items()}
_MADE_OF = {"cycles": "phases", "section": "phases, groups and sections"}
_LONGEST_WORD = 40
_CONSTANTS = {"None": None, "True": True, "False": False}

# Nothing in it backtracks: a hostile text must not cost more than its length.
_TOKEN = re.compile(
    r"""\s*+(?:
        (?P<number>[+-]?(?:[0-9]++(?:_[0-9]++)*+(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?)
      | (?P<name>[A-Za-z_][A-Za-z_0-9]*+)
      | (?P<string>"[^"\\\n]*+"|'[^'\\\n]*+')
      | (?P<mark>[(),=])
    )""",
    re.VERBOSE | re.ASCII,
)

_SPACE = re.compile(r"\s*+", re.ASCII)

# A string, closed or not, is one match without backtracking.
_JSON_MARK = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


class _Token(NamedTuple):
    kind: str
    text: str
    position: int


def parse(text: str) -> Schedule:
    """Read a schedule from its text form, without evaluating code.

    The text is what `repr` of a schedule gives: calls of the curves, `cycles`, `section`, `Schedule` and the recipes,
    with numbers, texts, True, False and None as arguments. `parse(repr(s)) == s` for every schedule.

    It takes time in proportion to the text, and memory of at most 40 times its length, whatever it holds.

    Args:
        text: the expression; at most 64 Mi characters and 32 calls deep.

    Raises:
        NotationError: the text is not a schedule expression; the message says where.
        ScheduleError, ArgumentTypeError: it is one, but a value in it breaks a rule.

    Example:
        >>> import kosine as ks
        >>> ks.parse('warmup_cosine(peak=1e-3, warmup="5ep")')
        Schedule(linear("5ep", start=0.0, to=0.001), cosine(to=0.0))
    """
    if not isinstance(text, str):
        raise ArgumentTypeError(f"Argument `text` must be a string. Received: {shown(text)}.")
    if len(text) > MAX_TEXT:
        raise NotationError(f"A schedule expression has at most {MAX_TEXT:,} characters. Received: {len(text):,}.")
    value = _Parser(text).expression()
    if not isinstance(value, Schedule):
        raise NotationError(
            f"The text must be a schedule. Received: {shown(text)}, which is {shown(value)}. "
            "Write Schedule(...) around its phases."
        )
    return value


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._end = len(text.rstrip())
        self._position = 0
        self._depth = 0
        self._token = self._next()

    def expression(self) -> object:
        value = self._value()
        if self._token.kind != "end":
            hint = "; write Schedule(...) around its phases," if isinstance(value, Phase | Cycles | Section) else ""
            raise self._error(f"nothing more after the schedule{hint}")
        return value

    def _next(self) -> _Token:
        if self._position >= self._end:
            return _Token("end", "", self._end)
        match = _TOKEN.match(self._text, self._position)
        if match is None:
            start = _SPACE.match(self._text, self._position).end()  # type: ignore[union-attr]  # it always matches
            self._token = _Token("character", self._text[start], start)
            dotted = re.search(r"\b(ks|kosine)\s*\Z", self._text[max(0, start - 20) : start])
            hint = f"; leave out `{dotted[1]}.`," if dotted and self._text[start] == "." else ""
            raise self._error(f"a name, a number, a quoted text or one of ( ) , ={hint}")
        self._position = match.end()
        kind = str(match.lastgroup)
        return _Token(kind, match[kind], match.start(kind))

    def _take(self) -> _Token:
        token = self._token
        self._token = self._next()
        return token

    def _value(self) -> object:
        token = self._token
        match token.kind:
            case "number":
                return self._number(self._take())
            case "string":
                return self._take().text[1:-1]
            case "name":
                self._take()
                if self._token.text == "(":
                    return self._call(token)
                if token.text in _CONSTANTS:
                    return _CONSTANTS[token.text]
                raise self._error(f"`(` after the name {shown(token.text)}")
            case _:
                raise self._error("a schedule, a number or a quoted text")

    def _number(self, token: _Token) -> int | float:
        if re.fullmatch(r"[+-]?[0-9_]+", token.text):
            if len(token.text) > 400:
                raise self._error("a number of at most 400 digits", token)
            return int(token.text)
        return float(token.text)

    def _call(self, name: _Token) -> object:
        if name.text not in _CALLS:
            near = _near(name.text, _CALLS)
            known = f"`{near}`" if near else "one of " + ", ".join(sorted(_CALLS))
            raise self._error(known, name)
        if self._depth == MAX_DEPTH:
            raise self._error(f"at most {MAX_DEPTH} calls inside each other", name)
        self._depth += 1
        arguments: list[object] = []
        keywords: dict[str, object] = {}
        self._take()
        while self._token.text != ")" or self._token.kind != "mark":
            token = self._token
            value = self._keyword(keywords) if self._is_keyword() else self._value()
            if value is not _Parser:
                if keywords:
                    raise self._error("no argument without a name after one with a name", token)
                arguments.append(value)
            if self._token.text == ",":
                self._take()
            elif self._token.text != ")":
                raise self._error('`,` or `)`; a duration with a unit stands in quotes, "5ep",')
        self._take()
        self._depth -= 1
        return _call(name.text, arguments, keywords)

    def _is_keyword(self) -> bool:
        if self._token.kind != "name":
            return False
        match = _TOKEN.match(self._text, self._position)
        return match is not None and match["mark"] == "="

    def _keyword(self, keywords: dict[str, object]) -> object:
        name = self._take()
        self._take()
        if name.text in keywords:
            raise self._error("each argument once", name)
        keywords[name.text] = self._value()
        return _Parser

    def _error(self, expected: str, token: _Token | None = None) -> NotationError:
        found = token or self._token
        what = "the end" if found.kind == "end" else shown(found.text)
        return NotationError(
            f"Not a schedule expression: expected {expected} at character {found.position + 1}. "
            f"Received: {what} in {shown(self._text)}."
        )


def _call(name: str, arguments: list[Any], keywords: Mapping[str, Any]) -> object:
    try:
        return _CALLS[name](*arguments, **keywords)
    except TypeError as error:
        _check_arguments(name, arguments, keywords, error)
        raise


def _check_arguments(name: str, arguments: list[Any], keywords: Mapping[str, Any], error: TypeError) -> None:
    """Raise NotationError where the error is about which arguments there are, not about their values."""
    parameters = _SIGNATURES[name].parameters
    for keyword in keywords:
        if keyword not in parameters:
            near = _near(keyword, parameters)
            raise NotationError(
                f"`{name}` has no argument {shown(keyword)}.{f' Did you mean `{near}`?' if near else ''} "
                f"Its arguments are {name}{_plain(_SIGNATURES[name])}."
            ) from error
    try:
        _SIGNATURES[name].bind(*arguments, **keywords)
    except TypeError as unbound:
        raise NotationError(
            f"`{name}` cannot be called like this: {unbound}. Received: {shown(keywords or arguments)}. "
            f"Its arguments are {name}{_plain(_SIGNATURES[name])}."
        ) from error


def _near(word: str, known: Iterable[str]) -> str | None:
    """The known word that a wrong one was meant to be; a long one is none of them, and comparing it takes long."""
    near = difflib.get_close_matches(word, known, 1) if len(word) <= _LONGEST_WORD else []
    return near[0] if near else None


def _plain(signature: inspect.Signature) -> str:
    parameters = [parameter.replace(annotation=parameter.empty) for parameter in signature.parameters.values()]
    return str(signature.replace(parameters=parameters, return_annotation=signature.empty))


def dumps(value: Schedule | Plan) -> str:
    """A schedule, or a plan with what it knows of its run, as versioned JSON.

    Args:
        value: the schedule or the plan.

    Raises:
        ArgumentTypeError: neither.

    Example:
        >>> import kosine as ks
        >>> ks.dumps(ks.constant(0.1))
        '{"format": "kosine", "version": 1, "schedule": [{"curve": "hold", "duration": "rest", "start": 0.1}]}'
    """
    return json.dumps(to_data(value), allow_nan=False)


def loads(text: str | bytes) -> Any:
    """Read back what `dumps` wrote: `loads(dumps(s)) == s` for every schedule and every plan.

    It takes time in proportion to the document, and memory of at most 40 times its length, whatever it holds.

    Args:
        text: the JSON document; at most 64 MiB and 32 levels deep.

    Returns:
        A `Schedule`, or a `Plan` where the document has a run.

    Raises:
        NotationError: no JSON, not a document of kosine, an unknown field, a missing one, a value of a wrong type,
            or a newer version.
        ScheduleError, PlanError, ArgumentTypeError: a value in it breaks a rule.

    Example:
        >>> import kosine as ks
        >>> ks.loads(ks.dumps(ks.sgdr(peak=0.05, period="10ep"))) == ks.sgdr(peak=0.05, period="10ep")
        True
    """
    return from_data(read_json(text))


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
        raise ArgumentTypeError(f"Argument `text` must be a string or bytes. Received: {shown(text)}.")
    if len(text) > MAX_TEXT:
        raise NotationError(f"A document has at most {MAX_TEXT:,} characters. Received: {len(text):,}.")
    _check_depth(text)
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer)
    except json.JSONDecodeError as error:
        raise NotationError(f"Not a schedule: the document is not JSON: {error}. Received: {shown(text)}.") from error


def to_data(value: Schedule | Plan) -> dict[str, Any]:
    """The document of `dumps` as plain dictionaries and lists."""
    if not isinstance(value, Schedule | Plan):
        raise ArgumentTypeError(f"Only a Schedule or a Plan can be written. Received: {shown(value)}.")
    schedule = value.schedule if isinstance(value, Plan) else value
    data: dict[str, Any] = {
        "format": "kosine",
        "version": FORMAT_VERSION,
        "schedule": [_part_data(part) for part in schedule.parts],
    }
    if isinstance(value, Plan):
        known = {name: getattr(value.run, name) for name in RunSize.__dataclass_fields__}
        data["run"] = {name: number for name, number in known.items() if number is not None}
    return data


def from_data(data: object) -> Schedule | Plan:
    """The schedule or plan of a document, given as plain dictionaries and lists."""
    document = _mapping(data, "the document")
    if document.get("format") != "kosine":
        raise NotationError(
            f'Not a schedule: the document needs "format": "kosine". Received: format={shown(document.get("format"))}.'
        )
    version = document.get("version")
    if type(version) is not int or version < 1:
        raise NotationError(f'The document needs an integer "version" >= 1. Received: version={shown(version)}.')
    if version > FORMAT_VERSION:
        raise NotationError(
            f"This kosine reads documents up to version {FORMAT_VERSION}. Received: version={shown(version)}. "
            "Update kosine."
        )
    _fields(document, "the document", {"format", "version", "schedule"}, {"run"})
    parts = document["schedule"]
    if not isinstance(parts, list):
        raise NotationError(f'"schedule" must be a list of phases and groups. Received: {shown(parts)}.')
    schedule = Schedule(*(_part(part) for part in parts))
    if "run" not in document:
        return schedule
    run = _mapping(document["run"], '"run"')
    _fields(run, '"run"', set(), set(RunSize.__dataclass_fields__))
    return Plan(schedule, read_run(**run))


def _part_data(part: Part) -> dict[str, Any]:
    if isinstance(part, Cycles):
        return {"cycles": [_part_data(phase) for phase in part.phases], **part.keywords()}
    if isinstance(part, Section):
        return {"section": [_part_data(inside) for inside in part.parts], **part.keywords()}
    return {"curve": part.curve.name, "duration": part.duration.written(), **part.keywords()}


def _part(data: object) -> Part:
    part = _mapping(data, "a phase, a group or a section")
    if "cycles" in part:
        return cycles(*(_phase(_mapping(phase, "a phase")) for phase in _inside(part, "cycles", "a group")), **part)
    if "section" in part:
        return section(*(_part(inside) for inside in _inside(part, "section", "a section")), **part)
    return _phase(part)


def _inside(part: dict[str, Any], field: str, what: str) -> list[Any]:
    """Take out of a document what a group or a section is made of; what stays are its arguments."""
    keywords = [name for name, one in _SIGNATURES[field].parameters.items() if one.kind is one.KEYWORD_ONLY]
    _fields(part, what, {field}, set(keywords))
    inside = part.pop(field)
    if not isinstance(inside, list):
        raise NotationError(f'"{field}" must be a list of {_MADE_OF[field]}. Received: {shown(inside)}.')
    return inside


def _phase(data: dict[str, Any]) -> Phase:
    curve = data.get("curve")
    if not isinstance(curve, str) or curve not in _PHASES:
        raise NotationError(f'"curve" must be one of {sorted(_PHASES)}. Received: curve={shown(curve)}.')
    allowed = set(_SIGNATURES[curve].parameters)
    _fields(data, f"a {curve} phase", {"curve", "duration"}, allowed)
    phase = _call(curve, [], {name: value for name, value in data.items() if name != "curve"})
    assert isinstance(phase, Phase)
    return phase


def _mapping(data: object, what: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise NotationError(f"{what[0].upper()}{what[1:]} must be a JSON object. Received: {shown(data)}.")
    return dict(data)


def _fields(data: Mapping[str, Any], what: str, needed: set[str], optional: set[str]) -> None:
    missing, unknown = needed - set(data), set(data) - needed - optional
    if missing or unknown:
        problem = f"lacks {sorted(missing)}" if missing else f"has the unknown fields {shown(sorted(unknown))}"
        raise NotationError(
            f"{what[0].upper()}{what[1:]} {problem}. It has {sorted(needed)} and may have {sorted(optional - needed)}."
        )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        ((twice, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise NotationError(f"Each field stands once in a JSON object. Received: {shown(twice)} more than once.")
    return result


def _constant(name: str) -> float:
    raise NotationError(f"A document has finite numbers only. Received: {name}.")


def _integer(digits: str) -> int:
    if len(digits) > 400:
        raise NotationError(f"A number has at most 400 digits. Received: one of {len(digits)} digits.")
    return int(digits)


def _check_depth(text: str) -> None:
    """Refuse deep nesting before the JSON reader meets it: it reads nested values by recursion."""
    depth = 0
    for match in _JSON_MARK.finditer(text):
        mark = match[0][0]
        depth += (mark in "[{") - (mark in "]}")
        if depth > MAX_DEPTH:
            raise NotationError(f"A document is nested at most {MAX_DEPTH} levels deep. Received: {shown(text)}.")
