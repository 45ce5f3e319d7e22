"""Phases in order, groups of phases that repeat, and the schedule made of them: frozen values that check themselves."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from kosine.durations import MAX_STEPS
from kosine.errors import ArgumentTypeError, KosineError, ScheduleError, shown
from kosine.phases import Phase, read_number

if TYPE_CHECKING:
    from kosine.plan import Plan


@dataclass(frozen=True, slots=True, repr=False)
class Cycles:
    """A group of phases that repeats; made by `cycles`."""

    phases: tuple[Phase, ...]
    stretch: float = 1.0
    shrink: float = 1.0
    count: int | None = None

    def __post_init__(self) -> None:
        if not self.phases:
            raise ScheduleError("`cycles` needs at least one phase. Received: none.")
        for phase in self.phases:
            if not isinstance(phase, Phase):
                raise ArgumentTypeError(
                    f'`cycles` takes phases such as `cosine("10ep", to=0.0)`. Received: {shown(phase)}.'
                )
            if phase.duration.amount is None:
                raise ScheduleError(
                    "A phase inside `cycles` needs a duration of its own: "
                    f'"rest" is only known outside. Received: {phase!r}. Give it, say, "10ep" or "20%".'
                )
            if phase.curve.arguments().get("timescale") is not None:
                raise ScheduleError(
                    "A phase inside `cycles` takes `to`, not `timescale`, so that it can be stretched. "
                    f"Received: {phase!r}."
                )
        if not any(phase.duration.amount for phase in self.phases):
            raise ScheduleError(f"A cycle must last at least one step. Received: {self!r}.")
        object.__setattr__(self, "stretch", read_number(self.stretch, "stretch", "a finite number >= 1"))
        object.__setattr__(self, "shrink", read_number(self.shrink, "shrink", "a number in (0, 1]"))
        if self.stretch < 1:
            raise ScheduleError(
                "Argument `stretch` must be >= 1: a cycle is never shorter than the last. "
                f"Received: stretch={self.stretch!r}."
            )
        if not 0 < self.shrink <= 1:
            raise ScheduleError(f"Argument `shrink` must be in (0, 1]. Received: shrink={self.shrink!r}.")
        if self.count is not None:
            if isinstance(self.count, bool) or not hasattr(self.count, "__index__"):
                raise ArgumentTypeError(
                    f"Argument `count` must be an integer >= 1, or None for ever. Received: count={shown(self.count)}."
                )
            object.__setattr__(self, "count", int(self.count))
            if not 1 <= self.count <= MAX_STEPS:
                raise ScheduleError(
                    f"Argument `count` must be an integer >= 1, or None for ever. Received: count={shown(self.count)}."
                )

    def __repr__(self) -> str:
        written = [repr(phase) for phase in self.phases]
        written += [f"{name}={value!r}" for name, value in self.keywords().items()]
        return f"cycles({', '.join(written)})"

    def keywords(self) -> dict[str, float | int]:
        """The keyword arguments that differ from their defaults."""
        keywords: dict[str, float | int] = {}
        if self.stretch != 1:
            keywords["stretch"] = self.stretch
        if self.shrink != 1:
            keywords["shrink"] = self.shrink
        if self.count is not None:
            keywords["count"] = self.count
        return keywords

    @property
    def exact_stretch(self) -> Fraction:
        """The stretch as the decimal fraction that was written: 1.1 is 11/10, not the float nearest to it."""
        return Fraction(repr(self.stretch))


def cycles(*phases: Phase, stretch: float = 1, shrink: float = 1.0, count: int | None = None) -> Cycles:
    """A group of phases that repeats: warm restarts (SGDR, arXiv 1608.03983), with or without a warm-up in each.

    Cycle i = 0, 1, 2, ... lasts `stretch**i` times as long as the first, every phase of it in proportion. Its
    values are those of the first cycle, but none is above peak * `shrink**i`, where the peak is the highest value
    of the first cycle. A group whose first phase has no `start` begins every cycle at the value that stood before
    the group.

    Args:
        *phases: what one cycle is made of, each with a duration of its own.
        stretch: the factor by which each cycle is longer than the last (SGDR's T_mult), any number >= 1; a float
            means its shortest decimal, so 1.1 is 11/10.
        shrink: the factor by which each cycle's peak is lower than the last, in (0, 1].
        count: how many cycles; None: for ever, also past the end of the run.

    Raises:
        ScheduleError: a stretch below 1, a shrink outside (0, 1], no phase, or a phase without a duration.
        ArgumentTypeError: something that is no phase or no number.

    Example:
        >>> import kosine as ks
        >>> group = ks.cycles(ks.linear(2, start=0.0, to=1.0), ks.cosine(8, to=0.0), stretch=2)
        >>> [row.first_step for row in ks.Schedule(group).plan(total_steps=30).phases]
        [0, 2, 10, 14]
    """
    return Cycles(tuple(phases), stretch, shrink, count)


class Schedule:
    """The learning rate as a value: phases in order, some of them in cycles.

    A schedule is frozen, compares by value, has a hash, and its `repr` is the expression that makes it
    (`kosine.parse` reads it back). It knows no run; `plan` resolves it for one.

    Args:
        *parts: phases and groups of phases (`cycles`), in order.

    Raises:
        ScheduleError: no part, a first phase without a start, two "rest" phases, an endless group that is not
            last or that stands with a "rest", a curve that cannot join its two values, or a finite group whose
            last cycle has shrunk to nothing.
        ArgumentTypeError: a part that is neither a phase nor a group.

    Example:
        >>> import kosine as ks
        >>> lr = ks.Schedule(ks.linear(100, start=0.0, to=1e-3), ks.cosine(to=0.0))
        >>> lr
        Schedule(linear(100, start=0.0, to=0.001), cosine(to=0.0))
        >>> round(lr.plan(total_steps=1000)(550), 9)
        0.0005
    """

    __slots__ = ("_hash", "parts")

    parts: tuple[Phase | Cycles, ...]
    _hash: int

    def __init__(self, *parts: Phase | Cycles) -> None:
        object.__setattr__(self, "parts", parts)
        self._check_parts()
        self._check_values()
        object.__setattr__(self, "_hash", hash((Schedule, parts)))

    def plan(
        self,
        *,
        total_steps: int | None = None,
        epochs: float | None = None,
        steps_per_epoch: int | None = None,
        samples_per_step: int | None = None,
        tokens_per_step: int | None = None,
    ) -> Plan:
        """The schedule resolved for one run: integer step boundaries, ready to evaluate.

        Each boundary is the exact sum of the durations before it, rounded half up once, so rounding never
        drifts. The run's length decides only what "rest" and "%" mean; a schedule with neither needs none.

        Args:
            total_steps: the run's length in steps; or give `epochs` and `steps_per_epoch`.
            epochs: the run's length in epochs; fractions are allowed.
            steps_per_epoch: training batches in an epoch; needed for durations in epochs.
            samples_per_step: training samples in a batch; needed for durations in samples.
            tokens_per_step: training tokens in a batch; needed for durations in tokens.

        Raises:
            PlanError: a length that is needed and missing, two lengths that disagree, no step left for a "rest",
                a positive duration that rounds to no step, or a cycle of the run that has shrunk to nothing.
            ArgumentTypeError: a length that is no number.

        Example:
            >>> import kosine as ks
            >>> lr = ks.warmup_cosine(peak=1e-4, warmup="10ep", warmup_start=4e-6, hold=5)
            >>> lr.plan(epochs=50, steps_per_epoch=788)(7_884)
            0.0001
        """
        from kosine.plan import Plan, read_run

        return Plan(self, read_run(total_steps, epochs, steps_per_epoch, samples_per_step, tokens_per_step))

    def _check_parts(self) -> None:
        if not self.parts:
            raise ScheduleError("`Schedule` needs at least one phase. Received: none.")
        rests: list[Phase] = []
        for position, part in enumerate(self.parts):
            if isinstance(part, Cycles):
                if part.count is None and position != len(self.parts) - 1:
                    raise ScheduleError(
                        "An endless group must stand last: nothing after it is ever reached. "
                        f"Received: {shown(part)} as part {position + 1} of {len(self.parts)}. Give it a `count`."
                    )
                if part.count is None and rests:
                    raise ScheduleError(
                        'A "rest" phase and an endless group cannot stand in one schedule: each would fill what is '
                        f"left of the run. Received: {shown(rests[0])} and {shown(part)}."
                    )
            elif isinstance(part, Phase):
                if part.duration.amount is None:
                    rests.append(part)
            else:
                raise ArgumentTypeError(
                    '`Schedule` takes phases such as `cosine("10ep", to=0.0)` and groups made by `cycles`. '
                    f"Received: {shown(part)}.{_unpacking(part)}"
                )
        if len(rests) > 1:
            raise ScheduleError(
                'Only one phase of a schedule can last for the "rest" of the run. '
                f"Received: {shown(rests[0])} and {shown(rests[1])}. Give one of them a duration."
            )

    def _check_values(self) -> None:
        value: float | None = None
        for position, part in enumerate(self.parts):
            phases = part.phases if isinstance(part, Cycles) else (part,)
            if position == 0 and phases[0].start is None:
                raise ScheduleError(
                    "The first phase of a schedule needs a `start`: there is no value before it. "
                    f"Received: {phases[0]!r}."
                )
            before = value
            for phase in phases:
                start = value if phase.start is None else phase.start
                if start is not None:
                    phase.curve.check(start, phase.to)
                value = start if phase.curve.keeps_value else phase.to  # None: only the run's length tells
            known = before is not None or phases[0].start is not None
            if isinstance(part, Cycles) and known:  # for ever means at least one restart
                Ceiling.of(part, before).check(1 if part.count is None else part.count - 1, ScheduleError)

    def __iter__(self) -> Iterator[Phase | Cycles]:
        return iter(self.parts)

    def __repr__(self) -> str:
        return f"Schedule({', '.join(map(repr, self.parts))})"

    def __eq__(self, other: object) -> bool:
        return self.parts == other.parts if isinstance(other, Schedule) else NotImplemented

    def __hash__(self) -> int:
        return self._hash

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"A Schedule is a frozen value; `{name}` cannot be set. Make a new one.")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"A Schedule is a frozen value; `{name}` cannot be deleted.")

    def __reduce__(self) -> tuple[type[Schedule], tuple[Phase | Cycles, ...]]:
        return Schedule, self.parts


def _unpacking(part: object) -> str:
    """What to write instead where phases were handed in as a list or as a schedule."""
    if isinstance(part, Schedule):
        return " Unpack it: Schedule(*s.parts, ...)."
    return " Unpack it: Schedule(*phases)." if isinstance(part, list | tuple) else ""


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The highest value that cycle i of a shrinking group may have: its peak, shrunk i times; never below its floor."""

    group: Cycles
    peak: float
    floor: float

    @classmethod
    def of(cls, group: Cycles, before: float | None) -> Ceiling:
        """The ceiling of `group`, entered from the value `before`; at its floor a moving phase would move no more."""
        values = list(starts_and_ends(group.phases, before))
        moving = [min(ends) for ends in zip(values[::2], values[1::2], strict=True) if ends[0] != ends[1]]
        return cls(group, max(values), max(moving, default=0.0))

    def raw(self, cycle: int) -> float:
        return self.peak * self.group.shrink**cycle

    def at(self, cycle: int) -> float:
        return max(self.raw(cycle), self.floor)

    def flat(self, cycle: int) -> bool:
        """Whether nothing of the curve is left in this cycle."""
        return self.group.shrink < 1 and self.raw(cycle) <= self.floor

    def check(self, last: int, error: type[KosineError]) -> None:
        """Raise `error` where cycle `last` (counted from 0) has shrunk to nothing."""
        if self.flat(last):
            first = bisect_left(range(last), True, key=self.flat)
            raise error(
                f"A cycle shrinks to nothing: with shrink={self.group.shrink!r} the peak {self.peak!r} is "
                f"{self.raw(first)!r} in cycle #{first + 1:,}, not above the floor {self.floor!r}. "
                "Use a `shrink` nearer to 1, a lower floor, or fewer cycles."
            )


def starts_and_ends(phases: Iterable[Phase], before: float | None) -> Iterator[float]:
    """The resolved start and end value of each phase in turn, entered from the value `before`."""
    value = before
    for phase in phases:
        value = value if phase.start is None else phase.start
        assert value is not None
        yield value
        value = value if phase.to is None else phase.to
        yield value
