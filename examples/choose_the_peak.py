"""Find the highest learning rate of a schedule before the run, with a Keras model.

What it shows: a range test (`ks.keras.range_test`), which leaves the model as it was and gives two rates that the best
peak lies between; a rehearsal (`ks.rehearse`), which trains the schedule itself at a fifth of its length at peaks
between the two; and the training at the peak that follows.

    pip install '.[keras,jax]'
    KERAS_BACKEND=jax python examples/choose_the_peak.py    # or tensorflow, or torch
"""

import keras
import numpy as np

import kosine as ks

EPOCHS, BATCH_SIZE = 25, 32

# A small problem: the product of two coordinates, with noise.
generator = np.random.default_rng(0)
x = generator.uniform(-1, 1, size=(2_000, 8)).astype("float32")
y = 4 * x[:, :1] * x[:, 1:2] + generator.normal(scale=0.1, size=(2_000, 1)).astype("float32")
x_train, y_train, x_test, y_test = x[:1_600], y[:1_600], x[1_600:], y[1_600:]


def build(seed: int) -> keras.Model:
    """A new model; the seed decides its weights and the order of the batches."""
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(64, activation="relu"), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(), "mse")
    return model


def fit(model: keras.Model, plan: ks.Plan) -> float:
    """Train along the plan; the loss on data that was not trained on."""
    callback = ks.keras.LearningRateCallback(plan, lint=False)
    epochs = round(plan.total_steps / 50)
    model.fit(x_train, y_train, batch_size=BATCH_SIZE, epochs=epochs, verbose=0, callbacks=[callback])
    return model.evaluate(x_test, y_test, verbose=0)


# A hundred batches at rising rates, for three orders of the data: where does the loss fall, and where does it rise?
test = ks.keras.range_test(build(0), x_train, y_train, batch_size=BATCH_SIZE, low=1e-5, verbose=0)
print(test)

# The schedule itself, short, at five peaks between the two rates.
plan = ks.warmup_cosine(peak=1e-2, warmup="5%").plan(epochs=EPOCHS, steps_per_epoch=50)
rehearsal = ks.rehearse(build, fit, plan, test, verbose=False)
print(f"\n{rehearsal}")

# The run.
loss = fit(build(0), plan * (rehearsal.full_best / 1e-2))
print(f"\nTrained at the peak {rehearsal.full_best:.2g}: test loss {loss:.4f}; the noise alone has 0.01")
