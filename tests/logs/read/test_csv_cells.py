"""Numbers that are read eight digits at a time are the ones that Python reads."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, strategies as st

from kosine._logs.read.collect import numbers, unreadable
from kosine._logs.read.csv_cells import CellBlock, IrregularError

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


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("name", WRITERS)
def test_many(monkeypatch: pytest.MonkeyPatch, name: str, exact: bool) -> None:
    if not exact:  # as where a long double is nothing longer
        monkeypatch.setattr("kosine._logs.read.csv_cells._EXACT", False)
    random = np.random.default_rng(5)
    values = [*random.random(5000), *10 ** random.uniform(-30, 3, 5000), *np.arange(50) / 1000, 0.0, 1e22, 5e-324]
    texts = [WRITERS[name](float(value)) for value in values]
    cells = CellBlock("".join(f"{row},{text}\n" for row, text in enumerate(texts)).encode(), ",", 2)
    assert cells.numbers(0).tolist() == list(range(len(texts)))
    assert cells.numbers(1).tolist() == [float(text) for text in texts]
    assert cells.texts(1, np.arange(len(texts))) == texts


def test_half_way_between_two_floats() -> None:
    """2**53 + 1 and its like, where a number rounded twice goes the wrong way."""
    texts = [f"0.{whole}" for whole in range(9007199254740993, 9007199254742993)]
    texts += [f"{place}.{2**60 + place * 7}" for place in range(10)]
    cells = CellBlock("".join(f"{text}\n" for text in texts).encode(), ";", 1)
    assert cells.numbers(0).tolist() == [float(text) for text in texts]


@given(st.lists(st.text("0123456789.e-+ xN", max_size=26), min_size=1, max_size=20))
def test_anything(texts: list[str]) -> None:
    cells = CellBlock("".join(f"{text}\n" for text in texts).encode(), ",", 1)
    expected = numbers(texts)
    if unreadable(texts, expected):
        with pytest.raises(IrregularError):
            cells.numbers(0)
    else:
        assert np.array_equal(cells.numbers(0), np.where(np.isfinite(expected), expected, np.nan), equal_nan=True)
    assert np.array_equal(cells.every(0), expected, equal_nan=True)


@pytest.mark.parametrize("lines", [b"1,2\n3\n", b"1,2\n3,4,5\n6\n", b'1,"2"\n', b"1\n2\n"])
def test_irregular_lines_are_refused(lines: bytes) -> None:
    with pytest.raises(IrregularError):
        CellBlock(lines, ",", 2)
