from __future__ import annotations

import kosine as ks

TEXT = 'warmup_cosine(peak=log(1e-4, 1e-2), warmup=choice("1%", "5%"), floor=0.0)'


def test_values_make_the_schedule_that_the_text_says() -> None:
    space = ks.space(TEXT)
    assert space(peak=3e-4, warmup="5%") == ks.warmup_cosine(peak=3e-4, warmup="5%", floor=0.0)


def test_a_seed_gives_one_schedule() -> None:
    space = ks.space(TEXT)
    assert space.sample(3) == ks.space(TEXT).sample(3) == space(**space.values(3))
    assert len({space.sample(seed) for seed in range(20)}) == 20
