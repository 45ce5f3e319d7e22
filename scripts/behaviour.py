"""Record what the public names do, so that a rebuilt package can be compared with it:

    python -m scripts.behaviour > before.json        and later        python -m scripts.behaviour --against before.json

which lists every entry that has changed or is gone, and exits 1. All cases come from fixed seeds. Messages and the
texts of exported programs are free to change: of a program only the rates are recorded, of a refusal that it is one.
"""

from __future__ import annotations

import argparse
import hashlib
import inspect
import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

import kosine as ks

PLANS, LOGS, NAMED, DRAWS = 380, 48, 29, 6
RUN = {"steps_per_epoch": 60, "samples_per_step": 32, "tokens_per_step": 1024}

# The fields that are read. Only their values are recorded, in this order, so a new name of a field is one word here.
ROW = "name first_step steps first_lr end_lr cycle endpoint"
FINDING = "code"
VERDICT = """kind offset steps_per_unit factor skips averaged off compared first.position first.step first.expected
    first.found largest.step jumps.position jumps.before jumps.after"""
INFERENCE = "schedule offset steps_per_unit residual skips"
COMPARISON = """equal exhaustive total_steps differences.first_step differences.step differences.rates
    differences.largest summaries.peak summaries.lowest summaries.area summaries.above_half"""

RECIPES = """sgdr-50-1 sgdr-100-1 sgdr-200-1 sgdr-1-2 sgdr-10-2 sgdr-step-0.05 gpt-3 llama-3-405b nanogpt tinyllama
    mpt-7b olmo2-7b bloom-176b pythia-410m pythia-as-run vit-s16 deit convnext"""
CONSTRUCTORS = """constant(0.01)
    warmup_cosine(peak=0.1, warmup="1ep", floor=0.001)
    warmup_cosine(peak=3e-4, warmup=50, warmup_start=1e-6, hold=40)
    sgdr(peak=0.05, period=40, stretch=2)
    sgdr(peak=0.1, period=50, stretch=1.5, shrink=0.8, warmup=5)
    one_cycle(peak=0.5)
    wsd(peak=0.3, warmup="10%")
    wsd(peak=0.2, warmup=20, cooldown="30%", curve="linear")
    step_decay(0.1, every=77)
    step_decay(0.4, every="2ep", factor=0.3)
    inverse_sqrt_decay(peak=0.001, warmup=30)"""
IN_CYCLES = """linear({d}, to={to}{s}{e})
    cosine({d}, to={to}{s}, power={p}, warp={w}{e})
    hold({d}{s})
    polynomial({d}, to={to}{s}, power={p}, warp={w}{e})
    exponential({d}, to={low}, start={high}{e})
    exponential({d}, to={to}{s}, base={high}e3{e})
    inverse_sqrt({d}, to={low}, start={high}{e})
    inverse_time({d}, to={low}, start={high}{e})
    one_minus_sqrt({d}, to={to}{s}{e})
    tanh({d}, to={to}{s}, lower=-{p}, upper={w}{e})"""
ANYWHERE = f"""{IN_CYCLES}
    inverse_sqrt({{d}}, timescale={{t}}{{s}})
    inverse_time({{d}}, timescale={{t}}{{s}})
    exponential({{d}}, factor={{low}}, timescale={{t}}{{s}})
    exponential({{d}}, factor=0.99{{s}})"""
FAULTS: dict[str, Callable[[ks.Plan, Any], Any]] = {
    "no fault": lambda plan, t: plan(t),
    "one step early": lambda plan, t: plan(t + 1),
    "three steps late": lambda plan, t: plan(np.maximum(t - 3, 0)),
    "a lost resume": lambda plan, t: plan(np.where(t < t[-1] // 2, t, t - t[-1] // 2)),
    "a jump": lambda plan, t: plan(np.where(t < t[-1] // 3, t, t + t[-1] // 4)),
    "twice as fast": lambda plan, t: plan(2 * t),
    "half as fast": lambda plan, t: plan(t // 2),
    "another floor": lambda plan, t: np.maximum(plan(t), 0.1 * plan(t).max()),
}
WORDS = ("linear", "cosine", "constant", "1-sqrt", "cos", "WSD", "inverse-square-root", "minus_sqrt", "exponential")


def told(thing: Any, paths: str) -> str:
    """The fields of a result; of each of its parts where a field is a tuple of them, and None of one that is None."""

    def read(thing: Any, name: str, *names: str) -> Any:
        if isinstance(thing, tuple):
            return [read(part, name, *names) for part in thing]
        value = None if thing is None else getattr(thing, name)
        return read(value, *names) if names else value

    return " | ".join(str(read(thing, *path.split("."))) for path in paths.split())


def noted(work: Callable[[], Any]) -> Any:
    """The result, or that it is refused, or the bug by which it fails: a bug that was fixed shows as a difference."""
    try:
        return work()
    except ks.KosineError:
        return "refused"
    except Exception as error:
        return f"failed: {type(error).__name__}"


def digest(rates: Any) -> str:
    return hashlib.sha256(np.ascontiguousarray(rates).tobytes()).hexdigest()[:20]


def rate(r: Random) -> float:
    return r.choice([0.1, 0.05, 0.01, 3e-4, 1.0, round(r.uniform(0.001, 0.5), 4), r.random() + 0.001])


def lasting(r: Random) -> str:
    units = [f"{r.randint(1, 6) / 2:g}ep", f"{r.randint(1, 30)}%", f"{r.randint(5, 600) * 10}sp"]
    units += [f"{r.randint(1, 90)}ktok", f"{r.randint(10, 900) / 10}st", f"floor {r.randint(1, 30)}%"]
    return r.choice([str(r.randint(1, 120)), f'"{r.choice(units)}"'])


def phases(r: Random, curves: str, first: bool, *durations: str) -> str:
    texts = []
    for index, duration in enumerate(durations):
        start = f", start={rate(r)}" if (first and index == 0) or r.random() < 0.3 else ""
        values = {"to": rate(r) * r.choice([0, 0.1, 1]), "low": rate(r) * 0.1, "high": 0.1 + rate(r), "d": duration}
        shape = {"p": r.choice([1.0, 2.0, 0.5, 7.1]), "w": r.choice([1.0, 1.5, 3.0]), "t": r.choice(["9", '"1ep"'])}
        end = r.choice(["", "", "", ", endpoint=True"])
        texts.append(r.choice(curves.splitlines()).strip().format(s=start, e=end, **values, **shape))
    return ", ".join(texts)


def group(r: Random, count: int | None) -> str:
    inside = phases(r, IN_CYCLES, r.random() < 0.7, *(lasting(r) for _ in range(r.randint(1, 3))))
    shrink = f"shrink={r.choice([1, 1, 0.9, 0.5])}, shrink_power={r.choice([0, 0, 0.5])}"
    return f"cycles({inside}, stretch={r.choice([1, 1, 2, 3, 1.1, 1.5, 2.25])}, {shrink}, count={count})"


def section(r: Random) -> str:
    inside = [phases(r, ANYWHERE, True, lasting(r)), group(r, 3), *([section(r)] if r.random() < 0.2 else [])]
    end = r.choice(["", f", duration={lasting(r)}"]) + r.choice(["", "", ", continuous=True"])
    skip, tick = r.choice([0, r.randint(1, 30)]), r.choice(["1", "3", '"1ep"'])
    return f"section({', '.join(inside)}, skip={skip}, tick={tick}{end})"


def planned(text: str, run: dict[str, int]) -> ks.Plan:
    return ks.parse(text).plan(**run)


def plans() -> Iterator[tuple[str, Any]]:
    """Constructors, published recipes and random plans, some of which are refused."""
    # `published` is a module with the function of that name, or the function itself.
    recipe = ks.published
    yield from ((text.strip(), ks.parse(text.strip()).plan(epochs=8, **RUN)) for text in CONSTRUCTORS.splitlines())
    yield from ((f"recipe {name}", recipe(name).plan()) for name in RECIPES.split())
    for seed in range(PLANS):
        r = Random(seed)
        ends = ["hold(5)", phases(r, ANYWHERE, False, '"rest"'), group(r, None), group(r, r.randint(1, 4)), section(r)]
        parts = f"{phases(r, ANYWHERE, True, *(lasting(r) for _ in range(r.randint(1, 3))))}, {r.choice(ends)}"
        run = r.choice([{"epochs": r.randint(3, 16), **RUN}] * 5 + [{"total_steps": 10**7, **RUN}, RUN])
        yield f"plan {seed:03}", noted(partial(planned, f"Schedule({parts})", run))


def program_rates(plan: ks.Plan, target: str) -> Any:
    names: dict[str, Any] = {"__name__": "program"}
    exec(ks.to_code(plan, target), names)
    steps = np.linspace(0, (plan.total_steps or 1000) - 1, 24).astype(int).tolist()
    if target == "huggingface":
        return str(sorted(names["training_arguments"].items()))
    if target != "torch":
        return [float(names["learning_rate" if target in ("python", "numpy") else "schedule"](step)) for step in steps]
    import torch

    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=float(plan(np.arange(steps[-1] + 1)).max()))
    scheduler, rates = names["make_scheduler"](optimizer), []
    for _ in range(steps[-1] + 1):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return [rates[step] for step in steps]


def log_of(plan: ks.Plan, number: int, fault: str) -> ks.Trace:
    total = plan.total_steps or 600
    steps = np.arange(0, total, max(total // (40, 80, 120)[number % 3], 1))
    rates = FAULTS[fault](plan, steps).tolist()
    printed = map(("{!r}", "{:.3e}", "{:.6f}", "{:.4g}")[number // 8 % 4].format, rates)
    rows = (f"{step},{text}" for step, text in zip(steps, printed, strict=True))
    return ks.read_trace(io.StringIO("\n".join(["step,learning_rate", *rows])))


def drawn(peer: str, parameter: inspect.Parameter, r: Random) -> Any:
    """A value for an argument of a dialect, by what its annotation and its name say."""
    kind, name, counts = str(parameter.annotation), parameter.name, sorted(r.sample(range(1, 150), 2))
    cycle = {"init_value": 0.0, "peak_value": rate(r), "warmup_steps": 3}
    many = any(part in name for part in ("mul", "power", "exponent", "cycles", "div_", "k_decay", "ub", "decay_t"))
    values = {
        "[int]": counts,
        "[float]": [rate(r) for _ in range(3)],
        "[str]": [f"{count}ba" for count in counts],
        "[int, float]": {count: r.choice([0.5, 2.0]) for count in counts},
        "[Schedule]": [ks.warmup_cosine(rate(r), warmup=5), ks.constant(rate(r)), ks.step_decay(rate(r), every=20)],
        "[str, Any]": [cycle | {"decay_steps": count} for count in counts],
        "str": r.choice(["2ep", "90ba", "0.5dur", "4000sp", "1dur"] if peer == "composer" else WORDS),
        "bool": r.random() < 0.5,
        "int": r.randint(0, 20) if "warm" in name or "begin" in name else r.randint(2, 5 if "mult" in name else 200),
        "float": r.choice([1.0, 1.5, 2.0, 25.0]) if many else -3.0 if name == "lb" else r.choice([rate(r), 0.001, 0.3]),
    }
    return next(value for ending, value in values.items() if ending in kind)


def dialect_values(function: Callable[..., ks.Schedule], arguments: dict[str, Any]) -> str:
    return digest(function(**arguments).plan(epochs=8, **RUN)(np.arange(600)))


def dialects() -> Iterator[tuple[str, Any]]:
    """The values of each function of each dialect, with arguments that depend on their names but not on their order."""
    for peer in sorted(ks.dialects.__all__):
        for name in sorted({*getattr(ks.dialects, peer).__all__} - {"FOLLOWS"}):
            function = getattr(getattr(ks.dialects, peer), name)
            for draw in range(DRAWS):
                arguments = {}
                for parameter in inspect.signature(function).parameters.values():
                    r = Random(f"{peer}.{name} {draw} {parameter.name}")
                    if parameter.default is parameter.empty or r.random() < 0.5:
                        arguments[parameter.name] = drawn(peer, parameter, r)
                key = f"dialect {peer}.{name} {draw}"
                yield key, noted(partial(dialect_values, function, arguments))


def of_plan(plan: ks.Plan, number: int, before: ks.Plan) -> Iterator[tuple[str, Callable[[], Any]]]:
    """The questions to a plan; the costly ones only to some plans."""
    total = plan.total_steps or 3000
    edges = [row.first_step + side for row in plan.phases[:200] for side in (-1, 0, 1)]
    sample = np.arange(total + 300) if total <= 6000 else np.linspace(0, total * 1.1, 6000).astype(np.int64)
    steps = np.unique(np.maximum(np.concatenate([sample, edges]), 0).astype(np.int64))
    some = steps[:: len(steps) // 50 + 1]
    yield "values", lambda: digest(plan(steps))
    yield "values one by one", lambda: digest([plan(step) for step in some.tolist()])
    yield "text", lambda: repr(plan)
    yield "JSON", lambda: ks.dumps(plan)
    yield "read back", lambda: str(ks.parse(repr(plan.schedule)) == plan.schedule and ks.loads(ks.dumps(plan)) == plan)
    yield "phases", lambda: f"{len(plan.phases)}: {'; '.join(told(row, ROW) for row in plan.phases[:60])}"
    yield "lint", lambda: " ".join(told(finding, FINDING) for finding in ks.lint(plan))
    yield "compared", lambda: told(ks.compare(before, plan), COMPARISON)
    targets = ["python", "numpy"]
    targets += ["torch", "huggingface"] if number % 8 == 0 and total <= 6000 else []
    targets += ["optax", "keras"] if number % 56 == 0 and total <= 6000 else []  # seconds each: they trace every step
    for target in targets:
        yield target, partial(program_rates, plan, target)
    if number % 8 == 0 and total <= 6000:  # tables of many cycles take long
        import jax.numpy as jnp

        yield "jax on the host", lambda: digest(ks.jax.schedule(plan)(steps))
        yield "jax, traced", lambda: digest(ks.jax.schedule(plan)(jnp.asarray(some[some < 2**31])))
    for turn in range(2 if number < LOGS else 0):
        fault = list(FAULTS)[(number + 3 * turn) % len(FAULTS)]
        log = log_of(plan, number + 8 * turn, fault)
        yield f"{fault}, check", partial(lambda log: told(ks.check(log, plan), VERDICT), log)
        if number < NAMED and fault != "half as fast":  # the others can take half a minute each
            yield f"{fault}, infer", partial(lambda log: told(ks.infer(log), INFERENCE), log)


def entries() -> Iterator[tuple[str, Any]]:
    """Every entry: a text, which stays the same, or a list of rates, which may differ by their rounding."""
    before, number = ks.constant(0.1).plan(total_steps=100), 0
    for name, plan in plans():
        if isinstance(plan, str):
            yield name, plan
            continue
        yield from ((f"{name} {what}", noted(ask)) for what, ask in of_plan(plan, number, before))
        before, number = plan, number + 1
    yield from dialects()


def same(name: str, old: Any, new: Any) -> bool:
    if not (isinstance(old, list) and isinstance(new, list) and len(old) == len(new)):
        return bool(old == new)
    share = 1e-6 if name.endswith(("optax", "keras")) else 2e-12  # the former two compute in float32
    return bool(np.allclose(old, new, rtol=0, atol=share * max(old)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", type=Path, help="an earlier record")
    against = parser.parse_args().against
    os.environ.setdefault("KERAS_BACKEND", "jax")
    found = dict(entries())
    if against is None:
        print(json.dumps(found, indent=0))
        return 0
    earlier = json.loads(against.read_text())
    changed = [name for name, value in earlier.items() if not same(name, value, found.get(name))]
    for name in changed:
        print(f"{name}\n    was {str(earlier[name])[:300]}\n    is  {str(found.get(name))[:300]}")
    print(f"{len(changed)} of {len(earlier)} entries differ.")
    return int(bool(changed))


if __name__ == "__main__":
    sys.exit(main())
