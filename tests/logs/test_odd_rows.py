"""Which rows of a log are odd."""

from __future__ import annotations

import numpy as np
import pytest

from kosine._logs.odd_rows import odd_rows


@pytest.mark.parametrize(
    ("count", "off", "odd"),
    [
        (200, [], True),
        (200, [57], True),
        (200, [0, 57, 199], True),  # one at each end
        (200, [10, 60, 110, 160], False),  # more than three, and than one in a hundred
        (1000, range(50, 1000, 100), True),  # one in a hundred
        (1000, range(45, 1000, 90), False),
        (1000, [57, 58, 59], True),
        (1000, [57, 58, 59, 60], False),  # they stand together: a phase
        (1000, [998, 999], False),  # something else begins there
        (1000, [0, 1, 2], True),  # the warm-up of YOLO
        (1000, [0, 1, 2, 3], False),  # something else ends there
        (10, [4], True),
        (19, [4, 9], False),
        (9, [4], False),
    ],
)
def test_few_rows_that_stand_alone_are_odd(count: int, off: list[int], odd: bool) -> None:
    rows = odd_rows(np.isin(np.arange(count), list(off)))
    assert (rows is not None) == odd
    if rows is not None:
        assert rows.tolist() == list(off)
