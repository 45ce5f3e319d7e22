"""Read the learning rate and the losses from a log of any known format, which its content shows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

from kosine._logs.losses import Losses
from kosine._logs.read import tensorboard as events
from kosine._logs.read.columns import ColumnChoice, LossChoice, listed
from kosine._logs.read.log_reader import CHUNK, LogReader, LogRows
from kosine._logs.read.loss_rows import losses_of, series_in
from kosine._logs.read.repeated_rows import refuse_many_runs
from kosine._logs.read.traces import timeline_of, trace_of
from kosine._logs.trace import Trace
from kosine.errors import ArgumentTypeError, LogError, Name


class Readable(Protocol):
    """An open file: binary, or of text."""

    def read(self, size: int, /) -> Any: ...


def read_trace(
    path: str | os.PathLike[str] | Readable,
    *,
    group: str | None = None,
    step_column: str | None = None,
    rate_column: str | None = None,
    loss_column: str | None = None,
    count_rows: bool = False,
) -> Trace:
    r"""Read the learning rate and the losses of a run from its log; the content shows which format it has.

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
        loss_column: where the losses are, likewise. If None, a loss of validation, or else of training, that the log
            names so. A part of a loss, such as `box_loss`, or the loss of a test set is taken only if it is named.
        count_rows: take the rows that have a rate as steps 0, 1, 2, ..., for a log that does not say where they are. A
            row that has results of training and of an evaluation is taken as an epoch.

    Returns:
        The trace, with remarks on anything odd about the log. Its `losses` are on the axis of the rates, and those of a
        whole epoch at the end of it; None where the log has none, and `needed_losses()` says why.

    Raises:
        LogError: no learning rate was recognised, or the group or the loss that was asked for is not there.
        OSError: the file cannot be read.
        MissingPackageError: an event file, where tensorboard is not installed.
        ArgumentTypeError: an argument of another type.

    Example:
        >>> import io
        >>> log = io.BytesIO(b"step,learning_rate,loss\n0,0.1,2.5\n1,0.05,2.0\n")
        >>> trace = read_trace(log)
        >>> trace.positions.tolist(), trace.rates.tolist()
        ([0, 1], [0.1, 0.05])
        >>> trace.losses.kind, trace.losses.values.tolist()
        ('training', [2.5, 2.0])
    """
    return read_log(
        path,
        group=group,
        step_column=step_column,
        rate_column=rate_column,
        count_rows=count_rows,
        losses=LossChoice(step_column, _name(loss_column, "loss_column"), count_rows),
    )


def read_log(
    path: str | os.PathLike[str] | Readable,
    *,
    losses: LossChoice | None = None,
    group: str | None = None,
    step_column: str | None = None,
    rate_column: str | None = None,
    count_rows: bool = False,
) -> Trace:
    """As `read_trace`; without `losses` none are looked for, which takes less time and memory."""
    choice = _choice(step_column, rate_column, count_rows)
    _name(group, "group")
    log, rows = _read(path, choice, losses)
    trace = _picked(_traces(log, rows, losses), group)
    if losses is not None and losses.value_column is not None:  # a column that was asked for
        trace.needed_losses()
    return trace


def read_losses(
    path: str | os.PathLike[str] | Readable,
    *,
    step_column: str | None = None,
    loss_column: str | None = None,
    count_rows: bool = False,
) -> Losses:
    r"""Read the losses of a run from its log, which may lack the learning rate; else `read_trace` has them as well.

    Args:
        path: as in `read_trace`.
        step_column: where the steps are, likewise.
        loss_column: where the losses are: a column, a key, a tag, or the word before the number in text. If None, a
            loss of validation, or else of training, that the log names so.
        count_rows: take the rows that have a loss as steps 0, 1, 2, ...

    Returns:
        The losses, with remarks on anything odd.

    Raises:
        LogError: no loss was recognised.
        OSError: the file cannot be read.
        MissingPackageError: an event file, where tensorboard is not installed.
        ArgumentTypeError: an argument of another type.

    Example:
        >>> import io
        >>> losses = read_losses(io.BytesIO(b"step,train_loss,val_loss\n100,5.5,5.6\n200,5.1,5.2\n"))
        >>> losses.kind, losses.name, losses.positions.tolist(), losses.values.tolist()
        ('validation', 'val_loss', [100, 200], [5.6, 5.2])
    """
    _choice(step_column, loss_column, count_rows, "loss_column")
    choice = LossChoice(step_column, loss_column, count_rows)
    log, rows = _read(path, choice, None)
    series = series_in(rows.values, loss_column is not None)
    if not series:
        raise choice.unknown(rows.found, rows.names)
    first = series[0]
    timeline = timeline_of(first.taken, first.reading, [])
    places = timeline.places(first.taken, first.reading)
    if places is not None:
        refuse_many_runs(places, first.taken.rates, timeline.axis, "loss")
    losses, why = losses_of(series, timeline, first.name, rows.names)
    if losses is None:
        raise LogError(why)
    return replace(losses, remarks=(*log.remarks, *losses.remarks))


def _read(
    path: str | os.PathLike[str] | Readable, choice: ColumnChoice, losses: LossChoice | None
) -> tuple[LogReader, LogRows]:
    if not isinstance(path, str | os.PathLike):
        if not hasattr(path, "read"):
            raise ArgumentTypeError(argument="path", rule="a path or an open file", received=path)
        name = getattr(path, "name", "")
        log = LogReader(choice, losses, name if isinstance(name, str) else "")
        return log, log.read_chunks(_chunks(path))
    where, log = Path(path), LogReader(choice, losses, str(path))
    if not _is_name(str(path)):
        raise LogError(argument="path", rule="the path of a file", received=path)
    if where.is_dir():
        return log, log.read_events(events.event_files(where))
    with where.open("rb") as file:
        head = file.read(64)
        if events.is_event_file(head):
            return log, log.read_events([where])
        return log, log.read_chunks(chain([head], _chunks(file)))


def _traces(log: LogReader, rows: LogRows, losses: LossChoice | None) -> dict[str, Trace]:
    """The traces of all groups, by name."""
    reading = rows.values[0]
    found = reading.found
    found.finish()
    if not found.groups:
        raise LogError(f"The log is a {reading.format}, but no row of it has both a position and a rate.")
    series = series_in(rows.losses, losses is not None and losses.value_column is not None)
    if losses is not None and losses.value_column is not None and not series:
        raise losses.unknown(rows.found, rows.names)
    traces = {}
    for name in list(found.groups):
        remarks = [*log.remarks, *reading.remarks, *found.remarks(name)]
        trace, timeline = trace_of(found.groups.pop(name), reading, remarks, log.source)
        if losses is not None:
            trace = trace.with_losses(*losses_of(series, timeline, name, rows.names))
        traces[name] = trace
    for trace in traces.values():
        trace.groups = traces
    return traces


def _choice(
    step_column: object, value_column: object, count_rows: object, argument: str = "rate_column"
) -> ColumnChoice:
    if not isinstance(count_rows, bool):
        raise ArgumentTypeError(argument="count_rows", rule="True or False", received=count_rows)
    if count_rows and step_column is not None:
        rule = ("None where rows are counted (", Name("count_rows"), ")")
        raise LogError(argument="step_column", rule=rule, received=step_column)
    return ColumnChoice(_name(step_column, "step_column"), _name(value_column, argument), count_rows)


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
    while chunk := source.read(CHUNK):
        if not isinstance(chunk, str | bytes):
            raise ArgumentTypeError(argument="path", rule="a path or an open file of bytes or text", received=chunk)
        yield chunk.encode("utf-8", "replace") if isinstance(chunk, str) else chunk


def _picked(traces: dict[str, Trace], group: str | None) -> Trace:
    if group is None:
        return next(iter(traces.values()))
    named = [trace for name, trace in traces.items() if name == group]
    named = named or [trace for name, trace in traces.items() if group.lower() in name.lower()]
    if len(named) == 1:
        return named[0]
    raise LogError(argument="group", rule=f"one of the log's param groups: {listed(traces)}", received=group)
