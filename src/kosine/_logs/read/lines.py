"""A file line by line: each line is of some kind, and the kind with the most rows is the log's."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kosine._logs.read.columns import ColumnChoice
from kosine._logs.read.json_records import RecordReader
from kosine._logs.read.reading import Reading
from kosine._logs.read.stream import decoded
from kosine._logs.read.text_lines import LONGEST_LINE, TextKind, text_kinds
from kosine._logs.trace import Remark

_COLOURS = re.compile(rb"\x1b\[[0-9;]{0,20}[A-Za-z]|\x08")  # and what progress bars go back with
_PREFIXED = re.compile(r"[^{}'|]{0,100}?\w: (?=\{\")")  # such as `json_stats: {"lr": 0.1}`
_OPTIONS = re.compile(r"\bNamespace\(|\bargs:|^\s*\{?'?(?:args|config)'?:")  # of a run, not a row of it


class LineReader:
    """Reads JSON objects and text, and keeps the rows of each kind apart."""

    def __init__(self, choice: ColumnChoice) -> None:
        self._choice = choice
        self.records = RecordReader(choice)
        self._texts = text_kinds(choice)
        self._contexts = [kind for kind in self._texts if kind.context_marker]
        self._latest: TextKind | None = None
        self.others = 0
        """Lines that are not blank and not an object."""

    def read(self, pieces: Iterable[bytes]) -> None:
        """Read a row from each line that has one."""
        for piece in pieces:
            if b"\x1b" in piece or b"\x08" in piece:
                piece = _COLOURS.sub(b"", piece)
            for line in decoded(piece):
                if line.startswith("{") and self.records.read_line(line):
                    continue
                self.others += bool(line) and not line.isspace()
                self._read_text(line if len(line) <= LONGEST_LINE else line[:LONGEST_LINE])

    def _read_text(self, text: str) -> None:
        for kind in self._contexts:
            if kind.context_marker in text:
                kind.see(text)
        if not self._may_have_rate(text):
            return
        if '{"' in text and not text.startswith("{"):
            prefixed = _PREFIXED.match(text)
            if prefixed is not None and self.records.read_line(text[prefixed.end() :]):
                self.others -= 1
                return
        if _OPTIONS.search(text):
            return
        latest = self._latest
        if latest is not None and latest.marker in text and latest.read(text):
            return
        for kind in self._texts:
            if kind.marker in text and kind.read(text):
                if not kind.is_any:
                    self._latest = kind
                if kind.lines == 1:
                    self._share()
                return

    def _may_have_rate(self, text: str) -> bool:
        if self._choice.rate_column is not None:
            return self._choice.rate_column in text
        low = text.lower()
        return "lr" in low or "learning" in low or "l.r." in low

    def _share(self) -> None:
        """Let kinds that have rows share the memory."""
        for kind in self._kinds():
            kind.found.sharers = len(self._kinds())

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
            if kind is not best:
                counts[kind.name] = counts.get(kind.name, 0) + kind.lines
        each = [f"{count:,} {'row' if count == 1 else 'rows'} of {name}" for name, count in counts.items()]
        text = f"{' and '.join(each)} {'is' if sum(counts.values()) == 1 else 'are'} left out."
        return [Remark("other kinds", sum(counts.values()), text)]

    def _kinds(self) -> list[RecordReader | TextKind]:
        kinds: list[RecordReader | TextKind] = [self.records, *self._texts]
        return [kind for kind in kinds if kind.lines]
