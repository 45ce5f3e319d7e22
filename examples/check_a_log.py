"""Find out from its log whether a run used the learning rates that were planned, and where it left them.

What it shows: `ks.read_trace`, which reads the logs of most trainers; `ks.check`, whose verdict has a kind, a sentence
and the numbers; four runs, of which three went wrong in the ways that are most common.

    pip install .
    python examples/check_a_log.py
"""

import csv
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

import kosine as ks

plan = ks.warmup_cosine(peak=3e-4, warmup=100, warmup_start=1e-6).plan(total_steps=1_000)
steps = np.arange(1_000)

# What each run's optimizer was at, step by step.
RUNS = {
    "a good run": steps,
    "a resume that lost the scheduler's state": np.where(steps < 600, steps, steps - 600),
    "scheduler.step() in each of 4 accumulated batches": steps * 4,
    "scheduler.step() before optimizer.step()": steps + 1,
}


def write_log(path: Path, rates: Iterable[float]) -> None:
    """A log as training scripts write it: every tenth step, rates with 6 digits."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["step", "loss", "learning_rate"])
        writer.writerows((step, "1.0", f"{rate:.5e}") for step, rate in enumerate(rates) if step % 10 == 0)


with tempfile.TemporaryDirectory() as folder:
    log = Path(folder, "log.csv")
    for name, used in RUNS.items():
        write_log(log, plan(used).tolist())
        verdict = ks.check(ks.read_trace(log), plan)
        print(f"{name}\n  {verdict.kind}: {verdict.sentence}")
        if verdict.first is not None:
            first = verdict.first
            print(f"  first difference at step {first.step}: expected {first.expected:.3e}, found {first.found:.3e}")
        for jump in verdict.jumps:
            print(f"  at position {jump.position:g} step {jump.after} came instead of step {jump.before}")
        print()

# On the command line, with a picture:
#   kosine check log.csv 'warmup_cosine(peak=3e-4, warmup=100, warmup_start=1e-6)' --total-steps 1000 -o check.png
