"""`kosine compare`: where schedules differ, as a table and as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kosine.cli._number_types import Share
from kosine.cli._output import json_option, print_result
from kosine.cli._pictures import picture_option, write_picture
from kosine.cli._planning import planned
from kosine.cli._run_options import run_size_options
from kosine.cli._schedule_argument import ScheduleCommand, ScheduleType
from kosine.cli._schedule_files import NamedSchedule

if TYPE_CHECKING:
    from kosine._analysis.compare import Comparison


@click.command(
    "compare",
    cls=ScheduleCommand,
    epilog="""\b
Examples:
  kosine compare 'sgdr(peak=0.05, period=1000)' 'warmup_cosine(peak=0.05)' \\
    --total-steps 5000
  kosine compare before.toml after.toml --tolerance 0 -o difference.png

Exit status: 0 where the schedules are equal, 1 where they differ beyond the tolerance, 2 after an error.""",
)
@click.argument("schedules", type=ScheduleType(), nargs=-1, required=True, metavar="SCHEDULE SCHEDULE...")
@run_size_options
@click.option(
    "--tolerance", type=Share(), default=1e-9, show_default=True, metavar="T",
    help="How far two rates may be apart, as a share of the highest rate of all, such as 0.05 or 5%.",
)  # fmt: skip
@picture_option()
@json_option
def command(
    schedules: tuple[NamedSchedule, ...],
    tolerance: float,
    output: Path | None,
    as_json: bool,
    **size: Any,
) -> int:
    """Compare schedules, each with the first: from which step on they differ, where most, and their areas.

    The options say how long the run is for all of them; where they do not, a file's or a recipe's own run holds.
    """
    from kosine._analysis.compare import compare

    if len(schedules) < 2:
        raise click.UsageError("Give two schedules or more.")
    plans = [planned(schedule, size) for schedule in schedules]
    comparison = compare(*plans, names=[schedule.name for schedule in schedules], tolerance=tolerance)
    if output is not None:
        write_picture(comparison, output, " / ".join(comparison.names))
    print_result(comparison, _data(comparison), output, as_json)
    return 0 if comparison.equal else 1


def _data(comparison: Comparison) -> dict[str, Any]:
    per_epoch = comparison.steps_per_epoch
    whole = comparison.summaries[0].area

    def epoch(step: int | None) -> float | None:
        return None if step is None or per_epoch is None else step / per_epoch

    return {
        "equal": comparison.equal,
        "exhaustive": comparison.exhaustive,
        "tolerance": comparison.tolerance,
        "peak": comparison.peak,
        "total_steps": comparison.total_steps,
        "steps_per_epoch": per_epoch,
        "plans": [
            {
                "name": name,
                "total_steps": summary.total_steps,
                "peak": summary.peak,
                "area": summary.area,
                "share_of_first_area": summary.area / whole if whole else None,
            }
            for name, summary in zip(comparison.names, comparison.summaries, strict=True)
        ],
        "differences": [
            {
                "name": difference.name,
                "first_step": difference.first_step,
                "first_epoch": epoch(difference.first_step),
                "largest": {
                    "step": difference.step,
                    "epoch": epoch(difference.step),
                    "learning_rate_of_first": difference.rates[0],
                    "learning_rate": difference.rates[1],
                    "difference": difference.largest,
                    "share_of_peak": difference.largest / comparison.peak if comparison.peak else None,
                },
                "steps_looked_at": difference.looked_at,
            }
            for difference in comparison.differences
        ],
    }
