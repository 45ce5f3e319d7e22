"""The rules of lint, one theme a file; each registers its checks when it is imported."""

from kosine._analysis.lint.rule import RULES as _REGISTERED, Rule
from kosine._analysis.lint.rules import (  # noqa: F401  imported to register
    branches,
    cycles,
    decay_depth,
    decay_end,
    jumps,
    phase_steps,
    units,
    warmup,
    zero_rates,
)

RULES: dict[str, Rule] = dict(sorted(_REGISTERED.items()))
"""Every rule by its code, in order."""
