"""What is fuzzed: each target takes any bytes, and raises where kosine does other than it promises."""

from __future__ import annotations

import io
import math
import tempfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import kosine as ks
from kosine._logs.read.tensorboard import is_event_file
from kosine.cli._schedule_argument import read_schedule

LONGEST_MESSAGE = 4000
"""Characters of an error's message: it quotes the beginning of what it received, never all of it."""

_RUN = {
    "total_steps": 1000,
    "steps_per_epoch": 10,
    "samples_per_step": 8,
    "tokens_per_step": 100,
    "seconds_per_step": 2,
}
_STEPS = [0, 1, 9, 500, 999, 1000, 2**31, 2**53, 2**63 - 1]


def parse(data: bytes) -> None:
    """A text is a schedule, whose own text is that schedule again, or an error of kosine's own."""
    text = data.decode("utf-8", "surrogateescape")
    try:
        schedule = ks.parse(text)
    except ks.KosineError as error:
        _check_message(error)
        return
    assert ks.parse(repr(schedule)) == schedule
    assert ks.loads(ks.dumps(schedule)) == schedule
    _check_rates(schedule)


def loads(data: bytes) -> None:
    """A document is a schedule or a plan that can be written again, or an error of kosine's own."""
    try:
        value = ks.loads(data)
    except ks.KosineError as error:
        _check_message(error)
        return
    assert ks.loads(ks.dumps(value)) == value
    if isinstance(value, ks.Space):
        _check_samples(value)
    else:
        _check_rates(value.schedule if isinstance(value, ks.Plan) else value)


def space(data: bytes) -> None:
    """A text is a space, whose own text is that space again, or an error of kosine's own."""
    try:
        value = ks.space(data.decode("utf-8", "surrogateescape"))
    except ks.KosineError as error:
        _check_message(error)
        return
    assert ks.space(repr(value)) == value
    assert ks.loads(ks.dumps(value)) == value
    _check_samples(value)


def schedule_file(data: bytes) -> None:
    """A file of JSON, of TOML or of a text is a schedule, or there is an error of kosine's own."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            source = read_schedule(str(_file(folder, data)))
        except ks.KosineError as error:
            _check_message(error)
            return
    _check_rates(source.schedule)


def read_trace(data: bytes) -> None:
    """A log has finite rates at ascending positions, or there is an error of kosine's own."""
    try:
        if is_event_file(data[:64]):  # they are read by their path only
            with tempfile.TemporaryDirectory() as folder:
                trace = ks.read_trace(_file(folder, data))
        else:
            trace = ks.read_trace(io.BytesIO(data))
    except ks.KosineError as error:
        _check_message(error)
        return
    for each in trace.groups.values():
        positions, rates = each.positions.tolist(), each.rates.tolist()
        assert positions
        assert all(before < after for before, after in pairwise(positions))
        assert all(math.isfinite(rate) and rate >= 0 for rate in rates)
        assert (each.half_widths() >= 0).all()


TARGETS: dict[str, Callable[[bytes], None]] = {
    "parse": parse,
    "loads": loads,
    "space": space,
    "schedule_file": schedule_file,
    "read_trace": read_trace,
}
CORPUS = Path(__file__).parent / "corpus"


def _file(folder: str, data: bytes) -> Path:
    path = Path(folder, "file")
    path.write_bytes(data)
    return path


def _check_samples(value: ks.Space) -> None:
    for seed in range(3):
        values = value.values(seed)
        try:
            schedule = value(**values)
        except ks.KosineError as error:
            _check_message(error)
            continue
        assert schedule == value.sample(seed) == value(values)
        _check_rates(schedule)
    try:
        value(nothing=1)
    except ks.KosineError as error:
        _check_message(error)


def _check_rates(schedule: ks.Schedule) -> None:
    try:
        plan = schedule.plan(**_RUN)
    except ks.KosineError as error:
        _check_message(error)
        return
    rates = [plan(step) for step in _STEPS]
    assert all(math.isfinite(rate) and rate >= 0 for rate in rates), rates
    assert all(math.isclose(one, other, rel_tol=1e-12) for one, other in zip(rates, plan(_STEPS).tolist(), strict=True))
    assert len(str(plan)) < 10_000


def _check_message(error: ks.KosineError) -> None:
    message = str(error)
    assert 0 < len(message) < LONGEST_MESSAGE, len(message)
