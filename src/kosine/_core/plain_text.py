"""Text for terminals: cells in columns, and texts of others cut to a line."""

from __future__ import annotations

from collections.abc import Sequence


def aligned(rows: Sequence[Sequence[str]], left: Sequence[int] = (0,)) -> list[str]:
    """Rows of cells as lines; the cells of the columns `left` begin at the left, the others end at the right.

    Example:
        >>> aligned([["phase", "steps"], ["hold", "1,000"]])
        ['phase  steps', 'hold   1,000']
    """
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def printable(text: str) -> str:
    """A text on one line, without characters that would steer a terminal.

    Example:
        >>> printable("two\\nlines")
        'two lines'
    """
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def shortened(text: str, most: int) -> str:
    """A text on one line of at most `most` characters, each of which can be printed; dots say where it is cut.

    Example:
        >>> shortened("linear(10, start=0.0, to=0.1)", 12)
        'linear(10...'
    """
    line = printable(text)
    return line if len(line) <= most else line[: most - 3] + "..."
