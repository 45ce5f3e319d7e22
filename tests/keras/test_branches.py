"""A checkpoint goes on along a plan that was made from the plan of its run, and speaks up where the past differs."""

import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras.optimizers import SGD, MultiOptimizer, OptimizerMap

import kosine as ks
from kosine.keras import LearningRateCallback, LearningRateSchedule, layer_rates, plan_of, set_plan
from kosine.testing.keras import AppliedRates, probe_data, probe_model
from tests.support.branches import AT, BRANCHES, COSINE, EPOCH, OTHER_PASTS, PARENT, STAIRS
from tests.support.keras_probe import STEPS, Crash, assert_follows, compiled, fit, warned

assert STEPS == EPOCH
COOLDOWN, REWARM = BRANCHES["cooldown"][1], BRANCHES["rewarm"]


def follow(plan: ks.Plan) -> LearningRateCallback:
    return LearningRateCallback(plan, lint=False)


def to_the_end(plan: ks.Plan) -> dict[str, int]:
    assert plan.total_steps is not None
    return {"initial_epoch": AT // EPOCH, "epochs": plan.total_steps // EPOCH}


def assert_goes_on(applied: Any, plan: ks.Plan) -> None:
    assert plan.total_steps is not None
    assert_follows(applied, plan, first=AT, count=plan.total_steps - AT)


def weights(model: Any) -> list[Any]:
    return [keras.ops.convert_to_numpy(variable) for variable in model.variables]


def scheduled(plan: ks.Plan) -> Any:
    """A model whose optimizer holds the plan."""
    return compiled(SGD(LearningRateSchedule(plan)))


# The callback


@pytest.mark.parametrize("name", ["cooldown", "stretch", "rewarm"])
def test_a_backup_goes_on_along_a_branch(name: str, tmp_path: Path) -> None:
    parent, branch = BRANCHES[name]
    stopped, whole = compiled(), AppliedRates()
    x, y = probe_data(STEPS)
    with suppress(ConnectionAbortedError):
        stopped.fit(
            x,
            y,
            batch_size=2,
            epochs=4,
            shuffle=False,
            verbose=0,
            callbacks=[follow(parent), keras.callbacks.BackupAndRestore(tmp_path), Crash(2, 5), whole],
        )
    assert_follows(whole.rates, parent, count=AT)

    begun: list[Any] = []

    class Start(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            begun.append(weights(self.model))

    backup = keras.callbacks.BackupAndRestore(tmp_path)
    messages, applied = warned(compiled(), follow(branch), backup, Start(), epochs=to_the_end(branch)["epochs"])
    assert messages == []
    assert_goes_on(applied, branch)
    again = compiled()  # the weights that it went on from are those of a run of the parent alone
    fit(again, follow(parent), epochs=AT // EPOCH)
    for restored, trained in zip(begun[0], weights(again), strict=True):
        np.testing.assert_array_equal(restored, trained)


@pytest.mark.parametrize("kind", ["model", "weights"])
def test_a_file_goes_on_along_a_branch(kind: str, tmp_path: Path) -> None:
    model, file = compiled(), tmp_path / ("run.keras" if kind == "model" else "run.weights.h5")
    fit(model, follow(REWARM[0]), epochs=AT // EPOCH)
    if kind == "model":
        model.save(file)
        again = keras.saving.load_model(file)
    else:
        model.save_weights(file)
        again = compiled()
        again.optimizer.build(again.trainable_variables)
        again.load_weights(file)
    messages, applied = warned(again, follow(REWARM[1]), **to_the_end(REWARM[1]))
    assert messages == []
    assert_goes_on(applied, REWARM[1])


@pytest.mark.parametrize("name", ["a branch before the checkpoint", "a section around a rest"])
def test_another_past_is_reported_with_both_rates_and_the_fix(name: str) -> None:
    parent, other, _ = OTHER_PASTS[name]
    model = compiled()
    fit(model, follow(parent), epochs=AT // EPOCH)
    (message,), applied = warned(model, follow(other), **to_the_end(other))
    assert message.startswith(
        f"The run jumps: the optimizer's last rate was {parent(AT - 1):.6g}, and the schedule has {other(AT - 1):.6g} "
    )
    assert f"make the branch from the plan that the run began with, at step {AT} or later" in message
    assert_goes_on(applied, other)


def test_parts_of_a_model_go_on_along_a_branch_and_name_the_part_whose_past_is_another() -> None:
    def model_of_parts() -> Any:
        return compiled(layer_rates(SGD, {"backbone/.*": 0.1}), ("backbone", "probe"))

    model = model_of_parts()
    fit(model, follow(PARENT), epochs=AT // EPOCH)
    backbone = AppliedRates("backbone")
    messages, applied = warned(model, follow(COOLDOWN), backbone, **to_the_end(COOLDOWN))
    assert messages == []
    assert_goes_on(applied, COOLDOWN)
    assert_goes_on(backbone.rates, 0.1 * COOLDOWN)

    schedules = {"probe/.*": PARENT, "backbone/.*": PARENT}
    model = model_of_parts()
    fit(model, LearningRateCallback(schedules, lint=False), epochs=AT // EPOCH)
    other = LearningRateCallback({**schedules, "backbone/.*": STAIRS}, lint=False)
    (message,), _ = warned(model, other, **to_the_end(PARENT))
    name = next(each.name for each in model.optimizer.optimizers if "backbone" in each._trainable_variables[0].path)
    assert f"the last rate of {name} was 0.1, and the schedule has 0.05 at that step; it goes on with 0.025" in message


# The schedule in the optimizer


def test_the_plan_in_the_optimizer_of_a_file_is_set_to_a_branch(tmp_path: Path) -> None:
    model = scheduled(PARENT)
    fit(model, epochs=AT // EPOCH)
    model.save(tmp_path / "run.keras")
    for again in (keras.saving.load_model(tmp_path / "run.keras"), model):  # the second one is traced already
        before = weights(again)
        branch = plan_of(again).cooldown(at="2ep", over="1ep")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            set_plan(again, branch)
        assert plan_of(again) == branch == COOLDOWN
        for restored, trained in zip(weights(again), before, strict=True):
            np.testing.assert_array_equal(restored, trained)
        assert_goes_on(fit(again, **to_the_end(branch)), branch)
    again.save(tmp_path / "run.keras")
    assert plan_of(keras.saving.load_model(tmp_path / "run.keras")) == branch


def test_weights_and_a_backup_go_on_with_the_branch_in_the_optimizer(tmp_path: Path) -> None:
    backup = keras.callbacks.BackupAndRestore(tmp_path, delete_checkpoint=False)
    fit(scheduled(COSINE), backup, epochs=AT // EPOCH)
    branch = COSINE.extend(total_steps=5 * EPOCH, at=AT, how="stretch")
    model = scheduled(branch)
    assert_goes_on(fit(model, keras.callbacks.BackupAndRestore(tmp_path), epochs=5), branch)


def test_an_offset_stays() -> None:
    model = compiled(SGD(LearningRateSchedule(PARENT, STEPS)))
    fit(model, epochs=1 + AT // EPOCH)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        set_plan(model, COOLDOWN)
    assert_goes_on(fit(model, epochs=1), COOLDOWN)


def test_a_plan_with_another_past_is_set_with_a_warning_that_names_the_first_step_and_the_fix() -> None:
    parent, other, first = OTHER_PASTS["a branch before the checkpoint"]
    model = scheduled(parent)
    fit(model, epochs=AT // EPOCH)
    with pytest.warns(ks.TrainingWarning) as caught:
        set_plan(model, other)
    (message,) = [str(warning.message) for warning in caught]
    assert message.startswith(
        f"The run has done 20 steps along another plan: at step {first} the rate was {parent(first):.6g}, and the plan "
        f"that was set has {other(first):.6g} there. The two plans are the same before step {first}: go on from"
    )
    assert "`plan.cooldown(at=20, over=...)`" in message
    assert caught[0].filename == __file__
    assert_goes_on(fit(model, **to_the_end(other)), other)


def parts(head: ks.Plan, backbone: ks.Plan) -> Any:
    """A model with two parts, each of which has an optimizer with a plan."""
    sgd = {"head": SGD(LearningRateSchedule(head)), "backbone": SGD(LearningRateSchedule(backbone))}
    return compiled(MultiOptimizer(OptimizerMap(sgd["head"], {"backbone/.*": sgd["backbone"]})), ("backbone", "probe"))


def test_parts_with_the_same_plan_go_on_together() -> None:
    model = parts(PARENT, PARENT)
    fit(model, epochs=AT // EPOCH)
    set_plan(model, COOLDOWN)
    backbone = AppliedRates("backbone")
    assert_goes_on(fit(model, backbone, **to_the_end(COOLDOWN)), COOLDOWN)
    assert_goes_on(backbone.rates, COOLDOWN)


def test_what_cannot_be_set() -> None:
    model = compiled()
    with pytest.raises(ks.TrainingError, match=r"LearningRateSchedule of kosine.*SGD.*LearningRateCallback"):
        set_plan(model, PARENT)
    with pytest.raises(ks.TrainingError, match="Received: no optimizer"):
        plan_of(probe_model(STEPS, ("probe",)))
    model = scheduled(PARENT)
    with pytest.raises(ks.ArgumentTypeError, match="must be a kosine Plan, such as a branch of `plan_of"):
        set_plan(model, PARENT.schedule)  # type: ignore[arg-type]
    with pytest.raises(ks.TrainingError, match=r"follow different plans.*Set each one's: `optimizer\.learning_rate ="):
        set_plan(parts(PARENT, COSINE), COOLDOWN)
    assert plan_of(model) == PARENT
