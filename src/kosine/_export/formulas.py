"""Each curve's closed form as text, in float64 as in float32.

A falling curve is written from its end, or otherwise so that nothing cancels: the last steps of a decay to 0 keep
their digits. In float32 a weight near 1 is written from the start as well, where powers magnify its rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from kosine._core.curve import Curve
from kosine._core.curves.cosine import Cosine
from kosine._core.curves.exponential import Exponential
from kosine._core.curves.inverse import InverseSqrt, InverseTime
from kosine._core.curves.linear import Linear
from kosine._core.curves.one_minus_sqrt import OneMinusSqrt
from kosine._core.curves.polynomial import Polynomial
from kosine._core.curves.tanh import Tanh
from kosine._core.run import RunSize
from kosine._export.printing import atom, number, plus, power, real


@dataclass(frozen=True, slots=True)
class Language:
    """How a target writes its operations."""

    prefix: str = ""
    pi: str = "pi"
    single: bool = False
    """Whether it computes in float32."""
    arrays: bool = False
    """Whether the step is an array, so that nothing may branch on it."""

    casts: bool = False
    """Whether integers must be cast before they meet floats."""

    def cast(self, steps: str) -> str:
        """A number of steps as a float, one operand."""
        return f'{self.prefix}cast({steps}, "float32")' if self.casts else atom(steps)

    def call(self, function: str, *arguments: str) -> str:
        return f"{self.prefix}{function}({', '.join(arguments)})"

    def search(self, table: str, steps: str) -> tuple[list[str], str]:
        """How many entries of an ordered table are not above the steps, and a line that it needs above it."""
        if self.casts:  # TensorFlow's searchsorted takes no single step
            begun = f"begun = {self.call('greater_equal', f'{steps}[..., None]', table)}"
            return [begun], self.call("sum", self.call("cast", "begun", '"int32"'), "-1")
        return [], self.call("searchsorted", table, steps, '"right"')

    def larger(self, first: str, second: str) -> str:
        return self.call("maximum" if self.arrays else "max", first, second)

    def smaller(self, first: str, second: str) -> str:
        return self.call("minimum" if self.arrays else "min", first, second)

    def times_power(self, factor: float, exponent: str) -> str:
        """` * factor**exponent`, where the exponent counts from 0 on."""
        if self.single:  # the logarithm is rounded once; a factor near 1 would lose most of its digits
            return f" * {self.call('exp', f'log({real(factor)}) * {exponent}')}"
        return f" * {power(real(factor), exponent)}"


@dataclass(frozen=True, slots=True)
class Way:
    """How far a curve has come, as text: `done` steps and `left` steps of `span`; each is one operand."""

    done: str
    left: str
    span: str
    steps: Fraction | None = None
    """What `span` is, where that is known."""


def keeps_pace(curve: Curve) -> bool:
    """Whether the curve has a pace of its own, whatever the length of its phase."""
    return getattr(curve, "timescale", None) is not None or getattr(curve, "factor", None) is not None


def reaches_end(curve: Curve) -> bool:
    """Whether the formula has the end value where nothing is left."""
    return not keeps_pace(curve) and not isinstance(curve, Tanh)


def is_smooth(curve: Curve) -> bool:
    """Whether the formula can be worked out at any step, also at those outside the phase."""
    return isinstance(curve, Linear) or (isinstance(curve, Cosine) and curve.power == curve.warp == 1)


def meets_logarithm_of_0(curve: Curve) -> bool:
    """Whether the float64 formula takes the logarithm of 0 at its first step, which is right but warns."""
    return isinstance(curve, Cosine | Polynomial) and curve.warp != 1


@dataclass(frozen=True, slots=True)
class Formula:
    """A learning rate as text: `whole`, with `part` in the place of the braces.

    `part` may stand above it under the name `name`; `above` is a name and a text that must stand above both.
    """

    whole: str
    part: str
    name: str = "weight"
    above: tuple[str, str] | None = None


def formula(curve: Curve, start: str, to: str, rises: bool, way: Way, language: Language) -> Formula:
    """The closed form of a curve; `start` and `to` are one operand each."""
    done, left, span = way.done, way.left, way.span
    call = language.call
    low, high = (start, to) if rises else (to, start)
    match curve:
        case Linear():
            steps, spread = done if rises else left, _spread(low, high)
            if language.single:  # one rounding less where spread and span are plain numbers
                return Formula(_sum(low, f"{spread} / {span} * {{}}"), steps, "steps")
            return Formula(_sum(low, f"{spread} * {{}} / {span}"), steps, "steps")
        case Cosine(power=1.0, warp=1.0):
            sine = call("sin", f"{language.pi} / 2 / {span} * {done if rises else left}")
            return Formula(_sum(low, f"{_spread(low, high)} * {{}}"), f"{sine} ** 2")
        case Cosine() | Polynomial():
            above = None
            if curve.warp != 1 and not _from_lost(curve, rises, language):
                above = ("rest", _rest(curve.warp, way, language))
            write = _cosine if isinstance(curve, Cosine) else _polynomial
            return Formula(_weighted(start, to, rises), write(curve, rises, way, language), above=above)
        case Exponential(factor=None, base=None):
            steps = left if rises else done
            return Formula(f"{high} * {{}}", f"({low} / {high}) ** ({steps} / {span})")
        case Exponential(factor=None):
            assert curve.base is not None
            return Formula(_weighted(start, to, rises), _with_base(curve.base, way, language))
        case Exponential():
            assert curve.factor is not None
            scale, factor = _timescale(curve), real(curve.factor)
            if not language.single:
                return Formula(f"{start} * {{}}", power(factor, done if scale == 1 else f"({done} / {number(scale)})"))
            rate = f"log({factor}){_over(scale)}"
            if not rises:
                return Formula(f"{start} * {{}}", call("exp", f"{rate} * {done}"))
            highest = power(factor, span if scale == 1 else f"({span} / {number(scale)})")
            return Formula(f"{start} * {highest} * {{}}", call("exp", f"-{rate} * {left}"))
        case InverseSqrt() | InverseTime():
            squared = isinstance(curve, InverseSqrt)
            growth = f"{done}{_over(_timescale(curve))}"
            if curve.timescale is None:
                ratio = f"({start} / {to}) ** 2" if squared else f"{start} / {to}"
                growth = f"({ratio} - 1) * {done} / {span}"
            if squared:
                return Formula(f"{start} / {call('sqrt', '1 + {}')}", growth, "excess")
            return Formula(f"{start} / (1 + {{}})", growth, "excess")
        case OneMinusSqrt():
            if rises or language.single:
                root = call("sqrt", f"{done} / {span}")
                return Formula(_sum(low, f"{_spread(low, high)} * {'{}' if rises else '(1 - {})'}"), root, "root")
            share = f"{_spread(low, high)} * {left} / {span} / (1 + {{}})"
            return Formula(_sum(low, share), call("sqrt", f"({span} - {left}) / {span}"), "root")
        case Tanh():
            return Formula(_sum(low, f"{_spread(low, high)} / (1 + {{}})"), _odds(curve, rises, way, language), "odds")
    raise AssertionError(f"no closed form for {curve!r}")


def _cosine(curve: Cosine | Polynomial, rises: bool, way: Way, language: Language) -> str:
    call = language.call
    if _from_lost(curve, rises, language):
        share = f"{way.done} / {way.span}"
        angle = f"{language.pi} / 2 / {way.span} * {way.done}"
        if curve.warp != 1:
            angle = f"{language.pi} / 2 * ({share}) ** {number(curve.warp)}"
        lost = f"{call('sin', angle)} ** 2"
        if curve.power == 1:
            return f"(1 - {lost})"
        return call("exp", f"{number(curve.power)} * {call('log1p', f'-({lost})')}")
    angle = f"{language.pi} / 2 / {way.span} * {way.left}" if curve.warp == 1 else f"{language.pi} / 2 * rest"
    return f"{call('sin', angle)} ** {number(2 * curve.power)}"


def _polynomial(curve: Cosine | Polynomial, rises: bool, way: Way, language: Language) -> str:
    exponent = number(curve.power)
    if _from_lost(curve, rises, language):
        lost = f"{way.done} / {way.span}"
        lost = lost if curve.warp == 1 else f"({lost}) ** {number(curve.warp)}"
        if curve.power == 1:
            return f"(1 - {lost})"
        return language.call("exp", f"{exponent} * {language.call('log1p', f'-({lost})')}")
    return power(f"({way.left} / {way.span})" if curve.warp == 1 else "rest", exponent)


def _from_lost(curve: Cosine | Polynomial, rises: bool, language: Language) -> bool:
    """Whether the weight is one minus what is lost of it: in float32 a power magnifies the rounding of a part."""
    return language.single and (curve.power > 1 or (curve.warp != 1 and curve.power == 1 and not rises))


def _rest(warp: float, way: Way, language: Language) -> str:
    """1 - u ** warp, from what is left."""
    exponent = number(warp)
    logarithm = language.call("log1p", f"-{way.left} / {way.span}")
    text = f"-{language.call('expm1', f'{exponent} * {logarithm}')}"
    if language.single:  # near the start what is done has more digits
        near_start = f"1 - ({way.done} / {way.span}) ** {exponent}"
        return language.call("where", f"{way.done} < {way.left}", near_start, text)
    return text if language.arrays else f"{text} if {way.left} < {way.span} else 1.0"


def _odds(curve: Tanh, rises: bool, way: Way, language: Language) -> str:
    """(1 - w) / w, where w is the weight of the higher value: (1 - tanh) / 2, or (1 + tanh) / 2."""
    width = curve.upper - curve.lower
    middle = -curve.lower / width
    from_middle = f"{way.done} - {real(middle)} * {way.span}"
    if language.single and way.steps is not None:  # the whole steps are taken off exactly
        whole, part = divmod(middle * float(way.steps), 1)
        from_middle = f"{plus(way.done, -int(whole))} - {real(part)}"
    return language.call("exp", f"{real(-2 * width if rises else 2 * width)} / {way.span} * ({from_middle})")


def _with_base(base: float, way: Way, language: Language) -> str:
    """(base ** (1 - u) - 1) / (base - 1)."""
    logarithm = f"log({real(base)}) / {way.span}"
    growth = language.call("expm1", f"{logarithm} * {way.left}")
    growth = growth if base == 2 else f"{growth} / {real(base - 1)}"
    if not language.single:
        return growth
    lost = f"1 + {real(base / (base - 1))} * {language.call('expm1', f'-{logarithm} * {way.done}')}"
    return language.call("where", f"{way.done} < {way.left}", lost, growth)


def _timescale(curve: Exponential | InverseSqrt | InverseTime) -> Fraction:
    return Fraction(1) if curve.timescale is None else curve.timescale.steps(RunSize())


def _over(scale: Fraction) -> str:
    return "" if scale == 1 else f" / {number(scale)}"


def _spread(low: str, high: str) -> str:
    return high if low == "0.0" else f"({high} - {low})"


def _sum(low: str, above: str) -> str:
    return above if low == "0.0" else f"{low} + {above}"


def _weighted(start: str, to: str, rises: bool) -> str:
    """The weight of the start value, times how far it is from the end value, on top of that."""
    return f"{to} - {_spread(start, to)} * {{}}" if rises else _sum(to, f"{_spread(to, start)} * {{}}")
