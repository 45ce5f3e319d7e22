"""What a picture shows, whatever draws it: made once from a plan, a comparison, a verdict or an inference.

`figure` draws a scene with Matplotlib, `page` with plotly, `terminal` with characters. None of them looks at a plan: so
all of them have the same rates, names, marks and number style.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, SupportsIndex

import numpy as np

from kosine._analysis.sampling import COLUMNS, MOST_MARKS, length, restarts, trace
from kosine._core.plain_text import shortened
from kosine._display.labels import Band, RateStyle, bands, schedule_name, step_text
from kosine._display.log_view import LogView
from kosine._display.points import read_points
from kosine.errors import PlanError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kosine._analysis.compare import Comparison
    from kosine._core.schedule import Plan
    from kosine._logs.check.verdict import Verdict
    from kosine._logs.infer.result import Inference

    _Vector = NDArray[np.float64]

_FEWEST_DECADES, _MOST_DECADES, _MOST_HELD_DECADES = 2, 4, 8
_BODY = 0.01  # of the steps may lie below a logarithmic axis
BELOW = ("0, below the axis", "below the axis")
_SHARED = 0.02  # of the run, from which on a past that plans share is pointed out
_HIGHEST_PEAK = 1e300
_LOWEST_PEAK = 1e-290  # a logarithmic axis under it would end below the smallest float


class Line(NamedTuple):
    """A curve of a scene: a plan's rates, or the rows of a log.

    Attributes:
        x: places on the axis of the scene, ascending.
        y: the rate at each.
        mark: the short name, such as the letter of a plan in a comparison.
        name: the long name.
        sign: the character that draws it in a terminal without colours.
        apart: how far each rate is from the first line's; None where there is no other line.
        own: how many of its points belong to its own run; after them it is drawn pale.
        rows: the number of rows of a log that it shows; 0 for a plan.
    """

    x: NDArray[np.int64] | _Vector
    y: _Vector
    mark: str = ""
    name: str = ""
    sign: str = "*"
    apart: _Vector | None = None
    own: int | None = None
    rows: int = 0

    def own_beside(self, other: Line) -> int | None:
        """How many of its points belong to its own run and to that of another line over the same places."""
        return min((own for own in (self.own, other.own) if own is not None), default=None)

    @property
    def prefix(self) -> str:
        """The mark before its name in a legend."""
        return f"{self.mark}  " if self.mark else ""

    def label(self, most: int) -> str:
        """What a legend of one line says, its name cut to `most` characters."""
        return self.prefix + shortened(self.name, most)


class Mark(NamedTuple):
    """The place where two lines part: where a log leaves its plan, with the two rates there, or a plan its parent."""

    position: float
    place: str
    short: str
    rates: tuple[float, float] | None = None
    """Expected and found."""

    def text(self, style: RateStyle) -> str:
        if self.rates is None:
            return self.place
        expected, found = style.distinct(*self.rates)
        return f"{self.place}: expected {expected}, found {found}"


@dataclass(frozen=True)
class Scene:
    """One picture.

    Attributes:
        lines: the curves; how far the others are from the first is drawn below.
        limits: the ends of the axis.
        peak: the highest rate.
        unit: what the axis counts.
        steps_per_epoch: steps in an epoch, where an axis of epochs is drawn as well.
        log: whether the rates stand on a logarithmic axis.
        title: the sentence above the picture; "" for none.
        bands: named and shaded stretches.
        restarts: steps at which a cycle goes back to its start, and its number there, such as #2.
        points: steps to point out, and their rates.
        difference: what the axis of differences is called.
        differs: whether there is a difference that deserves its own picture where room is short.
        half_widths: how far the rates of a log may be from what is printed, at each of its rows.
        precision: the name of that.
        boundaries: where the pieces of a log without a plan begin.
        mark: the place where a log leaves its plan, or where plans with the same past part.
    """

    lines: tuple[Line, ...]
    limits: tuple[float, float]
    peak: float
    unit: str = "step"
    steps_per_epoch: int | None = None
    log: bool = False
    title: str = ""
    bands: Sequence[Band] = ()
    restarts: dict[int, str] = field(default_factory=dict)
    points: dict[int, float] = field(default_factory=dict)
    difference: str = ""
    differs: bool = False
    half_widths: _Vector | None = None
    precision: str = ""
    boundaries: tuple[float, ...] = ()
    mark: Mark | None = None

    @property
    def is_plan(self) -> bool:
        """Whether it shows one plan: its curve needs no legend."""
        return len(self.lines) == 1 and not self.lines[0].rows

    @property
    def heading(self) -> str:
        """What it shows."""
        return " / ".join(line.name for line in self.lines)

    @property
    def described(self) -> str:
        """What it shows, for who cannot see it."""
        return f"Learning rates of {self.heading}"

    @cached_property
    def lowest(self) -> float | None:
        """Where a logarithmic axis ends; None where there can be none."""
        if self.peak < _LOWEST_PEAK:
            return None
        x = self.lines[0].x
        return _lowest_shown(x, *(np.interp(x, line.x, line.y) for line in self.lines))

    def style(self, *, log: bool) -> RateStyle:
        """How every rate in it is written, on a logarithmic or on a linear axis."""
        if log:
            return RateStyle.of(self.peak, self.lowest or 0.0)
        apart = (*(line.apart for line in self.lines), self.half_widths)
        return RateStyle.of(self.peak, max((float(abs(each).max()) for each in apart if each is not None), default=0.0))

    def check_axis(self) -> None:
        """Raise PlanError where no axis of a picture can hold the rates."""
        if self.peak > _HIGHEST_PEAK:
            raise PlanError(f"Rates of at most {_HIGHEST_PEAK:g} can be drawn.", received={"peak": self.peak})
        if self.log and self.lowest is None:
            raise PlanError(
                f"A logarithmic axis needs a rate of at least {_LOWEST_PEAK:g}.",
                received={"peak": self.peak},
                fix="Draw it on a linear axis.",
            )


def leaves(steps: NDArray[Any], rates: _Vector, low: float) -> tuple[list[int], str]:
    """The steps at which a curve leaves an axis that ends at `low`, unless they are too many; and what to call them."""
    below = rates < low
    found = steps[below & ~np.concatenate([[False], below[:-1]])].tolist()
    return found if len(found) <= MOST_MARKS else [], BELOW[0] if (rates[below] == 0).all() else BELOW[1]


def plan_scene(plan: Plan, columns: int = COLUMNS, *, log: bool = False, points: Iterable[SupportsIndex] = ()) -> Scene:
    """The rate at every step of a plan, its phases and its restarts.

    Raises:
        PlanError: the plan has no length, or rates that no axis can hold.
        ArgumentError, ArgumentTypeError: a point that is not a step of the run.
    """
    line = Line(*trace(plan, columns), name=schedule_name(plan))
    return Scene(
        (line,),
        (0, length(plan)),
        _peak([line]),
        log=log,
        steps_per_epoch=plan.run.steps_per_epoch,
        bands=bands(plan),
        restarts={step: f"#{(plan.phase_at(step).cycle or 0) + 1}" for step in restarts(plan)},
        points={step: plan(step) for step in read_points(plan, points)},
    )


def comparison_scene(comparison: Comparison, columns: int = COLUMNS) -> Scene:
    """Plans over each other, and how far each is from the first."""
    steps, rates = comparison.trace(columns)
    total = comparison.total_steps
    lines = [
        Line(
            steps,
            curve,
            mark,
            schedule_name(plan) if name == mark else name,  # a letter alone would not say which schedule it is
            mark,
            None if curve is rates[0] else curve - rates[0],
            int(np.searchsorted(steps, plan.total_steps or total)),
        )
        for plan, mark, name, curve in zip(comparison.plans, comparison.marks, comparison.names, rates, strict=True)
    ]
    return Scene(
        tuple(lines),
        (0, total),
        comparison.peak,  # which may lie between two steps that are drawn
        steps_per_epoch=comparison.steps_per_epoch,
        difference=f"difference\nfrom {comparison.marks[0]}",
        differs=any(difference.largest for difference in comparison.differences),
        mark=_parting(comparison),
    )


def _parting(comparison: Comparison) -> Mark | None:
    """The last step up to which all plans are the same; None where that is soon, or not certain."""
    parted = [each.first_step - 1 for each in comparison.differences if each.first_step is not None]
    if not parted or not comparison.exhaustive or min(parted) < _SHARED * comparison.total_steps:
        return None
    text = f"the same up to step {step_text(min(parted))}"
    return Mark(min(parted), text, text)


def verdict_scene(verdict: Verdict, columns: int = COLUMNS) -> Scene:
    """A log over the plan that it was checked against."""
    log, first, mark = verdict.trace, verdict.first, None
    if first is not None:
        place = step_text(first.position) if float(first.position).is_integer() else f"{first.position:.6g}"
        rates = (first.expected, first.found)
        mark = Mark(float(first.position), f"{log.axis} {place}", "first off", rates)
    middle = round(verdict.steps_per_unit / 2) if verdict.averaged else 0  # where an epoch has about its mean
    view = LogView(log, verdict.plan, verdict.expected(), verdict.offset + middle, verdict.steps_per_unit)
    return _log_scene(view, columns, title=verdict.sentence, mark=mark, differs=mark is not None)


def inference_scene(inference: Inference, columns: int = COLUMNS) -> Scene:
    """A log over the schedule that explains it, or alone with its pieces where none does."""
    log, plan, title = inference.trace, inference.plan, inference.sentence
    if plan is None:
        begins = tuple(float(piece.first) for piece in inference.pieces[1:])
        boundaries = begins if len(begins) <= MOST_MARKS else ()
        return _log_scene(LogView(log, None, None), columns, title=title, boundaries=boundaries)
    view = LogView(log, plan, inference.expected(), inference.offset, inference.steps_per_unit, inference.skips)
    return _log_scene(view, columns, title=title)


def _log_scene(view: LogView, columns: int, **more: Any) -> Scene:
    rows, log, course = view.rows(columns), view.log, view.course(columns)
    here, rates = log.positions[rows], log.rates[rows]
    lines = [Line(here, rates, "log", view.log_name, "o", rows=len(log))]
    half_widths = None
    if view.plan is not None and course is not None and view.expected is not None:
        expected = view.expected[rows]
        places = np.union1d(here, course.positions)
        planned = np.interp(places, course.positions, course.rates)
        planned[np.searchsorted(places, here)] = expected  # exact at each row
        lines = [
            Line(places, planned, "plan", schedule_name(view.plan), "."),
            lines[0]._replace(apart=rates - expected),
        ]
        half_widths = log.precision.half_width(rates)
    return Scene(
        tuple(lines),
        view.limits,
        _peak(lines),
        unit=log.axis,
        steps_per_epoch=view.steps_per_epoch,
        difference="" if half_widths is None else "log - plan",
        half_widths=half_widths,
        precision=f"within the log's precision ({log.precision})",
        **more,
    )


def _peak(lines: Sequence[Line]) -> float:
    return max(float(line.y.max()) for line in lines)


def _lowest_shown(steps: NDArray[Any], *curves: NDArray[Any]) -> float:
    """Where a logarithmic axis ends: under the lowest rate, or if that is far down, under what most steps have.

    A curve that goes to 0 leaves it two to four decades under the highest rate; rates that are held for long stay on.
    """
    rates = np.concatenate(curves)
    peak, lowest = float(rates.max()), float(rates.min())
    if lowest >= peak / 10**_MOST_DECADES:
        return float(min(lowest * (lowest / peak) ** 0.05, peak / 10))
    share = np.concatenate([np.diff(steps.astype(np.float64))] * len(curves))
    share /= max(share.sum(), 1.0)
    before, after = (np.concatenate([curve[part] for curve in curves]) for part in (slice(-1), slice(1, None)))
    body = _quantile((before + after) / 2, share, peak)
    shown = peak / 10**_FEWEST_DECADES
    if body < shown:
        shown = 10.0 ** math.floor(math.log10(max(body, peak / 10**_MOST_DECADES)))
    held = (before == after) & (before >= peak / 10**_MOST_HELD_DECADES)
    held_low = _quantile(before[held], share[held], peak)
    return float(min(shown, held_low * (held_low / peak) ** 0.05))


def _quantile(rates: NDArray[Any], share: NDArray[Any], peak: float) -> float:
    """The rate that all but the lowest hundredth of the run reach; the peak where the rates are fewer."""
    order = np.argsort(rates)
    at = int(np.searchsorted(np.cumsum(share[order]), _BODY))
    return float(rates[order[at]]) if at < order.size else peak
