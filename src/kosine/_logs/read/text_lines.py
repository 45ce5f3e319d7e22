"""Text: lines with a position and a rate among other words and numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from kosine._logs.read.collect import GroupCollection, number
from kosine._logs.read.columns import ColumnChoice
from kosine._logs.read.known_formats import ANY_TEXT, TEXT_FORMATS, TextFormat, axis_of
from kosine._logs.read.stream import decoded
from kosine._logs.trace import Axis

_LONGEST = 1 << 16  # characters of a line that are looked at
_MOST_PAIRS = 1 << 16
_RATE_WORD = re.compile(r"lr|learning.rate", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _CompiledFormat:
    """A `TextFormat` with compiled patterns, and what its positions count."""

    name: str
    axis: Axis
    position: re.Pattern[str]
    rate: re.Pattern[str]
    skipped: re.Pattern[str] | None
    since_start: bool
    rate_name: str
    marker: str


class TextReader:
    """The rows of a text log, whose format shows with the first line that fits one."""

    def __init__(self, choice: ColumnChoice, found: GroupCollection) -> None:
        self._found = found
        self._formats = [_compiled(known, choice) for known in _asked(choice)]
        self._word = _RATE_WORD if choice.rate_column is None else re.compile(re.escape(choice.rate_column))
        self.format: _CompiledFormat | None = None  # as long as no line fits one
        self._skipped: dict[int, int] = {}
        self.total: int | None = None
        self.batches: int | None = None

    @property
    def skipped(self) -> list[tuple[int, int]]:
        """Where optimizer steps were skipped, as the log says, and how many since the place before."""
        pairs = sorted(self._skipped.items())
        if self.format is not None and self.format.since_start:
            before = [0, *(count for _, count in pairs)]
            pairs = [(place, count - last) for (place, count), last in zip(pairs, before, strict=False)]
        return [(place, count) for place, count in pairs if count > 0]

    def read(self, pieces: Iterable[bytes]) -> None:
        """Read a row from each line that has one."""
        for piece in pieces:
            for line in decoded(piece):
                self._read_line(line if len(line) <= _LONGEST else line[:_LONGEST])

    def _read_line(self, text: str) -> None:
        known = self.format
        if known is None or known.name in ANY_TEXT:
            if not self._word.search(text):
                return
            known = next((one for one in self._formats if one.position.search(text) and one.rate.search(text)), None)
            if known is None:
                return
            if known is not self.format:
                self._found.clear()  # what was found before had only looked like rows
                self._formats = self._formats[: self._formats.index(known) + 1]
            self.format = known
        elif known.marker not in text:
            return
        where = known.position.search(text)
        if where is not None:
            self._row(known, text, where.groupdict())

    def _row(self, known: _CompiledFormat, text: str, groups: dict[str, str | None]) -> None:
        epoch, batch, since = groups.get("epoch"), groups.get("batch"), groups.get("since")
        first = groups.get("step") or batch or epoch or ""
        position = number(first.replace(",", ""))
        if batch is None:
            epoch = None
        elif len(batch) < _DIGITS:
            of = groups.get("of") or batch
            self.batches = max(self.batches or 1, int(of) if len(of) < _DIGITS else 1)
            position = position if since is None else (position + number(since)) / 2
        for rate in known.rate.finditer(text):
            name = rate.groupdict().get("name") or known.rate_name
            values = [value.strip() for value in rate["rate"].split(",") if value.strip()]
            for place, value in enumerate(values):
                self._found.row(f"{name}[{place}]" if len(values) > 1 else name, position, value, epoch)
        total = groups.get("total")
        if total is not None and len(total) < _DIGITS:
            self.total = int(total)
        skipped = None if known.skipped is None else known.skipped.search(text)
        if skipped is not None and len(skipped[1]) < _DIGITS and position < 10**_DIGITS:
            self._skip(int(position), int(skipped[1]))

    def _skip(self, position: int, count: int) -> None:
        """Remember skipped steps; 0 of them only where it corrects a row before at the same place."""
        if count or position in self._skipped:
            if len(self._skipped) >= _MOST_PAIRS and position not in self._skipped:
                last = max(self._skipped)
                count += 0 if self.format is not None and self.format.since_start else self._skipped.pop(last)
            self._skipped[position] = count


def _asked(choice: ColumnChoice) -> Iterable[TextFormat]:
    """The known formats; with the words that were asked for in place of theirs."""
    position, rate = choice.step_column, choice.rate_column
    for known in TEXT_FORMATS:
        if position is not None:
            known = replace(known, position=rf"(?<!\w){re.escape(position)}{_BETWEEN}(?P<step>\d[\d,]*)")
        if rate is not None:
            named = rf"(?<!\w){re.escape(rate)}{_BETWEEN}(?P<rate>[-+]?[.\d][-+.\w]*)"
            known = replace(known, rate=named, rate_name=rate, marker=rate)
        yield known


_BETWEEN = r"[\"']?+\s*+(?:[=:]\s*+)?+[\"'\[(]*+\s*+"  # no backtracking over a run of spaces
_DIGITS = 18  # of an integer that fits into 64 bits


def _compiled(known: TextFormat, choice: ColumnChoice) -> _CompiledFormat:
    axis: Axis = "step" if "(?P<step>" in known.position or "(?P<batch>" in known.position else "epoch"
    return _CompiledFormat(
        known.name,
        axis if choice.step_column is None else axis_of(choice.step_column),
        re.compile(known.position),
        re.compile(known.rate),
        re.compile(known.skipped) if known.skipped else None,
        known.since_start,
        known.rate_name,
        known.marker,
    )
