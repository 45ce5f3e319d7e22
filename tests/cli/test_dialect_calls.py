"""Calls of other libraries' schedules as SCHEDULE: what is read, and that nothing else is ever called."""

from __future__ import annotations

import time
import warnings
from pathlib import Path

import pytest

import kosine as ks
from kosine.cli import main
from kosine.cli._schedule_argument import read_schedule
from kosine.errors import KosineError
from tests.support.console import one_line

torch, optax = ks.dialects.torch, ks.dialects.optax


@pytest.mark.parametrize(
    ("text", "schedule"),
    [
        ("torch.OneCycleLR(0.1, total_steps=100)", torch.OneCycleLR(0.1, total_steps=100)),
        ("dialects.torch.OneCycleLR(0.1, total_steps=100)", torch.OneCycleLR(0.1, total_steps=100)),
        ("ks.dialects.torch.OneCycleLR(0.1, total_steps=100)", torch.OneCycleLR(0.1, total_steps=100)),
        (
            " kosine.dialects.torch . OneCycleLR (\n  0.1,\n  total_steps=100,\n)\n",
            torch.OneCycleLR(0.1, total_steps=100),
        ),
        ("torch.MultiStepLR(1e-1, milestones=[30, 80])", torch.MultiStepLR(0.1, milestones=[30, 80])),
        ("torch.MultiStepLR(0.1, milestones=(30, 80))", torch.MultiStepLR(0.1, milestones=[30, 80])),
        (
            "optax.piecewise_constant_schedule(0.1, {30: 0.5, 80: 0.1})",
            optax.piecewise_constant_schedule(0.1, {30: 0.5, 80: 0.1}),
        ),
        (
            "optax.join_schedules([optax.linear_schedule(0.0, 0.1, 10), optax.constant_schedule(0.1)], [10])",
            optax.join_schedules([optax.linear_schedule(0.0, 0.1, 10), optax.constant_schedule(0.1)], [10]),
        ),
        (
            "huggingface.get_cosine_schedule_with_warmup(0.1, num_warmup_steps=5, num_training_steps=50)",
            ks.dialects.huggingface.cosine(0.1, num_warmup_steps=5, num_training_steps=50),
        ),
        ("nanogpt.get_lr()", ks.dialects.nanogpt.get_lr()),
        ("torchtitan.lr_scheduler(8e-4, 1000)", ks.dialects.torchtitan.lr_scheduler(8e-4, 1000)),
        (
            "deepspeed.WarmupDecayLR(total_num_steps=1000, warmup_max_lr=1e-3)",
            ks.dialects.deepspeed.WarmupDecayLR(total_num_steps=1000, warmup_max_lr=1e-3),
        ),
        ("axolotl.RexLR(2e-4, 0, 1000, 100)", ks.dialects.axolotl.RexLR(2e-4, 0, 1000, 100)),
        ("torch.optim.lr_scheduler.OneCycleLR(0.1, total_steps=100)", torch.OneCycleLR(0.1, total_steps=100)),
        ("keras.optimizers.schedules.CosineDecay(0.1, 100)", ks.dialects.keras.CosineDecay(0.1, 100)),
    ],
)
def test_call_is_the_schedule_that_python_makes(text: str, schedule: ks.Schedule, tmp_path: Path) -> None:
    assert read_schedule(text).schedule == schedule
    for name, document in {"a.txt": text, "a.toml": f"schedule = '''{text}'''\n[run]\ntotal_steps = 9\n"}.items():
        (tmp_path / name).write_text(document, encoding="utf-8")
        assert read_schedule(str(tmp_path / name)).schedule == schedule


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("torch.OneCycle(0.1)", r"kosine\.dialects\.torch has no 'OneCycle'\. Did you mean `OneCycleLR`\?"),
        ("torch.LambdaLR(0.1)", r"takes any Python function"),
        ("dialects.hf.cosine(0.1)", r"Did you mean `huggingface`\?"),
        ("dialects.np.cosine(0.1)", r"kosine\.dialects has no 'np'"),
        (
            "torch.OneCycleLR(0.1, total=5)",
            r"unexpected keyword argument 'total'.*Its arguments are torch\.OneCycleLR\(",
        ),
        ("torch.OneCycleLR()", r"missing a required argument"),
        ("torch.OneCycleLR(optimizer, 0.1)", r"expected a number, a text.*Received: 'optimizer'\. Leave the opt"),
        ("torch.StepLR(0.1, step_size=steps)", r"expected a number, a text.*Received: 'steps'\. Write its value\."),
        ("torch.OneCycleLR(0.1, total_steps=10 * 10)", r"expected a number.*Received: '10 \* 10'"),
        ("torch.OneCycleLR(0.1, total_steps=100, total_steps=100)", r"each argument once|repeated"),
        (
            "torch.OneCycleLR(0.1",
            r"Not a call such as torch\.OneCycleLR\(0\.1, total_steps=100\): '\(' was never closed",
        ),
        ("torch.OneCycleLR(0.1, total_steps=0)", r"Argument `total_steps` must be.*Received: total_steps=0"),
    ],
)
def test_mistake_is_one_clear_line(text: str, pattern: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", text, "--total-steps", "9"]) == 2
    one_line(capsys.readouterr().err, pattern)


HOSTILE = [
    "torch.__class__(0.1)",
    "torch.__getattr__('x')",
    "torch.math(0.1)",
    "torch.no_such_name('a', 'b', [], {})",
    "torch._cycles(0.1)",
    "torch.FOLLOWS(1)",
    "dialects.__dict__(1)",
    "dialects._parts.warm_up(1, 0.0, 1.0)",
    "dialects.annotations.x(1)",
    "ks.dialects.torch.OneCycleLR.__globals__(1)",
    "torch.OneCycleLR(__import__('os').system('true'))",
    "torch.OneCycleLR(open('/etc/passwd'))",
    "torch.OneCycleLR(ks.parse('constant(0.1)'))",
    "torch.OneCycleLR(*[0.1], total_steps=5)",
    "torch.OneCycleLR(**{'max_lr': 0.1})",
    "torch.OneCycleLR((lambda: 1)())",
    "torch.OneCycleLR([x for x in [1]])",
    "torch.OneCycleLR(f'{1}')",
    "torch.OneCycleLR(1j, total_steps=5)",
    "torch.OneCycleLR(b'1', total_steps=5)",
    "torch.OneCycleLR(..., total_steps=5)",
    "torch.OneCycleLR(x := 1, total_steps=5)",
    "torch.OneCycleLR(0.1, total_steps=100).plan(total_steps=5)",
    "torch.OneCycleLR(0.1, total_steps=100) + 1",
    "torch.OneCycleLR(0.1, total_steps=100); 1",
    "torch.OneCycleLR(9" + "9" * 10_000 + ")",
    "torch.OneCycleLR(0.1, total_steps=" + "9" * 4_000 + ")",
    "torch.OneCycleLR(1e999, total_steps=5)",
    "torch.OneCycleLR(" + "(" * 10_000,
    "torch.OneCycleLR(" + "[" * 150 + "]" * 150 + ")",
    "torch.OneCycleLR(" + "-" * 10_000 + "1)",
    "torch.OneCycleLR(" + "1+" * 5_000 + "1)",
    "torch.OneCycleLR(" + "a." * 5_000 + "a)",
    "torch.x(" + "()" * 7_000 + ")",
    "torch.OneCycleLR(" + "{1:" * 3_000,
    "torch.OneCycleLR(\0)",
    "torch.OneCycleLR('\\d\\N{x}')",
    "torch.OneCycleLR(\ud800)",
    "torch.StepLR(0.1, step_size=1, gamma=1e-308)" + " " * 20_000,
    "torch.OneCycleLR(" + "1," * 2**20 + ")",
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: str(text[:60]))
def test_nothing_else_is_called_and_a_hostile_text_is_refused_at_once(text: str) -> None:
    started = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(KosineError) as caught:
            read_schedule(text)
    assert len(str(caught.value)) < 600
    assert time.process_time() - started < 3
