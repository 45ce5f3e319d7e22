"""JSON documents: the log is a list of objects or an object of lists somewhere in one; also of one that breaks off."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kosine._logs.read.columns import WIDEST, ColumnChoice, ColumnLayout
from kosine._logs.read.json_records import RecordReader, begins_as_json, is_lines
from kosine._logs.read.run_length import length_column
from kosine.errors import LogError, shown

LARGEST = 1 << 28
"""Characters of one document, which is held in memory."""
_CHUNK = 1 << 18  # characters that show what a file is
_DOCUMENTS = 100  # one after the other, each with a log of its own
_NODES = 100_000  # parts of a document to look at for the log
_DEEPEST = 200  # levels of a document that breaks off
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[\]{},"]', re.DOTALL)
_COMMENTS = re.compile(r"(?:\s|(?:#|//)[^\n]*+(?:\n|\Z))*+")
_DECODER = json.JSONDecoder(parse_float=str)  # as they were printed


@dataclass(frozen=True, slots=True)
class JsonText:
    """What a text holds as JSON.

    Attributes:
        documents: its documents, one after the other; of one that breaks off, what is whole.
        broken_at: the character from which on it is something else; None where all of it is JSON.
        error: what is wrong there.
        cut: whether the last document breaks off there.
    """

    documents: list[Any]
    broken_at: int | None = None
    error: str = ""
    cut: bool = False


def is_document(text: str, lines: Sequence[str]) -> bool:
    """Whether a file that begins so is JSON documents, rather than lines with an object each, or something else.

    Args:
        text: the beginning of the file.
        lines: its lines.
    """
    begin = text[_after_space(text, 0) :][:_CHUNK]
    first = begin.split("\n", 3)
    if not begins_as_json("\n".join(first[:3]) if first[0].strip() == "[" else first[0]) or is_lines(lines):
        return False
    found = parse_documents(begin)
    return bool(found.documents) or found.broken_at is None or "\n" not in begin[found.broken_at :].strip()


def parse_documents(text: str) -> JsonText:
    """Read all documents of a text, up to where it breaks off or something else begins.

    Raises:
        LogError: it is nested too deeply.
    """
    documents: list[Any] = []
    place = _after_space(text, 0)
    while place < len(text):
        try:
            document, place = _DECODER.raw_decode(text, place)
        except RecursionError as error:
            raise LogError("The JSON document is nested too deeply to be a log.") from error
        except ValueError as error:  # also a number of thousands of digits
            end = error.pos if isinstance(error, json.JSONDecodeError) else place
            whole = _whole_part(text, place, end)
            if whole is not None:
                documents.append(_DECODER.decode(whole))
            return JsonText(documents, end, shown(str(error))[1:-1], cut=text[place] in "{[")
        documents.append(document)
        place = _after_space(text, place)
        if text.startswith(",", place):  # rows of a list without its brackets
            place = _after_space(text, place + 1)
    return JsonText(documents)


def _after_space(text: str, place: int) -> int:
    """The first character after white space and lines of comments."""
    found = _COMMENTS.match(text, place)
    return place if found is None else found.end()


def _whole_part(text: str, begin: int, end: int) -> str | None:
    """A document of the objects and lists that are whole before a document breaks off; None if there is none."""
    closers: list[str] = []
    whole, depth = begin, 0
    for token in _TOKEN.finditer(text, begin, end):
        mark = token[0]
        if mark in "[{":
            closers.append("]" if mark == "[" else "}")
            if len(closers) > _DEEPEST:
                return None
        elif mark in "]}":
            if not closers or closers.pop() != mark:
                break
            whole, depth = token.end(), len(closers)
        elif mark == "," and closers[-1:] == ["]"]:
            whole, depth = token.start(), len(closers)
        elif mark == '"':  # a string without an end
            break
    return text[begin:whole] + "".join(reversed(closers[:depth])) if whole > begin else None


def read_documents(parsed: JsonText, choice: ColumnChoice) -> tuple[RecordReader, int]:
    """Read the documents: each is a row, or else the one with the most rows is the log; and how many are left out."""
    rows, documents = RecordReader(choice), parsed.documents
    for document in documents:
        if isinstance(document, dict) and not any(isinstance(value, list) for value in document.values()):
            rows.record(document)
    if rows.lines > 1:
        return rows, 0
    logs = [rows, *(_read_document(document, choice, parsed.cut) for document in documents[:_DOCUMENTS])]
    log = max(logs, key=lambda log: (log.lines, log.layout is not None, len(log.keys)))
    return log, len(documents) - 1 if log.layout is not None else 0


def _read_document(document: object, choice: ColumnChoice, cut: bool) -> RecordReader:
    """Read the first list of objects, or object of lists, that has a rate."""
    records = RecordReader(choice)
    for node in _nodes(document):
        if isinstance(node, dict):
            records.see(node)
            layout = _read_columns(node, choice, records, cut)
        else:
            layout = _read_rows(node, records)
        if layout is not None:
            _find_length(document, layout, records)
            break
    return records


def _find_length(document: object, layout: ColumnLayout, records: RecordReader) -> None:
    """Take in what the settings beside the rows say of the run's length."""
    for node in _nodes(document):
        column = length_column(node, layout.axis) if isinstance(node, dict) and layout.position is not None else None
        if column is not None and isinstance(node, dict):
            records.length.add(column, node[column])


def _nodes(document: object) -> Iterator[dict[str, Any] | list[Any]]:
    """The objects and lists of a document that may be logs, outer ones first."""
    waiting = deque([document])
    for _ in range(_NODES):
        if not waiting:
            return
        node = waiting.popleft()
        if isinstance(node, dict):
            yield node
            waiting.extend(value for value in node.values() if isinstance(value, dict | list))
        elif isinstance(node, list):
            if any(isinstance(value, dict) or _is_row(value) for value in node[:100]):
                yield node
            waiting.extend(value for value in node[:100] if isinstance(value, dict | list))


def _is_row(value: object) -> bool:
    """Whether it is a row without names, as TensorBoard exports them: its columns are known by number."""
    return isinstance(value, list) and 1 < len(value) <= WIDEST and not any(isinstance(x, dict | list) for x in value)


def _read_rows(rows: list[Any], records: RecordReader) -> ColumnLayout | None:
    for row in rows:
        if isinstance(row, dict):
            records.record(row)
        elif _is_row(row):
            records.record({str(place + 1): value for place, value in enumerate(row)})
        else:
            records.junk += 1
    return records.layout


def _read_columns(node: dict[str, Any], choice: ColumnChoice, records: RecordReader, cut: bool) -> ColumnLayout | None:
    lists = {key: _listed(value) for key, value in node.items() if isinstance(value, list | dict)}
    columns = {key: value for key, value in lists.items() if value and not isinstance(value[0], dict | list)}
    rates = choice.values(list(columns))
    if not rates:
        return None
    count = len(columns[rates[0]])
    if cut:  # in the last list: the others are longer
        columns = {key: value[:count] for key, value in columns.items() if len(value) >= count}
    alike = {key: value for key, value in columns.items() if len(value) == count}  # others are of other rows
    layout = choice.layout(alike)
    if layout is None and choice.step_column is None and len(alike) == len(columns):
        layout = ColumnLayout("Keras History JSON", None, "epoch", tuple(rates))
    if layout is None:
        return None
    places: Sequence[Any] = range(count) if layout.position is None else alike[layout.position]
    epochs: Sequence[Any] = [None] * count if layout.epoch is None else alike[layout.epoch]
    for column in layout.values:
        for place, epoch, rate in zip(places, epochs, alike[column], strict=True):
            records.add(layout, column, place, rate, epoch)
    return layout


def _listed(value: list[Any] | dict[str, Any]) -> list[Any]:
    """A column: a list, or the object of rows that pandas makes of one."""
    if isinstance(value, list):
        return value
    return list(value.values()) if all(key.isdigit() for key in value) else []
