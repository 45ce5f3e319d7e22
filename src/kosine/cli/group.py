"""The group of commands, by name; `--help` reads one line of each from here and imports none of them."""

from __future__ import annotations

import importlib

import click

import kosine as package

_COMMANDS = {
    "show": "The phases of a schedule as a table, and its curve in the terminal.",
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called: `name` is `kosine.cli.name.command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command = importlib.import_module(f"kosine.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example:  kosine show 'sgdr(peak=0.05, period=\"10ep\", stretch=2)' --epochs 70 --steps-per-epoch 100",
)
@click.version_option(package.__version__, prog_name="kosine")
@click.pass_context
def kosine(context: click.Context) -> None:
    """See a learning-rate schedule before the run."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
