"""Text: lines with a position and a rate among other words and numbers."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from math import isfinite

from kosine._logs.read.collect import GroupCollection, number
from kosine._logs.read.columns import ColumnChoice, LossChoice
from kosine._logs.read.known_formats import axis_of
from kosine._logs.read.loss_names import loss_kind, says_its_set
from kosine._logs.read.reading import Reading, counted
from kosine._logs.read.rounded_epochs import PrintedEpochs
from kosine._logs.read.text_formats import ANY_LOSS, ANY_TEXT, LOSS_FORMATS, TEXT_BEHIND, TEXT_FORMATS, TextFormat
from kosine._logs.remark import Axis

LONGEST_LINE = 1 << 16
"""Characters of a line that are looked at."""
LOSS_WORDS = ("loss", " trl:", " tel:", " cost ", "[valid]")
"""Texts in small letters, of which each line with a loss has one."""
_SETS = "train(?:ing)?|val(?:id(?:ation)?|idate|i)?|eval(?:uation|uate)?|dev|cv|test(?:ing)?"
_HEADING = re.compile(
    rf"(?i)(?<![\w/.])({_SETS})(?: (?:set|epoch|step|batch|iter\w{{0,6}}|phase|results?|metrics?)\b)?"
    rf"(?:\s{{1,4}}#?\d{{1,12}})?\s{{0,4}}[:\])|>]|^\W{{0,20}}({_SETS})\b"
)
_MOST_LOSSES = 64  # of a line
_LONGEST_NAME = 80
_BEFORE_LOSS = re.compile(r"(?i)(?<![\w/.-])(?:[a-z][\w/.-]{0,30} )?[\w/.-]{0,40}\Z")
_NUMBERED = re.compile(r"(?i)(?:step|batch|iter)\w{0,6}\W{0,4}\d|\d\s{0,8}/\s{0,8}\d")
_OF_EPOCHS = re.compile(r"(?i)epochs?\W{0,4}\d{1,9}\s{0,8}/\s{0,8}\d")
_LONGEST_HEADED = 2000  # characters before a loss
_NOISE = frozenset(("info", "debug", "warning", "and", "with", "got", "current"))
_MOST_PAIRS = 1 << 16
_DIGITS = 18  # of an integer that fits into 64 bits
Groups = Mapping[str, str | None]
_BETWEEN = r"[\"']?+\s*+(?:[=:]\s*+)?+[\"'\[(]*+\s*+"  # no backtracking over a run of spaces


class TextKind:
    """The rows of the lines that have one format, as long as the file is read."""

    def __init__(self, known: TextFormat, choice: ColumnChoice) -> None:
        asked = _asked(known, choice)
        self.name = known.name
        self.is_any = known.name in ANY_TEXT
        self.marker = known.marker
        self.context_marker = known.context_marker
        self.found = GroupCollection(of_losses=choice.of_losses)
        self.lines = 0
        self._known = known
        self._position, self._rate = re.compile(asked.position), re.compile(asked.rate)
        self._context = re.compile(known.context) if known.context else None
        self._epoch = re.compile(known.epoch) if known.epoch and choice.step_column is None else None
        self._rate_name, self._names = asked.rate_name, "(?P<name>" in asked.rate
        self._axis: Axis = axis_of(choice.step_column) if choice.step_column is not None else _axis(known)
        self._count_rows = choice.count_rows
        self._said: Groups = {}
        self._skips = Skips(known) if known.skipped else None
        self._lengths = RunLengths(choice.step_column is None)
        self._turns = Turns() if known.models else None
        rounded = known.epoch_decimals is not None or known.epoch_digits is not None
        self._epochs = PrintedEpochs(known.epoch_decimals, known.epoch_digits) if rounded else None

    def see(self, text: str) -> None:
        """Remember what a line says of the position of those that come after it."""
        where = None if self._context is None else self._context.search(text)
        if where is not None:
            self._said = where.groupdict()
            if self._epochs is not None:
                self._epochs.see_bar(self._said.get("bar"), self._said.get("total"))

    def see_and_read(self, text: str) -> bool:
        """Read a line that may also say the position, such as a progress bar with a row behind it."""
        if self.context_marker and self.context_marker in text:
            self.see(text)
        return self.read(text)

    def read(self, text: str, start: int = 0) -> bool:
        """Whether the line has this format; its rows are added then. Values are looked for from `start` on."""
        groups = {"step": str(self.lines)} if self._count_rows else self._groups(text)
        first = groups.get("step") or groups.get("batch") or groups.get("epoch")
        if first is None:
            return False
        rates = self._values(text, groups, start)
        if not rates:
            return False
        self._row(groups, first, rates, text)
        return True

    def _values(self, text: str, groups: Groups, start: int = 0) -> list[tuple[str, str]]:
        """The values of a line and their names."""
        found = self._rate.finditer(text, start)
        return [(rate["rate"], rate["name"] if self._names else self._rate_name) for rate in found]

    def _groups(self, text: str) -> Groups:
        """What the line, and those before it, say of its position."""
        where = self._position.search(text)
        if where is None:
            return {}
        groups = {**self._said, **where.groupdict()} if self._said else where.groupdict()
        epoch = None if self._epoch is None else self._epoch.search(text)
        return groups if epoch is None else {**epoch.groupdict(), **groups}

    def _row(self, groups: Groups, first: str, rates: list[tuple[str, str]], text: str) -> None:
        position = number(first.replace(",", ""))
        epoch, anew = None, False
        if groups.get("step"):
            epoch = groups.get("epoch")
        elif groups.get("batch"):
            epoch, anew = groups.get("epoch"), True
            position = (position + number(groups.get("since") or position)) / 2
        turn = "" if self._turns is None else self._turns.name(position, rates[0][0])
        rows = list(_rows(rates))
        for name, value in rows:
            self.found.row(turn + name, position, value, epoch, anew)
        if not isfinite(position) or not any(isfinite(number(value)) for _, value in rows):
            return
        self.lines += 1
        self._lengths.see(groups)
        if self._skips is not None:
            self._skips.see(text, position)
        if self._epochs is not None:
            self._epochs.see(first, groups.get("bar"))

    def readings(self) -> list[Reading]:
        """What the lines of this format say of the run."""
        lengths = self._lengths
        reading = Reading(
            format=self.name,
            found=self.found,
            axis=self._axis,
            total=lengths.total,
            skipped=() if self._skips is None else self._skips.pairs,
            batches=lengths.batches,
            last_batch=lengths.last_batch,
            epochs=lengths.epochs,
            epochs_from=self._known.epochs_from,
            redrawn=self._known.redrawn,
            printed=self._epochs,
            turns=1 if self._turns is None else self._turns.most,
            counts_rows=self._count_rows,
            remarks=[counted(self.lines, self._axis)] if self._count_rows else [],
        )
        return [reading]


class LossTextKind(TextKind):
    """The rows of the lines of one format, of losses as a whole."""

    def __init__(self, known: TextFormat, choice: ColumnChoice) -> None:
        super().__init__(known, choice)
        self._asked = choice.value_column is not None
        self._fixed = known.rate != ANY_LOSS
        self._bars = known.redrawn and "(?P<batch>" in known.position

    def _values(self, text: str, groups: Groups, start: int = 0) -> list[tuple[str, str]]:
        """The first value of each name; of a name that does not say of which set, a heading before it does."""
        if self._asked:
            return super()._values(text, groups, start)
        found: dict[str, str] = {}
        for loss in islice(self._rate.finditer(text, start), _MOST_LOSSES):
            said = loss["name"] if self._names else self._rate_name if self._fixed else _said(text, loss, start)
            before = text[max(loss.start("rate") - _LONGEST_HEADED, start) : loss.start("rate")]
            name = self._name_of(said, before, groups) if "loss" in said.lower() else said
            if name:
                found.setdefault(name, loss["rate"])
        return [(value, name) for name, value in found.items()]

    def _name_of(self, said: str, before: str, groups: Groups) -> str:
        """The name of a loss as a whole, with the set that it is of; empty for anything else.

        Args:
            said: what the line calls it, with a word before it.
            before: the line up to its value.
            groups: the position of the line.
        """
        name = _whole_name(said)
        kind = None if name is None else loss_kind(name)
        if name is None or kind is None or (kind == "validation" and self._bars):  # a bar repeats the last one
            return ""
        heading, behind = ("", "") if says_its_set(name) else _heading(before)
        of = loss_kind(f"{heading} loss")
        if of == "validation":
            return "" if _by_batch(groups, behind) else f"{heading} {name}"
        return name if of == "training" else ""


def _said(text: str, loss: re.Match[str], start: int) -> str:
    """What a line calls a loss, with a word before it."""
    before = _BEFORE_LOSS.search(text[max(loss.start() - _LONGEST_NAME, start) : loss.start()])
    return f"{before[0] if before else ''}{loss[0][: loss.end('tail') - loss.start()]}"


@lru_cache(maxsize=4096)
def _whole_name(name: str) -> str | None:
    """The name without a word before it that only begins the line; None where it is not that of a whole loss."""
    before, _, last = name.rpartition(" ")
    for one in (name, last) if before.lower() in _NOISE else (name,):
        if loss_kind(one) is not None:
            return one
    return None


def _heading(text: str) -> tuple[str, str]:
    """The word for a set that begins a line, or a part of it, such as "Test: " or "[valid]", and the text behind it."""
    low = text.lower()
    if not any(word in low for word in ("train", "val", "eval", "test", "dev", "cv")):
        return "", ""
    heading = deque(_HEADING.finditer(text), maxlen=1)
    return ((heading[0][1] or heading[0][2]).lower(), text[heading[0].start() :]) if heading else ("", "")


def _by_batch(groups: Groups, behind: str) -> bool:
    """Whether a row of a validation set is about one of its batches, whose number is not that of a step."""
    numbered = _NUMBERED.search(_OF_EPOCHS.sub("", behind)) is not None
    return bool(groups.get("batch")) or (numbered and bool(groups.get("epoch") or groups.get("of")))


def _rows(rates: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The names and the rates of a line, of which one may be a list."""
    for text, name in rates:
        if "," not in text:
            yield name, text
            continue
        values = [value.strip() for value in text.split(",") if value.strip()]
        for place, value in enumerate(values):
            yield f"{name}[{place}]" if len(values) > 1 else name, value


def text_kinds(choice: ColumnChoice) -> list[TextKind]:
    """A reader for each format that is known; where rows are counted, a position tells none of them apart."""
    kind, formats = _formats(choice)
    if choice.count_rows:
        known = next(known for known in formats if known.name == ANY_TEXT[0])
        return [kind(replace(known, name="text with a rate", epoch=""), choice)]
    return [kind(known, choice) for known in formats]


def kinds_behind(choice: ColumnChoice) -> list[TextKind]:
    """Readers for lines whose position is in a line before them."""
    if choice.count_rows:
        return []
    kind, formats = _formats(choice)
    return [kind(replace(known, name=TEXT_BEHIND), choice) for known in formats if known.name in ANY_TEXT]


def _formats(choice: ColumnChoice) -> tuple[type[TextKind], Sequence[TextFormat]]:
    """What reads the lines, and the formats of those that have the values which are looked for."""
    if not isinstance(choice, LossChoice):
        return TextKind, TEXT_FORMATS
    with_losses = [
        replace(known, rate=known.loss or ANY_LOSS, marker="" if known.loss else known.marker, skipped="", models=False)
        for known in TEXT_FORMATS
        if known.position != "^" or known.loss
    ]
    return LossTextKind, [*LOSS_FORMATS, *with_losses]


def _axis(known: TextFormat) -> Axis:
    patterns = known.position + known.context
    return "step" if "(?P<step>" in patterns or "(?P<batch>" in patterns else "epoch"


def _asked(known: TextFormat, choice: ColumnChoice) -> TextFormat:
    """The format with the words that were asked for in place of its own."""
    position, rate = choice.step_column, choice.value_column
    if position is not None:
        known = replace(known, position=rf"(?<!\w){re.escape(position)}{_BETWEEN}(?P<step>\d[\d,]*)")
    if rate is not None:
        named = rf"(?<!\w){re.escape(rate)}{_BETWEEN}(?P<rate>[-+]?[.\d][-+.\w]*)"
        known = replace(known, rate=named, rate_name=rate)
    return known


class RunLengths:
    """What a log says of the length of the run and of its epochs."""

    def __init__(self, counts: bool) -> None:
        self._counts = counts  # whether the totals are in the unit of the positions
        self.epochs: int | None = None
        self.last_batch: int | None = None
        self._total: int | None = None
        self._of: dict[str, int] = {}
        self._seen: dict[str, str] = {}
        self._changes = 0  # of the epoch

    def see(self, groups: Groups) -> None:
        for name, value in groups.items():
            if value is not None and self._seen.get(name) != value:
                self._seen[name] = value
                self._take(name, value.replace(",", ""), groups)
        of = groups.get("of")
        if of is not None and (len(self._of) < 64 or of in self._of):
            self._of[of] = self._of.get(of, 0) + 1

    def _take(self, name: str, value: str, groups: Groups) -> None:
        """Take in a number that differs from that of the line before."""
        if not value.isdecimal() or len(value) >= _DIGITS:
            return
        if name == "epoch":
            self._changes += 1
        elif name == "total" and self._counts:
            self._total = int(value)
        elif name == "epochs" and self._counts:
            self.epochs = int(value)
        elif name == "batch" and "since" in groups:  # the last mean of an epoch ends with its last batch
            self.last_batch = max(self.last_batch or 1, int(value))

    @property
    def total(self) -> int | None:
        """The steps of the run, if they are not counted anew in each epoch."""
        if self._total is None and len(self._of) == 1 and self._changes != 1 and self._counts:
            return self.batches[0] if self.batches else None
        return self._total

    @property
    def batches(self) -> tuple[int, ...]:
        """The batches of an epoch, those that most rows name first."""
        counts = {int(of): count for of, count in self._of.items() if len(of) < _DIGITS and int(of)}
        return tuple(sorted(counts, key=lambda of: -counts[of]))


class Skips:
    """Where optimizer steps were skipped, as the log says, and how many since the place before."""

    def __init__(self, known: TextFormat) -> None:
        self._pattern = re.compile(known.skipped)
        self._since_start = known.since_start
        self._counts: dict[int, int] = {}

    def see(self, text: str, position: float) -> None:
        """Look for the count of a row; 0 matters only where it corrects a row before at the same place."""
        skipped = self._pattern.search(text)
        if skipped is None or len(skipped[1]) >= _DIGITS or position >= 10**_DIGITS:
            return
        place, count = int(position), int(skipped[1])
        if count or place in self._counts:
            if len(self._counts) >= _MOST_PAIRS and place not in self._counts:
                count += 0 if self._since_start else self._counts.pop(max(self._counts))
            self._counts[place] = count

    @property
    def pairs(self) -> list[tuple[int, int]]:
        pairs = sorted(self._counts.items())
        if self._since_start:
            before = [0, *(count for _, count in pairs)]
            pairs = [(place, count - last) for (place, count), last in zip(pairs, before, strict=False)]
        return [(place, count) for place, count in pairs if count > 0]


class Turns:
    """Models that are trained together and write the same steps one after the other."""

    def __init__(self) -> None:
        self._at = float("nan")
        self._rates: list[str] = []
        self.most = 1

    def name(self, position: float, rate: str) -> str:
        """What to put before the name of a rate: nothing for the first model."""
        if position != self._at:
            self._at, self._rates = position, []
        if rate not in self._rates and len(self._rates) < 8:
            self._rates.append(rate)
        turn = self._rates.index(rate) + 1 if rate in self._rates else 8
        self.most = max(self.most, turn)
        return f"model {turn}: " if turn > 1 else ""
