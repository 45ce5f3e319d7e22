"""One plan evaluated by many threads while others build plans and read texts: the values of one thread."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import kosine as ks

THREADS = 8
ROUNDS = 6
LR = ks.Schedule(
    ks.linear(50, start=0.0, to=1.0),
    ks.section(
        ks.cosine("100/3st", to=0.1), ks.cycles(ks.cosine("7/2st", start=1.0, to=0.1), count=9), continuous=True
    ),
    ks.cycles(ks.cosine(5, start=1.0, to=0.0), ks.linear(3, to=0.5), stretch=1.1, shrink=0.9999),
)
STEPS = [*range(400), *range(10**4, 10**12, 10**10), 2**53 + 1, 2**63 - 1]


@pytest.fixture
def often_switched() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def together(*tasks: Callable[[], object]) -> list[object]:
    """The results of tasks that begin at the same moment, each in a thread; the first error of one is raised."""
    barrier = threading.Barrier(len(tasks))
    results: list[object] = [None] * len(tasks)

    def run(place: int) -> None:
        barrier.wait()
        try:
            results[place] = tasks[place]()
        except BaseException as error:
            results[place] = error

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(tasks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not any(thread.is_alive() for thread in threads)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results


def others() -> None:
    """What other threads do with the same values at the same time."""
    plan = ks.parse(repr(LR)).plan(total_steps=1000)
    assert ks.loads(ks.dumps(plan)) == plan
    assert hash(plan) == hash(LR.plan(total_steps=1000))
    plan(np.arange(1000))


@pytest.mark.usefixtures("often_switched")
def test_a_new_plan_gives_all_threads_the_values_of_one() -> None:
    expected = [LR.plan()(step) for step in STEPS]
    for _ in range(ROUNDS):
        plan = LR.plan()  # a new one has no look-up yet: all threads find that at once

        def rates(plan: ks.Plan = plan) -> list[float]:
            return [plan(step) for step in STEPS]

        def array(plan: ks.Plan = plan) -> list[float]:
            return [float(rate) for rate in plan(np.array(STEPS))]

        scalars = together(*[rates] * THREADS, array, others, others)
        assert scalars[:THREADS] == [expected] * THREADS
        assert scalars[THREADS] == pytest.approx(expected, rel=1e-15, abs=0)


@pytest.mark.usefixtures("often_switched")
def test_a_look_up_that_is_announced_too_early_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same race, where the plan says that its look-up is there before it is."""
    real = ks.Plan._list

    def early(plan: Any) -> None:
        if not plan._table_stop:
            object.__setattr__(plan, "_table_stop", 2**63)
            threading.Event().wait(0.01)
            object.__setattr__(plan, "_table_stop", 0)
            real(plan)

    monkeypatch.setattr(ks.Plan, "_list", early)
    plan = LR.plan()
    with pytest.raises(AttributeError):
        together(*[lambda: plan(7)] * THREADS)
