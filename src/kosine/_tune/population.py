"""The schedule that population-based training found, from the log that Ray Tune keeps of it."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from kosine._core.arguments import read_count, read_rate
from kosine._core.curves.hold import hold
from kosine._core.numbers import MAX_STEPS
from kosine._core.schedule import Schedule
from kosine.errors import ArgumentTypeError, Described, KosineError, LogError, shown

_LONGEST = 1 << 20  # bytes of a line, as in `read_trace`
_LARGEST = 1 << 24  # bytes of a file
_MOST_NAMED = 5  # files or keys in a message
_LINE = "a log with [tag, copied tag, iteration, copied iteration, old config, new config] on each line"


class _Change(NamedTuple):
    """A line of the log: the trial `tag` went on from weights of the trial `copied` with another rate.

    `iteration` and `at` are the last ones that the two trials had reported.
    """

    line: int
    tag: str
    copied: str
    iteration: int
    at: int
    before: float
    after: float


def population_schedule(
    path: str | os.PathLike[str],
    key: str = "lr",
    *,
    steps_per_iteration: int,
    perturbation_interval: int | None = None,
) -> Schedule:
    """The learning rates of a finished run of Ray Tune's population-based training, as a schedule of holds.

    A trial of that training now and then copies the weights of a better one, and goes on from them with another rate.
    Ray logs each copy in `pbt_policy_<trial>.txt`, in the folder of the experiment. The file is read as Ray's
    `PopulationBasedTrainingReplay` reads it: its last line is the last copy, the one before it counts if it is of the
    trial that was copied, and so on. Up to the iteration of a copy the rate is the old one, then the new one. The last
    rate goes on to the end of the run.

    The iteration in the log is the last one that the copied trial had reported. The weights that are copied may be up
    to `perturbation_interval - 1` iterations older, and with `synch=True` one newer. Give that interval to have the
    copies at its multiples, where they were made; with `synch=True` and an interval of 1 they stay as logged.

    A trial that copied none keeps its first rate and has no such file: `ks.constant(rate)` is its schedule.

    Args:
        path: the file `pbt_policy_<trial>.txt` of the trial. The best trial is
            `results.get_best_result().metrics["trial_id"]`.
        key: where the rate is in the trial's config, with "/" between the names of nested ones: "optimizer/lr".
        steps_per_iteration: optimizer steps in an iteration of the trial, which is what it trains between two calls of
            `tune.report`; >= 1.
        perturbation_interval: as of Ray's `PopulationBasedTraining` with `time_attr="training_iteration"` and no
            burn-in, in iterations >= 1. If None, the copies are where the log has them.

    Raises:
        LogError: a line that is not such a change, iterations that go back, a config without the key, a rate that is
            not a finite number >= 0, the changes of several trials (`pbt_global.txt`), more than 2**20 bytes in a line
            or 2**24 in the file; a `perturbation_interval` that is not this log's.
        ScheduleError: `steps_per_iteration` or `perturbation_interval` below 1.
        ArgumentTypeError: an argument of another type.
        OSError: the file cannot be read.

    Source: Jaderberg et al., Population Based Training of Neural Networks, arXiv 1711.09846.

    Example:
        >>> import pathlib, tempfile, kosine as ks
        >>> log = pathlib.Path(tempfile.mkdtemp(), "pbt_policy_00003.txt")
        >>> lines = [
        ...     '["1", "0", 4, 4, {"lr": 0.1}, {"lr": 0.08}]',
        ...     '["1", "2", 8, 8, {"lr": 0.1}, {"lr": 0.02}]',  # has the weights of trial 2 now: the line above is void
        ...     '["3", "1", 12, 12, {"lr": 0.02}, {"lr": 0.01}]',
        ... ]
        >>> written = log.write_text("\\n".join(lines))
        >>> ks.population_schedule(log, steps_per_iteration=100)
        Schedule(hold(800, start=0.1), hold(400, start=0.02), hold(start=0.01))
    """
    if not isinstance(path, str | os.PathLike):
        raise ArgumentTypeError(argument="path", rule="the path of a file", received=path)
    if not isinstance(key, str):
        raise ArgumentTypeError(argument="key", rule='a name in the config, such as "optimizer/lr"', received=key)
    steps = read_count(steps_per_iteration, "steps_per_iteration", 1)
    interval = None if perturbation_interval is None else read_count(perturbation_interval, "perturbation_interval", 1)
    kept = _last_chain(_read_changes(_file(path), key), Path(path))
    rates = [kept[0].before, *(change.after for change in kept)]
    copies = [change.at for change in kept] if interval is None else _at_multiples(kept, interval)
    if copies[-1] > MAX_STEPS // steps:
        raise _broken(Path(path), kept[-1].line, "a log of at most 2**63 - 1 steps in all", kept[-1].at)
    return _of_holds(rates, [copied_at * steps for copied_at in copies])


def _at_multiples(changes: list[_Change], interval: int) -> list[int]:
    """The iterations of the weights that were copied: multiples of the interval between copies.

    Ray counts a report after the copies that it leads to. Without `synch` the trial that copies has just reported: its
    iteration is one short of a multiple, and the copied one has gone on. With `synch` all trials wait at a multiple,
    and the iteration of the last one to report is one short.
    """
    copies = [
        (change.at // interval if change.iteration % interval else -(-change.at // interval)) * interval
        for change in changes
    ]
    known = all(change.iteration % interval in (0, interval - 1) for change in changes)
    if not known or any(later <= earlier for earlier, later in pairwise([0, *copies])):
        raise LogError(
            argument="perturbation_interval",
            rule="the iterations between copies, which these copies are not at multiples of",
            received=interval,
            fix="Leave it out where Ray counted it in another unit (`time_attr`), or from a burn-in on.",
        )
    return copies


def _of_holds(rates: list[float], boundaries: list[int]) -> Schedule:
    """Each rate up to its boundary, the last one open-ended; without the boundaries that change nothing."""
    begins = dict(zip([0, *boundaries], rates, strict=True))  # of two changes in one place the later one holds
    changes = [next(iter(begins.items()))]
    changes += [later for earlier, later in pairwise(begins.items()) if later[1] != earlier[1]]
    held = [hold(then - at, start=rate) for (at, rate), (then, _) in pairwise(changes)]
    return Schedule(*held, hold(start=changes[-1][1]))


def _last_chain(changes: list[_Change], path: Path) -> list[_Change]:
    """The changes that the final weights went through, in order: from the last line back, from copy to copy."""
    if not changes:
        raise LogError(
            argument="path",
            rule="a log of population-based training, with a change on each line",
            received=Described("no line"),
            where=str(path),
        )
    kept = [changes[-1]]
    for earlier in reversed(changes[:-1]):
        if earlier.tag != kept[-1].copied:
            if earlier.tag != kept[-1].tag:  # a trial's own file has changes of it and of those that it copied
                raise _of_several(changes, path)
            break
        if earlier.at > kept[-1].at:
            raise _broken(path, kept[-1].line, f"a log whose iterations go up, here from {earlier.at} on", kept[-1].at)
        kept.append(earlier)
    return kept[::-1]


def _of_several(changes: list[_Change], path: Path) -> LogError:
    tags = dict.fromkeys(change.tag for change in changes)
    return LogError(
        argument="path",
        rule="the log of one trial",
        received=Described(f"changes of {len(tags)} trials: {_listed(map(shown, tags))}"),
        fix=_name_one_of(path.parent),
        where=str(path),
    )


def _name_one_of(folder: Path) -> str:
    """What to do about a file or a folder that is about several trials."""
    files = sorted(file.name for file in folder.glob("pbt_policy_*.txt"))
    there = f": {_listed(files)}" if files else ""
    return f"Name the file pbt_policy_<trial>.txt of one trial{there}."


def _listed(names: Any) -> str:
    every = list(names)
    return ", ".join(every[:_MOST_NAMED]) + (", ..." if len(every) > _MOST_NAMED else "")


# --- the file ---


def _file(path: str | os.PathLike[str]) -> Path:
    where = Path(path)
    try:
        is_name = b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:  # half of a surrogate pair
        is_name = False
    if not is_name:
        raise LogError(argument="path", rule="the path of a file", received=path)
    if where.is_dir():
        raise LogError(argument="path", rule="a file", received=Described(f"folder {where}"), fix=_name_one_of(where))
    return where


def _read_changes(path: Path, key: str) -> list[_Change]:
    with path.open("rb") as file:
        return list(_changes(file, path, key))


def _changes(file: BinaryIO, path: Path, key: str) -> Iterator[_Change]:
    read = 0
    for number, line in enumerate(iter(lambda: file.readline(_LONGEST + 1), b""), start=1):
        read += len(line)
        if len(line) > _LONGEST:
            raise _broken(path, number, f"a log with lines of at most {_LONGEST:,} bytes", Described("a longer one"))
        if read > _LARGEST:
            raise _broken(path, number, f"a log of at most {_LARGEST:,} bytes", Described("a larger one"))
        if not line.strip():
            continue
        try:
            tag, copied, iteration, at, before, after = json.loads(line)
        except (ValueError, TypeError, RecursionError) as error:  # no JSON, or JSON of another shape
            raise _broken(path, number, _LINE, line.decode("utf-8", "replace")) from error
        if not isinstance(tag, str) or not isinstance(copied, str):
            raise _broken(path, number, f"{_LINE}, with tags of text", [tag, copied])
        for count in (iteration, at):
            if type(count) is not int or not 0 <= count <= MAX_STEPS:
                raise _broken(path, number, f"{_LINE}, with iterations that are integers >= 0", count)
        rates = (_rate_in(config, key, path, number) for config in (before, after))
        yield _Change(number, tag, copied, iteration, at, *rates)


def _broken(path: Path, line: int, rule: str, received: object) -> LogError:
    fix = "Take the file as Ray wrote it, of a run that has ended."
    return LogError(argument="path", rule=rule, received=received, fix=fix, where=f"{path}, line {line}")


# --- the rate in a config ---


def _rate_in(config: object, key: str, path: Path, line: int) -> float:
    value, where = _value_at(config, key), f"{path}, line {line}"
    if value is None:
        names = _listed(f'"{name[:60]}"' for name in _names_of_numbers(config))
        fix = f"Its numbers are {names}." if names else "Its configs have no number."
        rule = "the name of the rate in the trial's config"
        raise LogError(argument="key", rule=rule, received=key, fix=fix, where=where)
    try:
        return read_rate(value, "key")
    except KosineError as error:
        rule = "the name of a finite number >= 0 in the trial's config"
        received = Described(f"{shown(value)} at {shown(key)}")
        raise LogError(argument="key", rule=rule, received=received, where=where) from error


def _value_at(config: object, key: str) -> object:
    """What the config has at a key, where "/" leads to a nested one; None where it has nothing."""
    while isinstance(config, Mapping):
        if key in config:
            return config[key]
        first, _, key = key.partition("/")
        config = config.get(first)
    return None


def _names_of_numbers(config: object) -> Iterator[str]:
    open_ones: deque[tuple[str, object]] = deque([("", config)])
    while open_ones:
        name, value = open_ones.popleft()
        if isinstance(value, Mapping):
            open_ones += [(f"{name}/{key}" if name else key, inner) for key, inner in value.items()]
        elif type(value) in (int, float):
            yield name
