"""A range test trains along its plan, notes the loss of each batch, and leaves everything as it was, bit for bit."""

import random
import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest

import kosine as ks
from kosine.keras import LearningRateSchedule, range_test
from kosine.testing.keras import minus_mean, probe_data, probe_model
from tests.support.keras_probe import BACKEND, LR, assert_follows

SAMPLES, FEATURES, BATCH = 96, 6, 8
SETTINGS: dict[str, Any] = {"steps": 20, "seeds": 2, "low": 1e-4, "high": 0.05, "verbose": 0}


def numbers() -> tuple[Any, Any]:
    generator = np.random.default_rng(5)
    x = generator.normal(size=(SAMPLES, FEATURES)).astype("float32")
    return x, np.tanh(x @ generator.normal(size=(FEATURES, 1))).astype("float32")


X, Y = numbers()
ARRAYS = {"x": X, "y": Y, "batch_size": BATCH}


def dense(*layers: Any, units: int = 1, **compile_arguments: Any) -> Any:
    """A small model with the same weights each time."""
    keras.utils.set_random_seed(7)
    model = keras.Sequential([keras.Input((FEATURES,)), keras.layers.Dense(5, "tanh"), *layers,
        keras.layers.Dense(units)])  # fmt: skip
    model.compile(**{"optimizer": keras.optimizers.Adam(0.01), "loss": "mse", **compile_arguments})
    return model


# --- all is as before ---


class Situation(NamedTuple):
    """What a range test is done with."""

    build: Callable[[], Any]
    data: Callable[[], dict[str, Any]] = lambda: dict(ARRAYS)
    trained: bool = False
    """Whether the model was trained before."""


def state_of(model: Any) -> list[bytes]:
    """Every variable of a model and its optimizer, and the random numbers that a program would draw next."""
    variables = [*model.variables, *model.metrics_variables, *model.optimizer.variables]
    values = [np.asarray(keras.ops.convert_to_numpy(each)).tobytes() for each in variables]
    return [*values, repr(model.optimizer.built).encode(), repr(random.getstate()).encode(),
        repr(np.random.get_state()).encode(), *framework_state()]  # fmt: skip


def framework_state() -> list[bytes]:
    from keras.src.backend.common import global_state

    found = [repr(getattr(global_state.GLOBAL_STATE_TRACKER, "global_random_seed", None)).encode()]
    generator = getattr(global_state.GLOBAL_STATE_TRACKER, "global_seed_generator", None)
    if generator is not None:
        found.append(np.asarray(keras.ops.convert_to_numpy(generator.state)).tobytes())
    if "torch" in sys.modules:
        found.append(sys.modules["torch"].get_rng_state().numpy().tobytes())
    if "tensorflow" in sys.modules:
        context = sys.modules["tensorflow.python.eager.context"]
        found += [repr(context.global_seed()).encode(), repr(context.context()._rng.getstate()).encode()]
    return found


def attributes_of(model: Any) -> list[dict[str, int]]:
    """Which objects stand in the attributes of a model and of its optimizer."""
    owners = [model, model.optimizer, getattr(model.optimizer, "inner_optimizer", None)]
    return [{name: id(value) for name, value in vars(owner).items()} for owner in owners if owner is not None]


def weights_after_fit(model: Any, data: dict[str, Any]) -> list[Any]:
    model.fit(**data, epochs=1, verbose=0, shuffle=isinstance(data["x"], np.ndarray | keras.utils.PyDataset))
    return [np.array(keras.ops.convert_to_numpy(each)) for each in [*model.variables, *model.optimizer.variables]]


def assert_nothing_changes(situation: Situation, test: Callable[[Any, dict[str, Any]], None]) -> None:
    model, other = situation.build(), None
    data = situation.data()
    if situation.trained:
        model.fit(**data, epochs=1, verbose=0)
    keras.utils.set_random_seed(11)
    before, attributes = state_of(model), attributes_of(model)
    test(model, data)
    assert state_of(model) == before
    assert attributes_of(model) == attributes
    after = weights_after_fit(model, data)
    other, data = situation.build(), situation.data()
    if situation.trained:
        other.fit(**data, epochs=1, verbose=0)
    keras.utils.set_random_seed(11)
    without = weights_after_fit(other, data)
    assert [each.tobytes() for each in after] == [each.tobytes() for each in without]


def one_test(model: Any, data: dict[str, Any]) -> None:
    result = range_test(model, **data, **SETTINGS)
    assert all(len(losses) >= 10 for losses in result.losses)
    assert result.losses[0][0] != result.losses[1][0]  # another order of the data


class Shuffled(keras.utils.PyDataset):  # type: ignore[misc]
    """Data that shuffles itself in place at each epoch, with generators of its own, and augments."""

    def __init__(self) -> None:
        super().__init__()
        self.order, self.generator, self.python = np.arange(SAMPLES), np.random.default_rng(3), random.Random(4)
        self.epochs = [0]

    def __len__(self) -> int:
        return SAMPLES // BATCH

    def __getitem__(self, number: int) -> Any:
        chosen = self.order[number * BATCH : (number + 1) * BATCH]
        return X[chosen] * np.float32(self.python.uniform(0.9, 1.1)), Y[chosen]

    def on_epoch_end(self) -> None:
        self.epochs[0] += 1
        self.generator.shuffle(self.order)


def shuffled_dataset() -> dict[str, Any]:
    import tensorflow as tf

    keras.utils.set_random_seed(11)
    return {"x": tf.data.Dataset.from_tensor_slices((X, Y)).shuffle(SAMPLES).batch(BATCH)}


def loader() -> dict[str, Any]:
    import torch

    data = torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(Y))
    generator = torch.Generator().manual_seed(3)
    return {"x": torch.utils.data.DataLoader(data, batch_size=BATCH, shuffle=True, generator=generator)}


def parts() -> Any:
    sgd = keras.optimizers.SGD
    return keras.optimizers.MultiOptimizer(keras.optimizers.OptimizerMap(sgd(0.1, 0.9), {".*bias": sgd(0.02)}))


def half_precision() -> Any:
    keras.utils.set_random_seed(7)
    policy = keras.DTypePolicy("mixed_float16")
    inner = keras.optimizers.SGD(0.01, momentum=0.9)
    model = keras.Sequential([keras.Input((FEATURES,)), keras.layers.Dense(5, "tanh", dtype=policy),
        keras.layers.Dense(1, dtype=policy), keras.layers.Activation("linear", dtype="float32")])  # fmt: skip
    model.compile(keras.optimizers.LossScaleOptimizer(inner, initial_scale=2.0**10, dynamic_growth_steps=7), "mse")
    return model


def without_input() -> Any:
    keras.utils.set_random_seed(7)
    model = keras.Sequential([keras.layers.Dense(5, "tanh"), keras.layers.Dropout(0.3, seed=3), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
    return model


def schedule() -> Any:
    return keras.optimizers.SGD(LearningRateSchedule(LR.plan(epochs=4, steps_per_epoch=10)), momentum=0.9)


sgd = keras.optimizers.SGD
SITUATIONS = {
    "Adam, not built": Situation(dense),
    "BatchNormalization, momentum, metrics": Situation(
        lambda: dense(keras.layers.BatchNormalization(), optimizer=sgd(0.01, momentum=0.9), metrics=["mae"]),
        trained=True,
    ),
    "Dropout": Situation(lambda: dense(keras.layers.Dropout(0.4, seed=3))),
    "loss scaling": Situation(half_precision, trained=True),
    "accumulation": Situation(lambda: dense(optimizer=sgd(0.01, gradient_accumulation_steps=3))),
    "a schedule in the optimizer": Situation(lambda: dense(optimizer=schedule())),
    "sample weights": Situation(dense, lambda: {**ARRAYS, "sample_weight": np.linspace(0, 2, SAMPLES)}),
    "class weights": Situation(
        lambda: dense(units=2, loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True)),
        lambda: {**ARRAYS, "y": (Y > 0).astype("int32"), "class_weight": {0: 1.0, 1: 3.0}},
    ),
    "PyDataset": Situation(lambda: dense(keras.layers.Dropout(0.4, seed=3)), lambda: {"x": Shuffled()}),
    "a model without weights": Situation(without_input),
}
if hasattr(keras.optimizers, "MultiOptimizer"):
    SITUATIONS["MultiOptimizer"] = Situation(lambda: dense(optimizer=parts()))
if BACKEND == "tensorflow":
    SITUATIONS["tf.data"] = Situation(dense, shuffled_dataset)
if BACKEND == "torch":
    SITUATIONS["DataLoader"] = Situation(dense, loader)


@pytest.mark.parametrize("name", SITUATIONS)
def test_all_is_as_before(name: str) -> None:
    if name == "a model without weights":  # it has those of its first `fit` afterwards
        model, other = without_input(), without_input()
        one_test(model, ARRAYS)
        keras.utils.set_random_seed(11)
        after = weights_after_fit(model, ARRAYS)
        keras.utils.set_random_seed(11)
        assert all(map(np.array_equal, after, weights_after_fit(other, ARRAYS)))
    else:
        assert_nothing_changes(SITUATIONS[name], one_test)


@pytest.mark.parametrize("error", [ConnectionAbortedError, KeyboardInterrupt])
def test_all_is_as_before_after_an_error(error: type[BaseException], monkeypatch: pytest.MonkeyPatch) -> None:
    from kosine._analysis.finder.divergence import Divergence

    calls = [0]
    add = Divergence.add

    def failing(self: Divergence, loss: float) -> bool:
        calls[0] += 1
        if calls[0] == 33:  # in the middle of the second seed
            raise error("power cut")
        return add(self, loss)

    def fails(model: Any, data: dict[str, Any]) -> None:
        monkeypatch.setattr(Divergence, "add", failing)
        with pytest.raises(error):
            range_test(model, **data, **SETTINGS)
        monkeypatch.undo()

    assert_nothing_changes(
        Situation(lambda: dense(keras.layers.Dropout(0.4, seed=3)), lambda: {"x": Shuffled()}), fails
    )


# --- the rates ---


@pytest.mark.parametrize("accumulate", [None, 4])
def test_the_rates_are_applied(accumulate: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = 20
    batches = steps * (accumulate or 1)
    model, (x, y) = probe_model(batches), probe_data(batches)
    model.compile(sgd(0.5, gradient_accumulation_steps=accumulate), minus_mean)
    weights: list[Any] = []
    fit = type(model).fit

    def in_order(self: Any, **arguments: Any) -> Any:
        result = fit(self, **{**arguments, "shuffle": False})
        weights.append(np.asarray(self.get_layer("probe").get_weights()[0])[:, 0])
        return result

    monkeypatch.setattr(type(model), "fit", in_order)
    result = range_test(model, x, y, batch_size=2, steps=steps, seeds=2, low=1e-3, high=10.0, verbose=0)
    assert len(weights) == 2
    plan = ks.exponential(steps, start=1e-3, to=10.0, endpoint=True)
    for applied in weights:
        last = applied.reshape(steps, -1)[:, -1] * np.float32(accumulate or 1)
        assert_follows(last, ks.Schedule(plan).plan(total_steps=steps), count=steps)
    np.testing.assert_array_equal(result.rates, ks.Schedule(plan).plan(total_steps=steps)(np.arange(steps)))


# --- the losses ---


def by_hand(model: Any, batches: list[Any], rates: Any) -> list[float]:
    """The losses of a loop of one's own that assigns the rates."""
    found = []
    for (x, y, weights), rate in zip(batches, rates, strict=False):
        model.optimizer.learning_rate = rate
        found.append(model.train_on_batch(x, y, sample_weight=weights, return_dict=True)["loss"])
    return found


class InOrder(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of different sizes, with weights; it notes which are taken."""

    def __init__(self, batches: int, weighted: bool) -> None:
        super().__init__()
        self.count, self.weighted = batches, weighted

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, number: int) -> Any:
        first = number * BATCH % (SAMPLES - BATCH)
        last = first + (3 if number == self.count - 1 else BATCH)  # a smaller last batch
        weights = np.linspace(0.1, 2, last - first).astype("float32")
        return (X[first:last], Y[first:last], weights) if self.weighted else (X[first:last], Y[first:last])


@pytest.mark.parametrize(("batches", "steps", "weighted"), [(7, 40, True), (900, 900, False)], ids=["weights", "900"])
def test_the_losses_are_those_of_single_batches(
    batches: int, steps: int, weighted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build() -> Any:
        weights, decay = keras.initializers.GlorotUniform(seed=4), keras.regularizers.L2(0.01)
        return dense(keras.layers.Dense(4, kernel_initializer=weights, kernel_regularizer=decay), optimizer=sgd(0.1))

    monkeypatch.setattr(random, "shuffle", lambda order: None)  # which Keras shuffles the batches with
    model, data = build(), InOrder(batches, weighted)
    result = range_test(model, data, steps=steps, seeds=1, low=1e-3, high=0.03, verbose=0)
    assert len(result.losses[0]) == steps
    taken = [(*data[step % batches], None)[:3] for step in range(steps)]
    np.testing.assert_allclose(result.losses[0], by_hand(build(), taken, result.rates.tolist()), rtol=1e-6)


def test_updates_that_loss_scaling_skips_are_no_points() -> None:
    model = half_precision()
    model.optimizer.initial_scale = 2.0**40
    result = range_test(model, **ARRAYS, **{**SETTINGS, "seeds": 1})
    assert len(result.losses[0]) == 20
    assert result.losses[0][0] == pytest.approx(result.losses[0][1], rel=2)


def test_a_loss_that_is_no_number_ends_a_seed() -> None:
    result = range_test(dense(optimizer=sgd(0.01)), X, Y * 1e25, batch_size=BATCH, steps=20, seeds=2, verbose=0)
    assert result.ends == ("not finite", "not finite")


# --- data ---


def generated(batches: int | None = None) -> Iterator[Any]:
    number = 0
    while batches is None or number < batches:
        first = number * BATCH % SAMPLES
        yield X[first : first + BATCH], Y[first : first + BATCH]
        number += 1


@pytest.mark.parametrize("make", [generated, lambda: generated(6)], ids=["infinite", "short"])
def test_a_function_that_makes_generators_is_called_anew(make: Callable[[], Any]) -> None:
    result = range_test(dense(), make, **SETTINGS)
    assert [len(losses) for losses in result.losses] == [20, 20]


def test_a_generator_gives_its_batches_once() -> None:
    given = generated()
    with pytest.warns(ks.TrainingWarning, match="takes 20 batches from the generator"):
        result = range_test(dense(), given, **SETTINGS)
    assert [len(losses) for losses in result.losses] == [20, 20]
    assert np.array_equal(next(given)[0], X[20 * BATCH % SAMPLES :][:BATCH])  # `fit` goes on behind them


def test_a_short_generator_is_refused() -> None:
    with (
        pytest.warns(ks.TrainingWarning),
        pytest.raises(ks.TrainingError, match=r"cannot begin anew.*Received: 6 batches for 20 steps.*Pass the"),
    ):
        range_test(dense(), generated(6), **SETTINGS)


def test_inputs_and_outputs_in_dicts() -> None:
    keras.utils.set_random_seed(7)
    first, second = keras.Input((FEATURES,), name="first"), keras.Input((1,), name="second")
    shared = keras.layers.Concatenate()([first, second])
    outputs = {name: keras.layers.Dense(1, name=name)(shared) for name in ("near", "far")}
    model = keras.Model({"first": first, "second": second}, outputs)
    model.compile(sgd(0.1), {"near": "mse", "far": "mae"}, loss_weights={"near": 1.0, "far": 0.5})
    x, y, rates = {"first": X, "second": Y}, {"near": Y, "far": Y}, {"low": 1e-9, "high": 1e-8}
    result = range_test(model, x, y, batch_size=BATCH, **{**SETTINGS, **rates})
    found = model.predict(x, verbose=0)
    whole = float(np.mean((found["near"] - Y) ** 2) + 0.5 * np.mean(np.abs(found["far"] - Y)))
    assert result.losses[0][: SAMPLES // BATCH].mean() == pytest.approx(whole, rel=1e-4)


@pytest.mark.skipif(BACKEND == "torch", reason="Keras runs one step an execution on PyTorch")
def test_several_steps_in_an_execution_are_single_points() -> None:
    model = dense(steps_per_execution=5)
    result = range_test(model, **ARRAYS, **SETTINGS)
    assert [len(losses) for losses in result.losses] == [20, 20]
    assert model.steps_per_execution == 5


@pytest.mark.skipif(BACKEND != "tensorflow", reason="strategies are TensorFlow's")
def test_two_replicas() -> None:
    import tensorflow as tf

    with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
        two = dense(optimizer=sgd(0.01, momentum=0.9))
    one = dense(optimizer=sgd(0.01, momentum=0.9))
    before = state_of(two)
    expected, found = (range_test(each, **ARRAYS, **SETTINGS) for each in (one, two))
    np.testing.assert_allclose(found.losses[0], expected.losses[0], rtol=1e-3)
    assert state_of(two) == before


# --- once more, and what is said ---


@pytest.mark.skipif(BACKEND == "torch", reason="PyTorch compiles nothing here")
def test_a_second_test_of_a_model_compiles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    model = dense()
    model.fit(**ARRAYS, verbose=0)
    traced = [0]
    loss = type(model)._compute_loss

    def counted(self: Any, *arguments: Any, **named: Any) -> Any:
        traced[0] += 1
        return loss(self, *arguments, **named)

    monkeypatch.setattr(type(model), "_compute_loss", counted)
    first = range_test(model, **ARRAYS, **SETTINGS)
    once = traced[0]
    second = range_test(model, **ARRAYS, **SETTINGS)
    assert once > 0
    assert traced[0] == once
    assert all(map(np.array_equal, first.losses, second.losses))
    model.compile(sgd(0.01), "mae")
    range_test(model, **ARRAYS, **SETTINGS)
    assert traced[0] > once


def test_it_prints_a_line_for_each_seed(capsys: pytest.CaptureFixture[str]) -> None:
    range_test(dense(), **ARRAYS, **{**SETTINGS, "verbose": 2})
    begin, *lines = capsys.readouterr().out.splitlines()
    assert begin == (
        "kosine: range test of 20 updates at rates from 0.0001 to 0.05; "
        "the 12 batches of an epoch begin anew until 20 are done"
    )
    assert [line.split(":")[1] for line in lines] == [" seed 1 of 2", " seed 2 of 2"]
    range_test(dense(), **ARRAYS, **SETTINGS)
    assert capsys.readouterr().out == ""


# --- errors ---


class Inside(keras.callbacks.Callback):  # type: ignore[misc]
    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        range_test(self.model, **ARRAYS, **SETTINGS)


def without_optimizer() -> Any:
    model = dense()
    model.compile(optimizer=None, loss="mse")
    return model


class Idle(keras.Sequential):  # type: ignore[misc]
    """A model whose train step never calls its optimizer."""

    def train_step(self, *state_and_data: Any) -> Any:
        loss = {"loss": keras.ops.convert_to_tensor(1.0)}
        return (loss, state_and_data[0]) if BACKEND == "jax" else loss


def idle() -> Any:
    model = Idle([keras.Input((FEATURES,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: range_test(idle(), X, Y, verbose=0), ks.TrainingError, "0 updates in the last epoch"),
        (lambda: range_test("model", X, Y), ks.ArgumentTypeError, r"`model` must be a keras\.Model"),
        (lambda: range_test(keras.Sequential([keras.layers.Dense(1)]), X, Y), ks.TrainingError, "must be compiled"),
        (lambda: range_test(without_optimizer(), X, Y), ks.TrainingError, "no optimizer"),
        (lambda: range_test(dense(), None), ks.ArgumentTypeError, "`x` must be training data"),
        (lambda: range_test(dense(), X, Y, low=1.0, high=0.1), ks.ArgumentError, "`low` must be < `high`"),
        (lambda: range_test(dense(), X, Y, verbose=3), ks.ArgumentError, "`verbose`"),
        (lambda: dense().fit(X, Y, verbose=0, callbacks=[Inside()]), ks.TrainingError, "just being trained"),
        (lambda: range_test(dense(), lambda: generated(0), **SETTINGS), ks.TrainingError, "gave no batch"),
    ],
    ids=["idle", "model", "not compiled", "no optimizer", "no data", "crossed", "verbose", "inside fit", "empty"],
)
def test_errors(call: Callable[[], Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        call()
