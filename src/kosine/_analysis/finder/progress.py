"""How far a range test is, as one line on the standard error stream."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

_PAUSE = 0.2  # seconds between two lines


class Progress:
    """Shows the seed, the step, the rate and the loss; in a terminal or a notebook over the line before.

    Where the stream goes to a file, it has a line for each seed.

    Args:
        seeds: how many there are.
        steps: of each.
        shown: whether anything is written.
    """

    def __init__(self, seeds: int, steps: int, shown: bool) -> None:
        self._seeds, self._steps, self._shown = seeds, steps, shown
        self._over_itself = shown and (sys.stderr.isatty() or "ipykernel" in sys.modules)
        self._next, self._width = 0.0, 0

    def at(self, seed: int, step: int, rate: float, loss: float) -> None:
        """Show a step that is done; both numbers count from 0."""
        now = time.monotonic()
        if not self._over_itself or (now < self._next and step + 1 < self._steps):
            return
        self._next = now + _PAUSE
        text = f"seed {seed + 1} of {self._seeds}, step {step + 1:,} of {self._steps:,}, rate {rate:.3g}"
        self._write(f"\rrange test: {text}, loss {loss:.4g}")

    def ended(self, seed: int, end: str, steps: int) -> None:
        """Show why a seed ended, after so many steps."""
        text = f"range test: seed {seed + 1} of {self._seeds} {end} after {steps:,} of {self._steps:,} steps"
        if self._over_itself:
            self._write(f"\r{text}")
        elif self._shown:
            print(text, file=sys.stderr)

    def _write(self, line: str) -> None:
        sys.stderr.write(line.ljust(self._width))
        sys.stderr.flush()
        self._width = len(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._over_itself and self._width:
            print(file=sys.stderr)
