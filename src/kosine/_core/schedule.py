"""The schedule, which knows no run, and the plan, which is a schedule for one run."""

from __future__ import annotations

import operator
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NoReturn, Self, SupportsIndex, overload

from kosine._core.arguments import read_index
from kosine._core.branches import Branching
from kosine._core.clipping import place_clipped
from kosine._core.cycle_ends import cycle_ends
from kosine._core.evaluate import array_function
from kosine._core.foreign_words import not_a_keras_scheduler, refuse_as_callback, translates_foreign_words
from kosine._core.groups import OF_PLANS, Ceiling, Cycles, Part, Section, check_parts, phases_of
from kosine._core.numbers import MAX_STEPS
from kosine._core.placing import Placed, level, place
from kosine._core.ramps import PerStepLike
from kosine._core.run import CountLike, RunSize, SecondsLike, read_run
from kosine._core.scaling import Scalable
from kosine._core.timeline import PlannedPart, PlannedPhase
from kosine._core.views import Drawn, Shown, view
from kosine.errors import ArgumentTypeError, Described, PlanError, ScheduleError, StepError, shown

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

_FUNCTIONS = ("check", "compare", "lint", "summarize", "to_code")
"""What people ask a plan for, and what kosine has as functions of plans."""


class _Value(Shown, Scalable):
    """A frozen value that a notebook draws."""

    __slots__ = ()

    def _repr_svg_(self) -> str | None:
        svg: str | None = view(self, "svg")
        return svg

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"A {type(self).__name__} is a frozen value; `{name}` cannot be set. Make a new one.")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"A {type(self).__name__} is a frozen value; `{name}` cannot be deleted.")


class Schedule(_Value):
    """The learning rate as a value: phases in order, some of them in cycles.

    A schedule is frozen, compares by value, has a hash, and its `repr` is the expression that makes it
    (`kosine.parse` reads it back). It knows no run; `plan` resolves it for one.

    `0.1 * lr`, `lr * 0.1` and `lr / 10` are schedules, too. Every rate in them is the float nearest to the exact
    product, where a float means its shortest decimal. Plans, phases, cycles and sections are scaled alike.

    Args:
        *parts: phases, groups of phases (`cycles`) and sections (`section`), in order.

    Raises:
        ScheduleError: no part, a first phase without a start, two "rest" phases, an endless group that is not
            last or that comes with a "rest", a curve that cannot join its two values, or a finite group whose
            last cycle has shrunk to nothing.
        ArgumentTypeError: a part that is neither a phase nor a group nor a section.

    Example:
        >>> import kosine as ks
        >>> lr = ks.Schedule(ks.linear(100, start=0.0, to=1e-3), ks.cosine(to=0.0))
        >>> lr
        Schedule(linear(100, start=0.0, to=0.001), cosine(to=0.0))
        >>> round(lr.plan(total_steps=1000)(550), 9)
        0.0005
        >>> 0.3 * lr
        Schedule(linear(100, start=0.0, to=0.0003), cosine(to=0.0))
    """

    __slots__ = ("_hash", "parts")

    parts: tuple[Part, ...]
    _hash: int

    def __init__(self, *parts: Part) -> None:
        object.__setattr__(self, "parts", parts)
        check_parts(parts, "Schedule")
        first = next(phases_of(parts))
        if first.start is None:
            raise ScheduleError(
                "The first phase of a schedule needs a `start`: there is no value before it.", received=first
            )
        _check_values(parts, None)
        object.__setattr__(self, "_hash", hash((Schedule, parts)))

    @translates_foreign_words
    def plan(
        self,
        *,
        total_steps: CountLike | None = None,
        epochs: float | None = None,
        steps_per_epoch: CountLike | None = None,
        samples_per_step: PerStepLike | None = None,
        tokens_per_step: PerStepLike | None = None,
        seconds_per_step: SecondsLike | None = None,
        dataset_size: CountLike | None = None,
        batch_size: CountLike | None = None,
        accumulate: int = 1,
        devices: int = 1,
        drop_last: bool | int = False,  # ints, here and below: type checkers let `plan(**{"epochs": 1, ...})` pass
        total_samples: CountLike | None = None,
        total_tokens: CountLike | None = None,
        total_time: str | int | None = None,
        clip: bool | int = False,
    ) -> Plan:
        """The schedule resolved for one run: integer step boundaries, ready to evaluate.

        Each boundary is the exact sum of the durations before it, rounded half up once, so rounding never
        drifts. The run's length decides only what "rest" and "%" mean; a schedule with neither needs none.

        A step is an update of the optimizer. Sizes are integers, or texts with a magnitude: "300B" is 300 * 10**9.
        Where several arguments say the length, they must agree.

        Args:
            total_steps: the run's length in steps; or give `epochs`, `total_samples`, `total_tokens` or `total_time`.
            epochs: the run's length in epochs; a fraction of an epoch is rounded to whole steps, half up.
            steps_per_epoch: updates in an epoch; needed for durations in epochs.
            samples_per_step: training samples in an update; needed for durations in samples. Where it is None, it is
                `batch_size` * `accumulate` * `devices`. A batch that grows is a list of stages, as for tokens.
            tokens_per_step: training tokens in an update; needed for durations in tokens. Where they change in the run,
                a list of stages, each the count that it begins at and the tokens of a step from there on:
                [(0, 65_536), ("4B", 131_072)]. `batch_ramp` makes one. Or a schedule whose values are the tokens of a
                step, rounded to whole ones: `Schedule(linear("4Btok", start=32_768, to=1_048_576), hold())`.
            seconds_per_step: how long an update takes, as you measured it; needed for durations in time ("30min").
            dataset_size: training samples in an epoch; with `batch_size` it gives `steps_per_epoch`: an epoch has
                ceil(`dataset_size` / (`batch_size` * `devices`)) batches on each device, and
                ceil(batches / `accumulate`) updates.
            batch_size: training samples in a batch of one device: one forward pass.
            accumulate: batches whose gradients are added up before an update.
            devices: how many devices train at the same time, each with batches of its own.
            drop_last: True: what does not fill a last batch on every device is left out, as by a DataLoader, and so is
                what does not fill a last step of `total_samples` or `total_tokens`. False: it counts as one.
            total_samples: the run's length in samples: the fewest steps that see so many.
            total_tokens: the run's length in tokens, such as "300B": the fewest steps that see so many.
            total_time: the run's length in time, such as "30min": the most steps of `seconds_per_step` that fit.
            clip: False: phases that do not fit the run are refused. True: the run trains the schedule's first steps as
                well as it can, as a smoke test should; a schedule that fits is planned as ever.

        A clipped plan differs in four ways, and `plan.clipped` says which of them it needed. A phase or a cycle of less
        than a step lasts one, and a tick a whole number of steps; a "rest" without a step left gets one. What goes past
        the end of the run is cut there, with the slopes that it has in a long run, and the last value stays. Where all
        steps would have the rate 0, the run begins at the schedule's first step above it.

        Raises:
            PlanError: a length that is needed and missing, two lengths that disagree, or a cycle of the run that has
                shrunk to nothing; without `clip` also no step left for a "rest", or a positive duration that rounds
                to no step.
            ArgumentTypeError: a length that is not a number.

        Example:
            >>> import kosine as ks
            >>> lr = ks.warmup_cosine(peak=1e-4, warmup="10ep", warmup_start=4e-6, hold=5)
            >>> lr.plan(epochs=50, steps_per_epoch=788)(7_884)
            0.0001
            >>> lr.plan(epochs=50, dataset_size=12_600, batch_size=16).total_steps
            39400
            >>> lr.plan(epochs=50, dataset_size=12_600, batch_size=16, accumulate=4, devices=2).total_steps
            4950
            >>> ks.constant(0.1).plan(total_tokens="300B", tokens_per_step="3.2M").total_steps
            93750
            >>> ks.constant(0.1).plan(total_time="30min", seconds_per_step=0.25).total_steps
            7200
            >>> smoke_test = lr.plan(epochs=1, steps_per_epoch=32, clip=True)
            >>> print(smoke_test)
            phase   first step  steps  epochs   from        to
            linear           0     32       1  4e-06  1.36e-05
            total                  32       1
            >>> smoke_test.clipped[1]
            'The run ends after 32 of the 320 steps of `linear`.'
        """
        run = read_run(
            total_steps=total_steps,
            epochs=epochs,
            steps_per_epoch=steps_per_epoch,
            samples_per_step=samples_per_step,
            tokens_per_step=tokens_per_step,
            seconds_per_step=seconds_per_step,
            dataset_size=dataset_size,
            batch_size=batch_size,
            accumulate=accumulate,
            devices=devices,
            drop_last=drop_last,
            total_samples=total_samples,
            total_tokens=total_tokens,
            total_time=total_time,
            clip=clip,
        )
        return Plan(self, run)

    def scaled(self, factor: Fraction) -> Self:
        """The schedule with every rate times an exact factor; `0.1 * schedule` calls this."""
        return type(self)(*(part.scaled(factor) for part in self.parts))

    def __iter__(self) -> Iterator[Part]:
        return iter(self.parts)

    def __call__(self, *steps: object) -> NoReturn:
        """A schedule does not know its run, so it has no rate at a step: plan it first."""
        if len(steps) > 1:
            raise not_a_keras_scheduler("A Schedule does not know its run, so it has no rate at an epoch.", *steps)
        raise ArgumentTypeError(
            "A Schedule does not know its run, so it has no rate at a step.",
            received=self,
            fix="Call `schedule.plan(total_steps=...)`, and use the plan. In Keras pass "
            "`ks.keras.LearningRateSchedule(plan)` to the optimizer, or `ks.keras.LearningRateCallback(schedule)` to "
            "`fit`.",
        )

    def __getattr__(self, name: str) -> NoReturn:
        refuse_as_callback("A Schedule", name)
        fix = " Call `schedule.plan(total_steps=...)`: the plan has it." if name in OF_PLANS else ""
        raise AttributeError(f"A Schedule has no attribute {name!r}.{fix}")

    def __repr__(self) -> str:
        return f"Schedule({', '.join(map(repr, self.parts))})"

    def __eq__(self, other: object) -> bool:
        return self.parts == other.parts if isinstance(other, Schedule) else NotImplemented

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> tuple[type[Schedule], tuple[Part, ...]]:
        return Schedule, self.parts


def _check_values(parts: Iterable[Part], value: float | None) -> float | None:
    """Raise where a curve cannot join its values; the value after the last part, None where it depends on the run."""
    for part in parts:
        if isinstance(part, Section):
            value = _check_values(part.parts, value)
            if part.duration is not None:
                value = None
            continue
        before = value
        phases = part.phases if isinstance(part, Cycles) else (part,)
        for phase in phases:
            start = value if phase.start is None else phase.start
            if start is not None:
                phase.curve.check(start, phase.to)
            value = start if phase.curve.keeps_value else phase.to
        known = before is not None or phases[0].start is not None
        if isinstance(part, Cycles) and known:  # for ever means at least one restart
            Ceiling.of(part, before).check(1 if part.count is None else part.count - 1, ScheduleError)
    return value


_TABLE_CYCLE_ROWS = 4096  # repeated phases that are listed ahead; beyond them each step finds its cycle by arithmetic


_CHUNK = 2**14  # steps of an array that are worked out at a time: their intermediate results stay in the cache


_Bound = tuple[int, int, Callable[[int], float]]
"""A row's first step, the first step of the next row, and its function of the steps between."""


class PhaseRows(Sequence[PlannedPhase]):
    """The phases of a plan in order, made when they are asked for: 10**11 cycles take no more memory than one."""

    __slots__ = ("_counts", "_parts")

    def __init__(self, parts: Sequence[PlannedPart]) -> None:
        self._parts = tuple(parts)
        self._counts = [0]
        for part in parts:
            self._counts.append(self._counts[-1] + part.row_count)

    def __len__(self) -> int:
        return self._counts[-1]

    @overload
    def __getitem__(self, index: int) -> PlannedPhase: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[PlannedPhase]: ...
    def __getitem__(self, index: int | slice) -> PlannedPhase | Sequence[PlannedPhase]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        position = operator.index(index)
        position += len(self) if position < 0 else 0
        if not 0 <= position < len(self):
            raise IndexError(f"The plan lists {len(self)} phases. Received: index {index}.")
        number = bisect_right(self._counts, position) - 1
        return self._parts[number].listed_row(position - self._counts[number])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(map(operator.eq, self, other))

    def __repr__(self) -> str:
        head = ", ".join(repr(row) for row in self[:8])
        return f"[{head}{', ...' if len(self) > 8 else ''}]"


class Plan(_Value, Drawn, Branching):
    """A schedule resolved for one run; made by `Schedule.plan`.

    `plan(step)` is the learning rate that the update of batch `step` uses, counted from 0. It costs O(log phases),
    in any order. Where the schedule has no "rest" and no "%", it is the same for every run length. After the last
    phase it stays at that phase's end value; an endless group goes on cycling.

    Attributes:
        schedule: the schedule that was planned.
        run: the size of the run, as it was given.
        phases: a lazy sequence of rows (`PlannedPhase`: name, first_step, steps, first_lr, end_lr, cycle, ...); of an
            endless group it lists the cycles that begin in the run (with no length: the first).
        total_steps: the run's length in steps; where none was given, the step after the last phase, or None
            where the schedule never ends.
        clipped: what `Schedule.plan(..., clip=True)` changed so that the schedule fits the run, as sentences; () where
            nothing was.

    Example:
        >>> import kosine as ks
        >>> plan = ks.sgdr(peak=0.05, period=10, stretch=2).plan(total_steps=70)
        >>> print(plan)
        phase       first step  steps  from  to
        cosine  #1           0     10  0.05   0
        cosine  #2          10     20  0.05   0
        cosine  #3          30     40  0.05   0
        total                      70
        >>> plan(10), round(plan(20), 9)
        (0.05, 0.025)
    """

    __slots__ = (
        "_bound",
        "_firsts",
        "_recent",
        "_repeat",
        "_table",
        "_table_stop",
        "after",
        "clipped",
        "parts",
        "phases",
        "run",
        "schedule",
        "total_steps",
    )

    schedule: Schedule
    run: RunSize
    phases: PhaseRows
    total_steps: int | None
    parts: tuple[PlannedPart, ...]
    after: PlannedPhase
    clipped: tuple[str, ...]
    _table: list[PlannedPhase]
    _table_stop: int
    _repeat: tuple[int, int] | None
    _firsts: list[int]
    _bound: list[_Bound | None]
    _recent: list[_Bound]

    def __init__(self, schedule: Schedule, run: RunSize) -> None:
        clipped: tuple[str, ...] = ()
        if run.clip:
            placed, run, clipped = place_clipped(schedule.parts, run)
        else:
            placed = place(schedule.parts, run)
        parts, stop = placed.parts, _stop(placed)
        if stop == 0 and run.total_steps is None:
            raise PlanError(
                "A plan must last at least one step.", received=Described(f"{shown(schedule)}, which lasts none")
            )
        for name, attribute in {
            "schedule": schedule,
            "run": run,
            "phases": PhaseRows(parts),
            "total_steps": run.total_steps if run.total_steps is not None or stop > MAX_STEPS else stop,
            "parts": parts,
            "after": level(stop, placed.value),
            "clipped": clipped,
            "_recent": [(0, 0, float)],
            "_table_stop": 0,
        }.items():
            object.__setattr__(self, name, attribute)

    @overload
    def __call__(self, steps: int | np.integer[Any]) -> float: ...
    @overload
    def __call__(self, steps: NDArray[Any] | Sequence[Any]) -> NDArray[Any]: ...
    def __call__(self, steps: Any = None, *others: object) -> Any:
        """The learning rate at `steps`, counted from 0.

        Args:
            steps: an integer, or an array or a list of integers; each 0 <= step <= 2**63 - 1.

        Returns:
            A float for an integer, else a float64 array of the same shape.

        Raises:
            StepError: a step below 0 or above 2**63 - 1.
            ArgumentTypeError: steps that are not integers.
        """
        if type(steps) is int:
            first, stop, value = self._recent[0]  # most steps fall into the same phase as the one before
            if first <= steps < stop:
                return value(steps - first)
            if 0 <= steps < self._table_stop:
                index = bisect_right(self._firsts, steps) - 1
                first, _, value = self._recent[0] = self._bound[index] or self._bind(index)
                return value(steps - first)
        if others:
            raise not_a_keras_scheduler("A Plan is a function of the step alone.", steps, *others)
        if hasattr(steps, "__index__") and not getattr(steps, "ndim", 0) and not isinstance(steps, bool):
            return self._at(_read_step(steps))
        return self._at_array(steps)

    def scaled(self, factor: Fraction) -> Self:
        """The plan with every rate times an exact factor; `0.1 * plan` calls this."""
        return type(self)(self.schedule.scaled(factor), self.run)

    @property
    def written_parts(self) -> tuple[Part, ...]:
        return self.schedule.parts

    def replanned(self, parts: tuple[Part, ...], run: RunSize) -> Self:
        return type(self)(Schedule(*parts), run)

    def phase_at(self, step: int) -> PlannedPhase:
        """The phase that `step` belongs to; after the last phase, a hold that never ends.

        Raises:
            StepError: a step below 0 or above 2**63 - 1.
            ArgumentTypeError: no integer.
        """
        step = _read_step(step)
        self._list()
        if step < self._table_stop:
            return self._table[bisect_right(self._firsts, step) - 1]
        part = next(part for part in reversed(self.parts) if part.first_step <= step)
        return part.row_at(step) if step < part.stop else self.after

    @property
    def cycle_ends(self) -> NDArray[Any]:
        """The last step of each cycle, and the run's last step, as an int64 array in order.

        The model after the update of such a step is the one to keep: the rate is at its lowest, and a restart follows.
        A cycle ends where `cycles` begins its next one, and where the rate goes up again after a part that falls. The
        levels of `step_decay` are no cycles. The last cycle may be cut by the end of the run: lint's K001 says where.

        Raises:
            PlanError: a plan without an end, or of more than a million cycles.

        Example:
            >>> import kosine as ks
            >>> ks.sgdr(peak=0.1, period=7, stretch=2).plan(total_steps=49).cycle_ends.tolist()
            [6, 20, 48]
        """
        return cycle_ends(self.parts, self.total_steps)

    def cycle_at(self, step: int) -> int:
        """The cycle that `step` belongs to, counted from 0: how many of `cycle_ends` lie before it.

        Raises:
            StepError: a step below 0 or above 2**63 - 1.
            ArgumentTypeError: no integer.
            PlanError: as of `cycle_ends`.
        """
        ends = self.cycle_ends
        return min(int(ends.searchsorted(_read_step(step))), ends.size - 1)

    def plot(self, ax: Axes | None = None, *, log: bool = False, points: Iterable[SupportsIndex] = ()) -> Axes:
        """Draw the plan with Matplotlib (extra `plot`): the rate at every step, phases and restarts marked.

        Args:
            ax: the axes to draw on; a new figure if None.
            log: whether the axis of the rates is logarithmic.
            points: steps to mark, each with a dot and its rate.

        Returns:
            The axes.

        Raises:
            PlanError: a plan of a schedule that never ends, made without a length; a point outside the run; a
                logarithmic axis for rates that are all 0.
            ArgumentTypeError: a point that is not an integer.
            MissingPackageError: Matplotlib is not installed.
        """
        axes: Axes = view(self, "plot", ax=ax, log=log, points=points)
        return axes

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        # torch's LambdaLR saves the `__dict__` of a callable object as its state, and updates it at a load. A plan has
        # none: it is built again from its schedule, as a function is from its module.
        return {}

    def __getattr__(self, name: str) -> NoReturn:
        refuse_as_callback("A Plan", name)
        fix = f" Write `ks.{name}(...)`: it is a function." if name in _FUNCTIONS else ""
        raise AttributeError(f"A Plan has no attribute {name!r}.{fix}", name=name, obj=self)

    def _list(self) -> None:
        """List the rows that are looked up, at the first rate: a plan whose phases alone are read needs no list."""
        if self._table_stop:
            return
        table, table_stop = _table(self.parts, self.after)
        for name, attribute in {
            "_table": table,
            "_repeat": _repeat(self.parts, table_stop),
            "_firsts": [row.first_step for row in table],
            "_bound": [None] * len(table),
            "_table_stop": table_stop,  # the last one: it shows other threads that the others are set
        }.items():
            object.__setattr__(self, name, attribute)

    def _at(self, step: int) -> float:
        self._list()
        if step >= self._table_stop and self._repeat:
            first, period = self._repeat
            step = first + (step - first) % period
        if step < self._table_stop:
            index = bisect_right(self._firsts, step) - 1
            first, _, value = self._bound[index] or self._bind(index)
            return value(step - first)
        row = self.phase_at(step)
        return row.value_at(step)

    def _bind(self, index: int) -> _Bound:
        """Make a row's function when it is first needed; the list is a cache and never changes a value."""
        row = self._table[index]
        stop = self._firsts[index + 1] if index + 1 < len(self._firsts) else self._table_stop
        bound = self._bound[index] = (row.first_step, stop, row.function())
        return bound

    def _at_array(self, steps: Any) -> NDArray[Any]:
        import numpy as np

        if steps is None:
            raise ArgumentTypeError(
                "A plan is a function of the step: call it with one.",
                fix="In Keras, pass `ks.keras.LearningRateSchedule(plan)` to the optimizer, not the plan itself.",
            )
        try:
            array = np.asarray(steps)
        except (TypeError, ValueError) as error:  # rows of different lengths, an object that is not an array
            rule = "an integer or an array of integers"
            raise ArgumentTypeError(argument="steps", rule=rule, received=steps, fix=_traced(steps)) from error
        if array.size == 0:
            return np.empty(array.shape, np.float64)
        if array.dtype.kind not in "iu":
            raise ArgumentTypeError(
                argument="steps",
                rule="an integer or an array of integers",
                received=Described(f"{shown(steps)} of dtype {array.dtype}") if array.ndim else steps,
                fix="Count steps in integers: `int(step)`." if array.dtype.kind == "f" else "",
            )
        _read_step(int(array.min()))
        _read_step(int(array.max()))
        flat = array.ravel().astype(np.int64, copy=False)
        self._list()
        if self._repeat and int(array.max()) >= self._table_stop:
            first, period = self._repeat
            flat = np.where(flat < self._table_stop, flat, first + (flat - first) % period)
        return self._at_any(flat).reshape(array.shape)

    def _at_any(self, steps: NDArray[Any]) -> NDArray[Any]:
        """The rates at steps in any order."""
        import numpy as np

        if bool((steps[1:] >= steps[:-1]).all()):
            return self._at_sorted(steps)
        low, high = int(steps.min()), int(steps.max())
        if high - low < steps.size:  # each step between them once, and a look-up: less work than to sort them
            once: NDArray[Any] = self._at_sorted(low + np.arange(high - low + 1))[steps - low]
            return once
        order = np.argsort(steps)
        rates = np.empty(steps.shape, np.float64)
        rates[order] = self._at_sorted(steps[order])
        return rates

    def _at_sorted(self, steps: NDArray[Any]) -> NDArray[Any]:
        import numpy as np

        rates = np.empty(steps.shape, np.float64)
        begin, size = 0, steps.size
        while begin < size:  # once for each phase that a step falls into
            row = self.phase_at(int(steps[begin]))
            stop = size if row.stop > steps[-1] else int(np.searchsorted(steps, row.stop))
            inside = stop
            if row.endpoint and row.end_step <= MAX_STEPS:  # the last step is at the end value
                inside = max(begin, int(np.searchsorted(steps[:stop], row.end_step)))
                rates[inside:stop] = row.clock.to
            if inside > begin:
                value = array_function(row.curve, row.clock)
                for low in range(begin, inside, _CHUNK):
                    high = min(low + _CHUNK, inside)
                    rates[low:high] = value(steps[low:high] - row.first_step)
            begin = stop
        return rates

    def __eq__(self, other: object) -> bool:
        return (self.schedule, self.run) == (other.schedule, other.run) if isinstance(other, Plan) else NotImplemented

    def __hash__(self) -> int:
        return hash((Plan, self.schedule, self.run))

    def __reduce__(self) -> tuple[type[Plan], tuple[Schedule, RunSize]]:
        return Plan, (self.schedule, self.run)

    def __repr__(self) -> str:
        return f"{self.schedule!r}.plan({', '.join(f'{name}={value!r}' for name, value in self.run.known().items())})"


def check_plan(value: object) -> None:
    """Raise ArgumentTypeError where the argument `plan` is something else, such as a schedule."""
    if not isinstance(value, Plan):
        fix = "Plan it first: `schedule.plan(total_steps=...)`." if isinstance(value, Schedule) else ""
        raise ArgumentTypeError(argument="plan", rule="a Plan", received=value, fix=fix)


def _stop(placed: Placed) -> int:
    """The step after the last phase; beyond every step where there is none."""
    if placed.end is None:
        return MAX_STEPS + 1
    return placed.parts[-1].stop if placed.parts else 0


def _table(parts: Sequence[PlannedPart], after: PlannedPhase) -> tuple[list[PlannedPhase], int]:
    """The rows that are looked up by bisection, and the step up to which they reach."""
    rows: list[PlannedPhase] = []
    most = _TABLE_CYCLE_ROWS
    for part in parts:
        listed, reached = part.table(most)
        rows += listed
        if reached < part.stop:
            return rows, reached
        if part.cycles_in_run:
            most -= len(listed)
    if after.first_step <= MAX_STEPS:
        rows.append(after)
    return rows, MAX_STEPS + 1


def _repeat(parts: Sequence[PlannedPart], table_stop: int) -> tuple[int, int] | None:
    """The first step and the length of a pattern that repeats for ever; it must lie in the table as a whole."""
    pattern = parts[-1].pattern if parts else None
    if pattern is None or parts[-1].first_step + pattern[1] > table_stop:
        return None
    return parts[-1].first_step, pattern[1]


def _read_step(step: SupportsIndex) -> int:
    number = read_index(step)
    if number is None:
        raise ArgumentTypeError("A step must be an integer.", received=step, fix=_traced(step))
    if not 0 <= number <= MAX_STEPS:
        raise StepError(
            "A step must be >= 0 and at most 2**63 - 1: steps are training batches, counted from 0.", received=number
        )
    return number


def _traced(step: object) -> str:
    """What to do with a step that has no value while JAX traces, as a sentence."""
    if not type(step).__module__.startswith("jax"):
        return ""
    return "A plan is evaluated on the host; for Optax and inside `jit` use `ks.jax.schedule(plan)`."
