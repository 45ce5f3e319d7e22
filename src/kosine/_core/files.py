"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any


@contextmanager
def whole_file(path: str | os.PathLike[str], *, binary: bool = False) -> Iterator[IO[Any]]:
    """Open a file to write, text in UTF-8; it takes its name when the block ends without an error.

    A link is followed, and a device or a pipe is written to, never replaced.

    Raises:
        OSError: the file cannot be written; a file that was there before is unchanged.
    """
    arguments: dict[str, Any] = {} if binary else {"newline": "", "encoding": "utf-8"}
    named = Path(path)
    whole = named.is_file() or not named.exists()
    target = Path(os.path.realpath(path)) if whole else named  # a pipe can be opened by the name of a link to it only
    part = target.with_name(f".{target.name[:200]}.{secrets.token_hex(4)}.part") if whole else target
    try:
        with part.open(("x" if whole else "w") + ("b" if binary else ""), **arguments) as file:
            yield file
        if whole:
            part.replace(target)
    except BaseException as error:
        if whole:
            part.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno and error.filename in (None, str(part)):
            error.filename = str(path)  # the name that the user knows; the error of a full disk lacks it
        raise
