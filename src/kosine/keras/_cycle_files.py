"""The files of the models at cycle ends: their names, which of them are there, and how they are written and listed."""

from __future__ import annotations

import glob
import html
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Formatter
from typing import Any

from kosine._core.files import whole_path
from kosine._core.plain_text import aligned
from kosine.errors import ArgumentError, ArgumentTypeError, Described, TrainingError
from kosine.keras._averaging import AVERAGE

MODEL, WEIGHTS = ".keras", ".weights.h5"
"""The endings of the files that Keras writes."""


@dataclass(frozen=True)
class CycleEnd:
    """The end of a cycle, in a row of `CycleEnds.cycles`.

    Attributes:
        cycle: the number of the cycle, from 1.
        step: the last step of the cycle, from 0, as in `plan.cycle_ends`.
        epoch: the epoch of that step, from 1.
        metrics: what `evaluate` found, by names such as "val_loss"; empty without it, and for cycles that ended before
            this process resumed the run.
        file: the model at that step; None where it was removed, as `keep` asks for.
    """

    cycle: int
    step: int
    epoch: int
    metrics: Mapping[str, float] = field(default_factory=dict)
    file: Path | None = None


class CycleTable(tuple[CycleEnd, ...]):
    """The rows of `CycleEnds.cycles`; `print` shows them as a table."""

    __slots__ = ()

    def __str__(self) -> str:
        if not self:
            return "no cycle has ended"
        names = list(dict.fromkeys(name for row in self for name in row.metrics))
        lines = [["cycle", "step", "epoch", *names, "  file"]]
        for row in self:
            metrics = [f"{row.metrics[name]:.6g}" if name in row.metrics else "-" for name in names]
            file = "  -" if row.file is None else f"  {row.file}"
            lines.append([str(row.cycle), f"{row.step:,}", str(row.epoch), *metrics, file])
        return "\n".join(aligned(lines, left=(len(names) + 3,)))

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


class CycleFiles:
    """The names that a template gives to the models at cycle ends."""

    def __init__(self, template: str | os.PathLike[str], weights_only: bool, with_metrics: bool) -> None:
        if not isinstance(template, str | os.PathLike):
            raise ArgumentTypeError(
                argument="filepath", rule='a name such as "run/cycle-{cycle:02d}.keras"', received=template
            )
        self.folder, self._template = Path(template).parent, Path(template).name
        self._weights_only = weights_only
        self._ending = WEIGHTS if weights_only else MODEL
        if not self._template.endswith(self._ending):
            rule = f'a name that ends in "{self._ending}", as Keras asks for'
            raise ArgumentError(argument="filepath", rule=rule, received=template)
        known = self._check_fields(with_metrics)
        self._metrics = known - {"cycle", "step", "epoch"}

    def _check_fields(self, with_metrics: bool) -> set[str]:
        try:
            found = {name for _, name, _, _ in Formatter().parse(self._template) if name is not None}
            self._template.format(**dict.fromkeys(found, 1))
        except (ValueError, LookupError, AttributeError, TypeError) as error:
            rule = 'a name whose fields Python can format, such as "run/cycle-{cycle:02d}.keras"'
            raise ArgumentError(argument="filepath", rule=rule, received=self._template, fix=f"{error}.") from error
        if not found & {"cycle", "step"}:
            raise ArgumentError(
                argument="filepath",
                rule='a name with "{cycle}" or "{step}", so that each cycle has a file of its own',
                received=self._template,
            )
        unknown = {name for name in found if not name.startswith("val_")} - {"cycle", "step", "epoch"}
        if unknown or (not with_metrics and any(name.startswith("val_") for name in found)):
            raise ArgumentError(
                argument="filepath",
                rule='a name with the fields "cycle", "step" and "epoch", and with metrics such as "val_loss" where '
                "`evaluate` is given",
                received=self._template,
            )
        return found

    @property
    def average(self) -> Path:
        """The file of the averaged weights."""
        return self.folder / f"{AVERAGE}{self._ending}"

    def check_metrics(self, names: Mapping[str, float]) -> None:
        """Raise where the template names a metric that `evaluate` does not give."""
        missing = self._metrics - set(names)
        if missing:
            raise TrainingError(
                "The name of the files has a metric that `evaluate` does not give.",
                received=Described(f"{', '.join(sorted(missing))}; `evaluate` gives {', '.join(names)}"),
            )

    def name(self, row: CycleEnd) -> Path:
        return self.folder / self._template.format(cycle=row.cycle, step=row.step, epoch=row.epoch, **row.metrics)

    def found(self, row: CycleEnd) -> Path | None:
        """The file of a cycle that ended in an earlier process; the newest, where metrics in names make them many."""
        files = list(self._matching(row))
        return max(files, key=lambda file: file.stat().st_mtime) if files else None

    def remove_others(self, row: CycleEnd) -> None:
        """Remove files of the same cycle with other metrics in their names: a run that went on trained it again."""
        for file in self._matching(row):
            if file != row.file and self._metrics:
                file.unlink()

    def others(self, rows: list[CycleEnd]) -> list[Path]:
        """The files with such names that belong to none of these cycles."""
        own = {file for row in rows for file in self._matching(row)}
        return sorted(file for file in self._matching(None) if file not in own)

    def _matching(self, row: CycleEnd | None) -> Iterator[Path]:
        """The files of a cycle, or of any."""
        pattern = ""
        for text, name, form, _ in Formatter().parse(self._template):
            known = row is not None and name in ("cycle", "step", "epoch")
            value = "" if name is None else glob.escape(format(getattr(row, name), form or "")) if known else "*"
            pattern += glob.escape(text) + value
        return (file for file in self.folder.glob(pattern) if not file.name.startswith((".", f"{AVERAGE}.")))

    def save(self, model: Any, file: Path) -> None:
        """Write a model; the file appears whole or not at all."""
        with whole_path(file, ending=f".part{self._ending}") as part:
            if self._weights_only:
                model.save_weights(part)
            else:
                model.save(part)
