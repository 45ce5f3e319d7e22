"""How far the rates of each library are from the exact ones, which mpmath works out with 50 digits."""

from __future__ import annotations

import os
from collections.abc import Iterator

os.environ["KERAS_BACKEND"] = "jax"  # before Keras is imported; all that is not kosine's is the same on each

import numpy as np

from benchmarks.measure import progress
from benchmarks.peers import LIBRARIES, PEAK, Library, Rates, Steps
from benchmarks.tables import Cell, Table, report
from tests.support.exact import CASES, MP, SPANS, Case, sampled_steps, ulps

RUNS = {"10³": 10**3, "10⁴": 10**4, "10⁵": 10**5, "10⁶": 10**6, "10⁷": 10**7, "10⁸": 10**8, "2·10⁹": 2 * 10**9}
EDGE, OTHERS, LAST = 1_000, 18_000, 100
FLOOR = PEAK / 100
SAMPLES_OF_A_CURVE = 400


def sample(total: int) -> Steps:
    """All steps of a short run; of a long one the first, the last and others."""
    edge = np.arange(EDGE)
    others = np.random.default_rng(total).integers(0, total, OTHERS)
    return np.arange(total) if total <= EDGE + OTHERS else np.unique(np.r_[edge, others, total - 1 - edge])


def exact(total: int, floor: float, steps: Steps) -> tuple[Rates, Rates]:
    """The cosine decay at these steps, each rate as the nearest float64 and the remainder."""
    low, half = MP.mpf(floor), (MP.mpf(PEAK) - MP.mpf(floor)) / 2
    numbers = [low + half * (1 + MP.cos(MP.pi * step / total)) for step in steps.tolist()]
    nearest = [float(number) for number in numbers]
    rest = [float(number - MP.mpf(near)) for number, near in zip(numbers, nearest, strict=True)]
    return np.array(nearest), np.array(rest)


def errors(library: Library, total: int, floor: float, steps: Steps, wanted: tuple[Rates, Rates]) -> tuple[Cell, Cell]:
    """The largest error in ulp and relative to the rate; nothing of a run that would take the library too long."""
    if total > library.longest:
        return None, None
    nearest, rest = wanted
    distance = np.abs((library.rates(total, floor, steps) - nearest) - rest)
    unit = np.spacing(nearest.astype(library.type)).astype(np.float64)
    return float((distance / unit).max()), float((distance / nearest).max())


def of_libraries(title: str, floor: float, note: str, last: bool) -> Iterator[Table]:
    """A table of errors in ulp, and one of relative errors."""
    cells: dict[str, list[tuple[Cell, Cell]]] = {library.name: [] for library in LIBRARIES}
    for name, total in RUNS.items():
        progress(f"cosine of {name} steps")
        steps = np.arange(total - LAST, total) if last else sample(total)
        wanted = exact(total, floor, steps)
        for library in LIBRARIES:
            cells[library.name].append(errors(library, total, floor, steps, wanted))
    columns = ("steps of the run", *RUNS)
    for index, kind in enumerate(("in ulp of the type it computes in", "relative to the rate")):
        rows = []
        for library in LIBRARIES:
            label = f"{library.name} ({np.dtype(library.type).name})"
            rows.append((label, *(cell[index] for cell in cells[library.name])))
        yield Table(f"{title}: largest error, {kind}", columns, tuple(rows), note if index else "")


def worst(case: Case, steps: int) -> float:
    """The largest error of both host paths, one step at a time and an array, over a sample of the steps."""
    plan = case.schedule(steps).plan()
    chosen = sampled_steps(steps, SAMPLES_OF_A_CURVE)
    rates = plan(np.array(chosen)).tolist()
    return max(
        max(ulps(plan(step), value), ulps(rate, value))
        for step, rate in zip(chosen, rates, strict=True)
        for value in (case.value(step, steps),)
    )


def of_curves() -> Table:
    rows = []
    for steps in SPANS:
        progress(f"{len(CASES)} curves of {steps:,} steps")
        found = {str(case): worst(case, steps) for case in CASES}
        curve = max(found, key=found.__getitem__)
        rows.append((f"{steps:,}", found[curve], curve))
    return Table(
        f"All curves of kosine ({len(CASES)} settings), float64: largest error in ulp",
        ("steps of the curve", "ulp", "of"),
        tuple(rows),
        f"One step at a time and as an array; up to {3 * SAMPLES_OF_A_CURVE} sampled steps, the first and last among "
        "them. Target: at most 4 ulp.",
    )


def tables() -> Iterator[Table]:
    yield from of_libraries(
        "A cosine to a hundredth of the peak",
        FLOOR,
        f"The first and the last {EDGE:,} steps and {OTHERS:,} others; all of a shorter run. torch's scheduler works "
        "out each rate from the last one (stepping; more than 10⁶ steps take too long), or from a step that is "
        "given to `step()` (jumping).",
        last=False,
    )
    yield from of_libraries(
        f"The last {LAST} steps of a cosine to 0",
        0.0,
        "An error of 1 relative to the rate: it is 0, or twice the right one, where training should still go on.",
        last=True,
    )
    yield of_curves()


if __name__ == "__main__":
    report(tables)
