"""`kosine rank`: which of several schedules is the best by the bound on the last iterate, without training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kosine.cli._output import json_option, print_result
from kosine.cli._pictures import picture_option, write_picture
from kosine.cli._planning import planned
from kosine.cli._run_options import run_size_options
from kosine.cli._schedule_argument import ScheduleCommand, ScheduleType
from kosine.cli._schedule_files import NamedSchedule

if TYPE_CHECKING:
    from kosine._analysis.rank import Ranking


@click.command(
    "rank",
    cls=ScheduleCommand,
    epilog="""\b
Examples:
  kosine rank 'warmup_cosine(peak=2e-3, warmup=300)' \\
    'wsd(peak=1e-3, warmup=300)' --total-steps 50000 --best-peak A=2e-3
  kosine rank before.toml after.toml -o ranking.png""",
)
@click.argument("schedules", type=ScheduleType(), nargs=-1, required=True, metavar="SCHEDULE SCHEDULE...")
@run_size_options
@click.option(
    "--best-peak", "best_peaks", multiple=True, metavar="A=RATE",
    help="The best peak of a schedule, A for the first; those of the others follow from it.",
)  # fmt: skip
@picture_option()
@json_option
def command(
    schedules: tuple[NamedSchedule, ...],
    best_peaks: tuple[str, ...],
    output: Path | None,
    as_json: bool,
    **size: Any,
) -> None:
    """Rank schedules of one length by what theory says of the loss at the end of the run, without training.

    The schedules are called A, B, C, ... in the order in which they are given.
    """
    from kosine._analysis.rank import rank

    if len(schedules) < 2:
        raise click.UsageError("Give two schedules or more.")
    plans = [planned(schedule, size) for schedule in schedules]
    known = dict(_best_peak(text) for text in best_peaks)
    ranking = rank(*plans, best_peak=known or None, names=[schedule.name for schedule in schedules])
    if output is not None:
        write_picture(ranking, output, "Ranking")
    print_result(ranking, _data(ranking), output, as_json)


def _best_peak(text: str) -> tuple[str, float]:
    """A letter or a name, and a rate; a name may have the sign =, too."""
    name, equals, rate = text.rpartition("=")
    try:
        return name, float(rate if equals else "")
    except ValueError:
        raise click.UsageError(f"Option --best-peak takes A=RATE, such as A=2e-3. Received: {text!r}.") from None


def _data(ranking: Ranking) -> dict[str, Any]:
    return {
        "total_steps": ranking.total_steps,
        "known_best_peaks": ranking.known,
        "plans": [
            {
                "mark": row.mark,
                "name": row.name,
                "bound": row.bound,
                "above_lowest": ranking.above_best(row),
                "peak": row.peak,
                "best_peak": row.best_peak,
                "untested": row.untested or None,
            }
            for row in ranking.rows
        ],
    }
