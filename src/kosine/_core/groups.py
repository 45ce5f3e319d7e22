"""Groups of phases: cycles that repeat, and sections with their own clock."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import NoReturn, Self

from kosine._core.arguments import read_flag, read_integer, read_number, read_rate
from kosine._core.durations import Duration, DurationLike
from kosine._core.foreign_words import translates_foreign_words
from kosine._core.numbers import MAX_STEPS
from kosine._core.phase import Phase, written_string
from kosine._core.scaling import Scalable, scaled_rate
from kosine.errors import ArgumentTypeError, Described, KosineError, ScheduleError, shown

_USUAL = {"stretch": 1, "shrink": 1, "shrink_to": 0, "shrink_power": 0, "count": None}


@dataclass(frozen=True, slots=True, repr=False)
class Cycles(Scalable):
    """A group of phases that repeats; made by `cycles`."""

    phases: tuple[Phase, ...]
    stretch: float = 1.0
    shrink: float = 1.0
    shrink_to: float = 0.0
    shrink_power: float = 0.0
    count: int | None = None

    def __post_init__(self) -> None:
        if not self.phases:
            raise ScheduleError("`cycles` needs at least one phase.")
        for phase in self.phases:
            if not isinstance(phase, Phase):
                raise ArgumentTypeError(
                    '`cycles` takes phases such as `cosine("10ep", to=0.0)`.',
                    received=phase,
                    fix=unpacking_hint(phase, "cycles"),
                )
            if phase.duration.amount is None:
                raise ScheduleError(
                    'A phase inside `cycles` needs a duration other than "rest".',
                    received=phase,
                    fix='Give it, say, "10ep" or "20%".',
                )
            if phase.duration.until:
                raise ScheduleError(
                    "A phase inside `cycles` lasts for a duration: every cycle is in another place.",
                    received=phase,
                    fix='Give it a duration such as "10ep", or write the cycles out.',
                )
            if phase.to is None and not phase.curve.keeps_value:
                raise ScheduleError(
                    "A phase inside `cycles` takes `to`, not `timescale` or `factor`, so that it can be stretched.",
                    received=phase,
                )
        if not any(phase.duration.amount for phase in self.phases):
            raise ScheduleError("A cycle must last at least one step.", received=self)
        # Each cycle is at least as long as the last; with a higher stretch the second would never end.
        stretch = read_number(self.stretch, "stretch", "a number from 1 to 2**63", at_least=1, at_most=MAX_STEPS + 1)
        power = read_number(self.shrink_power, "shrink_power", "a number from 0 to 1000", at_least=0, at_most=1000)
        object.__setattr__(self, "stretch", stretch)
        object.__setattr__(self, "shrink", read_number(self.shrink, "shrink", "in (0, 1]", above=0, at_most=1))
        object.__setattr__(self, "shrink_to", read_rate(self.shrink_to, "shrink_to"))
        object.__setattr__(self, "shrink_power", power)
        if self.count is not None:
            count = read_integer(self.count, "count", "an integer >= 1, or None for ever", at_least=1)
            object.__setattr__(self, "count", count)

    def __repr__(self) -> str:
        written = [repr(phase) for phase in self.phases]
        written += [f"{name}={value!r}" for name, value in self.keywords().items()]
        return f"cycles({', '.join(written)})"

    def scaled(self, factor: Fraction) -> Self:
        phases = tuple(phase.scaled(factor) for phase in self.phases)
        return replace(self, phases=phases, shrink_to=scaled_rate(self.shrink_to, factor))

    def keywords(self) -> dict[str, float | int]:
        """The keyword arguments that differ from their defaults."""
        return {name: value for name, usual in _USUAL.items() if (value := getattr(self, name)) != usual}

    @property
    def shrinks(self) -> bool:
        """Whether a later cycle's peak is lower than the first's."""
        return self.shrink < 1 or self.shrink_power > 0

    @property
    def exact_stretch(self) -> Fraction:
        """The stretch as the decimal fraction that was written: 1.1 is 11/10, not the float nearest to it."""
        return Fraction(repr(self.stretch))


@translates_foreign_words
def cycles(
    *phases: Phase,
    stretch: float = 1,
    shrink: float = 1.0,
    shrink_to: float = 0.0,
    shrink_power: float = 0.0,
    count: int | None = None,
) -> Cycles:
    """A group of phases that repeats: warm restarts (SGDR, arXiv 1608.03983), with or without a warm-up in each.

    Cycle i = 0, 1, 2, ... lasts `stretch**i` times as long as the first, every phase of it in proportion. Its
    values are those of the first cycle, but none is above peak * `shrink**i`, where the peak is the highest value
    of the first cycle; with the other two arguments none is above

        shrink_to + (peak - shrink_to) * shrink**i / (i + 1)**shrink_power

    A group whose first phase has no `start` begins every cycle at the value before the group.

    Args:
        *phases: what one cycle is made of, each with its own duration.
        stretch: the factor by which each cycle is longer than the last (SGDR's T_mult), any number from 1 to 2**63; a
            float means its shortest decimal, so 1.1 is 11/10.
        shrink: the factor by which each cycle's peak is lower than the last, in (0, 1].
        shrink_to: the value that the peaks approach.
        shrink_power: how fast the peaks fall with the number of the cycle, between 0 and 1000.
        count: how many cycles; None: for ever, also past the end of the run.

    Raises:
        ScheduleError: a stretch below 1 or above 2**63, a shrink outside (0, 1], a negative shrink_to or shrink_power,
            no phase, or a phase without a duration.
        ArgumentTypeError: a part that is not a phase, or a number of another type.

    Example:
        >>> import kosine as ks
        >>> group = ks.cycles(ks.linear(2, start=0.0, to=1.0), ks.cosine(8, to=0.0), stretch=2)
        >>> [row.first_step for row in ks.Schedule(group).plan(total_steps=30).phases]
        [0, 2, 10, 14]
    """
    return Cycles(tuple(phases), stretch, shrink, shrink_to, shrink_power, count)


@dataclass(frozen=True, slots=True, repr=False)
class Section(Scalable):
    """Parts with their own clock; made by `section`."""

    parts: tuple[Part, ...]
    skip: Duration
    duration: Duration | None
    tick: Duration
    continuous: bool

    def __post_init__(self) -> None:
        if self.skip.amount is None:
            raise ScheduleError(argument="skip", rule='a duration other than "rest"', received="rest")
        if not self.tick.amount:
            rule = "a positive duration that does not depend on the other parts"
            raise ScheduleError(argument="tick", rule=rule, received=self.tick.written())
        check_parts(self.parts, "section")
        if self.depth > MAX_SECTIONS:
            raise ScheduleError(f"Sections can be nested at most {MAX_SECTIONS} deep.", received=self)
        if self.continuous:
            for phase in phases_of(part for part in self.parts if not isinstance(part, Section)):
                if phase.endpoint:
                    raise ScheduleError(
                        "A continuous section has no last step of a phase that could use the end value: `endpoint` "
                        "must be False in it.",
                        received=phase,
                    )

    def __repr__(self) -> str:
        written = [repr(part) for part in self.parts]
        written += [f"{name}={written_string(value)}" for name, value in self.keywords().items()]
        return f"section({', '.join(written)})"

    def scaled(self, factor: Fraction) -> Self:
        return replace(self, parts=tuple(part.scaled(factor) for part in self.parts))

    def keywords(self) -> dict[str, object]:
        """The keyword arguments that differ from their defaults."""
        keywords: dict[str, object] = {}
        if self.skip != _NO_STEP:
            keywords["skip"] = self.skip.written()
        if self.duration is not None:
            keywords["duration"] = self.duration.written()
        if self.tick != _ONE_STEP:
            keywords["tick"] = self.tick.written()
        if self.continuous:
            keywords["continuous"] = True
        return keywords

    def __getattr__(self, name: str) -> NoReturn:
        fix = " Make a schedule of it first: Schedule(section)." if name in ("plan", *OF_PLANS) else ""
        raise AttributeError(f"A section has no attribute {name!r}.{fix}")

    @property
    def depth(self) -> int:
        """How deep sections are nested here."""
        return 1 + max((part.depth for part in self.parts if isinstance(part, Section)), default=0)

    @property
    def endless(self) -> bool:
        """Whether it goes on for ever, whatever the run."""
        return self.duration is None and (is_endless(self.parts[-1]) or lasts_for_ever(self.parts[-1]))

    @property
    def fills_rest(self) -> bool:
        """Whether it lasts for the rest of the run."""
        if self.duration is not None:
            return self.duration.amount is None
        return not self.endless and any(fills_rest(part) for part in self.parts)


Part = Phase | Cycles | Section


MAX_SECTIONS = 8
"""How deep sections may be nested: text and JSON are read up to a depth."""


_NO_STEP, _ONE_STEP = Duration.read(0), Duration.read(1)


@translates_foreign_words
def section(
    *parts: Part,
    skip: DurationLike = 0,
    duration: DurationLike | None = None,
    tick: DurationLike = 1,
    continuous: bool = False,
) -> Section:
    """Parts with their own clock, which starts at 0 where the section begins.

    A section can enter a schedule late (`skip`), leave it early (`duration`), and count in epochs or make a staircase
    (`tick`). It can also be a curve of continuous time that the steps only sample (`continuous`).

    Args:
        *parts: phases, groups and further sections, in order. A last phase without a duration goes on for ever where
            its values allow it (`hold`, a `timescale`, a `factor`); else a "rest" fills the section or the run.
        skip: how much of the beginning is left out, in whole steps unless it is continuous; the clock starts there.
        duration: how long the section lasts; None: until its parts end, a continuous one as long as a step shows
            them. A longer one holds their end value.
        tick: how long one step of the clock lasts, in whole steps. Durations in steps inside the section count the
            clock's; those in other units are times of the run.
        continuous: False: each phase inside begins at a whole step of the clock, the nearest one. True: a phase that
            begins at the position p, any fraction of a step, and lasts n has u = (t - p) / n at the steps t >= p.

    Raises:
        ScheduleError: no part, a skip or a tick without a length, an `endpoint` in a continuous section, or parts
            that cannot follow each other.
        ArgumentTypeError: a part that is neither a phase nor a group nor a section, or no duration.

    Example:
        >>> import kosine as ks
        >>> by_epochs = ks.section(ks.exponential(start=0.1, factor=0.5), tick="1ep")
        >>> plan = ks.Schedule(by_epochs).plan(epochs=3, steps_per_epoch=100)
        >>> plan(99), plan(100), plan(299)
        (0.1, 0.05, 0.025)
        >>> plan = ks.Schedule(ks.section(ks.linear(10, start=0.0, to=1.0), skip=1)).plan()
        >>> plan(0), plan(8), plan(9)
        (0.1, 0.9, 1.0)
    """
    return Section(
        tuple(parts),
        Duration.read(skip, "skip"),
        None if duration is None else Duration.read(duration, "duration"),
        Duration.read(tick, "tick"),
        read_flag(continuous, "continuous"),
    )


def is_endless(part: Part) -> bool:
    return (isinstance(part, Cycles) and part.count is None) or (isinstance(part, Section) and part.endless)


def lasts_for_ever(part: Part) -> bool:
    """Whether it is a phase without a duration whose values need none, so that it can last for ever."""
    return isinstance(part, Phase) and part.duration.amount is None and not part.curve.needs_span and not part.endpoint


def fills_rest(part: Part) -> bool:
    """Whether it lasts for the rest of the run."""
    if isinstance(part, Phase):
        return part.duration.amount is None
    return isinstance(part, Section) and part.fills_rest


def phases_of(parts: Iterable[Part]) -> Iterator[Phase]:
    """The phases of parts in order, those in groups and sections too."""
    for part in parts:
        if isinstance(part, Phase):
            yield part
        else:
            yield from phases_of(part.phases if isinstance(part, Cycles) else part.parts)


def check_parts(parts: tuple[Part, ...], whole: str) -> None:
    """Raise where the parts of a schedule or a section cannot follow each other."""
    if not parts:
        raise ScheduleError(f"`{whole}` needs at least one phase.")
    rests: list[Part] = []
    for position, part in enumerate(parts):
        if not isinstance(part, Part):
            raise ArgumentTypeError(
                f'`{whole}` takes phases such as `cosine("10ep", to=0.0)`, and groups and sections of them.',
                received=part,
                fix=unpacking_hint(part, whole),
            )
        if is_endless(part):
            if position != len(parts) - 1:
                what, fix = ("group", "`count`, or cut it with `section` and a `duration`")
                if isinstance(part, Section):
                    what, fix = ("section", "`duration`")
                raise ScheduleError(
                    f"An endless {what} must come last: the run never reaches a part after it.",
                    received=Described(f"{shown(part)} as part {position + 1} of {len(parts)}"),
                    fix=f"Give it a {fix}.",
                )
            if rests:
                raise ScheduleError(
                    'A "rest" phase and an endless group cannot be in one schedule: each would fill the rest of the '
                    "run.",
                    received=Described(f"{shown(rests[0])} and {shown(part)}"),
                )
        elif fills_rest(part):
            rests.append(part)
        elif rests and isinstance(part, Phase) and part.duration.until:
            raise ScheduleError(
                'After a "rest" phase a phase lasts for a duration: with `until` each of the two could have the steps '
                "between them.",
                received=Described(f"{shown(rests[0])} and {shown(part)}"),
                fix="Give the first of them an `until`, too.",
            )
    if len(rests) > 1:
        raise ScheduleError(
            'Only one phase of a schedule can last for the "rest" of the run.',
            received=Described(f"{shown(rests[0])} and {shown(rests[1])}"),
            fix="Give one of them a duration.",
        )


_BRANCHES = ("cooldown", "extend", "rewarm", "then", "until")


OF_PLANS = (
    *("after", "cycle_at", "cycle_ends", "draw", "phase_at", "phases", "plot", "run", "save", "total_steps"),
    *_BRANCHES,
)


def unpacking_hint(part: object, whole: str) -> str:
    """What to write instead where phases were handed in as a list or as a schedule."""
    if hasattr(part, "parts"):  # a schedule: a section is a part itself
        return f"Unpack it: {whole}(*schedule.parts, ...)."
    return f"Unpack it: {whole}(*phases)." if isinstance(part, list | tuple) else ""


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The highest value that cycle i of a shrinking group may have: its peak, shrunk i times; never below its floor."""

    group: Cycles
    peak: float
    floor: float
    """The highest low end of a phase that moves; -1 where none does: a group of holds never shrinks to nothing."""

    @classmethod
    def of(cls, group: Cycles, before: float | None) -> Ceiling:
        """The ceiling of `group`, entered from the value `before`; at its floor a moving phase would move no more."""
        values = list(starts_and_ends(group.phases, before))
        moving = [min(ends) for ends in zip(values[::2], values[1::2], strict=True) if ends[0] != ends[1]]
        return cls(group, max(values), max(moving, default=-1.0))

    def raw(self, cycle: int) -> float:
        group = self.group
        share = group.shrink**cycle
        if group.shrink_power:
            share *= (cycle + 1.0) ** -group.shrink_power
        return self.peak * share + group.shrink_to * (1.0 - share) if group.shrink_to else self.peak * share

    def at(self, cycle: int) -> float:
        return max(self.raw(cycle), self.floor)

    def flat(self, cycle: int) -> bool:
        """Whether nothing of the curve is left in this cycle."""
        return self.group.shrinks and self.raw(cycle) <= self.floor

    def check(self, last: int, error: type[KosineError]) -> None:
        """Raise `error` where cycle `last` (counted from 0) has shrunk to nothing."""
        if self.flat(last):
            first = bisect_left(range(last), True, key=self.flat)
            keywords = self.group.keywords().items()
            arguments = ", ".join(f"{name}={value!r}" for name, value in keywords if name.startswith("shrink"))
            raise error(
                f"A cycle shrinks to nothing: with {arguments} the peak {self.peak!r} is {self.raw(first)!r} in cycle "
                f"#{first + 1:,}, not above the floor {self.floor!r}.",
                fix="Use a `shrink` nearer to 1, a smaller `shrink_power`, a lower floor, or fewer cycles.",
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
