"""The group of commands, by name; `--help` reads one line of each from here and imports none of them."""

from __future__ import annotations

import difflib
import importlib
import shlex
from collections.abc import Iterable
from typing import Any

import click
from click.shell_completion import CompletionItem

from kosine._version import __version__
from kosine.cli._errors import CommandError
from kosine.errors import KosineError

_COMMANDS = {
    "show": "The phases of a schedule as a table, its totals, and its curve in the terminal.",
    "plot": "A picture of a schedule: png, svg, pdf, or an interactive html page.",
    "compare": "Where two or more schedules differ, as a table and as a picture.",
    "rank": "Which of several schedules is the best by theory, without training.",
    "sample": "Schedules of a space, a schedule's text with ranges in the place of values.",
    "branch": "A schedule up to a step, and from there on a cooldown, a new warm-up, ...",
    "extend": "The schedule of a longer run, of which some steps are done.",
    "values": "The learning rates of a schedule as CSV.",
    "lint": "What is odd about a schedule in this run: the mistakes that people make.",
    "export": "A schedule as a program or as data that needs no kosine.",
    "check": "Whether the log of a run followed its schedule, and where it left it.",
    "infer": "The schedule that the log of a run shows, as a file.",
    "recipes": "The schedules of published training runs, with their sources.",
}


class _HelpFormatter(click.HelpFormatter):
    """Help whose lines end between words, so that the name of an option can be copied whole."""

    _HYPHEN = "\N{NON-BREAKING HYPHEN}"

    def write_text(self, text: str) -> None:
        super().write_text(text.replace("-", self._HYPHEN))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        super().write_dl([(name, text.replace("-", self._HYPHEN)) for name, text in rows], col_max, col_spacing)

    def getvalue(self) -> str:
        return super().getvalue().replace(self._HYPHEN, "-")


class _Context(click.Context):
    formatter_class = _HelpFormatter


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called: `name` is `kosine.cli._name.command`."""

    context_class = _Context

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command = importlib.import_module(f"kosine.cli._{cmd_name}").command
        assert isinstance(command, click.Command)
        command.context_class = _Context
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name in _COMMANDS or name.startswith("-") or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        raise click.UsageError(_no_command(name), ctx)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KosineError as error:  # only here is it known which of the arguments in the error are options
            command = self.get_command(ctx, str(ctx.invoked_subcommand))
            names = [name for parameter in command.params for name in parameter.opts] if command else []
            options = {name.removeprefix("--").replace("-", "_") for name in names if name.startswith("--")}
            raise CommandError(error, options) from error

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        commands = [CompletionItem(name, help=text) for name, text in _COMMANDS.items() if name.startswith(incomplete)]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


def _no_command(name: str) -> str:
    from kosine.published import PUBLISHED

    if "(" in name or name in PUBLISHED or name.endswith((".json", ".toml", ".yaml", ".yml")):
        return f"{name!r} is a schedule. Say what to do with it, as in `kosine show {shlex.quote(name)}`."
    near = difflib.get_close_matches(name.lower(), _COMMANDS, 1)
    return f"No such command {name!r}.{f' Did you mean {near[0]!r}?' if near else ''}"


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Examples:
  kosine show 'sgdr(peak=0.05, period="10ep", stretch=2)' \\
    --epochs 70 --steps-per-epoch 100
  kosine show gpt-3

SCHEDULE is text as in the first example, in single quotes; a .json, .toml or .yaml file; - for standard input; or
the name of a published recipe. `kosine show --help` says more.

After an error the exit status is 2, and standard error says what is wrong. With --json it is an object:
{"error": {"type": ..., "message": ..., ...}}

\b
To complete commands, options and recipes with the tab key, let your shell
run at its start:
  bash  eval "$(_KOSINE_COMPLETE=bash_source kosine)"
  zsh   eval "$(_KOSINE_COMPLETE=zsh_source kosine)"
  fish  _KOSINE_COMPLETE=fish_source kosine | source""",
)
@click.version_option(__version__, "-V", "--version", prog_name="kosine")
@click.pass_context
def kosine(context: click.Context) -> None:
    """See a learning-rate schedule before the run: its curve, its numbers and its mistakes."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
