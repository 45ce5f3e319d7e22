"""How a program finds the cycle of a step: by integers, so that it is right at every restart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd

from kosine._core.numbers import MAX_STEPS
from kosine._export.formulas import Language, is_smooth, reaches_end
from kosine._export.outline import Levels, Loop, Outline, Turn
from kosine._export.printing import WIDTH, atom, call, indented, integer, number, plus, power, statement
from kosine._export.progress import Course, Distance
from kosine.errors import PlanError


@dataclass(frozen=True, slots=True)
class Beat:
    """One phase of the cycle that was found. It lasts as long as `until` holds; without a course it is constant."""

    turn: Turn
    until: str
    course: Course | None
    guarded: bool = False
    """Whether its last step has the end value, which the formula does not have there."""


@dataclass(frozen=True, slots=True)
class Found:
    """The constants and lines that find the cycle, and its phases in order."""

    constants: list[str]
    lines: list[str]
    beats: list[Beat]
    cycle: str
    """The number of the cycle, as text."""


def find(loop: Loop, outline: Outline, language: Language, target: str, place: int) -> Found:
    """How to find the cycle of `step`.

    Args:
        loop: the group.
        outline: what it stands in.
        language: what the program is written in.
        target: the target's name, for messages.
        place: which group of the program it is, from 0: the names of its constants carry it.
    """
    suffix = f"_{place + 1}" if place else ""
    if loop.stretch == 1:
        if loop.whole:
            return _equal(loop, outline, language, suffix)
        write = _sampled if loop.group.continuous else _rounded
        return write(loop, outline, language, target)
    if loop.whole and not language.arrays:
        return _growing(loop, outline, suffix)
    return _listed(loop, outline, language, target, suffix)


def _clock(loop: Loop, outline: Outline, origin: int = 0) -> str:
    """The steps of the group's own clock since `origin`."""
    view = loop.group.section
    if view.tick == 1:
        return outline.since("step", view.base + origin)
    return plus(f"{atom(outline.since('step', view.base))} // {integer(view.tick)}", -origin)


def _before(loop: Loop, language: Language) -> bool:
    """Whether the program sees steps before the first cycle: in an array those are told apart only later."""
    return language.arrays and loop.group.boundary(0) > 0


def _from_start(loop: Loop, steps: str, language: Language) -> str:
    """Steps since the first cycle began; those before it count as 0."""
    return language.call("maximum", steps, "0") if _before(loop, language) else steps


def _equal(loop: Loop, outline: Outline, language: Language, suffix: str) -> Found:
    """Cycles of equal whole length."""
    period, length = f"PERIOD{suffix}", int(loop.length)
    beats = []
    for turn in loop.turns:
        begin, end = int(turn.begin), int(turn.end)
        stop = period if end == length else integer(end)
        whole = period if end - begin == length else integer(end - begin)
        t = _inside("t", turn, integer(begin), f"{stop} - 1" if turn.endpoint else stop, loop, language)
        if turn.flat:
            beats.append(Beat(turn, f"t < {stop}", None))
        elif not turn.endpoint:
            course = Course(Distance(plus(t, -begin)), Distance(f"{stop} - {t}"), Distance(whole))
            beats.append(Beat(turn, f"t < {stop}", course))
        else:
            apart = not reaches_end(turn.curve)  # the last step is a constant of its own
            course = Course(Distance(plus(t, -begin)), Distance(f"{stop} - 1 - {t}"), Distance(f"{whole} - 1"))
            beats.append(Beat(turn, f"t < {stop} - 1" if apart else f"t < {stop}", course))
            if apart:
                beats.append(Beat(turn, f"t < {stop}", None))
    steps = _from_start(loop, _clock(loop, outline, loop.whole_origin), language)
    return Found([f"{period} = {integer(length)}"], _divided(loop, steps, period, language), beats, "cycle")


def _inside(steps: str, turn: Turn, first: str, last: str, loop: Loop, language: Language) -> str:
    """The steps in a cycle, for the formula of one of its phases; in an array, no others than those of the phase."""
    if not language.arrays or len(loop.turns) == 1 or is_smooth(turn.curve):
        return steps
    return language.call("clip", steps, first, last)


def _divided(loop: Loop, steps: str, length: str, language: Language) -> list[str]:
    """The number of the cycle and the steps in it, as far as they are needed."""
    cycle, inside = f"cycle = {atom(steps)} // {length}", f"t = {atom(steps)} % {length}"
    if not loop.shrinks:
        return [inside]
    if len(loop.turns) == 1 and loop.turns[0].flat:
        return [cycle]
    return [cycle, inside] if language.arrays else [f"cycle, t = divmod({steps}, {length})"]


def _check_product(loop: Loop, outline: Outline, unit: int, language: Language, target: str) -> None:
    """Raise PlanError where the run, counted in parts of a step, has more of them than the target can count."""
    total = outline.plan.total_steps if loop.stop is None else loop.stop
    largest = 2**31 - 1 if language.single else MAX_STEPS
    if language.arrays and unit * max(total or 0, abs(int(loop.group.origin)), int(loop.length)) > largest:
        raise PlanError(
            f"Target {target!r} counts up to {largest:,}, and cannot express {loop.name}, whose length in "
            f"steps is a fraction with the denominator {loop.length.denominator:,}. Use the target 'python' or 'torch'."
        )


def _rounded(loop: Loop, outline: Outline, language: Language, target: str) -> Found:
    """Cycles of equal length that is no whole number: cycle i begins at (a * i + b) // c, all integers."""
    group = loop.group
    edges = [loop.turns[0].begin, *(turn.end for turn in loop.turns)]
    unit = 2 * math.lcm(*(value.denominator for value in (group.origin, *edges)))
    grow = int(loop.length * unit)
    starts = [int((group.origin + edge + Fraction(1, 2)) * unit) for edge in edges]
    common = gcd(grow, unit)
    grow, unit, starts = grow // common, unit // common, [start // common for start in starts]
    _check_product(loop, outline, unit, language, target)
    own = _clock(loop, outline)
    lines = [f"n = {own}"] if own != "step" else []
    n = "n" if lines else "step"
    cycle = f"{atom(plus(f'{integer(unit)} * {n}', unit - 1 - starts[0]))} // {integer(grow)}"
    before = _before(loop, language)
    lines.append(f"cycle = {language.call('maximum', cycle, '0') if before else cycle}")
    names = ["first", *(f"edge_{number}" for number in range(1, len(loop.turns))), "stop"]
    for name, start in zip(names, starts, strict=True):
        lines.append(f"{name} = {atom(plus(f'{integer(grow)} * cycle', start))} // {integer(unit)}")
    if before:
        lines.append(f"n = {language.call('maximum', n, 'first')}")
        n = "n"
    beats = [
        _variable(
            turn,
            f"{n} < {stop}",
            _inside(n, turn, first, f"{stop} - 1" if turn.endpoint else stop, loop, language),
            first,
            stop,
            language,
        )
        for turn, first, stop in zip(loop.turns, names, names[1:], strict=False)
    ]
    return Found([], lines, beats, "cycle")


def _sampled(loop: Loop, outline: Outline, language: Language, target: str) -> Found:
    """Cycles of equal length in continuous time: the steps counted in parts of a step, so that all are integers."""
    group = loop.group
    unit = math.lcm(*(value.denominator for value in (group.origin, *(turn.end for turn in loop.turns))))
    _check_product(loop, outline, unit, language, target)
    own = _clock(loop, outline)
    steps = own if unit == 1 else f"{integer(unit)} * {atom(own)}"
    steps = _from_start(loop, plus(steps, -int(group.origin * unit)), language)
    beats = []
    for turn in loop.turns:
        begin, end = int(turn.begin * unit), int(turn.end * unit)
        t = _inside("t", turn, integer(begin), integer(end), loop, language)
        course = Course(Distance(plus(t, -begin)), Distance(f"{integer(end)} - {t}"), Distance(integer(end - begin)))
        beats.append(Beat(turn, f"t < {integer(end)}", None if turn.flat else course))
    return Found([], _divided(loop, steps, integer(int(loop.length * unit)), language), beats, "cycle")


def _growing(loop: Loop, outline: Outline, suffix: str) -> Found:
    """Cycles that grow by a whole factor: past cycles are taken off, at most 63 of them."""
    period, factor = f"PERIOD{suffix}", integer(int(loop.stretch))
    start, one = _clock(loop, outline, loop.whole_origin), len(loop.turns) == 1
    variable, begins, length = ("length", period, "length") if one else ("growth", "1", f"{period} * growth")
    counter = (", cycle", ", 0", ", cycle + 1") if loop.shrinks else ("", "", "")
    lines = [
        f"t, {variable}{counter[0]} = {start}, {begins}{counter[1]}",
        f"while t >= {length}:",
        f"    t, {variable}{counter[0]} = t - {length}, {factor} * {variable}{counter[2]}",
    ]
    beats = []
    for turn in loop.turns:
        begin, end = int(turn.begin), int(turn.end)
        stop = length if end == loop.length else f"{integer(end)} * growth"
        first = f"{integer(begin)} * growth" if begin else "0"
        beats.append(_variable(turn, f"t < {stop}", "t", first, stop, Language(), f"{integer(end - begin)} * growth"))
    return Found([f"{period} = {integer(int(loop.length))}"], lines, beats, "cycle")


@dataclass(frozen=True, slots=True)
class _Names:
    """The tables of a group whose cycles are listed."""

    stretch: str
    scale: str
    scales: str
    offset: str
    positions: str
    firsts: str
    leads: str


def _listed(loop: Loop, outline: Outline, language: Language, target: str, suffix: str) -> Found:
    """Cycles that grow otherwise: their exact positions are worked out once, when the program is loaded."""
    columns = ("STRETCH", "SCALE", "SCALES", "OFFSET", "POSITIONS", "FIRST_STEPS", "LEADS")
    names = _Names(*(f"{column}{suffix}" for column in columns))
    sampled = loop.group.continuous and not loop.whole
    largest = None if not language.arrays else 2**31 - 1 if language.single else MAX_STEPS
    constants = _tables(loop, loop.cycles_listed(outline.plan, target, largest), names, sampled, language)
    own = _clock(loop, outline)
    n = "step" if own == "step" and not language.arrays else "n"
    lines = [] if n == "step" else [f"n = {own}"]
    moving = any(not turn.flat for turn in loop.turns)
    if language.arrays:
        lines = [f"n = {language.call('clip', own, f'{names.firsts}[0]', f'{names.firsts}[-1] - 1')}"]
        above, searched = language.search(names.firsts, n)
        lines += [*above, f"index = {searched} - 1"]
        wanted = [("first", names.firsts, ""), ("stop", names.firsts, " + 1")] if moving else []
        wanted += [("lead", names.leads, ""), ("next_lead", names.leads, " + 1")] if moving and sampled else []
        lines += [f"{name} = {language.call('take', table, f'index{shift}')}" for name, table, shift in wanted]
    else:
        table = names.positions if sampled else names.firsts
        lines.append(f"index = bisect_right({table}, {n}) - 1")
        ends = "begin, end" if sampled else "first, stop"
        lines += [f"{ends} = {table}[index : index + 2]"] if moving else []
    turns = len(loop.turns)
    if turns > 1 and loop.shrinks and not language.arrays:
        lines.append(f"cycle, phase = divmod(index, {turns})")
    elif turns > 1:
        lines += [f"cycle = index // {turns}"] if loop.shrinks else []
        lines.append(f"phase = index % {turns}")
    beats = [_row(turn, f"phase < {place + 1}", n, sampled, loop, language) for place, turn in enumerate(loop.turns)]
    return Found(constants, lines, beats, "cycle" if turns > 1 else "index")


def _tables(loop: Loop, cycles: int, names: _Names, sampled: bool, language: Language) -> list[str]:
    """The exact positions of the phases, scale * stretch**cycle + base, and the steps at which they begin."""
    past = loop.length / (loop.stretch - 1)
    scales, base = [past + turn.begin for turn in loop.turns], loop.group.origin - past
    whole = loop.stretch.denominator == 1
    constants: list[str] = []
    stretch = _constant(loop.stretch, names.stretch, constants)
    clauses = [f"for cycle in range({integer(cycles + 1)})"]
    if len(scales) == 1:
        scale = _constant(scales[0], names.scale, constants)
    else:
        scale, texts = "scale", [_exact(value) for value in scales]
        listed = f"({', '.join(texts)})"
        if any(value.denominator > 1 for value in scales):
            listed = names.scales
            constants += call(f"{listed} = (", texts, 0)
        clauses.append(f"for scale in {listed}")
    position = f"{scale} * {power(stretch, 'cycle')}"
    if base:
        back = scale if [-base] == scales else _constant(abs(base), names.offset, constants)
        position += f" {'+' if base > 0 else '-'} {back}"
    if not sampled:
        exact = whole and all(value.denominator == 1 for value in (base, *scales))
        step = position if exact else f"floor({position} + Fraction(1, 2))"
        constants += _comprehension(names.firsts, step, clauses)
    else:
        constants += _comprehension(names.positions, position, clauses)
    if language.arrays and sampled:
        constants += _comprehension(names.firsts, "ceil(position)", [f"for position in {names.positions}"])
        pairs = f"for first, position in zip({names.firsts}, {names.positions}, strict=True)"
        constants += _comprehension(names.leads, "float(first - position)", [pairs])
        constants.append(f'{names.leads} = np.array({names.leads}, "float{32 if language.single else 64}")')
    if language.arrays:
        constants.append(f'{names.firsts} = np.array({names.firsts}, "int{32 if language.single else 64}")')
    return constants


def _row(turn: Turn, until: str, n: str, sampled: bool, loop: Loop, language: Language) -> Beat:
    """A phase whose beginning and end were found in a table."""
    if turn.flat:
        return Beat(turn, until, None)
    if not sampled:
        # An array's steps are worked out for every phase, so the span of each must be one that all can have.
        shortest = min(turn.end - turn.begin for turn in loop.turns) if language.arrays else None
        return _variable(turn, until, n, "first", "stop", language, shortest=shortest)
    if language.arrays:
        done, left = Distance(f"{n} - first", "+ lead"), Distance(f"stop - {n}", "- next_lead")
        return Beat(turn, until, Course(done, left, Distance("stop - first", "+ lead - next_lead"), False))
    done, left = Distance(f"float({n} - begin)"), Distance(f"float(end - {n})")
    return Beat(turn, until, Course(done, left, Distance("float(end - begin)"), False))


def _exact(value: Fraction) -> str:
    if value.denominator == 1:
        return integer(value.numerator)
    return f"Fraction({integer(value.numerator)}, {integer(value.denominator)})"


def _constant(value: Fraction, name: str, constants: list[str]) -> str:
    """A whole number as it is, a fraction by a name, which is added to the constants."""
    if value.denominator > 1:
        constants.append(f"{name} = {_exact(value)}")
    return integer(value.numerator) if value.denominator == 1 else name


def _comprehension(name: str, item: str, clauses: Sequence[str]) -> list[str]:
    inner = f"{item} {' '.join(clauses)}"
    if len(f"{name} = [{inner}]") <= WIDTH:
        return [f"{name} = [{inner}]"]
    return [f"{name} = [", *indented([inner] if len(inner) <= WIDTH - 4 else [item, *clauses]), "]"]


def _variable(
    turn: Turn,
    until: str,
    n: str,
    first: str,
    stop: str,
    language: Language,
    length: str | None = None,
    shortest: Fraction | None = None,
) -> Beat:
    """A phase from the step `first` to before the step `stop`, both worked out by the program.

    `shortest` is the least that the two can be apart; None: what the phase lasts in the first cycle.
    """
    if turn.flat:
        return Beat(turn, until, None)
    begun = n if first == "0" else f"{n} - {first}"
    span = stop if first == "0" else length if length is not None else f"{stop} - {first}"
    if not turn.endpoint:
        return Beat(turn, until, Course(Distance(begun), Distance(f"{stop} - {n}"), Distance(span), False))
    left = f"{stop} - 1 - {n}"
    if (turn.end - turn.begin if shortest is None else shortest) >= 2:
        course = Course(Distance(begun), Distance(left), Distance(f"{span} - 1"), False)
    else:  # a phase of one step: nothing is left, and all of one step is done
        larger = language.larger(f"{span} - 1", "1")
        course = Course(Distance(f"{larger} - ({left})"), Distance(left), Distance(larger), False)
    return Beat(turn, until, course, not reaches_end(turn.curve))


def table_of(piece: Levels, outline: Outline, place: int) -> tuple[str, str, tuple[list[str], list[str]]]:
    """Constants as a table: the names of its two columns, and what stands in them: where each but the first begins, and
    the rates.
    """
    suffix = f"_{place + 1}" if place else ""
    steps = [integer(level.first) for level in piece.levels[1:]]
    return f"BOUNDARIES{suffix}", f"RATES{suffix}", (steps, [outline.value(level.value) for level in piece.levels])


# --- peaks ------------------------------------------------------------------------------------------------------


def peak(
    loop: Loop, outline: Outline, language: Language, cycle: str, indent: int, prefix: str = "peak = "
) -> list[str]:
    """The lines that work out the highest rate of the cycle; none where it is the same in every one."""
    part, ceiling = loop.group.part, loop.group.ceiling
    if not loop.shrinks:
        return []
    lines, low, high = [], outline.value(part.shrink_to), outline.value(loop.peak)
    if language.casts:
        lines, cycle = [f"count = {language.cast(cycle)}"], "count"
    text = high if not part.shrink_to else f"({high} - {low})"
    if part.shrink < 1:
        text += language.times_power(part.shrink, cycle)
    if part.shrink_power:
        text += f" / {power(f'({cycle} + 1)', number(part.shrink_power))}"
    if part.shrink_to:
        text = f"{low} + {text}"
    if part.count is not None or ceiling.floor <= part.shrink_to:
        return [*lines, *statement(prefix, text, indent)]
    limited = f"{prefix}{language.larger(text, outline.value(ceiling.floor))}"
    if len(limited) <= WIDTH - indent:
        return [*lines, limited]
    limited = f"{prefix}{language.larger('peak', outline.value(ceiling.floor))}"
    return [*lines, *statement("peak = ", text, indent), limited]


def rate(loop: Loop, outline: Outline, language: Language, value: float) -> str:
    """A rate of the first cycle as it is in every one: lowered to the cycle's peak where it would be above it."""
    if not loop.shrinks:
        return outline.value(value)
    if value == loop.peak:
        return "peak"
    lowered = value > loop.lowest_peak
    return language.smaller(outline.value(value), "peak") if lowered else outline.value(value)
