"""Read the rows of a log of any known format, which its content shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from kosine._logs.read import tensorboard as events
from kosine._logs.read.columns import ColumnChoice, LossChoice
from kosine._logs.read.csv_cells import CellBlocks
from kosine._logs.read.csv_table import TableHeader, TableReader, find_header
from kosine._logs.read.json_document import LARGEST, JsonText, is_document, parse_documents, read_documents
from kosine._logs.read.json_records import objects_in
from kosine._logs.read.lines import LineKinds, LineReader
from kosine._logs.read.reading import Reading
from kosine._logs.read.scalar_export import choice_of_export, is_scalar_export, tag_of
from kosine._logs.read.stream import decoded, encoding_of, pieces, unpacked
from kosine._logs.remark import Remark
from kosine.errors import LogError, shown

CHUNK = 1 << 18
"""Bytes that are read at once; measured: a quarter of a MiB stays in the cache."""


@dataclass(slots=True)
class LogRows:
    """The rows of a log.

    Attributes:
        values: those with the values that were looked for, of each kind; the kind that is the log first.
        losses: those with losses, of each kind, where losses were looked for besides.
        names: of the columns, keys or tags of the log.
        found: what to call these names, in a message that one is not among them.
    """

    values: list[Reading]
    losses: list[Reading]
    names: list[str]
    found: str


class LogReader:
    """One log while it is read: the format shows in its first lines, and decides how the others are read.

    Args:
        choice: the values to look for.
        losses: the losses to look for besides; None for none.
        source: the name of the log.

    Attributes:
        remarks: what was odd about the file.
    """

    def __init__(self, choice: ColumnChoice, losses: LossChoice | None, source: str) -> None:
        self.choice = choice
        self.source = source
        self.remarks: list[Remark] = []
        self._losses = losses

    def read_events(self, files: list[Path]) -> LogRows:
        """Read the event files of one run.

        Raises:
            LogError: no values, or those of several runs.
        """
        values, losses, tags, damaged = events.read_events(files, self.choice, self._losses)
        self.remarks += damaged
        return LogRows(values, losses, tags, "the tags")

    def read_chunks(self, chunks: Iterator[bytes]) -> LogRows:
        """Read a file.

        Raises:
            LogError: no values in it, or it is not a log.
        """
        data = unpacked(chunks, self.remarks)
        head = b""
        for chunk in data:
            head += chunk
            if len(head) >= CHUNK:
                break
        if events.is_event_file(head):
            raise LogError("Event files are read by their path only, not compressed and not from a stream.")
        encoding = encoding_of(head)
        _refuse_binary(head, encoding)
        first = [line for piece in pieces([head], []) for line in decoded(piece)]
        if len(head) < CHUNK and not any(map(str.strip, first)):
            raise LogError("The log is empty.")
        whole = chain([head], data)
        if is_document(head.decode(encoding, "replace").removeprefix("\ufeff"), first):
            return self._read_document(whole, encoding)
        return self._read_lines(whole, first)

    def _read_lines(self, chunks: Iterator[bytes], first: list[str]) -> LogRows:
        """Read a file of lines; the first ones show whether they are a table."""
        choice = choice_of_export(self.choice, self.source) if is_scalar_export("".join(first[:1])) else self.choice
        header = None if objects_in(first) > 1 else find_header(first, choice)
        if header is not None and header.layout is not None:
            rows = self._read_table(chunks, header, TableReader(header, header.layout, choice))
            if choice.of_losses and choice is not self.choice:  # the name says what the loss is of
                groups = rows.values[0].found.groups
                rows.values[0].found.groups = {tag_of(self.source): group for group in groups.values()}
            return rows
        values, losses = LineKinds(self.choice), None if self._losses is None else LineKinds(self._losses)
        lines = LineReader(values, losses)
        for piece in pieces(chunks, self.remarks):
            lines.read(piece)
        if not values.count and values.records.layout is None:
            raise self._unknown(first, header, values.records.keys)
        readings = values.readings()
        if lines.others and readings[0].found is values.records.found:
            text = f"Lines without a JSON object: {lines.others:,}."
            readings[0].remarks.append(Remark("no JSON", lines.others, text))
        readings[0].remarks.extend(values.left_out())
        keys = list(values.records.keys)
        found = "JSON lines with the keys" if keys else f"a first line {_first_line(first)}"
        return LogRows(readings, [] if losses is None else losses.readings(), keys, found)

    def _read_table(self, chunks: Iterator[bytes], header: TableHeader, values: TableReader) -> LogRows:
        """Read a table, whose columns of losses have readers of their own, on the same cells."""
        losses = None if self._losses is None else self._losses.layout(header.columns)
        others = [] if losses is None or self._losses is None else [TableReader(header, losses, self._losses)]
        blocks = CellBlocks()
        for piece in pieces(chunks, self.remarks):
            for reader in (values, *others):
                reader.read(piece, blocks)
        readings = [reader.reading() for reader in others]
        return LogRows([values.reading()], readings, list(header.columns), "columns")

    def _unknown(self, first: list[str], header: TableHeader | None, keys: Iterable[str]) -> LogError:
        """The error for lines without a learning rate."""
        if header is not None and header.bare:
            return self.choice.without_names(header.columns)
        if header is not None:
            return self.choice.unknown("columns", header.columns)
        if keys:
            return self.choice.unknown("JSON lines with the keys", keys)
        return self.choice.unknown(f"a first line {_first_line(first)}")

    def _read_document(self, chunks: Iterator[bytes], encoding: str) -> LogRows:
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
                lines = self._read_lines(iter([text.encode()]), text[:CHUNK].split("\n"))
            except LogError:
                lines = None
            if lines is not None and lines.values[0].found.rows > max(log.lines, 1):
                return lines
        if log.layout is None:
            if parsed.broken_at is not None and not self.choice.values(list(log.keys)):
                raise LogError(f"The log begins as a JSON document but is not one: {parsed.error}.")
            raise self.choice.unknown("the keys" if log.keys else "no objects", log.keys)
        readings = log.readings()
        readings[0].remarks.extend(_odd_documents(parsed, left_out, log.lines))
        if log.junk:
            readings[0].remarks.append(Remark("no JSON", log.junk, f"Lines without a JSON object: {log.junk:,}."))
        losses = None if self._losses is None else read_documents(parsed, self._losses)[0]
        return LogRows(readings, [] if losses is None else losses.readings(), list(log.keys), "the keys")


def _first_line(first: list[str]) -> str:
    return shown(next(filter(str.strip, first), ""))


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
