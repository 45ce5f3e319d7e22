"""The words of a picture: which stretches of a run have a name, and how rates and steps are written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from kosine.boundaries import PlannedPhase
from kosine.sampling import MOST_MARKS, length

if TYPE_CHECKING:
    from kosine.plan import Plan

Kind = Literal["warm-up", "hold", "decay"]


class Band(NamedTuple):
    """A stretch of the run that is shaded and named: one phase, or a group with too many phases to show."""

    first_step: int
    stop: int
    label: str
    short: str
    kind: Kind


def bands(plan: Plan, most: int = MOST_MARKS) -> list[Band]:
    """The phases of the run in order; a group of too many stands as one band, and slivers among too many are left."""
    total = length(plan)
    found: list[Band] = []
    for block in plan.blocks:
        if isinstance(block, PlannedPhase):
            found.append(_band(block, total))
        elif len(cycles := block.cycles_in_run) * len(block.part.phases) <= most:
            found += [
                _band(block.row(cycle, phase), total) for cycle in cycles for phase in range(len(block.part.phases))
            ]
        else:
            stop, count = min(block.boundary(cycles.stop), block.stop, total), len(cycles)
            found.append(Band(block.first_step, stop, f"{count:,} cycles", f"{count:,}x", "decay"))
    found = [band for band in found if band.first_step < band.stop]
    end = found[-1].stop if found else 0
    if end < total:
        found.append(_band(plan.phase_at(total - 1), total))
    return found if len(found) <= most else [band for band in found if (band.stop - band.first_step) * 50 >= total]


def _band(row: PlannedPhase, total: int) -> Band:
    kind: Kind = "hold"
    if row.name != "hold":
        kind = "warm-up" if row.end_lr > row.first_lr else "decay" if row.end_lr < row.first_lr else "hold"
    label, short = (row.name if kind == "decay" else kind), ""
    if row.cycle is not None:
        short = f"#{row.cycle + 1}"
        label += f" {short}"
    return Band(row.first_step, min(row.stop, total), label, short, kind)


def rate_text(value: float, peak: float) -> str:
    """A rate as a tick label: plain decimals, or 4e-5 where the highest rate is small."""
    if value == 0 or 1e-3 <= peak < 1e5 or peak == 0:
        return f"{value:.10g}"
    mantissa, exponent = f"{value:.3e}".split("e")
    return f"{float(mantissa):g}e{int(exponent)}"


def step_text(value: float) -> str:
    """A step as a tick label: 12,500, or 2.5e12 where that is too long to read."""
    if abs(value) < 1e10:
        return f"{value:,.0f}"
    mantissa, exponent = f"{value:.3e}".split("e")
    return f"{float(mantissa):g}e{int(exponent)}"


def point_text(step: int, rate: float) -> str:
    """A step and its rate, to stand beside a point."""
    return f"{step:,}: {rate_text(float(f'{rate:.4g}'), rate)}"


def shortened(text: str, most: int) -> str:
    """User text on one line of at most `most` characters, each of which can be printed."""
    line = "".join(character if character.isprintable() else " " for character in text)
    line = " ".join(line.split())
    return line if len(line) <= most else line[: most - 1] + "…"
