"""YAML as plain data: what JSON can say, and nothing that a reader must expand or construct."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kosine._core.plain_text import shortened
from kosine._core.text_form import MAX_DEPTH
from kosine.errors import Described, KosineError, NotationError, missing_package, shown

_MOST_YAML = 2**16  # characters: PyYAML reads 100,000 of them in a second or two
_MOST_DIGITS = 400
_INTEGER = re.compile(r"[-+]?[0-9]+(?:_[0-9]+)*+", re.ASCII)
_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}


def read_yaml(text: str) -> object:
    """A YAML document as dictionaries, lists, texts, numbers, true, false and null.

    Values are those of YAML 1.2: 1e-3 is a number, as is 1_000; yes, 1:30 and 2026-01-01 are texts. Anchors and tags
    are refused: a few lines of anchors stand for gigabytes, and tags ask for objects.

    Raises:
        NotationError: it is none, or has more than one document, a field twice, an anchor, a tag, or is too large.
        MissingPackageError: PyYAML is not installed.
    """
    if len(text) > _MOST_YAML:
        raise NotationError(
            f"A YAML document has at most {_MOST_YAML:,} characters. This one has {len(text):,}.",
            fix="Write it as JSON.",
        )
    try:
        import yaml
    except ModuleNotFoundError as error:
        raise missing_package("A YAML document", "PyYAML", "cli") from error
    try:
        return _document(yaml.parse(text, Loader=yaml.SafeLoader))
    except KosineError:
        raise
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # PyYAML lets pass that "\\UFFFFFFFF" is no character
        raise NotationError(f"Not a schedule: the document is not YAML ({_said(error)}).") from error


def _said(error: Exception) -> str:
    problem = getattr(error, "problem", None) or str(error)
    mark = getattr(error, "problem_mark", None)
    return shortened(" ".join(problem.split()), 200) + (f", line {mark.line + 1}" if mark else "")


def _document(events: Iterator[Any]) -> object:
    next(events)  # of the stream
    if _kind(next(events)) == "StreamEnd":
        raise NotationError("It is empty. It must hold a schedule.")
    value = _value(next(events), events, 0)
    next(events)  # the end of the document
    if _kind(next(events)) != "StreamEnd":
        raise NotationError("A file has one YAML document. This one has another after a line ---.")
    return value


def _kind(event: Any) -> str:
    return type(event).__name__.removesuffix("Event")


def _value(event: Any, events: Iterator[Any], depth: int) -> object:
    """The value that begins with an event; `depth` lists and mappings are around it."""
    kind = _kind(event)
    _refuse_anchor(event, "*" if kind == "Alias" else "&")
    if event.tag is not None:
        raise NotationError(
            "A YAML document has no tags here.",
            received=Described(shortened(event.tag, 40)),
            fix="Leave the tag out, or put a text that begins with ! in quotes.",
        )
    if kind == "Scalar":
        return _scalar(event.value) if event.implicit[0] else event.value
    if depth == MAX_DEPTH:
        raise NotationError(f"A document is nested at most {MAX_DEPTH} levels deep.")
    if kind == "SequenceStart":
        return [_value(one, events, depth + 1) for one in _until("SequenceEnd", events)]
    fields: dict[str, object] = {}
    for key in _until("MappingEnd", events):
        _refuse_anchor(key, "&")
        if _kind(key) != "Scalar":
            raise NotationError("The name of a field must be a text, not a list or fields.")
        if key.value in fields:
            raise NotationError(f"A document has no field twice. Received: {shown(key.value)} more than once.")
        fields[key.value] = _value(next(events), events, depth + 1)
    return fields


def _until(end: str, events: Iterator[Any]) -> Iterator[Any]:
    """The events that begin the values up to the end of a list or of fields; each value takes its own from `events`."""
    for event in events:
        if _kind(event) == end:
            return
        yield event


def _refuse_anchor(event: Any, mark: str) -> None:
    if event.anchor is not None:
        raise NotationError(
            "A YAML document has no anchors and no aliases here.",
            received=Described(f"{mark}{shortened(event.anchor, 40)}"),
            fix="Write the value where it stands, and put a text that begins with * or & in quotes.",
        )


def _scalar(text: str) -> object:
    """The value of a text without quotes."""
    if text.lower() in _WORDS and text in (text.lower(), text.upper(), text.capitalize()):
        return _WORDS[text.lower()]
    whole = _INTEGER.fullmatch(text)
    if not whole:
        return float(text) if _NUMBER.fullmatch(text) else text
    if len(text) > _MOST_DIGITS:
        raise NotationError("A number has at most 400 digits.", received=Described(f"one of {len(text)} digits"))
    return int(text)
