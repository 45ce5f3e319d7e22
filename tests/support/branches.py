"""A run of 40 steps that was stopped after 20, the plans that it goes on along, and plans that change its past."""

from __future__ import annotations

import kosine as ks

EPOCH = 10
AT = 2 * EPOCH

_LR = ks.wsd(peak=0.1, warmup=4, cooldown="25%")
PARENT = _LR.plan(epochs=4, steps_per_epoch=EPOCH)
COSINE = ks.warmup_cosine(peak=0.1, warmup=4, floor=0.01).plan(epochs=4, steps_per_epoch=EPOCH)
STAIRS = ks.step_decay(peak=0.1, every=EPOCH, factor=0.5).plan(epochs=4, steps_per_epoch=EPOCH)
"""A branch that begins where these fall goes on from the rate before the fall."""

BRANCHES: dict[str, tuple[ks.Plan, ks.Plan]] = {
    "cooldown": (PARENT, PARENT.cooldown(at=AT, over="1ep")),
    "stretch": (COSINE, COSINE.extend(total_steps=5 * EPOCH, at="2ep", how="stretch")),
    "hold": (COSINE, COSINE.extend(total_steps=5 * EPOCH, at=AT, how="hold")),
    "meet": (COSINE, COSINE.extend(total_steps=5 * EPOCH, at=AT, how="meet", over=5)),
    "rewarm": (STAIRS, STAIRS.rewarm(at=AT, warmup=5, peak=0.2, then=ks.cosine(to=0.01), total_steps=4 * EPOCH)),
    "until": (PARENT, PARENT.until(AT + EPOCH)),
}
"""The plan that the run began with, and the one that it goes on along from step `AT`."""

OTHER_PASTS: dict[str, tuple[ks.Plan, ks.Plan, int]] = {
    "a branch before the checkpoint": (PARENT, PARENT.cooldown(at=12, over=18), 13),
    "a section around a rest": (
        PARENT,
        ks.Schedule(ks.section(*_LR.parts, duration=AT)).plan(epochs=4, steps_per_epoch=EPOCH),
        11,
    ),
    "a longer schedule": (COSINE, COSINE.schedule.plan(epochs=5, steps_per_epoch=EPOCH), 5),
}
"""Plans that a user may take for a branch, and the first step at which they have another rate than the run had."""
