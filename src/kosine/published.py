"""The schedules of published training runs, by name, each with its source.

The module can be called: `ks.published("gpt-3")` is the recipe of that name, `ks.published.PUBLISHED` holds them all.
"""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from types import MappingProxyType, ModuleType
from typing import Any

from kosine._core.constructors import sgdr, warmup_cosine
from kosine._core.curves.cosine import cosine
from kosine._core.curves.hold import hold
from kosine._core.curves.linear import linear
from kosine._core.groups import section
from kosine._core.ramps import batch_ramp
from kosine._core.schedule import Plan, Schedule
from kosine.errors import ArgumentError, ArgumentTypeError


@dataclass(frozen=True)
class Published:
    """A published schedule, with the run that it was published for.

    Attributes:
        title: what was trained, in a few words.
        schedule: the schedule.
        run: the arguments of `Schedule.plan`.
        source: where the numbers are published; the paper or the repository first, up to a comma.
        note: what the source leaves open, and what this recipe assumes there.
        secondary: whether the source is not the authors' own.
    """

    title: str
    schedule: Schedule
    run: Mapping[str, Any]
    source: str
    _: KW_ONLY
    note: str
    secondary: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "run", MappingProxyType(dict(self.run)))

    def plan(self) -> Plan:
        """The schedule planned for the run that it was published for.

        Example:
            >>> import kosine as ks
            >>> plan = ks.published("gpt-3").plan()
            >>> plan.total_steps, plan(109_613)
            (109614, 6e-06)
        """
        return self.schedule.plan(**self.run)


_CIFAR = {"epochs": 200, "steps_per_epoch": 391}  # 50,000 images in batches of 128
_SGDR_PAPER = "arXiv 1608.03983, section 4.1 and table 1 (Loshchilov and Hutter, SGDR)"
_PYTHIA_RUN = {"total_steps": 143_000, "tokens_per_step": 2_097_152}
_PYTHIA_SOURCE = "arXiv 2304.01373 and pythia, models/410M/pythia-410m.yml (Biderman et al., Pythia)"
_SGDR_STEPS = "391 steps an epoch are 50,000 images in batches of 128, the last one smaller; the paper does not say."


def _sgdr(period: int, stretch: int, errors: str, remark: str) -> Published:
    return Published(
        f"SGDR: T_0={period}, T_mult={stretch}",
        sgdr(peak=0.05, period=f"{period}ep", stretch=stretch),
        _CIFAR,
        _SGDR_PAPER,
        note=f"WRN-28-10, test error on CIFAR-10 and -100: {errors} %. {remark} {_SGDR_STEPS} The authors' program "
        "sets the rate after each update, so it restarts one step late; this is the paper's formula.",
    )


def _step_decay(peak: float, after: tuple[float, float, float], errors: str) -> Published:
    first, second, last = after
    return Published(
        f"SGDR's step decay, {peak:g}",
        Schedule(
            hold("60ep", start=peak), hold("60ep", start=first), hold("40ep", start=second), hold("40ep", start=last)
        ),
        _CIFAR,
        _SGDR_PAPER,
        note="The paper's default: times 0.2 after 60, 120 and 160 epochs. WRN-28-10, test error on CIFAR-10 and -100: "
        f"{errors} %. {_SGDR_STEPS}",
    )


PUBLISHED: dict[str, Published] = {
    "sgdr-50-1": _sgdr(50, 1, "4.17 and 19.99", "Restarts at epochs 50, 100 and 150."),
    "sgdr-100-1": _sgdr(100, 1, "4.07 and 19.87", "A restart at epoch 100."),
    "sgdr-200-1": _sgdr(200, 1, "3.86 and 19.98", "No restart: the first cycle is the run."),
    "sgdr-1-2": _sgdr(
        1,
        2,
        "4.09 and 19.74",
        "Restarts at epochs 1, 3, 7, 15, 31, 63 and 127; the run ends 73 epochs into a cycle of 128.",
    ),
    "sgdr-10-2": _sgdr(
        10,
        2,
        "4.03 and 19.58",
        "Restarts at epochs 10, 30, 70 and 150; the run ends 50 epochs into a cycle of 160. The paper recommends the "
        "model from the end of the last whole cycle.",
    ),
    "sgdr-step-0.05": _step_decay(0.05, (0.01, 0.002, 0.0004), "4.13 and 20.21"),
    "sgdr-step-0.1": _step_decay(0.1, (0.02, 0.004, 0.0008), "4.24 and 20.33"),
    "gpt-3": Published(
        "GPT-3 175B",
        Schedule(linear("375Mtok", start=0.0, to=6e-5), cosine(until="260Btok", to=6e-6), hold()),
        {
            "total_steps": 109_614,
            "tokens_per_step": batch_ramp(start=32_000, to=3_200_000, over="12B", increment=32_000),
        },
        "arXiv 2005.14165, table 2.1 and appendix B (Brown et al., GPT-3)",
        note="The cosine ends at 260 billion tokens, counted from the first; the run has 300 billion. The batch grew "
        "from 32 thousand to 3.2 million tokens over the first 4 to 12 billion, depending on the size of the model: 12 "
        "for the largest is assumed, in stages of 32 thousand more. The start of the warm-up is not given: 0.",
    ),
    "llama-3-405b": Published(
        "Llama 3 405B",
        Schedule(linear(8_000, start=0.0, to=8e-5), cosine(to=8e-7)),
        {"total_steps": 1_200_000},
        "arXiv 2407.21783, section 3.4.1 (Llama team, The Llama 3 herd of models), as others quote it",
        secondary=True,
        note="The numbers were taken from quotations, not from the paper itself. The 1,200,000 steps are taken to "
        "include the warm-up, and the warm-up to start at 0. The batch doubled twice, from 4 to 16 million tokens, so "
        "a step has no fixed number of them. A last anneal to 0 over 40 million tokens is left out.",
    ),
    "nanogpt": Published(
        "GPT-2 124M in nanoGPT",
        Schedule(linear(2_000, start=6e-4 / 2_001, to=6e-4), cosine(to=6e-5)),
        {"total_steps": 600_000, "tokens_per_step": 491_520},
        "nanoGPT, train.py and config/train_gpt2.py (Karpathy; get_lr as of commit dc81cb3)",
        note="The warm-up is 6e-4 (t + 1) / 2,001, so no step has rate 0. 491,520 tokens are 12 x 1,024 in each of 5 "
        "accumulated batches on 8 GPUs.",
    ),
    "tinyllama": Published(
        "TinyLlama 1.1B",
        Schedule(linear(2_000, start=0.0, to=4e-4), cosine(to=4e-5)),
        {"total_steps": 1_430_512, "tokens_per_step": 2_097_152},
        "arXiv 2401.02385, section 2 and pretrain/tinyllama.py (Zhang et al., TinyLlama)",
        note="3 trillion tokens in steps of 1,024 x 2,048. The program sets the rate for every accumulated batch, and "
        "an update uses that of its last one: with 8 of them step t has the rate of this schedule at t + 7/8.",
    ),
    "mpt-7b": Published(
        "MPT-7B's configuration",
        Schedule(linear(100, start=0.0, to=1.2e-4), cosine(to=1.2e-5)),
        {"total_steps": 63_900, "tokens_per_step": 2_097_152},
        "llm-foundry, scripts/train/yamls/pretrain/mpt-7b.yaml (MosaicML)",
        note="134 billion tokens in steps of 1,024 x 2,048: the configuration that is published for a model of this "
        "size, not the run over 1 trillion tokens behind the released weights.",
    ),
    "olmo2-7b": Published(
        "OLMo 2 7B, stage 1",
        Schedule(linear("8.388608Btok", start=0.0, to=3e-4), cosine("4.991611392Ttok", to=3e-5)),
        {"total_steps": 1_192_093, "tokens_per_step": 4_194_304},
        "arXiv 2501.00656 and OLMo, configs/official-1124/OLMo2-7B-stage1.yaml (OLMo team)",
        note="The cosine is laid out for 5 trillion tokens; the run stopped at step 928,646, after 3.9 trillion, to go "
        "on with stage 2. The program counts a batch before its update, so step t has the rate of this schedule at "
        "t + 1.",
    ),
    "bloom-176b": Published(
        "BLOOM 176B",
        Schedule(linear("183105sp", start=0.0, to=6e-5), cosine("199816895sp", to=6e-6), hold()),
        {"total_steps": 107_421, "samples_per_step": 2_048},
        "arXiv 2211.05100, table 3 and bigscience, train/tr11-176B-ml/tr11-176B-ml.slurm (BigScience)",
        note="The cosine ends at 200 million samples of 2,048 tokens, counted from the first; the configured run has "
        "220 million, and training stopped at about 179 million (366 billion tokens). The batch grew from 192 to "
        "2,048 samples over the first 9.8 million; here each step has 2,048, so the early steps are fewer.",
    ),
    "pythia-410m": Published(
        "Pythia 410M",
        warmup_cosine(peak=3e-4, warmup="1%", floor=3e-5),
        _PYTHIA_RUN,
        _PYTHIA_SOURCE,
        note="As the configuration says it; what GPT-NeoX made of it then is pythia-as-run.",
    ),
    "pythia-as-run": Published(
        "Pythia 410M in GPT-NeoX",
        Schedule(
            linear("1%", start=0.0, to=3e-4), section(cosine(143_000, to=0.0), duration=113_709), hold(start=3e-5)
        ),
        _PYTHIA_RUN,
        _PYTHIA_SOURCE,
        note="GPT-NeoX, until its pull request 1008 of August 2023, took a cosine to 0 over all 143,000 steps and cut "
        "it at the floor, which it comes to at step 115,139.",
    ),
    "wsd-60": Published(
        "WSD, 60 % cooldown",
        Schedule(linear(300, start=1e-5, to=1e-3), hold(), linear("60%", to=0.0)),
        {"total_steps": 50_000},
        "arXiv 2501.18965 and lr-scheduling, data/ann124-0.6_slimpajama_*_lr0.001_*_iter50000_*.json (Schaipp et al.)",
        note="A Llama of 124 million parameters on SlimPajama, as its log has it. The final loss was 2.953, against "
        "2.966 with a linear cooldown of 20 %, 2.960 with one of 20 % by 1 - sqrt, and 2.964 with a cosine to 1e-7. "
        "The warm-up starts at a hundredth of the peak.",
    ),
    "vit-s16": Published(
        "ViT-S/16 in big_vision",
        warmup_cosine(peak=1e-3, warmup=10_000),
        {"total_steps": 111_476, "samples_per_step": 1_024},
        "arXiv 2205.01580 and big_vision, configs/vit_s16_i1k.py (Beyer et al., Better plain ViT baselines)",
        note="90 epochs of train[:99%] of ImageNet-1k, 1,268,355 images, in batches of 1,024: 111,476.5 steps, rounded "
        "down as its train.py did then. An epoch is not a whole number of steps.",
    ),
    "deit": Published(
        "DeiT on ImageNet-1k",
        Schedule(
            section(
                hold(1, start=1e-6),
                linear(5, to=1e-3),
                section(cosine(300, start=1e-3, to=1e-5), skip=5),
                tick="1ep",
            )
        ),
        {"epochs": 300, "steps_per_epoch": 1_251, "samples_per_step": 1_024},
        "arXiv 2012.12877, table 9 and deit, main.py with timm 0.3.2 (Touvron et al., DeiT)",
        note="The rate changes once an epoch, and after it, so epochs 0 and 1 both have 1e-6 and epoch e has timm's "
        "rate of epoch e - 1. timm's cosine runs unseen under the warm-up: the highest rate is 9.993e-4, not "
        "5e-4 x 1,024 / 512 = 1e-3. The option of 10 cooldown epochs has no effect: main.py stops after 300.",
    ),
    "convnext": Published(
        "ConvNeXt on ImageNet-1k",
        Schedule(linear("20ep", start=0.0, to=4e-3, endpoint=True), cosine(to=1e-6)),
        {"epochs": 300, "steps_per_epoch": 312, "samples_per_step": 4_096},
        "arXiv 2201.03545, table 5 and ConvNeXt, main.py (Liu et al., A ConvNet for the 2020s)",
        note="For a batch of 4,096; 1,281,167 images make 312 whole batches. The warm-up is numpy.linspace, so its "
        "last step and the first of the cosine both have the peak.",
    ),
}

_ALIASES = {
    "sgdr": "sgdr-10-2",
    "sgdrstep": "sgdr-step-0.05",
    "gpt3175b": "gpt-3",
    "llama3": "llama-3-405b",
    "gpt2": "nanogpt",
    "gpt2124m": "nanogpt",
    "mpt": "mpt-7b",
    "olmo2": "olmo2-7b",
    "bloom": "bloom-176b",
    "pythia": "pythia-410m",
    "vit": "vit-s16",
    "wsd": "wsd-60",
}
"""Other names that people type, without their punctuation."""


def recipe(name: str) -> Published:
    """The recipe of a published run, by its name; `ks.published(name)` is this function.

    Args:
        name: one of the names in `PUBLISHED`, in any case and with or without its hyphens, or a shorter name that can
            mean only one of them, such as "llama3".

    Raises:
        ArgumentError: no recipe has this name.
        ArgumentTypeError: not a string.

    Example:
        >>> import kosine as ks
        >>> ks.published("GPT3").schedule
        Schedule(linear("375Mtok", start=0.0, to=6e-05), cosine(until="260Btok", to=6e-06), hold())
    """
    return PUBLISHED[full_name(name)]


def full_name(name: str) -> str:
    """The name in `PUBLISHED` that a name means.

    Raises:
        ArgumentError: no recipe has this name.
        ArgumentTypeError: not a string.
    """
    if not isinstance(name, str):
        raise ArgumentTypeError("The name of a recipe must be a string.", received=name)
    known = {_plain(full): full for full in PUBLISHED} | _ALIASES
    full = known.get(_plain(name))
    if full is None:
        near = difflib.get_close_matches(_plain(name), known, n=1)
        raise ArgumentError(
            "No recipe has this name.",
            received=name,
            fix=f"{f'Did you mean {known[near[0]]!r}? ' if near else ''}`kosine recipes` lists them.",
        )
    return full


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()


class _Callable(ModuleType):
    def __call__(self, name: str) -> Published:
        return recipe(name)


sys.modules[__name__].__class__ = _Callable
