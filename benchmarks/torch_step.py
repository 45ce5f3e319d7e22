"""What a scheduler costs in a PyTorch loop: `PlanLR` beside those of torch, Hugging Face, timm and ignite.

Every rival but torch's restarts follows a warm-up and then a cosine, with its own optimizer. Run as
`python -m benchmarks.torch_step`, which takes about 1 minute.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import pairwise

import torch
from ignite.engine import Engine
from ignite.handlers.param_scheduler import CosineAnnealingScheduler, create_lr_scheduler_with_warmup
from torch.optim import Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, CosineAnnealingWarmRestarts, LambdaLR, LinearLR, SequentialLR
from transformers import get_cosine_schedule_with_warmup

import kosine as ks
from benchmarks.measure import interleaved_seconds, progress, ratio
from benchmarks.peers import timm_schedulers
from benchmarks.tables import Cell, Spread, Table, report
from kosine.torch._scheduler import PlanLR

WARMUP, TOTAL, PEAK = 100, 1_000_000, 1e-3
STEPS = {1: 400, 10: 100, 100: 12, 1_000: 2}  # by param groups: less than a time slice, also for the slowest
ROUNDS = 301
TRAINING_STEPS = {1: 200, 100: 10}
TRAINING_ROUNDS = 54

Step = Callable[[], object]


def plan_lr(optimizer: Optimizer) -> Step:
    step: Step = PlanLR(optimizer, ks.warmup_cosine(peak=PEAK, warmup=WARMUP).plan(total_steps=TOTAL)).step
    return step


def share(step: int) -> float:
    """The curve as a script writes it, as a share of the peak."""
    if step < WARMUP:
        return step / WARMUP
    return 0.5 * (1.0 + math.cos(math.pi * (step - WARMUP) / (TOTAL - WARMUP)))


def bare(optimizer: Optimizer) -> Step:
    """The least work possible: the closed form, and a write into each group."""
    step = 0

    def set_rates() -> None:
        nonlocal step
        step += 1
        rate = PEAK * share(step)
        for group in optimizer.param_groups:
            group["lr"] = rate

    return set_rates


def torch_restarts(optimizer: Optimizer) -> Step:
    step: Step = CosineAnnealingWarmRestarts(optimizer, TOTAL).step
    return step


def torch_sequence(optimizer: Optimizer) -> Step:
    parts = [LinearLR(optimizer, 1e-3, total_iters=WARMUP), CosineAnnealingLR(optimizer, TOTAL - WARMUP)]
    step: Step = SequentialLR(optimizer, parts, [WARMUP]).step
    return step


def torch_lambda(optimizer: Optimizer) -> Step:
    step: Step = LambdaLR(optimizer, share).step
    return step


def hugging_face(optimizer: Optimizer) -> Step:
    step: Step = get_cosine_schedule_with_warmup(optimizer, WARMUP, TOTAL).step
    return step


def timm(optimizer: Optimizer) -> Step:
    scheduler, updates = timm_schedulers().CosineLRScheduler(optimizer, TOTAL, warmup_t=WARMUP, t_in_epochs=False), 0

    def step_update() -> None:
        nonlocal updates
        updates += 1
        scheduler.step_update(updates)

    return step_update


def ignite(optimizer: Optimizer) -> Step:
    cosine = CosineAnnealingScheduler(optimizer, "lr", PEAK, 0.0, TOTAL - WARMUP)
    scheduler = create_lr_scheduler_with_warmup(cosine, 0.0, WARMUP)
    engine = Engine(lambda engine, batch: None)
    return partial(scheduler, engine)  # as the engine calls its handlers


OURS = "kosine PlanLR"
SCHEDULERS: dict[str, Callable[[Optimizer], Step]] = {
    OURS: plan_lr,
    "torch CosineAnnealingWarmRestarts": torch_restarts,
    "torch SequentialLR(LinearLR, CosineAnnealingLR)": torch_sequence,
    "torch LambdaLR": torch_lambda,
    "Hugging Face get_cosine_schedule_with_warmup": hugging_face,
    "timm CosineLRScheduler.step_update": timm,
    "ignite CosineAnnealingScheduler with warm-up": ignite,
}


def times(calls: int, call: Step) -> Step:
    def loop() -> None:
        for _ in range(calls):
            call()

    return loop


def after_warmup(make: Callable[[Optimizer], Step], groups: int) -> Step:
    """The scheduler, where it has just begun the cosine."""
    optimizer = torch.optim.SGD([{"params": [torch.nn.Parameter(torch.zeros(1))]} for _ in range(groups)], lr=PEAK)
    step = make(optimizer)
    optimizer.step()  # torch warns where it is not called
    times(WARMUP + 1, step)()
    return step


def step_costs() -> Table:
    """`scheduler.step()` alone, by the number of param groups."""
    rivals = SCHEDULERS | {"bare Python closed form and writes": bare, f"{OURS}, again": plan_lr}
    columns: dict[int, dict[str, Spread]] = {}
    micro: list[Spread] = []
    for groups, steps in STEPS.items():
        progress(f"scheduler.step() in PyTorch, param groups: {groups:,}")
        seconds = interleaved_seconds(
            {name: times(steps, after_warmup(make, groups)) for name, make in rivals.items()}, ROUNDS
        )
        base = seconds.pop(OURS)
        columns[groups] = {name: ratio(values, base) for name, values in seconds.items()}
        micro.append(Spread.of(base).scaled(1e6 / steps))
    return ratios(
        "A scheduler's step() / PlanLR.step(), by the number of param groups",
        {f"{groups:,}": column for groups, column in columns.items()},
        f"µs of {OURS}.step()",
        micro,
        "Above 1: slower than kosine. Their warm-ups are over. Wanted: torch's restarts at least 3 with 1 group and 8 "
        "with 100, and the bare closed form at least 0.63, which is PlanLR at most 1.6 times as long.",
    )


def ratios(title: str, columns: Mapping[str, Mapping[str, Spread]], base: str, micro: list[Spread], note: str) -> Table:
    """A row for each rival, and below them the time that all are compared with."""
    names = next(iter(columns.values()))
    rows: list[tuple[Cell, ...]] = [(name, *(column[name] for column in columns.values())) for name in names]
    return Table(title, ("scheduler", *columns), (*rows, (base, *micro)), note)


def network(groups: int) -> torch.nn.Module:
    """A small classifier; with 100 groups it has enough layers to give each group one tensor."""
    units = [100, 32, 10] if groups == 1 else [100, *[32] * (groups // 2 - 1), 10]
    layers = [layer for pair in pairwise(units) for layer in (torch.nn.Linear(*pair), torch.nn.ReLU())]
    return torch.nn.Sequential(*layers[:-1])


def training(make: Callable[[Optimizer], Step], groups: int, steps: int) -> Step:
    """Steps of a training loop."""
    torch.manual_seed(0)
    model = network(groups)
    parameters = [*model.parameters()]
    size = len(parameters) // groups
    optimizer = torch.optim.AdamW([{"params": parameters[i * size : (i + 1) * size]} for i in range(groups)], lr=PEAK)
    step = make(optimizer)
    x, y = torch.randn(16, 100), torch.randint(10, (16,))

    def train() -> None:
        for _ in range(steps):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
            step()

    return train


def no_scheduler(optimizer: Optimizer) -> Step:
    return lambda: None


def training_costs() -> Table:
    """A whole training step with each scheduler."""
    constant = "constant rate"
    rivals = {constant: no_scheduler} | SCHEDULERS | {f"{constant}, again": no_scheduler}
    columns: dict[str, dict[str, Spread]] = {}
    micro: list[Spread] = []
    for groups, steps in TRAINING_STEPS.items():
        progress(f"a training step in PyTorch, param groups: {groups:,}")
        seconds = interleaved_seconds(
            {name: training(make, groups, steps) for name, make in rivals.items()}, TRAINING_ROUNDS
        )
        base = seconds.pop(constant)
        column = "2 layers, 1 group" if groups == 1 else f"{groups // 2} layers, {groups} groups"
        columns[column] = {name: ratio(values, base) for name, values in seconds.items()}
        micro.append(Spread.of(base).scaled(1e6 / steps))
    return ratios(
        "A PyTorch training step / the same with a constant rate",
        columns,
        f"µs of a step with a {constant}",
        micro,
        "Dense layers of 32 units, batch 16, AdamW: forward, backward, optimizer.step(), scheduler.step(). The "
        "constant rate again shows the noise.",
    )


def tables() -> Iterator[Table]:
    warnings.filterwarnings("ignore", "The epoch parameter", UserWarning)  # torch's SequentialLR uses it itself
    torch.set_flush_denormal(True)  # vanishing gradients are slow where they are not flushed to 0
    yield step_costs()
    yield training_costs()


if __name__ == "__main__":
    report(tables)
