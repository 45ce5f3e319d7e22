"""What training changes, put back bit for bit: a model, its optimizer, its data and the random numbers of a program."""

from __future__ import annotations

import copy
import random
import sys
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import keras
import numpy as np

from kosine.keras._internals import (
    BACKEND,
    build_optimizer,
    forget_jax_state,
    idle_optimizers,
    is_built,
    seed_of_keras,
    seed_of_tensorflow,
    set_seed_of_keras,
)

PutBack = Callable[[], None]

_LARGEST = 2**28  # bytes of an array of the data that is copied
_ATOMS = (type(None), bool, int, float, complex, str, bytes, range, np.generic)


@contextmanager
def saved_state(model: Any) -> Iterator[Values]:
    """Put a compiled model back as it is now, however the block ends.

    These come back: the values of all variables (weights, statistics, seed generators, metrics, slots, counters, rates,
    loss scales), the attributes of the model and of its optimizers, an optimizer that was not built as such, gradients
    and modes of PyTorch. The model has its weights.

    Yields:
        The values of the variables, to put back within the block, too.
    """
    assert is_built(model)
    with ExitStack() as stack:
        stack.callback(attributes_of_now(model))
        stack.callback(contents_of_now(model.optimizer, *idle_optimizers(model).values()))
        build_optimizer(model)
        values = Values(variables_of_training(model))
        stack.callback(values.put_back)
        stack.callback(forget_jax_state, model)
        if BACKEND == "torch":
            stack.callback(_torch_modules_of_now(model))
        yield values


@contextmanager
def saved_surroundings(data: Any) -> Iterator[None]:
    """Put back what a program draws its random numbers from, and what `data` holds, however the block ends."""
    with ExitStack() as stack:
        stack.callback(random_state_of_now())
        stack.callback(contents_of_now(data))
        yield


def variables_of_training(model: Any) -> list[Any]:
    """Every variable that a train step may change."""
    optimizers = [model.optimizer, *idle_optimizers(model).values()]
    found = [*model.variables, *model.metrics_variables, *(each for one in optimizers for each in one.variables)]
    return list({id(variable): variable for variable in found}.values())


class Values:
    """The values of variables, kept by the host."""

    def __init__(self, variables: list[Any]) -> None:
        self._values = [(variable, _on_the_host(variable)) for variable in variables]

    def put_back(self) -> None:
        for variable, value in self._values:
            variable.assign(value)


def _on_the_host(variable: Any) -> Any:
    return np.array(keras.ops.convert_to_numpy(variable))  # a copy: PyTorch gives the memory of the variable


def attributes_of_now(owner: Any) -> PutBack:
    """What puts the attributes of an object back, and not what stands in them."""
    before = dict(vars(owner))

    def put_back() -> None:
        now = vars(owner)
        for name in now.keys() - before.keys():
            del now[name]
        now.update(before)

    return put_back


def _torch_modules_of_now(model: Any) -> PutBack:
    parameters = [(parameter, parameter.grad) for parameter in model.parameters()]
    modes = [(module, module.training) for module in model.modules()]

    def put_back() -> None:
        for parameter, gradient in parameters:
            parameter.grad = gradient
        for module, mode in modes:
            module.training = mode

    return put_back


# --- random numbers ---


def random_state_of_now() -> PutBack:
    """What puts the generators of Python, NumPy, Keras, PyTorch and TensorFlow back, of those that are in use."""
    python, legacy, (seed, generator) = random.getstate(), np.random.get_state(), seed_of_keras()
    own = Values([] if generator is None else [generator.state])
    others = [each() for each in (_torch_generators_of_now, _tensorflow_of_now)]

    def put_back() -> None:
        random.setstate(python)
        np.random.set_state(legacy)
        set_seed_of_keras(seed, generator)
        own.put_back()
        for other in others:
            other()

    return put_back


def set_seed(seed: int) -> None:
    """Seed them all, as `keras.utils.set_random_seed` does, without importing TensorFlow for it."""
    random.seed(seed)
    np.random.seed(seed)
    set_seed_of_keras(seed, None)
    if sys.modules.get("torch") is not None:
        sys.modules["torch"].manual_seed(seed)
    if sys.modules.get("tensorflow") is not None:
        sys.modules["tensorflow"].random.set_seed(seed)


def _torch_generators_of_now() -> PutBack:
    torch: Any = sys.modules.get("torch")
    if torch is None:
        return _nothing
    states = [(torch.set_rng_state, torch.get_rng_state())]
    if torch.cuda.is_initialized():
        states.append((torch.cuda.set_rng_state_all, torch.cuda.get_rng_state_all()))

    def put_back() -> None:
        for setter, state in states:
            setter(state)

    return put_back


def _tensorflow_of_now() -> PutBack:
    return seed_of_tensorflow() if sys.modules.get("tensorflow") is not None else _nothing


def _nothing() -> None:
    pass


# --- objects of Python ---


def contents_of_now(*roots: Any) -> PutBack:
    """What puts back what objects hold, and what they hold in turn: attributes, collections, arrays, generators.

    An array that is larger than 256 MiB or lies in a file counts as one that does not change.
    """
    known: dict[int, Any] = {}  # keeps what is known alive, so that no other object gets its number
    actions: list[PutBack] = []
    waiting = list(roots)
    while waiting:
        value = waiting.pop()
        if isinstance(value, _ATOMS) or id(value) in known:
            continue
        known[id(value)] = value
        put_back, inside = _content(value)
        if put_back is not None:
            actions.append(put_back)
        waiting += inside

    def put_all_back() -> None:
        for action in reversed(actions):  # what stands inside first
            action()

    return put_all_back


def _content(value: Any) -> tuple[PutBack | None, list[Any]]:
    """What puts back what an object holds, and the objects in it that may change as well."""
    if type(value).__module__ == "tensorflow.python.trackable.data_structures":
        return _wrapper_of_tensorflow(value)
    if isinstance(value, list | tuple | dict | set | deque | bytearray):
        return _collection(value)
    if isinstance(value, np.ndarray):
        return _array(value, value.nbytes, lambda kept: value.__setitem__(..., kept)), []
    found = _generator(value)
    if found is not None:
        return found, []
    torch: Any = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        detached = value.detach()
        return _array(detached, detached.nbytes, detached.copy_), []
    if _has_contents(value):
        return attributes_of_now(value), list(vars(value).values())
    return None, []


def _collection(value: Any) -> tuple[PutBack | None, list[Any]]:
    if isinstance(value, tuple):
        return None, list(value)
    if isinstance(value, bytearray):
        kept = bytes(value)
        return lambda: value.__setitem__(slice(None), kept), []
    # The methods of the class itself: subclasses of Keras' own keep accounts of what comes and goes.
    kind: Any = next(each for each in (list, OrderedDict, dict, set, deque) if isinstance(value, each))
    before = list(value.items()) if isinstance(value, dict) else list(value)
    fill = kind.extend if kind in (list, deque) else kind.update

    def put_back() -> None:
        kind.clear(value)
        fill(value, before)

    return put_back, [each for _, each in before] if isinstance(value, dict) else before


def _wrapper_of_tensorflow(value: Any) -> tuple[PutBack | None, list[Any]]:
    """A list or dict of an object whose variables TensorFlow tracks; it notes what it holds when it changes."""
    if not hasattr(value, "_storage"):
        return getattr(value, "_update_snapshot", None), [value.__wrapped__]
    attributes = attributes_of_now(value)

    def put_back() -> None:
        attributes()
        value._update_snapshot()

    return put_back, list(vars(value).values())


def _array(value: Any, size: int, assign: Callable[[Any], Any]) -> PutBack | None:
    frozen = isinstance(value, np.memmap) or (isinstance(value, np.ndarray) and not value.flags.writeable)
    if frozen or size > _LARGEST:
        return None
    kept = value.copy() if isinstance(value, np.ndarray) else value.clone()
    return lambda: (assign(kept), None)[1]


def _generator(value: Any) -> PutBack | None:
    """What puts a generator of random numbers back; None for any other object."""
    if isinstance(value, random.Random):
        python = value.getstate()
        return lambda: value.setstate(python)
    if isinstance(value, np.random.RandomState):
        legacy = value.get_state()
        return lambda: value.set_state(legacy)
    if isinstance(value, np.random.Generator | np.random.BitGenerator):
        bits: Any = value.bit_generator if isinstance(value, np.random.Generator) else value
        state = copy.deepcopy(bits.state)
        return lambda: setattr(bits, "state", state)
    if isinstance(value, keras.random.SeedGenerator):
        return Values([value.state]).put_back
    torch: Any = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Generator):
        seeded = value.get_state()
        return lambda: (value.set_state(seeded), None)[1]
    return None


_INSIDE = ("keras.src.utils.tracking", "torch.utils.data.")
_OUTSIDE = {"keras", "tensorflow", "jax", "jaxlib", "torch", "numpy", "pandas", *sys.stdlib_module_names}


def _has_contents(value: Any) -> bool:
    """Whether to look into an object: one of a user's class, an optimizer or a loader of PyTorch."""
    module = type(value).__module__
    torch: Any = sys.modules.get("torch")
    models = keras.Layer if torch is None else keras.Layer | torch.nn.Module
    if isinstance(value, type | keras.Variable | models) or not hasattr(value, "__dict__"):
        return False
    if isinstance(value, keras.optimizers.Optimizer | keras.optimizers.schedules.LearningRateSchedule):
        return True
    return module.startswith(_INSIDE) or module == "__main__" or module.split(".")[0] not in _OUTSIDE
