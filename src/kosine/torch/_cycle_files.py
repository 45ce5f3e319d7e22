"""The files of the weights at cycle ends: their names, their order, how they are written and read."""

from __future__ import annotations

import os
import pickle
import re
from pathlib import Path
from string import Formatter
from typing import Any

import torch

from kosine._core.files import whole_file
from kosine.errors import ArgumentError, ArgumentTypeError, Described, TrainingError

ENDING = ".pt"
AVERAGE = f"average{ENDING}"

State = dict[str, Any]
"""A state dict: tensors by name."""


class CycleFiles:
    """The names that a template gives to the weights at cycle ends."""

    def __init__(self, template: str | os.PathLike[str]) -> None:
        rule = 'a name such as "run/cycle-{cycle:02d}.pt"'
        if not isinstance(template, str | os.PathLike):
            raise ArgumentTypeError(argument="filepath", rule=rule, received=template)
        self.folder, self._template = Path(template).parent, Path(template).name
        try:
            names = {name for _, name, _, _ in Formatter().parse(self._template) if name is not None}
            if not names or not names <= {"cycle", "step"}:
                rule = 'a name with "{cycle}" or "{step}" and no other field, so that each cycle has a file of its own'
                raise ArgumentError(argument="filepath", rule=rule, received=str(template))
            self.file(1, 0)
        except (ValueError, LookupError, TypeError) as error:
            if isinstance(error, ArgumentError):
                raise
            raise ArgumentError(argument="filepath", rule=rule, received=str(template), fix=f"{error}.") from error
        if not self._template.endswith(ENDING):
            raise ArgumentError(argument="filepath", rule=f'a name that ends in "{ENDING}"', received=str(template))

    @property
    def average(self) -> Path:
        """The file of the averaged weights."""
        return self.folder / AVERAGE

    def file(self, cycle: int, step: int) -> Path:
        return self.folder / self._template.format(cycle=cycle, step=step)

    def present(self) -> set[Path]:
        """The files with such names."""
        parts = Formatter().parse(self._template)
        pattern = "".join(re.escape(text) + ("" if name is None else r"\s*\d+\s*") for text, name, _, _ in parts)
        there = self.folder.iterdir() if self.folder.is_dir() else ()
        return {file for file in there if re.fullmatch(pattern, file.name)}


def members_in(folder: Path) -> list[Path]:
    """The files of members in a folder, in the order of the numbers in their names."""
    files = [file for file in folder.glob(f"*{ENDING}") if file.name != AVERAGE and not file.name.startswith(".")]
    return sorted(files, key=lambda file: ([int(number) for number in re.findall(r"\d+", file.name)], file.name))


def save_state(state: State, file: Path) -> None:
    """Write a state dict, which appears whole or not at all; torch.load reads it with weights_only=True."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(file, binary=True) as stream:
        try:
            torch.save(state, stream)
        except RuntimeError as error:  # what torch says when the disk is full, over the error of the stream
            cause: BaseException | None = error
            while cause is not None and not isinstance(cause, OSError):
                cause = cause.__context__
            raise (error if cause is None else cause) from None


def load_state(file: Path, device: Any) -> State:
    """The state dict in a file.

    Raises:
        TrainingError: there is something else in it.
        OSError: it cannot be read.
    """
    problem = "This is no file with a state dict of tensors."
    try:
        state = torch.load(file, map_location=device, weights_only=True)
    except (RuntimeError, pickle.UnpicklingError, EOFError, ValueError, KeyError) as error:
        raise TrainingError(
            problem, where=str(file), fix="Save one with torch.save(model.state_dict(), file)."
        ) from error
    if not isinstance(state, dict) or not any(isinstance(value, torch.Tensor) for value in state.values()):
        received = Described(f"a {type(state).__name__}")
        raise TrainingError(problem, where=str(file), received=received, fix="Pass `model.state_dict()` to torch.save.")
    return state


def check_fits(state: State, model: torch.nn.Module, file: Path) -> None:
    """Raise where a state dict is not one of the model."""
    own = model.state_dict()
    missing, more = [name for name in own if name not in state], [name for name in state if name not in own]
    if missing or more:
        names = [f"without {name}" for name in missing[:3]] + [f"with {name}" for name in more[:3]]
        raise TrainingError(
            "The weights in this file are another model's.", where=str(file), received=Described(", ".join(names))
        )
    for name, value in own.items():
        shape, wanted = getattr(state[name], "shape", None), getattr(value, "shape", None)
        if shape != wanted:
            received = Described(f"{name} of shape {tuple(shape or ())}; the model's has {tuple(wanted or ())}")
            raise TrainingError("The weights in this file are another model's.", where=str(file), received=received)


def plain_model(model: torch.nn.Module) -> torch.nn.Module:
    """The model inside what distributes or compiles it, so that files have the names of its own tensors."""
    while True:
        if isinstance(model, torch.nn.parallel.DistributedDataParallel | torch.nn.DataParallel):
            model = model.module
        elif hasattr(model, "_orig_mod"):  # torch.compile's
            model = model._orig_mod
        else:
            return model
