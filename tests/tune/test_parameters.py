"""Every value that a parameter draws, reads or hands to a tool is inside its range."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

import kosine as ks
from kosine._tune.parameters import Choice, Integers, Log, Parameter, Share, Uniform

SHARES = st.floats(0, 1, exclude_max=True) | st.sampled_from([0.0, 1 - 2**-53])


def ranges(low: float, high: float) -> st.SearchStrategy[tuple[float, float]]:
    ends = st.floats(low, high, allow_subnormal=False)
    pairs = st.tuples(ends, ends).filter(lambda pair: pair[0] != pair[1])
    return pairs.map(lambda pair: (min(pair), max(pair)))


NUMBERS = (
    ranges(1e-300, 1e300).map(lambda pair: Log(*pair))
    | ranges(-1e300, 1e300).map(lambda pair: Uniform(*pair))
    | ranges(0, 100).map(lambda pair: Share(*pair))
    | st.tuples(st.integers(-(2**62), 2**62), st.integers(1, 2**61)).map(lambda two: Integers(two[0], sum(two)))
)


@given(NUMBERS, SHARES)
def test_every_number_drawn_is_inside_its_range_and_is_read_back_as_itself(parameter: Any, share: float) -> None:
    value = parameter.draw(share)
    assert parameter.low <= value <= parameter.high
    assert parameter.read(value, "x") == value
    assert type(parameter.read(value, "x")) is type(value) is type(parameter.low)


@given(NUMBERS)
def test_a_range_reads_its_ends_and_what_misses_them_by_a_rounding_and_nothing_beyond(parameter: Any) -> None:
    for end, beyond in zip(parameter.ends(), (-math.inf, math.inf), strict=True):
        assert parameter.read(end, "x") == end
        if not isinstance(parameter, Integers) and end:
            assert parameter.read(np.nextafter(end, beyond), "x") == end
        outside = end - 1 - abs(end) // 100 if beyond < 0 else end + 1 + abs(end) // 100
        with pytest.raises(ks.ArgumentError, match="Argument `x` must be "):
            parameter.read(outside, "x")


@given(st.lists(st.integers() | st.text("abc%5") | st.none(), min_size=1, max_size=9, unique=True), SHARES)
def test_a_choice_draws_its_options(options: list[Any], share: float) -> None:
    if "None" in options or len({*map(str, options)}) < len(options):
        return
    value = Choice(tuple(options)).draw(share)
    assert value in options
    assert Choice(tuple(options)).read(value, "x") == value


@pytest.mark.parametrize("parameter", [Integers(3, 7), Choice(("a", "b", "c", "d", "e"))])
def test_each_of_five_values_is_drawn_in_about_a_fifth_of_the_shares(parameter: Parameter) -> None:
    drawn = [parameter.draw(share / 128) for share in range(128)]
    values = list(dict.fromkeys(drawn))
    assert values == list(parameter.ends() if isinstance(parameter, Choice) else range(3, 8))
    assert [drawn.count(value) for value in values] == pytest.approx([128 / 5] * 5, abs=1)


@given(ranges(1e-30, 1e30), SHARES)
def test_a_logarithmic_draw_is_the_power_rounded_once(pair: tuple[float, float], share: float) -> None:
    with localcontext() as context:
        context.prec = 60
        low, high = map(Decimal, pair)
        exact = float(low * ((high / low).ln() * Decimal(share)).exp())
    assert Log(*pair).draw(share) == min(max(exact, pair[0]), pair[1])


@pytest.mark.parametrize(
    ("value", "read"),
    [(np.float32(0.5), 0.5), (np.float64(0.5), 0.5), (1, 1.0), (np.int64(1), 1.0)],
)
def test_a_range_reads_numbers_of_any_type(value: object, read: float) -> None:
    assert Uniform(0.0, 2.0).read(value, "x") == read
    assert type(Uniform(0.0, 2.0).read(value, "x")) is float


def test_integers_read_whole_numbers_of_any_type() -> None:
    for value in (5, 5.0, np.int64(5), np.float64(5.0)):
        assert Integers(1, 9).read(value, "x") == 5
        assert type(Integers(1, 9).read(value, "x")) is int
    for wrong in (5.5, "5", True, None):
        with pytest.raises(ks.ArgumentTypeError, match=r"`x` must be an integer from 1 to 9"):
            Integers(1, 9).read(wrong, "x")


def test_a_share_reads_percent_as_numbers_and_as_texts() -> None:
    share = Share(5, 60)
    assert share.read(20, "x") == share.read("20%", "x") == share.read(np.float64(20), "x") == 20.0
    with pytest.raises(ks.ArgumentError, match=r"Received: x=0\.2\. Values of a share are in percent: write 20\."):
        share.read(0.2, "x")
    with pytest.raises(ks.ArgumentError, match=r"Received: x=70\.0\.$"):
        share.read("70%", "x")
    with pytest.raises(ks.ArgumentTypeError, match="Write 20 without quotes"):
        share.read("20", "x")


def test_a_choice_reads_equal_values_and_texts_of_tools_but_not_true_for_one() -> None:
    choice = Choice((1, 0.5, "5%", True, None))
    assert choice.read(1.0, "x") == 1
    assert type(choice.read(1.0, "x")) is int
    assert choice.read(np.int64(1), "x") == 1
    assert choice.read(True, "x") is True
    assert choice.read("None", "x") is None
    assert choice.read("0.5", "x") == 0.5
    for wrong in (0, 2, "1%", False, [1], Choice):
        with pytest.raises(ks.ArgumentError, match=r"Argument `x` must be one of 1, 0\.5, '5%', True, None\."):
            choice.read(wrong, "x")
    with pytest.raises(ks.ArgumentError, match=r"Did you mean '10%'\?"):
        Choice(("5%", "10%")).read("10", "x")


def test_a_choice_of_curves_reads_their_texts_in_any_form() -> None:
    choice = Choice(("cosine(to=0.0)", 'linear("5ep", to=0.0)'))
    assert choice.read(" linear('5ep',  to = 0 )", "x") == 'linear("5ep", to=0.0)'
    with pytest.raises(ks.ArgumentError, match="must be one of"):
        choice.read("cosine(to=0.1)", "x")


@pytest.mark.parametrize(
    ("kind", "ends", "error", "message"),
    [
        (Log, (0, 1), ks.ArgumentError, r"`low` must be a finite number > 0\. Received: low=0\.$"),
        (Log, (-1, 1), ks.ArgumentError, r"`low` must be a finite number > 0\. Received: low=-1\.$"),
        (Log, (1e-2, 1e-4), ks.ArgumentError, r"begins with its lower end\. .*\. Write log\(0\.0001, 0\.01\)\.$"),
        (Log, (1e-2, 1e-2), ks.ArgumentError, r"begins with its lower end\. .*\. Write 0\.01 itself\.$"),
        (Log, (1e-2, math.inf), ks.ArgumentError, r"`high` must be a finite number > 0\. Received: high=inf\.$"),
        (Log, (math.nan, 1), ks.ArgumentError, r"`low` must be a finite number > 0\. Received: low=nan\.$"),
        (
            Log,
            ("1e-4", 1),
            ks.ArgumentTypeError,
            r"`low` must be a finite .* Write 1e-4 without quotes\.$",
        ),
        (Uniform, (2, 1), ks.ArgumentError, r"A range of `uniform` begins .*\. Write uniform\(1\.0, 2\.0\)\.$"),
        (Uniform, (0, 10**400), ks.ArgumentError, r"`high` must be a finite number\. Received: high=<an integer"),
        (Uniform, (True, 2), ks.ArgumentTypeError, r"`low` must be a finite number\. Received: low=True\.$"),
        (Share, (-1, 50), ks.ArgumentError, r"`low` must be a number from 0 to 100\. Received: low=-1\.$"),
        (Share, (5, 101), ks.ArgumentError, r"`high` must be a number from 0 to 100\. Received: high=101\.$"),
        (Share, (60, 5), ks.ArgumentError, r'Received: share\("60%", "5%"\)\. Write share\("5%", "60%"\)\.$'),
        (Integers, (1.5, 3), ks.ArgumentTypeError, r"`low` must be an integer\. Received: low=1\.5\.$"),
        (Integers, (1, 3.0), ks.ArgumentTypeError, r"`high` must be an integer\. Received: high=3\.0\. Use 3\.$"),
        (Integers, (3, 1), ks.ArgumentError, r"A range of `integers` begins .* Write integers\(1, 3\)\.$"),
        (Integers, (0, 2**63), ks.ArgumentError, r"`high` must be an integer and at most 2\*\*63 - 1"),
    ],
)
def test_a_range_that_breaks_a_rule(kind: Any, ends: tuple[Any, Any], error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        kind(*ends)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), r"`choice` needs options\. Write them with commas"),
        (("1%", "5%", "1%"), r"The options of a choice differ\. Received: '1%' twice\."),
        ((1, 2, 1.0), r"The options of a choice differ\. Received: 1\.0 twice\."),
        ((1, "1"), r"The options of a choice differ\. Received: '1' twice\."),
        ((1.0, math.inf), r"The options of a choice are finite numbers\. Received: inf\."),
        (tuple(range(101)), r"A choice has at most 100 options\. Received: 101\."),
    ],
)
def test_options_that_break_a_rule(options: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ks.ArgumentError, match=message):
        Choice(options)
