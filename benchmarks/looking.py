"""What it costs to look at a schedule: the command line, rates, whole curves, and plans of up to a million phases."""

from __future__ import annotations

import math
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np

import kosine as ks
from benchmarks.measure import interleaved_seconds, progress, ratio
from benchmarks.tables import Cell, Table, report
from kosine._core.files import whole_file

PYTHON = [sys.executable, "-c"]
KOSINE = [sys.executable, "-m", "kosine.cli"]
SHORT = "sgdr(peak=0.05, period=100)"
LONG = "sgdr(peak=0.05, period=10_000)"
GROWING = "sgdr(peak=0.05, period=5_820, stretch=1.00001)"
SHRINKING = "sgdr(peak=0.05, period=10_000, shrink=0.99999)"
OF_SHORT, OF_LONG = ["--total-steps", "1000"], ["--total-steps", "1e9"]
COMMAND_ROUNDS = 9

WARMUP, HOLD, TOTAL = 7_880, 5, 39_400
PEAK, WARMUP_START = 1e-4, 4e-6
PERIOD, STRETCH = 500, 2
CURVE_STEPS, PEER_STEPS = 10**6, 10**4
CURVE_ROUNDS = 9

PHASE_STEPS = 1000
PICTURE = Path(__file__).parent / "growth.png"


@dataclass
class Command:
    """A command in a separate process, its output dropped; it notes the largest resident set of each run."""

    words: Sequence[str]
    status: int = 0
    """The exit status that it should have."""
    kibibytes: list[int] = field(default_factory=list)

    def __call__(self) -> None:
        process = subprocess.Popen(self.words, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != self.status:
            raise subprocess.CalledProcessError(process.returncode, self.words)
        self.kibibytes.append(usage.ru_maxrss)


def peak_memory(words: Sequence[str]) -> int:
    """The largest resident set of a command, in KiB."""
    command = Command(words)
    command()
    return command.kibibytes[0]


def kosine(*words: str, status: int = 0) -> Command:
    return Command([*KOSINE, *words], status)


def compared(base: Command, others: dict[str, Command], target: str = "") -> Iterator[tuple[Cell, ...]]:
    """A row for each of the others: its time as a ratio to the base, the target, the base in ms, the peak memory."""
    progress("; ".join(others))
    seconds = interleaved_seconds({"": base, **others}, COMMAND_ROUNDS)
    own = getrusage(RUSAGE_SELF).ru_maxrss  # a new process begins with the peak of this one, and may stay below it
    for name, command in others.items():
        known = own < min(*command.kibibytes, *base.kibibytes)
        memory = median(command.kibibytes) / median(base.kibibytes) if known else None
        yield name, ratio(seconds[name], seconds[""]), target, median(seconds[""]) * 1e3, memory


def long_runs() -> Table:
    """This comes before all that makes this process large."""
    shown = {
        "kosine show, 10⁵ equal cycles": kosine("show", LONG, *OF_LONG),
        "kosine show, 10⁵ growing cycles": kosine("show", GROWING, *OF_LONG),
        "kosine show, 10⁵ shrinking cycles": kosine("show", SHRINKING, *OF_LONG),
    }
    rows = [*compared(kosine("show", SHORT, *OF_SHORT), shown, "≤ 1.5")]
    with TemporaryDirectory() as folder:
        for ending in ("png", "html"):
            output = ("-o", str(Path(folder) / f"picture.{ending}"))
            plotted = {f"kosine plot ({ending})": kosine("plot", LONG, *OF_LONG, *output)}
            rows += compared(kosine("plot", SHORT, *OF_SHORT, *output), plotted)
    short, long = (
        kosine("compare", schedule, schedule.replace(")", ", floor=0.001)"), *size, status=1)  # 1: they differ
        for schedule, size in ((SHORT, OF_SHORT), (LONG, OF_LONG))
    )
    rows += compared(short, {"kosine compare": long})
    rows += compared(kosine("lint", SHORT, *OF_SHORT), {"kosine lint": kosine("lint", LONG, *OF_LONG)})
    return Table(
        "Commands on a run of 10⁹ steps / the same on 10³ steps: ratio",
        ("command", "time", "target (time)", "10³ steps, ms", "peak memory"),
        tuple(rows),
        "Whole processes. The long runs have 10⁵ cycles, the short one 10. Target for the peak memory: at most 1.2.",
    )


def starting() -> Table:
    numpy = Command([*PYTHON, "import numpy"])
    rows = [
        *compared(numpy, {"import kosine": Command([*PYTHON, "import kosine"])}, "≤ 1.3"),
        *compared(numpy, {"kosine --help": kosine("--help")}, "≤ 2"),
    ]
    return Table(
        "Starting / `import numpy` in a fresh process: ratio",
        ("process", "time", "target", "numpy, ms"),
        tuple(row[:4] for row in rows),
    )


def by_hand(step: int) -> float:
    """The curve of the worked example, as a script would write it."""
    if step < WARMUP:
        return WARMUP_START + (PEAK - WARMUP_START) * step / WARMUP
    if step < WARMUP + HOLD:
        return PEAK
    if step < TOTAL:
        return 0.5 * PEAK * (1.0 + math.cos(math.pi * (step - WARMUP - HOLD) / (TOTAL - WARMUP - HOLD)))
    return 0.0


def sgdr_by_hand(step: int) -> float:
    """SGDR as a script would write it: the cycle from a logarithm, right or wrong at its edges."""
    cycle = int(math.log(step / PERIOD * (STRETCH - 1) + 1, STRETCH))
    first = PERIOD * (STRETCH**cycle - 1) / (STRETCH - 1)
    return 0.5 * PEAK * (1.0 + math.cos(math.pi * (step - first) / (PERIOD * STRETCH**cycle)))


def over(function: Callable[[int], float], steps: list[int]) -> Callable[[], None]:
    """One call of `function` for every step, in the order given."""

    def loop() -> None:
        for step in steps:
            function(step)

    return loop


def rates() -> Table:
    progress("rates")
    in_order = list(range(TOTAL))
    steps = random.Random(0).sample(in_order, TOTAL)
    array = np.arange(CURVE_STEPS)
    example = ks.warmup_cosine(peak=PEAK, warmup=WARMUP, warmup_start=WARMUP_START, hold=HOLD).plan(total_steps=TOTAL)
    warm_restarts = ks.sgdr(peak=PEAK, period=PERIOD, stretch=STRETCH).plan(total_steps=TOTAL)
    decay = ks.warmup_cosine(peak=PEAK).plan(total_steps=CURVE_STEPS)
    three = ks.warmup_cosine(peak=PEAK, warmup=CURVE_STEPS // 5, hold=5).plan(total_steps=CURVE_STEPS)

    def numpy_cosine() -> object:
        return 0.5 * PEAK * (1.0 + np.cos(np.pi * array / CURVE_STEPS))

    epochs = array % TOTAL

    def numpy_cosine_of_epochs() -> object:
        return 0.5 * PEAK * (1.0 + np.cos(np.pi * epochs / TOTAL))

    closed, sgdr, cosine = "a Python closed form", "a Python closed form, by a logarithm", "one NumPy cosine"
    comparisons: list[tuple[str, Callable[[], object], str, Callable[[], object], int, str]] = [
        ("plan(step), warm-up, hold, cosine", over(example, steps), closed, over(by_hand, steps), TOTAL, "≤ 2.5"),
        ("the same, in order", over(example, in_order), closed, over(by_hand, in_order), TOTAL, "≤ 1.8"),
        ("plan(step), sgdr", over(warm_restarts, steps), sgdr, over(sgdr_by_hand, steps), TOTAL, "≤ 2.5"),
        ("plan(array of 10⁶), cosine", lambda: decay(array), cosine, numpy_cosine, 1, "≤ 2"),
        ("plan(array of 10⁶), warm-up, hold, cosine", lambda: three(array), cosine, numpy_cosine, 1, "≤ 2"),
        ("plan(array of 10⁶), unsorted", lambda: example(epochs), cosine, numpy_cosine_of_epochs, 1, "≤ 1.6"),
    ]
    rows = []
    for name, ours, base, theirs, calls, target in comparisons:
        seconds = interleaved_seconds({"ours": ours, "theirs": theirs}, 31)
        cost = ratio(seconds["ours"], seconds["theirs"])
        rows.append((name, base, cost, target, median(seconds["theirs"]) / calls * 1e6))
    return Table("Rates / the least that could do it: ratio", ("rates", "/", "time", "target", "/, µs"), tuple(rows))


def whole_curves() -> Table:
    """The time to get every rate of a run of 10**6 steps."""
    import jax
    import optax
    import torch
    from ignite.handlers.param_scheduler import CosineAnnealingScheduler
    from transformers import get_cosine_schedule_with_warmup

    from benchmarks.peers import kosine_plan, sgd, timm_schedulers
    from kosine.jax._schedule import schedule

    progress("whole curves")
    array = np.arange(CURVE_STEPS, dtype=np.int32)
    plan = kosine_plan(CURVE_STEPS, 0.0)

    def stepping(make: Callable[[torch.optim.Optimizer], Any]) -> Callable[[], object]:
        def step_through() -> None:
            optimizer = sgd()
            scheduler = make(optimizer)
            optimizer.step()  # torch warns where it is not called
            for _ in range(PEER_STEPS):
                scheduler.step()

        return step_through

    def timm() -> None:
        scheduler = timm_schedulers().CosineLRScheduler(sgd(), PEER_STEPS, t_in_epochs=False)
        for step in range(PEER_STEPS):
            scheduler.step_update(step)

    def ignite() -> None:
        scheduler = CosineAnnealingScheduler(sgd(), "lr", PEAK, 0.0, PEER_STEPS)
        for _ in range(PEER_STEPS):
            scheduler(None)

    def jitted(function: Callable[[Any], Any]) -> Callable[[], object]:
        compiled = jax.jit(function)
        return lambda: np.asarray(compiled(array))

    torch_schedulers = torch.optim.lr_scheduler
    whole: dict[str, Callable[[], object]] = {
        "kosine, plan(array)": lambda: plan(array),
        "kosine, ks.jax.schedule, jitted": jitted(schedule(plan)),
        "optax cosine_decay_schedule, jitted": jitted(optax.cosine_decay_schedule(PEAK, CURVE_STEPS)),
    }
    stepped: dict[str, Callable[[], object]] = {
        "torch CosineAnnealingLR": stepping(
            lambda optimizer: torch_schedulers.CosineAnnealingLR(optimizer, PEER_STEPS)
        ),
        "torch CosineAnnealingWarmRestarts": stepping(
            lambda optimizer: torch_schedulers.CosineAnnealingWarmRestarts(optimizer, PEER_STEPS)
        ),
        "Hugging Face cosine": stepping(lambda optimizer: get_cosine_schedule_with_warmup(optimizer, 0, PEER_STEPS)),
        "timm CosineLRScheduler": timm,
        "ignite CosineAnnealingScheduler": ignite,
    }
    seconds = interleaved_seconds(whole | stepped, CURVE_ROUNDS)
    base = seconds["kosine, plan(array)"]
    rows = []
    for name, values in seconds.items():
        scale = CURVE_STEPS / PEER_STEPS if name in stepped else 1
        target = "≥ 100" if name in stepped else ""
        rows.append((name, ratio(values, base).scaled(scale), target, median(values) * scale * 1e3))
    return Table(
        "Every rate of a cosine of 10⁶ steps / plan(array): ratio",
        ("schedule", "time", "target", "ms"),
        tuple(rows),
        f"The schedulers of PyTorch step an optimizer with one param group {PEER_STEPS:,} times; their time is scaled "
        "to 10⁶ steps. Those in JAX work out float32, kosine's plan float64.",
    )


@dataclass(frozen=True)
class Growth:
    """Something that is made of 1, 10, 100 ... phases. `ready` prepares them, and returns the function to time."""

    name: str
    ready: Callable[[int], Callable[[], object]]
    most: int
    style: dict[str, str]

    @property
    def sizes(self) -> list[int]:
        return [10**power for power in range(round(math.log10(self.most)) + 1)]

    def seconds(self, size: int) -> float:
        make = self.ready(size)
        if size < self.most:  # once unmeasured, but for what takes seconds
            make()
        values: list[float] = []
        while len(values) < 9 and sum(values) < 0.5:
            begin = perf_counter()
            make()
            values.append(perf_counter() - begin)
        return median(values)


def phases(count: int) -> ks.Schedule:
    return ks.Schedule(*[ks.linear(PHASE_STEPS, start=PEAK, to=0.0) for _ in range(count)])


def cycles(count: int, stretch: float = 1.0, shrink: float = 1.0) -> ks.Schedule:
    cosine = ks.cosine(PHASE_STEPS, start=PEAK, to=0.0)
    return ks.Schedule(ks.cycles(cosine, count=count, stretch=stretch, shrink=shrink))


def planned(schedule: ks.Schedule, count: int) -> Callable[[], object]:
    """Plan it, and ask for a rate in the middle."""
    return lambda: schedule.plan()(PHASE_STEPS * count // 2)


def torch_sequence(count: int) -> object:
    """It has the rate of step 0 when it is built."""
    import torch

    from benchmarks.peers import sgd

    optimizer, schedulers = sgd(), torch.optim.lr_scheduler
    parts = [schedulers.CosineAnnealingLR(optimizer, PHASE_STEPS) for _ in range(count)]
    optimizer.step()  # torch warns where it is not called
    return schedulers.SequentialLR(optimizer, parts, [PHASE_STEPS * part for part in range(1, count)])


def optax_sequence(count: int) -> object:
    import optax

    parts = [optax.cosine_decay_schedule(PEAK, PHASE_STEPS) for _ in range(count)]
    boundaries = [PHASE_STEPS * part for part in range(1, count)]
    return optax.join_schedules(parts, boundaries)(PHASE_STEPS * count // 2)


def line(colour: str, marker: str, style: str = "-") -> dict[str, str]:
    return {"color": colour, "marker": marker, "linestyle": style}


def parsing(count: int) -> Callable[[], object]:
    text = repr(phases(count))
    return lambda: ks.parse(text)


GROWTHS = (  # in the palette of Okabe and Ito, which colour-blind people can distinguish
    Growth("kosine, Schedule(n phases)", lambda n: lambda: phases(n), 10**6, line("#0072B2", "o")),
    Growth("kosine, its plan and a rate", lambda n: planned(phases(n), n), 10**6, line("#56B4E9", "s")),
    Growth("kosine, parse of its text", parsing, 10**5, line("#000000", "p")),
    Growth("kosine, n growing cycles", lambda n: planned(cycles(n, 1 + 1e-5), n), 10**4, line("#E69F00", "D")),
    Growth("kosine, n equal cycles", lambda n: planned(cycles(n), n), 10**6, line("#009E73", "^")),
    Growth(
        "kosine, n shrinking cycles", lambda n: planned(cycles(n, 1, 1 - 1e-5), n), 10**6, line("#CC79A7", "v", ":")
    ),
    Growth("torch SequentialLR", lambda n: lambda: torch_sequence(n), 10**5, line("#D55E00", "X", "--")),
    Growth("optax join_schedules", lambda n: lambda: optax_sequence(n), 10**4, line("#7F7F7F", "P", "--")),
)


def slope(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """The power of the size with which the time grows, from 1,000 phases on; below, fixed costs are most of it."""
    return float(np.polyfit(np.log(sizes[3:]), np.log(seconds[3:]), 1)[0])


def draw(found: dict[str, list[float]], path: Path) -> None:
    """Seconds over phases, both logarithmic; the legend has the slopes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for growth in GROWTHS:
        seconds = found[growth.name]
        label = f"{growth.name}: {slope(growth.sizes, seconds):.2f}"
        axes.loglog(growth.sizes, seconds, label=label, markersize=6, linewidth=1.6, **growth.style)
    axes.set(xlabel="n", ylabel="seconds", title="Building a plan of n phases, and asking it for a rate")
    axes.grid(color="0.92")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="lower right", frameon=False, fontsize=9, title="slope from n = 1,000 on", alignment="left")
    with whole_file(path, binary=True) as file:
        figure.savefig(file, format="png", dpi=150)


def building() -> Table:
    found: dict[str, list[float]] = {}
    for growth in GROWTHS:
        progress(f"{growth.name}, up to {growth.most:,}")
        found[growth.name] = [growth.seconds(size) for size in growth.sizes]
    draw(found, PICTURE)
    sizes = max((growth.sizes for growth in GROWTHS), key=len)
    rows: list[tuple[Cell, ...]] = []
    for growth in GROWTHS:
        seconds: list[Cell] = [value * 1e3 for value in found[growth.name]]
        missing = [None] * (len(sizes) - len(seconds))
        rows.append((growth.name, *seconds, *missing, slope(growth.sizes, found[growth.name])))
    return Table(
        "Building a plan of n phases, and asking it for a rate: ms",
        ("n", *(f"{size:,}" for size in sizes), "slope"),
        tuple(rows),
        "![The growth of these times, with both axes logarithmic](growth.png)\n\n"
        "The slope is the power of n with which the time grows from n = 1,000 on. Of cycles a plan lists 4,096 "
        "ahead, and finds others by arithmetic. Empty cells would take too long; a `count` of growing cycles is "
        "limited, as the position at which they end must be written down.",
    )


def tables() -> Iterator[Table]:
    yield long_runs()
    yield starting()
    yield rates()
    yield whole_curves()
    yield building()


if __name__ == "__main__":
    report(tables)
