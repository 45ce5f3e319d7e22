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
        OSError: the file cannot be written; what stood there before still stands there.
    """
    arguments: dict[str, Any] = {} if binary else {"newline": "", "encoding": "utf-8"}
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        with target.open("wb" if binary else "w", **arguments) as file:
            yield file
        return
    part = target.with_name(f".{target.name[:200]}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb" if binary else "x", **arguments) as file:
            yield file
        part.replace(target)
    except BaseException as error:
        part.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename == str(part):
            error.filename = str(path)  # the name that the user knows
        raise
