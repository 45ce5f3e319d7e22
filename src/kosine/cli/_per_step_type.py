"""What a step takes, as people write it on a command line: a number, or a ramp."""

from __future__ import annotations

from typing import Any

import click

from kosine._core.ramps import batch_ramp
from kosine._core.schedule import Schedule
from kosine._core.text_form import parse
from kosine.cli._number_types import Count, ParamType


class PerStep(ParamType):
    """A whole number; START:TO:OVER:INCREMENT, as in `batch_ramp`; stages, COUNT:AMOUNT,COUNT:AMOUNT,...; sizes.

    Sizes are a schedule, such as 'Schedule(linear("4Btok", start=32_768, to=1_048_576), hold())'.
    """

    name = "integer or ramp"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | list[tuple[int, int]] | Schedule:
        if isinstance(value, str) and "(" in value:
            return parse(value)
        if not isinstance(value, str) or ":" not in value:
            return value if isinstance(value, list | Schedule) else Count().convert(value, param, ctx)
        stages = [[Count().convert(word, param, ctx) for word in stage.split(":")] for stage in value.split(",")]
        if len(stages) == 1 and len(stages[0]) == 4:
            start, to, over, increment = stages[0]
            return batch_ramp(start=start, to=to, over=over, increment=increment)
        if any(len(stage) != 2 for stage in stages):
            self.fail(f"{value!r} is neither START:TO:OVER:INCREMENT nor COUNT:AMOUNT,COUNT:AMOUNT,...", param, ctx)
        return [(count, amount) for count, amount in stages]


def written(per_step: int | list[tuple[int, int]]) -> str:
    """What a step takes, as the option has it."""
    if not isinstance(per_step, list):
        return str(per_step)
    (_, start), (_, second), *_ = per_step
    over, to = per_step[-1]
    if second > start and not (to - start) % (second - start) and over * (second - start) >= to - start:
        even = batch_ramp(start=start, to=to, over=over, increment=second - start)
        if even == per_step:
            return f"{start}:{to}:{over}:{second - start}"
    return ",".join(f"{count}:{amount}" for count, amount in per_step)
