"""Names that people type: transformers' functions by either name, and an error that helps for what is not there."""

from __future__ import annotations

import pytest
import torch

import kosine as ks


def test_hugging_face_by_the_names_of_its_functions() -> None:
    dialect = ks.dialects.huggingface
    assert dialect.get_cosine_schedule_with_warmup is dialect.cosine
    assert dialect.get_wsd_schedule is dialect.warmup_stable_decay


@pytest.mark.parametrize(
    ("module", "name", "message"),
    [
        (ks.dialects, "hf", r"kosine.dialects has no 'hf'\. Did you mean `huggingface`"),
        (ks.dialects, "ignite", r"It has axolotl, composer, deepspeed, huggingface, keras"),
        (ks.dialects, "titan", r"Did you mean `torchtitan`"),
        (ks.dialects.torchtitan, "linear_warmup_stable_decay", r"Write `lr_scheduler`, as the configuration"),
        (ks.dialects.axolotl, "JaggedLRRestartScheduler", r"phases cannot express a product"),
        (ks.dialects.axolotl, "rex", r"Write `RexLR`"),
        (ks.dialects.deepspeed, "WarmupLr", r"Did you mean `WarmupLR`"),
        (
            ks.dialects.huggingface,
            "cosine_with_restart",
            r"has no 'cosine_with_restart'\. Did you mean `cosine_with_restarts`",
        ),
        (ks.dialects.huggingface, "greedy", r"It depends on the loss"),
        (ks.dialects.torch, "cosineannealinglr", r"Did you mean `CosineAnnealingLR`"),
        (ks.dialects.torch, "LambdaLR", r"takes any Python function"),
        (ks.dialects.optax, "cosine", r"has no 'cosine'\. It has constant_schedule, cosine_decay_schedule, "),
        (ks.dialects.keras, "CosineDecayRestart", r"Did you mean `CosineDecayRestarts`\?"),
        (ks.dialects.nanogpt, "lr", r"It has get_lr\."),
        (ks.dialects.megatron, "scheduler", r"has no 'scheduler'\. .*OptimizerParamScheduler"),
        (ks.dialects.composer, "Cosine", r"It has ConstantScheduler, "),
        (ks.dialects.timm, "PlateauLRScheduler", r"It depends on the loss"),
        (ks.dialects.torch, "ReduceLROnPlateau", r"It depends on the loss"),
    ],
)
def test_a_name_that_is_not_there(module: object, name: str, message: str) -> None:
    with pytest.raises(AttributeError, match=message):
        getattr(module, name)


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        (ks.dialects.torch.StepLR, {"step_size": 30}),
        (ks.dialects.huggingface.linear, {"num_warmup_steps": 1, "num_training_steps": 5}),
        (ks.dialects.timm.CosineLRScheduler, {"t_initial": 5}),
        (ks.dialects.composer.ConstantScheduler, {}),
    ],
)
def test_an_optimizer_in_place_of_its_rate(call: object, arguments: dict[str, int]) -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    with pytest.raises(ks.ArgumentTypeError, match=r"`lr` must be the learning rate that the optimizer was built with"):
        call(optimizer, **arguments)  # type: ignore[operator]
