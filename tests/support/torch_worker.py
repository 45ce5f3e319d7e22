"""Pairs of processes that train together on one machine: `python -m tests.support.torch_worker FOLDER`.

It does one task after another, each in two processes, which are forks of this one so that PyTorch is imported once.
They meet through a file in the folder, so there is no port that might be taken, and each writes the rates that it
applied to files of its own. The exit codes go to `codes.json`.
"""

from __future__ import annotations

import json
import math
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import transformers
from accelerate import Accelerator
from accelerate.utils import DataLoaderConfiguration

from kosine.testing.torch import Probe
from kosine.torch import PlanLR, range_test, with_schedule
from tests.support.killed_runs import note
from tests.support.torch_probe import LR, PLAN, STEPS
from tests.support.trainer_probe import Counts, Model, samples, settings

SAVE_EVERY, CRASH = 3, 7
SECONDS = 60  # after which a process that hangs is given up


def data_parallel(rank: int, folder: Path, crash: bool) -> dict[str, Any]:
    """The usual loop with checkpoints; it goes on from the last one that there is."""
    probe = Probe(STEPS)
    model = torch.nn.parallel.DistributedDataParallel(probe)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    scheduler = PlanLR(optimizer, PLAN)
    file = folder / "checkpoint.pt"
    parts: dict[str, Any] = {"model": model, "optimizer": optimizer, "scheduler": scheduler}
    if file.exists():
        for name, state in torch.load(file, weights_only=True).items():
            parts[name].load_state_dict(state)
    first = scheduler.last_epoch
    for step in range(first, STEPS):
        optimizer.zero_grad()
        model(step).backward()
        if crash and rank == 1 and step == CRASH:
            os.kill(os.getpid(), signal.SIGKILL)
        optimizer.step()
        note(folder / f"applied.{rank}.txt", step, probe.rates[step])
        scheduler.step()
        if (step + 1) % SAVE_EVERY == 0 and rank == 0:
            torch.save({name: part.state_dict() for name, part in parts.items()}, folder / "new.pt")
            (folder / "new.pt").replace(file)
    return {"first step": first, "rates": probe.rates}


def accelerated(**arguments: Any) -> list[float]:
    """The loop that accelerate's manual shows; `prepare_scheduler=False` leaves the scheduler out of it."""
    prepare_scheduler = arguments.pop("prepare_scheduler", True)
    accelerator = Accelerator(cpu=True, **arguments)
    probe = Probe(STEPS)
    optimizer: Any = torch.optim.SGD(probe.parameters(), lr=0.5)
    scheduler: Any = PlanLR(optimizer, PLAN)
    model, optimizer = accelerator.prepare(probe, optimizer)
    if prepare_scheduler:
        scheduler = accelerator.prepare(scheduler)
    for step in range(STEPS):
        optimizer.zero_grad()
        accelerator.backward(model(step))
        optimizer.step()
        scheduler.step()
    return probe.rates


def by_a_trainer(folder: Path) -> list[float]:
    """A run of Trainer that counts: 10 batches for each process, updates of 4, 4 and 2 of them, 4 epochs."""
    arguments = settings(folder, gradient_accumulation_steps=4, num_train_epochs=STEPS // 3)
    model = Model(STEPS)
    with_schedule(transformers.Trainer, LR)(model, arguments, train_dataset=samples(20), callbacks=[Counts]).train()
    return model.rates


def tested(rank: int) -> dict[str, Any]:
    """A range test whose processes have data of their own; that of the second is not finite once."""
    torch.manual_seed(0)
    model = torch.nn.parallel.DistributedDataParallel(torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Linear(4, 1)))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x = torch.randn(40, 4, generator=torch.Generator().manual_seed(rank))
    batches = [(x[n : n + 8], x[n : n + 8].sum(1, keepdim=True)) for n in range(0, 40, 8)]
    before = [parameter.detach().clone() for parameter in model.parameters()]
    calls = iter(range(1000))

    def loss(model: torch.nn.Module, batch: Any) -> torch.Tensor:
        broken = next(calls) == 25 and rank == 1
        return torch.nn.functional.mse_loss(model(batch[0]), batch[1]) * (math.nan if broken else 1.0)

    test = range_test(model, optimizer, loss, batches, low=1e-4, high=1e4, steps=60, seeds=3)
    kept = all(map(torch.equal, before, model.parameters()))
    result = {"ends": test.ends, "losses": [losses.tolist() for losses in test.losses], "weights kept": kept}
    return {**result, **tested_with_workers(model, optimizer, loss, x)}


def tested_with_workers(model: Any, optimizer: Any, loss: Any, x: torch.Tensor) -> dict[str, Any]:
    """A range test in the midst of an epoch, with the workers that are at it."""
    data = torch.utils.data.TensorDataset(x, x.sum(1, keepdim=True))
    loader = torch.utils.data.DataLoader(data, 8, shuffle=True, num_workers=1, persistent_workers=True)
    epoch = iter(loader)
    next(epoch)
    workers = loader._iterator
    test = range_test(model, optimizer, loss, loader, low=1e-4, high=1e-3, steps=20, seeds=2, verbose=False)
    return {
        "workers kept": loader._iterator is workers,
        "batches left": len([*epoch]),
        "with workers": [losses.tolist() for losses in test.losses],
    }


def work(task: str, rank: int, folder: Path) -> None:
    os.environ.update({"RANK": str(rank), "LOCAL_RANK": str(rank)})  # accelerate reads them
    torch.distributed.init_process_group(
        "gloo",
        init_method=(folder / f"{task}.meeting").as_uri(),
        rank=rank,
        world_size=2,
        timeout=timedelta(seconds=SECONDS / 2),
    )
    rates: Any
    if task == "accelerate":
        split = DataLoaderConfiguration(split_batches=True)
        rates = {
            "prepared": accelerated(),
            "left out": accelerated(prepare_scheduler=False),
            "by itself": accelerated(step_scheduler_with_optimizer=False),
            "split batches": accelerated(dataloader_config=split),
        }
    elif task == "range test":
        rates = tested(rank)
    elif task == "trainer":
        rates = by_a_trainer(folder)
    else:
        rates = data_parallel(rank, folder, crash=task == "crash")
    (folder / f"{task}.{rank}.json").write_text(json.dumps(rates), encoding="utf-8")
    torch.distributed.destroy_process_group()


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    fork = torch.multiprocessing.get_context("fork")
    codes: dict[str, list[int | None]] = {}
    for task in ("crash", "resume", "accelerate", "trainer", "range test"):
        processes = [fork.Process(target=work, args=(task, rank, folder)) for rank in range(2)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(SECONDS)
        codes[task] = [process.exitcode for process in processes]
        for process in processes:
            process.kill()
            process.join()
    (folder / "codes.json").write_text(json.dumps(codes), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
