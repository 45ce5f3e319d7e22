"""The machine and the packages of the report."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import kosine

PACKAGES = (
    "numpy",
    "keras",
    "jax",
    "tensorflow",
    "tensorflow-cpu",
    "torch",
    "optax",
    "transformers",
    "timm",
    "pytorch-ignite",
    "mpmath",
)


def machine() -> dict[str, str]:
    """The processor, its cores, the memory and the system, each as a few words."""
    return {
        "processor": _processor(),
        "cores": f"{os.cpu_count()} cores",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": platform.system(),
        "python": f"Python {platform.python_version()}",
    }


def _processor() -> str:
    """The model of the processor from a file of Linux, as `platform` has only the architecture."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.machine())


def versions() -> dict[str, str]:
    """The versions of the packages that are compared, of those that are installed."""
    found = {"kosine": kosine.__version__}  # the installed metadata of a clone may be older
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # TensorFlow has one of two names, by the processor
            continue
    return found
