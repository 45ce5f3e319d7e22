"""The formats of logs that are known, each one small declaration; a new one is added here and nowhere else.

Rows with named cells (`ROW_FORMATS`: tables and JSON objects) are recognised by their columns, lines of text by
patterns (`TEXT_FORMATS`, in `text_formats`). Event files and the JSON of a Keras History have separate readers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import get_args

from kosine._logs.read.text_formats import TEXT_FORMATS
from kosine._logs.remark import Axis

_MOST_NAMED = 24  # formats in a message
_LONGEST = 500  # characters of a name
_STEPS = (
    "global_step",
    "step",
    "current_steps",
    "iteration",
    "iter",
    "num_updates",
    "_step",
    "steps",
    "iterations",
    "update",
    "updates",
    "global_steps",
    "train_step",
    "training_step",
    "optimizer_step",
    "iters",
    "iter_num",
    "n_iter",
    "numiters",
    "batch",
)
_EPOCHS = ("epoch", "epochs", "current_epoch", "epoch_num", "ep")
_INDEX = ("", "unnamed:_0", "index")  # of the rows, which pandas writes first
_RATES = ("learning_rate", "lr", "train/learning_rate", "train/lr", "train_lr", "rate")
_RATE = r"(?:.*[^a-z])?(?:lr|learning[ _-]?rates?)(?:[^a-z].*)?|rate"
_RATE_WORD = re.compile("lr|rate", re.IGNORECASE)  # each of these patterns has one: a quick look
_OTHER = re.compile(
    r"__(?:MIN|MAX|STEP)$|momentum|weight.?decay|betas|(?:max|min|initial|init|final|end|peak|target|warmup)[ _-]?"
    r"(?:lr|learning)|(?:lr|rate)[ _-]?(?:scale|ratio|mult|decay|sched)|find",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class RowFormat:
    """A log of rows with named cells: a table, or JSON objects.

    Attributes:
        name: what to call it.
        requires: patterns of columns that set it apart from others; each must be there. Columns are compared without
            the spaces around them, and capitals do not count.
        rates: the pattern of the columns with rates.
        group: a column that says which run or param group the row is about.
        only: a column and the value it has in rows that count.
        decimals: the places after the point that the writer rounds to; None if it does not.
        lacks: a pattern of columns that it never has.
        only_tables: whether it is never written as JSON.
        epochs_from: the number of the first epoch, where steps are counted anew in each; None if writers differ.
    """

    name: str
    requires: tuple[str, ...] = ()
    rates: str = _RATE
    group: str = ""
    only: tuple[str, str] | None = None
    decimals: int | None = None
    epochs_from: int | None = None
    lacks: str = ""
    only_tables: bool = False


ANY_ROWS = RowFormat("table with a position and a rate")

ROW_FORMATS = (
    RowFormat("kosine history", requires=("schedule", "step", "rate"), rates="rate", group="schedule"),
    RowFormat("kosine history", requires=("step", "rate"), rates="rate"),
    RowFormat("YOLO results.csv", requires=("epoch", r"x/lr0|lr/pg0"), rates=r"x/lr\d+|lr/pg\d+"),
    RowFormat("Weights & Biases export", requires=(r".*__(?:MIN|MAX)",)),
    RowFormat("Weights & Biases history", requires=("_step", "_(?:runtime|timestamp)")),
    RowFormat("Lightning CSVLogger", requires=("step", r"lr-.+"), rates=r"lr-.+"),
    RowFormat("timm summary.csv", requires=("epoch", "train_loss", "eval_.+", "lr")),
    RowFormat("LLaMA-Factory trainer_log.jsonl", requires=("current_steps",)),
    RowFormat(
        "mmcv JSON log",
        requires=("mode", "epoch", "iter", "lr"),
        rates="lr",
        only=("mode", "train"),
        decimals=5,
        epochs_from=1,
    ),
    RowFormat("mmengine JSON log", requires=("step", "iter", "lr"), rates="(?:base_)?lr", epochs_from=1),
    RowFormat("detectron2 metrics.json", requires=("iteration", "lr"), rates="lr"),
    RowFormat("DeiT or MAE log.txt", requires=("train_lr", "epoch")),
    RowFormat("Hugging Face log history", requires=("step", "epoch", "learning_rate", "loss|grad_norm|eval_.+")),
    RowFormat(
        "Keras log",
        requires=("epoch", "lr|learning_rate", "loss"),
        lacks=r"(?:global_|_)?(?:step|iter)s?|iteration",
        only_tables=True,
    ),
    ANY_ROWS,
)
"""Looked at in this order: the first whose columns are all there says how to read the rows."""

ONLY_TABLES = frozenset(known.name for known in ROW_FORMATS if known.only_tables)


def looked_for() -> str:
    """The names of the known formats, as many as fit into a message."""
    declared = (known.name for known in (*ROW_FORMATS, *TEXT_FORMATS))
    names = list(dict.fromkeys(["Keras History JSON", "TensorBoard event files", *declared]))
    return f"{', '.join(names[:_MOST_NAMED])} and {len(names) - _MOST_NAMED} more"


def comparable(column: str) -> str:
    """A column's name as it is compared."""
    return column.strip().lower()


def row_format_of(columns: Iterable[str]) -> RowFormat | None:
    """The first format whose columns are all there, a rate and a position among them."""
    names = [comparable(column) for column in columns if len(column) <= _LONGEST]
    if position_columns(names) == (None, None):
        return None
    for known in ROW_FORMATS:
        required = (re.compile(pattern, re.IGNORECASE) for pattern in known.requires)
        lacking = not (known.lacks and any(re.fullmatch(known.lacks, name) for name in names))
        if lacking and all(any(map(each.fullmatch, names)) for each in required) and rate_columns(names, known.rates):
            return known
    return None


def rate_columns(columns: Iterable[str], pattern: str = _RATE) -> list[str]:
    """The columns with rates, the likeliest first."""
    found = []
    for column in columns:
        if not _RATE_WORD.search(column):
            continue
        name = comparable(column).rpartition(" - ")[2]  # Weights & Biases puts the name of the run before
        if ": " in name or "=" in name:  # a setting in a line of text
            continue
        if len(column) <= _LONGEST and re.fullmatch(pattern, name, re.IGNORECASE) and not _OTHER.search(name):
            found.append(column)
    places = {name: place for place, name in enumerate(_RATES)}
    return sorted(found, key=lambda column: places.get(comparable(column), len(places)))


def position_columns(columns: Iterable[str]) -> tuple[str | None, str | None]:
    """The column that counts steps and the one that counts epochs; None for one that is not there."""
    names = list(columns)
    step, epoch = _named(names, _STEPS), _named(names, _EPOCHS)
    return (step, epoch) if step is not None or epoch is not None else (_named(names[:1], _INDEX), None)


def axis_of(column: str | None, columns: Iterable[str] = ()) -> Axis:
    """What a column counts, by its name; what the rows are, by all columns, where it only numbers them."""
    if column is None or comparable(column).replace(" ", "_") in _INDEX:
        return _axis_of_rows(columns)
    name, others = comparable(column), get_args(Axis)[1:]
    return next((axis for axis in others if axis in name), "step")


def _axis_of_rows(columns: Iterable[str]) -> Axis:
    """What the rows of a log count: epochs where each has results of training beside those of an evaluation."""
    names = {comparable(column) for column in columns}
    begins = {name.partition("_")[0] for name in names if "_" in name}
    evaluated = begins & {"val", "valid", "test", "eval"}
    return "epoch" if evaluated and ("train" in begins or "loss" in names) else "step"


def _named(columns: list[str], names: tuple[str, ...]) -> str | None:
    found: dict[str, str] = {}
    for column in columns:
        whole = comparable(column).replace(" ", "_")
        found.setdefault(whole, column)
        found.setdefault(whole.rpartition("/")[2], column)
    return next((found[name] for name in names if name in found), None)
