"""What the killed Keras runs train, and how long: apart, so that the tests know it without a backend."""

import kosine as ks

EPOCHS, STEPS = 10, 8
LR = ks.Schedule(
    ks.linear("1.25ep", start=0.01, to=0.3), ks.hold(5), ks.cycles(ks.cosine("1ep", to=0.02), stretch=1.5, count=4)
)
PLAN = LR.plan(epochs=EPOCHS, steps_per_epoch=STEPS)
