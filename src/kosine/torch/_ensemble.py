"""The models at the ends of cycles together: the mean of what they say, or of their weights."""

from __future__ import annotations

import copy
import html
import math
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import distributed
from torch.optim.swa_utils import AveragedModel, update_bn

from kosine._core.arguments import read_choice, read_integer
from kosine._core.plain_text import aligned
from kosine.errors import ArgumentError, ArgumentTypeError, Described, TrainingError
from kosine.torch._cycle_files import State, check_fits, load_state, members_in, plain_model

Metric = Callable[[torch.Tensor, Any], Any]


@dataclass(frozen=True)
class EnsembleRow:
    """The last few members together, in a row of what `Ensemble.evaluate` returns.

    Attributes:
        members: how many of the last members.
        loss: the loss of their mean.
        alone: the loss of the first of them by itself.
        metrics: the further metrics of their mean, by name.
    """

    members: int
    loss: float
    alone: float
    metrics: dict[str, float]


class EnsembleTable(tuple[EnsembleRow, ...]):
    """What `Ensemble.evaluate` found, for the last 1, 2, ... members; `print` shows a table."""

    __slots__ = ()

    @property
    def best(self) -> int:
        """The number of last members with the lowest loss on this data, by which it is picked."""
        return min(self, key=lambda row: math.inf if math.isnan(row.loss) else row.loss).members

    def __str__(self) -> str:
        names = list(self[0].metrics)
        lines = [["last members", "loss", *names, "loss of that member alone"]]
        for row in self:
            metrics = [f"{value:.6g}" for value in row.metrics.values()]
            lines.append([str(row.members), f"{row.loss:.6g}", *metrics, f"{row.alone:.6g}"])
        last = f"The last {self.best} have" if self.best > 1 else "The last one has"
        lowest = f"{last} the lowest loss on this data, which picked the number: confirm it on other data."
        return "\n".join([*aligned(lines), lowest])

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


class Ensemble:
    """Models of the same shape, in the order in which their cycles ended; made by `Ensemble.load`.

    All members are in memory, on the device of the model. The model that was given stays as it is: members run in a
    copy of it, on `eval`.

    Attributes:
        files: the file of each member.

    Example:
        >>> import tempfile, torch
        >>> import kosine as ks
        >>> folder = tempfile.mkdtemp()
        >>> for cycle in (1, 2):
        ...     torch.save(torch.nn.Linear(2, 3).state_dict(), f"{folder}/cycle-{cycle:02d}.pt")
        >>> ensemble = ks.torch.Ensemble.load(folder, torch.nn.Linear(2, 3))
        >>> probabilities = ensemble.predict(torch.ones(5, 2))
        >>> probabilities.shape, bool((probabilities.sum(1) - 1).abs().max() < 1e-6)
        (torch.Size([5, 3]), True)
    """

    def __init__(self, model: torch.nn.Module, states: Sequence[State], files: Sequence[Path]) -> None:
        self.files = tuple(files)
        self._model, self._states = model, states
        self._device = next((each.device for each in model.state_dict().values() if hasattr(each, "device")), None)

    @classmethod
    def load(cls, files: str | os.PathLike[str] | Iterable[str | os.PathLike[str]], model: torch.nn.Module) -> Ensemble:
        """The members in a folder, in the order of the numbers in their names; or those of a list of files.

        Args:
            files: a folder, of which each ".pt" but `average.pt` is a member; or the files, in order. Each holds a
                `state_dict`, and is read with `weights_only=True`.
            model: one of the same architecture.

        Raises:
            TrainingError: no member, a file that holds something else, or weights of another model.
            ArgumentTypeError: no path, or no model.
            OSError: a file cannot be read.
        """
        if not isinstance(model, torch.nn.Module):
            raise ArgumentTypeError(argument="model", rule="a torch.nn.Module", received=model)
        paths = _read_files(files)
        own = copy.deepcopy(plain_model(model)).eval()
        device = next((each.device for each in [*own.parameters(), *own.buffers()]), None)
        states = []
        for path in paths:
            state = load_state(path, device)
            check_fits(state, own, path)
            states.append(state)
        return cls(own, states, paths)

    def __len__(self) -> int:
        return len(self._states)

    def predict(self, x: torch.Tensor, members: int | None = None, *, combine: str = "probabilities") -> torch.Tensor:
        """The mean of what the last members say about a batch.

        Args:
            x: what the model takes; a tensor is moved to the device of the model.
            members: how many of the last; all if None.
            combine: "probabilities": the mean of softmax(output) along the second dimension; "logits": the mean of the
                outputs as they are, also for regression.

        Raises:
            ArgumentError: more members than there are, or below 1.
            TrainingError: outputs that are not one tensor; for "probabilities", not logits of two classes or more.
        """
        mean = self._means(x, self._last(members), _read_combine(combine))[-1]
        return mean.exp() if combine == "probabilities" else mean

    def evaluate(
        self, loader: Iterable[Any], loss: Metric, *, combine: str = "probabilities", **metrics: Metric
    ) -> EnsembleTable:
        """The loss of the last 1, 2, ... members together, so that you see whether more members help.

        Args:
            loader: batches of pairs (x, y).
            loss: the mean loss of a batch, as in `loss(outputs, y)`, such as `torch.nn.functional.cross_entropy`. The
                outputs are the mean logits; for "probabilities" the logarithms of the mean probabilities.
            combine: as in `predict`.
            metrics: by name, further functions of the same kind.

        Returns:
            A row for each number of members, where means count each sample alike.

        Raises:
            TrainingError: no batch, one that is no pair, or outputs as in `predict`.
        """
        how = _read_combine(combine)
        functions = {"loss": loss, **metrics}
        together: list[dict[str, float]] = [dict.fromkeys(functions, 0.0) for _ in self._states]
        alone = [0.0] * len(self)
        count = 0
        for batch in loader:
            if not isinstance(batch, tuple | list) or len(batch) != 2:
                received = Described(f"a {type(batch).__name__}")
                raise TrainingError("The batches must be pairs (x, y).", received=received)
            x, y = (self._moved(part) for part in batch)
            outputs = self._outputs(x, len(self), how)
            size = len(outputs[0])
            count += size
            for index, mean in enumerate(_running_means(outputs, how)):
                alone[index] += size * float(loss(outputs[index], y))
                for name, function in functions.items():
                    together[index][name] += size * float(function(mean, y))
        if not count:
            raise TrainingError("The loader gave no batch.", received=loader)
        rows = []
        for index, sums in enumerate(together):
            means = {name: value / count for name, value in sums.items()}
            rows.append(EnsembleRow(index + 1, means.pop("loss"), alone[index] / count, means))
        return EnsembleTable(rows)

    def average(self, last: int | None = None, refresh: Iterable[Any] | None = None) -> torch.nn.Module:
        """A model, on `eval`, with the equal average of the weights of the last members (torch's AveragedModel).

        Args:
            last: how many; all if None.
            refresh: training data for BatchNorm: batches of inputs, or of tuples that begin with them. One pass over it
                makes the layers' statistics anew, as means over its batches (torch's `update_bn`).

        Raises:
            ArgumentError: more members than there are, or below 1.
            TrainingError: a model with BatchNorm, and no `refresh`.
        """
        check_refresh(self._model, refresh)
        model = copy.deepcopy(self._model)
        averaged = AveragedModel(model)
        for state in self._states[-self._last(last) :]:
            model.load_state_dict(state)
            averaged.update_parameters(model)
        if _has_batch_norm(model):
            update_bn(map(self._first_moved, refresh or ()), averaged)
        found: torch.nn.Module = averaged.module
        return found.eval()

    def _last(self, members: int | None) -> int:
        if members is None:
            return len(self)
        rule = f"an integer from 1 to {len(self)}, the number of members"
        count = read_integer(members, "members", rule, at_least=1, error=ArgumentError)
        if count > len(self):
            raise ArgumentError(argument="members", rule=rule, received=members)
        return count

    def _means(self, x: Any, count: int, how: str) -> list[torch.Tensor]:
        return _running_means(self._outputs(self._moved(x), count, how), how)

    @torch.no_grad()  # type: ignore[untyped-decorator]  # PyTorch's types are not read
    def _outputs(self, x: Any, count: int, how: str) -> list[torch.Tensor]:
        """Those of the last members, the last first; for probabilities their logarithms."""
        names = {name for name, _ in self._model.named_parameters(remove_duplicate=False)}
        names |= {name for name, _ in self._model.named_buffers(remove_duplicate=False)}
        found = []
        for state in self._states[::-1][:count]:
            tensors = {name: value for name, value in state.items() if name in names}
            output = torch.func.functional_call(self._model, tensors, (x,), tie_weights=False)
            found.append(_checked(output, how))
        return [output.log_softmax(1) for output in found] if how == "probabilities" else found

    def _moved(self, value: Any) -> Any:
        return value.to(self._device) if isinstance(value, torch.Tensor) else value

    def _first_moved(self, batch: Any) -> Any:
        return self._moved(batch[0] if isinstance(batch, tuple | list) else batch)


def check_refresh(model: torch.nn.Module, refresh: Iterable[Any] | None) -> None:
    """Refuse an average without data where layers have statistics of it."""
    if not _has_batch_norm(model):
        return
    if refresh is None:
        raise TrainingError(
            "The average of weights has other statistics in its BatchNorm layers than any member.",
            received={"refresh": None},
            fix="Pass training data as `refresh`: one pass over it makes them anew.",
        )
    several = distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1
    if several and any(isinstance(module, torch.nn.SyncBatchNorm) for module in model.modules()):
        raise TrainingError(
            "SyncBatchNorm layers take their statistics from all processes, and one of them averages.",
            fix="Average after the run, in one process: Ensemble.load(folder, model).average(refresh=data).",
        )


def _has_batch_norm(model: torch.nn.Module) -> bool:
    layers = (module for module in model.modules() if isinstance(module, torch.nn.modules.batchnorm._NormBase))
    return any(layer.running_mean is not None for layer in layers)


def _read_files(files: Any) -> list[Path]:
    if isinstance(files, str | os.PathLike):
        folder = Path(files)
        if folder.is_file():
            return [folder]
        paths = members_in(folder)
        where = str(folder)
    elif isinstance(files, Iterable):
        paths, where = [Path(file) for file in files], ""
    else:
        raise ArgumentTypeError(argument="files", rule="a folder, or a list of files", received=files)
    if not paths:
        raise TrainingError(
            "An ensemble needs a member, and there is none.",
            where=where,
            fix='CycleEnds saves them: CycleEnds(model, scheduler, "run/cycle-{cycle:02d}.pt").',
        )
    return paths


def _read_combine(combine: str) -> str:
    return read_choice(combine, "combine", ["probabilities", "logits"])


def _running_means(outputs: list[torch.Tensor], how: str) -> list[torch.Tensor]:
    """The mean of the first 1, 2, ... outputs; of probabilities by their logarithms."""
    means = []
    total = outputs[0]
    for count, output in enumerate(outputs, 1):
        if count > 1:
            total = torch.logaddexp(total, output) if how == "probabilities" else total + output
        means.append(total - math.log(count) if how == "probabilities" else total / count)
    return means


def _checked(output: Any, how: str) -> torch.Tensor:
    if not isinstance(output, torch.Tensor):
        raise TrainingError(
            "The outputs of the model must be one tensor.",
            received=Described(f"a {type(output).__name__}"),
            fix="Wrap the model in a module whose `forward` returns the logits.",
        )
    if how == "probabilities" and (output.ndim < 2 or output.shape[1] < 2):
        raise TrainingError(
            "Probabilities are those of two classes or more, along the second dimension of the outputs.",
            received=Described(f"outputs of shape {tuple(output.shape)}"),
            fix='Pass combine="logits", which takes the mean of the outputs as they are.',
        )
    return output
