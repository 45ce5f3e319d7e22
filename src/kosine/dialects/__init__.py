"""The schedules of other libraries as kosine schedules: `kosine.dialects.<peer>.<Name>(...)`, with the peer's own
argument names and defaults.

The plan of each has the peer's rate at every step, its quirks included, also beyond the nominal end. Where a peer takes
its base rate from the optimizer, the first argument is `lr`. Arguments that are not about the rate as a function of the
step are left out. Where a peer is wrong by mistake, such as a floor in place of the peak at a restart, the schedule has
the right value, and the docstring says so. A definition can change between versions: `FOLLOWS` in each module, and
every docstring, name the one that is followed. No peer is imported.

Example:
    >>> import kosine as ks
    >>> lr = ks.dialects.torch.CosineAnnealingLR(0.1, T_max=100)
    >>> lr == ks.dialects.huggingface.cosine(0.1, num_warmup_steps=0, num_training_steps=100)
    True
"""

from __future__ import annotations

from typing import NoReturn

from kosine.dialects import (
    axolotl,
    composer,
    deepspeed,
    huggingface,
    keras,
    megatron,
    nanogpt,
    optax,
    timm,
    torch,
    torchtitan,
)

__all__ = [
    "axolotl",
    "composer",
    "deepspeed",
    "huggingface",
    "keras",
    "megatron",
    "nanogpt",
    "optax",
    "timm",
    "torch",
    "torchtitan",
]

_OTHER_NAMES = {
    "hf": "huggingface",
    "transformers": "huggingface",
    "pytorch": "torch",
    "jax": "optax",
    "tf": "keras",
    "titan": "torchtitan",
    "ds": "deepspeed",
}


def __getattr__(name: str) -> NoReturn:
    fix = f"Did you mean `{_OTHER_NAMES[name]}`?" if name in _OTHER_NAMES else f"It has {', '.join(__all__)}."
    raise AttributeError(f"kosine.dialects has no {name!r}. {fix}", name=name)
