"""Words that the findings share: counts, rates, shares and lists."""

from __future__ import annotations

from collections.abc import Sequence


def counted(amount: str, unit: str) -> str:
    """A number with its unit, which takes an s unless there is 1."""
    return f"{amount} {unit}" if amount == "1" else f"{amount} {unit}s"


def alternatives(texts: Sequence[str]) -> str:
    """a, b or c."""
    return " or ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)


def sentence(ways: Sequence[str]) -> str:
    """Several ways to fix a problem, as one sentence."""
    text = "; or ".join(ways)
    return f"{text[0].upper()}{text[1:]}."


def and_others(found: Sequence[object], what: str) -> str:
    """A sentence on all findings but the first, which the others are like; "" where it is the only one."""
    return f" The same goes for {counted(f'{len(found) - 1:,}', f'more {what}')}." if len(found) > 1 else ""


def rate(value: float) -> str:
    """A learning rate to six digits."""
    return f"{value:.6g}"


def share(part: int, whole: int) -> str:
    """A part of the run in percent, to three digits."""
    return f"{100 * part / whole:.3g} %" if part < whole else "100 %"
