"""The command line `kosine`. Each command has its own file, which is imported when the command is called."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from kosine.cli._errors import CommandError, complain, fields_of
from kosine.errors import missing_package


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    It is 0; 1 where a command found what it looks for (differences, findings); 2 after an error on standard error that
    says what is wrong.

    Args:
        arguments: the words after `kosine`; `sys.argv` if None.
    """
    try:
        return _run(sys.argv[1:] if arguments is None else list(arguments))
    except KeyboardInterrupt:  # which may come while the command is imported
        return 130


def _run(words: list[str]) -> int:
    as_json = "--json" in words  # also where the rest cannot be read
    try:
        import click
    except ImportError:
        error = missing_package("The command line", "click", "cli")
        return complain(str(error), as_json, type(error).__name__)

    if sys.stdout is None:
        return complain("Standard output is closed.", as_json, "OSError")

    from kosine.cli._commands import kosine

    try:
        try:
            status = kosine.main(words, prog_name="kosine", standalone_mode=False)
            sys.stdout.flush()
        except click.UsageError as error:
            command = error.ctx.command_path if error.ctx else "kosine"
            return complain(f"{error.format_message()} See: {command} --help", as_json, "UsageError")
        except click.ClickException as error:
            return complain(error.format_message(), as_json, "UsageError")
        except CommandError as error:
            return complain(error.text, as_json, type(error.error).__name__, **fields_of(error.error))
        except BrokenPipeError:
            raise
        except OSError as error:
            if error.filename is None:
                _drop_output()
            where = f"{error.filename}: " if error.filename is not None else ""
            return complain(f"{where}{error.strerror or error}", as_json, "OSError")
        except click.Abort:
            return 130
    except SystemExit as done:
        if "_KOSINE_COMPLETE" in os.environ:  # a shell asked for words to complete, and click has printed them
            return int(done.code or 0)
        return _broken_pipe()  # click's signal for that
    except BrokenPipeError:
        return _broken_pipe()
    return status if isinstance(status, int) else 0


def _broken_pipe() -> int:
    """The reader of the output, such as `head`, has closed it: end without an error, with the usual exit status."""
    _drop_output()
    return 141


def _drop_output() -> None:
    """Send what is still buffered nowhere: at exit Python would try again to write it, and fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
