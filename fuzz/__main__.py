"""Run one target under atheris: coverage-guided changes to the files of its corpus."""

from __future__ import annotations

import argparse
import inspect
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["kosine"]):
    import kosine as ks
    from fuzz.targets import CORPUS, TARGETS
    from kosine._core import constructors, curves

_LONGEST = 4096  # bytes of an input: larger ones have tests of their own
_SECONDS = 10  # an input of that length that takes longer is a fault
_MEGABYTES = 2048  # and so is one that takes more memory, NumPy's included


def _words() -> Iterator[str]:
    """What the texts and documents of schedules are made of, and what logs say."""
    for name in ("Schedule", "section", "cycles", *curves.CONSTRUCTORS, *constructors.__all__):
        yield f"{name}("
        yield from (f"{argument}=" for argument in inspect.signature(getattr(ks, name)).parameters)
    yield from ("rest", "floor 5%", "10ep", "2.6st", "7/3st", "2e8sp", "375Mtok", "1e400", "9223372036854775807")
    yield from ("NaN", "Infinity", "-0.0", "null", "true", "curve", "duration", "cycles", "schedule", "version", "run")
    yield from ("step", "epoch", "lr", "learning_rate", "log_history", "iteration", "skipped", "[1, 2]", "lr: 1e-3")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=30, help="how long")
    parser.add_argument("--seed", type=int, default=1, help="of the changes")
    parser.add_argument("--found", type=Path, help="a folder that keeps the inputs that reach something new")
    parser.add_argument("--faults", type=Path, default=Path.cwd(), help="a folder for an input that shows a fault")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = arguments.found or Path(folder, "found")
        for output in (found, arguments.faults):
            output.mkdir(parents=True, exist_ok=True)
        dictionary = Path(folder, "words")
        dictionary.write_text("".join(f'"{word}"\n' for word in _words()), encoding="utf-8")
        options = {
            "max_total_time": arguments.seconds,
            "seed": arguments.seed,
            "max_len": _LONGEST,
            "timeout": _SECONDS,
            "rss_limit_mb": _MEGABYTES,
            "dict": dictionary,
            "artifact_prefix": f"{arguments.faults}/",
            "print_final_stats": 1,
        }
        written = [f"-{name}={value}" for name, value in options.items()]
        atheris.Setup([sys.argv[0], *written, str(found), str(CORPUS / arguments.target)], TARGETS[arguments.target])
        atheris.Fuzz()


main()
