"""Logs of real runs of Ray Tune's population-based training: see README.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

_FOLDER = Path(__file__).parent


class RealRun(NamedTuple):
    """The log of a trial, and the rates that its final weights were trained with, one an iteration."""

    name: str
    synchronous: bool
    perturbation_interval: int
    rates: list[float]

    @property
    def path(self) -> Path:
        return _FOLDER / f"pbt_policy_{self.name}.txt"

    def __str__(self) -> str:
        return self.name


REAL = [RealRun(**run) for run in json.loads((_FOLDER / "runs.json").read_text(encoding="utf-8"))]
