"""Text: lines that tell a position and a rate among other things."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from kosine._logs.read.collect import Collection, number
from kosine._logs.read.columns import Choice
from kosine._logs.read.known_formats import ANY_TEXT, LINES, Lines, axis_of
from kosine._logs.read.stream import decoded

_LONGEST = 1 << 16  # characters of a line that are looked at
_MOST_PAIRS = 1 << 16
_RATE_WORD = re.compile(r"lr|learning.rate", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Kind:
    name: str
    axis: str
    position: re.Pattern[str]
    rate: re.Pattern[str]
    skipped: re.Pattern[str] | None
    cumulative: bool
    named: str
    must: str


class Texts:
    """The rows of a text log, whose kind shows with the first line that fits one."""

    def __init__(self, choice: Choice, found: Collection) -> None:
        self._found = found
        self._kinds = [_compiled(kind, choice) for kind in _asked(choice)]
        self._word = _RATE_WORD if choice.rate_column is None else re.compile(re.escape(choice.rate_column))
        self._kind: _Kind | None = None
        self._skipped: dict[int, int] = {}
        self.total: int | None = None
        self.batches: int | None = None

    @property
    def kind(self) -> tuple[str, str] | None:
        """What kind of log it is, and what its positions count; None as long as no line fitted a kind."""
        return None if self._kind is None else (self._kind.name, self._kind.axis)

    @property
    def skipped(self) -> list[tuple[int, int]]:
        """Where optimizer steps were skipped, as the log says it, and how many since the place before."""
        pairs = sorted(self._skipped.items())
        if self._kind is not None and self._kind.cumulative:
            before = [0, *(count for _, count in pairs)]
            pairs = [(place, count - last) for (place, count), last in zip(pairs, before, strict=False)]
        return [(place, count) for place, count in pairs if count > 0]

    def lines(self, pieces: Iterable[bytes]) -> None:
        """Read a row from each line that tells one."""
        for piece in pieces:
            for line in decoded(piece):
                self.line(line if len(line) <= _LONGEST else line[:_LONGEST])

    def line(self, text: str) -> None:
        """Read one line."""
        kind = self._kind
        if kind is None or kind.name in ANY_TEXT:
            if not self._word.search(text):
                return
            kind = next((one for one in self._kinds if one.position.search(text) and one.rate.search(text)), None)
            if kind is None:
                return
            if kind is not self._kind:
                self._found.clear()  # what was found before was only talk
                self._kinds = self._kinds[: self._kinds.index(kind) + 1]
            self._kind = kind
        elif kind.must not in text:
            return
        where = kind.position.search(text)
        if where is not None:
            self._row(kind, text, where.groupdict())

    def _row(self, kind: _Kind, text: str, told: dict[str, str | None]) -> None:
        epoch, batch, since = told.get("epoch"), told.get("batch"), told.get("since")
        first = told.get("step") or batch or epoch or ""
        position = number(first.replace(",", ""))
        if batch is None:
            epoch = None
        elif len(batch) < _DIGITS:
            of = told.get("of") or batch
            self.batches = max(self.batches or 1, int(of) if len(of) < _DIGITS else 1)
            position = position if since is None else (position + number(since)) / 2
        for rate in kind.rate.finditer(text):
            name = rate.groupdict().get("name") or kind.named
            values = [value.strip() for value in rate["rate"].split(",") if value.strip()]
            for place, value in enumerate(values):
                self._found.row(f"{name}[{place}]" if len(values) > 1 else name, position, value, epoch)
        total = told.get("total")
        if total is not None and len(total) < _DIGITS:
            self.total = int(total)
        skipped = None if kind.skipped is None else kind.skipped.search(text)
        if skipped is not None and len(skipped[1]) < _DIGITS and position < 10**_DIGITS:
            self._skip(int(position), int(skipped[1]))

    def _skip(self, position: int, count: int) -> None:
        """Remember skipped steps; 0 of them only where it corrects a row before at the same place."""
        if count or position in self._skipped:
            if len(self._skipped) >= _MOST_PAIRS and position not in self._skipped:
                last = max(self._skipped)
                count += 0 if self._kind is not None and self._kind.cumulative else self._skipped.pop(last)
            self._skipped[position] = count


def _asked(choice: Choice) -> Iterable[Lines]:
    """The known kinds; with the words that were asked for in place of theirs."""
    position, rate = choice.step_column, choice.rate_column
    for known in LINES:
        kind = known
        if position is not None:
            kind = replace(kind, position=rf"(?<!\w){re.escape(position)}{_BETWEEN}(?P<step>\d[\d,]*)")
        if rate is not None:
            named = rf"(?<!\w){re.escape(rate)}{_BETWEEN}(?P<rate>[-+]?[.\d][-+.\w]*)"
            kind = replace(kind, rate=named, named=rate, must=rate)
        yield kind


_BETWEEN = r"[\"']?+\s*+(?:[=:]\s*+)?+[\"'\[(]*+\s*+"  # no backtracking over a run of spaces
_DIGITS = 18  # of an integer that fits into 64 bits


def _compiled(kind: Lines, choice: Choice) -> _Kind:
    axis = "step" if "(?P<step>" in kind.position or "(?P<batch>" in kind.position else "epoch"
    return _Kind(
        kind.name,
        axis if choice.step_column is None else axis_of(choice.step_column),
        re.compile(kind.position),
        re.compile(kind.rate),
        re.compile(kind.skipped) if kind.skipped else None,
        kind.cumulative,
        kind.named,
        kind.must,
    )
