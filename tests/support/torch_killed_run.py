"""PyTorch runs that die at random moments: `python -m tests.support.torch_killed_run FOLDER`.

It trains in forks of this process, so that PyTorch is imported once: one run from start to end in `FOLDER/whole`, and
one in `FOLDER/killed` that is killed again and again, and goes on from its last checkpoint each time. The exit codes
and the moments go to `deaths.json`.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch

import kosine as ks
from kosine.testing.torch import Probe
from kosine.torch._scheduler import PlanLR
from tests.support.killed_runs import note

STEPS, SAVE_EVERY, KILLS = 120, 5, 20
SECONDS = 60  # after which a process that hangs is given up
PLAN = ks.Schedule(ks.linear(17, start=0.01, to=0.1), ks.hold(5), ks.cycles(ks.cosine(13, to=0.002), stretch=1.5)).plan(
    total_steps=STEPS
)


class Death(NamedTuple):
    step: int
    call: int
    """Which of the calls and returns, of any function, from the step's beginning on."""


class Training:
    """A probe for the rates, and a network whose optimizer has a state: each with a scheduler of its own."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.probe = Probe(STEPS)
        body, head = torch.nn.Linear(3, 8), torch.nn.Linear(8, 1)
        self.network = torch.nn.Sequential(body, torch.nn.Tanh(), head)
        groups = [{"params": body.parameters()}, {"params": head.parameters(), "lr": torch.tensor(0.05)}]
        self.optimizers = [
            torch.optim.SGD(self.probe.parameters(), lr=0.5),
            torch.optim.AdamW(groups, lr=0.5, foreach=False),
        ]
        self.schedulers = [PlanLR(optimizer, PLAN) for optimizer in self.optimizers]

    @property
    def parts(self) -> list[Any]:
        return [self.probe, self.network, *self.optimizers, *self.schedulers]

    def load(self, file: Path) -> None:
        for part, state in zip(self.parts, torch.load(file, weights_only=True), strict=True):
            part.load_state_dict(state)

    def save(self, file: Path) -> None:
        new = file.with_suffix(".new")
        torch.save([part.state_dict() for part in self.parts], new)
        new.replace(file)

    def update(self, step: int) -> None:
        batch = torch.randn(4, 3, generator=torch.Generator().manual_seed(step))
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        (self.probe(step) + self.network(batch).square().mean()).backward()
        for optimizer in self.optimizers:
            optimizer.step()


def train(folder: Path, death: Death | None) -> None:
    """The usual loop; it goes on from the last checkpoint, and notes each rate as soon as it was applied."""
    folder.mkdir(exist_ok=True)
    training, checkpoint = Training(), folder / "checkpoint.pt"
    if checkpoint.exists():
        training.load(checkpoint)
    calls: Counter[int] = Counter()
    for step in range(training.schedulers[0].last_epoch, STEPS):
        with watched(step, calls, death):
            training.update(step)
            note(folder / "applied.txt", step, training.probe.rates[step])
            for scheduler in training.schedulers:
                scheduler.step()
            if (step + 1) % SAVE_EVERY == 0:
                training.save(checkpoint)
    weights = [weight.item().hex() for part in training.parts[:2] for p in part.parameters() for weight in p.flatten()]
    (folder / "weights.json").write_text(json.dumps(weights), encoding="utf-8")
    (folder / "calls.json").write_text(json.dumps([calls[step] for step in range(STEPS)]), encoding="utf-8")


@contextmanager
def watched(step: int, calls: Counter[int], death: Death | None) -> Iterator[None]:
    """Count the calls and returns of a step, and die at the one that was drawn."""

    def count(*_: Any) -> None:
        calls[step] += 1
        # A process that has just started may make fewer calls: then it dies in the step after.
        if death is not None and step >= death.step and calls[death.step] + calls[death.step + 1] >= death.call:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(count)
    yield
    sys.setprofile(None)


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    fork = torch.multiprocessing.get_context("fork")

    def exit_code(name: str, death: Death | None) -> int | None:
        process = fork.Process(target=train, args=(folder / name, death))
        process.start()
        process.join(SECONDS)
        code: int | None = process.exitcode
        process.kill()
        process.join()
        return code

    codes = [exit_code("whole", None)]
    calls = json.loads((folder / "whole" / "calls.json").read_text(encoding="utf-8"))
    draw = random.Random(0)
    deaths = [Death(step, draw.randint(1, calls[step])) for step in sorted(draw.sample(range(STEPS - 1), KILLS))]
    codes += [exit_code("killed", death) for death in [*deaths, None]]
    (folder / "deaths.json").write_text(json.dumps({"codes": codes, "deaths": deaths}), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
