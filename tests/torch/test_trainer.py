"""A Trainer with a schedule: the update of step t applies plan(t), and the plan is as long as the Trainer's run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from transformers.trainer_pt_utils import LayerWiseDummyOptimizer

import kosine as ks
from kosine.torch import PlanLR, with_schedule
from tests.support.trainer_probe import Counts, Model, samples, settings

UPDATES = 12
LR = ks.warmup_cosine(peak=0.1, warmup="25%", warmup_start=0.01)
TEXT = "warmup_cosine(peak=0.1, warmup='25%', warmup_start=0.01)"
PLAN = LR.plan(total_steps=UPDATES)
EPOCHS = ks.warmup_cosine(peak=0.1, warmup="1ep", warmup_start=0.01, floor=0.001)


class Unsized(torch.utils.data.IterableDataset):  # type: ignore[misc]
    def __iter__(self) -> Iterator[dict[str, torch.Tensor]]:
        while True:
            yield {"index": torch.tensor(0)}


def trained(
    folder: Path,
    lr: Any = LR,
    *,
    batches: int = 10,
    kind: type = transformers.Trainer,
    checkpoint: str | None = None,
    updates: int = UPDATES,
    given: dict[str, Any] | None = None,
    options: dict[str, Any] | None = None,
    **arguments: Any,
) -> tuple[Model, Any]:
    """A run of so many batches an epoch: its model, which knows the applied rates, and its Trainer."""
    model = Model(updates)
    data = samples(batches)
    run = with_schedule(kind, lr, **(options or {}))(
        model, settings(folder, **arguments), **{"train_dataset": data, "callbacks": [Counts], **(given or {})}
    )
    run.train(resume_from_checkpoint=checkpoint)
    return model, run


def rates(plan: ks.Plan, steps: range = range(UPDATES)) -> list[float]:
    return [plan(step) for step in steps]


class Own(transformers.Seq2SeqTrainer):  # type: ignore[misc]
    """Somebody's subclass of a subclass."""

    def compute_loss(self, *inputs: Any, **options: Any) -> Any:
        return super().compute_loss(*inputs, **options)


ACCUMULATED: dict[str, Any] = {
    "gradient_accumulation_steps": 4,
    "num_train_epochs": 4,
}  # 10 batches: updates of 4, 4 and 2
RUNS: dict[str, tuple[ks.Plan, dict[str, Any]]] = {
    "epochs": (PLAN, {"num_train_epochs": 2, "batches": 6}),
    "a part of an epoch": (PLAN, {"num_train_epochs": 1.5, "batches": 8}),
    "batches that do not divide": (PLAN, ACCUMULATED),
    "max_steps": (PLAN, {"max_steps": UPDATES}),
    "max_steps and accumulation": (PLAN, {"max_steps": UPDATES, "gradient_accumulation_steps": 2}),
    "text": (PLAN, {"lr": TEXT, **ACCUMULATED}),
    "a plan": (PLAN, {"lr": PLAN, **ACCUMULATED}),
    "epochs in the schedule": (
        EPOCHS.plan(total_steps=UPDATES, steps_per_epoch=3),
        {"lr": EPOCHS, **ACCUMULATED},
    ),
    "samples in the schedule": (
        ks.warmup_cosine(peak=0.1, warmup=3).plan(total_steps=UPDATES),
        {"lr": ks.warmup_cosine(peak=0.1, warmup="24sp"), **ACCUMULATED},  # 8 an update
    ),
    "tokens and time in the schedule": (
        ks.warmup_cosine(peak=0.1, warmup=3).plan(total_steps=UPDATES),
        {
            "lr": ks.Schedule(ks.linear("300tok", start=0.0, to=0.1), ks.cosine("4.5s", to=0.0)),
            "options": {"tokens_per_step": 100, "seconds_per_step": 0.5},
            **ACCUMULATED,
        },
    ),
    "data without a length": (
        PLAN,
        {"max_steps": UPDATES, "given": {"train_dataset": Unsized()}},
    ),
    "a subclass": (PLAN, {"kind": Own, **ACCUMULATED}),
    "twice": (PLAN, {"kind": with_schedule(Own, ks.constant(0.5)), **ACCUMULATED}),
}


@pytest.mark.parametrize("name", RUNS)
def test_every_update_applies_its_rate(name: str, tmp_path: Path) -> None:
    plan, run = RUNS[name]
    model, trainer = trained(tmp_path, **run)
    assert model.rates == rates(plan)
    assert trainer.state.global_step == UPDATES


def test_the_optimizer_may_be_the_users(tmp_path: Path) -> None:
    model = Model(UPDATES)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    run = with_schedule(transformers.Trainer, LR)(
        model,
        settings(tmp_path, **ACCUMULATED),
        train_dataset=samples(10),
        callbacks=[Counts],
        optimizers=(optimizer, None),
    )
    run.train()
    assert model.rates == rates(PLAN)


def test_a_second_run_of_the_same_trainer_begins_the_plan_anew(tmp_path: Path) -> None:
    model, run = trained(tmp_path, max_steps=5)
    torch.nn.init.zeros_(model.weight)
    run.args.max_steps = UPDATES
    run.train()
    assert model.rates == rates(PLAN)


def test_it_goes_on_from_a_checkpoint(tmp_path: Path) -> None:
    stopped: dict[str, Any] = {"save_strategy": "steps", "save_steps": 5, **ACCUMULATED}
    trained(tmp_path, **stopped)
    model, run = trained(tmp_path, checkpoint=str(tmp_path / "checkpoint-5"), **stopped)
    assert model.rates == rates(PLAN)
    assert run.lr_scheduler.last_epoch == UPDATES


def test_a_longer_run_goes_on_along_its_own_plan(tmp_path: Path) -> None:
    trained(tmp_path, save_strategy="steps", save_steps=5, max_steps=5, updates=24)
    with pytest.warns(ks.TrainingWarning) as caught:
        model, _ = trained(tmp_path, checkpoint=str(tmp_path / "checkpoint-5"), max_steps=24, updates=24)
    assert "another plan" in str(caught[0].message)
    begun, longer = LR.plan(total_steps=5), LR.plan(total_steps=24)
    assert model.rates == [*rates(begun, range(5)), *rates(longer, range(5, 24))]


def test_the_search_for_parameters_makes_the_model_anew(tmp_path: Path) -> None:
    models: list[Model] = []

    def model_init() -> Model:
        models.append(Model(UPDATES))
        return models[-1]

    run = with_schedule(transformers.Trainer, LR)(
        None,
        settings(tmp_path, **ACCUMULATED),
        model_init=model_init,
        train_dataset=samples(10),
        callbacks=[Counts],
    )
    run.train()
    run.train()
    assert [model.rates for model in models[-2:]] == [rates(PLAN)] * 2


def test_a_plan_of_another_length_is_spoken_of(tmp_path: Path) -> None:
    with pytest.warns(ks.TrainingWarning, match=r"for 40 steps, but the Trainer makes 12 updates\. Pass the schedule"):
        model, _ = trained(tmp_path, LR.plan(total_steps=40), **ACCUMULATED)
    assert model.rates == rates(LR.plan(total_steps=40))


def test_lint_speaks_of_the_plan_and_can_be_silent(tmp_path: Path) -> None:
    with pytest.warns(ks.TrainingWarning, match="K0"):
        trained(tmp_path, ks.constant(0.0), max_steps=2)
    run = with_schedule(transformers.Trainer, ks.constant(0.0), lint=False)(
        Model(2), settings(tmp_path, max_steps=2), train_dataset=samples(2)
    )
    run.train()


def test_other_numbers_follow_schedules_too(tmp_path: Path) -> None:
    model = Model(UPDATES)
    run = with_schedule(transformers.Trainer, LR, weight_decay="Schedule(linear(start=0.5, to=0.1))")(
        model, settings(tmp_path, **ACCUMULATED), train_dataset=samples(10), callbacks=[Counts]
    )
    run.train()
    expected = ks.Schedule(ks.linear(start=0.5, to=0.1)).plan(total_steps=UPDATES)
    weight = 0.0  # of the first update, which all later ones make smaller
    for step in range(UPDATES):
        weight -= PLAN(step) * (expected(step) * weight - (step == 0))
    assert model.rates[0] == pytest.approx(weight, rel=1e-12)


# --- what it refuses ---


@pytest.mark.parametrize(
    ("lr", "arguments", "kind", "pattern"),
    [
        (EPOCHS, {"given": {"train_dataset": Unsized()}}, ks.PlanError, r"epochs.*steps_per_epoch.*as a share"),
        (
            ks.warmup_cosine(peak=1, warmup="9s"),
            {},
            ks.PlanError,
            r"share .*with_schedule\(.*, seconds_per_step=\.\.\.\)",
        ),
        (ks.warmup_cosine(peak=1, warmup="9tok"), {}, ks.PlanError, r"tokens_per_step.*in steps, or as a share"),
        (ks.warmup_cosine(peak=1, warmup=99), {}, ks.PlanError, r"99"),
        (LR, {"lr_scheduler_type": "cosine"}, ks.TrainingError, r"lr_scheduler_type='cosine'\. Leave `lr_sche.* out"),
        (LR, {"lr_scheduler_type": "reduce_lr_on_plateau", "eval_strategy": "no"}, ValueError, r"eval"),
        (LR, {"warmup_steps": 0.1}, ks.TrainingError, r"warmup_steps=0\.1\. Leave `warmup_steps` out"),
        (LR, {"lr_scheduler_kwargs": {"num_cycles": 2}}, ks.TrainingError, r"Leave `lr_scheduler_kwargs` out"),
    ],
)
def test_what_cannot_work_is_refused_before_the_first_batch(
    lr: Any, arguments: dict[str, Any], kind: type[Exception], pattern: str, tmp_path: Path
) -> None:
    with pytest.raises(kind, match=pattern):
        trained(tmp_path, lr, max_steps=UPDATES, **arguments)


@pytest.mark.parametrize("build", [PlanLR, torch.optim.lr_scheduler.ConstantLR])
def test_a_second_scheduler_is_refused(build: Any, tmp_path: Path) -> None:
    model = Model(UPDATES)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    other = build(optimizer, LR.plan(total_steps=5)) if build is PlanLR else build(optimizer)
    run = with_schedule(transformers.Trainer, LR)(
        model,
        settings(tmp_path, max_steps=UPDATES),
        train_dataset=samples(2),
        optimizers=(optimizer, other),
    )
    with pytest.raises(ks.TrainingError, match=r"another scheduler.*optimizers=\(optimizer, None\)"):
        run.train()


def test_updates_layer_by_layer_are_refused(tmp_path: Path) -> None:
    run = with_schedule(transformers.Trainer, LR)(
        Model(UPDATES),
        settings(tmp_path, max_steps=UPDATES),
        train_dataset=samples(2),
        optimizers=(LayerWiseDummyOptimizer({}), None),
    )
    with pytest.raises(ks.TrainingError, match=r"layer by layer.*without `layerwise` in its name"):
        run.train()


@pytest.mark.parametrize(
    ("trainer", "lr", "kind", "pattern"),
    [
        (dict, LR, ks.ArgumentTypeError, r"`trainer` must be the class of a Hugging Face Trainer.*<class 'dict'>"),
        ("Trainer", LR, ks.ArgumentTypeError, r"with_schedule\(Trainer, lr\)\(model"),
        (transformers.Trainer, 0.1, ks.ArgumentTypeError, r"`lr` must be a kosine Schedule.*lr=0\.1"),
        (transformers.Trainer, "cosine", ks.NotationError, r"cosine"),
    ],
)
def test_mistakes_in_the_call(trainer: Any, lr: Any, kind: type[Exception], pattern: str) -> None:
    with pytest.raises(kind, match=pattern):
        with_schedule(trainer, lr)


def test_the_class_keeps_its_name_and_place() -> None:
    made = with_schedule(Own, LR)
    assert issubclass(made, Own)
    assert (made.__name__, made.__module__, made.__doc__) == (Own.__name__, Own.__module__, Own.__doc__)
