"""The kinds of logs that are known, each one small definition; a new one is added here and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

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
    "batch",
)
_EPOCHS = ("epoch", "epochs", "current_epoch")
_INDEX = ("", "unnamed: 0", "index")  # of the rows, which pandas writes first
_RATES = ("learning_rate", "lr", "train/learning_rate", "train/lr", "train_lr", "rate")
_RATE = r"(?:.*[^a-z])?(?:lr|learning[ _-]?rates?)(?:[^a-z].*)?|rate"
_OTHER = re.compile(
    r"__(?:MIN|MAX|STEP)$|momentum|weight.?decay|betas|(?:max|min|initial|init|final|end|peak|target|warmup)[ _-]?"
    r"(?:lr|learning)|(?:lr|rate)[ _-]?(?:scale|ratio|mult|decay|sched)|find",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Columns:
    """A log of rows with named cells: a table, or JSON objects.

    Attributes:
        name: what to call it.
        has: patterns of columns that tell it from other kinds; each must be there. Columns are compared without the
            spaces around them, and capitals do not count.
        rates: the pattern of the columns with rates.
        group: a column that says which run or param group the row is about.
        total: a column that says how long the run is.
        only: a column and the value it has in rows that count.
        decimals: the places after the point that the writer rounds to; None if it does not.
    """

    name: str
    has: tuple[str, ...] = ()
    rates: str = _RATE
    group: str = ""
    total: str = ""
    only: tuple[str, str] | None = None
    decimals: int | None = None


@dataclass(frozen=True, slots=True)
class Lines:
    """A log of lines of text, each of which may tell a position and a rate.

    Attributes:
        name: what to call it.
        position: a pattern with the groups `step`, or `epoch`, or `epoch` and `batch` (counted from 1 in each epoch;
            `since` is the first batch of a mean, `of` the batches of an epoch); and `total`, the length of the run,
            where it is told.
        rate: a pattern with the group `rate`, one number or several with commas, and `name` where the log names it.
        skipped: a pattern with one group: how many optimizer steps were skipped.
        cumulative: whether it counts those since the start of the run, not since the last line.
        named: what the log calls the rate.
        must: a text that every line with a rate has, to look at others only briefly.
    """

    name: str
    position: str
    rate: str
    skipped: str = ""
    cumulative: bool = False
    named: str = "lr"
    must: str = "lr"


_NUMBER = r"[-+.\w]+"
_BEFORE = r"[\"']?+\s*+(?:[=:]\s*+)?+(?:[\"'\[(]\s*+)?+"
"""Between a name and its number. Nothing here and below backtracks over a run of spaces: lines may mean harm."""
_ANY_RATE = rf"(?i)\b(?P<name>lr|learning[ _]rate)\b{_BEFORE}(?P<rate>[-+]?[.\d]{_NUMBER})"

ANY_TEXT = ("text with a step and a rate", "text with an epoch and a rate")

COLUMNS = (
    Columns("kosine history", ("schedule", "step", "rate"), rates="rate", group="schedule"),
    Columns("kosine history", ("step", "rate"), rates="rate"),
    Columns("YOLO results.csv", ("epoch", r"x/lr0|lr/pg0"), rates=r"x/lr\d+|lr/pg\d+"),
    Columns("Weights & Biases export", (r".*__(?:MIN|MAX)",)),
    Columns("Weights & Biases history", ("_step", "_(?:runtime|timestamp)")),
    Columns("Lightning CSVLogger", ("step", r"lr-.+"), rates=r"lr-.+"),
    Columns("timm summary.csv", ("epoch", "train_loss", "eval_.+", "lr")),
    Columns("LLaMA-Factory trainer_log.jsonl", ("current_steps",), total="total_steps"),
    Columns("mmcv JSON log", ("mode", "epoch", "iter", "lr"), rates="lr", only=("mode", "train"), decimals=5),
    Columns("mmengine JSON log", ("step", "iter", "lr"), rates="(?:base_)?lr"),
    Columns("detectron2 metrics.json", ("iteration", "lr"), rates="lr"),
    Columns("DeiT or MAE log.txt", ("train_lr", "epoch")),
    Columns("Hugging Face log history", ("step", "epoch", "learning_rate", "loss|grad_norm|eval_.+")),
    Columns("Keras log", ("epoch", "lr|learning_rate", "loss|val_loss")),
    Columns("table with a position and a rate"),
)
"""Looked at in this order: the first whose columns are all there says how to read the rows."""

LINES = (
    Lines(
        "Megatron-LM output",
        r"iteration\s+(?P<step>\d+)\s*/\s*(?P<total>\d+)",
        rf"(?<!decoupled )learning rate:\s*(?P<rate>{_NUMBER})",
        skipped=r"number of skipped iterations:\s*(\d+)",
        named="learning rate",
        must="learning rate:",
    ),
    Lines(
        "DeepSpeed output",
        r"\bstep=(?P<step>\d+)",
        r"\blr=\[(?P<rate>[^\[\]]*+)\]",
        skipped=r"\bskipped=(\d+)",
        cumulative=True,
    ),
    Lines("llm.c main.log", r"^s:(?P<step>\d+) trl:", rf"\blr:(?P<rate>{_NUMBER})"),
    Lines("llm.c output", r"^step\s+(?P<step>\d+)/(?P<total>\d+) \|", rf"\| lr (?P<rate>{_NUMBER})"),
    Lines("BasicSR log", r"\biter:\s*(?P<step>\d[\d,]*),", r"\blr:\((?P<rate>[^()]*+)\)"),
    Lines(
        "ESPnet log, batches",
        r"\b(?P<epoch>\d+)epoch:train:(?P<since>\d+)-(?P<batch>\d+)batch:",
        rf"\b(?P<name>optim\d+_lr\d+)=(?P<rate>{_NUMBER})",
    ),
    Lines(
        "ESPnet log, epochs",
        r"\b(?P<epoch>\d+)epoch results: \[train\]",
        rf"\b(?P<name>optim\d+_lr\d+)=(?P<rate>{_NUMBER})",
    ),
    Lines(
        "mmengine log",
        r"\bEpoch\(train\)\s+\[(?P<epoch>\d+)\]\[\s*(?P<batch>\d+)/(?P<of>\d+)\]"
        r"|\bIter\(train\) \[\s*(?P<step>\d+)/\s*(?P<total>\d+)\]",
        rf"(?<!\w)lr: (?P<rate>{_NUMBER})",
    ),
    Lines(
        ANY_TEXT[0],
        r"(?i)\b(?:global_?step|current_steps|num_updates|steps?|iteration|iter)\b"
        rf"{_BEFORE}(?P<step>\d[\d,]*)",
        _ANY_RATE,
        must="",
    ),
    Lines(
        ANY_TEXT[1],
        rf"(?i)\bepoch\b{_BEFORE}(?P<epoch>\d+(?:\.\d+)?)",  # such as what the HF Trainer prints
        _ANY_RATE,
        must="",
    ),
)
"""Tried in this order on every line until one fits; from then on the log is of that kind. The last ones give way."""


def looked_for() -> str:
    """The known kinds as a sentence's end."""
    names = dict.fromkeys(
        ["Keras History JSON", "TensorBoard event files", *(kind.name for kind in (*COLUMNS, *LINES))]
    )
    return ", ".join(names)


def plain(column: str) -> str:
    """A column as it is compared."""
    return column.strip().lower()


def kind_of(columns: Iterable[str]) -> Columns | None:
    """The first kind whose columns are all there, a rate and a position among them."""
    names = [plain(column) for column in columns if len(column) <= _LONGEST]
    for kind in COLUMNS:
        if all(any(re.fullmatch(pattern, name, re.IGNORECASE) for name in names) for pattern in kind.has) and (
            rate_columns(names, kind.rates) and any(position_columns(names))
        ):
            return kind
    return None


def rate_columns(columns: Iterable[str], pattern: str = _RATE) -> list[str]:
    """The columns with rates, the likeliest first."""
    found = []
    for column in columns:
        name = plain(column).rpartition(" - ")[2]  # Weights & Biases puts the name of the run before
        if len(column) <= _LONGEST and re.fullmatch(pattern, name, re.IGNORECASE) and not _OTHER.search(name):
            found.append(column)
    places = {name: place for place, name in enumerate(_RATES)}
    return sorted(found, key=lambda column: places.get(plain(column), len(places)))


def position_columns(columns: Iterable[str]) -> tuple[str | None, str | None]:
    """The column that counts steps and the one that counts epochs; None for one that is not there."""
    names = list(columns)
    step, epoch = _named(names, _STEPS), _named(names, _EPOCHS)
    return (step, epoch) if step is not None or epoch is not None else (_named(names[:1], _INDEX), None)


def axis_of(column: str) -> str:
    """What a column counts, by its name."""
    name = plain(column)
    return next((axis for axis in ("epoch", "sample", "token") if axis in name), "step")


def _named(columns: list[str], names: tuple[str, ...]) -> str | None:
    found: dict[str, str] = {}
    for column in columns:
        whole = plain(column)
        found.setdefault(whole, column)
        found.setdefault(whole.rpartition("/")[2], column)
    return next((found[name] for name in names if name in found), None)
