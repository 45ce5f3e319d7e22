"""Find out from a log which schedule a run follows, and which rates are still to come.

What it shows: `ks.infer` on the first part of somebody's log, printed with few digits; what the log leaves open; the
schedule as a value again: as text, as a plan, as a program without kosine.

    pip install '.[infer]'
    python examples/infer_a_schedule.py
"""

import math
import tempfile
from pathlib import Path

import kosine as ks

WARMUP, TOTAL, PEAK = 200, 5_000, 5e-4


def somebodys_rate(step: int) -> float:
    """The schedule of a training script that we have only the log of."""
    if step < WARMUP:
        return PEAK * step / WARMUP
    return PEAK * (0.55 + 0.45 * math.cos(math.pi * (step - WARMUP) / (TOTAL - WARMUP)))


with tempfile.TemporaryDirectory() as folder:
    path = Path(folder, "train.log")
    rows = [f"step {step} | loss 3.2 | lr {somebodys_rate(step):.3e}\n" for step in range(0, 3_000, 10)]
    path.write_text("".join(rows))
    log = ks.read_trace(path)

inference = ks.infer(log)
print("schedule:", inference.schedule)
print(f"largest distance from a row: {inference.residual:.2g}; its digits allow {log.half_widths().max():.2g}")
for question in inference.open:
    print("left open:", question.text)

# The schedule is a value: plan the whole run with it, and see the part that is still to come.
assert inference.schedule is not None
plan = inference.schedule.plan(total_steps=TOTAL)
for step in (100, 2_600, 4_500, 4_999):
    print(f"step {step:5,d}: plan {plan(step):.4e}, the script {somebodys_rate(step):.4e}")

# Or take it away as a program: `print(ks.to_code(plan, "torch"))`.
# On the command line: `kosine infer train.log > run.toml && kosine show run.toml`.
