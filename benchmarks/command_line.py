"""What looking costs: each command as a whole process, on a long run beside a short one.

Run as `python -m benchmarks.command_line`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.measure import interleaved_medians, print_table

KOSINE = [sys.executable, "-m", "kosine.cli"]
SHORT = ["sgdr(peak=0.05, period=100)", "--total-steps", "1000"]
LONG = {
    "10⁵ equal cycles": ["sgdr(peak=0.05, period=10_000)", "--total-steps", "1e9"],
    "10⁵ growing cycles": ["sgdr(peak=0.05, period=5_820, stretch=1.00001)", "--total-steps", "1e9"],
    "10⁵ shrinking cycles": ["sgdr(peak=0.05, period=10_000, shrink=0.99999)", "--total-steps", "1e9"],
}
ROUNDS = 21
MEMORY_ROUNDS = 5


def whole(command: Sequence[str]) -> Callable[[], object]:
    """Run a command in a process of its own, its output read and dropped."""
    return lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def peak_memory(command: Sequence[str]) -> int:
    """The largest resident set of a command, in KiB."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return usage.ru_maxrss


def main() -> None:
    rows = [["ratio of medians", "measured", "target"]]
    for name, long in LONG.items():
        seconds = interleaved_medians(
            {"short": whole([*KOSINE, "show", *SHORT]), "long": whole([*KOSINE, "show", *long])}, ROUNDS
        )
        ratio = f"{seconds['long'] / seconds['short']:.2f}"
        rows.append([f"kosine show of 10⁹ steps, {name} / of 10³ steps", ratio, "<= 1.5"])
    numpy = whole([sys.executable, "-c", "import numpy"])
    seconds = interleaved_medians({"help": whole([*KOSINE, "--help"]), "numpy": numpy}, ROUNDS)
    rows.append(["kosine --help / python -c 'import numpy'", f"{seconds['help'] / seconds['numpy']:.2f}", "<= 2"])
    with TemporaryDirectory() as folder:
        for ending in ("png", "html"):
            target = ["-o", str(Path(folder) / f"picture.{ending}")]
            memory: dict[str, list[int]] = {"short": [], "long": []}
            for _ in range(MEMORY_ROUNDS):
                memory["short"].append(peak_memory([*KOSINE, "plot", *SHORT, *target]))
                memory["long"].append(peak_memory([*KOSINE, "plot", *LONG["10⁵ equal cycles"], *target]))
            ratio = f"{median(memory['long']) / median(memory['short']):.2f}"
            rows.append([f"peak memory of kosine plot ({ending}), 10⁹ steps / 10³ steps", ratio, "<= 1.2"])
    print_table(rows)


if __name__ == "__main__":
    main()
