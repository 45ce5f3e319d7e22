"""How much a search may do. It is counted, not timed, so that a log has the same answer on every machine."""

from __future__ import annotations


class OutOfWorkError(Exception):
    """The search has done as much as it may. It is caught where an idea was taken up, and never leaves `infer`."""


class Work:
    """The work that a search may still do, in about microseconds; a part also counts for the whole."""

    __slots__ = ("left", "whole")

    def __init__(self, most: float, whole: Work | None = None) -> None:
        self.left, self.whole = most, whole

    def spend(self, amount: float) -> None:
        """Count work that is done.

        Raises:
            OutOfWorkError: it was more than was left.
        """
        self.left -= amount
        if self.whole is not None:
            self.whole.spend(amount)
        if self.left < 0:
            raise OutOfWorkError
