"""What a phase is: one curve over one duration."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Self

from kosine._core.arguments import read_flag, read_rate
from kosine._core.curve import Curve
from kosine._core.durations import Duration, DurationLike
from kosine._core.scaling import Scalable, scaled_rate
from kosine.errors import ScheduleError


@dataclass(frozen=True, slots=True, repr=False)
class Phase(Scalable):
    """One curve over one duration; made by the constructors of `shapes`, never by hand.

    Attributes:
        curve: which curve, with its own arguments.
        duration: how long, or until which position, in steps or in units that a run resolves.
        start: the value at the first step; None: where the last phase ended.
        to: the value that the phase ends at; None: the curve decides.
        endpoint: whether the last step uses `to` exactly, as `numpy.linspace` does.
    """

    curve: Curve
    duration: Duration
    start: float | None
    to: float | None
    endpoint: bool = False

    def __post_init__(self) -> None:
        if self.start is not None:
            self.curve.check(self.start, self.to)

    def __repr__(self) -> str:
        timed = self.duration.amount is not None and not self.duration.until
        written = [written_string(self.duration.written())] if timed else []
        written += [f"{name}={written_string(value)}" for name, value in self.keywords().items()]
        return f"{self.curve.name}({', '.join(written)})"

    def scaled(self, factor: Fraction) -> Self:
        start, to = (None if value is None else scaled_rate(value, factor) for value in (self.start, self.to))
        return replace(self, curve=self.curve.scaled(factor), start=start, to=to)

    def keywords(self) -> dict[str, object]:
        """The keyword arguments that make this phase again."""
        keywords: dict[str, object] = {}
        if self.duration.until:
            keywords["until"] = self.duration.written()
        if self.start is not None:
            keywords["start"] = self.start
        if self.to is not None:
            keywords["to"] = self.to
        keywords.update(self.curve.arguments())
        if self.endpoint:
            keywords["endpoint"] = True
        return keywords


def written_string(value: object) -> str:
    """A value as the text form writes it."""
    return f'"{value}"' if isinstance(value, str) else repr(value)


def new_phase(
    curve: Curve,
    duration: DurationLike,
    start: float | None,
    to: float | None,
    endpoint: bool,
    until: DurationLike | None = None,
) -> Phase:
    return Phase(
        curve,
        Duration.read(duration) if until is None else _until(until, duration),
        None if start is None else read_rate(start, "start"),
        None if to is None else read_rate(to, "to"),
        read_flag(endpoint, "endpoint"),
    )


def _until(until: DurationLike, duration: DurationLike) -> Duration:
    if Duration.read(duration).amount is not None:
        raise ScheduleError(
            "A phase lasts for a duration or until a position.",
            received={"duration": duration, "until": until},
            fix="Leave one of them out.",
        )
    position = Duration.read(until, "until")
    if position.amount is None:
        raise ScheduleError(argument="until", rule='a position, such as 500, "30ep" or "80%"', received=until)
    return replace(position, until=True)
