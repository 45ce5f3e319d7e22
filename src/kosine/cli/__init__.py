"""The command line `kosine`. Each command stands in a file of its own and is only imported when it is called."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    It is 0; 1 where a command found what it was asked to look for (differences, findings); or 2 after one line on
    standard error that says what is wrong.

    Args:
        arguments: what stands after `kosine`; `sys.argv` if None.
    """
    try:
        import click
    except ImportError:
        return _complain("The command line needs click: pip install 'kosine[cli]'")

    if sys.stdout is None:
        return _complain("Standard output is closed.")

    from kosine.cli._commands import kosine
    from kosine.errors import KosineError

    try:
        try:
            status = kosine.main(arguments, prog_name="kosine", standalone_mode=False)
            sys.stdout.flush()
        except click.UsageError as error:
            command = error.ctx.command_path if error.ctx else "kosine"
            many = "unexpected extra argument" in error.format_message() and not command.endswith(
                ("recipes", "check", "infer")
            )
            hint = " `kosine compare` takes more than one schedule." if many else ""
            return _complain(f"{error.format_message()}{hint} See: {command} --help")
        except click.ClickException as error:
            return _complain(error.format_message())
        except KosineError as error:
            return _complain(_as_options(str(error)))
        except BrokenPipeError:
            raise
        except OSError as error:
            if error.filename is None:
                _drop_output()
            where = f"{error.filename}: " if error.filename is not None else ""
            return _complain(f"{where}{error.strerror or error}")
        except (click.Abort, KeyboardInterrupt):
            return 130
    except SystemExit as done:
        if "_KOSINE_COMPLETE" in os.environ:  # a shell asked for words to complete, and click has printed them
            return int(done.code or 0)
        return _seen_enough()  # click's way to say that the pipe is broken
    except BrokenPipeError:
        return _seen_enough()
    return status if isinstance(status, int) else 0


def _seen_enough() -> int:
    """Whoever read the output has closed it: no error, and the exit status that other programs have then."""
    _drop_output()
    return 141


def _drop_output() -> None:
    """Send what is still buffered nowhere: at exit Python would try again to write it, and fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _complain(message: str) -> int:
    from kosine._core.plain_text import printable

    print("kosine: " + printable(message), file=sys.stderr)
    return 2


def _as_options(message: str) -> str:
    """The arguments of `plan` in an error message as the options that carry them here."""
    from kosine.cli._run_options import RUN_NAMES

    message = message.replace("Call `plan` with", "Give").replace("or with `epochs`", "or `epochs`")
    others = ("points", "tolerance", "longest_warmup", "group", "step_column", "rate_column")
    names = rf"({'|'.join((*RUN_NAMES, *others))})"
    message = re.sub(rf"(?:Argument )?`{names}`", lambda match: _option(match[1]), message)
    return re.sub(rf"\b{names}=", lambda match: _option(match[1]) + "=", message)


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")
