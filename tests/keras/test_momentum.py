"""Momentum and weight decay along plans, by the weights: a recurrence in float64 gives the same."""

from typing import Any

import keras
import numpy as np
import pytest
from keras.optimizers import SGD, Adam, RMSprop
from numpy.typing import NDArray

import kosine as ks
from kosine.keras import LearningRateCallback
from kosine.testing.keras import minus_mean

STEPS, EPOCHS = 5, 3
RATES = ks.Schedule(ks.linear(start=0.02, to=0.1))
MOMENTA = ks.Schedule(ks.linear(start=0.95, to=0.5))
DECAYS = ks.Schedule(ks.linear(start=0.0, to=0.4))


def weights(optimizer: Any, *, epochs: int = EPOCHS, model: Any = None, **plans: Any) -> tuple[float, Any]:
    """The weight after the training: each batch has the gradient -1, and the weight begins at 1."""
    if model is None:
        inputs = keras.Input((1,))
        model = keras.Model(inputs, keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")(inputs))
        model.compile(optimizer, minus_mean)
    callback = LearningRateCallback(RATES, lint=False, **plans)
    ones = np.ones((STEPS * 2, 1), np.float32)
    model.fit(ones, ones, batch_size=2, epochs=epochs, shuffle=False, verbose=0, callbacks=[callback])
    return float(model.get_weights()[0][0, 0]), model


def of(schedule: ks.Schedule) -> NDArray[np.float64]:
    return schedule.plan(epochs=EPOCHS, steps_per_epoch=STEPS)(np.arange(EPOCHS * STEPS))


def by_hand(momenta: NDArray[np.float64], decays: NDArray[np.float64], nesterov: bool = False) -> float:
    """The update of `keras.optimizers.SGD`, whose buffer holds the rate."""
    weight, buffer = 1.0, 0.0
    for rate, momentum, decay in zip(of(RATES), momenta, decays, strict=True):
        weight -= weight * decay * rate
        buffer = momentum * buffer + rate
        weight += momentum * buffer + rate if nesterov else buffer
    return weight


NONE = np.zeros(EPOCHS * STEPS)
FLOAT32 = 2e-6  # 15 updates of a handful of float32 operations, half a unit (6e-8) each


@pytest.mark.parametrize("nesterov", [False, True])
def test_the_momentum_of_sgd(nesterov: bool) -> None:
    weight, model = weights(SGD(0.5, momentum=0.9, nesterov=nesterov), momentum=MOMENTA)
    assert weight == pytest.approx(by_hand(of(MOMENTA), NONE, nesterov), rel=FLOAT32)
    assert model.optimizer.momentum == 0.9


def test_a_momentum_that_reaches_0_is_one() -> None:
    to_0 = ks.Schedule(ks.linear("1ep", start=0.9, to=0.0), ks.hold("1ep", start=0.0), ks.hold(start=0.5))
    weight, _ = weights(SGD(0.5, momentum=0.9), momentum=to_0)
    assert weight == pytest.approx(by_hand(of(to_0), NONE), rel=FLOAT32)


@pytest.mark.parametrize("before", [None, 0.01])
def test_weight_decay(before: float | None) -> None:
    weight, model = weights(SGD(0.5, weight_decay=before), weight_decay=DECAYS)
    assert weight == pytest.approx(by_hand(NONE, of(DECAYS)), rel=FLOAT32)
    assert model.optimizer.weight_decay == before


def test_both_and_afterwards_their_own() -> None:
    optimizer = SGD(0.5, momentum=0.5, weight_decay=0.01)
    weight, model = weights(optimizer, momentum=MOMENTA, weight_decay=DECAYS)
    assert weight == pytest.approx(by_hand(of(MOMENTA), of(DECAYS)), rel=FLOAT32)
    assert (optimizer.momentum, optimizer.weight_decay) == (0.5, 0.01)
    config = model.optimizer.get_config()
    assert (config["momentum"], config["weight_decay"]) == (0.5, 0.01)


def test_beta_1_of_adam() -> None:
    weight, model = weights(Adam(0.5, epsilon=1e-7), momentum=MOMENTA)
    wanted, mean, square = 1.0, 0.0, 0.0
    for step, (rate, beta) in enumerate(zip(of(RATES), of(MOMENTA), strict=True), start=1):
        mean, square = mean + (-1.0 - mean) * (1 - beta), square + (1.0 - square) * (1 - 0.999)
        wanted -= rate * np.sqrt(1 - 0.999**step) / (1 - beta**step) * mean / (np.sqrt(square) + 1e-7)
    assert weight == pytest.approx(wanted, rel=2e-5)  # 1 - 0.999**t loses three digits of float32 in the first steps
    assert model.optimizer.beta_1 == 0.9


def test_the_momentum_of_rmsprop() -> None:
    weight, model = weights(RMSprop(0.5, rho=0.9, momentum=0.9, epsilon=1e-7), momentum=MOMENTA)
    wanted, square, buffer = 1.0, 0.0, 0.0
    for rate, momentum in zip(of(RATES), of(MOMENTA), strict=True):
        square = 0.9 * square + 0.1
        buffer = momentum * buffer - rate / np.sqrt(square + 1e-7)
        wanted -= buffer
    assert weight == pytest.approx(wanted, rel=5e-6)
    assert model.optimizer.momentum == 0.9


def test_muon_has_a_momentum_and_two_weight_decays() -> None:
    ones = np.ones((STEPS * 2, 2), np.float32)
    inputs = keras.Input((2,))
    model = keras.Model(inputs, keras.layers.Dense(2, kernel_initializer="ones")(inputs))  # its bias is Adam's
    by_loop = keras.models.clone_model(model)
    optimizer = keras.optimizers.Muon(0.5, adam_weight_decay=0.5, weight_decay=0.5)
    model.compile(optimizer, minus_mean)
    callback = LearningRateCallback(RATES, momentum=MOMENTA, weight_decay=DECAYS, lint=False)
    model.fit(ones, ones, batch_size=2, epochs=EPOCHS, verbose=0, callbacks=[callback])

    by_loop.set_weights([np.ones((2, 2)), np.zeros(2)])
    reference = keras.optimizers.Muon(0.5)
    reference.build(by_loop.trainable_variables)
    gradients = [keras.ops.full(variable.shape, -0.5) for variable in by_loop.trainable_variables]
    for rate, momentum, decay in zip(of(RATES), of(MOMENTA), of(DECAYS), strict=True):
        reference.learning_rate, reference.momentum = float(rate), float(momentum)
        reference.weight_decay = reference.adam_weight_decay = float(decay)
        reference.apply(gradients)
    for weight, wanted in zip(model.get_weights(), by_loop.get_weights(), strict=True):
        np.testing.assert_allclose(weight, wanted, rtol=1e-4)  # Newton and Schulz's steps of float32 matrices
    assert (optimizer.momentum, optimizer.weight_decay, optimizer.adam_weight_decay) == (0.95, 0.5, 0.5)


def test_the_values_stand_in_the_optimizer_only_while_it_updates() -> None:
    class Look(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.seen = (self.model.optimizer.momentum, self.model.optimizer.get_config()["weight_decay"])

    optimizer, look = SGD(0.5, momentum=0.9, weight_decay=0.01), Look()
    ones = np.ones((2, 1), np.float32)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(optimizer, minus_mean)
    callback = LearningRateCallback(RATES, momentum=MOMENTA, weight_decay=DECAYS, lint=False)
    model.fit(ones, ones, epochs=3, verbose=0, callbacks=[callback, look])
    assert look.seen == (0.9, 0.01)


@pytest.mark.parametrize("optimizer", [lambda: SGD(0.5), lambda: keras.optimizers.Adagrad(0.5)])
def test_an_optimizer_without_momentum_is_refused(optimizer: Any) -> None:
    with pytest.raises(ks.TrainingError, match=r"A momentum plan needs an optimizer with momentum\. .* momentum=0\.9"):
        weights(optimizer(), momentum=MOMENTA)


@pytest.mark.parametrize("name", ["momentum", "weight_decay"])
def test_what_is_no_schedule_is_refused(name: str) -> None:
    with pytest.raises(ks.ArgumentTypeError, match=f"`{name}` must be a kosine Schedule or Plan"):
        LearningRateCallback(RATES, **{name: 0.9})  # type: ignore[arg-type]
