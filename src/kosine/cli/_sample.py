"""`kosine sample`: schedules of a space, by their seeds."""

from __future__ import annotations

from typing import Any

import click

from kosine._core.plain_text import printable
from kosine.cli._number_types import Count
from kosine.cli._output import json_option, print_json
from kosine.errors import ScheduleError


@click.command(
    "sample",
    epilog="""\b
Examples:
  kosine sample 'wsd(peak=log(1e-4, 1e-2), cooldown=share("5%", "60%"))'
  kosine sample 'warmup_cosine(peak=log(1e-4, 1e-2))' --seed 3 --count 1

The line of one schedule is a SCHEDULE of the other commands: `| kosine show -`.""",
)
@click.argument("text", metavar="SPACE")
@click.option("--seed", type=Count(least=0), default=0, show_default=True, help="The seed of the first schedule.")
@click.option("--count", type=Count(least=1), default=5, show_default=True, help="How many seeds, from that one on.")
@json_option
def command(text: str, seed: int, count: int, as_json: bool) -> None:
    """Print schedules of a space, one a line, each with values drawn at random by a seed.

    SPACE is the text of a schedule, in single quotes, with log(a, b), uniform(a, b), integers(a, b), share("5%", "60%")
    or choice(...) in the place of values.
    """
    from kosine._tune.space import Space

    space = Space(text)
    samples: list[dict[str, Any]] = []
    for each in range(seed, seed + count):
        values = space.values(each)
        try:
            schedule, problem = repr(space(values)), None
        except ScheduleError as error:
            schedule, problem = None, str(error)
        samples.append({"seed": each, "values": values, "schedule": schedule, "problem": problem})
        if not as_json:
            click.echo(schedule or printable(f"# seed {each} makes no schedule: {problem}"))
    if as_json:
        parameters = {name: parameter.written() for name, parameter in space.parameters.items()}
        print_json({"space": space.text, "parameters": parameters, "samples": samples})
