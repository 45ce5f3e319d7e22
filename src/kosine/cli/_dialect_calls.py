"""A call of another library's schedule as SCHEDULE, such as torch.OneCycleLR(0.1, total_steps=100)."""

from __future__ import annotations

import ast
import inspect
import re
import warnings
from collections.abc import Callable
from typing import Any

from kosine._core.schedule import Schedule
from kosine.dialects._parts import no_such_name
from kosine.errors import NotationError

_MOST_TEXT = 2**14
"""Characters. Python's parser expects trusted programs: an untrusted text must be small to be harmless."""
_BEGIN = re.compile(
    r"\s*+(?:(?:ks|kosine)\s*+\.\s*+)?+(?P<dialects>dialects\s*+\.\s*+)?+"
    r"(?P<library>[A-Za-z_]\w*+)\s*+\.\s*+(?:optim\.lr_scheduler\.|optimizers\.schedules\.)?[A-Za-z_]\w*+\s*+\(",
    re.ASCII,
)
_WHERE_THEY_ARE = {"torch.optim.lr_scheduler.": "torch.", "keras.optimizers.schedules.": "keras."}
"""How a call begins that is pasted from a training script, and how it begins here."""
_EXAMPLE = "torch.OneCycleLR(0.1, total_steps=100)"


def is_dialect_call(text: str) -> bool:
    """Whether a text begins as the call of a function in `kosine.dialects` does."""
    match = _BEGIN.match(text)
    if match is None:
        return False
    from kosine import dialects

    return match["dialects"] is not None or match["library"] in dialects.__all__


def parse_dialect_call(text: str) -> Schedule:
    """The schedule that a call of a function in `kosine.dialects` makes. Nothing is evaluated.

    Python's parser makes a tree of the text. Of the tree only numbers, texts, lists, mappings and calls of functions
    in `kosine.dialects` are read.

    Raises:
        NotationError: the text is not such a call.
        ScheduleError, ArgumentTypeError: it is one, but a value in it breaks a rule.
    """
    if len(text) > _MOST_TEXT:
        raise NotationError(f"A call such as {_EXAMPLE} has at most {_MOST_TEXT:,} characters. This one has more.")
    text = text.strip()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as the one of a backslash in a text
            tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else "Python's parser refuses it"
        raise NotationError(f"Not a call such as {_EXAMPLE}: {reason}.", received=text) from error
    schedule = _Reader(text).value(tree)
    if not isinstance(schedule, Schedule):
        raise NotationError("The call must make a schedule.", received=text)
    return schedule


class _Reader:
    """Reads the values that a tree of Python writes."""

    def __init__(self, text: str) -> None:
        self._text = text

    def value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=None | bool() | int() | float() | str()):
                return node.value
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
                return -number
            case ast.List() | ast.Tuple():
                return [self.value(element) for element in node.elts]
            case ast.Dict():
                return {self._key(key): self.value(each) for key, each in zip(node.keys, node.values, strict=True)}
            case ast.Call():
                return self._call(node)
        raise self._error("a number, a text, a list, a mapping, True, False or None", node)

    def _key(self, node: ast.expr | None) -> Any:
        if not isinstance(node, ast.Constant):
            raise self._error("a number or a text as the key of a mapping", node)
        return self.value(node)

    def _call(self, node: ast.Call) -> Any:
        name, function = self._function(node.func)
        arguments = [self.value(argument) for argument in node.args]
        keywords: dict[str, Any] = {}
        for keyword in node.keywords:
            if keyword.arg is None or keyword.arg in keywords:
                raise self._error("each argument once, with its name", keyword.value)
            keywords[keyword.arg] = self.value(keyword.value)
        signature = inspect.signature(function)
        try:
            signature.bind(*arguments, **keywords)
        except TypeError as error:
            plain = [parameter.replace(annotation=parameter.empty) for parameter in signature.parameters.values()]
            its = signature.replace(parameters=plain, return_annotation=signature.empty)
            raise NotationError(
                f"`{name}` cannot be called like this: {error}.",
                received=self._source(node),
                fix=f"Its arguments are {name}{its}.",
            ) from error
        return function(*arguments, **keywords)

    def _function(self, node: ast.expr) -> tuple[str, Callable[..., Any]]:
        """The function of `kosine.dialects` that a dotted name means, and the name."""
        from kosine import dialects

        dotted = re.sub(r"\s", "", self._source(node))
        name = re.sub(r"^(?:(?:ks|kosine)\.)?(?:dialects\.)?", "", dotted)
        for theirs, ours in _WHERE_THEY_ARE.items():
            name = ours + name.removeprefix(theirs) if name.startswith(theirs) else name
        library, _, schedule = name.partition(".")
        try:
            module = getattr(dialects, library) if library in dialects.__all__ else dialects.__getattr__(library)
            function = getattr(module, schedule)
            # A module also has what it imports: only what it offers may be called.
            if not inspect.isfunction(function) or function.__name__ not in module.__all__:
                raise no_such_name(module.__name__, schedule, module.__all__, {})
        except AttributeError as error:
            raise NotationError(str(error)) from error
        return name, function

    def _source(self, node: ast.expr | None) -> str:
        return "" if node is None else ast.get_source_segment(self._text, node) or ""

    def _error(self, expected: str, node: ast.expr | None) -> NotationError:
        received = self._source(node)
        fix = ""
        if received in ("optimizer", "opt", "self.optimizer"):
            fix = "Leave the optimizer out, or write its rate where the schedule needs it: torch.StepLR(0.1, 30)."
        elif isinstance(node, ast.Name | ast.Attribute):
            fix = "Write its value."
        return NotationError(f"Not a call such as {_EXAMPLE}: expected {expected}.", received=received, fix=fix)
