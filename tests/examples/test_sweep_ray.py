"""The sweep with Ray Tune on this machine: each line is a schedule of the space, with its loss."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import kosine as ks
from tests.support.ray_cluster import printed


@pytest.mark.slow
def test_it_ranks_schedules_at_their_cycle_ends_and_prints_the_best(tmp_path: Path) -> None:
    text = printed(tmp_path, "examples/sweep_ray.py")
    rows = re.findall(r"^loss (\S+) after (\d+) steps: (.+)$", text, re.MULTILINE)
    assert len(rows) == 12
    (loss, best), *_ = re.findall(r"^The best: test loss (\S+) with\n(.+)$", text, re.MULTILINE)
    plan = ks.parse(best).plan(epochs=14, steps_per_epoch=20)
    assert {int(steps) for _, steps, _ in rows} <= {end + 1 for end in plan.cycle_ends}
    assert len({steps for _, steps, _ in rows}) > 1  # some were stopped
    assert loss == min(row[0] for row in rows)
    assert float(loss) < 0.5
