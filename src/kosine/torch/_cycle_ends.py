"""The weights at the ends of a plan's cycles, each in a file."""

from __future__ import annotations

import html
import os
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import distributed

from kosine._core.arguments import read_flag, read_index, read_integer
from kosine._core.plain_text import aligned
from kosine._core.schedule import Plan
from kosine.errors import ArgumentError, ArgumentTypeError, TrainingError, TrainingWarning
from kosine.torch._cycle_files import CycleFiles, plain_model, save_state
from kosine.torch._ensemble import Ensemble, check_refresh
from kosine.torch._plans import plan_with_cycles
from kosine.torch._scheduler import PlanLR


@dataclass(frozen=True)
class CycleEnd:
    """The end of a cycle, in a row of `CycleEnds.cycles`.

    Attributes:
        cycle: the number of the cycle, from 1.
        step: the last step of the cycle, from 0, as in `plan.cycle_ends`.
        file: the weights after the update of that step; None where it was removed, as `keep` asks for.
    """

    cycle: int
    step: int
    file: Path | None


class CycleTable(tuple[CycleEnd, ...]):
    """The rows of `CycleEnds.cycles`; `print` shows them as a table."""

    __slots__ = ()

    def __str__(self) -> str:
        if not self:
            return "no cycle has ended"
        rows = [[str(row.cycle), f"{row.step:,}", f"  {row.file or '-'}"] for row in self]
        return "\n".join(aligned([["cycle", "step", "  file"], *rows], left=(2,)))

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


class CycleEnds:
    """Saves the weights at the exact update at which each cycle of a plan ends.

    Call `step()` after each `scheduler.step()`, and before a checkpoint is saved. `plan.cycle_ends` says where a cycle
    ends; the run's last step is one of them. A file holds the model's `state_dict` after the update of that step. It
    appears whole or not at all, and `torch.load(file, weights_only=True)` reads it without kosine. Names are those of
    the model itself, also inside DistributedDataParallel or `torch.compile`. Of several processes the first writes.

    Resuming: nothing is to be saved or loaded where a PlanLR counts the steps. A cycle that ends again, as the run was
    killed after it and before a checkpoint, is written over its file. With a plan alone, load the `state_dict`.

    With `average=True` the equal average of the weights of the last `keep` cycle ends (of all without `keep`) is saved
    at the run's last step as `average.pt` in the same folder; the model itself stays as it is.

    Args:
        model: whose weights are saved.
        plan: the PlanLR that drives the optimizer; or a plan, of which each `step()` of this object is a step. Where
            param groups have plans of their own, the one with the most cycles counts.
        filepath: the name of each file, which ends in ".pt". It has "{cycle}", counted from 1, or "{step}", the last
            step of the cycle, counted from 0.
        keep: how many of the last files stay; all if None.
        average: whether to save the average of the weights, too.
        refresh: training data, for `average` with BatchNorm: batches of inputs, or of tuples that begin with them.

    Attributes:
        cycles: a row (cycle, step, file) for each cycle that has ended; `print` shows a table.

    Raises:
        ArgumentTypeError: an argument of another type.
        ArgumentError: a name without "{cycle}" and "{step}" or with another ending, or a `keep` below 1.
        PlanError: a plan without an end.
        TrainingError: `average` without `refresh` for a model with BatchNorm.

    Warns:
        TrainingWarning: files of an earlier run would stay beside those of this one; a cycle ended before the first
            call, and its file is missing; or `step()` was called for several steps at once.

    Example:
        >>> import tempfile, torch
        >>> import kosine as ks
        >>> folder = tempfile.mkdtemp()
        >>> model = torch.nn.Linear(2, 2)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        >>> scheduler = ks.torch.PlanLR(optimizer, "sgdr(peak=0.1, period=3, stretch=2)", total_steps=9)
        >>> ends = ks.torch.CycleEnds(model, scheduler, f"{folder}/cycle-{{cycle:02d}}.pt")
        >>> for _ in range(9):
        ...     optimizer.step()
        ...     scheduler.step()
        ...     _ = ends.step()
        >>> [(row.cycle, row.step, row.file.name) for row in ends.cycles]
        [(1, 2, 'cycle-01.pt'), (2, 8, 'cycle-02.pt')]
        >>> ends.ensemble().predict(torch.zeros(3, 2)).shape
        torch.Size([3, 2])
    """

    def __init__(
        self,
        model: torch.nn.Module,
        plan: PlanLR | Plan,
        filepath: str | os.PathLike[str],
        *,
        keep: int | None = None,
        average: bool = False,
        refresh: Iterable[Any] | None = None,
    ) -> None:
        if not isinstance(model, torch.nn.Module):
            raise ArgumentTypeError(argument="model", rule="a torch.nn.Module", received=model)
        self._model, self._refresh = model, refresh
        self._files = CycleFiles(filepath)
        rule = "an integer >= 1, or None for all files"
        self._keep = None if keep is None else read_integer(keep, "keep", rule, at_least=1, error=ArgumentError)
        self._average = read_flag(average, "average")
        if refresh is not None and not self._average:
            raise ArgumentError(argument="average", rule="True where `refresh` is given", received=average)
        if self._average:
            check_refresh(model, refresh)
        self._scheduler, followed = _read_plan(plan)
        self._ends: list[int] = followed.cycle_ends.tolist()
        self._count = 0  # steps, where no scheduler counts them
        self._seen: int | None = None  # the steps before it have been looked at
        self._rows: list[CycleEnd] = []

    @property
    def cycles(self) -> CycleTable:
        return CycleTable(self._rows)

    def step(self) -> bool:
        """Save the weights if a cycle has ended with the last update; call it after each `scheduler.step()`.

        Returns:
            Whether a cycle has ended.

        Raises:
            OSError: the file cannot be written; one that was there before is unchanged.
        """
        self._count = self._count + 1 if self._scheduler is None else self._scheduler.last_epoch
        done = self._count
        if self._seen is None:
            self._start(done)
        seen, self._seen = self._seen or 0, done
        ended = [end for end in self._ends if seen <= end < done]
        if not ended:
            return False
        if len(ended) > 1 or ended[0] < self._last_begun(done):
            self._warn_of_steps_at_once(ended, done)
        self._save(ended[-1])
        return True

    def ensemble(self) -> Ensemble:
        """The models of the files that there are, the last cycle's last.

        Raises:
            TrainingError: no cycle has ended, or a file was changed.
        """
        files = [row.file for row in self._rows if row.file is not None]
        return Ensemble.load(files or self._files.folder, self._model)

    def state_dict(self) -> dict[str, int]:
        """The number of steps, for a run without a PlanLR."""
        return {"step": self._count if self._scheduler is None else self._scheduler.last_epoch}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on at the step that the state holds; a PlanLR has its own.

        Raises:
            TrainingError: a state without a step.
        """
        step = read_index(state_dict.get("step")) if isinstance(state_dict, Mapping) else None
        if step is None or step < 0:
            raise TrainingError("The state must hold the step, an integer >= 0, as `step`.", received=state_dict)
        self._count, self._seen = step, None

    def _start(self, done: int) -> None:
        """Look at what an earlier process has left."""
        self._seen = self._last_begun(done)
        rows = [CycleEnd(cycle, end, self._files.file(cycle, end)) for cycle, end in enumerate(self._ends, 1)]
        present = self._files.present()
        before = [row for row in rows if row.step < self._seen]
        self._rows = [row for row in before if row.file in present]
        missing = [row for row in before[-(self._keep or len(before)) :] if row.file not in present]
        if missing:
            _warn(
                f"Cycle {missing[-1].cycle} ended at step {missing[-1].step}, before the first call of "
                f"`CycleEnds.step()`, and its file is missing: {missing[-1].file}. Call it after each "
                "`scheduler.step()`, before a checkpoint is saved."
            )
        others = sorted(present - {row.file for row in rows if row.file is not None})
        if others:
            _warn(
                f"{len(others)} files of an earlier run would stay beside those of this one, such as {others[0]}. "
                "`Ensemble.load` takes all files of a folder. Remove them, or name another folder."
            )

    def _last_begun(self, done: int) -> int:
        """The step that the last update began at: where a PlanLR counts tokens, an update has many."""
        return max(done - 1, 0) if self._scheduler is None else self._scheduler._last_begun

    def _save(self, end: int) -> None:
        cycle = self._ends.index(end) + 1
        row = CycleEnd(cycle, end, self._files.file(cycle, end))
        assert row.file is not None
        state = _whole(plain_model(self._model).state_dict())
        if _writes():
            save_state(state, row.file)
        self._rows = [each for each in self._rows if each.step < end] + [row]
        self._remove_old()
        if self._average and end == self._ends[-1] and _writes():
            averaged = self.ensemble().average(refresh=self._refresh)
            save_state(averaged.state_dict(), self._files.average)

    def _remove_old(self) -> None:
        if self._keep is None:
            return
        for number, row in enumerate(self._rows[: -self._keep]):
            if row.file is not None and _writes():
                row.file.unlink(missing_ok=True)
            self._rows[number] = replace(row, file=None)

    def _warn_of_steps_at_once(self, ended: list[int], done: int) -> None:
        _warn(
            f"Cycles ended at steps {', '.join(map(str, ended))}, but `CycleEnds.step()` was called after step "
            f"{done - 1}: the file of cycle {self._ends.index(ended[-1]) + 1} has the weights after that step. Call "
            "it after each `scheduler.step()`."
        )


def _read_plan(given: Any) -> tuple[PlanLR | None, Plan]:
    """The scheduler that counts the steps, and the plan whose cycles end."""
    if isinstance(given, Plan):
        return None, given
    scheduler = given
    while not isinstance(scheduler, PlanLR):
        inner = getattr(scheduler, "scheduler", None)  # inside accelerate's wrapper
        if inner is None:
            raise ArgumentTypeError(argument="plan", rule="a PlanLR, or a kosine Plan", received=given)
        scheduler = inner
    return scheduler, plan_with_cycles(scheduler.plan)


def _whole(state: dict[str, Any]) -> dict[str, Any]:
    """A state dict whose tensors are whole, also where processes share them (fully_shard)."""
    return {name: value.full_tensor() if hasattr(value, "full_tensor") else value for name, value in state.items()}


def _writes() -> bool:
    """Whether this process is the one of several that writes files."""
    alone = not (distributed.is_available() and distributed.is_initialized())
    return alone or distributed.get_rank() == 0


def _warn(text: str) -> None:
    warnings.warn(text, TrainingWarning, stacklevel=4)
