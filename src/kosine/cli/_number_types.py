"""Numbers as people write them on a command line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    ParamType = click.ParamType[Any]
else:  # it takes the type of its values in newer releases of click only
    ParamType = click.ParamType

_WHOLE = re.compile(
    r"(?P<sign>[+-]?)(?P<digits>\d{1,40}(?:_\d{1,40}){0,12}|\d{1,3}(?:,\d{3}){1,12})(?:\.(?P<decimals>\d{0,40}))?"
    r"(?:[eE]\+?(?P<exponent>\d{1,2})|(?P<magnitude>[kMGBT]))?",
    re.ASCII,
)
_MAGNITUDES = {"k": 3, "M": 6, "G": 9, "B": 9, "T": 12}
"""The powers of ten of the letters that durations in tokens have, too."""


class Count(ParamType):
    """A whole number, also written 1_000_000, 1,000,000, 1e6, 1.5e6 or 1.5M."""

    name = "integer"

    def __init__(self, least: int | None = None) -> None:
        self.least = least

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        count = value if isinstance(value, int) else _whole(str(value))
        if count is None:
            self.fail(f"{value!r} is not a whole number.", param, ctx)
        if self.least is not None and count < self.least:
            self.fail(f"{value!r} must be at least {self.least}.", param, ctx)
        return count


def _whole(text: str) -> int | None:
    """The whole number in a text; None for any other text.

    It is worked out in digits: a float would round what is longer than 2**53.
    """
    match = _WHOLE.fullmatch(text.strip())
    if match is None:
        return None
    decimals = (match["decimals"] or "").rstrip("0")
    power = _MAGNITUDES.get(match["magnitude"], 0) + int(match["exponent"] or 0)
    if len(decimals) > power:
        return None
    return int(match["sign"] + re.sub("[,_]", "", match["digits"]) + decimals + "0" * (power - len(decimals)))


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
