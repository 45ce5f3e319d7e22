"""Train a Keras model along a learning-rate schedule, batch by batch.

What it shows: a schedule in epochs, which `fit` turns into steps; a look at it before the run (`print`, `ks.lint`); the
rate of every batch after it (`callback.history`); `ks.check`, which compares the log that Keras wrote with the plan.

    pip install '.[keras,jax]'
    KERAS_BACKEND=jax python examples/keras_fit.py    # or tensorflow, or torch
"""

import math
import tempfile
from pathlib import Path

import keras
import numpy as np

import kosine as ks

EPOCHS, BATCH_SIZE = 8, 32

# A small problem: on which side of a curved line is a point?
x = np.random.default_rng(0).uniform(-1, 1, size=(2_000, 2)).astype("float32")
y = (x[:, 1] > np.sin(3 * x[:, 0])).astype("float32")

model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(32, activation="relu"), keras.layers.Dense(1)])
model.compile(keras.optimizers.AdamW(), keras.losses.BinaryCrossentropy(from_logits=True), metrics=["accuracy"])

# The schedule knows no run: "1ep" is an epoch, whatever the batch size.
lr = ks.warmup_cosine(peak=2e-2, warmup="1ep", warmup_start=1e-3, hold="2ep", floor=1e-5)

# The plan is the schedule for one run. Look at it, and for mistakes, before you pay for the training.
plan = lr.plan(epochs=EPOCHS, steps_per_epoch=math.ceil(len(x) / BATCH_SIZE))
print(plan)
print("mistakes:", [str(finding) for finding in ks.lint(plan)] or "none")

# The callback takes the schedule, and reads the epochs and the steps from `fit`.
callback = ks.keras.LearningRateCallback(lr)
with tempfile.TemporaryDirectory() as folder:
    file = str(Path(folder, "log.csv"))
    callbacks = [callback, keras.callbacks.CSVLogger(file)]
    history = model.fit(x, y, epochs=EPOCHS, batch_size=BATCH_SIZE, verbose=0, callbacks=callbacks).history
    log = ks.read_trace(file)

print("\nepoch  rate of its last batch  accuracy")
for epoch, (rate, accuracy) in enumerate(zip(history["learning_rate"], history["accuracy"], strict=True), start=1):
    print(f"{epoch:5d}  {rate:22.6f}  {accuracy:8.3f}")

# Every batch is in `callback.history`: `.steps`, `.rates`, `.plot()`, `.to_csv(path)`.
rates = callback.history.rates
print(f"\n{len(rates)} batches, the highest rate {rates.max():g} first at step {rates.argmax()}")
print(ks.check(log, plan).sentence)
