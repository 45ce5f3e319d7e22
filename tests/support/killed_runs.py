"""Training processes that may be killed, what they note of the rates that they applied, and how it is read."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run_module(module: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a module that trains; it may be killed, but does not fail."""
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "JAX_PLATFORMS": "cpu", **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=600,
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done


def note(file: Path, step: int, *rates: float) -> None:
    """Append the rates of a step, bit for bit; they are in the file when the process is killed after this."""
    with file.open("a", encoding="ascii") as notes:
        print(step, *(float(rate).hex() for rate in rates), file=notes)


def noted(file: Path) -> list[tuple[int, tuple[float, ...]]]:
    """The steps and their rates, in the order in which they were applied."""
    lines = file.read_text(encoding="ascii").splitlines()
    return [(int(step), tuple(map(float.fromhex, rates))) for step, *rates in map(str.split, lines)]


def applied_rates(folder: Path) -> dict[int, set[float]]:
    """The rates that were applied at each step: several, if a run that was killed applied another when it went on."""
    rates: defaultdict[int, set[float]] = defaultdict(set)
    for step, applied in noted(folder / "applied.txt"):
        rates[step].update(applied)
    return dict(rates)


def applied_again(folder: Path) -> int:
    """How many steps were trained once more, after a run was killed."""
    return len(noted(folder / "applied.txt")) - len(applied_rates(folder))
