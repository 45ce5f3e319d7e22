"""Interleaved timing: the rivals take turns, so a slow moment of the machine falls on all of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from random import Random
from time import perf_counter

from benchmarks.tables import Spread


def interleaved(rivals: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """The seconds that each rival says it took, in `rounds` rounds of one call each.

    The order is drawn anew for each round, so that no place in it and no neighbour is favoured.
    """
    for call in rivals.values():  # once unmeasured: imports, caches and lazily made functions
        call()
    seconds: dict[str, list[float]] = {name: [] for name in rivals}
    order, dice = [*rivals.items()], Random(0)
    for _ in range(rounds):
        dice.shuffle(order)
        for name, call in order:
            seconds[name].append(call())
    return seconds


def interleaved_seconds(rivals: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """The seconds of each rival's calls, as `interleaved`."""
    return interleaved({name: _timed(call) for name, call in rivals.items()}, rounds)


def _timed(call: Callable[[], object]) -> Callable[[], float]:
    def timed() -> float:
        begin = perf_counter()
        call()
        return perf_counter() - begin

    return timed


def ratio(seconds: list[float], base: list[float]) -> Spread:
    """How many times as long as another rival: round by round, so that both had the same machine."""
    return Spread.of(ours / theirs for ours, theirs in zip(seconds, base, strict=True))


def progress(what: str) -> None:
    """Name the current measurement on standard error."""
    print(f"{what} ...", file=sys.stderr, flush=True)
