"""The words of a picture: which parts of a run have a name, and how rates and steps are written."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, NamedTuple

from kosine._analysis.sampling import COLUMNS, MOST_MARKS, length
from kosine._core.timeline import PlannedPhase

if TYPE_CHECKING:
    from kosine._core.schedule import Plan

BandKind = Literal["warm-up", "rise", "hold", "decay"]
_LARGEST, _SMALLEST = 1e5, 1e-3  # peaks between them are written as decimals
_FINEST = 1e-5  # what decimals of a readable length can show
_MOST_DIGITS = 17  # all that a float has
_NAMES = 3  # of the phases of one colour: a key with more is too long


class Band(NamedTuple):
    """A stretch of the run that is shaded and named: one phase, or a group with too many phases to show."""

    first_step: int
    stop: int
    name: str
    number: str
    """Which cycle it is in, such as #2; empty outside a cycle."""
    kind: BandKind
    cycles: int = 1

    @property
    def label(self) -> str:
        return f"{self.name} {self.number}".rstrip()

    @property
    def short(self) -> str:
        """A short form of the label for where there is little room; empty if it has none."""
        return self.number if self.cycles == 1 else f"{self.cycles:,}x"

    @property
    def drawn_in_part(self) -> bool:
        """Whether the picture has fewer columns than the band has cycles."""
        return self.cycles > COLUMNS


def bands(plan: Plan) -> list[Band]:
    """The phases of the run in order; a group of too many is one band, and slivers among too many are left.

    The rises that a run begins with are its warm-up; a later one, and one in a cycle, is called after its curve.
    """
    total = length(plan)
    found: list[Band] = []
    for part in plan.parts:
        first, stop = part.first_step, min(part.stop, total)
        if first >= stop:
            continue
        if part.repeated_rows(first, stop) > MOST_MARKS:
            count = len(part.cycles_in_run)
            found.append(Band(first, stop, f"{count:,} cycles", "", "decay", count))
            continue
        # a phase that moves with tokens is one band, in however many pieces
        for row in [part] if isinstance(part, PlannedPhase) else part.rows(first, stop):
            if row.first_step < min(row.stop, total):
                found.append(_band(row, total, begins=not found or found[-1].kind == "warm-up"))
    end = found[-1].stop if found else 0
    if end < total:
        found.append(_band(plan.phase_at(total - 1), total, begins=not found))
    if len(found) <= MOST_MARKS:
        return found
    return [band for band in found if (band.stop - band.first_step) * 50 >= total]


def _band(row: PlannedPhase, total: int, *, begins: bool) -> Band:
    kind: BandKind = "hold"
    if row.name != "hold" and row.end_lr != row.first_lr:
        kind = "decay" if row.end_lr < row.first_lr else "warm-up" if begins and row.cycle is None else "rise"
    name = row.name if kind in ("rise", "decay") else kind
    number = "" if row.cycle is None else f"#{row.cycle + 1}"
    return Band(row.first_step, min(row.stop, total), name, number, kind)


def key_names(shown: Iterable[Band]) -> dict[BandKind, str]:
    """What each colour means, in the words of the bands."""
    names: dict[BandKind, dict[str, None]] = {}
    for band in shown:
        names.setdefault(band.kind, {})[band.name] = None
    return {kind: ", ".join(found) if len(found) <= _NAMES else kind for kind, found in names.items()}


def schedule_name(plan: Plan) -> str:
    """The text form of a plan's schedule."""
    return repr(plan.schedule)[len("Schedule(") : -1]


class RateStyle(NamedTuple):
    """How the rates of one picture are written: all as decimals such as 0.00075, or all as 7.5e-4.

    Ticks of every axis, points and marks of a picture ask the same style, so that its numbers can be compared.
    """

    scientific: bool

    @classmethod
    def of(cls, peak: float, finest: float = 0.0) -> RateStyle:
        """The style of a picture.

        Args:
            peak: the highest rate in it.
            finest: the height of its finest axis, such as one of differences, or where a logarithmic one ends; 0: none.
        """
        decimals = peak == 0 or _SMALLEST <= peak < _LARGEST
        return cls(not decimals or 0 < finest < 10 * _FINEST)

    def __call__(self, value: float, digits: int = 6) -> str:
        """A rate with at most `digits` significant digits."""
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        if value and (self.scientific or abs(value) < _FINEST):
            return f"{_without_zeros(mantissa)}e{int(exponent)}"
        return _without_zeros(f"{Decimal(f'{value:.{digits - 1}e}'):f}")

    def distinct(self, *rates: float) -> list[str]:
        """Rates with as few digits as make them differ, but not fewer than four."""
        for digits in range(4, _MOST_DIGITS):
            texts = [self(rate, digits) for rate in rates]
            if len(set(texts)) == len(set(rates)):
                return texts
        return [repr(rate) for rate in rates]


def _without_zeros(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def step_text(value: float) -> str:
    """A step as a tick label: 12,500, or 2.5e12 where that is too long to read."""
    if abs(value) < 1e10:
        return f"{value:,.0f}"
    mantissa, exponent = f"{value:.3e}".split("e")
    return f"{float(mantissa):g}e{int(exponent)}"


def point_text(step: int, rate: float, style: RateStyle) -> str:
    """A step and its rate, as the label of a point."""
    return f"{step:,}: {style(rate, 4)}"
