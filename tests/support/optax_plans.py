"""What the Optax runs on two devices train, and how long: apart, so that the tests know it without JAX."""

import kosine as ks

STEPS, SAVE_EVERY = 50, 7
LR = ks.warmup_cosine(peak=0.1, warmup=10, warmup_start=0.01, hold=5)
PLANS = {"table": LR.plan(total_steps=40), "formula": LR.plan(total_steps=10**8)}
