"""A schedule's text in which some arguments are parameters, read without evaluating code."""

from __future__ import annotations

import keyword
from collections import ChainMap, Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from kosine._core.phase import written_string
from kosine._core.plain_text import shortened
from kosine._core.schedule import Plan, Schedule
from kosine._core.text_form import SIGNATURES, Parser, call
from kosine._tune.parameters import Choice, Integers, Log, Parameter, Share, Uniform, Value, is_call, read_percent
from kosine.errors import ArgumentError, ArgumentTypeError, Described, NotationError, shown

MAX_TEXT = 2**14
"""Longest text of a space, in characters."""

MOST_PARAMETERS = 100
_LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Call:
    """A call in the text of a space."""

    function: str
    arguments: Sequence[object]
    keywords: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Slot:
    """A place that takes a parameter; `name` is what the text calls it."""

    parameter: Parameter
    name: str | None


@dataclass(frozen=True, slots=True)
class Template:
    """The text of a space as a tree: calls, slots, lists and values."""

    root: object
    names: tuple[str, ...]
    """The parameter of each slot, in the order of the text."""
    parameters: Mapping[str, Parameter]

    def written(self) -> str:
        """The text, with its spaces and numbers in one form."""
        return _written(self.root)

    def filled(self, values: Mapping[str, Value]) -> object:
        """What the text makes with a value for each parameter.

        Raises:
            NotationError, ScheduleError, ArgumentTypeError: these values make no schedule.
        """
        return _filled(self.root, iter(self.names), self.parameters, values)


def read_template(text: object) -> Template:
    """Read the text of a space.

    Raises:
        NotationError: it is not an expression, or has no parameter.
        ArgumentError, ArgumentTypeError: a parameter in it breaks a rule.
    """
    if isinstance(text, Schedule | Plan):
        schedule = text.schedule if isinstance(text, Plan) else text
        raise ArgumentTypeError(
            argument="text",
            rule="the text of a schedule with parameters in it",
            received=text,
            fix=f"Write '{shown(schedule)}' in quotes, and log(1e-4, 1e-2), say, for a value.",
        )
    if not isinstance(text, str):
        raise ArgumentTypeError(argument="text", rule="a string", received=text)
    if len(text) > MAX_TEXT:
        problem = f"The text of a space has at most {MAX_TEXT:,} characters."
        raise NotationError(problem, received=Described(f"{len(text):,}"))
    root = _SpaceParser(text).expression()
    places = list(_places(root, "schedule", "", 0, Counter()))
    if not places:
        raise NotationError(
            'A space needs a parameter: log(1e-4, 1e-2), uniform(0.5, 1.0), integers(100, 500), share("5%", "60%") '
            'or choice("1%", "5%") for a value.',
            received=Described(shown(text)),
            fix="`ks.parse` reads a schedule.",
        )
    if len(places) > MOST_PARAMETERS:
        problem = f"A space has at most {MOST_PARAMETERS} parameters."
        raise NotationError(problem, received=Described(f"{len(places):,}"))
    names = _names(places)
    return Template(root, names, _by_name(names, places))


def _by_name(names: Sequence[str], places: Sequence[_Place]) -> dict[str, Parameter]:
    """The parameters by their names; places with one name have one parameter."""
    parameters: dict[str, Parameter] = {}
    for name, place in zip(names, places, strict=True):
        parameter = place.slot.parameter
        if parameters.setdefault(name, parameter) != parameter:
            ranges = " and ".join(shortened(each.written(), 80) for each in (parameters[name], parameter))
            problem = f"Two places that share the parameter {name!r} need the same range."
            raise NotationError(problem, received=Described(ranges))
    return parameters


def log(low: float, high: float, *, name: str | None = None) -> Slot:
    """A number whose logarithm is uniform."""
    _refuse_durations(low, high)
    return Slot(Log(low, high), _read_name(name))


def uniform(low: float, high: float, *, name: str | None = None) -> Slot:
    """A number, every one as likely as another."""
    _refuse_durations(low, high)
    return Slot(Uniform(low, high), _read_name(name))


def integers(low: int, high: int, *, name: str | None = None) -> Slot:
    """An integer, both ends included."""
    return Slot(Integers(low, high), _read_name(name))


def share(low: str, high: str, *, name: str | None = None) -> Slot:
    """A duration as a share of the run."""
    ends = []
    for field, end in (("low", low), ("high", high)):
        percent = read_percent(end) if isinstance(end, str) else None
        if percent is None:
            rule = 'a share of the run, as in share("5%", "60%")'
            raise ArgumentError(argument=field, rule=rule, received=end, fix=_percent_meant(end))
        ends.append(percent)
    return Slot(Share(*ends), _read_name(name))


def _refuse_durations(low: object, high: object) -> None:
    if all(isinstance(end, str) and read_percent(end) is not None for end in (low, high)):
        raise ArgumentTypeError("The ends are numbers.", fix=f'For a duration write share("{low}", "{high}").')


def choice(*options: object, name: str | None = None) -> Slot:
    """One of some options."""
    if len(options) == 1 and isinstance(options[0], list | tuple):
        inside = ", ".join(map(_written, options[0]))
        raise NotationError(
            "`choice` takes its options without brackets.",
            received=Described(f"choice({shown(options[0])})"),
            fix=f"Write choice({inside})." if len(inside) < 80 else "",
        )
    return Slot(Choice(tuple(map(_option, options))), _read_name(name))


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "log": log,
    "uniform": uniform,
    "integers": integers,
    "share": share,
    "choice": choice,
}

_THEIRS = {
    "loguniform": "log",
    "log_uniform": "log",
    "log_uniform_values": "log",
    "reciprocal": "log",
    "quniform": "uniform",
    "float": "uniform",
    "suggest_float": "uniform",
    "int": "integers",
    "integer": "integers",
    "randint": "integers",
    "suggest_int": "integers",
    "categorical": "choice",
    "suggest_categorical": "choice",
    "choices": "choice",
    "grid_search": "choice",
    "values": "choice",
    "percent": "share",
}
"""What tools for sweeps call these functions."""


_CALLS: Mapping[str, Callable[..., Any]] = ChainMap(
    dict(_FUNCTIONS), cast("dict[str, Callable[..., Any]]", Parser.calls)
)


class _SpaceParser(Parser):
    calls: ClassVar[Mapping[str, Callable[..., Any]]] = _CALLS

    def known(self, name: str) -> str:
        theirs = _THEIRS.get(name)
        return f"`{theirs}`" if theirs else super().known(name)

    def made(self, name: str, arguments: list[object], keywords: dict[str, object]) -> object:
        if name not in _FUNCTIONS:
            return Call(name, arguments, keywords)
        try:
            return call(name, arguments, keywords, _FUNCTIONS)
        except (ArgumentError, ArgumentTypeError) as error:
            raise error.changed(where=error.where or shortened(_written(Call(name, arguments, keywords)), 80)) from None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a slot stands: in which argument, of the call of which function, and of which of its calls in the text."""

    slot: Slot
    word: str
    function: str
    number: int

    @property
    def calls(self) -> tuple[str, str, str]:
        """What its parameter may be called, the shortest first."""
        return self.word, f"{self.function}_{self.word}", f"{self.function}{self.number}_{self.word}"


def _places(node: object, word: str, function: str, number: int, calls: Counter[str]) -> Iterator[_Place]:
    """The slots of a tree in the order of the text."""
    if isinstance(node, Slot):
        yield _Place(node, word, function, number)
    elif isinstance(node, Call):
        calls[node.function] += 1
        own = calls[node.function]
        for index, argument in enumerate(node.arguments):
            yield from _places(argument, _word(node.function, index), node.function, own, calls)
        for keyword_word, argument in node.keywords.items():
            yield from _places(argument, keyword_word, node.function, own, calls)
    elif isinstance(node, list | tuple):
        for item in node:
            yield from _places(item, word, function, number, calls)


def _word(function: str, index: int) -> str:
    """The name of an argument that is given by its position."""
    named = list(SIGNATURES[function].parameters.values())
    for one in named[: index + 1]:
        if one.kind is one.VAR_POSITIONAL:
            return one.name.removesuffix("s")
    return named[index].name if index < len(named) else "value"


def _names(places: list[_Place]) -> tuple[str, ...]:
    """The name of each place's parameter: what the text calls it, or the argument's name.

    Where an argument's name occurs twice, its function comes first: `cosine_to`; where that occurs twice, the number
    of the call comes too: `linear2_to` is the `to` of the second `linear` in the text.
    """
    taken = {place.slot.name for place in places if place.slot.name}
    how_often = Counter(name for place in places if not place.slot.name for name in place.calls)
    names: list[str] = []
    for place in places:
        found = place.slot.name or next(
            (name for name in place.calls if how_often[name] == 1 and name not in taken), ""
        )
        if not found:  # several in one argument, such as the points of `piecewise`
            number = 1
            while (found := f"{place.word}{number}") in taken:
                number += 1
        taken.add(found)
        names.append(found)
    return tuple(names)


def _read_name(name: object) -> str | None:
    if name is None:
        return None
    if not isinstance(name, str):
        raise ArgumentTypeError(argument="name", rule='a text, as in name="peak"', received=name)
    if not name.isascii() or not name.isidentifier() or keyword.iskeyword(name) or len(name) > _LONGEST_NAME:
        rule = f"a name of letters, digits and _, {_LONGEST_NAME} at most"
        raise ArgumentError(argument="name", rule=rule, received=name)
    return name


def _percent_meant(end: object) -> str:
    if isinstance(end, bool) or not isinstance(end, int | float) or not 0 <= end <= 100:
        return ""
    return f'Did you mean "{(end if end > 1 else 100 * end):g}%"?'


def _option(option: object) -> Value:
    """An option of a choice; a call is its text."""
    tree = _SpaceParser(option).expression() if isinstance(option, str) and is_call(option) else option
    if isinstance(tree, Slot) or any(True for _ in _places(tree, "", "", 0, Counter())):
        raise NotationError(
            "The options of a choice have values of their own: a parameter inside one would matter only where that "
            "option is chosen.",
            received=Described(shortened(_written(tree), 80)),
            fix="Write a space for each option, or give the parameter to all of them, outside of the choice.",
        )
    if isinstance(tree, Call):
        return _written(tree)
    if not isinstance(tree, str | float | int | None):
        rule = 'one of numbers, texts and calls, as in choice("1%", "5%")'
        raise ArgumentTypeError(argument="choice", rule=rule, received=tree)
    return tree


def _written(node: object) -> str:
    if isinstance(node, Slot):
        return node.parameter.written(node.name)
    if isinstance(node, Call):
        arguments = [*map(_written, node.arguments)]
        arguments += [f"{word}={_written(argument)}" for word, argument in node.keywords.items()]
        return f"{node.function}({', '.join(arguments)})"
    if isinstance(node, list):
        return f"[{', '.join(map(_written, node))}]"
    if isinstance(node, tuple):
        return f"({', '.join(map(_written, node))}{',' if len(node) == 1 else ''})"
    if isinstance(node, str) and '"' in node:
        return f"'{node}'"
    return written_string(node)


def _filled(
    node: object, names: Iterator[str], parameters: Mapping[str, Parameter], values: Mapping[str, Value]
) -> object:
    """What a tree makes with a value for each of its slots."""

    def filled(inside: object) -> object:
        return _filled(inside, names, parameters, values)

    if isinstance(node, Slot):
        name = next(names)
        return parameters[name].argument(values[name])
    if isinstance(node, Call):
        arguments = [filled(argument) for argument in node.arguments]
        return call(node.function, arguments, {word: filled(each) for word, each in node.keywords.items()})
    if isinstance(node, list | tuple):
        return type(node)(filled(each) for each in node)
    return node
