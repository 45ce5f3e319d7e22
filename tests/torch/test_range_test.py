"""The range test applies its plan, notes the loss of each update, and leaves everything as it was, bit for bit."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

import kosine as ks
from kosine.testing.torch import Probe
from kosine.torch import PlanLR, range_test

STEPS = 60
QUICK: dict[str, Any] = {"low": 1e-4, "high": 1.0, "steps": STEPS, "seeds": 2, "verbose": False}
X = torch.randn(96, 6, generator=torch.Generator().manual_seed(1))
DATA = TensorDataset(X, (X.sum(1) > 0).long())


class Net(torch.nn.Module):  # type: ignore[misc]  # PyTorch's types are not read
    """Layers with every kind of state: BatchNorm, Dropout, tied weights, a buffer that is not saved, a Python count."""

    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.Linear(6, 8)
        self.norm = torch.nn.BatchNorm1d(8)
        self.drop = torch.nn.Dropout(0.3)
        self.last = torch.nn.Linear(8, 8)
        self.tied = torch.nn.Linear(8, 8)
        self.tied.weight = self.last.weight
        self.register_buffer("calls", torch.zeros(()), persistent=False)
        self.count = 0
        self.seen: list[int] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        self.count += 1
        self.seen.append(self.count)
        return self.tied(torch.relu(self.last(self.drop(self.norm(self.first(x))))))


def loss_of_batch(model: torch.nn.Module, batch: Any) -> torch.Tensor:
    x, y = batch
    random.random()
    np.random.random()
    return torch.nn.functional.cross_entropy(model(x), y)


def shuffled(**arguments: Any) -> DataLoader:
    return DataLoader(DATA, batch_size=16, shuffle=True, **arguments)


class Situation:
    """A model in training, with what trains it."""

    def __init__(
        self,
        build: Callable[[Any], torch.optim.Optimizer],
        before: int = 0,
        scaler: torch.amp.GradScaler | None = None,
        schedule: Callable[[torch.optim.Optimizer], Any] | None = None,
        prepare: Callable[[Any], object] | None = None,
    ) -> None:
        torch.manual_seed(3)
        self.model = Net()
        self.optimizer = build(self.model.parameters())
        self.scaler = scaler
        self.scheduler = None if schedule is None else schedule(self.optimizer)
        self.loader = shuffled(generator=torch.Generator().manual_seed(5))
        if prepare is not None:
            prepare(self)
        self.train(before)

    def train(self, updates: int) -> None:
        batches = self.batches()
        for _ in range(updates):
            self.optimizer.zero_grad()
            loss = loss_of_batch(self.model, next(batches))
            if self.scaler is None:
                loss.backward()
                self.optimizer.step()
            else:
                self.scaler.scale(loss).backward()
                self.scaler.step(self.optimizer)
                self.scaler.update()
            if self.scheduler is not None:
                self.scheduler.step()

    def batches(self) -> Iterator[Any]:
        while True:
            yield from self.loader

    def everything(self) -> dict[str, Any]:
        """All that a training may change, and the identity of what a user may hold."""
        model, optimizer = self.model, self.optimizer
        tensors = [*model.parameters(), *model.buffers()]
        groups = [{**group, "params": [*map(id, group["params"])]} for group in optimizer.param_groups]
        return copy.deepcopy(
            {
                "tensors": tensors,
                "places": [(id(each), each.data_ptr()) for each in tensors],
                "grads": [each.grad for each in tensors],
                "requires_grad": [each.requires_grad for each in tensors],
                "modes": [module.training for module in model.modules()],
                "attributes": (model.count, model.seen, sorted(vars(model))),
                "state": [(id(key), [*entry.items()]) for key, entry in optimizer.state.items()],
                "groups": [[*group.items()] for group in groups],
                "rates": [id(group["lr"]) for group in groups if isinstance(group["lr"], torch.Tensor)],
                "own": [(name, repr(type(value))) for name, value in vars(optimizer).items()],
                "hooks": [[*hooks] for name, hooks in vars(optimizer).items() if name.endswith("hooks")],
                "step": repr(vars(optimizer).get("step")),
                "counted": vars(optimizer).get("_opt_called"),
                "scaler": None if self.scaler is None else (self.scaler.state_dict(), self.scaler._scale),
                "random": (random.getstate(), np.random.get_state(), torch.get_rng_state()),
                "loader": (self.loader.generator.get_state(), list(vars(self.loader))),
            }
        )


def same(one: Any, other: Any) -> bool:
    """Equality bit for bit of nested values."""
    if isinstance(one, torch.Tensor):
        return bool(
            isinstance(other, torch.Tensor)
            and one.dtype == other.dtype
            and one.shape == other.shape
            and one.detach().numpy().tobytes() == other.detach().numpy().tobytes()
        )
    if isinstance(one, np.ndarray):
        return bool(one.tobytes() == other.tobytes())
    if isinstance(one, dict):
        return same([*one.items()], [*other.items()])
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def sgd(parameters: Any) -> torch.optim.Optimizer:
    return torch.optim.SGD(parameters, lr=0.05, momentum=0.9)


def two_groups(parameters: Any) -> torch.optim.Optimizer:
    first, *others = parameters
    return torch.optim.AdamW([{"params": [first], "lr": 0.001}, {"params": others}], lr=0.01, amsgrad=True)


def freeze(situation: Situation) -> None:
    situation.model.first.requires_grad_(False)
    situation.model.norm.eval()


def ask_for_eval(situation: Situation) -> None:
    situation.model.eval()


def cosine(optimizer: torch.optim.Optimizer) -> Any:
    return torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 40)


def plan(optimizer: torch.optim.Optimizer) -> Any:
    return PlanLR(optimizer, ks.warmup_cosine(peak=0.05, warmup=10), total_steps=40, watch=False)


SITUATIONS: dict[str, Callable[[], Situation]] = {
    "fresh SGD": lambda: Situation(sgd),
    "SGD in training": lambda: Situation(sgd, 5),
    "fresh Adam": lambda: Situation(torch.optim.Adam),
    "AdamW, two groups, in training": lambda: Situation(two_groups, 5),
    "tensor as the rate": lambda: Situation(lambda some: torch.optim.Adam(some, lr=torch.tensor(0.01)), 5),
    "fused": lambda: Situation(lambda some: torch.optim.AdamW(some, fused=True), 5),
    "foreach": lambda: Situation(lambda some: torch.optim.RMSprop(some, foreach=True), 5),
    "fresh scaler": lambda: Situation(sgd, scaler=torch.amp.GradScaler("cpu")),
    "scaler in training": lambda: Situation(sgd, 5, torch.amp.GradScaler("cpu", growth_interval=7)),
    "torch's scheduler": lambda: Situation(sgd, 5, schedule=cosine),
    "PlanLR attached": lambda: Situation(sgd, 2, schedule=plan),
    "PlanLR attached at rate 0": lambda: Situation(two_groups, schedule=plan),
    "frozen": lambda: Situation(sgd, 5, prepare=freeze),
    "on eval": lambda: Situation(sgd, 5, prepare=ask_for_eval),
}


class Stop:
    """A loss that ends the test at an update: with 30 steps, in the second seed."""

    def __init__(self, error: type[BaseException] | None, at: int = 50) -> None:
        self.error, self.left = error, at

    def __call__(self, model: torch.nn.Module, batch: Any) -> torch.Tensor:
        self.left -= 1
        if self.left < 0 and self.error is not None:
            raise self.error
        return loss_of_batch(model, batch)


ERRORS = [(name, error) for name in [*SITUATIONS][1::3] for error in (ZeroDivisionError, KeyboardInterrupt)]


@pytest.mark.parametrize(("name", "error"), [*((name, None) for name in SITUATIONS), *ERRORS])
def test_all_is_as_before_and_a_training_goes_on_as_without_the_test(
    name: str, error: type[BaseException] | None
) -> None:
    situation, without = SITUATIONS[name](), SITUATIONS[name]()
    before = situation.everything()

    def test() -> None:
        range_test(
            situation.model, situation.optimizer, Stop(error), situation.loader, scaler=situation.scaler, **QUICK
        )

    state = random.getstate(), np.random.get_state(), torch.get_rng_state()
    if error is None:
        test()
    else:
        with pytest.raises(error):
            test()
    after = situation.everything()
    assert [key for key in before if not same(before[key], after[key])] == []

    situation.train(6)
    random.setstate(state[0])
    np.random.set_state(state[1])
    torch.set_rng_state(state[2])
    without.train(6)
    assert same([*situation.model.state_dict().values()], [*without.model.state_dict().values()])


class Steps:
    """The numbers of the steps as batches, in order."""

    def __init__(self, count: int = STEPS) -> None:
        self.count = count

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.count))


@pytest.mark.parametrize("ratios", [(0.5, 0.05), (0.0, 0.0), (0.0, 0.1), (0.1, 0.0)])
def test_the_applied_rates_are_those_of_the_plan(ratios: tuple[float, float]) -> None:
    probes = torch.nn.ModuleList([Probe(STEPS), Probe(STEPS)])
    groups = [{"params": probe.parameters(), "lr": rate} for probe, rate in zip(probes, ratios, strict=True)]
    optimizer = torch.optim.SGD(groups, foreach=False)
    applied: list[list[list[float]]] = []
    optimizer.register_step_post_hook(lambda *_: applied.append([probe.rates for probe in probes]))
    test = range_test(probes, optimizer, lambda model, step: model[0](step) + model[1](step), Steps(), **QUICK)
    assert test.ends == ("finished", "finished")
    reference = max(ratios[0], ratios[1] if not ratios[0] else 0.0)
    shares = [rate / reference if reference else 1.0 for rate in ratios]
    for seed in range(2):
        for rates, share in zip(applied[(seed + 1) * STEPS - 1], shares, strict=True):
            np.testing.assert_allclose(rates, test.rates * share, rtol=1e-15)
    assert [probe.rates for probe in probes] == [[0.0] * STEPS] * 2


def by_hand(seed: int, rates: Any, accumulate: int = 1) -> list[float]:
    """The losses of a loop that is written out."""
    situation = Situation(sgd)
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    situation.loader.generator.manual_seed(seed)
    batches, losses = situation.batches(), []
    for rate in rates:
        situation.optimizer.param_groups[0]["lr"] = float(rate)
        situation.optimizer.zero_grad()
        parts = [loss_of_batch(situation.model, next(batches)) for _ in range(accumulate)]
        (torch.stack(parts).sum() / accumulate).backward()
        situation.optimizer.step()
        losses.append(sum(float(part.detach()) for part in parts) / accumulate)
    return losses


@pytest.mark.parametrize("accumulate", [1, 3])
def test_the_losses_are_those_of_a_hand_written_loop(accumulate: int) -> None:
    situation = Situation(sgd)
    options = {**QUICK, "high": 0.1, "accumulate": accumulate}
    test = range_test(situation.model, situation.optimizer, loss_of_batch, situation.loader, **options)
    assert test.ends == ("finished", "finished")
    for seed, losses in enumerate(test.losses):
        np.testing.assert_allclose(losses, by_hand(seed, test.rates, accumulate), rtol=1e-6)
    assert not np.allclose(test.losses[0], test.losses[1])


def test_a_test_late_in_a_training_is_that_of_any_time() -> None:
    """Lightning's finder gives one point there (Tuner.lr_find, 2.6.6)."""
    late = Situation(torch.optim.Adam, 60)
    options = {**QUICK, "high": 0.01, "steps": 100}
    test = range_test(late.model, late.optimizer, loss_of_batch, late.loader, **options)
    assert [losses.size for losses in test.losses] == [100, 100]


def loss_that_turns(at: int, value: float) -> Callable[..., torch.Tensor]:
    calls = iter(range(10**6))
    return lambda model, batch: loss_of_batch(model, batch) * (value if next(calls) == at else 1.0)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_ends_its_seed_alone(value: float) -> None:
    situation = Situation(sgd)
    test = range_test(
        situation.model, situation.optimizer, loss_that_turns(30, value), situation.loader, **{**QUICK, "high": 0.01}
    )
    assert test.ends == ("not finite", "finished")
    assert [losses.size for losses in test.losses] == [30, STEPS]


def test_a_seed_that_diverges_ends() -> None:
    situation = Situation(sgd)
    options = {**QUICK, "high": 1e5}
    test = range_test(situation.model, situation.optimizer, loss_of_batch, situation.loader, **options)
    assert set(test.ends) <= {"diverged", "not finite"}
    assert all(losses.size < STEPS for losses in test.losses)


def test_an_update_that_loss_scaling_skips_is_no_step() -> None:
    skipped = 0, 17, 18
    probe = Probe(STEPS + len(skipped), torch.float32)
    optimizer = torch.optim.SGD(probe.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    applied: list[list[float]] = []
    optimizer.register_step_post_hook(lambda *_: applied.append(probe.rates))
    calls = iter(range(10**6))

    def loss(model: Probe, step: int) -> torch.Tensor:
        return model(step) * (1e37 if next(calls) in skipped else 1.0)

    loader = Steps(STEPS + len(skipped))
    test = range_test(probe, optimizer, loss, loader, scaler=scaler, **{**QUICK, "seeds": 1})
    assert test.losses[0].size == STEPS
    np.testing.assert_allclose([rate for rate in applied[-1] if rate], test.rates, rtol=1e-6)
    assert [step for step, rate in enumerate(applied[-1]) if not rate] == list(skipped)
    assert scaler.get_scale() == 1024


def test_a_scaler_that_skips_for_ever_ends_its_seed() -> None:
    probe = Probe(STEPS, torch.float32)
    optimizer = torch.optim.SGD(probe.parameters(), lr=0.1)

    def loss(model: Probe, step: int) -> torch.Tensor:
        return (model(step) * 1e38) * 1e38 + 1.0 - (model(step) * 1e38) * 1e38  # finite, but its gradients are not

    test = range_test(probe, optimizer, loss, Steps(), scaler=torch.amp.GradScaler("cpu"), **{**QUICK, "seeds": 1})
    assert test.ends == ("not finite",)


def test_what_the_loss_uses_by_name_is_as_before_too() -> None:
    situation = Situation(sgd)
    centre = torch.nn.BatchNorm1d(8)
    generator = torch.Generator().manual_seed(4)
    numbers = np.random.default_rng(4)
    before = copy.deepcopy([*centre.state_dict().values()]), generator.get_state(), numbers.bit_generator.state

    def loss(model: torch.nn.Module, batch: Any) -> torch.Tensor:
        noise = torch.randn(8, generator=generator) * numbers.normal()
        return torch.nn.functional.cross_entropy(centre(model(batch[0])) + noise, batch[1])

    range_test(situation.model, situation.optimizer, loss, situation.loader, **QUICK)
    after = [*centre.state_dict().values()], generator.get_state(), numbers.bit_generator.state
    assert same(list(before), list(after))


# --- the data ---


class Numbers(IterableDataset):  # type: ignore[misc]
    """Batches that a data set shuffles itself; it counts its passes."""

    def __init__(self) -> None:
        self.passes = 0
        self.random = random.Random(2)

    def __iter__(self) -> Iterator[Any]:
        self.passes += 1
        yield from self.random.sample([(X[n : n + 8], DATA.tensors[1][n : n + 8]) for n in range(0, 80, 8)], 10)


def firsts(loader: Any, **options: Any) -> list[list[float]]:
    """What identifies the batches that each seed was given."""
    model = torch.nn.Linear(6, 2)
    seen: list[float] = []

    def loss(model: torch.nn.Module, batch: Any) -> torch.Tensor:
        seen.append(float(batch[0].sum()))
        return loss_of_batch(model, batch)

    options = {**QUICK, "steps": 20, "high": 1e-3, **options}
    range_test(model, torch.optim.SGD(model.parameters(), lr=0.1), loss, loader, **options)
    return [seen[n : n + 20] for n in range(0, len(seen), 20)]


def test_each_seed_has_another_order_and_a_loader_begins_anew() -> None:
    batches = [(X[n : n + 16], DATA.tensors[1][n : n + 16]) for n in range(0, 96, 16)]
    for loader in (shuffled(), batches, DataLoader(Numbers(), batch_size=None)):
        one, other = firsts(loader)
        assert one != other
        assert firsts(loader) == [one, other]
        whole = len(batches) if isinstance(loader, list) else len(one)
        assert sorted(one[:whole]) == sorted(one[:whole])


def test_the_data_sets_own_state_is_as_before() -> None:
    data = Numbers()
    state = data.random.getstate()
    firsts(DataLoader(data, batch_size=None))
    assert data.passes == 0
    assert data.random.getstate() == state


def test_the_smaller_last_batch_is_left_out() -> None:
    sizes: list[int] = []

    def loss(model: torch.nn.Module, batch: Any) -> torch.Tensor:
        sizes.append(len(batch[0]))
        return loss_of_batch(model, batch)

    model = torch.nn.Linear(6, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loader = DataLoader(DATA, batch_size=20, shuffle=True)
    for each in (loader, [*loader]):
        range_test(model, optimizer, loss, each, **QUICK)
    assert set(sizes) == {20}


def test_a_loader_that_does_not_shuffle_is_named() -> None:
    with pytest.warns(ks.TrainingWarning, match="does not shuffle"):
        firsts(DataLoader(DATA, batch_size=16))
    firsts(DataLoader(DATA, batch_size=16), seeds=1)


class Once(IterableDataset):  # type: ignore[misc]
    def __init__(self) -> None:
        self.batches = iter([DATA[:16]] * 30)

    def __iter__(self) -> Iterator[Any]:
        return self.batches


# --- what is refused ---


def with_loader(loader: Any) -> Callable[[], Any]:
    return lambda: firsts(loader)


def with_loss(loss: Any, **options: Any) -> Callable[[], Any]:
    situation = Situation(options.pop("optimizer", sgd))
    return lambda: range_test(situation.model, situation.optimizer, loss, situation.loader, **{**QUICK, **options})


REFUSED: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "an iterator": (with_loader(iter([1])), ks.TrainingError, r"itertools\.islice"),
    "a generator": (with_loader(batch for batch in [1]), ks.TrainingError, "can be read once"),
    "one pass": (with_loader(DataLoader(Once(), batch_size=None)), ks.TrainingError, "gave no batch at pass 2"),
    "nothing": (with_loader([]), ks.TrainingError, "gave no batch"),
    "a tensor": (with_loader(X), ks.ArgumentTypeError, "`loader` must be a DataLoader"),
    "a float": (with_loss(lambda model, batch: loss_of_batch(model, batch).item()), ks.TrainingError, r"`\.item\(\)`"),
    "many": (with_loss(lambda model, batch: model(batch[0])), ks.TrainingError, r"shape \(16, 8\).*mean"),
    "detached": (
        with_loss(lambda model, batch: batch[0].mean()),
        ks.TrainingError,
        "depend on weights",
    ),
    "a criterion": (with_loss(torch.nn.MSELoss()), ks.ArgumentTypeError, "lambda model, batch"),
    "a closure": (with_loss(loss_of_batch, optimizer=torch.optim.LBFGS), ks.TrainingError, "closure.*LBFGS"),
    "rates that cross": (with_loss(loss_of_batch, low=1.0, high=0.1), ks.ArgumentError, "`low` must be < `high`"),
    "no batch": (with_loss(loss_of_batch, accumulate=0), ks.ArgumentError, "`accumulate` must be an integer >= 1"),
    "no scaler": (with_loss(loss_of_batch, scaler=2.0), ks.ArgumentTypeError, "`scaler` must be"),
    "no model": (
        lambda: range_test(loss_of_batch, torch.optim.SGD([X.clone()], 0.1), loss_of_batch, [1]),
        ks.ArgumentTypeError,
        "`model` must be",
    ),
    "no optimizer": (
        lambda: range_test(torch.nn.Linear(1, 1), [], loss_of_batch, [1]),
        ks.ArgumentTypeError,
        "`optimizer` must be",
    ),
    "lazy layers": (
        lambda: range_test(
            torch.nn.LazyLinear(1), torch.optim.SGD([X.clone().requires_grad_()], 0.1), loss_of_batch, [1]
        ),
        ks.TrainingError,
        "lazy layers",
    ),
}


@pytest.mark.filterwarnings("ignore:The loader does not shuffle")
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str) -> None:
    call, error, match = REFUSED[name]
    with pytest.raises(error, match=match):
        call()


def test_progress_is_a_line_for_each_seed_in_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    firsts(shuffled(), verbose=True)
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err.splitlines() == [
        f"range test: seed {seed} of 2 finished after 20 of 20 steps" for seed in (1, 2)
    ]
    firsts(shuffled())
    assert capsys.readouterr().err == ""
