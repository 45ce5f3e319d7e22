"""A file line by line: each line is of some kind, and the kind with the most rows is the log's."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kosine._logs.read.columns import ColumnChoice
from kosine._logs.read.json_records import RecordReader
from kosine._logs.read.reading import Reading
from kosine._logs.read.text_lines import LONGEST_LINE, TextKind, kinds_behind, text_kinds
from kosine._logs.trace import Remark

_COLOURS = re.compile(rb"\x1b\[[0-9;]{0,20}[A-Za-z]|\x08")  # and what progress bars go back with
_PREFIXED = re.compile(r"[^{}'|]{0,100}?\w: (?=\{\")")  # such as `json_stats: {"lr": 0.1}`
_LONGEST_BEFORE = 2000  # characters of a line that places those behind it
_OPTION = re.compile(
    r"\b(?:batch_size|weight_decay|momentum|num_(?:workers|epochs?)|\w*_dir|seed|optimizer|dataset|device|config)"
    r"['\"]?\s{0,4}[=:]"
)
_MANY_OPTIONS = 3
_WORDS = ("lr", "learning", "l.r.", " rate,", "epoch", "step", "iter")  # of lines with a rate or a position


def _with_words(piece: bytes, lines: list[bytes], words: tuple[bytes, ...]) -> list[bytes]:
    """The lines of a piece that have one of the words, in small letters: long stretches without any cost little.

    Where more than a quarter of the lines have one, all lines are returned: to look further takes longer.
    """
    text = b"\n" + piece.lower()
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


class LineReader:
    """Reads JSON objects and text, and keeps the rows of each kind apart."""

    def __init__(self, choice: ColumnChoice) -> None:
        self._choice = choice
        self.records = RecordReader(choice)
        self._texts = text_kinds(choice)
        self._contexts = [kind for kind in self._texts if kind.context_marker]
        self._latest: TextKind | None = None
        self._behind = kinds_behind(choice)
        self._before = {"epoch": "", "step": ""}
        self._lines = self._objects = 0
        words = [*_WORDS, *(kind.context_marker for kind in self._contexts)]
        words += [] if choice.rate_column is None else [choice.rate_column]
        small = [b"\n{", *(word.encode().lower() for word in words)]
        self._words = tuple(word for word in small if not any(other != word and other in word for other in small))

    def read(self, pieces: Iterable[bytes]) -> None:
        """Read a row from each line that has one."""
        for piece in pieces:
            if b"\x1b" in piece or b"\x08" in piece:
                piece = _COLOURS.sub(b"", piece)
            lines = piece.split(b"\n")
            lines.pop()  # what is behind the last end of a line
            self._lines += len(lines) - lines.count(b"")
            for line in _with_words(piece, lines, self._words):
                self._see_line(line.decode("utf-8", "replace"))

    def _see_line(self, line: str) -> None:
        """Read what a line says: a row, or the position of rows behind it."""
        if line.startswith("{") and self.records.read_line(line):
            self._objects += 1
            return
        line, latest = line[:LONGEST_LINE], self._latest
        if latest is not None and latest.marker in line and latest.see_and_read(line):
            return
        for kind in self._contexts:
            if kind.context_marker in line:
                kind.see(line)
        low, asked = line.lower(), self._choice.rate_column
        if asked in line if asked is not None else "lr" in low or "learning" in low or "l.r." in low or " rate," in low:
            self._objects += self._read_line(line)
        elif "epoch" in low:
            self._before["epoch"] = line[:_LONGEST_BEFORE]
        elif "step" in low or "iter" in low:
            self._before["step"] = line[:_LONGEST_BEFORE]

    def _read_line(self, text: str) -> bool:
        """Read a line that may have a rate; whether it is an object after a word."""
        if '{"' in text:
            prefixed = _PREFIXED.match(text)
            if prefixed is not None and self.records.read_line(text[prefixed.end() :]):
                return True
        for kind in self._texts:
            if kind.marker in text and not (kind.is_any and _are_options(text)) and kind.read(text):
                if not kind.is_any:
                    self._latest = kind
                if kind.lines == 1:
                    self._share()
                return False
        before = " | ".join(filter(None, self._before.values()))
        if before and not _are_options(text):
            any(kind.read(f"{before} | {text}") for kind in self._behind)
        return False

    def _share(self) -> None:
        """Let kinds that have rows share the memory."""
        for kind in self._kinds():
            kind.found.sharers = len(self._kinds())

    @property
    def others(self) -> int:
        """Lines that are not empty and not an object."""
        return self._lines - self._objects

    @property
    def count(self) -> int:
        """The rows of all kinds."""
        return sum(kind.lines for kind in self._kinds())

    def best(self) -> Reading:
        """The kind with the most rows; of equal ones, the one that is listed first."""
        return max(self._kinds(), key=lambda kind: kind.lines, default=self.records).reading()

    def left_out(self) -> list[Remark]:
        """What to say of the rows of other kinds."""
        kinds = self._kinds()
        if len(kinds) < 2:
            return []
        best = max(kinds, key=lambda kind: kind.lines)
        counts: dict[str, int] = {}
        for kind in kinds:
            if kind is not best and kind not in self._behind:  # which may be anything
                counts[kind.name] = counts.get(kind.name, 0) + kind.lines
        if not counts:
            return []
        each = [f"{count:,} {'row' if count == 1 else 'rows'} of {name}" for name, count in counts.items()]
        text = f"{' and '.join(each)} {'is' if sum(counts.values()) == 1 else 'are'} left out."
        return [Remark("other kinds", sum(counts.values()), text)]

    def _kinds(self) -> list[RecordReader | TextKind]:
        kinds: list[RecordReader | TextKind] = [self.records, *self._texts, *self._behind]
        return [kind for kind in kinds if kind.lines]
