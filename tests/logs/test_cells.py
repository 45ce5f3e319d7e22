"""Numbers that are read eight digits at a time are the ones that Python reads."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, strategies as st

from kosine.logs.cells import Cells, IrregularError

WRITERS: dict[str, Callable[[float], str]] = {
    "repr": repr,
    "%.6f": lambda value: f"{value:.6f}",
    "%.20f": lambda value: f"{min(value, 1e3):.20f}",
    "%.3e": lambda value: f"{value:.3e}",
    "%.17e": lambda value: f"{value:.17e}",
    "%.5g": lambda value: f"{value:.5g}",
    "float32": lambda value: str(np.float32(value)),
    "whole": lambda value: f"{value * 1e9:.0f}",
}


@pytest.mark.parametrize("name", WRITERS)
def test_many(name: str) -> None:
    random = np.random.default_rng(5)
    values = [*random.random(5000), *10 ** random.uniform(-30, 3, 5000), *np.arange(50) / 1000, 0.0, 1e22, 5e-324]
    texts = [WRITERS[name](float(value)) for value in values]
    cells = Cells("".join(f"{row},{text}\n" for row, text in enumerate(texts)).encode(), ",", 2)
    assert cells.numbers(0).tolist() == list(range(len(texts)))
    assert cells.numbers(1).tolist() == [float(text) for text in texts]
    assert cells.texts(1) == texts


def test_half_way_between_two_floats() -> None:
    """2**53 + 1 and its like, where a number rounded twice goes the wrong way."""
    texts = [f"0.{whole}" for whole in range(9007199254740993, 9007199254742993)]
    texts += [f"{place}.{2**60 + place * 7}" for place in range(10)]
    cells = Cells("".join(f"{text}\n" for text in texts).encode(), ";", 1)
    assert cells.numbers(0).tolist() == [float(text) for text in texts]


@given(st.lists(st.text("0123456789.e-+ xN", min_size=1, max_size=26), min_size=1, max_size=20))
def test_anything(texts: list[str]) -> None:
    cells = Cells("".join(f"{text}\n" for text in texts).encode(), ",", 1)
    try:
        expected = [float(text) for text in texts]
    except ValueError:
        with pytest.raises(IrregularError):
            cells.numbers(0)
    else:
        if np.isfinite(expected).all():
            assert cells.numbers(0).tolist() == expected


@pytest.mark.parametrize("lines", [b"1,2\n3\n", b"1,2\n3,4,5\n6\n", b'1,"2"\n', b"1\n2\n"])
def test_irregular_lines_are_refused(lines: bytes) -> None:
    with pytest.raises(IrregularError):
        Cells(lines, ",", 2)
