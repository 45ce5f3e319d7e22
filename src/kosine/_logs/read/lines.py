"""A file line by line: each line is of some kind, and the kind with the most rows is the log's."""

from __future__ import annotations

import re

from kosine._logs.read.columns import ColumnChoice, LossChoice
from kosine._logs.read.json_records import RecordReader, object_of
from kosine._logs.read.reading import Reading
from kosine._logs.read.text_lines import LONGEST_LINE, LOSS_WORDS, TextKind, kinds_behind, text_kinds
from kosine._logs.remark import Remark

_COLOURS = re.compile(rb"\x1b\[[0-9;]{0,20}[A-Za-z]|\x08")  # and what progress bars go back with
_PREFIXED = re.compile(r"[^{}'|]{0,100}?\w: (?=\{\")")  # such as `json_stats: {"lr": 0.1}`
_LONGEST_BEFORE = 2000  # characters of a line that places those behind it
_OPTION = re.compile(
    r"\b(?:batch_size|weight_decay|momentum|num_(?:workers|epochs?)|\w*_dir|seed|optimizer|dataset|device|config)"
    r"['\"]?\s{0,4}[=:]"
)
_MANY_OPTIONS = 3
_RATE_WORDS = ("lr", "learning", "l.r.", " rate,")  # of lines with a rate
_PLACE = re.compile(r"(?:^|[^\w\s])\s{0,20}(?:epoch|step|iter)")  # not "gradient accumulation steps: 32"
_PLACE_WORDS = ("epoch", "step", "iter")  # of lines with a position


def _with_words(piece: bytes, text: bytes, lines: list[bytes], words: tuple[bytes, ...]) -> list[bytes]:
    """The lines of a piece that have one of the words, in small letters: long stretches without any cost little.

    Where more than a quarter of the lines have one, all lines are returned: to look further takes longer.

    Args:
        piece: the lines.
        text: the end of a line and the piece in small letters.
        lines: of the piece.
        words: in small letters.
    """
    ends = set()
    for word in words:
        at = text.find(word)
        while at >= 0:
            end = text.find(b"\n", at + 1)
            ends.add(end)
            if 4 * len(ends) > len(lines):
                return lines
            at = text.find(word, end)
    return [piece[piece.rfind(b"\n", 0, end - 1) + 1 : end - 1] for end in sorted(ends)]


def _are_options(text: str) -> bool:
    """Whether a line has the options of a run rather than a row of it."""
    return "Namespace(" in text or len(set(_OPTION.findall(text))) >= _MANY_OPTIONS


class LineKinds:
    """The kinds of lines that have values of one sort: rates, or losses. The rows of each kind are apart.

    Attributes:
        records: the objects.
        words: texts in small letters, of which each line has one that may say something.
        words_of_values: those of which each line with a value has one.
    """

    def __init__(self, choice: ColumnChoice) -> None:
        self.records = RecordReader(choice)
        self._asked = choice.value_column
        self._places_losses = isinstance(choice, LossChoice)
        self._values = LOSS_WORDS if self._places_losses else _RATE_WORDS
        texts = text_kinds(choice)
        self._contexts = [kind for kind in texts if kind.context_marker]
        self._latest: TextKind | None = None
        self._texts, self._behind = texts, kinds_behind(choice)
        self._before = {"epoch": "", "step": ""}
        words = [*self._values, *_PLACE_WORDS, *(kind.context_marker for kind in self._contexts)]
        words += [] if self._asked is None else [self._asked]
        small = [b"\n{", *(word.encode().lower() for word in words)]
        asked = None if self._asked is None else self._asked.encode().lower()
        self.words_of_values = tuple(word.encode() for word in self._values) if asked is None else (asked,)
        self.words = tuple(word for word in small if not any(other != word and other in word for other in small))

    def see(self, line: str) -> bool:
        """Read what a line says, a row or the position of rows behind it; whether it is an object after a word."""
        latest = self._latest
        if latest is not None and latest.marker in line and latest.see_and_read(line):
            self._remember_row(line)
            return False
        for kind in self._contexts:
            if kind.context_marker in line:
                kind.see(line)
        low, asked = line.lower(), self._asked
        if asked in line if asked is not None else any(word in low for word in self._values):
            return self._read(line)
        if self._places_losses and not _PLACE.search(low):
            return False
        if "epoch" in low:
            self._before["epoch"] = line[:_LONGEST_BEFORE]
        elif "step" in low or "iter" in low:
            self._before["step"] = line[:_LONGEST_BEFORE]
        return False

    def _remember_row(self, line: str) -> None:
        """Remember a row, which places a loss that stands on the next lines, as evaluations are printed."""
        if self._places_losses:
            self._before = {"epoch": "", "step": line[:_LONGEST_BEFORE]}

    def _read(self, text: str) -> bool:
        """Read a line that may have a value; whether it is an object after a word."""
        if '{"' in text:
            prefixed = _PREFIXED.match(text)
            record = None if prefixed is None else object_of(text[prefixed.end() :])
            if record is not None:
                self.records.record(record)
                return True
        for kind in self._texts:
            if kind.marker in text and not (kind.is_any and _are_options(text)) and kind.read(text):
                if not kind.is_any:
                    self._latest = kind
                if kind.lines == 1:
                    self._share()
                self._remember_row(text)
                return False
        before = " | ".join(filter(None, self._before.values()))
        if before and not _are_options(text):
            start = len(before) + len(" | ")
            any(kind.read(f"{before} | {text}", start) for kind in self._behind)
        return False

    def _share(self) -> None:
        """Let kinds that have rows share the memory."""
        for kind in self._kinds():
            kind.found.sharers = len(self._kinds())

    @property
    def count(self) -> int:
        """The rows of all kinds."""
        return sum(kind.lines for kind in self._kinds())

    def readings(self) -> list[Reading]:
        """The rows of each kind: the one with the most first; of equal ones, the one that is listed first."""
        kinds = sorted(self._kinds(), key=lambda kind: -kind.lines)
        return [reading for kind in kinds or [self.records] for reading in kind.readings()]

    def left_out(self) -> list[Remark]:
        """What to say of the rows of all kinds but the one with the most."""
        kinds = sorted(self._kinds(), key=lambda kind: -kind.lines)
        counts: dict[str, int] = {}
        for kind in kinds[1:]:
            if kind not in self._behind:  # which may be anything
                counts[kind.name] = counts.get(kind.name, 0) + kind.lines
        if not counts:
            return []
        each = [f"{count:,} {'row' if count == 1 else 'rows'} of {name}" for name, count in counts.items()]
        text = f"{' and '.join(each)} {'is' if sum(counts.values()) == 1 else 'are'} left out."
        return [Remark("other kinds", sum(counts.values()), text)]

    def _kinds(self) -> list[RecordReader | TextKind]:
        kinds: list[RecordReader | TextKind] = [self.records, *self._texts, *self._behind]
        return [kind for kind in kinds if kind.lines]


class LineReader:
    """Reads JSON objects and text.

    Args:
        values: takes the lines.
        losses: takes those from the first one on that has a word of a loss; None where no losses are read.
    """

    def __init__(self, values: LineKinds, losses: LineKinds | None = None) -> None:
        self._values, self._losses = values, losses
        self._all = [values]
        self._lines = self._objects = 0
        self._words = values.words

    def read(self, piece: bytes) -> None:
        """Read a row from each line of a piece that has one."""
        if b"\x1b" in piece or b"\x08" in piece:
            piece = _COLOURS.sub(b"", piece)
        lines = piece.split(b"\n")
        lines.pop()  # what is behind the last end of a line
        self._lines += len(lines) - lines.count(b"")
        text = b"\n" + piece.lower()
        if self._losses is not None and any(word in text for word in self._losses.words_of_values):
            self._all.append(self._losses)
            self._words = tuple({*self._words, *self._losses.words})
            self._losses = None
        for line in _with_words(piece, text, lines, self._words):
            self._see(line.decode("utf-8", "replace"))

    def _see(self, line: str) -> None:
        """Read what a line says."""
        if line.startswith("{"):
            record = object_of(line)
            if record is not None:
                self._objects += 1
                for kinds in self._all:
                    kinds.records.record(record)
                return
        line = line[:LONGEST_LINE]
        self._objects += self._values.see(line)
        for kinds in self._all[1:]:
            kinds.see(line)

    @property
    def others(self) -> int:
        """Lines that are not empty and not an object."""
        return self._lines - self._objects
