"""Makes optimizers follow plans inside the train step while one `fit` runs, and leaves them as they were.

Every train step calls `apply` of the optimizer. While a driver runs, an `apply` of its own stands before that of the
class. It works out the step of the plan, and for the time of the call the optimizer reads the plan's values in place
of its own. The variable of the learning rate stays where it is, and is assigned the rate of each update. So whatever is
saved during the run, or after it, is what a run at a constant rate saves, and needs no kosine to load.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType, MethodType
from typing import Any, NamedTuple

import keras

from kosine._core.schedule import Plan
from kosine.keras._internals import BACKEND, RATE_METHOD, Running, rate_variable, uncompiled
from kosine.keras._values import CLOCKS, Clock, PlanValues


class Followed(NamedTuple):
    """What one optimizer follows."""

    optimizer: Any
    rates: Plan
    others: dict[str, Plan]
    """The plans of other attributes of the optimizer, such as `momentum` or `weight_decay`, by their names."""


class Driver:
    """Drives the optimizers of a model.

    The train function that was traced with the plans is kept with the one that stood in the model, so that a second
    `fit` along the same plans compiles nothing.
    """

    def __init__(self, model: Any, followed: list[Followed]) -> None:
        self._followed = followed
        self._values = [PlanValues(each.rates) for each in followed]
        self._others = [{name: PlanValues(plan) for name, plan in each.others.items()} for each in followed]
        self._own: list[dict[str, Any]] = []
        self._clock: Clock = CLOCKS[BACKEND](model, len(followed))
        self._function: Any = None
        self._plain: Any = None
        self._running: Running | None = None

    @classmethod
    def of(cls, model: Any, followed: list[Followed]) -> Driver:
        """That of an earlier `fit` along the same plans, where the model was not compiled since; or a new one."""
        driver = getattr(model.train_function, "kosine_driver", None)
        return driver if isinstance(driver, cls) and driver._followed == followed else cls(model, followed)

    def start(self, model: Any, running: Running, again: Callable[[], None]) -> None:
        """Take the train step over until `stop`, or until `running` has ended.

        Args:
            model: the model that trains.
            running: its `fit`.
            again: called when something else makes another train function meanwhile.
        """
        self._running, self._again, self._plain = running, again, model.train_function
        if self._function is None:
            self._function = self._clock.train_function(model)
        self._own = [{name: getattr(each.optimizer, name) for name in each.others} for each in self._followed]
        for each in self._followed:
            vars(each.optimizer).update(kosine_driver=self, apply=MethodType(apply, each.optimizer))
        if isinstance(self._plain, FunctionType):
            self._plain.kosine_driver = self  # type: ignore[attr-defined]
        vars(model).update(kosine_driver=self, make_train_function=MethodType(train_function_maker, model))
        model.train_function = self._function

    def drives(self, model: Any) -> bool:
        """Whether the model trains with what this driver started."""
        return self._running is not None and model.train_function is self._function

    def set_step(self, first_step: int, iterations: list[int]) -> None:
        self._clock.set(first_step, iterations)

    def stop(self, model: Any) -> None:
        """Leave the model and the optimizers as they were, with the learning rate of the last update."""
        self._running = None
        for each in self._followed:
            for name in ("kosine_driver", "apply"):
                vars(each.optimizer).pop(name, None)
        for name in ("kosine_driver", "make_train_function"):
            vars(model).pop(name, None)
        if model.train_function is self._function:
            model.train_function = self._plain

    @property
    def alive(self) -> bool:
        return self._running is not None and self._running.alive

    def follows_of(self, optimizer: Any) -> int | None:
        """The number of an optimizer; None for the copy of one."""
        return next((number for number, each in enumerate(self._followed) if each.optimizer is optimizer), None)

    def remake(self, model: Any) -> None:
        """The model got another train function in the middle of the run: drive that, too."""
        self.stop(model)
        type(model).make_train_function(model, force=True)
        self._again()

    @contextmanager
    def update(self, number: int, optimizer: Any) -> Iterator[None]:
        """One update of the optimizer, with the plans' values."""
        step = self._clock.step(number, optimizer)
        rate = self._values[number](step)
        note_rate(optimizer, rate)
        attributes = vars(optimizer)
        attributes[RATE_METHOD] = lambda: rate
        for name, values in self._others[number].items():
            attributes[name] = readable(name, values(step))
        try:
            yield
        finally:  # of several replicas each comes here, in any order
            attributes.pop(RATE_METHOD, None)
            attributes.update(self._own[number])

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy of an optimizer has no driver."""
        return type(None), ()


@uncompiled
def apply(self: Any, grads: Any, trainable_variables: Any = None) -> Any:
    """`apply` of a driven optimizer."""
    driver = vars(self).get("kosine_driver")
    number = driver.follows_of(self) if driver is not None else None
    if number is None or not driver.alive or not len(grads):  # without gradients Keras counts no update
        return type(self).apply(self, grads, trainable_variables)
    with driver.update(number, self):
        return type(self).apply(self, grads, trainable_variables)


def train_function_maker(self: Any, force: bool = False) -> Any:
    """`make_train_function` of a driven model: another training begins, or a callback asks for a new trace."""
    driver = vars(self)["kosine_driver"]
    if not driver.alive:
        driver.stop(self)
        return type(self).make_train_function(self, force)
    if force or self.train_function is None:
        driver.remake(self)
    return None


def note_rate(optimizer: Any, rate: Any) -> None:
    """Assign the rate of this update to the optimizer's variable, so that it always holds the last one."""
    variable = rate_variable(optimizer)
    if variable is None:
        return
    if BACKEND == "torch":
        variable.value.fill_(rate)  # without a tensor on the host, and without waiting for the device
    else:
        variable.assign(keras.ops.cast(rate, variable.dtype))


def readable(name: str, value: Any) -> Any:
    """A value as the update rules of Keras read it: they compare `momentum` with 0 in Python."""
    if name != "momentum":
        return value
    return _HostMomentum(value) if isinstance(value, float) else _TracedMomentum(value)


class _HostMomentum(float):
    """A momentum that counts as one where it is 0, too."""

    def __ne__(self, other: object) -> bool:
        return True

    def __gt__(self, other: object) -> bool:
        return True

    __hash__ = float.__hash__


class _TracedMomentum:
    """A tensor that counts as unequal to 0, and above it, though its value is known only when the step runs."""

    def __init__(self, tensor: Any) -> None:
        self._tensor = tensor
        self.dtype, self.shape = tensor.dtype, ()

    def __ne__(self, other: object) -> bool:
        return True

    def __gt__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]

    def __jax_array__(self) -> Any:
        return self._tensor

    def __tf_tensor__(self, dtype: Any = None, name: str | None = None) -> Any:
        return self._tensor if dtype is None else keras.ops.cast(self._tensor, dtype)


def _of_the_tensor(name: str) -> Callable[..., Any]:
    def operator(self: _TracedMomentum, other: Any) -> Any:
        return getattr(self._tensor, name)(other)

    return operator


for _name in ("add", "radd", "sub", "rsub", "mul", "rmul"):
    setattr(_TracedMomentum, f"__{_name}__", _of_the_tensor(f"__{_name}__"))
