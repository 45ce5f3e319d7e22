"""The schedules of published training runs, by name, each with its source."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field

from kosine.errors import ScheduleError, shown
from kosine.recipes import sgdr
from kosine.schedule import Schedule


@dataclass(frozen=True)
class Published:
    """A published schedule, with the run that it was published for.

    Attributes:
        title: what was trained, and by whom.
        schedule: the schedule.
        run: the arguments of `Schedule.plan`.
        source: where the numbers stand.
        secondary: whether the source is not the authors' own.
        note: what the source leaves open, and what was taken for it.
    """

    title: str
    schedule: Schedule
    run: Mapping[str, int] = field(default_factory=dict)
    source: str = ""
    secondary: bool = False
    note: str = ""


PUBLISHED: dict[str, Published] = {
    "sgdr-10-2": Published(
        "SGDR with T_0=10, T_mult=2: wide residual networks on CIFAR",
        sgdr(peak=0.05, period="10ep", stretch=2),
        {"epochs": 200, "steps_per_epoch": 391},
        "Loshchilov and Hutter, arXiv 1608.03983",
    ),
}


def published(name: str) -> Published:
    """The published recipe of a name, in any case.

    Raises:
        ScheduleError: there is none.
    """
    recipe = PUBLISHED.get(name.lower())
    if recipe is None:
        near = difflib.get_close_matches(name.lower(), PUBLISHED, n=1)
        raise ScheduleError(
            f"No recipe has this name. Received: {shown(name)}."
            f"{f' Did you mean {near[0]!r}?' if near else ''} `kosine recipes` lists them."
        )
    return recipe
