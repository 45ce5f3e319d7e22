"""The logs of `tests/support/logs`: what each shows, so that tests and the benchmark hold the same truth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "logs"


@dataclass(frozen=True)
class KnownLog:
    """A log and the schedule that made it.

    Attributes:
        file: its name in the folder.
        program: what wrote logs like it.
        schedule: the text of a schedule that has its rates.
        total_steps: how long the run was planned.
        rows: how many rows it has.
        arguments: of `read_trace`, where the log alone does not say where its rates are.
    """

    file: str
    program: str
    schedule: str
    total_steps: int
    rows: int
    arguments: tuple[tuple[str, str], ...] = ()

    @property
    def path(self) -> Path:
        """Where it is."""
        return FOLDER / self.file
