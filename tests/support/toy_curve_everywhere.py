"""What a curve does that is added to kosine from outside: every job, in a process of its own. Prints "ok"."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import kosine as ks
from kosine._display.page import plan_page
from tests.support.toy_curve import easing


def exact(step: int) -> float:
    """Warm-up over 100 steps, then (exp(1 - z) - 1) / (e - 1), where z is the part that is done."""
    if step < 100:
        return 0.1 * step / 100
    z = min((step - 100) / 900, 1.0)
    return 0.001 + (0.1 - 0.001) * math.expm1(1 - z) / math.expm1(1)


def main() -> None:
    schedule = ks.Schedule(ks.linear(100, start=0.0, to=0.1), easing(to=0.001))
    plan = schedule.plan(total_steps=1000)
    steps = np.arange(1100)
    rates = np.array([exact(step) for step in steps.tolist()])
    np.testing.assert_allclose(plan(steps), rates, rtol=1e-12, atol=1e-15)
    assert [plan(step) for step in (0, 550, 1000)] == plan(np.array([0, 550, 1000])).tolist()

    # Written and read again.
    assert ks.parse(repr(schedule)) == ks.loads(ks.dumps(schedule)) == schedule

    # Exported: of both directions, and in cycles whose length is known only when the program runs.
    cycles = ks.cycles(easing(100, start=0.01, to=0.1), easing(150, to=0.001), stretch=2, shrink=0.5)
    for exported in (plan, ks.Schedule(cycles).plan(total_steps=1000)):
        for target in ("python", "numpy", "optax"):
            space: dict[str, Any] = {}
            exec(ks.to_code(exported, target), space)
            function: Any = space.get("learning_rate", space.get("schedule"))
            found = [float(function(step)) for step in range(0, 1000, 7)]
            tolerance = 1e-12 if target != "optax" else 3e-7
            np.testing.assert_allclose(found, exported(np.arange(0, 1000, 7)), atol=0.1 * tolerance, err_msg=target)

    # Asked about.
    line = ks.Schedule(ks.linear(100, start=0.0, to=0.1), ks.linear(to=0.001)).plan(total_steps=1000)
    assert "easing(to=0.001)" in str(ks.compare(plan, line))
    assert {finding.code for finding in ks.lint(plan)} == {"K004"}

    # Seen.
    assert '"easing"' in plan_page(plan, "A new curve")

    # Found in a log, from its declared fit.
    log = ks.Trace(steps[:1000], plan(steps[:1000]))
    assert ks.infer(log).schedule == schedule
    print("ok")


if __name__ == "__main__":
    main()
