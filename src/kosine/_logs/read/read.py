"""Read the learning rate from a log of any known format, which its content shows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

from kosine._logs.read import tensorboard as events
from kosine._logs.read.collect import GroupCollection
from kosine._logs.read.columns import ColumnChoice, listed
from kosine._logs.read.csv_table import TableHeader, find_header, read_table
from kosine._logs.read.json_records import (
    LARGEST,
    BrokenDocumentError,
    RecordReader,
    begins_as_json,
    is_lines,
    read_document,
)
from kosine._logs.read.lines import LineReader
from kosine._logs.read.reading import Reading
from kosine._logs.read.stream import decoded, encoding_of, pieces, unpacked
from kosine._logs.read.traces import trace_of
from kosine._logs.trace import Remark, Trace
from kosine.errors import ArgumentTypeError, LogError, shown

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
) -> Trace:
    r"""Read the learning rate of a run from its log; the content shows which format it has.

    It knows the logs of Keras, Hugging Face, LLaMA-Factory, Lightning, timm, DeiT and MAE, mmengine and mmcv,
    detectron2, YOLO, Megatron-LM, DeepSpeed, llm.c, BasicSR, ESPnet, Weights & Biases and TensorBoard (extra
    `tensorboard`). It also reads any table, JSON lines or lines of text with a position and a rate. Files may be
    gzipped. A log may have any length: of more than 2**24 rows every 2nd, 4th, ... is kept, and a remark says so. Lines
    of more than 2**20 bytes are left out, and tables have at most 10,000 columns. A log that is one JSON document has
    at most 2**28 characters; only such a document is held in memory.

    Args:
        path: the file, an open one, or a folder with the event files of one run.
        group: the param group (or the run, or the tag) to read, by its name in the log; the first if None. `groups`
            of the trace has them all.
        step_column: where the steps are: a column, a key, or the word before the number in text, such as
            "consumed samples". If None, the usual one of the format.
        rate_column: where the rates are, likewise.

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
    choice = ColumnChoice(_name(step_column, "step_column"), _name(rate_column, "rate_column"))
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
        self.found = GroupCollection()
        self.remarks: list[Remark] = []

    def read_events(self, files: list[Path]) -> dict[str, Trace]:
        axis, damaged = events.read_events(files, self.choice, self.found)
        self.remarks += damaged
        return self._traces(Reading(events.NAME, self.found, axis))

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
        text = next((line for line in first if line.strip()), None)
        if text is None and len(head) < _CHUNK:
            raise LogError("The log is empty.")
        whole = chain([head], data)
        if text is None and begins_as_json(head[:_CHUNK].decode(encoding, "replace").lstrip("\ufeff")):
            return self._read_document(whole, encoding)  # all on one line
        if text is not None and begins_as_json("\n".join(first[:3]) if text.strip() == "[" else text):
            return self._read_lines(whole, None, text) if is_lines(first) else self._read_document(whole, encoding)
        header = find_header(first, self.choice)
        if header is not None and header.layout is not None:
            read_table(pieces(whole, self.remarks), header, header.layout, self.found)
            layout = header.layout
            return self._traces(Reading(layout.format, self.found, layout.axis, layout.decimals))
        return self._read_lines(whole, header, text)

    def _read_lines(self, chunks: Iterator[bytes], header: TableHeader | None, first: str | None) -> dict[str, Trace]:
        lines = LineReader(self.choice)
        lines.read(pieces(chunks, self.remarks))
        if lines.count or lines.records.layout is not None:
            return self._of_lines(lines)
        if header is not None and len(header.columns) > 1 and first is not None:
            raise self.choice.unknown("columns", header.columns)
        if lines.records.keys:
            raise self.choice.unknown("JSON lines with the keys", lines.records.keys)
        raise self.choice.unknown(f"a first line {shown(first)}")

    def _of_lines(self, lines: LineReader) -> dict[str, Trace]:
        best = lines.best()
        if lines.others and best.found is lines.records.found:
            text = f"Lines without a JSON object: {lines.others:,}."
            self.remarks.append(Remark("no JSON", lines.others, text))
        self.remarks += lines.left_out()
        return self._traces(best)

    def _read_document(self, chunks: Iterator[bytes], encoding: str) -> dict[str, Trace]:
        data = bytearray()
        for chunk in chunks:
            data += chunk
            if len(data) > LARGEST:
                break
        text = data.decode(encoding, "replace").removeprefix("\ufeff")
        records = RecordReader(self.choice, self.found)
        try:
            layout = read_document(text, self.choice, records, self.found)
        except BrokenDocumentError:
            del text
            lines = LineReader(self.choice)
            lines.read(pieces(chain([bytes(data)], chunks), self.remarks))
            if lines.count < 2:
                raise
            return self._of_lines(lines)  # a block of settings, say, and lines after it
        if records.junk:
            self.remarks.append(Remark("no JSON", records.junk, f"Lines without a JSON object: {records.junk:,}."))
        return self._traces(Reading(layout.format, self.found, layout.axis, layout.decimals, records.total))

    def _traces(self, reading: Reading) -> dict[str, Trace]:
        """The traces of all groups, by name."""
        found = reading.found
        found.finish()
        if not found.groups:
            raise LogError(f"The log is a {reading.format}, but no row of it has both a position and a rate.")
        traces = {}
        for name in list(found.groups):
            remarks = [*self.remarks, *found.remarks(name)]
            traces[name] = trace_of(found.groups.pop(name), reading, remarks, self.source)
        for trace in traces.values():
            trace.groups = traces
        return traces


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
