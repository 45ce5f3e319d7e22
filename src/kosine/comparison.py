"""Where plans differ: from which step on, where most, and how their areas compare."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kosine.boundaries import Block, Group, PlannedPhase
from kosine.errors import ArgumentTypeError, PlanError, ScheduleError, shown
from kosine.evaluation import form_of
from kosine.phases import Clock, read_number
from kosine.plan import Plan
from kosine.sampling import COLUMNS, trace
from kosine.schedule import Schedule
from kosine.summary import Summary, summarize

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Steps = NDArray[np.int64]
    Rates = NDArray[np.float64]

_EVERY = 10_000_000  # up to so many steps that may differ, each of them is looked at
_MOST = 2**20  # how many are looked at beyond that to prove which differ
_CHUNK = 2**18  # steps that are looked at together
_OPEN = 2**15  # stretches that are cut into pieces together
_PIECES = 8  # how many pieces each is cut into
_MOST_ROWS = 4096  # repeated phases that are listed; of more, only some are looked at
_SHORT_ROWS = 2**15  # of so many every step is looked at all the same, where the steps are not too many
_ACROSS = 256  # how many are looked at of more
_WIDTH = 80  # columns of the table
_ROUNDING = 1e-14  # of the highest rate: rates that differ by less are the same but for their rounding


@dataclass(frozen=True, slots=True)
class Difference:
    """Where one plan differs from the first.

    Attributes:
        name: the name of the plan.
        first_step: the first step at which the two differ by more than the tolerance; None if they do nowhere.
        step: the step at which they differ most; the first step if they never differ.
        rates: the first plan's rate there, and this plan's.
        largest: the difference there, without its sign.
        looked_at: how many steps were looked at where they are too many to be sure of all; None: every step is
            accounted for.
    """

    name: str
    first_step: int | None
    step: int
    rates: tuple[float, float]
    largest: float
    looked_at: int | None = None


@dataclass(frozen=True, repr=False)
class Comparison:
    """Plans next to each other; made by `compare`. `print` shows it as a table.

    Attributes:
        plans: the plans; one without a length is planned for `total_steps`.
        names: their names.
        tolerance: how far rates may be apart, as a share of the highest rate of all plans.
        total_steps: the length of the longest.
        summaries: the totals of each plan over its own run.
        differences: where each further plan differs from the first.
    """

    plans: tuple[Plan, ...]
    names: tuple[str, ...]
    tolerance: float
    total_steps: int
    summaries: tuple[Summary, ...]
    differences: tuple[Difference, ...]

    @property
    def equal(self) -> bool:
        """Whether no plan differs from the first by more than the tolerance at any step."""
        return all(difference.first_step is None for difference in self.differences)

    @property
    def exhaustive(self) -> bool:
        """Whether every step is accounted for; if not, runs too long for it were looked at in part."""
        return all(difference.looked_at is None for difference in self.differences)

    @property
    def peak(self) -> float:
        """The highest rate of all plans."""
        return max(summary.peak for summary in self.summaries)

    @property
    def marks(self) -> tuple[str, ...]:
        """A letter for each plan, which stands for it where its name is too long."""
        return tuple(_letters(len(self.plans)))

    @property
    def steps_per_epoch(self) -> int | None:
        """The steps of an epoch, where the plans that know them agree."""
        known = {plan.run.steps_per_epoch for plan in self.plans} - {None}
        return known.pop() if len(known) == 1 else None

    def trace(self, columns: int = COLUMNS) -> tuple[NDArray[np.int64], list[NDArray[np.float64]]]:
        """Steps, ascending, and the rates of each plan there: few enough to draw, with all that can be seen.

        Args:
            columns: how many points can be told apart across the picture.
        """
        last = self.total_steps - 1
        found = {0, last}
        for plan in self.plans:
            found.update(trace(plan, columns)[0].tolist())
            end = plan.total_steps or 0
            for step in np.linspace(end, last, columns).astype(np.int64).tolist() if end <= last else ():
                row = plan.phase_at(step)
                found.update((step, max(row.first_step, end), min(row.stop - 1, last)))
        for difference in self.differences:
            for step in (difference.first_step, difference.step):
                found.update(() if step is None else (max(step - 1, 0), step, min(step + 1, last)))
        steps = np.array(sorted(found), np.int64)
        return steps, [plan(steps) for plan in self.plans]

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the plans over each other with Matplotlib (extra `plot`), and their difference from the first below.

        Args:
            ax: the axes to draw the curves on, without the difference; a new figure of both if None.

        Returns:
            The axes of the curves.
        """
        from kosine.plotting.overlay import plot_comparison

        return plot_comparison(self, ax=ax)

    def _repr_html_(self) -> str:
        from kosine.plotting.notebook import comparison_html

        return comparison_html(self)

    def __repr__(self) -> str:
        return f"<Comparison of {', '.join(self.names)}: {'equal' if self.equal else 'different'}>"

    def __str__(self) -> str:
        return "\n".join([*_plans_table(self), "", *_differences_table(self), *_remarks(self)])


def compare(*plans: Plan, names: Sequence[str] | None = None, tolerance: float = 1e-9) -> Comparison:
    """Compare plans step by step: each with the first, d(t) = |rate(t) - first rate(t)| over the longest run.

    They differ from the first step on at which d(t) > tolerance * peak, where the peak is the highest rate of all. A
    plan that ends before the longest one goes on as it always does: at the end value of its last phase, or in its
    cycles. Phases that are the same are not evaluated, so runs of 10**9 steps are compared in about a second; where
    such runs differ in so many ways that not every step can be accounted for, the result says so.

    Args:
        *plans: two plans or more. One without a length is compared over that of the longest.
        names: what to call them, one name for each; "A", "B", ... if None. Equal names get a number.
        tolerance: how far two rates may be apart, as a share of the peak; >= 0.

    Returns:
        A `Comparison`: `print` shows it as a table, `plot()` draws it, and `equal` says whether they are.

    Raises:
        ArgumentTypeError: something that is no plan, such as a schedule that is not planned yet.
        PlanError: fewer than two plans, none with a length, or names that are not as many.
        ScheduleError: a tolerance that is negative or not finite.

    Example:
        >>> import kosine as ks
        >>> cosine = ks.warmup_cosine(peak=0.1, warmup=10).plan(total_steps=100)
        >>> linear = ks.Schedule(ks.linear(10, start=0.0, to=0.1), ks.linear(to=0.0)).plan(total_steps=100)
        >>> comparison = ks.compare(cosine, linear, names=["cosine", "linear"])
        >>> comparison.equal, comparison.differences[0].first_step, comparison.differences[0].step
        (False, 11, 80)
        >>> print(comparison)
           plan    steps  area  of A's
        A  cosine    100     5   100 %
        B  linear    100     5   100 %
        <BLANKLINE>
           differs from  most at step  rate of A  its rate  difference  of peak
        B       step 11            80     0.0117   0.02222     0.01052   10.5 %
    """
    given: tuple[object, ...] = plans
    for plan in given:
        if not isinstance(plan, Plan):
            fix = " Plan it first: `schedule.plan(total_steps=...)`." if isinstance(plan, Schedule) else ""
            raise ArgumentTypeError(f"`compare` takes plans. Received: {shown(plan)}.{fix}")
    if len(plans) < 2:
        raise PlanError(f"`compare` takes two plans or more. Received: {len(plans)}.")
    rule = "a finite number >= 0, a share of the highest rate"
    share = read_number(tolerance, "tolerance", rule)
    if share < 0:
        raise ScheduleError(f"Argument `tolerance` must be {rule}. Received: tolerance={shown(tolerance)}.")
    total = max((plan.total_steps for plan in plans if plan.total_steps is not None), default=None)
    if total is None:
        raise PlanError(
            f"Schedules that never end cannot be compared to their end. Received: {shown(plans[0].schedule)} and the "
            "others planned without a length. Call `plan` with `total_steps`, or with `epochs` and `steps_per_epoch`."
        )
    full = tuple(
        plan if plan.total_steps is not None else Plan(plan.schedule, replace(plan.run, total_steps=total))
        for plan in plans
    )
    summaries = tuple(summarize(plan) for plan in full)
    peak = max(summary.peak for summary in summaries)
    called = _read_names(names, len(full))
    differences = tuple(
        _Search(full[0], plan, total, share, peak).difference(name)
        for plan, name in zip(full[1:], called[1:], strict=True)
    )
    return Comparison(full, called, share, total, summaries, differences)


def _read_names(names: Sequence[str] | None, count: int) -> tuple[str, ...]:
    if names is None:
        return tuple(_letters(count))
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise ArgumentTypeError(f"Argument `names` must be a list of strings. Received: names={shown(names)}.")
    if len(names) != count:
        raise PlanError(f"Argument `names` must have a name for each of the {count} plans. Received: {shown(names)}.")
    called: list[str] = []
    for name in names:
        number = 2
        while name in called:
            base = name if number == 2 else name.removesuffix(f" ({number - 1})")
            name = f"{base} ({number})"
            number += 1
        called.append(name)
    return tuple(called)


def _letters(count: int) -> list[str]:
    """A, B, ..., Z, A2, B2, ..."""
    return [chr(ord("A") + index % 26) + (str(index // 26 + 1) if index >= 26 else "") for index in range(count)]


# --- which stretches can differ -----------------------------------------------------------------------------------


class _Stretch(NamedTuple):
    """Steps that stand in one phase of either plan, so that both rates only rise or only fall there."""

    first: int
    last: int
    one_way: bool
    """Whether the difference, too, only rises or only falls."""


def _overlaps(
    ours: Sequence[Block], theirs: Sequence[Block], first: int, stop: int
) -> Iterator[tuple[int, int, Block, Block]]:
    """The steps that two lists of blocks share, one block of either at a time."""
    mine, other = iter(ours), iter(theirs)
    here, there = next(mine), next(other)
    while first < stop:
        while here.stop <= first:
            here = next(mine)
        while there.stop <= first:
            there = next(other)
        end = min(here.stop, there.stop, stop)
        yield first, end, here, there
        first = end


def _same(ours: Block, theirs: Block, first: int) -> bool:
    """Whether two blocks show the same curve by the same clock from the step `first` on, and so the same rates."""
    if isinstance(ours, Group) or isinstance(theirs, Group):
        return isinstance(ours, Group) and isinstance(theirs, Group) and _cycles_of(ours) == _cycles_of(theirs)
    mine, other = ours.clock, theirs.clock
    if mine.start == mine.to or other.start == other.to:
        return mine.start == mine.to == other.start == other.to
    if (ours.curve, ours.endpoint, mine.start, mine.to) != (theirs.curve, theirs.endpoint, other.start, other.to):
        return False
    return _pace(ours, mine, first) == _pace(theirs, other, first)


def _cycles_of(group: Group) -> tuple[object, ...]:
    """What the rates of a group follow from, whatever its end."""
    part, view = replace(group.part, count=None), group.view
    return part, group.origin, group.values, group.offsets, group.continuous, view._replace(stop=None)


def _period(block: Block) -> int | None:
    """After how many steps the rates of a block repeat; None: never."""
    if isinstance(block, Group):
        repeats = block.part.stretch == 1 and not block.part.shrinks
        return block.offsets[-1].numerator * block.view.tick if repeats else None
    return 1 if block.clock.start == block.clock.to else None


def _rows(block: Block, first: int, stop: int) -> Iterator[PlannedPhase]:
    if not isinstance(block, Group):
        yield block
        return
    for cycle in range(block.cycle_at(first), block.cycle_at(stop - 1) + 1):
        for phase in range(len(block.part.phases)):
            row = block.row(cycle, phase)
            if row.steps:
                yield row


def _count(block: Block, first: int, stop: int) -> int:
    """How many rows `_rows` gives at most."""
    if not isinstance(block, Group):
        return 0
    return (block.cycle_at(stop - 1) - block.cycle_at(first) + 1) * len(block.part.phases)


def _one_way(ours: PlannedPhase, theirs: PlannedPhase, first: int) -> bool:
    """Whether the difference of two phases only rises or only falls.

    It does where one rises and the other falls, and where both are the same curve between other values: with the
    weight w of the curve it is (top - top') w + (bottom - bottom') (1 - w), which is linear in w.
    """
    mine, other = ours.clock, theirs.clock
    if _direction(mine) * _direction(other) <= 0:
        return True
    if (ours.curve, ours.endpoint) != (theirs.curve, theirs.endpoint) or _pace(ours, mine, first) != _pace(
        theirs, other, first
    ):
        return False
    form, their_form = form_of(ours.curve, mine), form_of(theirs.curve, other)
    return (form.kind, form.ratio, form.origin, form.takes) == (
        their_form.kind,
        their_form.ratio,
        their_form.origin,
        their_form.takes,
    )


def _direction(clock: Clock) -> int:
    return (clock.to > clock.start) - (clock.to < clock.start)


def _pace(row: PlannedPhase, clock: Clock, first: int) -> tuple[object, ...]:
    """How the curve of a phase goes on from the step `first`, whatever its values."""
    clock = clock.later(first - row.first_step) if first > row.first_step else clock
    return clock.span, clock.lead, clock.tick, clock.cut


# --- where they differ --------------------------------------------------------------------------------------------


class _Search:
    """Looks for the first difference and for the largest, and notes what it has come across."""

    def __init__(self, mine: Plan, other: Plan, total: int, tolerance: float, peak: float) -> None:
        self.mine, self.other, self.total = mine, other, total
        self.limit = tolerance * peak
        self.slack = _ROUNDING * peak
        self.rounded = tolerance > 100 * _ROUNDING
        self.first: int | None = None
        self.step, self.largest = 0, 0.0
        self.rates = mine(0), other(0)
        self.looked_at = 0

    def difference(self, name: str) -> Difference:
        sure = self._search()
        return Difference(name, self.first, self.step, self.rates, self.largest, None if sure else self.looked_at)

    def look(self, steps: Steps) -> tuple[Rates, Rates]:
        """Evaluate both at steps."""
        mine, other = self.mine(steps), self.other(steps)
        apart = np.abs(mine - other)
        self.looked_at += steps.size
        at = int(np.argmax(apart))
        if apart[at] > self.largest or (apart[at] == self.largest and steps[at] < self.step):
            self.step, self.largest = int(steps[at]), float(apart[at])
            self.rates = float(mine[at]), float(other[at])
        over = steps[apart > self.limit]
        if over.size and (self.first is None or over.min() < self.first):
            self.first = int(over.min())
        return mine, other

    def _search(self) -> bool:
        """Whether what was found is certain."""
        if self.mine == self.other:
            return True
        stretches, complete = self._stretches()
        if not stretches:
            return complete
        first, last = (np.array([getattr(item, end) for item in stretches], np.int64) for end in ("first", "last"))
        known: int | None = None
        if float((last - first + 1.0).sum()) <= _EVERY:
            self._look_at_all(first, last)
        else:
            ends = self._with_ends(first, last)
            one_way = np.array([stretch.one_way for stretch in stretches])
            certain = self._find_largest(ends.take(~one_way))
            if self.first is not None or not certain or not self.rounded:
                known = self._find_first(ends.take(~one_way), ends.take(one_way))
            complete = complete and certain and known is None
        if not complete and self.first is not None:
            self._narrow(int(last[last < self.first].max(initial=0)) if known is None else known, self.first)
        return complete

    def _stretches(self) -> tuple[list[_Stretch], bool]:
        """Where the two can differ, ascending, and whether that is all; of too many cycles only some are among it."""
        found: list[_Stretch] = []
        complete, left = True, _MOST_ROWS
        mine, other = ((*plan.blocks, plan.after) for plan in (self.mine, self.other))
        for first, stop, ours, theirs in _overlaps(mine, other, 0, self.total):
            if _same(ours, theirs, first):
                continue
            periods = _period(ours), _period(theirs)
            if periods[0] and periods[1]:
                stop = min(stop, first + math.lcm(periods[0], periods[1]))
            count = _count(ours, first, stop) + _count(theirs, first, stop)
            if count > left and count <= _SHORT_ROWS and stop - first <= _EVERY:
                self._look_at_all(np.array([first]), np.array([stop - 1]))
                continue
            if count > left:
                complete = False
                found += self._some(first, stop)
                continue
            left -= count
            for begin, end, mine_row, other_row in _overlaps(
                list(_rows(ours, first, stop)), list(_rows(theirs, first, stop)), first, stop
            ):
                assert isinstance(mine_row, PlannedPhase)
                assert isinstance(other_row, PlannedPhase)
                if not _same(mine_row, other_row, begin):
                    found.append(self._stretch(mine_row, other_row, begin, end))
        return found, complete

    def _some(self, first: int, stop: int) -> list[_Stretch]:
        """The phases at some steps, spread evenly and more densely at both ends."""
        doubling = [2**power for power in range((stop - first).bit_length())]
        steps = {first + (stop - 1 - first) * index // _ACROSS for index in range(_ACROSS + 1)}
        steps.update(first + distance for distance in doubling if first + distance < stop)
        steps.update(stop - distance for distance in doubling)
        found: list[_Stretch] = []
        for step in sorted(steps):
            if not found or step > found[-1].last:
                found.append(self._stretch(self.mine.phase_at(step), self.other.phase_at(step), first, stop))
        return found

    def _stretch(self, mine: PlannedPhase, other: PlannedPhase, first: int, stop: int) -> _Stretch:
        """What two phases share of the steps from `first` to before `stop`."""
        begin = max(mine.first_step, other.first_step, first)
        one_way = self.rounded and _one_way(mine, other, begin)
        return _Stretch(begin, min(mine.stop, other.stop, stop) - 1, one_way)

    def _look_at_all(self, first: Steps, last: Steps) -> None:
        before: Steps = np.concatenate([[0], np.cumsum(last - first + 1)])
        for low in range(0, int(before[-1]), _CHUNK):
            index = np.arange(low, min(low + _CHUNK, int(before[-1])), dtype=np.int64)
            stretch = np.searchsorted(before, index, "right") - 1
            self.look(first[stretch] + index - before[stretch])

    def _with_ends(self, low: Steps, high: Steps) -> _Open:
        rates = self.look(np.stack([low, high], axis=1).ravel())
        mine, other = (of_plan.reshape(-1, 2).T for of_plan in rates)
        return _Open(low, high, mine[0], mine[1], other[0], other[1])

    def _find_largest(self, pool: _Open) -> bool:
        """Cut the stretches in which more than the largest difference may hide; False if they are too many."""
        most = self.looked_at + _MOST
        while True:
            pool = pool.take(pool.above(self.largest + self.slack))
            if not pool.low.size:
                return True
            if self.looked_at > most:
                return False
            chosen = np.zeros(pool.low.size, np.bool_)
            chosen[np.argsort(-pool.bound, kind="stable")[:_OPEN]] = True
            pool = self._cut(pool.take(chosen)).joined(pool.take(~chosen))

    def _find_first(self, pool: _Open, one_way: _Open) -> int | None:
        """Cut the stretches before the first difference where another may hide.

        Returns:
            None if there is none, else the step up to which that is certain.
        """
        leaves = (np.abs(one_way.mine_low - one_way.other_low) <= self.limit) & (
            np.abs(one_way.mine_high - one_way.other_high) > self.limit
        )
        for low, high in zip(one_way.low[leaves][:1].tolist(), one_way.high[leaves][:1].tolist(), strict=True):
            if self.first is None or low < self.first:
                self._halve(low, high)
        most = self.looked_at + _MOST
        while True:
            pool = pool.take(pool.above(self.limit))
            if self.first is not None:
                pool = pool.take(pool.low < self.first)
            if not pool.low.size:
                return None
            if self.looked_at > most:
                return int(pool.low[0])
            pool = self._cut(pool.take(slice(_OPEN))).joined(pool.take(slice(_OPEN, None)))

    def _cut(self, pool: _Open) -> _Open:
        """Each stretch in pieces; those that belong together share an end."""
        span, parts = (pool.high - pool.low)[:, None], np.arange(_PIECES + 1, dtype=np.int64)
        steps: Steps = pool.low[:, None] + span // _PIECES * parts + span % _PIECES * parts // _PIECES
        mine, other = (rates.reshape(-1, _PIECES - 1) for rates in self.look(steps[:, 1:-1].ravel()))
        mine = np.column_stack([pool.mine_low, mine, pool.mine_high])
        other = np.column_stack([pool.other_low, other, pool.other_high])
        tables: tuple[NDArray[Any], ...] = steps, mine, other
        return _Open(*(table[:, end].ravel() for table in tables for end in (slice(-1), slice(1, None))))

    def _halve(self, low: int, high: int) -> None:
        """Find the first difference in a stretch whose difference only rises or only falls."""
        while high - low > 1:
            middle = low + (high - low) // 2
            self.look(np.array([middle], np.int64))
            low, high = (low, middle) if self.first is not None and self.first <= middle else (middle, high)

    def _narrow(self, low: int, high: int) -> None:
        """Look for an earlier difference between a step without one and the first that is known."""
        while high - low > 1:
            middle = low + (high - low) // 2
            around = self._stretch(self.mine.phase_at(middle), self.other.phase_at(middle), low + 1, high)
            steps = np.unique([*np.linspace(around.first, around.last, 64).astype(np.int64).tolist(), middle])
            steps = np.clip(steps, low + 1, high - 1)
            self.look(steps)
            assert self.first is not None
            if self.first < high:
                high = self.first
                low = max(low, int(steps[steps < high].max(initial=low)))
            else:
                low = int(steps[-1])


class _Open(NamedTuple):
    """Stretches that may hide a difference, with both rates at both ends."""

    low: Steps
    high: Steps
    mine_low: Rates
    mine_high: Rates
    other_low: Rates
    other_high: Rates

    @property
    def bound(self) -> Rates:
        """The most that both can differ by: each only rises or only falls, so it stays between its ends."""
        return np.maximum(np.abs(self.mine_low - self.other_high), np.abs(self.mine_high - self.other_low))

    def above(self, difference: float) -> NDArray[np.bool_]:
        """Which have steps inside, where the difference may be greater."""
        return (self.high - self.low > 1) & (self.bound > difference)

    def take(self, index: Any) -> _Open:
        return _Open(*(values[index] for values in self))

    def joined(self, other: _Open) -> _Open:
        return _Open(*(np.concatenate(pair) for pair in zip(self, other, strict=True)))


# --- as a table ---------------------------------------------------------------------------------------------------


def _plans_table(comparison: Comparison) -> list[str]:
    """Each plan with its letter, its length and its area."""
    per_epoch = comparison.steps_per_epoch
    rows = [["", "plan", "steps", *(["epochs"] if per_epoch else []), "area", f"of {comparison.marks[0]}'s"]]
    whole = comparison.summaries[0].area
    for mark, summary in zip(comparison.marks, comparison.summaries, strict=True):
        epochs = [f"{summary.total_steps / per_epoch:.6g}"] if per_epoch else []
        share = f"{100 * summary.area / whole:.5g} %" if whole else ""
        rows.append([mark, "", f"{summary.total_steps:,}", *epochs, f"{summary.area:.6g}", share])
    room = _WIDTH - sum(max(len(row[column]) for row in rows) + 2 for column in range(len(rows[0])) if column != 1)
    for row, plan, name, mark in zip(rows[1:], comparison.plans, comparison.names, comparison.marks, strict=True):
        row[1] = shortened(
            " ".join((repr(plan.schedule)[len("Schedule(") : -1] if name == mark else name).split()), max(room, 8)
        )
    return _columns(rows, left=2)


def _differences_table(comparison: Comparison) -> list[str]:
    """Where each further plan differs from the first."""
    if comparison.equal:
        return [_equal(comparison)]
    first, per_epoch, peak = comparison.marks[0], comparison.steps_per_epoch, comparison.peak
    rows = [["", "differs from", "most at step", f"rate of {first}", "its rate", "difference", "of peak"]]
    for mark, difference in zip(comparison.marks[1:], comparison.differences, strict=True):
        if not difference.largest:
            rows.append([mark, "never", "", "", "", "", ""])
            continue
        begin = "never" if difference.first_step is None else f"step {difference.first_step:,}"
        rates = [f"{rate:.4g}" for rate in difference.rates]
        share = f"{100 * difference.largest / peak:.3g} %" if peak else ""
        rows.append([mark, begin, f"{difference.step:,}", *rates, f"{difference.largest:.4g}", share])
        if per_epoch and difference.first_step is not None:
            epochs = [f"epoch {round(step / per_epoch, 2):.10g}" for step in (difference.first_step, difference.step)]
            rows.append(["", *epochs, "", "", "", ""])
    return _columns(rows, left=1)


def _equal(comparison: Comparison) -> str:
    steps = f"{comparison.total_steps:,} step{'s' if comparison.total_steps > 1 else ''}"
    seen = "" if comparison.exhaustive else ", as far as was looked at"
    if not any(difference.largest for difference in comparison.differences):
        return f"They are equal: the same rates at all {steps}{seen}."
    most = max(difference.largest for difference in comparison.differences)
    return (
        f"They are equal: over {steps} no two rates differ by more than {most:.4g},{seen[1:]}\n"
        f"within the tolerance of {comparison.tolerance:g} of the peak, {comparison.peak:.6g}."
    )


def _remarks(comparison: Comparison) -> list[str]:
    """What a reader must know of how the plans were compared."""
    found: list[str] = []
    total = comparison.total_steps
    for plan, mark in zip(comparison.plans, comparison.marks, strict=True):
        end = plan.total_steps or 0
        if end < total:
            goes_on = f"stays at {plan(end):.6g}" if plan.after.first_step <= end else "goes on as its schedule does"
            found.append(f"{mark} ends at step {end:,} of {total:,}; from there on it {goes_on}.")
    for mark, difference in zip(comparison.marks[1:], comparison.differences, strict=True):
        if difference.looked_at is not None:
            found.append(
                f"{mark}: {difference.looked_at:,} of {total:,} steps were looked at; elsewhere {mark} may "
                "differ earlier, or more."
            )
    lines = [line for remark in found for line in textwrap.wrap(remark, _WIDTH, subsequent_indent="   ")]
    return ["", *lines] if lines else []


def shortened(text: str, most: int) -> str:
    """A text cut to a length; the dots say where."""
    return text if len(text) <= most else text[: most - 3] + "..."


def _columns(rows: Sequence[Sequence[str]], left: int) -> list[str]:
    """Rows as lines; the first `left` columns begin at the left, the others end at the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
