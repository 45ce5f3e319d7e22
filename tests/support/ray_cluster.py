"""Programs that start a Ray cluster on this machine, each in a process with a home folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.run_examples import ROOT

_QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1", "OMP_NUM_THREADS": "1"}
_SECONDS = 500  # after which one that hangs is given up
_TRIES = 3
_TOO_BUSY = "timed out during startup"
"""Ray waits 30 seconds for its own processes, whatever else a machine does."""


def printed(home: Path, *arguments: str) -> str:
    """What `python arguments...` prints; Ray keeps its results and its token in the home folder."""
    for _ in range(_TRIES):
        with TemporaryDirectory(prefix="ray-") as short:  # the names of sockets have a limit
            done = subprocess.run(
                [sys.executable, *arguments],
                cwd=ROOT,
                env={**os.environ, **_QUIET, "HOME": str(home), "RAY_TMPDIR": short},
                capture_output=True,
                text=True,
                encoding="utf-8",
                timeout=_SECONDS,
            )
        if _TOO_BUSY not in done.stderr:
            break
    assert done.returncode == 0, done.stderr
    return done.stdout
