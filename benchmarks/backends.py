"""Run one benchmark once for each Keras backend, each in a process of its own, one after another."""

from __future__ import annotations

import os
import subprocess
import sys

BACKENDS = ("jax", "tensorflow", "torch")


def on_each_backend(module: str) -> None:
    """Run `python -m module BACKEND` for each backend."""
    for backend in BACKENDS:
        quiet = {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}
        subprocess.run([sys.executable, "-m", module, backend], check=True, env={**os.environ, **quiet})
        print(flush=True)
