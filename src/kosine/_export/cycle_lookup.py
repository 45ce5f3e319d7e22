"""How a program finds the cycle of a step: by integers, so that it is right at every restart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd

from kosine._core.code import atom, integer, number, plus, power
from kosine._core.numbers import MAX_STEPS
from kosine._export.languages import PYTHON, TargetLanguage
from kosine._export.outline import CyclePhase, CyclesPiece, Outline, TablePiece
from kosine._export.printing import WIDTH, indented, statement
from kosine._export.progress import Progress, StepCount
from kosine.errors import PlanError


@dataclass(frozen=True, slots=True)
class PhaseBranch:
    """One phase of the cycle that was found, a branch of the program.

    It lasts as long as `until` holds; without a `progress` it is constant.
    """

    phase: CyclePhase
    until: str
    progress: Progress | None
    guarded: bool = False
    """Whether its last step has the end value, which the formula does not have there."""


@dataclass(frozen=True, slots=True)
class CycleCode:
    """The constants and lines of a program that find the cycle, and its phases in order."""

    constants: list[str]
    lines: list[str]
    branches: list[PhaseBranch]
    cycle: str
    """The number of the cycle, as text."""


def find_cycle(cycles: CyclesPiece, outline: Outline, language: TargetLanguage, target: str, place: int) -> CycleCode:
    """How to find the cycle of `step`.

    Args:
        cycles: the group.
        outline: the outline that has it.
        language: what the program is written in.
        target: the target's name, for messages.
        place: which group of the program it is, from 0: the names of its constants carry it.
    """
    suffix = f"_{place + 1}" if place else ""
    if cycles.stretch == 1:
        if cycles.whole:
            return _equal_whole(cycles, outline, language, suffix)
        write = _equal_continuous if cycles.group.continuous else _equal_rounded
        return write(cycles, outline, language, target)
    if cycles.whole and not language.arrays:
        return _growing_whole(cycles, outline, suffix)
    return _listed(cycles, outline, language, target, suffix)


def _clock(cycles: CyclesPiece, outline: Outline, origin: int = 0) -> str:
    """The steps of the group's own clock since `origin`."""
    view = cycles.group.section
    if view.tick == 1:
        return outline.since("step", view.base + origin)
    return plus(f"{atom(outline.since('step', view.base))} // {integer(view.tick)}", -origin)


def _before(cycles: CyclesPiece, language: TargetLanguage) -> bool:
    """Whether the program sees steps before the first cycle: an array program separates those only later."""
    return language.arrays and cycles.group.boundary(0) > 0


def _from_start(cycles: CyclesPiece, steps: str, language: TargetLanguage) -> str:
    """Steps since the first cycle began; those before it count as 0."""
    return language.call("maximum", steps, "0") if _before(cycles, language) else steps


def _equal_whole(cycles: CyclesPiece, outline: Outline, language: TargetLanguage, suffix: str) -> CycleCode:
    """Cycles of equal whole length."""
    period, length = f"PERIOD{suffix}", int(cycles.length)
    branches = []
    for phase in cycles.phases:
        begin, end = int(phase.begin), int(phase.end)
        stop = period if end == length else integer(end)
        whole = period if end - begin == length else integer(end - begin)
        t = _inside("t", phase, integer(begin), f"{stop} - 1" if phase.endpoint else stop, cycles, language)
        if phase.flat:
            branches.append(PhaseBranch(phase, f"t < {stop}", None))
        elif not phase.endpoint:
            progress = Progress(StepCount(plus(t, -begin)), StepCount(f"{stop} - {t}"), StepCount(whole))
            branches.append(PhaseBranch(phase, f"t < {stop}", progress))
        else:
            apart = not phase.curve.reaches_end  # the last step is a separate constant
            progress = Progress(StepCount(plus(t, -begin)), StepCount(f"{stop} - 1 - {t}"), StepCount(f"{whole} - 1"))
            branches.append(PhaseBranch(phase, f"t < {stop} - 1" if apart else f"t < {stop}", progress))
            if apart:
                branches.append(PhaseBranch(phase, f"t < {stop}", None))
    steps = _from_start(cycles, _clock(cycles, outline, cycles.whole_origin), language)
    return CycleCode([f"{period} = {integer(length)}"], _divided(cycles, steps, period, language), branches, "cycle")


def _inside(steps: str, phase: CyclePhase, first: str, last: str, cycles: CyclesPiece, language: TargetLanguage) -> str:
    """The steps in a cycle, for the formula of one of its phases; in an array, no others than those of the phase."""
    if not language.arrays or len(cycles.phases) == 1 or phase.curve.is_smooth:
        return steps
    return language.call("clip", steps, first, last)


def _divided(cycles: CyclesPiece, steps: str, length: str, language: TargetLanguage) -> list[str]:
    """The lines for the number of the cycle and for the steps in it, where the rate depends on them."""
    cycle, inside = f"cycle = {atom(steps)} // {length}", f"t = {atom(steps)} % {length}"
    if not cycles.shrinks:
        return [inside]
    if len(cycles.phases) == 1 and cycles.phases[0].flat:
        return [cycle]
    return [cycle, inside] if language.arrays else [f"cycle, t = divmod({steps}, {length})"]


def _check_product(cycles: CyclesPiece, outline: Outline, unit: int, language: TargetLanguage, target: str) -> None:
    """Raise PlanError where the run, counted in parts of a step, has more of them than the target can count."""
    total = outline.plan.total_steps if cycles.stop is None else cycles.stop
    largest = 2**31 - 1 if language.single else MAX_STEPS
    if language.arrays and unit * max(total or 0, abs(int(cycles.group.origin)), int(cycles.length)) > largest:
        raise PlanError(
            f"Target {target!r} counts up to {largest:,}, and cannot express {cycles.name}, whose length in steps is a "
            f"fraction with the denominator {cycles.length.denominator:,}.",
            fix="Use the target 'python' or 'torch'.",
        )


def _equal_rounded(cycles: CyclesPiece, outline: Outline, language: TargetLanguage, target: str) -> CycleCode:
    """Cycles of an equal length with a fraction: cycle i begins at (a * i + b) // c, all integers."""
    group = cycles.group
    edges = [cycles.phases[0].begin, *(phase.end for phase in cycles.phases)]
    unit = 2 * math.lcm(*(value.denominator for value in (group.origin, *edges)))
    # Counted in parts of a step, 1 / unit each, all is whole. Rounding a position half up is floor(position + 1/2), one
    # integer division; the cycle of a step is the last one whose rounded beginning is not above it, another. Neither
    # can be off at a restart, as a division of floats can.
    grow = int(cycles.length * unit)
    starts = [int((group.origin + edge + Fraction(1, 2)) * unit) for edge in edges]
    common = gcd(grow, unit)
    grow, unit, starts = grow // common, unit // common, [start // common for start in starts]
    _check_product(cycles, outline, unit, language, target)
    own = _clock(cycles, outline)
    lines = [f"n = {own}"] if own != "step" else []
    n = "n" if lines else "step"
    cycle = f"{atom(plus(f'{integer(unit)} * {n}', unit - 1 - starts[0]))} // {integer(grow)}"
    before = _before(cycles, language)
    lines.append(f"cycle = {language.call('maximum', cycle, '0') if before else cycle}")
    names = ["first", *(f"edge_{number}" for number in range(1, len(cycles.phases))), "stop"]
    for name, start in zip(names, starts, strict=True):
        lines.append(f"{name} = {atom(plus(f'{integer(grow)} * cycle', start))} // {integer(unit)}")
    if before:
        lines.append(f"n = {language.call('maximum', n, 'first')}")
        n = "n"
    branches = [
        _variable(
            phase,
            f"{n} < {stop}",
            _inside(n, phase, first, f"{stop} - 1" if phase.endpoint else stop, cycles, language),
            first,
            stop,
            language,
        )
        for phase, first, stop in zip(cycles.phases, names, names[1:], strict=False)
    ]
    return CycleCode([], lines, branches, "cycle")


def _equal_continuous(cycles: CyclesPiece, outline: Outline, language: TargetLanguage, target: str) -> CycleCode:
    """Cycles of equal length in continuous time: the steps counted in parts of a step, so that all are integers."""
    group = cycles.group
    unit = math.lcm(*(value.denominator for value in (group.origin, *(phase.end for phase in cycles.phases))))
    _check_product(cycles, outline, unit, language, target)
    own = _clock(cycles, outline)
    steps = own if unit == 1 else f"{integer(unit)} * {atom(own)}"
    steps = _from_start(cycles, plus(steps, -int(group.origin * unit)), language)
    branches = []
    for phase in cycles.phases:
        begin, end = int(phase.begin * unit), int(phase.end * unit)
        t = _inside("t", phase, integer(begin), integer(end), cycles, language)
        progress = Progress(
            StepCount(plus(t, -begin)), StepCount(f"{integer(end)} - {t}"), StepCount(integer(end - begin))
        )
        branches.append(PhaseBranch(phase, f"t < {integer(end)}", None if phase.flat else progress))
    return CycleCode([], _divided(cycles, steps, integer(int(cycles.length * unit)), language), branches, "cycle")


def _growing_whole(cycles: CyclesPiece, outline: Outline, suffix: str) -> CycleCode:
    """Cycles that grow by a whole factor: past cycles are taken off, at most 63 of them."""
    period, factor = f"PERIOD{suffix}", integer(int(cycles.stretch))
    # A logarithm would find the cycle at once, but on the wrong side of some restarts. Each turn of the loop at least
    # doubles the length, so that there are few of them.
    start, one = _clock(cycles, outline, cycles.whole_origin), len(cycles.phases) == 1
    variable, begins, length = ("length", period, "length") if one else ("growth", "1", f"{period} * growth")
    counter = (", cycle", ", 0", ", cycle + 1") if cycles.shrinks else ("", "", "")
    lines = [
        f"t, {variable}{counter[0]} = {start}, {begins}{counter[1]}",
        f"while t >= {length}:",
        f"    t, {variable}{counter[0]} = t - {length}, {factor} * {variable}{counter[2]}",
    ]
    branches = []
    for phase in cycles.phases:
        begin, end = int(phase.begin), int(phase.end)
        stop = length if end == cycles.length else f"{integer(end)} * growth"
        first = f"{integer(begin)} * growth" if begin else "0"
        branches.append(_variable(phase, f"t < {stop}", "t", first, stop, PYTHON, f"{integer(end - begin)} * growth"))
    return CycleCode([f"{period} = {integer(int(cycles.length))}"], lines, branches, "cycle")


def _listed(cycles: CyclesPiece, outline: Outline, language: TargetLanguage, target: str, suffix: str) -> CycleCode:
    """Cycles that grow otherwise: found in a table of the steps at which their phases begin.

    In continuous time a phase begins between two steps: it leads its first step by a part of one, a second table.
    """
    firsts, leads = f"FIRST_STEPS{suffix}", f"LEADS{suffix}"
    continuous = cycles.group.continuous and not cycles.whole
    largest = None if not language.arrays else 2**31 - 1 if language.single else MAX_STEPS
    count = cycles.cycles_listed(outline.plan, target, largest)
    constants = _tables((firsts, leads, f"POSITIONS{suffix}"), cycles, count, continuous, language)
    own = _clock(cycles, outline)
    n = "step" if own == "step" and not language.arrays else "n"
    lines = [] if n == "step" else [f"n = {own}"]
    moving = any(not phase.flat for phase in cycles.phases)
    columns = [("first", "stop", firsts), *([("lead", "next_lead", leads)] if continuous else [])] if moving else []
    if language.arrays:
        lines = [f"n = {language.call('clip', own, f'{firsts}[0]', f'{firsts}[-1] - 1')}"]
        above, found = language.search(firsts, n)
        lines += [*above, f"index = {found} - 1"]
        for name, next_name, table in columns:
            lines.append(f"{name} = {language.call('take', table, 'index')}")
            lines.append(f"{next_name} = {language.call('take', table, 'index + 1')}")
    else:
        lines.append(f"index = bisect_right({firsts}, {n}) - 1")
        lines += [f"{name}, {next_name} = {table}[index : index + 2]" for name, next_name, table in columns]
    phases = len(cycles.phases)
    if phases > 1 and cycles.shrinks and not language.arrays:
        lines.append(f"cycle, phase = divmod(index, {phases})")
    elif phases > 1:
        lines += [f"cycle = index // {phases}"] if cycles.shrinks else []
        lines.append(f"phase = index % {phases}")
    # An array's steps are worked out for every phase, so the span of each must be one that all can have.
    shortest = min(phase.end - phase.begin for phase in cycles.phases) if language.arrays else None
    branches = []
    for place, phase in enumerate(cycles.phases):
        branch = _variable(phase, f"phase < {place + 1}", n, "first", "stop", language, shortest=shortest)
        if continuous and branch.progress is not None:
            done, left = StepCount(f"{n} - first", "+ lead"), StepCount(f"stop - {n}", "- next_lead")
            span = StepCount("stop - first", "+ lead - next_lead")
            branch = PhaseBranch(phase, branch.until, Progress(done, left, span, False))
        branches.append(branch)
    return CycleCode(constants, lines, branches, "cycle" if phases > 1 else "index")


def _tables(
    names: tuple[str, str, str], cycles: CyclesPiece, count: int, continuous: bool, language: TargetLanguage
) -> list[str]:
    """The steps at which the phases begin, worked out exactly once, when the program is loaded.

    They are written as what they follow from, scale * stretch**cycle + base: it stays short however many they are.
    """
    firsts, leads, positions = names
    before = cycles.length / (cycles.stretch - 1)
    scales, base = [before + phase.begin for phase in cycles.phases], cycles.group.origin - before
    one = len(scales) == 1
    position = f"{_exact(scales[0]) if one else 'scale'} * {power(_exact(cycles.stretch), 'cycle')}"
    if base:
        position += f" {'+' if base > 0 else '-'} {_exact(abs(base))}"
    clauses = [f"for cycle in range({integer(count + 1)})"]
    clauses += [] if one else [f"for scale in ({', '.join(map(_exact, scales))})"]
    width = 32 if language.single else 64
    if continuous:
        each = [f"for position in {positions}"]
        constants = _comprehension(positions, position, clauses)
        constants += _comprehension(firsts, "ceil(position)", each)
        constants += _comprehension(leads, "float(ceil(position) - position)", each)
        constants += [f'{leads} = np.array({leads}, "float{width}")'] if language.arrays else []
    else:
        exact = all(value.denominator == 1 for value in (cycles.stretch, base, *scales))
        constants = _comprehension(firsts, position if exact else f"floor({position} + Fraction(1, 2))", clauses)
    return [*constants, *([f'{firsts} = np.array({firsts}, "int{width}")'] if language.arrays else [])]


def _exact(value: Fraction) -> str:
    if value.denominator == 1:
        return integer(value.numerator)
    return f"Fraction({integer(value.numerator)}, {integer(value.denominator)})"


def _comprehension(name: str, item: str, clauses: Sequence[str]) -> list[str]:
    inner = f"{item} {' '.join(clauses)}"
    if len(f"{name} = [{inner}]") <= WIDTH:
        return [f"{name} = [{inner}]"]
    return [f"{name} = [", *indented([inner] if len(inner) <= WIDTH - 4 else [item, *clauses]), "]"]


def _variable(
    phase: CyclePhase,
    until: str,
    n: str,
    first: str,
    stop: str,
    language: TargetLanguage,
    length: str | None = None,
    shortest: Fraction | None = None,
) -> PhaseBranch:
    """A phase from the step `first` to before the step `stop`, both worked out by the program.

    `shortest` is the least that the two can be apart; None: what the phase lasts in the first cycle.
    """
    if phase.flat:
        return PhaseBranch(phase, until, None)
    begun = n if first == "0" else f"{n} - {first}"
    span = stop if first == "0" else length if length is not None else f"{stop} - {first}"
    if not phase.endpoint:
        return PhaseBranch(phase, until, Progress(StepCount(begun), StepCount(f"{stop} - {n}"), StepCount(span), False))
    left = f"{stop} - 1 - {n}"
    if (phase.end - phase.begin if shortest is None else shortest) >= 2:
        progress = Progress(StepCount(begun), StepCount(left), StepCount(f"{span} - 1"), False)
    else:  # a phase of one step: nothing is left, and all of one step is done
        larger = language.larger(f"{span} - 1", "1")
        progress = Progress(StepCount(f"{larger} - ({left})"), StepCount(left), StepCount(larger), False)
    return PhaseBranch(phase, until, progress, not phase.curve.reaches_end)


def table_of(piece: TablePiece, outline: Outline, place: int) -> tuple[str, str, tuple[list[str], list[str]]]:
    """Constants as a table: the names of its two columns, and their contents: where each but the first begins, and
    the rates.
    """
    suffix = f"_{place + 1}" if place else ""
    steps = [integer(constant.first) for constant in piece.constants[1:]]
    return (
        f"BOUNDARIES{suffix}",
        f"RATES{suffix}",
        (steps, [outline.value(constant.value) for constant in piece.constants]),
    )


# --- peaks ------------------------------------------------------------------------------------------------------


def peak(
    cycles: CyclesPiece, outline: Outline, language: TargetLanguage, cycle: str, indent: int, prefix: str = "peak = "
) -> list[str]:
    """The lines that work out the highest rate of the cycle; none where it is the same in every one."""
    part, ceiling = cycles.group.part, cycles.group.ceiling
    if not cycles.shrinks:
        return []
    lines, low, high = [], outline.value(part.shrink_to), outline.value(cycles.peak)
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


def rate(cycles: CyclesPiece, outline: Outline, language: TargetLanguage, value: float) -> str:
    """A rate of the first cycle as it is in every one: lowered to the cycle's peak where it would be above it."""
    if not cycles.shrinks:
        return outline.value(value)
    if value == cycles.peak:
        return "peak"
    lowered = value > cycles.lowest_peak
    return language.smaller(outline.value(value), "peak") if lowered else outline.value(value)
