"""The range test: train along an exponential, note the loss of each batch, and put everything back."""

from __future__ import annotations

import contextlib
import inspect
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import distributed
from torch.optim import Optimizer

from kosine._analysis.finder.divergence import Divergence
from kosine._analysis.finder.progress import Progress
from kosine._analysis.finder.range_plan import RangePlan, read_range
from kosine._analysis.finder.range_test import RangeTest
from kosine._core.arguments import read_flag, read_integer
from kosine._core.constructors import constant
from kosine._core.schedule import Plan
from kosine.errors import ArgumentError, ArgumentTypeError, Described, TrainingError
from kosine.torch._batches import batches_of, check_loader
from kosine.torch._saved_state import SavedState, used_by
from kosine.torch._scheduler import _DRIVEN, PlanLR
from kosine.torch._watch import LoopWatch

_MOST_SKIPPED = 40  # updates in a row: loss scaling has gone from 2**16 to nothing by then

LossOfBatch = Callable[[Any, Any], torch.Tensor]


def range_test(
    model: torch.nn.Module,
    optimizer: Optimizer,
    loss_of_batch: LossOfBatch,
    loader: Iterable[Any],
    *,
    low: float | None = None,
    high: float | None = None,
    steps: int = 100,
    seeds: int = 3,
    scaler: Any = None,
    accumulate: int = 1,
    verbose: bool = True,
) -> RangeTest:
    """Train with a rate that rises at every update, and see where the loss falls and where it rises.

    The rate of step t is

        low * (high / low) ** (t / (steps - 1)),

    set by `PlanLR`: the first param group whose rate is above 0 has it, and the others keep their ratio to that one.
    The loss of a step is that of its batch, before the update. A seed ends early where the loss is NaN or infinite, or
    rises by more than it has fallen.

    Afterwards all is as before, bit for bit, also after an error or Ctrl-C: weights, buffers, gradients, modes, the
    optimizer with its state and its groups, the scaler, the random generators of Python, NumPy and PyTorch, and the
    loader's position and generators. The same holds for modules, tensors and generators that `loss_of_batch` names or
    is bound to. Weights and optimizer take their memory once more for the time of the test. A scheduler that the
    optimizer has stays where it is.

    Each seed begins from the same state, with all random generators at that seed, so a loader that shuffles gives
    another order. The batches of a list are taken in another order. A loader of fewer batches than steps begins anew.
    A last batch that is smaller than the first is left out.

    With several processes (torch.distributed) the loss is the mean over them, and all of them end a seed at the same
    step. Call it in each process.

    Args:
        model: what is trained. One that is on `eval` as a whole is set to `train` for the time of the test; where only
            some of its modules are on `eval`, they stay so.
        optimizer: any that updates without a closure.
        loss_of_batch: the loss of a batch, as in `lambda model, batch: loss(model(batch[0]), batch[1])`: a tensor with
            one number. Moving the batch to a device and `torch.autocast` belong into it.
        loader: gives the batches anew at each `iter`: a DataLoader, or a list of batches.
        low: the rate of the first step, above 0; None: 1e-7.
        high: the rate of the last step; None: 10.
        steps: updates of each seed, at least 20.
        seeds: how many passes there are; or use one to save time.
        scaler: the `torch.amp.GradScaler` of a training in float16. An update that it skips is no step: the next batch
            has the same rate.
        accumulate: batches for an update; the loss of a step is their mean.
        verbose: whether to show the progress, on the standard error stream.

    Returns:
        What was seen; `print` it, or take its `bracket`.

    Raises:
        ArgumentTypeError: an argument of another type; a loader that is no collection of batches.
        ArgumentError: a number outside of its range; a `high` that is not above `low`.
        TrainingError: an optimizer that needs a closure (LBFGS); a model whose lazy layers have no weights yet; an
            iterator as the loader, or a loader that is empty; a loss that is no single number or does not depend on
            weights; param groups whose rates have no ratio.

    Warns:
        TrainingWarning: several seeds, and a DataLoader that does not shuffle.

    Source: Smith, Cyclical Learning Rates for Training Neural Networks, arXiv 1506.01186; fast.ai's `lr_find`.

    Example:
        >>> import torch
        >>> import kosine as ks
        >>> _ = torch.manual_seed(0)
        >>> x = torch.randn(256, 4)
        >>> data = torch.utils.data.TensorDataset(x, x.sum(1, keepdim=True))
        >>> loader = torch.utils.data.DataLoader(data, batch_size=16, shuffle=True)
        >>> model = torch.nn.Linear(4, 1)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        >>> def loss_of_batch(model, batch):
        ...     return torch.nn.functional.mse_loss(model(batch[0]), batch[1])
        >>> test = ks.torch.range_test(model, optimizer, loss_of_batch, loader, low=1e-4, verbose=False)
        >>> test.rates.size, test.ends
        (100, ('diverged', 'diverged', 'diverged'))
        >>> low, high = test.bracket
        >>> 0.01 < low < 0.2 < high < 10
        True
    """
    planned = read_range(low, high, steps, seeds)
    count = read_integer(accumulate, "accumulate", "an integer >= 1", at_least=1, error=ArgumentError)
    _check(model, optimizer, loss_of_batch, scaler)
    check_loader(loader, len(planned.seeds))
    shown = read_flag(verbose, "verbose") and (not _has_processes() or distributed.get_rank() == 0)
    was_driven = optimizer in _DRIVEN
    saved = SavedState([model, optimizer, scaler, *used_by(loss_of_batch)], loader)
    found = []
    try:
        with Progress(len(planned.seeds), planned.steps, shown) as progress, torch.enable_grad():
            for seed in planned.seeds:
                saved.put_back()
                parts = batches_of(loader, seed, saved.sources)
                with contextlib.closing(parts):
                    run = _Seed(model, optimizer, loss_of_batch, parts, scaler, count)
                    found.append(run.train(planned, seed, progress))
    finally:
        _put_back(saved)
        if not was_driven:
            _DRIVEN.discard(optimizer)
    return RangeTest.of(planned, found)


def _put_back(saved: SavedState) -> None:
    try:
        saved.put_back()
    except KeyboardInterrupt:  # a second one must not leave half of it
        saved.put_back()
        raise


@dataclass
class _Seed:
    """The training of one seed."""

    model: torch.nn.Module
    optimizer: Optimizer
    loss_of_batch: LossOfBatch
    batches: Iterator[Any]
    scaler: Any
    accumulate: int

    def train(self, planned: RangePlan, seed: int, progress: Progress) -> Divergence:
        if not self.model.training:
            self.model.train()
        _silence_watches(self.optimizer)
        scheduler = PlanLR(self.optimizer, _plans(self.optimizer, planned.plan), lint=False, watch=False)
        seen = Divergence()
        step = skipped = 0
        while step < planned.steps and skipped < _MOST_SKIPPED:
            loss = self._gradients()
            if not math.isfinite(loss):
                break
            if not self._update():
                skipped += 1
                continue
            skipped = 0
            progress.at(seed, step, planned.rates[step], loss)
            step += 1
            if seen.add(loss):
                break
            scheduler.step()
        if step < planned.steps and seen.end == "finished":
            seen.add(math.nan)
        progress.ended(seed, seen.end, step)
        return seen

    def _gradients(self) -> float:
        """Those of the next update, and the loss of its batches."""
        self.optimizer.zero_grad()
        losses = []
        for _ in range(self.accumulate):
            loss = _checked(self.loss_of_batch(self.model, next(self.batches)))
            losses.append(loss.detach())
            loss = loss / self.accumulate if self.accumulate > 1 else loss
            (loss if self.scaler is None else self.scaler.scale(loss)).backward()
        return _mean_of_processes(sum(map(float, losses)) / self.accumulate, losses[-1].device)

    def _update(self) -> bool:
        """Whether there was an update: loss scaling lowers its scale where it skips one."""
        if self.scaler is None:
            self.optimizer.step()
            return True
        self.scaler.step(self.optimizer)
        before = self.scaler.get_scale()
        self.scaler.update()
        return bool(self.scaler.get_scale() >= before)


def _check(model: object, optimizer: Any, loss_of_batch: object, scaler: object) -> None:
    if not isinstance(model, torch.nn.Module):
        raise ArgumentTypeError(argument="model", rule="a torch.nn.Module", received=model)
    if not isinstance(optimizer, Optimizer):
        raise ArgumentTypeError(argument="optimizer", rule="a torch.optim.Optimizer", received=optimizer)
    if not callable(loss_of_batch) or isinstance(loss_of_batch, torch.nn.modules.loss._Loss):
        raise ArgumentTypeError(
            argument="loss_of_batch",
            rule="a function of the model and a batch",
            received=loss_of_batch,
            fix="Write: lambda model, batch: loss(model(batch[0]), batch[1]).",
        )
    methods = ("scale", "step", "update", "get_scale")
    if scaler is not None and not all(callable(getattr(scaler, name, None)) for name in methods):
        raise ArgumentTypeError(argument="scaler", rule="a torch.amp.GradScaler, or None", received=scaler)
    closure = inspect.signature(type(optimizer).step).parameters.get("closure")
    if closure is not None and closure.default is inspect.Parameter.empty:
        raise TrainingError(
            "An optimizer that calls a closure several times in an update cannot follow a range test.",
            received=Described(type(optimizer).__name__),
            fix="Test with another optimizer, such as SGD or AdamW.",
        )
    if any(map(torch.nn.parameter.is_lazy, [*model.parameters(), *model.buffers()])):
        raise TrainingError(
            "The lazy layers of the model must have their weights before the test: it puts them back afterwards.",
            fix="Call the model with one batch first.",
        )


def _checked(loss: Any) -> torch.Tensor:
    rule = "a function that returns the loss of a batch: a tensor with one number"
    if not isinstance(loss, torch.Tensor):
        fix = "Return the tensor itself, without `.item()`." if isinstance(loss, float) else ""
        raise TrainingError(argument="loss_of_batch", rule=rule, received=loss, fix=fix)
    if loss.numel() != 1:
        received = Described(f"a tensor of shape {tuple(loss.shape)}")
        raise TrainingError(argument="loss_of_batch", rule=rule, received=received, fix="Return its mean.")
    if not loss.requires_grad:
        raise TrainingError(
            "The loss must depend on weights that are trained.",
            received=Described("a loss without a gradient"),
            fix="Compute it outside of `no_grad` and without `detach`, and let some weights have requires_grad=True.",
        )
    return loss.reshape(())


def _plans(optimizer: Optimizer, plan: Plan) -> Plan | list[Plan]:
    """The plan; or one for each param group, where PlanLR cannot take the ratios to the first as its rate is 0."""
    rates = [float(group.get("initial_lr", group["lr"])) for group in optimizer.param_groups]
    first = next((rate for rate in rates if rate > 0), 0.0)
    if not first or rates[0]:
        return plan
    zero = constant(0.0).plan(total_steps=plan.total_steps)
    return [rate / first * plan if rate else zero for rate in rates]


def _silence_watches(optimizer: Any) -> None:
    """Take out the hooks by which another PlanLR watches the loop: this loop is none of its business."""
    while optimizer is not None:
        hooks = getattr(optimizer, "_optimizer_step_post_hooks", {})
        for key in [key for key, hook in hooks.items() if isinstance(getattr(hook, "__self__", None), LoopWatch)]:
            del hooks[key]
        optimizer = getattr(optimizer, "optimizer", None)


def _has_processes() -> bool:
    return bool(distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1)


def _mean_of_processes(loss: float, device: torch.device) -> float:
    """The mean over all processes: the very same number in each, so that they decide alike."""
    if not _has_processes():
        return loss
    mean: Any = torch.tensor(loss, dtype=torch.float64, device=device)
    distributed.all_reduce(mean)
    distributed.broadcast(mean, 0)
    return float(mean.item() / distributed.get_world_size())
