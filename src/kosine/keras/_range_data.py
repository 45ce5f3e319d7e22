"""The data of a range test, as `fit` takes it for each seed: the batches go on where an epoch has fewer than steps."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator
from types import GeneratorType
from typing import Any, NamedTuple

import keras

from kosine.errors import ArgumentTypeError, Described, TrainingError, TrainingWarning
from kosine.keras._internals import copy_of_dataset, level_of_the_user

_KERAS_BATCH = 32  # what `fit` takes where no `batch_size` is given


class TestData(NamedTuple):
    """What a range test trains on."""

    for_seed: Callable[[], dict[str, Any]]
    """The arguments of `fit` for a seed: at least as many batches as the test needs."""
    first: Callable[[], Any]
    """The inputs of a first batch."""
    in_epoch: int | None
    """The batches of an epoch, where it is known."""


class Given(NamedTuple):
    """What a user gave."""

    x: Any
    y: Any
    sample_weight: Any
    class_weight: Any
    batch_size: int | None


def read_data(given: Given, count: int) -> TestData:
    """The data for `count` batches a seed.

    Raises:
        ArgumentTypeError: no data.
        TrainingError: a generator with fewer batches, which cannot begin anew.

    Warns:
        TrainingWarning: a generator gives batches that `fit` will miss.
    """
    x = given.x
    if x is None:
        raise ArgumentTypeError(argument="x", rule="training data, as `fit` takes it", received=x)
    if isinstance(x, GeneratorType):
        return _once_through(given, count)
    if isinstance(x, keras.utils.PyDataset):
        return _indexed(given, count)
    if _is_of(x, "tensorflow", "Dataset"):
        return _dataset(given, count)
    if callable(x) and not hasattr(x, "__iter__") and not hasattr(x, "__array__"):
        return _made_anew(given, count)
    if keras.tree.is_nested(x) or hasattr(x, "shape"):
        return _arrays(given, count)
    return _iterated(given, count)


def _is_of(x: Any, package: str, name: str) -> bool:
    """Whether an object is of a class of a package that need not be installed."""
    return any(each.__name__ in (name, f"{name}V2") and each.__module__.startswith(package) for each in type(x).__mro__)


def _arguments(given: Given, *, x: Any = None, **others: Any) -> dict[str, Any]:
    mine = {"x": given.x if x is None else x, "shuffle": False}
    return {**given._asdict(), **mine, **others}


def _arrays(given: Given, count: int) -> TestData:
    samples = len(next(each for each in keras.tree.flatten(given.x) if each is not None))
    batch = given.batch_size or _KERAS_BATCH
    in_epoch = -(-samples // batch)
    return TestData(
        lambda: _arguments(given, shuffle=True, epochs=-(-count // in_epoch)),
        lambda: keras.tree.map_structure(lambda each: None if each is None else each[:batch], given.x),
        in_epoch,
    )


def _indexed(given: Given, count: int) -> TestData:
    in_epoch = given.x.num_batches
    if in_epoch is None:
        length = {"epochs": 1, "steps_per_epoch": count}
    else:
        length = {"shuffle": True, "epochs": -(-count // in_epoch)}
    return TestData(lambda: _arguments(given, **length), lambda: _inputs(given.x[0]), in_epoch)


def _dataset(given: Given, count: int) -> TestData:
    """A dataset of TensorFlow: from one epoch to the next in one, as Keras counts a phantom step at its end."""
    try:
        copied = copy_of_dataset(given.x)
    except Exception as error:  # a graph of more than 2 GiB, or a source that cannot be written down
        copied = given.x
        _warn(
            f"The dataset cannot be copied ({type(error).__name__}): where it shuffles, `fit` gets another order "
            "than without the range test."
        )
    cardinality = int(copied.cardinality())
    endless = copied if cardinality == -1 else copied.repeat()
    return TestData(
        lambda: _arguments(given, x=endless, epochs=1, steps_per_epoch=count),
        lambda: _inputs(next(iter(copied))),
        cardinality if cardinality > 0 else None,
    )


def _iterated(given: Given, count: int) -> TestData:
    """A DataLoader, or what else `fit` iterates over in each epoch."""
    try:
        in_epoch = len(given.x)
    except TypeError:
        in_epoch = None
    epochs = count if in_epoch is None else -(-count // in_epoch)
    return TestData(lambda: _arguments(given, epochs=epochs), lambda: _inputs(next(iter(given.x))), in_epoch)


def _made_anew(given: Given, count: int) -> TestData:
    """A function that makes a generator: a new one for each epoch."""

    def endless() -> Iterator[Any]:
        while True:
            empty = True
            for batch in given.x():
                empty = False
                yield batch
            if empty:
                raise TrainingError("The function gave no batch.", received={"x": given.x})

    return TestData(
        lambda: _arguments(given, x=endless(), epochs=1, steps_per_epoch=count),
        lambda: _inputs(next(endless())),
        None,
    )


def _once_through(given: Given, count: int) -> TestData:
    """A generator: the batches that it gives are kept, and each seed trains on them in another order."""
    anew = "Pass the function that makes the generator, as in range_test(model, batches) without (), "
    _warn(
        f"The range test takes {count:,} batches from the generator, and `fit` goes on behind them. {anew}"
        "to keep them for `fit`."
    )
    batches = list(itertools.islice(given.x, count))
    if len(batches) < count:
        raise TrainingError(
            "A generator cannot begin anew, and this one has fewer batches than the range test has steps.",
            received=Described(f"{len(batches):,} batches for {count:,} steps"),
            fix=f"{anew}and the test goes on with a new one; or pass fewer steps.",
        )
    kept = _Kept(batches)
    return TestData(lambda: _arguments(given, x=kept, shuffle=True, epochs=1), lambda: _inputs(batches[0]), None)


class _Kept(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches in a list."""

    def __init__(self, batches: list[Any]) -> None:
        super().__init__()
        self._batches = batches

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, number: int) -> Any:
        return self._batches[number]


def _inputs(batch: Any) -> Any:
    return keras.utils.unpack_x_y_sample_weight(batch)[0]


def _warn(message: str) -> None:
    warnings.warn(message, TrainingWarning, stacklevel=level_of_the_user())
