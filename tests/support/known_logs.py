"""Logs whose schedules are known, so that the tests and the benchmark hold the same truth.

Those of `tests/support/logs` are made after real ones; those of `tests/support/traces` are the logs of real runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import kosine as ks
from tests.support.real_logs import NAMES, real

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOLDER = Path(__file__).parent / "logs"


@dataclass(frozen=True)
class KnownLog:
    """A log and the plan that made it.

    The row at the position p shows the plan's step round(p * steps_per_unit) + offset, less the steps skipped before.

    Attributes:
        file: its name in the folder, or that of a real run.
        program: what writes logs like it.
        schedule: the text of the phases that have its rates; None: no schedule made them.
        size: how long the run was planned, in the words of `Schedule.plan`.
        rows: how many rows with a rate it has.
        offset: see above.
        steps_per_unit: see above.
        skips: pairs (position, count): from that position on, rows show `count` steps less than before.
        odd: the positions of rows that follow no plan.
        arguments: of `read_trace`, where the log alone does not say where its rates are.
    """

    file: str
    program: str
    schedule: str | None
    size: Mapping[str, int]
    rows: int
    offset: int = 0
    steps_per_unit: int = 1
    skips: tuple[tuple[float, int], ...] = ()
    odd: tuple[float, ...] = ()
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def trace(self) -> ks.Trace:
        """The log as kosine reads it."""
        if self.file in NAMES:
            return ks.read_trace(real(self.file).file(), **self.arguments)
        return ks.read_trace(FOLDER / self.file, **self.arguments)

    @property
    def plan(self) -> ks.Plan | None:
        """What the run followed."""
        if self.schedule is None:
            return None
        epoch = {} if "samples_per_step" in self.size else {"steps_per_epoch": self.steps_per_unit}
        return ks.parse(f"Schedule({self.schedule})").plan(**self.size, **epoch)

    def steps(self, positions: NDArray[np.generic]) -> NDArray[np.int64]:
        """The steps of the plan that the run was at."""
        at = np.asarray(positions, np.float64)
        steps = np.floor(at * self.steps_per_unit + 0.5).astype(np.int64) + self.offset
        for position, count in self.skips:
            steps -= count * (at >= position)
        return np.maximum(steps, 0)

    def rates(self, positions: NDArray[np.generic]) -> NDArray[np.float64]:
        """The rates that the run had at these positions."""
        plan = self.plan
        assert plan is not None
        return plan(self.steps(positions))


_HF = "linear(500, start=0.0, to=1e-5), linear(to=0.0)"

KNOWN_LOGS = (
    KnownLog("amp200.csv", "Hugging Face, a skipped step", _HF, {"total_steps": 15_000}, 150, skips=((200, 1),)),
    KnownLog("amp700.csv", "Hugging Face, a skipped step", _HF, {"total_steps": 15_000}, 150, skips=((700, 1),)),
    KnownLog("check_hang.csv", "noise", None, {}, 2000),
    KnownLog(
        "d2.json", "detectron2", "linear(1000, start=1e-6, to=1e-3), hold(start=5e-5)", {"total_steps": 1500}, 75
    ),
    KnownLog(
        "detr.txt", "DETR log.txt", "hold(40, start=1e-4), hold(start=1e-5)", {"total_steps": 50}, 50,
        arguments={"count_rows": True},
    ),
    KnownLog(
        "lastrow.csv", "Keras, cycles with warm-ups",
        "linear(4, start=0.0028, to=0.01), cosine(20, to=0.001), linear(7, to=0.008)",
        {"total_steps": 31}, 32, odd=(31,),
    ),
    KnownLog(
        "megds.out", "Megatron-DeepSpeed", "linear(8, start=0.0, to=1.5e-4), hold()",
        {"total_steps": 1000}, 40,
    ),
    KnownLog(
        "mmcv.log", "mmcv 1.x text", "linear(500, start=2e-5, to=0.02), hold()", {"total_steps": 2790}, 54,
        steps_per_unit=930,
    ),
    KnownLog(
        "mmcv5.json", "mmcv JSON",
        "linear(10, start=1e-7, to=1e-4), hold(680), hold(345, start=1e-5), hold(start=1e-6)",
        {"total_steps": 1725}, 1725, steps_per_unit=69,
    ),
    KnownLog(
        "nopos.csv", "table without a position", "cosine(start=1e-3, to=0.0)", {"total_steps": 30}, 30,
        arguments={"count_rows": True},
    ),
    KnownLog(
        "onecycle.csv", "torch OneCycleLR",
        "cosine(99, start=4e-5, to=1e-3), cosine(900, to=4e-8)", {"total_steps": 1000}, 101, odd=(1000,),
    ),
    KnownLog(
        "sgdr.csv", "Keras, cycles",
        "linear(9, start=0.0019, to=0.01), cosine(21, to=0.001, endpoint=True), "
        "cosine(21, start=0.01, to=0.001, endpoint=True), cosine(21, start=0.0095, to=0.001, endpoint=True), "
        "cosine(21, start=0.009025, to=0.001, endpoint=True)",
        {"total_steps": 93}, 93,
    ),
    KnownLog("timm.csv", "timm", "linear(5, start=1e-6, to=5e-4), section(cosine(300, start=5e-4, to=1e-5), skip=5)",
        {"total_steps": 300}, 300,
    ),
    KnownLog(
        "wrn.csv", "step decay", "hold(60, start=0.1), hold(60, start=0.02), hold(40, start=0.004), hold(start=0.0008)",
        {"total_steps": 201}, 200,
    ),
    KnownLog("yolo.csv", "YOLO", "linear(100, start=0.01, to=1e-4)", {"total_steps": 100}, 100, offset=-1,
        odd=(1.0, 2.0, 3.0),
    ),
    KnownLog(
        "bloom176b_samples_axis", "Megatron-LM, in samples",
        'linear("183105sp", start=0.0, to=6e-5), cosine("199816895sp", to=6e-6)',
        {"total_steps": 200_000_000, "samples_per_step": 1}, 13, arguments={"step_column": "consumed samples"},
    ),
    KnownLog(
        "hf_cosine_warmup10pct_mistral", "Hugging Face, trainer_state.json",
        "linear(866, start=0.0, to=5e-5), cosine(to=0.0)", {"total_steps": 8660}, 602,
    ),
    KnownLog(
        "keras_sgdr_warmup_1", "Keras, cycles with warm-ups",
        "linear(10, start=0.001, to=0.01), cosine(33, to=0.001), linear(12, to=0.01), cosine(37, to=0.001), "
        "linear(15, to=0.0095), cosine(41, to=0.001), linear(18, to=0.009025), cosine(46, to=0.001), "
        "linear(22, to=0.00857375), cosine(51, to=0.001), linear(27, to=0.0081450625), cosine(57, to=0.001), "
        "linear(33, to=0.007737809375)", {"total_steps": 402}, 400, offset=1,
    ),
    KnownLog(
        "keras_sgdr_warmup_2", "Keras, cycles",
        "cycles(cosine(31, start=0.01, to=0.001, endpoint=True))", {"total_steps": 401}, 400, offset=1,
    ),
    KnownLog(
        "llamafactory_cosine_warmup_qwen7b", "LLaMA-Factory", "linear(675, start=0.0, to=1e-4), cosine(to=0.0)",
        {"total_steps": 6750}, 601, offset=-1,
    ),
    KnownLog(
        "llmc_gpt2_124m_10B", "llm.c", "linear(700, start=0.0, to=6e-4), hold(1), cosine(to=0.0)",
        {"total_steps": 19_561}, 2008, offset=1,
    ),
    KnownLog(
        "megatron_cosine_skipped_start", "Megatron-LM, declared skips",
        "linear(8, start=0.0, to=1.5e-4), cosine(792, to=1e-5)", {"total_steps": 1000}, 20,
        skips=((10, 10), (20, 8), (30, 1)),
    ),
    KnownLog(
        "onecycle_cosine_to_10pct_124m", "Weights & Biases, torch OneCycleLR",
        "cosine(299, start=1e-5, to=1e-3), cosine(29700, to=1e-4)", {"total_steps": 30_000}, 600,
    ),
    KnownLog(
        "wsd_linear_cooldown20_124m", "Weights & Biases, cooldown alone",
        "linear(300, start=1e-5, to=1e-3), hold(19700), linear(5000, to=0.0)", {"total_steps": 25_000}, 100,
    ),
)  # fmt: skip
