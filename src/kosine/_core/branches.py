"""Plans made from plans: every step before the branch keeps its rate, and the rest is new."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self, TypeGuard

from kosine._core.arguments import read_above, read_count_or_none, read_rate
from kosine._core.counted import CountedRow
from kosine._core.curve import Clock
from kosine._core.curves.cosine import cosine
from kosine._core.curves.hold import Hold, hold
from kosine._core.curves.linear import linear
from kosine._core.curves.one_minus_sqrt import one_minus_sqrt
from kosine._core.durations import Duration, DurationLike, TimeFactor, Units
from kosine._core.evaluate import scalar_function
from kosine._core.fixing import fixed
from kosine._core.groups import Part, Section, is_endless, lasts_for_ever, section
from kosine._core.lengths import Grid, length_of
from kosine._core.numbers import round_half_up
from kosine._core.phase import Phase
from kosine._core.placing import place
from kosine._core.run import RunSize
from kosine._core.time_scaling import longer, without_endpoints
from kosine._core.timeline import PlannedPart, PlannedPhase
from kosine.errors import ArgumentError, ArgumentTypeError, Described, Name, PlanCall, PlanError, ScheduleError, Setting

SHAPES: dict[str, Callable[..., Phase]] = {"one_minus_sqrt": one_minus_sqrt, "linear": linear, "cosine": cosine}
"""The curves of a cooldown."""

Shape = Literal["one_minus_sqrt", "linear", "cosine"]
Way = Literal["stretch", "hold", "meet"]
WAYS: tuple[Way, ...] = ("stretch", "hold", "meet")
"""The ways to make a plan longer."""

Parts = tuple[Part, ...]


class Composed(Protocol):
    """What is made of parts: a schedule, a plan."""

    @property
    def parts(self) -> tuple[Any, ...]: ...


class Branching:
    """What makes a plan from a plan. All steps before `at` have the parent's rates, bit for bit."""

    __slots__ = ()

    if TYPE_CHECKING:
        run: RunSize
        total_steps: int | None
        clipped: tuple[str, ...]
        parts: tuple[PlannedPart, ...]

        def __call__(self, steps: Any) -> Any: ...
        def phase_at(self, step: int) -> PlannedPhase: ...

    @property
    @abstractmethod
    def written_parts(self) -> Parts:
        """The parts of the schedule."""

    @abstractmethod
    def replanned(self, parts: Parts, run: RunSize) -> Self:
        """A plan of other parts, in a run of another length."""

    def scaled_in_time(self, factor: Fraction) -> Self:
        """The plan whose phases, cycles and run last `factor` times as long; its boundaries are rounded as always.

        Raises:
            PlanError: a phase that would last less than a step, or phases that leave none for the "rest".
        """
        run = self.run
        if run.total_steps is not None:
            run = replace(run, total_steps=max(1, round_half_up(run.total_steps * factor)))
        parts = self._fixed() if run.ramped else self.written_parts  # twice the tokens are not twice the steps
        return self.replanned(longer(parts, factor, run), run)

    def until(self, at: DurationLike) -> Self:
        """The plan cut before the step `at`, which is the new length.

        Args:
            at: a step, or a duration such as "30ep", "260Btok" or "60%" of this plan's run; at least 1 step, at most
                the plan's length.

        Raises:
            PlanError: a step outside the plan, or a plan that was cut for a smoke test.

        Example:
            >>> import kosine as ks
            >>> ks.wsd(peak=1e-3, warmup=100, cooldown="20%").plan(total_steps=1000).until(600)
            Schedule(linear(100, start=0.0, to=0.001), hold(500)).plan(total_steps=600)
        """
        step = self._read_at(at)
        return self._planned(self._head(step), step)

    def then(self, *parts: Part | Composed, total_steps: int | None = None) -> Self:
        """The plan, and after its last step further phases.

        Args:
            *parts: phases, groups, sections, schedules and plans; the first phase begins at the rate that the plan has
                come to, unless it has a `start`.
            total_steps: the length of the whole; needed where one of them is a "rest" or a percentage, which is one of
                the whole.

        Raises:
            PlanError: a plan without an end, or a length that is missing or too short.

        Example:
            >>> import kosine as ks
            >>> plan = ks.constant(1e-3).plan(total_steps=600)
            >>> plan.then(ks.linear(200, to=0.0))
            Schedule(hold(600, start=0.001), linear(200, to=0.0)).plan(total_steps=800)
        """
        if self.total_steps is None:
            raise PlanError(
                "A plan without an end has nothing after it.", fix=("Cut it first: ", PlanCall("plan.until(at)"), ".")
            )
        added = tuple(part for each in parts for part in _read_parts(each, "parts"))
        whole = self._planned((*self._head(self.total_steps), *added), read_count_or_none(total_steps, "total_steps"))
        return whole if whole.total_steps is None else self._planned(whole.written_parts, whole.total_steps)

    def cooldown(
        self,
        *,
        at: DurationLike,
        over: DurationLike,
        to: float = 0.0,
        shape: Shape = "one_minus_sqrt",
    ) -> Self:
        """The plan up to the step `at`, then a decay from the rate there: a finished model of an unfinished run.

        Args:
            at: where the decay begins, a step or a duration of this plan's run. A branch wants the stable part: a
                second decay after half of a first one is found by `lint` (K018).
            over: how long it lasts. A percentage is one of the new run: at=6000 and over="20%" make 7,500 steps.
            to: the rate that it ends at.
            shape: its curve; arXiv 2405.18392 found 1 - sqrt the best at 20 % of the run.

        Raises:
            PlanError: a step outside the plan or inside a warm-up, or a cooldown longer than what is left of the run.
            ScheduleError: an end above the rate at `at`.
            ArgumentError: another shape.

        Example:
            >>> import kosine as ks
            >>> plan = ks.wsd(peak=1e-3, warmup=100, cooldown="20%").plan(total_steps=10_000)
            >>> plan.cooldown(at=6000, over=1000)
            Schedule(linear(100, start=0.0, to=0.001), hold(5900), one_minus_sqrt(1000, to=0.0)).plan(total_steps=7000)
        """
        if shape not in SHAPES:
            raise ArgumentError(argument="shape", rule=f"one of {list(SHAPES)}", received=shape)
        step = self._read_at(at)
        self._refuse_a_warmup(step, "A cooldown")
        steps, end = self._share_of_the_new_run(over, step), read_rate(to, "to")
        if self.total_steps is not None and step + steps > self.total_steps:
            left = self.total_steps - step
            raise PlanError(
                f"A cooldown fits into what is left of the run: {left:,} steps after step {step:,}.",
                received={"at": at, "over": over},
                fix=(
                    "Make it shorter, begin it earlier, or make the plan longer first: ",
                    PlanCall('plan.extend(total_steps=..., at=..., how="hold")'),
                    ".",
                ),
            )
        if end > self(step):
            rule = (f"at most {self(step):.6g}, the rate at the step ", Name("at"))
            raise ScheduleError(argument="to", rule=rule, received=to)
        added = SHAPES[shape](steps, start=self._jump_to(step), to=end)
        return self._planned((*self._head(step), added), step + steps)

    def rewarm(
        self,
        *,
        at: DurationLike,
        warmup: DurationLike,
        peak: float,
        then: Part | Composed | Sequence[Part],
        total_steps: int,
    ) -> Self:
        """The plan up to the step `at`, then a linear warm-up to a new peak and what follows: continued pre-training.

        Args:
            at: where the new warm-up begins, a step or a duration of this plan's run.
            warmup: how long it lasts; a percentage is one of the new run.
            peak: the rate that it ends at.
            then: the phase, the list of phases or the schedule after it, such as `ks.cosine(to=1e-5)`.
            total_steps: the length of the whole new run.

        Raises:
            PlanError: a step outside the plan or inside a warm-up, or phases that do not fit into the new run.
            ScheduleError: a peak that is not above 0.

        Example:
            >>> import kosine as ks
            >>> plan = ks.warmup_cosine(peak=1e-3, warmup=100, floor=1e-4).plan(total_steps=6000)
            >>> longer = plan.rewarm(at=6000, warmup=300, peak=8e-4, then=ks.cosine(to=1e-5), total_steps=20_000)
            >>> longer(5999) == plan(5999), longer(6300)
            (True, 0.0008)
        """
        step = self._read_at(at)
        self._refuse_a_warmup(step, "A second warm-up")
        added = (linear(warmup, to=read_above(peak, "peak", 0)), *_read_parts(then, "then"))
        return self._planned((*self._head(step), *added), read_count_or_none(total_steps, "total_steps"))

    def extend(
        self,
        *,
        total_steps: int,
        at: DurationLike,
        how: Way,
        over: DurationLike = "1%",
    ) -> Self:
        """The plan of a longer run of which `at` steps are done.

        Args:
            total_steps: the new length.
            at: how much is done, a step or a duration of this plan's run.
            how: "stretch": what is left takes longer, without a jump. "hold": the rate at `at` stays for as many steps
                as the run is longer, then what was left follows. "meet": the rate warms up, or comes down, to where it
                would be had the schedule been planned for the new length from its start, and goes on from there.
            over: for "meet", how long that takes; a percentage is one of the new run.

        Raises:
            PlanError: a length that is not longer, a step outside the plan, "stretch" and "hold" inside a warm-up, or
                "stretch" of a staircase.
            ArgumentError: another word for `how`.

        Example:
            >>> import kosine as ks
            >>> plan = ks.Schedule(ks.linear(500, start=0.0, to=1e-3), ks.cosine(to=1e-4)).plan(total_steps=10_000)
            >>> longer = plan.extend(total_steps=20_000, at=6000, how="stretch")
            >>> longer(5999) == plan(5999), longer(6000) == plan(6000), longer(20_000)
            (True, True, 0.0001)
        """
        if how not in WAYS:
            raise ArgumentError(argument="how", rule=f"one of {list(WAYS)}", received=how)
        step, total = self._read_at(at), read_count_or_none(total_steps, "total_steps")
        old = self._check_length(step, total, at)
        assert total is not None
        if how == "meet":
            added: Parts = self._met(total, step, over)
        else:
            self._refuse_a_warmup(step, "An extension")
            if how == "hold":
                added = (hold(total - old, start=self._jump_to(step)), *self._tail(step))
            else:
                added = self._stretched(step, Fraction(total - step, old - step))
        return self._planned(_joined(self._head(step), added), total)

    # --- what the ways have in common ---

    def _planned(self, parts: Parts, total_steps: int | None) -> Self:
        return self.replanned(parts, replace(self.run, total_steps=total_steps))

    def _fixed(self) -> Parts:
        """The parts of the schedule in a form that is the same in any run."""
        if self.clipped:
            cut = Described(" ".join(self.clipped))
            raise PlanError("A plan that was cut for a smoke test has no branches.", received=cut)
        return fixed(self.written_parts, self.run)

    def _read_at(self, at: DurationLike) -> int:
        duration = Duration.read(at, "at")
        step = 0 if duration.amount is None else round_half_up(duration.steps(self.run, Fraction(0)))
        if step < 1 or (self.total_steps is not None and step > self.total_steps):
            rule = "a step >= 1"
            if self.total_steps is not None:
                rule = f"a step from 1 to {self.total_steps:,}, the plan's length"
            raise PlanError(argument="at", rule=rule, received=at)
        return step

    def _share_of_the_new_run(self, over: DurationLike, before: int) -> int:
        """A number of steps; a percentage is one of the run that ends with them."""
        read = Duration.read(over, "over")
        if read.amount is None or (read.unit == "%" and read.amount >= 100):
            raise PlanError(argument="over", rule='a number of steps, or less than "100%" of the run', received=over)
        at = Fraction(before)
        exact = at * read.amount / (100 - read.amount) if read.unit == "%" else read.steps(self.run, at)
        if exact < Fraction(1, 2):
            raise PlanError(argument="over", rule="at least one step", received=over)
        return round_half_up(exact)

    def _refuse_a_warmup(self, step: int, what: str) -> None:
        row = self.phase_at(step - 1)
        counted = (part for part in self.parts if isinstance(part, CountedRow))  # such a row is a piece of a phase
        row = next((part for part in counted if part.first_step < step <= part.stop), row)
        if row.stop > step and row.end_lr > row.first_lr:
            raise PlanError(
                f"{what} begins after a warm-up, not inside: the phase `{row.name}` rises up to step {row.stop:,}.",
                received={"at": step},
                fix=("Use ", Setting(f"at={row.stop}"), "."),
            )

    def _check_length(self, step: int, total: int | None, at: DurationLike) -> int:
        """The plan's own length, which the new one is beyond."""
        old = self.total_steps
        if old is None or total is None or total <= old:
            have = "has no end" if old is None else f"has {old:,} steps"
            raise PlanError(
                f"An extension is longer than its plan, which {have}.",
                received={"total_steps": total},
                fix=("Plan the schedule itself for another length, or cut the plan: ", PlanCall("plan.until(at)"), "."),
            )
        if step == old:
            raise PlanError(
                f"An extension begins before the plan's end at step {old:,}.",
                received={"at": at},
                fix=(
                    "After the end go on with ",
                    PlanCall("plan.then(...)"),
                    " or ",
                    PlanCall("plan.rewarm(...)"),
                    ".",
                ),
            )
        return old

    def _head(self, step: int) -> Parts:
        """The parts before a step; only what the cut goes through stands in a section."""
        parts, begin = self._fixed(), Fraction(0)
        for number, (part, end) in enumerate(zip(parts, self._ends(parts), strict=True)):
            if end == step:
                return parts[: number + 1]
            if end is None or end > step:
                if begin.denominator == 1:
                    return (*parts[:number], _cut(part, int(step - begin)))
                return (section(*parts[: number + 1], duration=step),)  # its phases begin between two steps
            begin = end
        if step - begin < Fraction(1, 2):  # the last part ends between two steps
            return (section(*parts, duration=step),)
        return (*parts, hold(step - begin))

    def _jump_to(self, step: int) -> float | None:
        """The rate at a step; None where a phase that begins there has it anyway, as the rate does not jump."""
        before = place(self._head(step), replace(self.run, total_steps=None)).value
        return None if before == self(step) else self(step)

    def _tail(self, step: int) -> Parts:
        """What the plan does from a step on; the rate before it is the one that the plan has there."""
        assert self.total_steps is not None
        parts, begin = self._fixed(), Fraction(0)
        for number, (part, end) in enumerate(zip(parts, self._ends(parts), strict=True)):
            if begin == step:
                return parts[number:]
            if end is None or end > step:
                rest = self._rest_of_part(part, step, begin, end)
                return (
                    (section(*parts, skip=step, duration=self.total_steps - step),)
                    if rest is None
                    else (rest, *parts[number + 1 :])
                )
            begin = end
        return (hold(self.total_steps - step),)

    def _rest_of_part(self, part: Part, step: int, begin: Fraction, end: Fraction | None) -> Part | None:
        """What a part does from a step on; None where that depends on the parts before it."""
        if not isinstance(part, Phase) or begin.denominator != 1:
            return None
        if part.curve.keeps_value:
            return hold() if end is None else hold(end - step)
        if end is None or end.denominator != 1:
            return None
        start = self(int(begin)) if part.start is None else part.start
        return section(replace(part, start=start), skip=int(step - begin), duration=int(end - step))

    def _ends(self, parts: Parts) -> list[Fraction | None]:
        """The exact position at which each part ends; None for a last one that goes on for ever."""
        grid = Grid(Units(self.run), None)
        lengths = [length_of(part, grid) for part in parts if not (is_endless(part) or lasts_for_ever(part))]
        ends: list[Fraction | None] = list(accumulate(lengths))
        return ends if len(ends) == len(parts) else [*ends, None]

    def _stretched(self, step: int, factor: Fraction) -> Parts:
        """What the plan does from a step on, in `factor` times as many steps."""
        assert self.total_steps is not None
        row = self.phase_at(step)
        if row.tick > 1:
            raise PlanError(
                "The stairs of a plan that moves once a tick are not stretched.",
                received={"how": "stretch"},
                fix=("Use ", Setting('how="hold"'), ", or ", Setting('how="meet"'), "."),
            )
        stop = min(row.stop, self.total_steps)
        first = _longer_row(row, step, stop, factor, self._jump_to(step))
        if stop == self.total_steps:
            return first
        parts = self._fixed()
        ends = self._ends(parts)
        after = ends.index(Fraction(stop)) + 1 if stop in ends and ((stop - step) * factor).denominator == 1 else 0
        rest = longer(without_endpoints(parts[after:], Units(self.run)), factor, self.run)
        if after:
            return (*first, *rest)
        return (*first, _continuous(rest, skip=stop * factor, duration=(self.total_steps - stop) * factor))

    def _met(self, total: int, step: int, over: DurationLike) -> Parts:
        """A line to where the rate would be had the schedule been planned for the longer run, and what follows."""
        planned = self._planned(self.written_parts, total)
        steps = round_half_up(Duration.read(over, "over").steps(planned.run, Fraction(step)))
        if steps < 1 or step + steps >= total:
            rule = f"at least 1 step, and fewer than the {total - step:,} that are left"
            raise PlanError(argument="over", rule=rule, received=over)
        return (linear(steps, to=planned(step + steps)), *planned._tail(step + steps))


def _read_parts(value: object, argument: str) -> Parts:
    """A phase, a group, a section, a schedule or a plan, or several phases in a list."""
    if isinstance(value, Branching):
        return value._fixed()
    if isinstance(getattr(value, "parts", None), tuple) and not isinstance(value, Section):
        return _read_parts(value.parts, argument)  # type: ignore[attr-defined]
    listed = tuple(value) if isinstance(value, list | tuple) else (value,)
    for part in listed:
        if not isinstance(part, Part):
            rule = "a phase such as `cosine(to=0.0)`, or a list of phases and groups"
            raise ArgumentTypeError(argument=argument, rule=rule, received=value)
    return listed


def _joined(before: Parts, after: Parts) -> Parts:
    """All parts; a hold that goes on is one hold."""
    while after and _is_hold(before[-1]) and _is_hold(after[0]) and after[0].start is None:
        length = after[0].duration
        if before[-1].duration.amount is not None and length.amount is not None:
            length = Duration("st", before[-1].duration.amount + length.amount)
        before, after = (*before[:-1], replace(before[-1], duration=length)), after[1:]
    return (*before, *after)


def _is_hold(part: Part) -> TypeGuard[Phase]:
    return isinstance(part, Phase) and part.curve.keeps_value and part.duration.unit in ("st", "rest")


def _cut(part: Part, steps: int) -> Part:
    if isinstance(part, Phase) and part.curve.keeps_value:
        return replace(part, duration=Duration.read(steps))
    return section(part, duration=steps)


def _continuous(parts: Parts, skip: Fraction, duration: Fraction) -> Section:
    """Parts that begin between two steps."""
    return Section(parts, Duration("st", skip), Duration("st", duration), Duration.read(1), continuous=True)


def _longer_row(row: PlannedPhase, step: int, stop: int, factor: Fraction, jump: float | None) -> Parts:
    """A phase from a step on, in more steps; it goes on at the rate that it has there."""
    steps = (stop - step) * factor
    if row.curve.keeps_value:
        return (Phase(Hold(), Duration("st", steps), jump, None),)
    clock = row.clock.later(step - row.first_step)
    to = None if row.curve.keeps_pace else clock.to
    curve = row.curve.scaled_in_time(TimeFactor(factor, factor))
    if clock.plain and clock.span == stop - step and steps.denominator == 1:
        return (Phase(curve, Duration("st", steps), jump, to),)
    span = Duration("rest", None) if clock.span is None else Duration("st", clock.span * factor)
    slower, lead = (Phase(curve, span, clock.start, to),), clock.lead * factor
    done = span.amount is not None and lead >= span.amount
    rate, slow = row.value_at(step), Clock(clock.start, clock.to, span.amount, lead)
    if done or abs(scalar_function(curve, slow)(0) - rate) <= math.ulp(rate):
        return (_continuous(slower, skip=lead, duration=steps),)
    # The slower curve rounds its own progress, here to another rate: its first step gets that of the parent.
    if steps < Fraction(3, 2):  # it shows no other
        return (Phase(Hold(), Duration("st", steps), rate, None),)
    return (hold(1, start=rate), _continuous(slower, skip=lead + 1, duration=steps - 1))
