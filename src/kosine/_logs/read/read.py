"""Read the learning rate from a log of any known format, which its content shows."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

from kosine._logs.read import tensorboard as events
from kosine._logs.read.collect import GroupCollection
from kosine._logs.read.columns import ColumnChoice, listed
from kosine._logs.read.csv_table import TableHeader, TableReader, find_header
from kosine._logs.read.json_document import LARGEST, JsonText, is_document, parse_documents, read_documents
from kosine._logs.read.json_records import objects_in
from kosine._logs.read.lines import LineReader
from kosine._logs.read.reading import Reading
from kosine._logs.read.scalar_export import choice_of_export, is_scalar_export
from kosine._logs.read.stream import decoded, encoding_of, pieces, unpacked
from kosine._logs.read.traces import trace_of
from kosine._logs.trace import Remark, Trace
from kosine.errors import ArgumentTypeError, LogError, Name, shown

_CHUNK = 1 << 18  # measured: a quarter of a MiB stays in the cache


class Readable(Protocol):
    """An open file: binary, or of text."""

    def read(self, size: int, /) -> Any: ...


def read_trace(
    path: str | os.PathLike[str] | Readable,
    *,
    group: str | None = None,
    step_column: str | None = None,
    rate_column: str | None = None,
    count_rows: bool = False,
) -> Trace:
    r"""Read the learning rate of a run from its log; the content shows which format it has.

    It knows the files of Keras, Hugging Face, LLaMA-Factory, Lightning, timm, DeiT and MAE, mmengine and mmcv,
    detectron2, YOLO, Weights & Biases and TensorBoard (extra `tensorboard`), and what some thirty trainers print; the
    guide to checking a log lists them. The kind of line with the most rows is the log, and a remark counts the others.
    Two numbers such as an epoch and a batch in it are one position, in epochs. It also reads any table, JSON or lines
    of text with a position and a rate; of JSON that breaks off, what is whole. Files may be gzipped. A log may have any
    length: of more than 2**24 rows every 2nd, 4th, ... is kept, and a remark says so. Lines of more than 2**20 bytes
    are left out, and tables have at most 10,000 columns. A log that is one JSON document has at most 2**28 characters;
    only such a document is held in memory.

    Args:
        path: the file, an open one, or a folder with the event files of one run.
        group: the param group (or the run, or the tag) to read, by its name in the log; the first if None. `groups`
            of the trace has them all.
        step_column: where the steps are: a column, a key, or the word before the number in text, such as
            "consumed samples". If None, the usual one of the format.
        rate_column: where the rates are, likewise. The columns of a table without a header are "1", "2", ...
        count_rows: take the rows that have a rate as steps 0, 1, 2, ..., for a log that does not say where they are. A
            row that has results of training and of an evaluation is taken as an epoch.

    Returns:
        The trace, with remarks on anything odd about the log.

    Raises:
        LogError: no learning rate was recognised, or the group is not there.
        OSError: the file cannot be read.
        MissingPackageError: an event file, where tensorboard is not installed.
        ArgumentTypeError: an argument of another type.

    Example:
        >>> import io
        >>> log = io.BytesIO(b"step,learning_rate,loss\n0,0.1,2.5\n1,0.05,2.0\n")
        >>> trace = read_trace(log)
        >>> trace.positions.tolist(), trace.rates.tolist()
        ([0, 1], [0.1, 0.05])
    """
    choice = _choice(step_column, rate_column, count_rows)
    _name(group, "group")
    if not isinstance(path, str | os.PathLike):
        if not hasattr(path, "read"):
            raise ArgumentTypeError(argument="path", rule="a path or an open file", received=path)
        name = getattr(path, "name", "")
        log = _LogReader(choice, name if isinstance(name, str) else "")
        return _picked(log.read_chunks(_chunks(path)), group)
    where, log = Path(path), _LogReader(choice, str(path))
    if not _is_name(str(path)):
        raise LogError(argument="path", rule="the path of a file", received=path)
    if where.is_dir():
        return _picked(log.read_events(events.event_files(where)), group)
    with where.open("rb") as file:
        head = file.read(64)
        if events.is_event_file(head):
            return _picked(log.read_events([where]), group)
        return _picked(log.read_chunks(chain([head], _chunks(file))), group)


def _choice(step_column: object, rate_column: object, count_rows: object) -> ColumnChoice:
    if not isinstance(count_rows, bool):
        raise ArgumentTypeError(argument="count_rows", rule="True or False", received=count_rows)
    if count_rows and step_column is not None:
        rule = ("None where rows are counted (", Name("count_rows"), ")")
        raise LogError(argument="step_column", rule=rule, received=step_column)
    return ColumnChoice(_name(step_column, "step_column"), _name(rate_column, "rate_column"), count_rows)


def _name(value: object, argument: str) -> str | None:
    if value is not None and not isinstance(value, str):
        raise ArgumentTypeError(argument=argument, rule="a name", received=value)
    if value is not None and not value.strip():
        raise LogError(argument=argument, rule="a name", received=value)
    return value


def _is_name(path: str) -> bool:
    """Whether the system can have a file of this name."""
    try:
        return b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:  # half of a surrogate pair
        return False


def _chunks(file: Readable) -> Iterator[bytes]:
    source = getattr(file, "buffer", file)  # of standard input, which is text
    while chunk := source.read(_CHUNK):
        if not isinstance(chunk, str | bytes):
            raise ArgumentTypeError(argument="path", rule="a path or an open file of bytes or text", received=chunk)
        yield chunk.encode("utf-8", "replace") if isinstance(chunk, str) else chunk


class _LogReader:
    """One log while it is read: the format shows in its first lines, and decides how the others are read."""

    def __init__(self, choice: ColumnChoice, source: str) -> None:
        self.choice = choice
        self.source = source
        self.remarks: list[Remark] = []

    def read_events(self, files: list[Path]) -> dict[str, Trace]:
        found = GroupCollection()
        axis, damaged = events.read_events(files, self.choice, found)
        self.remarks += damaged
        return self._traces(Reading(events.NAME, found, axis))

    def read_chunks(self, chunks: Iterator[bytes]) -> dict[str, Trace]:
        data = unpacked(chunks, self.remarks)
        head = b""
        for chunk in data:
            head += chunk
            if len(head) >= _CHUNK:
                break
        if events.is_event_file(head):
            raise LogError("Event files are read by their path only, not compressed and not from a stream.")
        encoding = encoding_of(head)
        _refuse_binary(head, encoding)
        first = [line for piece in pieces([head], []) for line in decoded(piece)]
        if len(head) < _CHUNK and not any(map(str.strip, first)):
            raise LogError("The log is empty.")
        whole = chain([head], data)
        if is_document(head.decode(encoding, "replace").removeprefix("\ufeff"), first):
            return self._traces(self._read_document(whole, encoding))
        return self._traces(self._read_lines(whole, first))

    def _read_lines(self, chunks: Iterator[bytes], first: list[str]) -> Reading:
        """Read a file of lines; the first ones show whether they are a table."""
        choice = choice_of_export(self.choice, self.source) if is_scalar_export("".join(first[:1])) else self.choice
        header = None if objects_in(first) > 1 else find_header(first, choice)
        if header is not None and header.layout is not None:
            return TableReader(header, header.layout, choice).read(pieces(chunks, self.remarks))
        lines = LineReader(self.choice)
        lines.read(pieces(chunks, self.remarks))
        if not lines.count and lines.records.layout is None:
            raise self._unknown(first, header, lines.records.keys)
        best = lines.best()
        if lines.others and best.found is lines.records.found:
            text = f"Lines without a JSON object: {lines.others:,}."
            best.remarks.append(Remark("no JSON", lines.others, text))
        best.remarks.extend(lines.left_out())
        return best

    def _unknown(self, first: list[str], header: TableHeader | None, keys: Iterable[str]) -> LogError:
        """The error for lines without a learning rate."""
        if header is not None and header.bare:
            return self.choice.without_names(header.columns)
        if header is not None:
            return self.choice.unknown("columns", header.columns)
        if keys:
            return self.choice.unknown("JSON lines with the keys", keys)
        return self.choice.unknown(f"a first line {shown(next(filter(str.strip, first), ''))}")

    def _read_document(self, chunks: Iterator[bytes], encoding: str) -> Reading:
        data = bytearray()
        for chunk in chunks:
            data += chunk
            if len(data) > LARGEST:
                raise LogError(
                    f"A JSON document can have {LARGEST:,} characters at most.",
                    fix="Write the log as CSV or JSON lines instead.",
                )
        text = data.decode(encoding, "replace").removeprefix("\ufeff")
        del data  # the text is as large
        parsed = parse_documents(text)
        log, left_out = read_documents(parsed, self.choice)
        if parsed.broken_at is not None and not (parsed.cut and log.lines > 1):
            try:  # settings may stand before a log of another kind
                lines = self._read_lines(iter([text.encode()]), text[:_CHUNK].split("\n"))
            except LogError:
                lines = None
            if lines is not None and lines.found.rows > max(log.lines, 1):
                return lines
        if log.layout is None:
            if parsed.broken_at is not None and not self.choice.rates(list(log.keys)):
                raise LogError(f"The log begins as a JSON document but is not one: {parsed.error}.")
            raise self.choice.unknown("the keys" if log.keys else "no objects", log.keys)
        reading = log.reading()
        reading.remarks.extend(_odd_documents(parsed, left_out, log.lines))
        if log.junk:
            reading.remarks.append(Remark("no JSON", log.junk, f"Lines without a JSON object: {log.junk:,}."))
        return reading

    def _traces(self, reading: Reading) -> dict[str, Trace]:
        """The traces of all groups, by name."""
        found = reading.found
        found.finish()
        if not found.groups:
            raise LogError(f"The log is a {reading.format}, but no row of it has both a position and a rate.")
        traces = {}
        for name in list(found.groups):
            remarks = [*self.remarks, *reading.remarks, *found.remarks(name)]
            traces[name] = trace_of(found.groups.pop(name), reading, remarks, self.source)
        for trace in traces.values():
            trace.groups = traces
        return traces


def _odd_documents(parsed: JsonText, left_out: int, count: int) -> Iterator[Remark]:
    """What to say of JSON that is not one whole document."""
    read = f"{count:,} {'row is' if count == 1 else 'rows are'} read"
    if parsed.broken_at is not None and parsed.cut:
        yield Remark("cut off", 1, f"The JSON document breaks off ({parsed.error}): {read}, which are whole.")
    elif parsed.broken_at is not None:
        text = f"Something else follows the JSON document ({parsed.error}), and is left out: {read}."
        yield Remark("cut off", 1, text)
    if left_out:
        text = f"Other JSON documents, none with more rows, which are left out: {left_out:,}."
        yield Remark("other documents", left_out, text)


def _refuse_binary(head: bytes, encoding: str) -> None:
    """An error for anything but text: many control characters, as pictures, archives and checkpoints have."""
    some = head[:4096].decode(encoding, "replace")
    odd = sum(1 for one in some if (one < " " and one not in "\t\n\r\0\f\b\x1b") or one == "\ufffd")
    if odd * 10 > len(some):
        raise LogError("The file is binary, and not in a binary format that kosine reads.", received=head[:16])


def _picked(traces: dict[str, Trace], group: str | None) -> Trace:
    if group is None:
        return next(iter(traces.values()))
    named = [trace for name, trace in traces.items() if name == group]
    named = named or [trace for name, trace in traces.items() if group.lower() in name.lower()]
    if len(named) == 1:
        return named[0]
    raise LogError(argument="group", rule=f"one of the log's param groups: {listed(traces)}", received=group)
