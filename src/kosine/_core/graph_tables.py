"""The constants of a plan in a traced graph, and the few operations that make rates of them on a device in float32."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_FEW_PHASES = 64  # a comparison with each is cheaper than a search, which may be a loop on a device


class Repeat(NamedTuple):
    """The steps from `first` on are like those `period` steps before."""

    first: int
    period: int


class SharedFormula(NamedTuple):
    """The formula of the phases that differ in their numbers only.

    `Form` says what the fields are; a weight may also take the "smaller" one of both distances, as two addends, and
    whether that is the one from the end.
    """

    weight: Callable[[Any], Callable[..., Any]]
    takes: str


@dataclass(frozen=True)
class WeightCells:
    """A weight as a polynomial for each small cell of the smaller one of what is done and what is left.

    Row i of `columns` is for cell i of what is done, row n + i for cell i of what is left: where the cell begins, one
    over its width, and the coefficients of the polynomial from the highest on. Cell i ends at `ends[i]`.
    """

    ends: NDArray[np.float32]
    columns: NDArray[np.float32]

    def weight(self, ops: Any) -> Callable[[Any, Any], Any]:
        """The function of the smaller share, as two addends, and of whether it is what is left."""
        count = len(self.ends) + 1

        def of_smaller(addends: tuple[Any, Any], is_left: Any) -> Any:
            coarse, fine = addends
            index = _reached(self.ends, coarse + fine, ops) + ops.cast(is_left, "int32") * count
            first, pace, highest, *others = _picked(self.columns, index, ops)
            inside = (coarse - first + fine) * pace
            value = highest
            for coefficient in others:
                value = value * inside + coefficient
            return value

        return of_smaller


@dataclass(frozen=True)
class RateTable:
    """The rates of a short run, step by step; what follows the last is that last one, or the pattern `repeat`."""

    rates: NDArray[np.float32]
    repeat: Repeat | None
    step_dtype: str

    def __call__(self, step: Any, ops: Any) -> Any:
        """The learning rates at `step`, a tensor of any shape and of the table's type; below 0 counts as 0."""
        last = ops.cast(len(self.rates) - 1, self.step_dtype)
        step = ops.maximum(step, ops.cast(0, self.step_dtype))
        return ops.take(self.rates, ops.minimum(_folded(step, self.repeat, self.step_dtype, ops), last), axis=0)


@dataclass(frozen=True)
class PhaseTable:
    """The constants of a long run: one row for each phase.

    With s the step, the clock of a phase is at o = (s + shift) // tick, and the phase counts n = anchor + sign * o
    steps, and a part of a step, from the end that its curve is measured from; the other end is span - n steps, and a
    part of a step, away. The columns of `integers` are shift, tick, anchor, sign, mask, span and the number of the
    formula; of `floats` high, low, top, bottom and the two parts of a step, as distances.
    """

    firsts: NDArray[np.int64]
    integers: NDArray[np.int64]
    floats: NDArray[np.float32]
    formulas: tuple[SharedFormula, ...]
    repeat: Repeat | None
    step_dtype: str

    def __call__(self, step: Any, ops: Any) -> Any:
        """The learning rates at `step`, a tensor of any shape and of the table's type; below 0 counts as 0."""
        # An anchor may pass the largest integer: it wraps around, and so does the sum, which is in range again.
        integers = self.integers.astype(self.step_dtype)
        step = _folded(ops.maximum(step, ops.cast(0, self.step_dtype)), self.repeat, self.step_dtype, ops)
        index = self._phase_of(step, ops)
        shift, tick, anchor, sign, mask, span, chosen = _picked(integers, index, ops)
        high, low, top, bottom, part, low_part, other_part, low_other = _picked(self.floats, index, ops)
        has_parts = self.floats[:, 4:].any()
        places = range(0, int(self.integers[:, 5].max()).bit_length(), 8)
        masks = [np.asarray((1 << place) - 1, self.step_dtype) for place in reversed(places)]

        def addends(steps: Any, part: Any) -> tuple[Any, Any]:
            """The distance of a number of steps and a part of a step, as the sum of two floats."""
            coarse, fine = _product(steps, high, low, mask, ops)
            if not has_parts:
                return coarse, fine
            fine = fine + part
            distance = coarse + fine  # near 0 steps the part is the larger of the two, so the order is set again
            return distance, coarse - distance + fine

        def share(steps: Any, part: Any, low_part: Any) -> tuple[Any, Any]:
            """The same with the digits of both floats."""
            coarse, fine = _finer_product(steps, high, low, masks, ops)
            if not has_parts:
                return coarse, fine
            total = coarse + part
            return total, coarse - total + part + (fine + low_part)

        if (self.integers[:, 1] != 1).any():
            step = (step + shift) // tick
        steps = step * sign + anchor
        coarse, fine = addends(steps, part)
        distance = coarse + fine
        value: Any = None
        for number, formula in enumerate(self.formulas):
            weight = formula.weight(ops)
            if formula.takes == "distance":
                found = weight(distance)
            elif formula.takes == "split":
                found = weight(coarse, fine)
            elif formula.takes == "smaller":
                is_left = distance < 0.5
                ends = ((steps, span - steps), (part, other_part), (low_part, low_other))
                found = weight(share(*(ops.where(is_left, *both) for both in ends)), is_left)
            else:
                found = weight(distance, sum(addends(span - steps, other_part)))
            value = found if value is None else ops.where(chosen == number, found, value)
        rate = value * top
        return rate if not self.floats[:, 3].any() else rate + (1.0 - value) * bottom

    def _phase_of(self, step: Any, ops: Any) -> Any:
        """The number of the phase that each step belongs to; None where there is only one."""
        firsts = self.firsts.astype(self.step_dtype)
        if len(firsts) == 1:
            return None
        if len(firsts) <= _FEW_PHASES:
            each = ops.expand_dims(step, -1) if len(step.shape) else step
            return ops.sum(ops.cast(each >= firsts[1:], "int32"), axis=-1)
        return _reached(firsts, step, ops) - 1


def _reached(boundaries: NDArray[Any], values: Any, ops: Any) -> Any:
    """How many of many ordered boundaries each value has reached."""
    return ops.reshape(ops.searchsorted(boundaries, ops.reshape(values, (-1,)), side="right"), values.shape)


def _picked(matrix: NDArray[Any], index: Any, ops: Any) -> list[Any]:
    """The constants of the phases by columns; a column that is the same for all is left as a number."""
    picked = [column[0] if (column == column[0]).all() else None for column in matrix.T]
    varied = [number for number, constant in enumerate(picked) if constant is None]
    if varied:
        rows = ops.take(matrix[:, varied], index, axis=0)
        for number, column in zip(varied, ops.unstack(rows, len(varied), axis=-1), strict=True):
            picked[number] = column
    return picked


def _product(steps: Any, high: Any, low: Any, mask: Any, ops: Any) -> tuple[Any, Any]:
    """The steps times the coefficient high + low, as the sum of two floats, of which the first is exact.

    `high` has so few bits that its product with the large part of the steps, whose low bits are 0, has at most the 24
    of a float32; a phase of few steps needs no such parts, and has the mask 0.
    """
    whole = ops.cast(steps, "float32")
    if isinstance(mask, np.integer) and not mask:
        return whole * high, whole * low
    small = ops.bitwise_and(steps, mask)
    return ops.cast(steps - small, "float32") * high, ops.cast(small, "float32") * high + whole * low


def _finer_product(steps: Any, high: Any, low: Any, masks: list[Any], ops: Any) -> tuple[Any, Any]:
    """The same sum with the digits of two floats for few steps, too: the masks cut the steps into pieces of 8 bits."""
    coarse, fine = 0.0, ops.cast(steps, "float32") * low
    for mask in masks:
        rest = ops.bitwise_and(steps, mask)
        added = ops.cast(steps - rest, "float32") * high  # exact, and not above `coarse`, unless that is 0
        steps, total = rest, coarse + added
        coarse, fine = total, fine + (coarse - total + added)
    return coarse, fine


def _folded(step: Any, repeat: Repeat | None, dtype: str, ops: Any) -> Any:
    """The step of the pattern's first repetition that `step` is like."""
    if repeat is None:
        return step
    first, period = ops.cast(repeat.first, dtype), ops.cast(repeat.period, dtype)
    return ops.where(step < first, step, first + (step - first) % period)
