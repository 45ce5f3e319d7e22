"""What else than the plan a run may show and still pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kosine._logs.check.diagnosis import total_skipped

if TYPE_CHECKING:
    from kosine._logs.check.diagnosis import Diagnosis


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a user of `check` allows.

    Attributes:
        skips: True: the skipped steps that the log declares, and those that mixed precision may have skipped; a number:
            so many skipped steps at most, whatever skipped them.
        odd_rows: so many odd rows at most.
    """

    skips: int = False
    odd_rows: int = 0

    def allows(self, found: Diagnosis) -> bool:
        """Whether a run that left its plan in this way passes."""
        if found.kind == "lags":
            return self._allows_skips(found)
        if found.kind == "odd rows":
            return len(found.odd) <= self.odd_rows and (not found.skips or self._allows_skips(found))
        return False

    def _allows_skips(self, found: Diagnosis) -> bool:
        if self.skips is True:
            return found.cause in ("declared skips", "mixed precision")
        return 0 < total_skipped(found.skips) <= self.skips

    def told(self, found: Diagnosis) -> str:
        """A sentence that says what was allowed."""
        if found.kind == "lags":
            return "These steps are allowed, so the run follows."
        return f"{self.odd_rows:,} odd {'row is' if self.odd_rows == 1 else 'rows are'} allowed, so the run follows."
