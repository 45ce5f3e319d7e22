"""A schedule resolved for one run: any step in any order gives its learning rate, and nothing mutates."""

from __future__ import annotations

import math
import operator
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

from kosine.boundaries import Block, Group, Placed, PlannedPhase, level, place
from kosine.durations import MAX_STEPS, RunSize, round_half_up
from kosine.errors import ArgumentTypeError, PlanError, ScheduleError, StepError, shown
from kosine.evaluation import array_function
from kosine.phases import read_index, read_number
from kosine.schedule import Schedule
from kosine.tables import aligned

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

_TABLE_CYCLE_ROWS = 4096  # repeated phases that are listed ahead; beyond them each step finds its cycle by arithmetic
_PATTERN_CYCLES = 256  # the longest pattern that is listed ahead though the run may not reach its end
_CHUNK = 2**14  # steps of an array that are worked out at a time: their intermediate results stay in the cache

_TABLE_LINES = 24  # phases that a table shows

_Bound = tuple[int, Callable[[int], float]]


class PhaseRows(Sequence[PlannedPhase]):
    """The phases of a plan in order, made when they are asked for: 10**11 cycles take no more memory than one."""

    __slots__ = ("_blocks", "_counts")

    def __init__(self, blocks: Sequence[Block]) -> None:
        self._blocks = tuple(blocks)
        self._counts = [0]
        for block in blocks:
            self._counts.append(self._counts[-1] + (len(block.rows_shown) if isinstance(block, Group) else 1))

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
        block = self._blocks[number]
        if isinstance(block, Group):
            return block.row(*divmod(block.rows_shown[position - self._counts[number]], len(block.part.phases)))
        return block

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(map(operator.eq, self, other))

    def __repr__(self) -> str:
        head = ", ".join(repr(row) for row in self[:8])
        return f"[{head}{', ...' if len(self) > 8 else ''}]"


class Plan:
    """A schedule resolved for one run; made by `Schedule.plan`.

    `plan(step)` is the learning rate that the update of batch `step` uses, counted from 0. It costs O(log phases),
    in any order, and is the same for every run length where the schedule has no "rest" and no "%". After the last
    phase it stays at that phase's end value; an endless group goes on cycling.

    Attributes:
        schedule: the schedule that was planned.
        run: what was said about the run.
        phases: a lazy sequence of rows (`PlannedPhase`: name, first_step, steps, first_lr, end_lr, cycle, ...); of an
            endless group it lists the cycles that begin in the run (with no length: the first).
        total_steps: the run's length in steps; where none was given, the step after the last phase, or None
            where the schedule never ends.

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
        "_repeat",
        "_table",
        "_table_stop",
        "after",
        "blocks",
        "phases",
        "run",
        "schedule",
        "total_steps",
    )

    schedule: Schedule
    run: RunSize
    phases: PhaseRows
    total_steps: int | None
    blocks: tuple[Block, ...]
    after: PlannedPhase
    _table: list[PlannedPhase]
    _table_stop: int
    _repeat: tuple[int, int] | None
    _firsts: list[int]
    _bound: list[_Bound | None]

    def __init__(self, schedule: Schedule, run: RunSize) -> None:
        placed = place(schedule.parts, run)
        blocks, stop = placed.blocks, _stop(placed)
        if stop == 0 and run.total_steps is None:
            raise PlanError(f"A plan must last at least one step. Received: {shown(schedule)}, which lasts none.")
        for name, attribute in {
            "schedule": schedule,
            "run": run,
            "phases": PhaseRows(blocks),
            "total_steps": run.total_steps if run.total_steps is not None or stop > MAX_STEPS else stop,
            "blocks": blocks,
            "after": level(stop, placed.value),
            "_table_stop": 0,
        }.items():
            object.__setattr__(self, name, attribute)

    @overload
    def __call__(self, steps: int | np.integer[Any]) -> float: ...
    @overload
    def __call__(self, steps: NDArray[Any] | Sequence[Any]) -> NDArray[Any]: ...
    def __call__(self, steps: Any = None) -> Any:
        """The learning rate at `steps`, counted from 0.

        Args:
            steps: an integer, or an array or a list of integers; each 0 <= step <= 2**63 - 1.

        Returns:
            A float for an integer, else a float64 array of the same shape.

        Raises:
            StepError: a step below 0 or above 2**63 - 1.
            ArgumentTypeError: steps that are no integers.
        """
        if type(steps) is int and 0 <= steps < self._table_stop:
            index = bisect_right(self._firsts, steps) - 1
            first, value = self._bound[index] or self._bind(index)
            return value(steps - first)
        if hasattr(steps, "__index__") and not getattr(steps, "ndim", 0) and not isinstance(steps, bool):
            return self._at(_read_step(steps))
        return self._at_array(steps)

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
        block = next(block for block in reversed(self.blocks) if block.first_step <= step)
        if step >= block.stop:
            return self.after
        return block.row_at(step) if isinstance(block, Group) else block

    def plot(self, ax: Axes | None = None, *, log: bool = False, points: Iterable[SupportsIndex] = ()) -> Axes:
        """Draw the plan with Matplotlib (extra `plot`): the rate at every step, phases and restarts marked.

        Args:
            ax: the axes to draw on; a new figure if None.
            log: whether the rates stand on a logarithmic axis.
            points: steps to point out, each with a dot and its rate.

        Returns:
            The axes.

        Raises:
            PlanError: a plan of a schedule that never ends, made without a length; a point outside the run; a
                logarithmic axis for rates that are all 0.
            ArgumentTypeError: a point that is no integer.
            MissingPackageError: Matplotlib is not installed.
        """
        from kosine.plotting.figure import plot_plan

        return plot_plan(self, ax=ax, log=log, points=points)

    def _list(self) -> None:
        """List the rows that are looked up, when a rate is first asked for: who only looks at phases needs none."""
        if self._table_stop:
            return
        table, table_stop = _table(self.blocks, self.after)
        for name, attribute in {
            "_table": table,
            "_repeat": _repeat(self.blocks, table_stop),
            "_firsts": [row.first_step for row in table],
            "_bound": [None] * len(table),
            "_table_stop": table_stop,  # the last one: it says to other threads that the others are there
        }.items():
            object.__setattr__(self, name, attribute)

    def _at(self, step: int) -> float:
        self._list()
        if step >= self._table_stop and self._repeat:
            first, period = self._repeat
            step = first + (step - first) % period
        if step < self._table_stop:
            index = bisect_right(self._firsts, step) - 1
            first, value = self._bound[index] or self._bind(index)
            return value(step - first)
        row = self.phase_at(step)
        return row.value_at(step)

    def _bind(self, index: int) -> _Bound:
        """Work out a row's function when it is first asked for; the list only remembers, it never changes a value."""
        row = self._table[index]
        bound = self._bound[index] = (row.first_step, row.function())
        return bound

    def _at_array(self, steps: Any) -> NDArray[Any]:
        import numpy as np

        if steps is None:
            raise ArgumentTypeError(
                "A plan is a function of the step: call it with one. In Keras, give the optimizer "
                "`ks.keras.LearningRateSchedule(plan)` for its learning rate, not the plan itself."
            )
        try:
            array = np.asarray(steps)
        except (TypeError, ValueError) as error:  # rows of different lengths, an object that is no array
            raise ArgumentTypeError(
                "Argument `steps` must be an integer or an array of integers. "
                f"Received: steps={shown(steps)}.{_traced(steps)}"
            ) from error
        if array.size == 0:
            return np.empty(array.shape, np.float64)
        if array.dtype.kind not in "iu":
            raise ArgumentTypeError(
                "Argument `steps` must be an integer or an array of integers. "
                f"Received: steps={shown(steps)}{f' of dtype {array.dtype}' if array.ndim else ''}."
                f"{' Count steps in integers: `int(step)`.' if array.dtype.kind == 'f' else ''}"
            )
        _read_step(int(array.min()))
        _read_step(int(array.max()))
        flat = array.ravel().astype(np.int64, copy=False)
        self._list()
        if self._repeat and int(array.max()) >= self._table_stop:
            first, period = self._repeat
            flat = np.where(flat < self._table_stop, flat, first + (flat - first) % period)
        if flat.size > 1 and not bool((flat[1:] >= flat[:-1]).all()):
            order = np.argsort(flat, kind="stable")
            rates = np.empty(flat.shape, np.float64)
            rates[order] = self._at_sorted(flat[order])
        else:
            rates = self._at_sorted(flat)
        return rates.reshape(array.shape)

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

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"A Plan is a frozen value; `{name}` cannot be set. Make a new one.")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"A Plan is a frozen value; `{name}` cannot be deleted.")

    def __repr__(self) -> str:
        known = {name: getattr(self.run, name) for name in RunSize.__dataclass_fields__}
        written = ", ".join(f"{name}={value}" for name, value in known.items() if value is not None)
        return f"{self.schedule!r}.plan({written})"

    def __str__(self) -> str:
        return table(self)

    def _repr_html_(self) -> str:
        from kosine.plotting.notebook import plan_html

        return plan_html(self)

    def _repr_svg_(self) -> str | None:
        from kosine.plotting.notebook import plan_svg

        return plan_svg(self)


def _stop(placed: Placed) -> int:
    """The step after the last phase; beyond every step where there is none."""
    if placed.end is None:
        return MAX_STEPS + 1
    return placed.blocks[-1].stop if placed.blocks else 0


def _table(blocks: Sequence[Block], after: PlannedPhase) -> tuple[list[PlannedPhase], int]:
    """The rows that are looked up by bisection, and the step up to which they reach."""
    rows: list[PlannedPhase] = []
    budget = _TABLE_CYCLE_ROWS
    for block in blocks:
        if isinstance(block, PlannedPhase):
            rows.append(block)
            continue
        phases = range(len(block.part.phases))
        first, wanted = block.cycles_shown[0], len(block.cycles_in_run)
        if block.pattern and block.pattern[0] <= _PATTERN_CYCLES:  # the whole of it, also where the first cycle is cut
            wanted = max(wanted, block.pattern[0] + 1)
        listed = min(wanted, max(1, budget // len(phases)))
        budget -= listed * len(phases)
        numbered = ((first + i, phase) for i in range(listed) for phase in phases)
        rows += [row for cycle, phase in numbered if (row := block.row(cycle, phase)).steps]
        if listed < len(block.cycles_shown) or block.endless:
            return rows, min(block.boundary(first + listed), MAX_STEPS + 1)
    if after.first_step <= MAX_STEPS:
        rows.append(after)
    return rows, MAX_STEPS + 1


def _repeat(blocks: Sequence[Block], table_stop: int) -> tuple[int, int] | None:
    """The first step and the length of a pattern that repeats for ever; it must lie in the table as a whole."""
    group = blocks[-1] if blocks else None
    if not isinstance(group, Group) or not group.pattern or group.first_step + group.pattern[1] > table_stop:
        return None
    return group.first_step, group.pattern[1]


def _read_step(step: SupportsIndex) -> int:
    number = read_index(step)
    if number is None:
        raise ArgumentTypeError(f"A step must be an integer. Received: {shown(step)}.{_traced(step)}")
    if not 0 <= number <= MAX_STEPS:
        raise StepError(
            "A step must be >= 0 and at most 2**63 - 1: steps are training batches, counted from 0. "
            f"Received: {shown(number)}."
        )
    return number


def _traced(step: object) -> str:
    """What to do with a step that has no value while JAX traces, as a sentence."""
    if not type(step).__module__.startswith("jax"):
        return ""
    return " A plan is evaluated on the host; for Optax and inside `jit` use `ks.jax.schedule(plan)`."


def read_run(
    total_steps: object = None,
    epochs: object = None,
    steps_per_epoch: object = None,
    samples_per_step: object = None,
    tokens_per_step: object = None,
) -> RunSize:
    """The run's size, checked; `epochs` and `steps_per_epoch` give the total."""
    total = _read_count(total_steps, "total_steps")
    per_epoch = _read_count(steps_per_epoch, "steps_per_epoch")
    if epochs is not None:
        rule = "a finite number of epochs > 0"
        try:
            number = read_number(epochs, "epochs", rule)
        except ScheduleError as error:
            raise PlanError(str(error)) from None
        if number <= 0:
            raise PlanError(f"Argument `epochs` must be {rule}. Received: epochs={shown(epochs)}.")
        if per_epoch is None:
            raise PlanError(
                f"Argument `epochs` needs `steps_per_epoch`. Received: epochs={shown(epochs)}, steps_per_epoch=None."
            )
        whole = read_index(epochs)
        exact = Fraction(repr(number)) if whole is None else Fraction(whole)
        product = round_half_up(exact * per_epoch)
        if total is not None and total != product:
            raise PlanError(
                "Arguments `total_steps` and `epochs` disagree. "
                f"Received: total_steps={total}, epochs={shown(epochs)}, steps_per_epoch={per_epoch}, "
                f"which make {shown(product)}."
            )
        if not 1 <= product <= MAX_STEPS:
            raise PlanError(
                "Arguments `epochs` and `steps_per_epoch` must make at least 1 and at most 2**63 - 1 steps. "
                f"Received: epochs={shown(epochs)}, steps_per_epoch={per_epoch}."
            )
        total = product
    return RunSize(
        total,
        per_epoch,
        _read_count(samples_per_step, "samples_per_step"),
        _read_count(tokens_per_step, "tokens_per_step"),
    )


def _read_count(value: object, argument: str) -> int | None:
    if value is None:
        return None
    count = read_index(value)
    if count is None:
        raise ArgumentTypeError(f"Argument `{argument}` must be an integer >= 1. Received: {argument}={shown(value)}.")
    if not 1 <= count <= MAX_STEPS:
        raise PlanError(
            f"Argument `{argument}` must be an integer >= 1 and at most 2**63 - 1. Received: {argument}={shown(value)}."
        )
    return count


def table(plan: Plan) -> str:
    """The phases of a plan as a table for a terminal; the middle rows are left out where there are many."""
    return "\n".join(aligned(table_lines(plan)))


def table_lines(plan: Plan) -> list[list[str]]:
    """The cells of that table: the header, a line for each phase, and the total."""
    rows = plan.phases
    per_epoch = plan.run.steps_per_epoch
    shown_rows: list[PlannedPhase | None] = list(rows[:_TABLE_LINES])
    if len(rows) > _TABLE_LINES:
        shown_rows = [*rows[: _TABLE_LINES - 4], None, *rows[-3:]]
    header = ["phase", "first step", "steps", *(["epochs"] if per_epoch else []), "from", "to"]
    lines = [header]
    for row in shown_rows:
        if row is None:
            lines.append([f"... {len(rows) - _TABLE_LINES + 1:,} more"] + [""] * (len(header) - 1))
            continue
        epochs = [_epochs(row.steps, per_epoch)] if per_epoch else []
        name = row.name if row.cycle is None else f"{row.name}  #{row.cycle + 1:,}"
        if row.clock.tick > 1 and row.name != "hold":
            name += f"  every {row.clock.tick:,}"
        steps = "for ever" if row.steps is None else f"{row.steps:,}"
        end = row.end_lr
        if row.steps is None and plan.total_steps is not None and plan.total_steps > row.first_step:
            end = plan(plan.total_steps)  # what stands at the end of the run
        lines.append([name, f"{row.first_step:,}", steps, *epochs, f"{row.first_lr:.6g}", f"{end:.6g}"])
    total = "for ever" if plan.total_steps is None else f"{plan.total_steps:,}"
    epochs = [_epochs(plan.total_steps, per_epoch)] if per_epoch else []
    return [*lines, ["total", "", total, *epochs, "", ""]]


def _epochs(steps: int | None, per_epoch: int) -> str:
    return "" if steps is None else f"{math.floor(steps / per_epoch * 100 + 0.5) / 100:g}"
