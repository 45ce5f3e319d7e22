"""Errors as the command line prints them: its options by their names, wrapped for people, or JSON for programs.

This file needs no click: it also prints that click is missing.
"""

from __future__ import annotations

import json
import os
import sys
import textwrap
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from kosine._core.plain_text import printable
from kosine.errors import KosineError, Name, Text, shown

_WIDEST = 100  # columns: longer lines are hard to read on the widest terminal, too


NO_WORDS: Mapping[str, str] = MappingProxyType({})


class CommandError(Exception):
    """An error of kosine, written where it is known what the arguments that it names are called here.

    Args:
        error: the error.
        options: arguments that are options of the command, such as `total_steps`: they are written --total-steps.
        keys: arguments that the [run] of the schedule's own file gives; these go before the options.
        file: the name of that file. It is blamed where the error names one of the keys.
        words: what else is called by another name here: an argument by its option, a call such as "plan.until" by what
            does the same.
    """

    def __init__(
        self,
        error: KosineError,
        options: Collection[str] = (),
        keys: Collection[str] = (),
        file: str = "",
        words: Mapping[str, str] = NO_WORDS,
    ) -> None:
        problem = error.problem
        if (
            isinstance(problem, tuple)
            and problem[0] in ("Argument ", "Arguments ")
            and problem[1] in {*options, *keys, *words}
        ):
            # An option is recognised by its form.
            error = error.changed(problem=problem[1:])
        blamed = set()

        def argument(name: str) -> str:
            if name in keys:
                blamed.add(name)
                return f"{name} in [run]"
            return words.get(name) or (option(name) if name in options else f"`{name}`")

        def value_of(name: str) -> str:
            if name in keys:
                blamed.add(name)
                return f"{name} = "
            return f"{words.get(name) or (option(name) if name in options else name)}="

        text = error.written(argument, value_of)
        self.error = error
        self.text = f"{file}: {text}" if blamed else text
        super().__init__(self.text)


def option(name: str) -> str:
    """The option that carries an argument of Python."""
    return "--" + name.replace("_", "-")


def complain(text: str, as_json: bool, kind: str, **fields: Any) -> int:
    """Print an error to standard error; the exit status after it.

    A terminal gets it wrapped to its width. Other programs get it on one line, so that `grep` finds what it says, and
    with --json as an object. It goes to standard error then, too: what follows in a pipe expects data of another form.
    """
    text = printable(text)
    if sys.stderr is None:  # closed; without it `print` takes standard output
        return 2
    if as_json:
        print(json.dumps({"error": {"type": kind, "message": text} | fields}, indent=2), file=sys.stderr)
    elif sys.stderr.isatty():
        # A word is never cut and a hyphen never ends a line: names, options and paths can be copied whole.
        lines = textwrap.wrap(
            f"kosine: {text}", _columns(), subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
        )
        print("\n".join(lines), file=sys.stderr)
    else:
        print(f"kosine: {text}", file=sys.stderr)
    return 2


def fields_of(error: KosineError) -> dict[str, Any]:
    """The fields of an error for other programs; names of arguments are those of Python."""
    received: object = None
    if error.has_received:
        if isinstance(error.received, Mapping):
            received = {name: shown(value) for name, value in error.received.items()}
        else:
            received = shown(error.received)
    return {
        "argument": error.argument,
        "rule": _plain(error.rule),
        "received": received,
        "fix": _plain(error.fix),
        "where": error.where,
    }


def _plain(text: Text) -> str:
    parts = (text,) if isinstance(text, str) else text
    return printable("".join(f"`{part}`" if isinstance(part, Name) else part for part in parts))


def _columns() -> int:
    try:
        return min(max(os.get_terminal_size(sys.stderr.fileno()).columns, 20), _WIDEST)
    except (OSError, ValueError):  # a terminal without a known width, or a stream without a file
        return 80
