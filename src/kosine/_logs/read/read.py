"""Read the learning rate from a log of any known format, which its content shows."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

from kosine._core.numbers import MAX_STEPS
from kosine._logs.read import tensorboard as events
from kosine._logs.read.collect import GroupCollection
from kosine._logs.read.columns import ColumnChoice, ColumnLayout, listed
from kosine._logs.read.csv_table import TableHeader, find_header, read_table
from kosine._logs.read.json_document import LARGEST, JsonText, is_document, parse_documents, read_documents
from kosine._logs.read.json_records import RecordReader, is_lines, is_only_objects
from kosine._logs.read.run_length import RunLength
from kosine._logs.read.stream import decoded, encoding_of, pieces, unpacked
from kosine._logs.read.text_lines import TextReader
from kosine._logs.trace import Axis, Remark, Trace
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
        self.found = GroupCollection(choice.count_rows)
        self.remarks: list[Remark] = []

    def read_events(self, files: list[Path]) -> dict[str, Trace]:
        axis, damaged = events.read_events(files, self.choice, self.found)
        self.remarks += damaged
        return self._traces(axis, events.NAME)

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
            return self._read_document(whole, encoding)
        return self._read_lines(whole, first)

    def _read_lines(self, chunks: Iterator[bytes], first: list[str]) -> dict[str, Trace]:
        """Read a file of lines; the first ones show what they are."""
        records = RecordReader(self.choice)
        if is_only_objects(first):
            records.read_lines(pieces(chunks, self.remarks))
            return self._of_records(records)
        header = find_header(first, self.choice)
        if header is not None and header.layout is not None:
            length = RunLength()
            read_table(pieces(chunks, self.remarks), header, header.layout, self.found, length)
            return self._of_layout(header.layout, length)
        texts = TextReader(self.choice, self.found)
        for piece in pieces(chunks, self.remarks):
            texts.read([piece])
            records.read_lines([piece])
        read = 0 if texts.format is None else self.found.rows
        if records.rows >= max(read, 1):
            return self._of_records(records)
        if not read:
            raise self._unknown(first, header, records)
        return self._of_text(texts)

    def _unknown(self, first: list[str], header: TableHeader | None, records: RecordReader) -> LogError:
        """The error for lines without a learning rate."""
        if is_lines(first):
            return self.choice.unknown("JSON lines with the keys", records.keys)
        if header is not None and header.bare:
            return self.choice.without_names(header.columns)
        if header is not None:
            return self.choice.unknown("columns", header.columns)
        return self.choice.unknown(f"a first line {shown(next(filter(str.strip, first), ''))}")

    def _of_text(self, texts: TextReader) -> dict[str, Trace]:
        assert texts.format is not None
        total = texts.total if self.choice.step_column is None else None  # it counts what the known column counts
        return self._traces(
            texts.format.axis, texts.format.name, total=total, skipped=texts.skipped, batches=texts.batches
        )

    def _read_document(self, chunks: Iterator[bytes], encoding: str) -> dict[str, Trace]:
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
        found = parse_documents(text)
        records = read_documents(found.documents, self.choice)
        if found.broken_at is None:
            if records.layout is None:
                raise self.choice.unknown("the keys" if records.keys else "no objects", records.keys)
            return self._of_records(records)
        lines = _LogReader(self.choice, self.source)
        try:  # settings may stand before a log of another kind
            traces = lines._read_lines(iter([text.encode()]), text[:_CHUNK].split("\n"))
        except LogError:
            traces = {}
        if records.rows >= max([1, *map(len, traces.values())]):
            self._breaks_off(found, records)
            return self._of_records(records)
        if not traces:
            raise LogError(f"The log begins as a JSON document but is not one: {found.error}.")
        return traces

    def _breaks_off(self, found: JsonText, records: RecordReader) -> None:
        rows = f"{records.rows:,} {'row is' if records.rows == 1 else 'rows are'} read"
        if found.cut:
            text = f"The JSON document breaks off ({found.error}): {rows}, which are whole."
        else:
            text = f"Something else follows the JSON document ({found.error}), and is left out: {rows}."
        self.remarks.append(Remark("cut off", 1, text))

    def _of_records(self, records: RecordReader) -> dict[str, Trace]:
        if records.layout is None:
            raise self.choice.unknown("JSON lines with the keys", records.keys)
        if records.junk:
            self.remarks.append(Remark("no JSON", records.junk, f"Lines without a JSON object: {records.junk:,}."))
        if records.documents_left_out:
            text = f"Other JSON documents, none with more rows, which are left out: {records.documents_left_out:,}."
            self.remarks.append(Remark("other documents", records.documents_left_out, text))
        if records.left_out:
            text = f"Objects with another key for the position, which are left out: {records.left_out:,}."
            self.remarks.append(Remark("other rows", records.left_out, text))
        self.found = records.found()
        return self._of_layout(records.layout, records.length)

    def _of_layout(self, layout: ColumnLayout, length: RunLength) -> dict[str, Trace]:
        """The traces of rows with named cells."""
        total = None
        if layout.position is not None:
            total = length.agreed(self.found.furthest, layout.axis, self.remarks)
        elif self.choice.count_rows:
            text = f"The rows that have a rate are counted, from 0, as {layout.axis}s."
            self.remarks.append(Remark("counted", self.found.rows, text))
        return self._traces(layout.axis, layout.format, decimals=layout.decimals, total=total)

    def _traces(
        self,
        axis: Axis,
        format: str,
        *,
        decimals: int | None = None,
        total: int | None = None,
        skipped: Iterable[tuple[int, int]] = (),
        batches: int | None = None,
    ) -> dict[str, Trace]:
        """The traces of all groups, by name."""
        self.found.finish()
        if not self.found.groups:
            raise LogError(f"The log is a {format}, but no row of it has both a position and a rate.")
        traces = {}
        for name in list(self.found.groups):
            remarks = [*self.remarks, *self.found.remarks(name)]
            traces[name] = self.found.groups.pop(name).trace(
                axis,
                decimals,
                remarks,
                batches,
                format=format,
                source=self.source,
                total=total if total is not None and 1 <= total <= MAX_STEPS else None,  # a log may say anything
                skipped=skipped,
            )
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
