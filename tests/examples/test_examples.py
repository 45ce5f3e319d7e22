"""Each example runs in a process of its own, and the rates that it prints are those of its plan."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import kosine as ks
from tests.support.run_examples import ROOT, runner

EXAMPLES = sorted(path.stem for path in (ROOT / "examples").glob("*.py"))
MOST_LINES = 60
FOLLOWS = "The log follows the plan"
ARGUMENTS = {"lightning_cli": ["fit", "--config", "examples/lightning_cli.yaml"]}
"""What follows the name of an example on its command line."""


Printed = Callable[[str], str]


@pytest.fixture(scope="module")
def printed() -> Iterator[Printed]:
    """What an example prints."""
    with runner() as run:

        def printed(name: str) -> str:
            done = run(name, *ARGUMENTS.get(name, []))
            assert done.code == 0, done.errors
            return done.printed

        yield printed


def numbers(pattern: str, text: str) -> list[list[float]]:
    """The numbers in the groups of each match, line by line."""
    found = re.findall(pattern, text, re.MULTILINE)
    assert found, text
    return [[float(number.replace(",", "")) for number in match] for match in found]


# --- what holds for each ---


@pytest.mark.parametrize("name", EXAMPLES)
def test_its_head_says_what_it_shows_and_how_to_run_it(name: str) -> None:
    text = (ROOT / "examples" / f"{name}.py").read_text(encoding="utf-8")
    head = text.split('"""')[1]
    assert "What it shows: " in head
    assert " ".join(["python", f"examples/{name}.py", *ARGUMENTS.get(name, [])]) in head
    assert "pip install " in head
    assert re.findall(r"(?:from|import) kosine(?!(?:\.keras)? (?:as|import))", text) == []  # public names only
    if name != "train_digits":
        assert len(text.splitlines()) <= MOST_LINES


def test_every_example_has_a_test_of_its_output() -> None:
    here = Path(__file__).read_text(encoding="utf-8")
    own = {path.stem for path in Path(__file__).parent.glob("test_*.py")}
    assert [name for name in EXAMPLES if f'printed("{name}")' not in here and f"test_{name}" not in own] == []


# --- what each prints ---


def test_choose_the_peak(printed: Printed) -> None:
    text = printed("choose_the_peak")
    ((low, high),) = numbers(r"^Between (\S+) and ([\d.]+): 3 seeds", text)
    rows = numbers(r"^([\d.]+) +([\d.]+) +([\d.]+) +([\d.]+)(?:  \w+)?$", text)
    assert len(rows) == 5
    assert rows[0][0] == pytest.approx(low, rel=0.01)
    assert rows[-1][0] == pytest.approx(high, rel=0.01)
    ((peak, loss),) = numbers(r"^Trained at the peak (\S+): test loss ([\d.]+)", text)
    assert low / 2 < peak < high
    assert 0.01 < loss < min(mean for *_, mean in rows)  # five times as long, and better than the best rehearsal


def test_keras_fit(printed: Printed) -> None:
    text = printed("keras_fit")
    plan = ks.warmup_cosine(peak=2e-2, warmup="1ep", warmup_start=1e-3, hold="2ep", floor=1e-5).plan(
        epochs=8, steps_per_epoch=63
    )
    assert text.startswith(f"{plan}\nmistakes: none\n")
    rows = numbers(r"^ +(\d+) +(\d\.\d+) +(0\.\d+)$", text)
    assert [rate for _, rate, _ in rows] == [round(plan(63 * epoch - 1), 6) for epoch in range(1, 9)]
    assert rows[-1][2] > 0.8  # it learned
    assert f"{8 * 63} batches, the highest rate 0.02 first at step 63" in text
    assert text.splitlines()[-1].startswith(FOLLOWS)


def test_keras_from_the_copied_callback(printed: Printed) -> None:
    text = printed("keras_from_the_copied_callback")
    assert text.endswith("the same rate at each of 1,000 steps: True\n")
    for step, copied, ours in numbers(r"^step +([\d,]+): copied callback (\S+), kosine (\S+)$", text):
        warm = 4e-6 + (1e-4 - 4e-6) * step / 200
        down = 1e-4 * (1 + np.cos(np.pi * (step - 205) / 795)) / 2
        assert copied == ours == pytest.approx(warm if step < 200 else 1e-4 if step < 205 else down, rel=1e-6)


def test_pytorch_loop(printed: Printed) -> None:
    text = printed("pytorch_loop")
    plan = ks.warmup_cosine(peak=0.02, warmup="5%", warmup_start=2e-4).plan(total_steps=320)
    assert text.startswith("mistakes: none\n")
    rows = numbers(r"^epoch +(\d+)  loss (\S+)  next rates: body (\S+), head (\S+)$", text)
    for epoch, (number, _, body, head) in enumerate(rows, start=1):
        rate = plan(32 * epoch)
        assert (number, body, head) == (epoch, round(rate, 5), round(10 * rate, 5))
    assert rows[-1][1] < rows[0][1]
    assert f"{FOLLOWS}: its 320 rows cover steps 0 to 319 of 320." in text  # the resume went on where the run was


def follows_40_updates(text: str, steps_per_epoch: int | None = None) -> None:
    """What the examples print that train 256 samples for 5 epochs, with batches of 8 and an update for each 4."""
    lr = ks.warmup_cosine(peak=0.1, warmup="10%", warmup_start=1e-3)
    plan = lr.plan(total_steps=40, steps_per_epoch=steps_per_epoch)
    assert text.startswith(f"{plan}\n")
    assert f": {[round(plan(step), 5) for step in range(0, 40, 8)]}\n" in text
    assert FOLLOWS in text


def test_huggingface_trainer(printed: Printed) -> None:
    follows_40_updates(printed("huggingface_trainer"), steps_per_epoch=8)


def test_trainer_from_yaml(printed: Printed) -> None:
    follows_40_updates(printed("trainer_from_yaml"), steps_per_epoch=8)


def test_lightning_module(printed: Printed) -> None:
    follows_40_updates(printed("lightning_module"))


def test_lightning_cli(printed: Printed) -> None:
    follows_40_updates(printed("lightning_cli"))


def test_hydra_config(printed: Printed) -> None:
    follows_40_updates(printed("hydra_config"))


def test_optax_loop(printed: Printed) -> None:
    text = printed("optax_loop")
    plan = ks.sgdr(peak=0.05, period="1ep", stretch=2, floor=1e-4, warmup="1ep", warmup_start=1e-3).plan(
        epochs=8, steps_per_epoch=25
    )
    assert text.startswith(str(plan))
    rows = numbers(r"^epoch (\d)  loss (\S+)  rate of its last step (\S+)$", text)
    assert [rate for _, _, rate in rows] == pytest.approx([plan(25 * epoch - 1) for epoch in range(1, 9)], abs=1e-6)
    assert rows[-1][1] < rows[0][1]
    assert float(text.rpartition(" within ")[2].split()[0]) < 1e-6


def test_check_a_log(printed: Printed) -> None:
    runs = printed("check_a_log").strip().split("\n\n")
    assert [re.findall(r"^  ([\w ]+): ", run, re.MULTILINE)[0] for run in runs] == [
        "follows",
        "restarted",
        "too fast",
        "offset",
    ]
    assert "at position 600 step 0 came instead of step 600" in runs[1]
    assert "4" in runs[2]
    assert "+1" in runs[3]


def test_infer_a_schedule(printed: Printed) -> None:
    text = printed("infer_a_schedule")
    assert "schedule: Schedule(linear(200, start=0.0, to=0.0005), cosine(to=5e-05))\n" in text
    assert "left open: " in text
    for _, found, true in numbers(r"^step +([\d,]+): plan (\S+), the script (\S+)$", text):
        assert found == true


def test_sweep_optuna(printed: Printed) -> None:
    text = printed("sweep_optuna")
    rows = re.findall(r"^ *(\d+)  peak (\S+)  shrink (\S+)  (.+)$", text, re.MULTILINE)
    assert [int(number) for number, *_ in rows] == list(range(16))
    assert all(1e-3 <= float(peak) <= 3 and 0.3 <= float(shrink) <= 1 for _, peak, shrink, _ in rows)
    cycles = [len(losses.split()) for *_, losses in rows]
    assert {1, 3} <= {*cycles} <= {1, 2, 3}  # some are stopped after a cycle, some go on to the end
    best = min((row for row in rows if len(row[3].split()) == 3), key=lambda row: float(row[3].split()[2]))
    assert f"\nThe best: test loss {best[3].split()[2]} with\n" in text
    assert float(best[3].split()[2]) < 0.4
    (group,) = ks.parse(text.splitlines()[-1]).parts
    assert isinstance(group, ks.Cycles)
    assert group.stretch == 2
    assert group.shrink == pytest.approx(float(best[2]), abs=0.005)
    assert group.phases[0].start == pytest.approx(float(best[1]), abs=5e-5)
