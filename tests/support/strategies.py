"""Hypothesis strategies: arbitrary valid schedules, and the run that they can be planned for."""

from __future__ import annotations

from typing import Any

from hypothesis import reject, strategies as st

import kosine as ks

RUN: dict[str, Any] = {
    "total_steps": 10**6,
    "steps_per_epoch": 97,
    "samples_per_step": 32,
    "tokens_per_step": 1000,
    "seconds_per_step": 0.3,
}
"""A run in which every duration of `durations` is at least one step, and a "rest" has room."""

rates = st.just(0.0) | st.floats(1e-12, 10.0)
positive_rates = st.floats(1e-9, 10.0)


def _hundredths(low: int, high: int, unit: str) -> st.SearchStrategy[str]:
    return st.integers(low, high).map(lambda number: f"{number / 100:.2f}{unit}")


fixed_durations: st.SearchStrategy[int | str] = st.one_of(
    st.integers(1, 2000),
    _hundredths(2, 2000, "ep"),
    st.integers(32, 10**5).map(lambda number: f"{number}sp"),
    st.integers(1, 999).map(lambda number: f"{number}ktok"),
    _hundredths(30, 60_000, "s"),
    _hundredths(1, 1000, "min"),
)
durations = fixed_durations | _hundredths(1, 50, "%")

_CURVES = (
    "linear",
    "cosine",
    "hold",
    "polynomial",
    "exponential",
    "inverse_sqrt",
    "one_minus_sqrt",
    "rex",
    "logarithm",
)


@st.composite
def _phase(
    draw: st.DrawFn, duration: int | str, before: float | None, timescale: bool = False
) -> tuple[ks.Phase, float | None]:
    """A phase that may follow the value `before`, and the value that it ends at where that is known."""
    curve = draw(st.sampled_from(_CURVES))
    arguments: dict[str, Any] = {}
    value = before
    if value is None or draw(st.booleans()) or (curve in ("exponential", "inverse_sqrt") and value == 0):
        value = arguments["start"] = draw(positive_rates if curve in ("exponential", "inverse_sqrt") else rates)
    if curve == "hold":
        return ks.hold(duration, **arguments), value
    arguments["endpoint"] = draw(st.booleans())
    if curve == "inverse_sqrt":
        if timescale and draw(st.booleans()):
            return ks.inverse_sqrt(duration, timescale=draw(fixed_durations), **arguments), None
        arguments["to"] = value * draw(st.floats(1e-3, 1.0))
    else:
        arguments["to"] = draw(positive_rates if curve == "exponential" else rates)
    if curve == "polynomial":
        arguments["power"] = draw(st.sampled_from([0.5, 1, 2.0, 3.5]))
    return getattr(ks, curve)(duration, **arguments), arguments["to"]


@st.composite
def _group(
    draw: st.DrawFn, lengths: st.SearchStrategy[int | str], before: float | None, endless: bool
) -> tuple[ks.Cycles, float | None]:
    value = before
    phases = []
    for _ in range(draw(st.integers(1, 3))):
        phase, value = draw(_phase(draw(lengths), value))
        phases.append(phase)
    group = ks.cycles(
        *phases,
        stretch=draw(st.sampled_from([1, 1.1, 1.5, 2])),
        shrink=1.0 if endless else draw(st.sampled_from([1.0, 0.99])),
        count=None if endless else draw(st.integers(1, 4)),
    )
    return group, None


@st.composite
def compositions(draw: st.DrawFn, any_run: bool = False) -> ks.Schedule:
    """Phases and groups in order; with `any_run` without "rest" and "%", so the same in runs of every length."""
    lengths = fixed_durations if any_run else durations
    ending = draw(st.sampled_from(["fixed", "endless"] if any_run else ["fixed", "endless", "rest"]))
    parts: list[ks.Phase | ks.Cycles] = []
    value: float | None = None
    for _ in range(draw(st.integers(0 if ending != "fixed" else 1, 4))):
        part: ks.Phase | ks.Cycles
        if draw(st.integers(0, 3)):
            part, value = draw(_phase(draw(lengths), value, timescale=True))
        else:
            part, value = draw(_group(lengths, value, endless=False))
        parts.append(part)
    if ending == "endless":
        parts.append(draw(_group(lengths, value, endless=True))[0])
    elif ending == "rest":
        parts.append(draw(_phase("rest", value, timescale=True))[0])
    try:
        return ks.Schedule(*parts)
    except ks.ScheduleError as error:
        if "shrinks to nothing" in str(error):
            reject()
        raise


@st.composite
def recipes(draw: st.DrawFn) -> ks.Schedule:
    """The named schedules with arbitrary arguments."""
    peak = draw(positive_rates)
    lower = st.floats(0.0, 0.5).map(lambda share: share * peak)
    warmup: dict[str, Any] = {"warmup": draw(durations), "warmup_start": draw(lower)}
    match draw(st.sampled_from(["constant", "warmup_cosine", "sgdr", "one_cycle", "wsd", "inverse", "step"])):
        case "constant":
            return ks.constant(peak)
        case "warmup_cosine":
            return ks.warmup_cosine(peak, **warmup, hold=draw(durations), floor=draw(lower))
        case "sgdr":
            stretch = draw(st.floats(1.0, 4.0))
            return ks.sgdr(peak, period=draw(durations), stretch=stretch, floor=draw(lower), **warmup)
        case "one_cycle":
            return ks.one_cycle(peak, warmup=draw(durations))
        case "wsd":
            curve = draw(st.sampled_from(["one_minus_sqrt", "linear", "cosine"]))
            return ks.wsd(peak, **warmup, cooldown=draw(durations), floor=draw(lower), curve=curve)
        case "inverse":
            return ks.inverse_sqrt_decay(peak, **{**warmup, "warmup": draw(fixed_durations)})
        case _:
            return ks.step_decay(peak, every=draw(st.integers(2000, 10**5)), factor=draw(st.floats(0.5, 1.0)))


SMALL_RUN: dict[str, Any] = {
    "total_steps": 60,
    "steps_per_epoch": 6,
    "samples_per_step": 8,
    "tokens_per_step": 100,
    "seconds_per_step": 0.25,
}
"""A run that is short enough to look at every step."""

small_durations: st.SearchStrategy[int | str] = st.one_of(
    st.integers(1, 20),
    st.sampled_from(["1ep", "0.5ep", "1.25ep", "100/3st", "2.6st", "7/2st", "20sp", "5%", "450tok"]),
)


@st.composite
def _small_part(draw: st.DrawFn, continuous: bool, depth: int) -> Any:
    """A part whose first phase has a start, so that it can follow any other."""
    low, high = sorted(draw(st.tuples(st.floats(0.01, 1.0), st.floats(0.01, 1.0))))
    low = min(low, high / 2)
    start, to = (low, high) if draw(st.booleans()) else (high, low)
    duration = draw(small_durations)
    endpoint = {} if continuous or draw(st.integers(0, 2)) else {"endpoint": True}
    match draw(st.integers(0, 11 if depth else 9)):
        case 0:
            return ks.linear(duration, start=start, to=to, **endpoint)
        case 1:
            return ks.cosine(duration, start=start, to=to, **endpoint)
        case 2:
            return ks.hold(duration, start=start)
        case 3:
            return ks.polynomial(duration, start=start, to=to, power=2.0, **endpoint)
        case 4:
            return ks.exponential(duration, start=start, factor=0.9, timescale=draw(small_durations))
        case 5:
            return ks.exponential(duration, start=start, to=to, base=4, **endpoint)
        case 6:
            return ks.inverse_time(duration, start=start, timescale=draw(small_durations))
        case 7:
            return ks.cosine(duration, start=start, to=to, power=2.0, warp=1.5, **endpoint)
        case 8:
            return ks.tanh(duration, start=high, to=low, **endpoint)
        case 9:
            return ks.cycles(
                ks.linear(draw(small_durations), start=low, to=high, **endpoint),
                ks.cosine(draw(small_durations), to=low),
                stretch=draw(st.sampled_from([1, 1.5, 2])),
                shrink=draw(st.sampled_from([1.0, 0.99])),
                shrink_to=low,
                shrink_power=draw(st.sampled_from([0.0, 0.1])),
                count=draw(st.integers(1, 4)),
            )
        case _:
            return draw(small_sections(depth - 1, draw(st.sampled_from(["cut", "whole"]))))


_TICKS: tuple[int | str, ...] = (1, 1, 1, 3, "1ep")


@st.composite
def small_sections(draw: st.DrawFn, depth: int, kind: str) -> Any:
    """A section with a clock of its own: cut after a duration, as long as its parts, or for ever."""
    continuous = draw(st.booleans())
    parts = draw(st.lists(_small_part(continuous, depth), min_size=1, max_size=3))
    if kind == "endless":
        last: list[Any] = [
            ks.hold(),
            ks.inverse_sqrt(start=1.0, timescale=7),
            ks.exponential(start=1.0, factor=0.5, timescale="1ep"),
            ks.cycles(ks.cosine("7/2st", start=1.0, to=0.1), ks.linear(2, to=0.5), stretch=1.5),
            ks.cycles(ks.cosine("10/3st", start=1.0, to=0.1), ks.cosine("4/3st", to=1.0)),
            ks.cycles(ks.hold(4, start=1.0), shrink=0.5),
        ]
        parts.append(draw(st.sampled_from(last)))
    return ks.section(
        *parts,
        skip=draw(st.just(0) | small_durations),
        duration=draw(small_durations) if kind == "cut" else None,
        tick=draw(st.sampled_from(_TICKS)),
        continuous=continuous,
    )


@st.composite
def small_schedules(draw: st.DrawFn) -> ks.Schedule:
    """A schedule with sections, for `SMALL_RUN`."""
    parts = draw(st.lists(_small_part(False, 2), max_size=3))
    parts.append(draw(small_sections(1, draw(st.sampled_from(["cut", "whole", "endless"])))))
    return ks.Schedule(*parts)


schedules = compositions() | recipes()
"""Any valid schedule without sections; `RUN` can plan it."""


_exponents = st.sampled_from([0.3, 0.5, 0.9, 1.0, 1.5, 2.0, 3.0, 7.0, 50.0, 1000.0])


@st.composite
def _bent_phase(draw: st.DrawFn, lengths: st.SearchStrategy[int | str], endpoint: bool) -> ks.Phase:
    """A phase of any curve, with any exponents."""
    ends: Any = {"start": draw(rates), "to": draw(rates)}
    ends |= {"endpoint": True} if endpoint and draw(st.booleans()) else {}
    high = draw(positive_rates)
    above_0: Any = {**ends, "start": high, "to": high * draw(st.floats(1e-6, 1.0))}
    match draw(st.integers(0, 11)):
        case 0 | 1:
            return ks.cosine(draw(lengths), power=draw(_exponents), warp=draw(_exponents), **ends)
        case 2 | 3:
            return ks.polynomial(draw(lengths), power=draw(_exponents), warp=draw(_exponents), **ends)
        case 4:
            return ks.exponential(draw(lengths), base=draw(st.sampled_from([1.001, 2, 1e4, 1e25])), **ends)
        case 5:
            return ks.exponential(draw(lengths), start=high, factor=draw(st.sampled_from([0.5, 0.9, 0.9999])))
        case 6:
            return draw(st.sampled_from([ks.inverse_sqrt, ks.inverse_time, ks.exponential]))(draw(lengths), **above_0)
        case 7:
            falling = draw(st.sampled_from([ks.inverse_sqrt, ks.inverse_time]))
            return falling(draw(lengths), start=high, timescale=draw(lengths))
        case 8:
            return ks.one_minus_sqrt(draw(lengths), **ends)
        case 9:
            return ks.rex(draw(lengths), bend=draw(st.sampled_from([0, 0.5, 0.9, 0.99999])), **ends)
        case 10:
            return ks.logarithm(draw(lengths), base=draw(st.sampled_from([1.001, 2, 1e4, 1e15])), **ends)
        case _:
            lower = draw(st.floats(-19.0, 15.0))
            return ks.tanh(draw(lengths), lower=lower, upper=lower + draw(st.floats(0.1, 5.0)), **ends)


@st.composite
def bent_schedules(draw: st.DrawFn, longest: int) -> ks.Schedule:
    """Curves with any exponents in cycles and in sections that begin at parts of a step, as they need no run."""
    whole = st.integers(1, longest)
    lengths: st.SearchStrategy[int | str] = whole | st.builds("{}/{}st".format, whole, st.integers(2, 9))
    parts: list[Any] = []
    for _ in range(draw(st.integers(1, 2))):
        kind = draw(st.sampled_from(["phase", "cycles", "section"]))
        continuous = kind == "section" and draw(st.booleans())
        part: Any = draw(_bent_phase(lengths, endpoint=not continuous))
        if part.to is not None and (kind == "cycles" or (kind == "section" and draw(st.booleans()))):
            down_to_0 = not part.to or not part.start  # else the later cycles could shrink to nothing
            shrink_power = draw(st.sampled_from([0.0, 0.3])) if down_to_0 else 0.0
            stretch, count = draw(st.sampled_from([1, 1.01, 2])), draw(st.integers(1, 9))
            part = ks.cycles(part, stretch=stretch, shrink_power=shrink_power, count=count)
        if kind == "section":
            tick = draw(st.sampled_from([1, 1, 7]))
            part = ks.section(part, skip=draw(st.just(0) | lengths), tick=tick, continuous=continuous)
        parts.append(part)
    return ks.Schedule(*parts)
