"""What `kosine branch` and `kosine extend` share: options, and a plan made from a plan as text, JSON and files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kosine._core.curves.hold import hold
from kosine._core.durations import Duration
from kosine._core.files import whole_file
from kosine._core.json_form import dumps
from kosine._core.plain_text import printable
from kosine.cli._errors import CommandError
from kosine.cli._number_types import Count, ParamType
from kosine.cli._output import phase_data, print_json, say_written, written
from kosine.cli._pictures import picture_option, write_picture
from kosine.cli._run_options import RUN_NAMES, CommandFunction
from kosine.cli._schedule_files import toml_lines, yaml_lines
from kosine.errors import KosineError, PlanError

if TYPE_CHECKING:
    from kosine._analysis.compare import Comparison
    from kosine._analysis.lint.rule import Finding
    from kosine._core.schedule import Plan

_MOST_PHASES = 1000  # that --json lists
_LONGEST_TEXT = 2000  # characters of a text form that a terminal shows
_SCHEDULE_ENDINGS = (".toml", ".yaml", ".yml", ".json")
_WORDS = {
    "plan.until": "`kosine branch ... --at`",
    "plan.then": "`kosine branch ... --then`",
    "plan.rewarm": "`kosine branch ... --rewarm`",
    "plan.extend": "`kosine extend ... --how hold`",
}
"""What does the same here as a call that an error names."""


class Length(ParamType):
    """Steps as people write them, such as 6000 or 6k, or a duration with a unit, such as 30ep, 260Btok or 60%."""

    name = "length"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        if isinstance(value, int):
            return value
        try:
            return Count().convert(value, param, ctx)
        except click.BadParameter:
            text = str(value)
        Duration.read(text, (param.name if param else None) or self.name)  # it says what is wrong
        return text


class ScheduleFile(ParamType):
    """The name of a schedule file, whose ending gives the format."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        path = Path(value)
        if path.suffix.lower() not in _SCHEDULE_ENDINGS:
            picture = " A picture is --plot FILE." if path.suffix.lower() in (".png", ".svg", ".pdf", ".html") else ""
            endings = ", ".join(_SCHEDULE_ENDINGS)
            self.fail(f"{value!r} must end in one of {endings}: the ending gives the format.{picture}", param, ctx)
        return path


at_option = click.option(
    "--at", type=Length(), required=True, metavar="STEP",
    help='The first step that may differ, such as 6000 or 6k, or "30ep", "260Btok", or "60%" of SCHEDULE\'s run.',
)  # fmt: skip


def new_length_option(*, required: bool) -> Callable[[CommandFunction], CommandFunction]:
    """The option that says how long the new run is."""
    text = 'The length of the new run, done and to come: steps such as 20k, or "100ep", "300Btok".'
    return click.option("--new-total-steps", type=Length(), required=required, metavar="N", help=text)


def file_options(function: CommandFunction) -> CommandFunction:
    """Add -o for the schedule and --plot for the picture, which a command takes as `output` and `picture`."""
    function = picture_option("--plot", target="picture")(function)
    text = "Also write the new schedule and its run into a file, which other commands read: .toml, .yaml or .json."
    return click.option("-o", "--output", type=ScheduleFile(), metavar="FILE", help=text)(function)


@contextmanager
def errors_named(names: Mapping[str, str]) -> Iterator[None]:
    """Write errors of a plan made from a plan with the options that carry its arguments.

    Args:
        names: the option of each argument that has another name here.
    """
    try:
        yield
    except KosineError as error:
        options = {*RUN_NAMES, "at", "to", "shape", "peak", "how", "over"}
        raise CommandError(error, options, words={**_WORDS, **names}) from error


def steps_at(plan: Plan, at: int | str) -> int:
    """The step that --at means in the run of SCHEDULE."""
    with errors_named({}):
        cut = plan.until(at).total_steps
    assert cut is not None
    return cut


def new_length(length: int | str | None, plan: Plan) -> int | None:
    """The steps of the new run."""
    if length is None or isinstance(length, int):
        return length
    duration = Duration.read(length, "new_total_steps")
    if duration.amount is None or duration.unit == "%":
        rule = 'a number of steps, or a duration such as "100ep" or "300Btok"'
        raise PlanError(argument="new_total_steps", rule=rule, received=length)
    endless = plan.replanned((hold(start=1.0),), replace(plan.run, total_steps=None))
    with errors_named({"at": "--new-total-steps"}):
        return endless.until(length).total_steps


def print_new_plan(
    name: str, before: Plan, after: Plan, at: int, *, output: Path | None, picture: Path | None, as_json: bool
) -> None:
    """Print the new plan, its text form, and both plans in one picture; write the files that are asked for."""
    from kosine._analysis.compare import compare

    comparison = compare(before, after, names=["before", "after"])
    if picture is not None:
        write_picture(comparison, picture, f"{name}, and from step {at:,} on another")
    if output is not None:
        _write_schedule(after, output, f"{name}, from step {at:,} on another")
    found = _new_findings(before, after)
    if as_json:
        print_json(_data(before, after, at, found) | _files(output, picture))
    else:
        click.echo(_text(comparison, after, at, found))
        for file in (output, picture):
            if file is not None:
                say_written(file, as_json)


def _text(comparison: Comparison, after: Plan, at: int, found: list[Finding]) -> str:
    from kosine._display.terminal import Screen, draw

    known: Mapping[str, Any] = after.run.known()
    words = (f"--{name.replace('_', '-')} {value}" for name, value in known.items() if not isinstance(value, list))
    schedule = repr(after.schedule)
    if len(schedule) > _LONGEST_TEXT:
        schedule = f"has {len(schedule):,} characters: -o FILE writes it"
    facts = [f"schedule  {schedule}", f"run       {' '.join(words)}"]
    kept = f"Every step before {at:,} keeps its rate."
    notes = [f"{finding.code} {finding.severity}: {finding.message} {finding.fix}" for finding in found]
    return "\n\n".join([str(after), "\n".join(facts), kept, *notes, draw(comparison, Screen.of_stdout())])


def _new_findings(before: Plan, after: Plan) -> list[Finding]:
    """What lint finds in the new plan, and not in the old one; infos left out."""
    from kosine._analysis.lint.lint import lint

    known = {finding.code for finding in lint(before)}
    return [finding for finding in lint(after) if finding.severity != "info" and finding.code not in known]


def _write_schedule(plan: Plan, output: Path, origin: str) -> None:
    text, run = repr(plan.schedule), plan.run.known()
    with whole_file(output) as file:
        if output.suffix.lower() == ".json":
            file.write(dumps(plan) + "\n")
            return
        lines = toml_lines if output.suffix.lower() == ".toml" else yaml_lines
        file.write("\n".join([f"# {printable(origin)}", *lines(text, run)]) + "\n")


def _files(output: Path | None, picture: Path | None) -> dict[str, Any]:
    files = {} if output is None else written(output)
    return files if picture is None else files | {"plot": written(picture)}


def _data(before: Plan, after: Plan, at: int, found: list[Finding]) -> dict[str, Any]:
    return {
        "schedule": repr(after.schedule),
        "run": after.run.known(),
        "total_steps": after.total_steps,
        "at": at,
        "learning_rate_at": after(at),
        "before": {"schedule": repr(before.schedule), "run": before.run.known(), "total_steps": before.total_steps},
        "phases_total": len(after.phases),
        "phases": [phase_data(after, row) for row in islice(after.phases, _MOST_PHASES)],
        "findings": [
            {"code": each.code, "severity": each.severity, "message": each.message, "fix": each.fix} for each in found
        ],
    }
