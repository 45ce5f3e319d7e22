"""All that a training changes, as it was: weights, optimizer, loss scale, random state, and what gives the data.

What is saved is put back in place: every tensor, dictionary and list stays the same object, so whatever else holds one
finds it as it was. A tensor that an optimizer or a module did not have before is gone again.
"""

from __future__ import annotations

import functools
import inspect
import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import torch
from torch.amp import GradScaler
from torch.optim import Optimizer
from torch.utils.data import DataLoader, Dataset, Sampler

_TRAINED = (torch.nn.Module, Optimizer, GradScaler)
"""Classes whose attributes a training changes."""
_READ = (DataLoader, Dataset, Sampler)
"""Classes whose attributes reading the data changes; the data in them stays as it is."""


class SavedState:
    """What was there when it was saved; `put_back` may be called any number of times.

    Args:
        trained: modules, optimizers and scalers, with all that is in their attributes: tensors, arrays, dictionaries,
            lists, other modules and optimizers, random generators.
        loader: what gives the batches. Its position and its generators are saved, its data is not copied.
    """

    def __init__(self, trained: Iterable[object], loader: object) -> None:
        self._seen: dict[int, object] = {}  # by identity; it keeps them alive, so that no identity is used twice
        self._undo: list[Callable[[], None]] = []
        self.sources: list[RandomSource] = []
        self._save_random_state()
        trained = [*trained]
        for value in trained:
            if isinstance(value, torch.nn.Module):
                self._save_module(value)
        self._walk(trained, self._save_trained)
        self._walk([loader], functools.partial(self._save_reader, loader))

    def put_back(self) -> None:
        with torch.no_grad():
            for undo in self._undo:
                undo()

    def _walk(self, values: Iterable[object], save: Callable[[object], Iterable[object]]) -> None:
        waiting = [*values]
        while waiting:
            value = waiting.pop()
            if id(value) not in self._seen and not isinstance(value, str | int | float | FunctionType | ModuleType):
                self._seen[id(value)] = value
                waiting += save(value)

    def _save_trained(self, value: Any) -> Iterable[object]:
        """Save what is in a value; what it refers to is returned, to be saved next."""
        if isinstance(value, torch.Tensor):
            return self._save_tensor(value)
        if isinstance(value, np.ndarray):
            self._undo.append(functools.partial(np.copyto, value, value.copy()))
            return ()
        if isinstance(value, _TRAINED):
            return self._save_dict(vars(value))
        return self._save_container(value)

    def _save_reader(self, loader: object, value: Any) -> Iterable[object]:
        if value is loader or isinstance(value, _READ):
            attributes = vars(value) if hasattr(value, "__dict__") else {}
            return self._save_dict(attributes)
        if isinstance(value, list | tuple | dict | deque) and len(value) <= 1000:  # of data sets, say; not of samples
            return self._save_container(value)
        if isinstance(value, list | tuple | dict | deque | set):
            self._save_container(value)
            return ()
        return self._save_source(value)

    def _save_container(self, value: Any) -> Iterable[object]:
        if isinstance(value, dict):
            return self._save_dict(value)
        if isinstance(value, tuple):
            return value
        if isinstance(value, list | deque):
            items = [*value]
            self._undo.append(lambda: _refill(value, items))
            return items
        if isinstance(value, set):
            kept = {*value}
            self._undo.append(lambda: _refill_set(value, kept))
            return ()
        return self._save_source(value)

    def _save_dict(self, values: dict[Any, Any]) -> Iterable[object]:
        entries = dict(values)
        self._undo.append(lambda: _refill_dict(values, entries))
        return [*entries, *entries.values()]  # parameters are keys of an optimizer's state

    def _save_tensor(self, tensor: torch.Tensor) -> Iterable[object]:
        if not tensor.is_leaf or tensor.is_meta or tensor.is_inference() or _overlaps(tensor):
            return ()  # nothing trains it: the result of a computation, or one that cannot be written into
        copy, requires_grad, grad = tensor.detach().clone(), tensor.requires_grad, tensor.grad

        def put_back() -> None:
            tensor.copy_(copy)
            if tensor.grad is not grad:
                tensor.grad = grad
            if tensor.requires_grad != requires_grad:
                tensor.requires_grad_(requires_grad)

        self._undo.append(put_back)
        return () if grad is None else (grad,)

    def _save_module(self, module: torch.nn.Module) -> None:
        """The modes and tensors of a module that has them outside of Python's attributes, as a scripted one."""
        modes = [(each, each.training) for each in module.modules()]

        def put_back() -> None:
            for each, mode in modes:
                if each.training != mode:
                    each.training = mode

        self._undo.append(put_back)
        self._walk([*module.parameters(), *module.buffers()], self._save_trained)

    def _save_source(self, value: object) -> Iterable[object]:
        source = RandomSource.of(value)
        if source is not None:
            self.sources.append(source)
            self._undo.append(functools.partial(source.put, source.get()))
        return ()

    def _save_random_state(self) -> None:
        for source in global_sources():
            self._seen[id(source.of_value)] = source.of_value
            self._undo.append(functools.partial(source.put, source.get()))


class RandomSource:
    """A source of random numbers: how its state is read and written, and how it begins at a seed."""

    def __init__(
        self, value: object, get: Callable[[], Any], put: Callable[[Any], Any], seed: Callable[[int], Any]
    ) -> None:
        self.of_value, self.get, self.put, self.seed = value, get, put, seed

    @classmethod
    def of(cls, value: Any) -> RandomSource | None:
        """That of an object of Python, NumPy or PyTorch; None of anything else."""
        if isinstance(value, torch.Generator):
            return cls(value, value.get_state, value.set_state, value.manual_seed)
        if isinstance(value, random.Random):
            return cls(value, value.getstate, value.setstate, value.seed)
        if isinstance(value, np.random.RandomState):
            return cls(value, value.get_state, value.set_state, value.seed)
        if isinstance(value, np.random.Generator):
            source = value.bit_generator

            def put(state: Any) -> None:
                source.state = state

            return cls(value, lambda: source.state, put, lambda seed: put(type(source)(seed).state))
        return None


def global_sources() -> Iterator[RandomSource]:
    """Those of Python, NumPy, PyTorch, and of the devices that are in use."""
    yield RandomSource(random, random.getstate, random.setstate, random.seed)
    yield RandomSource(np.random, np.random.get_state, np.random.set_state, np.random.seed)
    yield RandomSource.of(torch.default_generator)  # type: ignore[misc]  # it is one
    for device in (torch.cuda, torch.xpu):  # where a device is not in use, PyTorch notes a seed for later
        if device.is_available() and device.is_initialized():
            yield RandomSource(device, device.get_rng_state_all, device.set_rng_state_all, device.manual_seed_all)
    if torch.backends.mps.is_available():
        yield RandomSource(torch.mps, torch.mps.get_rng_state, torch.mps.set_rng_state, torch.mps.manual_seed)


def used_by(function: Any) -> list[object]:
    """What a function trains besides its arguments: the modules and the like that it names or is bound to."""
    found: list[object] = []
    while isinstance(function, functools.partial):
        found += [*function.args, *function.keywords.values()]
        function = function.func
    if isinstance(function, MethodType):
        found.append(function.__self__)
        function = function.__func__
    if isinstance(function, FunctionType):
        names = inspect.getclosurevars(function)
        found += [*names.nonlocals.values(), *names.globals.values()]
    elif not isinstance(function, type):
        found.append(function)  # a callable object, such as a module
    return [value for value in found if isinstance(value, (*_TRAINED, torch.Tensor)) or RandomSource.of(value)]


def _overlaps(tensor: torch.Tensor) -> bool:
    """Whether elements share their memory, as of an expanded tensor."""
    return tensor.layout == torch.strided and any(
        stride == 0 and size > 1 for stride, size in zip(tensor.stride(), tensor.shape, strict=True)
    )


def _refill(values: Any, items: list[Any]) -> None:
    if len(values) != len(items) or any(now is not then for now, then in zip(values, items, strict=True)):
        values.clear()
        values.extend(items)


def _refill_set(values: set[Any], items: set[Any]) -> None:
    if values != items:
        values.clear()
        values.update(items)


def _refill_dict(values: dict[Any, Any], entries: dict[Any, Any]) -> None:
    if list(map(id, values)) != list(map(id, entries)):  # the order of entries counts too
        values.clear()
        values.update(entries)
        return
    for key, value in entries.items():
        if values[key] is not value:
            values[key] = value
