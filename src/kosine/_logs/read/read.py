"""Read the learning rate from a log of any known kind, which its content tells."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Protocol, cast

from kosine._core.numbers import MAX_STEPS
from kosine._logs.read import tensorboard as events
from kosine._logs.read.collect import Collection
from kosine._logs.read.columns import Choice, Layout
from kosine._logs.read.csv_table import Header, find_header, no_rate, read_table
from kosine._logs.read.json_records import LARGEST, Records, begins_as_json, is_lines, read_document
from kosine._logs.read.stream import decoded, encoding_of, pieces, unpacked
from kosine._logs.read.text_lines import Texts
from kosine._logs.trace import Axis, Remark, Trace
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
    r"""Read the learning rate of a run from its log; the content tells which kind of log it is.

    Known are the logs of Keras, Hugging Face, LLaMA-Factory, Lightning, timm, DeiT and MAE, mmengine and mmcv,
    detectron2, YOLO, Megatron-LM, DeepSpeed, llm.c, BasicSR, ESPnet, Weights & Biases and TensorBoard (extra
    `tensorboard`), and any table, JSON lines or lines of text that tell a position and a rate. Files may be gzipped.
    A log of any length is read: of more than 2**24 rows every 2nd, 4th, ... is kept, and a remark says so. Lines of
    more than 2**20 bytes are left out, tables have at most 10,000 columns, and a log that is one JSON document has at
    most 2**28 characters; only such a document is held in memory.

    Args:
        path: the file, an open one, or a folder with the event files of one run.
        group: the param group (or the run, or the tag) that the trace is to be of, as the log names it; the first
            if None. `groups` of the trace has them all.
        step_column: what counts the steps: a column, a key, or the word before the number in text, such as
            "consumed samples". The one that is usual for the log if None.
        rate_column: what has the rates, likewise.

    Returns:
        The trace, with remarks on what was odd about the log.

    Raises:
        LogError: nothing in it is known to be a learning rate, or the group is not there.
        OSError: the file cannot be read.
        MissingPackageError: an event file, and tensorboard is not installed.
        ArgumentTypeError: a path that is none.

    Example:
        >>> import io
        >>> log = io.BytesIO(b"step,learning_rate,loss\n0,0.1,2.5\n1,0.05,2.0\n")
        >>> trace = read_trace(log)
        >>> trace.positions.tolist(), trace.rates.tolist()
        ([0, 1], [0.1, 0.05])
    """
    choice = Choice(_word(step_column, "step_column"), _word(rate_column, "rate_column"))
    _word(group, "group")
    if not isinstance(path, str | os.PathLike):
        if not hasattr(path, "read"):
            raise ArgumentTypeError(f"Argument `path` must be a path or an open file. Received: path={shown(path)}.")
        name = getattr(path, "name", "")
        return _picked(_read_chunks(_chunks(path), choice, name if isinstance(name, str) else ""), group)
    where = Path(path)
    if not _is_name(str(path)):
        raise LogError(f"Argument `path` must be the path of a file. Received: path={shown(path)}.")
    if where.is_dir():
        return _picked(_read_events(events.event_files(where), choice, str(path)), group)
    with where.open("rb") as file:
        head = file.read(64)
        if events.is_event_file(head):
            return _picked(_read_events([where], choice, str(path)), group)
        return _picked(_read_chunks(chain([head], _chunks(file)), choice, str(path)), group)


def _is_name(path: str) -> bool:
    """Whether the system can have a file of this name."""
    try:
        return b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:  # half of a surrogate pair
        return False


def _word(value: object, argument: str) -> str | None:
    if value is not None and not isinstance(value, str):
        raise ArgumentTypeError(f"Argument `{argument}` must be a name. Received: {argument}={shown(value)}.")
    if value is not None and not value.strip():
        raise LogError(f"Argument `{argument}` must be a name. Received: {argument}={shown(value)}.")
    return value


def _chunks(file: Readable) -> Iterator[bytes]:
    source = getattr(file, "buffer", file)  # of standard input, which is text
    while chunk := source.read(_CHUNK):
        if not isinstance(chunk, str | bytes):
            raise ArgumentTypeError(f"Argument `path` must be a path or an open file. Received: one of {shown(chunk)}.")
        yield chunk.encode("utf-8", "replace") if isinstance(chunk, str) else chunk


def _read_events(files: list[Path], choice: Choice, source: str) -> dict[str, Trace]:
    found = Collection()
    axis, remarks = events.read_events(files, choice, found)
    return _traces(found, remarks, axis=axis, format=events.NAME, source=source)


def _read_chunks(chunks: Iterator[bytes], choice: Choice, source: str) -> dict[str, Trace]:
    remarks: list[Remark] = []
    data = unpacked(chunks, remarks)
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
    found = Collection()
    if text is None and begins_as_json(head[:_CHUNK].decode(encoding, "replace").lstrip("\ufeff")):
        return _read_document(whole, choice, found, remarks, source, encoding)  # all on one line
    if text is not None and begins_as_json("\n".join(first[:3]) if text.strip() == "[" else text):
        if is_lines(first):
            return _read_lines(pieces(whole, remarks), choice, found, remarks, source)
        return _read_document(whole, choice, found, remarks, source, encoding)
    lines = pieces(whole, remarks)
    header = find_header(first, choice)
    if header is not None and header.layout is not None:
        return _read_rows(lines, header, header.layout, found, remarks, source)
    texts = Texts(choice, found)
    texts.lines(lines)
    found.finish()
    if texts.kind is None or not found.series:
        if header is not None and len(header.columns) > 1 and text is not None:
            raise no_rate(header, choice)
        raise choice.unknown(f"a first line {shown(text)}")
    return _traces(
        found,
        remarks,
        axis=cast("Axis", texts.kind[1]),
        format=texts.kind[0],
        source=source,
        total=texts.total if choice.step_column is None else None,
        skipped=texts.skipped,
        batches=texts.batches,
    )


def _refuse_binary(head: bytes, encoding: str) -> None:
    """An error for what is no text: many control characters, as pictures, archives and checkpoints have."""
    some = head[:4096].decode(encoding, "replace")
    odd = sum(1 for one in some if (one < " " and one not in "\t\n\r\0\f\b\x1b") or one == "\ufffd")
    if odd * 10 > len(some):
        raise LogError(f"The file is binary, of no kind that has a learning rate. It begins with {shown(head[:16])}.")


def _read_rows(
    lines: Iterator[bytes], header: Header, layout: Layout, found: Collection, remarks: list[Remark], source: str
) -> dict[str, Trace]:
    read_table(lines, header, layout, found)
    return _traces(found, remarks, axis=layout.axis, format=layout.format, source=source, layout=layout)


def _read_lines(
    lines: Iterator[bytes], choice: Choice, found: Collection, remarks: list[Remark], source: str
) -> dict[str, Trace]:
    records = Records(choice, found)
    records.lines(lines)
    if records.layout is None:
        keys = ", ".join(repr(key[:60]) for key in list(records.keys)[:40])
        raise choice.unknown(f"JSON lines with the keys {keys}")
    return _of_records(records, records.layout, found, remarks, source)


def _read_document(
    chunks: Iterator[bytes], choice: Choice, found: Collection, remarks: list[Remark], source: str, encoding: str
) -> dict[str, Trace]:
    data = bytearray()
    for chunk in chunks:
        data += chunk
        if len(data) > LARGEST:
            break
    records = Records(choice, found)
    text = data.decode(encoding, "replace").removeprefix("\ufeff")
    del data
    layout = read_document(text, choice, records, found)
    return _of_records(records, layout, found, remarks, source)


def _of_records(
    records: Records, layout: Layout, found: Collection, remarks: list[Remark], source: str
) -> dict[str, Trace]:
    if records.junk:
        remarks.append(Remark("no JSON", records.junk, f"Lines that are no JSON object: {records.junk:,}."))
    return _traces(
        found,
        remarks,
        axis=layout.axis,
        format=layout.format,
        source=source,
        layout=layout,
        total=records.total,
    )


def _traces(
    found: Collection,
    remarks: list[Remark],
    *,
    axis: Axis,
    layout: Layout | None = None,
    total: int | None = None,
    **told: Any,
) -> dict[str, Trace]:
    """The traces of all groups, by name."""
    told["total"] = total if total is not None and 1 <= total <= MAX_STEPS else None  # a log may say anything
    found.finish()
    if not found.series:
        raise LogError(f"The log is a {told['format']}, but no row of it has both a position and a rate.")
    traces = {}
    for name in list(found.series):
        mine = [*remarks, *found.remarks(name)]
        traces[name] = found.series.pop(name).trace(axis, None if layout is None else layout.decimals, mine, **told)
    for trace in traces.values():
        trace.groups = traces
    return traces


def _picked(traces: dict[str, Trace], group: str | None) -> Trace:
    if group is None:
        return next(iter(traces.values()))
    named = [trace for name, trace in traces.items() if name == group]
    named = named or [trace for name, trace in traces.items() if group.lower() in name.lower()]
    if len(named) == 1:
        return named[0]
    names = ", ".join(repr(name[:60]) for name in list(traces)[:40])
    raise LogError(
        f"Argument `group` must name one of the log's param groups: {names}. Received: group={shown(group)}."
    )
