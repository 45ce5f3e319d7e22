"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any


@contextmanager
def whole_path(path: str | os.PathLike[str], *, ending: str = ".part") -> Iterator[Path]:
    """A path to write a file at, hidden and in the same folder; the file takes its name when the block ends.

    A link is followed, and a device or a pipe is written to, never replaced.

    Args:
        path: the file's name.
        ending: how the name of the file begins to be written ends, for writers that choose a format by it.

    Raises:
        OSError: the file cannot be written; a file that was there before is unchanged.
    """
    named = Path(path)
    whole = named.is_file() or not named.exists()
    target = Path(os.path.realpath(path)) if whole else named  # a pipe can be opened by the name of a link to it only
    part = target.with_name(f".{target.name[:200]}.{secrets.token_hex(4)}{ending}") if whole else target
    try:
        yield part
        if whole:
            part.replace(target)
    except BaseException as error:
        if whole:
            part.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno and error.filename in (None, str(part)):
            error.filename = str(path)  # the name that the user knows; the error of a full disk lacks it
        raise


@contextmanager
def whole_file(path: str | os.PathLike[str], *, binary: bool = False) -> Iterator[IO[Any]]:
    """Open a file to write, text in UTF-8; it takes its name when the block ends without an error.

    Raises:
        OSError: the file cannot be written; a file that was there before is unchanged.
    """
    arguments: dict[str, Any] = {"mode": "b"} if binary else {"mode": "", "newline": "", "encoding": "utf-8"}
    with whole_path(path) as part, _opened(part, **arguments) as file:
        yield file


def _opened(path: Path, mode: str, **arguments: Any) -> IO[Any]:
    """A new file; or what is there where it is a device or a pipe."""
    return path.open(("w" if path.exists() else "x") + mode, **arguments)
