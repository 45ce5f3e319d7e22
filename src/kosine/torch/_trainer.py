"""Hugging Face's Trainer along a schedule that is planned for the updates which the Trainer counts itself.

This file needs no transformers: it overrides two methods of whatever class of Trainer it is given.
"""

from __future__ import annotations

import dataclasses
import warnings
from typing import Any, TypeVar

from kosine._core.schedule import Plan, Schedule
from kosine._core.text_form import parse
from kosine.errors import ArgumentTypeError, Described, PlanError, TrainingError, TrainingWarning, shown
from kosine.torch._scheduler import PlanLR

TrainerClass = TypeVar("TrainerClass", bound=type)

_RIVALS = ("lr_scheduler_type", "lr_scheduler_kwargs", "warmup_steps", "warmup_ratio")
"""Training arguments that choose transformers' own schedule."""

_UNKNOWN = ("tokens_per_step", "seconds_per_step")
"""What a Trainer does not know of its updates."""


def with_schedule(trainer: TrainerClass, lr: Schedule | Plan | str, **options: Any) -> TrainerClass:
    """The class of a Hugging Face Trainer whose runs follow a schedule.

    It is a subclass of `trainer` with the same name, arguments and methods: `Trainer`, `Seq2SeqTrainer`, TRL's
    `SFTTrainer`, or your own. At the start of `train()` the schedule is planned for the number of updates that the
    Trainer counts: from `num_train_epochs` or `max_steps`, the data, the batch size, the gradient accumulation and the
    devices. A step is an update, and the update of step t uses plan(t). An epoch ("1ep") is the Trainer's number of
    updates in an epoch, ceil(batches / accumulation), and a sample counts as in its total batch size.

    Rates are absolute: the highest is the schedule's. The optimizer is the Trainer's own, or that of
    `optimizers=(optimizer, None)`. Its `lr`, such as `TrainingArguments(learning_rate=...)`, matters only as the ratio
    between param groups, as `PlanLR` says. A checkpoint holds the step and the plan, so `resume_from_checkpoint` goes
    on where the run was. A resumed run of another length follows its own plan from that step on, and warns.

    Args:
        trainer: the class, not an instance of it.
        lr: the schedule, or its text form; or a plan, for a run whose number of updates is settled.
        options: further arguments of `PlanLR`: `lint=False`, `watch=False`, `relative=True`, or what another number in
            the param groups follows, such as `weight_decay="constant(0.1)"`; and `tokens_per_step` and
            `seconds_per_step`, for durations in tokens and in time: the Trainer knows neither.

    Returns:
        The class: call it as you would call `trainer`.

    Raises:
        ArgumentTypeError: `trainer` is no class with the method `create_scheduler`; or `lr` is no schedule.
        NotationError, ScheduleError: `lr` is a text that is no schedule.
        TrainingError: `count`, which the Trainer cannot do.

    At the start of `train()`, before the first batch, its Trainer raises:

    - PlanError where the schedule does not fit into the run, or has a duration that the Trainer cannot convert: epochs
      of data without a length, or tokens and time without their options;
    - TrainingError where something else sets the rate: a scheduler in `optimizers` or in DeepSpeed's configuration, or
      `lr_scheduler_type`, `lr_scheduler_kwargs` or `warmup_steps` in the training arguments; or where the optimizer
      updates layer by layer, outside of what a scheduler reaches.

    It warns with a TrainingWarning where a plan is not as long as the run, and of what `PlanLR` warns of.

    Example:
        >>> import torch
        >>> import transformers
        >>> import kosine as ks
        >>> class Line(torch.nn.Linear):
        ...     def forward(self, x, y):
        ...         return {"loss": (super().forward(x) - y).square().mean()}
        >>> data = [{"x": torch.ones(1), "y": torch.ones(1)}] * 30
        >>> arguments = transformers.TrainingArguments(
        ...     "run", num_train_epochs=2, per_device_train_batch_size=4, gradient_accumulation_steps=4, use_cpu=True,
        ...     logging_steps=1, save_strategy="no", report_to="none", disable_tqdm=True
        ... )
        >>> lr = ks.warmup_cosine(peak=0.1, warmup="1ep")
        >>> trainer = ks.torch.with_schedule(transformers.Trainer, lr)(Line(1, 1), arguments, train_dataset=data)
        >>> trainer.remove_callback(transformers.PrinterCallback)
        >>> _ = trainer.train()  # 8 batches an epoch, 4 an update
        >>> [round(entry["learning_rate"], 5) for entry in trainer.state.log_history if "learning_rate" in entry]
        [0.0, 0.05, 0.1, 0.05]
    """
    if not isinstance(trainer, type) or not callable(getattr(trainer, "create_scheduler", None)):
        raise ArgumentTypeError(
            argument="trainer",
            rule="the class of a Hugging Face Trainer, which has the method `create_scheduler`",
            received=trainer,
            fix="Write with_schedule(Trainer, lr)(model, ...).",
        )
    if options.get("count", "steps") != "steps":
        raise TrainingError(
            "A Trainer steps its scheduler without a number, so a step of the plan is an update.",
            received={"count": options["count"]},
            fix="Leave `count` out, and plan with the mean `tokens_per_step` or `samples_per_step`.",
        )
    schedule = _read(lr)
    if not isinstance(schedule, Schedule | Plan):
        raise ArgumentTypeError(argument="lr", rule="a kosine Schedule, its text form, or a Plan", received=lr)
    bases = (trainer,) if issubclass(trainer, _Scheduled) else (_Scheduled, trainer)
    names = {name: getattr(trainer, name) for name in ("__module__", "__qualname__", "__doc__")}
    follows = {
        "_kosine_schedule": schedule,
        "_kosine_options": {name: _read(value) for name, value in options.items()},
    }
    return type(trainer)(trainer.__name__, bases, {**names, **follows})


def _read(value: Any) -> Any:
    return parse(value) if isinstance(value, str) else value


class _Scheduled:
    """What comes before the methods of a Trainer's class."""

    _kosine_schedule: Schedule | Plan
    _kosine_options: dict[str, Any]
    _kosine_size: dict[str, Any]

    args: Any
    optimizer: Any
    lr_scheduler: Any

    def set_initial_training_values(self, args: Any, dataloader: Any, *more: Any, **named: Any) -> Any:
        """The Trainer's counts; those of an epoch and of a batch are noted for the plan."""
        counts = super().set_initial_training_values(args, dataloader, *more, **named)  # type: ignore[misc]
        _, per_epoch, _, _, samples, *_ = counts
        self._kosine_size = {"samples_per_step": samples}
        if _has_length(dataloader):  # for data without a length the Trainer takes the whole run as an epoch
            self._kosine_size["steps_per_epoch"] = per_epoch
        return counts

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """The scheduler that follows the plan for so many updates."""
        _refuse_rivals(self.args)
        optimizer = self.optimizer if optimizer is None else optimizer
        _refuse_layerwise(optimizer)
        own = {name: value for name, value in self._kosine_options.items() if name in _UNKNOWN}
        size = {"total_steps": num_training_steps, **getattr(self, "_kosine_size", {}), **own}
        plan = _planned(self._kosine_schedule, size)
        there = getattr(self.lr_scheduler, "scheduler", self.lr_scheduler)  # DeepSpeed's wrapper has ours inside
        if there is None:
            options = {name: _planned(value, size) for name, value in self._kosine_options.items()}
            self.lr_scheduler = PlanLR(optimizer, plan, **options)
            self._created_lr_scheduler = True  # the next `train()` makes its own
        elif not isinstance(there, PlanLR) or there.plan != plan:
            raise TrainingError(
                "The Trainer has another scheduler than the schedule's.",
                received=there,
                fix="Leave it out: pass optimizers=(optimizer, None), and a configuration of DeepSpeed without a "
                "`scheduler`.",
            )
        return self.lr_scheduler


def _has_length(dataloader: Any) -> bool:
    try:
        return len(dataloader) > 0
    except (TypeError, NotImplementedError):
        return False


def _planned(value: Any, size: dict[str, Any]) -> Any:
    """The plan of a schedule for the Trainer's run; a plan, and what is neither, as it is."""
    updates = size["total_steps"]
    if isinstance(value, Plan) and value.total_steps not in (None, updates):
        warnings.warn(
            f"The plan is for {value.total_steps:,} steps, but the Trainer makes {updates:,} updates. Pass the "
            "schedule instead of a plan.",
            TrainingWarning,
            stacklevel=3,
        )
    if not isinstance(value, Schedule):
        return value
    try:
        return value.plan(**size)
    except PlanError as error:
        if error.missing not in ("steps_per_epoch", *_UNKNOWN):
            raise
        option = f" Or give it: with_schedule(Trainer, lr, {error.missing}=...)." if error.missing in _UNKNOWN else ""
        raise error.changed(
            fix="Trainer does not know it for this data: write the duration in steps, or as a share of the run such "
            f'as "10%".{option}'
        ) from error


def _refuse_rivals(arguments: Any) -> None:
    """Refuse training arguments that choose a schedule; a Trainer's own defaults are nobody's choice."""
    defaults = {field.name: field.default for field in dataclasses.fields(arguments)}
    for name in _RIVALS:
        value = getattr(arguments, name, None)
        if name in defaults and value != defaults[name] and value is not None:
            raise TrainingError(
                "The learning rate follows the schedule, not the training arguments.",
                received={name: getattr(value, "value", value)},
                fix=f"Leave `{name}` out.",
            )


def _refuse_layerwise(optimizer: Any) -> None:
    """Refuse transformers' stand-in for an optimizer: one of its own for each parameter is behind it."""
    while optimizer is not None:
        if hasattr(optimizer, "optimizer_dict"):
            raise TrainingError(
                "An optimizer that updates layer by layer cannot follow a schedule: its param groups are out of a "
                "scheduler's reach.",
                received=Described(shown(type(optimizer).__name__)),
                fix="Choose an `optim` without `layerwise` in its name.",
            )
        optimizer = getattr(optimizer, "optimizer", None)
