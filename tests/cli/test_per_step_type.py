"""What a step takes on the command line: a number, START:TO:OVER:INCREMENT, or stages."""

from __future__ import annotations

from typing import Any

import click
import pytest

import kosine as ks
from kosine.cli._per_step_type import PerStep, written


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3.2M", 3_200_000),
        ("0:32k,4B:64k", [(0, 32_000), (4_000_000_000, 64_000)]),
        ("32:256:1M:32", ks.batch_ramp(start=32, to=256, over=1_000_000, increment=32)),
    ],
)
def test_each_form_is_read_and_written_again(text: str, value: Any) -> None:
    assert PerStep().convert(text, None, None) == value
    assert PerStep().convert(written(value), None, None) == value


def test_a_ramp_that_is_even_is_written_short() -> None:
    assert written(ks.batch_ramp(start=32, to=256, over=1_000_000, increment=32)) == "32:256:1000000:32"
    assert written([(0, 32), (5, 64), (7, 96)]) == "0:32,5:64,7:96"
    assert written([(0, 64), (100, 32)]) == "0:64,100:32"


@pytest.mark.parametrize("text", ["0:1:2", "0:32,64", "1:2:3:4:5", "a:1,2:3"])
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(click.UsageError, match=r"is neither START:TO:OVER:INCREMENT nor|is not a whole number"):
        PerStep().convert(text, None, None)
