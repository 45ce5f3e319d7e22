"""The target `huggingface`: the training arguments that make transformers' own scheduler follow a plan.

Each of the schedules of `transformers.get_scheduler` (5.23) that depend on the step alone is here as its
definition. Candidates are read off the plan's phases and compared with it at the steps of the run: what is written is
what agrees, to 1e-12 of the peak.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from kosine._core.code import integer, real
from kosine._core.curve import Curve
from kosine._core.curves.cosine import Cosine
from kosine._core.curves.inverse import InverseSqrt
from kosine._core.curves.linear import Linear
from kosine._core.curves.one_minus_sqrt import OneMinusSqrt
from kosine._core.curves.polynomial import Polynomial
from kosine._export.outline import ConstantPiece, CurvePiece, CyclesPiece, Outline, TablePiece
from kosine._export.printing import call, indented, program
from kosine.errors import Name, PlanError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from kosine._core.schedule import Plan

    Rates = NDArray[np.float64]

Arguments = dict[str, float | int | str]

FORMS = ("python", "json", "yaml", "args")
"""How training arguments can be written."""

_TOLERANCE = 1e-12  # of the peak
_CHUNK = 2**18
_FEW = 2**10
_MOST_CHECKED = 2**23  # of a longer run, the steps around its boundaries and evenly spread ones are compared
_WITHOUT_LENGTH = 10**6  # steps that are compared where the run has no length


@dataclass(frozen=True, slots=True)
class Candidate:
    """The arguments of one scheduler."""

    kind: str
    peak: float
    warmup: int
    total: int | None
    arguments: Arguments = field(default_factory=dict)

    def rates(self, steps: NDArray[np.int64]) -> Rates:
        """The learning rate at the steps, as transformers defines it."""
        import numpy as np

        given: dict[str, Any] = self.arguments
        total = self.total or 0
        progress = (steps - self.warmup) / max(1, total - self.warmup)
        warming = steps / max(1, self.warmup)
        match self.kind:
            case "constant" | "constant_with_warmup":
                factor = np.ones(steps.shape)
            case "linear":
                factor = np.maximum(0.0, (total - steps) / max(1, total - self.warmup))
            case "cosine" | "cosine_with_min_lr":
                wave = _wave(given.get("num_cycles", 0.5) * 2.0 * progress)
                low = given.get("min_lr", 0.0) / self.peak
                factor = np.maximum(0.0, wave * (1 - low) + low)
            case "cosine_with_restarts":
                factor = np.where(progress >= 1, 0.0, np.maximum(0.0, _wave(given["num_cycles"] * progress % 1.0)))
            case "polynomial":
                left = np.maximum(1 - progress, 0.0)
                low = given["lr_end"]
                factor = ((self.peak - low) * left ** given.get("power", 1.0) + low) / self.peak
            case "inverse_sqrt":
                scale = given.get("timescale", self.warmup or 10_000)
                factor = 1 / np.sqrt(np.maximum(steps + (scale - self.warmup), 1) / scale)
            case "cosine_warmup_with_min_lr":
                low, lowest = given["min_lr"] / self.peak, given.get("warmup_lr_rate")
                wave = _wave((steps - self.warmup + 1) / max(1, total - self.warmup))
                factor = np.maximum(0.0, wave * (1 - low) + low)
                warming = (steps + 1) / max(1, self.warmup)
                if lowest is not None:
                    warming = lowest + (1 - lowest) * steps / max(1, self.warmup - 1)
            case _:
                low, decay = given.get("min_lr_ratio", 0.0), given["num_decay_steps"]
                share = np.clip((steps - (total - decay)) / max(1, decay), 0.0, 1.0)
                factor = _bent(given.get("decay_type", "cosine"), share) * (1 - low) + low
                warming = 1 - _bent(given.get("warmup_type", "linear"), np.minimum(warming, 1.0))
                if given.get("warmup_type") == "1-sqrt":
                    warming = 1 - np.sqrt(np.maximum(1 - steps / max(1, self.warmup), 0.0))
                warming = warming * (1 - low) + low
        rates: Rates = self.peak * np.where(steps < self.warmup, warming, factor)
        return rates

    def given(self) -> dict[str, Any]:
        """The arguments by their names."""
        given: dict[str, Any] = {"learning_rate": self.peak, "lr_scheduler_type": self.kind}
        if self.arguments:
            given["lr_scheduler_kwargs"] = self.arguments
        if self.warmup:
            given["warmup_steps"] = self.warmup
        if self.total is not None:
            given["max_steps"] = self.total
        return given


def _wave(angle: Rates) -> Rates:
    import numpy as np

    wave: Rates = 0.5 * (1.0 + np.cos(np.pi * angle))
    return wave


def _bent(kind: str, share: Rates) -> Rates:
    """A decay of "warmup_stable_decay" after this share of it."""
    import numpy as np

    bent: Rates = _wave(share) if kind == "cosine" else 1 - np.sqrt(share) if kind == "1-sqrt" else 1 - share
    return bent


def huggingface(outline: Outline) -> str:
    """The training arguments, as a dictionary of Python.

    Raises:
        PlanError: a phase that no scheduler of transformers has.
    """
    lines = []
    for name, value in _arguments(outline).items():
        if isinstance(value, dict):
            inner = [f'"{key}": {_in_python(one)}' for key, one in value.items()]
            written = call(f'"{name}": {{', inner, 5, "}")
        else:
            written = [f'"{name}": {_in_python(value)}']
        lines += [*written[:-1], f"{written[-1]},"]
    head = [*outline.header, "# Give them to transformers.TrainingArguments(**training_arguments)."]
    return program(head, [], [], ["training_arguments = {", *indented(lines), "}"])


def _in_python(value: float | int | str) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    return integer(value) if isinstance(value, int) else real(value)


def training_arguments(plan: Plan, form: str) -> str:
    """The training arguments in one of `FORMS`.

    - "python": the program of the target `huggingface`;
    - "json", "yaml": a file for `HfArgumentParser.parse_json_file` or `parse_yaml_file`;
    - "args": options for a command line that `HfArgumentParser` reads, quoted for a shell.

    Raises:
        PlanError: a phase that no scheduler of transformers has.
    """
    outline = Outline.of(plan)
    if form == "python":
        return huggingface(outline)
    arguments = _arguments(outline)
    if form == "json":
        return json.dumps(arguments, indent=2) + "\n"
    if form == "yaml":
        return "\n".join([*outline.header, *_in_yaml(arguments), ""])
    words = [
        word
        for name, value in arguments.items()
        for word in (f"--{name}", value if isinstance(value, str) else json.dumps(value))
    ]
    return shlex.join(words) + "\n"


def _in_yaml(fields: dict[str, Any]) -> Iterator[str]:
    for name, value in fields.items():
        if isinstance(value, dict):
            yield f"{name}:"
            yield from (f"  {line}" for line in _in_yaml(value))
        else:
            text = json.dumps(value)
            # YAML 1.1, which transformers reads, takes 1e-05 for a text: a number has a point there.
            yield f"{name}: {text if '.' in text or isinstance(value, str) else text.replace('e', '.0e')}"


def _arguments(outline: Outline) -> dict[str, Any]:
    best = -1
    for candidate in _candidates(outline):
        differs = _first_difference(candidate, outline)
        if differs is None:
            return candidate.given()
        best = max(best, differs)
    phase = outline.plan.phase_at(max(best, 0))
    length = () if outline.plan.total_steps is not None else ("More can be, planned with ", Name("total_steps"), ". ")
    raise PlanError(
        f"Target 'huggingface' cannot express the phase `{phase.name}` from step {phase.first_step:,} on: none of "
        f"transformers' schedulers has this plan's rates up to step {max(best, 0):,}.",
        fix=(
            *length,
            "Use the target 'torch', and give its scheduler to the Trainer: `optimizers=(optimizer, scheduler)`.",
        ),
    )


def _candidates(outline: Outline) -> Iterator[Candidate]:
    """What the phases look like, the simplest first."""
    peak, total = outline.peak, outline.plan.total_steps
    pieces = [
        level for piece in outline.pieces for level in (piece.constants if isinstance(piece, TablePiece) else [piece])
    ]
    first = pieces[0] if pieces else None
    warmups = [first.stop] if isinstance(first, CurvePiece) and first.rises and first.stop is not None else []
    yield Candidate("constant", peak, 0, total)
    for warmup in (*warmups, 0):
        rest = pieces[1:] if warmup else pieces
        if warmup:
            yield Candidate("constant_with_warmup", peak, warmup, total)
        for piece in rest:
            if (
                isinstance(piece, CurvePiece)
                and isinstance(piece.curve, InverseSqrt)
                and piece.curve.timescale is not None
            ):
                scale = piece.curve.timescale.amount
                if scale is not None and scale.denominator == 1:
                    own: Arguments = {} if scale == (warmup or 10_000) else {"timescale": int(scale)}
                    yield Candidate("inverse_sqrt", peak, warmup, total, own)
        if total is None or warmup >= total or not peak:
            continue
        yield Candidate("linear", peak, warmup, total)
        falls = [fall for piece in rest if (fall := _fall(piece)) is not None]
        for fall in falls[:1]:
            yield from _decays(fall, peak, warmup, total)
        for cycles in rest[:1]:
            if isinstance(cycles, CyclesPiece):
                count = cycles.group.cycle_at(total - 1) + 1
                yield Candidate("cosine_with_restarts", peak, warmup, total, {"num_cycles": count})
        for fall in falls[-1:]:
            yield from _cooldowns(fall, isinstance(first, CurvePiece), peak, warmup, total)
        for early in (warmup, warmup + 1) if warmup else (0,):  # its warm-up is at the peak one step before it ends
            for fall in falls[:1]:
                low: Arguments = {"min_lr": fall.to}
                yield Candidate("cosine_warmup_with_min_lr", peak, early, total, low)
                if isinstance(first, CurvePiece) and warmup:
                    rate = float(f"{first.start / peak:.15g}")
                    yield Candidate("cosine_warmup_with_min_lr", peak, early, total, {**low, "warmup_lr_rate": rate})


@dataclass(frozen=True, slots=True)
class _Fall:
    """A curve that a scheduler may have as its decay."""

    curve: Curve
    to: float
    span: Fraction
    first: int


def _fall(piece: ConstantPiece | CurvePiece | CyclesPiece) -> _Fall | None:
    """The curve of a phase; of cycles that come down in a wave, the way down."""
    match piece:
        case CurvePiece(span=Fraction() as span):
            return _Fall(piece.curve, piece.to, span, piece.first)
        case CyclesPiece() if len(piece.phases) == 2:
            down = piece.phases[0]
            return _Fall(down.curve, down.to, down.end - down.begin, piece.first)
    return None


def _decays(fall: _Fall, peak: float, warmup: int, total: int) -> Iterator[Candidate]:
    """Decays that begin after the warm-up."""
    match fall.curve:
        case Cosine():
            waves = float((total - warmup) / (2 * fall.span))
            number: Arguments = {} if waves == 0.5 else {"num_cycles": waves}
            yield Candidate("cosine", peak, warmup, total, number)
            yield Candidate("cosine_with_min_lr", peak, warmup, total, {"min_lr": fall.to, **number})
        case Linear() if fall.to < peak:
            yield Candidate("polynomial", peak, warmup, total, {"lr_end": fall.to})
        case Polynomial() if fall.to < peak:
            yield Candidate("polynomial", peak, warmup, total, {"lr_end": fall.to, "power": fall.curve.power})


def _cooldowns(fall: _Fall, bent: bool, peak: float, warmup: int, total: int) -> Iterator[Candidate]:
    """Warm-up, stable, decay; with `bent` the warm-up may have any of its curves."""
    kinds: dict[type[Curve], str] = {Cosine: "cosine", Linear: "linear", OneMinusSqrt: "1-sqrt"}
    if type(fall.curve) not in kinds or fall.first >= total:
        return
    arguments: Arguments = {"num_decay_steps": total - fall.first}
    if (kind := kinds[type(fall.curve)]) != "cosine":
        arguments["decay_type"] = kind
    if fall.to:
        arguments["min_lr_ratio"] = float(f"{fall.to / peak:.15g}")
    yield Candidate("warmup_stable_decay", peak, warmup, total, arguments)
    for warmup_type in ("cosine", "1-sqrt") if warmup and bent else ():
        yield Candidate("warmup_stable_decay", peak, warmup, total, {**arguments, "warmup_type": warmup_type})


def _first_difference(candidate: Candidate, outline: Outline) -> int | None:
    """The first step found at which the candidate's rate is not the plan's; None: the two agree."""
    import numpy as np

    allowed, before = _TOLERANCE * outline.peak, 0
    few = _few_steps(outline)
    for step in few[np.abs(candidate.rates(few) - outline.plan(few)) > allowed][:1]:
        before = int(few[max(0, int(np.searchsorted(few, step)) - 1)])
        near = np.arange(before, min(int(step), before + _CHUNK) + 1)
        differs = np.abs(candidate.rates(near) - outline.plan(near)) > allowed
        return int(near[np.argmax(differs)]) if differs.any() else int(step)
    for steps in _all_steps(outline):
        differs = np.abs(candidate.rates(steps) - outline.plan(steps)) > allowed
        if differs.any():
            return int(steps[np.argmax(differs)])
    return None


def _few_steps(outline: Outline) -> NDArray[np.int64]:
    """Steps at which most schedules differ: those around the boundaries, and evenly spread ones."""
    import numpy as np

    total = outline.plan.total_steps or _WITHOUT_LENGTH
    rows = outline.plan.phases[:1000]
    near = {step + offset for row in rows for step in (row.first_step, row.stop) for offset in range(-3, 4)}
    spread = np.linspace(0, total - 1, _FEW).astype(np.int64)
    near_steps = np.array(sorted(step for step in near if 0 <= step < total), np.int64)
    return np.unique(np.concatenate([near_steps, spread]))


def _all_steps(outline: Outline) -> Iterator[NDArray[np.int64]]:
    """Every step of the run; of a very long one the first and the last, and evenly spread ones."""
    import numpy as np

    total = outline.plan.total_steps or _WITHOUT_LENGTH
    if total > _MOST_CHECKED:
        yield from (np.arange(_CHUNK), np.arange(total - _CHUNK, total))
        yield np.linspace(0, total - 1, _CHUNK).astype(np.int64)
        return
    for begin in range(0, total, _CHUNK):
        yield np.arange(begin, min(begin + _CHUNK, total))
