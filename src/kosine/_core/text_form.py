"""The text form of a schedule: read without evaluating code."""

from __future__ import annotations

import inspect
import re
from collections import ChainMap
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple, cast

from kosine._core import constructors, curves
from kosine._core.foreign_words import SIZE_APART, near, wrong_arguments
from kosine._core.groups import Cycles, Part, Section, cycles, section
from kosine._core.phase import Phase
from kosine._core.schedule import Schedule
from kosine.errors import ArgumentTypeError, Described, NotationError, Text, shown

MAX_TEXT = 64 * 2**20
"""Longest text, in characters, that is read: about 10**6 phases."""


MAX_DEPTH = 32
"""Deepest nesting that is read; a schedule of sections in sections needs 21."""


PHASES = curves.CONSTRUCTORS


_CALLS: Mapping[str, Callable[..., Any]] = ChainMap(
    {
        **{name: getattr(constructors, name) for name in constructors.__all__},
        "cycles": cycles,
        "section": section,
        "Schedule": Schedule,
    },
    cast("dict[str, Callable[..., Any]]", PHASES),  # not copied: a curve that is added later is read, too
)


class _Signatures(dict[str, inspect.Signature]):
    def __missing__(self, name: str) -> inspect.Signature:
        self[name] = inspect.signature(_CALLS[name])
        return self[name]


SIGNATURES = _Signatures()


_CLOSING = {"(": ")", "[": "]"}


_BY_NAME = object()  # an argument that has its name is in the keywords


_CONSTANTS = {"None": None, "True": True, "False": False}


# Nothing in it backtracks: a hostile text must not cost more than its length.
_TOKEN = re.compile(
    r"""\s*+(?:
        (?P<number>[+-]?(?:[0-9]++(?:_[0-9]++)*+(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?)
      | (?P<package>(?:ks|kosine)\s*+\.\s*+)?+(?P<name>[A-Za-z_][A-Za-z_0-9]*+)
      | (?P<string>"[^"\\\n]*+"|'[^'\\\n]*+')
      | (?P<mark>[()\[\],=])
    )""",
    re.VERBOSE | re.ASCII,
)


# What follows a schedule that is pasted from Python together with its plan.
_PLANNED = re.compile(r"\.\s*+plan\s*+\(", re.ASCII)
_SIZES = ("Leave out `.plan(...)`: the text is the schedule. Give", *SIZE_APART)


_SPACE = re.compile(r"\s*+", re.ASCII)


class _Token(NamedTuple):
    kind: str
    text: str
    position: int
    of_package: bool = False
    """Whether a name was pasted from Python with its package: `ks.cosine`."""


def parse(text: str) -> Schedule:
    """Read a schedule from its text form, without evaluating code.

    The text is the `repr` of a schedule: calls of the curves, `cycles`, `section`, `Schedule` and the constructors,
    with numbers, texts, lists, True, False and None as arguments. `parse(repr(s)) == s` for every schedule.

    The time is proportional to the length of the text, and the memory is at most 40 times that length.

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
        raise ArgumentTypeError(argument="text", rule="a string", received=text)
    if len(text) > MAX_TEXT:
        raise NotationError(
            f"A schedule expression has at most {MAX_TEXT:,} characters.", received=Described(f"{len(text):,}")
        )
    value = Parser(text).expression()
    if not isinstance(value, Schedule):
        raise NotationError(
            "The text must be a schedule.",
            received=Described(f"{shown(text)}, which is {shown(value)}"),
            fix="Write Schedule(...) around its phases.",
        )
    return value


def parse_parts(text: str) -> tuple[Part, ...]:
    """Read phases and groups, with commas between them, that follow others: "hold(500), cosine(to=0.0)".

    Raises:
        NotationError, ScheduleError, ArgumentTypeError: as `parse`.
    """
    if len(text) > MAX_TEXT:
        return parse(text).parts  # which refuses it
    value = Parser(text if text.lstrip().startswith("[") else f"[{text}]").expression()
    if not isinstance(value, list) or not value or not all(isinstance(part, Part) for part in value):
        raise NotationError(
            "The text must be phases with commas between them, such as hold(500), cosine(to=0.0).",
            received=Described(shown(text)),
        )
    return tuple(value)


class Parser:
    """Reads an expression of calls into what they make; a room above may read its own functions with it."""

    calls: ClassVar[Mapping[str, Callable[..., Any]]] = _CALLS
    """The functions that a text may call."""

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
            if _PLANNED.match(self._text, start):
                raise self._error("nothing more after the schedule", fix=_SIZES)
            raise self._error("a name, a number, a quoted text or one of ( ) [ ] , =")
        self._position = match.end()
        kind = str(match.lastgroup)
        return _Token(kind, match[kind], match.start(kind), match["package"] is not None)

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
                if token.text in _CONSTANTS and not token.of_package:
                    return _CONSTANTS[token.text]
                raise self._error(f"`(` after the name {shown(token.text)}")
            case "mark" if token.text in _CLOSING:
                return self._list()
            case _:
                raise self._error("a schedule, a number or a quoted text")

    def _list(self) -> object:
        """A list or a tuple; a value in parentheses without a comma is the value."""
        self._enter(self._token)
        opening = self._take().text
        values: list[object] = []
        comma = False
        while self._token.text != _CLOSING[opening] or self._token.kind != "mark":
            if values and not comma:
                raise self._error(f"`,` or `{_CLOSING[opening]}`")
            values.append(self._value())
            comma = self._token.kind == "mark" and self._token.text == ","
            if comma:
                self._take()
        self._leave()
        if opening == "[":
            return values
        return values[0] if len(values) == 1 and not comma else tuple(values)

    def _enter(self, token: _Token) -> None:
        if self._depth == MAX_DEPTH:
            raise self._error(f"at most {MAX_DEPTH} calls inside each other", token)
        self._depth += 1

    def _leave(self) -> None:
        self._take()
        self._depth -= 1

    def _number(self, token: _Token) -> int | float:
        if re.fullmatch(r"[+-]?[0-9_]+", token.text):
            if len(token.text) > 400:
                raise self._error("a number of at most 400 digits", token)
            return int(token.text)
        return float(token.text)

    def _call(self, name: _Token) -> object:
        if name.text not in self.calls:
            raise self._error(self.known(name.text), name)
        self._enter(name)
        arguments: list[object] = []
        keywords: dict[str, object] = {}
        self._take()
        while self._token.text != ")" or self._token.kind != "mark":
            token = self._token
            value = self._keyword(keywords) if self._is_keyword() else self._value()
            if value is not _BY_NAME:
                if keywords:
                    raise self._error("no argument without a name after one with a name", token)
                arguments.append(value)
            if self._token.text == ",":
                self._take()
            elif self._token.text != ")":
                raise self._error('`,` or `)`; a duration with a unit needs quotes, "5ep",')
        self._leave()
        return self.made(name.text, arguments, keywords)

    def known(self, name: str) -> str:
        """What is expected instead of a name that no function has."""
        meant = near(name, self.calls)
        return f"`{meant}`" if meant else "one of " + ", ".join(sorted(self.calls))

    def made(self, name: str, arguments: list[object], keywords: dict[str, object]) -> object:
        """What a call makes."""
        return call(name, arguments, keywords)

    def _is_keyword(self) -> bool:
        if self._token.kind != "name" or self._token.of_package:
            return False
        match = _TOKEN.match(self._text, self._position)
        return match is not None and match["mark"] == "="

    def _keyword(self, keywords: dict[str, object]) -> object:
        name = self._take()
        self._take()
        if name.text in keywords:
            raise self._error("each argument once", name)
        keywords[name.text] = self._value()
        return _BY_NAME

    def _error(self, expected: str, token: _Token | None = None, fix: Text = "") -> NotationError:
        found = token or self._token
        what = "the end" if found.kind == "end" else shown(found.text)
        return NotationError(
            f"Not a schedule expression: expected {expected} at character {found.position + 1}.",
            received=Described(f"{what} in {shown(self._text)}"),
            fix=fix,
        )


def call(
    name: str,
    arguments: list[Any],
    keywords: Mapping[str, Any],
    functions: Mapping[str, Callable[..., Any]] = _CALLS,
) -> object:
    """What a function of the text form makes of its arguments.

    Raises:
        NotationError: the function does not have these arguments.
        ScheduleError, ArgumentTypeError: a value breaks a rule.
    """
    try:
        return functions[name](*arguments, **keywords)
    except TypeError:
        # Arguments that the function does not have are a fault of the text; a value of a wrong type is its own error.
        wrong = wrong_arguments(name, inspect.signature(functions[name]), arguments, keywords, NotationError)
        if wrong is None:
            raise
    raise wrong
