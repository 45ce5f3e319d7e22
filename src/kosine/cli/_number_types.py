"""Numbers as people write them on a command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from kosine._core.arguments import count_meant
from kosine._core.numbers import whole_number

if TYPE_CHECKING:
    ParamType = click.ParamType[Any]
else:  # it takes the type of its values in newer releases of click only
    ParamType = click.ParamType


class Count(ParamType):
    """A whole number, also written 1_000_000, 1,000,000, 1e6, 1.5e6 or 1.5M."""

    name = "integer"

    def __init__(self, least: int | None = None) -> None:
        self.least = least

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        count = value if isinstance(value, int) else whole_number(str(value))
        if count is None:
            meant = count_meant(str(value))
            self.fail(f"{value!r} is not a whole number.{f' Did you mean {meant}?' if meant else ''}", param, ctx)
        if self.least is not None and count < self.least:
            self.fail(f"{value!r} must be at least {self.least}.", param, ctx)
        return count


class Steps(ParamType):
    """Steps as people list them: 0,7880,39_399 or '0 7880 39399'."""

    name = "steps"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[int]:
        if isinstance(value, list):
            return value
        words = value.replace(",", " ").split()
        if not words:
            self.fail("no step is given.", param, ctx)
        return [Count().convert(word, param, ctx) for word in words]


class Seconds(ParamType):
    """Seconds, such as 0.25 or the fraction 1/3."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | str:
        try:
            return float(value)
        except ValueError:
            return str(value)  # `plan` reads fractions, and refuses the rest


class Share(ParamType):
    """A share, such as 0.05, 1e-9 or 5%; how large it may be is up to the function that takes it."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        text = str(value)
        try:
            return float(text[:-1]) / 100 if text.endswith("%") else float(text)
        except ValueError:
            self.fail(f"{value!r} is not a share. Write 0.3 or 30%.", param, ctx)
