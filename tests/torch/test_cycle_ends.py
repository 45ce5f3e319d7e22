"""The weights at the end of each cycle are those of the exact update; an ensemble is the mean of its members."""

from __future__ import annotations

import copy
import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import kosine as ks
from kosine.torch import CycleEnds, Ensemble, PlanLR
from tests.support.torch_probe import through_a_file

PLAN = ks.sgdr(peak=0.1, period=3, stretch=2).plan(total_steps=16)  # the last cycle is cut
ENDS = [2, 8, 15]
NAME = "cycle-{cycle:02d}.pt"
X = torch.randn(40, 4, generator=torch.Generator().manual_seed(1))
Y = (X.sum(1) > 0).long()


def build(norm: bool = False) -> torch.nn.Module:
    torch.manual_seed(2)
    middle = [torch.nn.BatchNorm1d(6)] if norm else []
    return torch.nn.Sequential(torch.nn.Linear(4, 6), *middle, torch.nn.Tanh(), torch.nn.Linear(6, 3))


class Run:
    """A training that keeps the weights at the ends of the cycles."""

    def __init__(self, folder: Path, norm: bool = False, plan: Any = PLAN, **options: Any) -> None:
        self.model = build(norm)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1, momentum=0.9)
        self.scheduler = PlanLR(self.optimizer, plan)
        self.ends = CycleEnds(self.model, self.scheduler, folder / NAME, **options)

    def train(self, stop: int = 16, after: Callable[[int], object] = lambda step: None) -> Run:
        for step in range(self.scheduler.last_epoch, stop):
            self.optimizer.zero_grad()
            rows = slice(4 * (step % 10), 4 * (step % 10) + 4)
            torch.nn.functional.cross_entropy(self.model(X[rows]), Y[rows]).backward()
            self.optimizer.step()
            self.scheduler.step()
            self.ends.step()
            self.ends.step()  # as a loop that accumulates gradients may do
            after(step)
        return self

    def checkpoint(self) -> Any:
        parts = {"model": self.model, "optimizer": self.optimizer, "scheduler": self.scheduler}
        return through_a_file({name: part.state_dict() for name, part in parts.items()})

    def resume(self, checkpoint: Any) -> Run:
        for name, state in checkpoint.items():
            getattr(self, name).load_state_dict(state)
        return self


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def weights(file: Path) -> Any:
    return torch.load(file, weights_only=True)


def same(one: Any, other: Any) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_each_file_has_the_weights_after_the_last_update_of_its_cycle(tmp_path: Path) -> None:
    course: list[Any] = []
    run = Run(tmp_path)
    run.train(after=lambda step: course.append(copy.deepcopy(run.model.state_dict())))
    assert PLAN.cycle_ends.tolist() == ENDS
    assert [(row.cycle, row.step, row.file) for row in run.ends.cycles] == [
        (number, step, tmp_path / f"cycle-0{number}.pt") for number, step in enumerate(ENDS, 1)
    ]
    for row in run.ends.cycles:
        assert same(weights(row.file), course[row.step])  # type: ignore[arg-type]  # all files are there
    assert str(run.ends.cycles).splitlines()[0].split() == ["cycle", "step", "file"]


def test_the_scheduler_says_where_a_cycle_has_ended() -> None:
    scheduler = PlanLR(torch.optim.SGD(build().parameters(), lr=0.1), PLAN, watch=False)
    ended = []
    for step in range(16):
        scheduler.step()
        if scheduler.cycle_ended:
            ended.append(step)
    assert ended == ENDS
    again = PlanLR(torch.optim.SGD(build().parameters(), lr=0.1), PLAN)
    again.load_state_dict({**scheduler.state_dict(), "last_epoch": 9})
    assert again.cycle_ended
    again.step()
    assert not again.cycle_ended


def test_of_plans_for_param_groups_the_one_with_cycles_counts() -> None:
    model = build()
    groups = [{"params": model[0].parameters()}, {"params": model[2].parameters()}]
    zero = ks.constant(0.0).plan(total_steps=16)
    scheduler = PlanLR(torch.optim.SGD(groups, lr=0.1), [zero, PLAN])
    scheduler.step(3)
    assert scheduler.cycle_ended


def test_a_plan_alone_counts_the_calls(tmp_path: Path) -> None:
    ends = CycleEnds(build(), PLAN, tmp_path / "at-{step}.pt")
    assert [step for step in range(5) if ends.step()] == [2]
    assert ends.state_dict() == {"step": 5}
    other = CycleEnds(build(), PLAN, tmp_path / "at-{step}.pt")
    other.load_state_dict(ends.state_dict())
    assert [step for step in range(5, 16) if other.step()] == [8, 15]
    assert names(tmp_path) == ["at-15.pt", "at-2.pt", "at-8.pt"]
    assert [row.step for row in other.cycles] == ENDS
    assert [file.name for file in Ensemble.load(tmp_path, build()).files] == ["at-2.pt", "at-8.pt", "at-15.pt"]


@pytest.mark.parametrize("saved_at", [2, 3, 5, 8, 9])
def test_a_run_that_resumes_has_the_same_files_as_one_that_does_not(tmp_path: Path, saved_at: int) -> None:
    """It was killed at step 10, and its last checkpoint is older."""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    Run(whole).train()
    saved: list[Any] = []
    first = Run(parts)
    first.train(10, lambda step: saved.append(first.checkpoint()) if step == saved_at - 1 else None)
    second = Run(parts).resume(saved[0]).train()
    assert names(parts) == names(whole) == ["cycle-01.pt", "cycle-02.pt", "cycle-03.pt"]
    assert all(same(weights(whole / name), weights(parts / name)) for name in names(whole))
    assert [row.cycle for row in second.ends.cycles] == [1, 2, 3]


def test_a_cycle_that_was_lost_is_named(tmp_path: Path) -> None:
    run = Run(tmp_path).train(5)
    (tmp_path / "cycle-01.pt").unlink()
    with pytest.warns(ks.TrainingWarning, match=r"Cycle 1 ended at step 2.*file is missing"):
        Run(tmp_path).resume(run.checkpoint()).train()


def test_files_of_an_earlier_run_are_named(tmp_path: Path) -> None:
    torch.save(build().state_dict(), tmp_path / "cycle-07.pt")
    with pytest.warns(ks.TrainingWarning, match=r"1 files of an earlier run.*cycle-07"):
        Run(tmp_path).train()


def test_steps_at_once_are_named(tmp_path: Path) -> None:
    ends = (run := Run(tmp_path)).ends
    ends.step()
    run.scheduler.step(6)
    with pytest.warns(ks.TrainingWarning, match="Cycles ended at steps 2, but .* after step 5"):
        ends.step()


def test_the_last_files_stay(tmp_path: Path) -> None:
    run = Run(tmp_path, keep=2).train()
    assert names(tmp_path) == ["cycle-02.pt", "cycle-03.pt"]
    assert [row.file is None for row in run.ends.cycles] == [True, False, False]
    assert len(run.ends.ensemble()) == 2


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = Run(tmp_path).train(4).ends.cycles[0].file
    assert old is not None
    before = old.read_bytes()

    def full(state: Any, stream: Any) -> None:
        stream.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match=r"No space left.*cycle-01"):
        Run(tmp_path).train(4)
    assert names(tmp_path) == [old.name]
    assert old.read_bytes() == before


def test_names_are_those_of_the_model_itself(tmp_path: Path) -> None:
    model = build()
    ends = CycleEnds(torch.nn.DataParallel(torch.compile(model, backend="eager")), PLAN, tmp_path / NAME)
    for _ in range(3):
        ends.step()
    assert same(weights(tmp_path / "cycle-01.pt"), model.state_dict())


# --- the members together ---


@pytest.fixture
def trained(tmp_path: Path) -> Run:
    return Run(tmp_path, norm=True).train()


def outputs(run: Run, last: int) -> list[torch.Tensor]:
    """What each of the last members says, by hand."""
    found = []
    for row in run.ends.cycles[-last:]:
        model = build(norm=True)
        model.load_state_dict(weights(row.file))  # type: ignore[arg-type]
        found.append(model.eval()(X).detach())
    return found


@pytest.mark.parametrize("last", [1, 2, 3])
def test_a_prediction_is_the_mean_of_the_members(trained: Run, tmp_path: Path, last: int) -> None:
    trained.model.train()
    before = copy.deepcopy(trained.model.state_dict())
    ensemble = Ensemble.load(tmp_path, trained.model)
    every = outputs(trained, last)
    torch.testing.assert_close(
        ensemble.predict(X, last), torch.stack([each.softmax(1) for each in every]).mean(0), atol=1e-6, rtol=0
    )
    torch.testing.assert_close(
        ensemble.predict(X, last, combine="logits"), torch.stack(every).mean(0), atol=1e-6, rtol=0
    )
    assert trained.model.training
    assert same(before, trained.model.state_dict())


def test_tied_weights_and_one_model(tmp_path: Path) -> None:
    class Tied(torch.nn.Module):  # type: ignore[misc]  # PyTorch's types are not read
        def __init__(self) -> None:
            super().__init__()
            self.one, self.other = torch.nn.Linear(4, 4), torch.nn.Linear(4, 4)
            self.other.weight = self.one.weight

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.other(self.one(x))

    model = Tied()
    torch.save(model.state_dict(), tmp_path / "cycle-1.pt")
    ensemble = Ensemble.load(tmp_path / "cycle-1.pt", model)
    torch.testing.assert_close(ensemble.predict(X, combine="logits"), model(X).detach())
    torch.testing.assert_close(ensemble.average()(X), model(X))


def test_the_table_has_a_row_for_each_number_of_members(trained: Run) -> None:
    def error(scores: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return (scores.argmax(1) != y).float().mean()

    loss = torch.nn.functional.cross_entropy
    table = trained.ends.ensemble().evaluate([(X[:24], Y[:24]), (X[24:], Y[24:])], loss, error=error)
    assert [row.members for row in table] == [1, 2, 3]
    for row in table:
        every = outputs(trained, row.members)
        mean = torch.stack([each.softmax(1) for each in every]).mean(0)
        assert row.loss == pytest.approx(float(torch.nn.functional.nll_loss(mean.log(), Y)), rel=1e-5)
        assert row.alone == pytest.approx(float(loss(every[0], Y)), rel=1e-5)
        assert row.metrics == pytest.approx({"error": float(error(mean, Y))})
    assert table.best == 1 + int(np.argmin([row.loss for row in table]))
    assert str(table).splitlines()[0].split()[:4] == ["last", "members", "loss", "error"]
    assert "confirm it on other data" in str(table)


@pytest.mark.parametrize("last", [2, None])
def test_the_average_is_that_of_the_weights_with_new_statistics(trained: Run, last: int | None) -> None:
    batches = [X[n : n + 10] for n in range(0, 40, 10)]
    model = trained.ends.ensemble().average(last, refresh=batches)
    states = [weights(row.file) for row in trained.ends.cycles[-(last or 3) :]]  # type: ignore[arg-type]
    for name, value in model.named_parameters():
        torch.testing.assert_close(value.detach(), torch.stack([state[name] for state in states]).mean(0))
    inner = torch.stack([model[0](batch).mean(0) for batch in batches]).mean(0)
    torch.testing.assert_close(model[1].running_mean, inner.detach())
    assert not model.training


def test_the_average_is_saved_at_the_end(tmp_path: Path) -> None:
    run = Run(tmp_path, norm=True, keep=2, average=True, refresh=[(X[:20], Y[:20]), (X[20:], Y[20:])])
    run.train(15)
    assert "average.pt" not in names(tmp_path)
    run.train(16)
    assert names(tmp_path) == ["average.pt", "cycle-02.pt", "cycle-03.pt"]
    model = build(norm=True)
    model.load_state_dict(weights(tmp_path / "average.pt"))
    expected = run.ends.ensemble().average(refresh=[X[:20], X[20:]])
    torch.testing.assert_close(model.eval()(X), expected(X))


# --- what is refused ---


def files_of(*models: torch.nn.Module) -> Callable[[Path], Ensemble]:
    def load(folder: Path) -> Ensemble:
        for number, model in enumerate(models):
            torch.save(model.state_dict(), folder / f"cycle-{number}.pt")
        return Ensemble.load(folder, build())

    return load


def of_text(folder: Path) -> Any:
    (folder / "cycle-1.pt").write_text("no tensors")
    return Ensemble.load(folder, build())


def of_a_whole_model(folder: Path) -> Any:
    torch.save(build(), folder / "cycle-1.pt")
    return Ensemble.load(folder, build())


def ends_with(**options: Any) -> Callable[[Path], CycleEnds]:
    def construct(folder: Path) -> CycleEnds:
        arguments = {"model": build(), "plan": PLAN, "filepath": folder / NAME, **options}
        return CycleEnds(**arguments)

    return construct


WIDER = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3))
ONE = torch.nn.Linear(4, 1)
ENDLESS = ks.sgdr(peak=0.1, period=3).plan()

REFUSED: dict[str, tuple[Callable[[Path], Any], type[Exception], str]] = {
    "no field": (ends_with(filepath="cycle.pt"), ks.ArgumentError, r'"\{cycle\}" or "\{step\}"'),
    "another field": (ends_with(filepath="{cycle}{loss}.pt"), ks.ArgumentError, "no other field"),
    "a broken field": (ends_with(filepath="{cycle:q}.pt"), ks.ArgumentError, "Unknown format code"),
    "another ending": (ends_with(filepath="{cycle}.keras"), ks.ArgumentError, r'ends in "\.pt"'),
    "no path": (ends_with(filepath=3), ks.ArgumentTypeError, "`filepath` must be a name"),
    "no model": (ends_with(model=3), ks.ArgumentTypeError, "`model` must be"),
    "no plan": (ends_with(plan=ks.sgdr(peak=0.1, period=3)), ks.ArgumentTypeError, "`plan` must be a PlanLR"),
    "no end": (ends_with(plan=ENDLESS), ks.PlanError, "total_steps"),
    "keep nothing": (ends_with(keep=0), ks.ArgumentError, "`keep` must be an integer >= 1"),
    "no statistics": (ends_with(model=build(True), average=True), ks.TrainingError, "`refresh`"),
    "refresh alone": (ends_with(refresh=[X]), ks.ArgumentError, "`average` must be True"),
    "no state": (lambda folder: ends_with()(folder).load_state_dict({}), ks.TrainingError, "as `step`"),
    "no member": (files_of(), ks.TrainingError, "needs a member"),
    "an empty list": (lambda folder: Ensemble.load([], build()), ks.TrainingError, "needs a member"),
    "no folder": (lambda folder: Ensemble.load(3, build()), ks.ArgumentTypeError, "a folder"),  # type: ignore[arg-type]
    "a class": (lambda folder: Ensemble.load(folder, Run), ks.ArgumentTypeError, "`model` must be"),
    "another shape": (files_of(build(), WIDER), ks.TrainingError, r"cycle-1\.pt.*0\.weight of shape \(8, 4\)"),
    "another model": (files_of(build(True)), ks.TrainingError, r"cycle-0\.pt.*another model's.*without 2\.weight"),
    "a text": (of_text, ks.TrainingError, r"cycle-1\.pt: This is no file with a state dict"),
    "a pickle": (of_a_whole_model, ks.TrainingError, r"torch\.save\(model\.state_dict\(\), file\)"),
    "too many": (lambda folder: files_of(build())(folder).predict(X, 2), ks.ArgumentError, "from 1 to 1"),
    "none": (lambda folder: files_of(build())(folder).predict(X, 0), ks.ArgumentError, "from 1 to 1"),
    "another mean": (
        lambda folder: files_of(build())(folder).predict(X, combine="median"),
        ks.KosineError,
        "`combine` must be one of",
    ),
    "one output": (
        lambda folder: Ensemble(ONE, [ONE.state_dict()], [folder]).predict(X),
        ks.TrainingError,
        r'shape \(40, 1\).*combine="logits"',
    ),
    "no pairs": (
        lambda folder: files_of(build())(folder).evaluate([X], torch.nn.functional.cross_entropy),
        ks.TrainingError,
        r"pairs \(x, y\)",
    ),
    "no batch": (
        lambda folder: files_of(build())(folder).evaluate([], torch.nn.functional.cross_entropy),
        ks.TrainingError,
        "gave no batch",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str, tmp_path: Path) -> None:
    call, error, match = REFUSED[name]
    with pytest.raises(error, match=match):
        call(tmp_path)
