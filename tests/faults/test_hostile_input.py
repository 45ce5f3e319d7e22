"""Texts, documents, files and logs of any size and any content: one clear error, in bounded time and memory."""

from __future__ import annotations

import pytest

import kosine as ks
from tests.support.hostile import outcomes

BOUNDS = {"texts": 300, "documents": 300, "files": 300, "logs": 400}
"""MiB that a process may allocate, kosine and the hostile input itself among them.

An input is 4 MiB; a text of the longest that is read, 64 MiB, and its bytes take 140 MiB. What is read takes at most 40
times the length of its text, which is what the smallest objects of JSON take.
"""


@pytest.mark.parametrize(("what", "megabytes"), BOUNDS.items())
def test_hostile_input_is_refused_in_bounded_time_and_memory(what: str, megabytes: int) -> None:
    for name, (error, message) in outcomes(what, megabytes).items():
        assert issubclass(getattr(ks, error), ks.KosineError), name
        assert 10 < len(message) < 1500, name
        assert message.isprintable(), name


def test_memory_that_is_not_enough_is_noticed() -> None:
    with pytest.raises(AssertionError, match="MemoryError"):
        outcomes("documents", 60)
