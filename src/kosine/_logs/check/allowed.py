"""What else than the plan a run may show and still pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kosine._logs.check.diagnosis import Diagnosis


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a user of `check` allows.

    Attributes:
        skips: the skipped steps that the log itself declares.
        odd_rows: so many odd rows at most.
    """

    skips: bool = False
    odd_rows: int = 0

    def allows(self, found: Diagnosis) -> bool:
        """Whether a run that left its plan in this way passes."""
        if found.kind == "lags":
            return self.skips and found.cause == "declared skips"
        if found.kind == "odd rows":
            return len(found.odd) <= self.odd_rows and (self.skips or not found.skips)
        return False

    def told(self, found: Diagnosis) -> str:
        """A sentence that says what was allowed."""
        if found.kind == "lags":
            return "These steps are allowed, so the run follows."
        return f"{self.odd_rows:,} odd {'row is' if self.odd_rows == 1 else 'rows are'} allowed, so the run follows."
