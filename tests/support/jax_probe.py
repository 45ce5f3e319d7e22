"""The switch of JAX to 64 bits, whatever its version calls it."""

from contextlib import AbstractContextManager
from typing import Any

import jax
import jax.experimental


def enable_x64(on: bool = True) -> AbstractContextManager[None]:
    """int64 and float64 in JAX, by the name that its version has for it."""
    switch: Any = jax.enable_x64 if hasattr(jax, "enable_x64") else jax.experimental.enable_x64
    context: AbstractContextManager[None] = switch(on)
    return context
