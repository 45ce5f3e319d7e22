"""Bring a script with the widely copied `WarmUpCosineDecayScheduler` to Keras 3, then to kosine's own words.

What it shows: the copied class and function are imported instead of pasted, and the script works unchanged; the same
schedule in one line, which needs no step arithmetic; both train every batch with the same rate.

    pip install '.[keras,jax]'
    KERAS_BACKEND=jax python examples/keras_from_the_copied_callback.py    # or tensorflow, or torch
"""

import keras
import numpy as np

import kosine as ks
from kosine.keras import WarmUpCosineDecayScheduler  # instead of the pasted class

SAMPLES, BATCH_SIZE, EPOCHS = 320, 16, 50
WARMUP_EPOCHS, HOLD_STEPS = 10, 5

random = np.random.default_rng(0)
x = random.random((SAMPLES, 100), dtype="float32")
y = keras.utils.to_categorical(random.integers(10, size=SAMPLES), 10)


def compiled_model() -> keras.Model:
    model = keras.Sequential(
        [
            keras.Input((100,)),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("rmsprop", "categorical_crossentropy", metrics=["accuracy"])
    return model


# 1. The script as it was: epochs are turned into steps by hand.
warm_up_lr = WarmUpCosineDecayScheduler(
    learning_rate_base=1e-4,
    total_steps=int(EPOCHS * SAMPLES / BATCH_SIZE),
    warmup_learning_rate=4e-6,
    warmup_steps=int(WARMUP_EPOCHS * SAMPLES / BATCH_SIZE),
    hold_base_rate_steps=HOLD_STEPS,
)
compiled_model().fit(x, y, epochs=EPOCHS, batch_size=BATCH_SIZE, verbose=0, callbacks=[warm_up_lr])
before = np.array(warm_up_lr.learning_rates)

# 2. The same schedule as a value: `fit` says how many steps an epoch has, and how many epochs there are.
lr = ks.warmup_cosine(peak=1e-4, warmup="10ep", warmup_start=4e-6, hold=HOLD_STEPS)
callback = ks.keras.LearningRateCallback(lr)
compiled_model().fit(x, y, epochs=EPOCHS, batch_size=BATCH_SIZE, verbose=0, callbacks=[callback])
after = callback.history.rates

print(callback.plan)
for step in (0, 199, 200, 205, 999):
    print(f"step {step:3d}: copied callback {before[step]:.6e}, kosine {after[step]:.6e}")
print(f"the same rate at each of {len(after):,} steps:", np.array_equal(before, after))
