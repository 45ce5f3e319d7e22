"""Words of other libraries for what kosine's arguments are called, and the errors that translate them.

Users of torch, Keras, Optax, timm, transformers or the widely copied callback type the word that they know. kosine
refuses it and names its own, because several of these words mean something else (`alpha` is a share, `floor` a rate).
"""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from kosine.errors import ArgumentError, ArgumentTypeError, Described, KosineError, Name, NotationError, shown

Function = TypeVar("Function", bound=Callable[..., Any])

_OURS = {
    "peak lr start": "learning_rate_base max_lr base_lr lr learning_rate initial_learning_rate initial_lr eta_max "
    "warmup_max_lr peak_lr peak_value peak_learning_rate lr_max max_learning_rate warmup_target init_value",
    "warmup_start start": "warmup_learning_rate warmup_lr_init warmup_start_lr warmup_init_lr warmup_lr init_lr "
    "warmup_min_lr start_lr start_value",
    "constant": "eta_const constant_lr lr_const",
    "floor to": "eta_min min_lr lr_min minimum_lr end_value end_learning_rate final_lr lr_end end_lr min_learning_rate",
    "warmup": "warmup_steps num_warmup_steps warmup_iters warmup_t t_warmup warmup_epochs lr_warmup_steps warmup_ratio "
    "pct_start total_warmup_steps warmup_num_steps",
    "hold": "hold_base_rate_steps hold_steps num_stable_steps",
    "cooldown": "decay decay_steps num_decay_steps wsd_decay_steps decay_t cooldown_steps decay_ratio",
    "period": "T_0 t_0 first_decay_steps t_initial first_cycle_steps cycle_length period_length",
    "stretch": "T_mult t_mult t_mul cycle_mult cycle_mul",
    "shrink factor": "gamma m_mul cycle_decay decay_rate",
    "every timescale duration": "step_size decay_steps decay_period",
    "duration": "steps num_steps transition_steps total_iters T_max t_max",
    "count": "cycle_limit num_cycles cycles",
    "power": "exponent",
    "warp": "k k_decay",
    "points": "boundaries values milestones boundaries_and_scales boundaries_and_values",
    "high": "max_momentum",
    "low": "base_momentum",
    # the arguments of `plan`
    "total_steps": "num_training_steps total_num_steps max_steps num_steps steps total_iters max_iters train_steps "
    "T_max lr_decay_iters",
    "epochs": "num_epochs n_epochs max_epochs num_train_epochs epoch",
    "steps_per_epoch": "iters_per_epoch batches_per_epoch num_batches updates_per_epoch",
    "dataset_size": "num_samples n_samples train_size num_examples dataset samples",
    "batch_size": "batchsize batch global_batch_size per_device_train_batch_size micro_batch_size",
    "accumulate": "gradient_accumulation_steps accumulate_grad_batches accumulation_steps grad_accum "
    "gradient_accumulation accum_steps grad_accum_steps accum_iter",
    "devices": "world_size num_devices num_gpus n_gpus ngpus num_processes num_replicas",
    "drop_last": "dataloader_drop_last drop_remainder",
    "total_samples": "train_samples max_samples",
    "total_tokens": "train_tokens max_tokens num_tokens",
    "total_time": "max_time time_budget",
    "seconds_per_step": "step_time time_per_step secs_per_step",
}
"""Our words, the one that fits best first, and the words of others that mean them."""

_CANDIDATES: dict[str, list[str]] = {}
for _ours, _theirs in _OURS.items():
    for _word in _theirs.split():
        _CANDIDATES.setdefault(_word, []).extend(_ours.split())

_BESIDE = {"initial_learning_rate": "warmup_target", "init_value": "peak_value"}
"""Words that mean the start of a warm-up beside another word, which is the peak; alone they mean the peak."""

SIZE_APART: tuple[str, ...] = (
    *(" the size of the run apart, as ", Name("total_steps")),
    *(", or as ", Name("epochs"), " and ", Name("steps_per_epoch"), "."),
)
"""The end of a fix: where the size of a run stands that goes with a text form."""

_NO_RUN = "A schedule does not know its run: give"
_ELSEWHERE = {
    **dict.fromkeys(
        (
            *(
                "total_steps",
                "num_training_steps",
                "total_num_steps",
                "max_steps",
                "epochs",
                "num_epochs",
                "steps_per_epoch",
            ),
            *("lr_decay_iters", "T_max", "decay_steps"),
        ),
        f"{_NO_RUN} the size of the run to `schedule.plan(...)`.",
    ),
    "alpha": "Write `floor`, or `to`, the rate itself: alpha is a share of the peak.",
    **{
        word: f"Write `floor`, or `to`, the rate itself: {word} is a share of the peak."
        for word in ("min_lr_ratio", "min_lr_factor", "cos_min_ratio", "cosine_min_lr_ratio")
    },
    **dict.fromkeys(
        ("k", "k_decay"), "Write `warp` of the curve, as in `ks.cosine(to=0.0, warp=2.0)`: k-decay with k = 2."
    ),
    "verbose": "A schedule prints nothing: `print(plan)` shows its phases.",
    "last_epoch": "A plan has no state: `plan(step)` is the rate of any step.",
    "optimizer": "A schedule does not hold an optimizer: see `ks.keras`, `ks.torch` and `ks.jax` for training.",
    "staircase": 'Write `section(..., tick="1ep")`: the rate then changes once an epoch.',
}
"""What is said in another place, or not at all."""

_LONGEST_WORD = 40  # comparing words takes time with their length, and no argument's name is longer


def translates_foreign_words(function: Function) -> Function:
    """Decorate a function so that a call with wrong arguments is refused in kosine's words.

    A right call costs one more call of Python; the signature stays as it is, for type checkers and for `inspect`.
    """
    signature = inspect.signature(function)

    @functools.wraps(function)
    def called(*arguments: Any, **keywords: Any) -> Any:
        try:
            return function(*arguments, **keywords)
        except TypeError:
            wrong = wrong_arguments(function.__name__, signature, arguments, keywords)
            if wrong is None:  # the arguments are the right ones, and a value of them has a wrong type
                raise
        raise wrong

    return called  # type: ignore[return-value]  # it has the same signature


def wrong_arguments(
    name: str,
    signature: inspect.Signature,
    arguments: Sequence[object],
    keywords: Mapping[str, object],
    error: type[KosineError] = ArgumentTypeError,
) -> KosineError | None:
    """The error for a call whose arguments the function does not have; None where it has them all."""
    bound_self = next(iter(signature.parameters), "") == "self"
    parameters = {word: one for word, one in signature.parameters.items() if word != "self"}
    shape = signature.replace(
        parameters=[one.replace(annotation=one.empty) for one in parameters.values()],
        return_annotation=signature.empty,
    )
    given = list(arguments[1:] if bound_self else arguments)
    known = f"Its arguments are {name}{shape}."
    unknown = [word for word in keywords if word not in parameters]
    if unknown and not any(one.kind is one.VAR_KEYWORD for one in parameters.values()):
        names = listed([shown(word) for word in unknown[:4]])
        written: list[str] = []
        for sentence in _meant(unknown[:4], parameters):
            if sentence.startswith(_NO_RUN) and error is NotationError:  # a text has no `plan` to call
                written += (_NO_RUN, *SIZE_APART, " ")
            else:
                written += (sentence, " ")
        return error(f"`{name}` has no argument{'s' if len(unknown) > 1 else ''} {names}.", fix=(*written, known))
    try:
        shape.bind(*given, **keywords)
    except TypeError as unbound:
        positional = [one for one in parameters.values() if one.kind is one.POSITIONAL_OR_KEYWORD]
        named = [one.name for one in parameters.values() if one.kind is one.KEYWORD_ONLY]
        fix = f"Write {name}({named[0]}={shown(given[-1])}). " if named and len(given) == len(positional) + 1 else ""
        if fix and positional:
            fix = f"Write {named[0]}={shown(given[-1])}. "
        return error(
            f"`{name}` cannot be called like this: {unbound}.", received=keywords or given, fix=f"{fix}{known}"
        )
    return None


_OF_CALLBACKS = ("set_params", "set_model", "async_safe")


def refuse_as_callback(what: str, attribute: str) -> None:
    """Raise where an attribute that only Keras' callbacks have is asked of something that is passed in their place.

    The error is not an AttributeError: Keras would take that to mean that `async_safe` is unset, and go on.
    """
    if attribute in _OF_CALLBACKS or attribute.startswith("on_"):
        raise ArgumentTypeError(
            f"{what} cannot be used in `callbacks=[...]`: Keras asks it for `{attribute}`.",
            fix="Pass `ks.keras.LearningRateCallback(schedule)`, which also takes a plan.",
        )


def not_a_keras_scheduler(problem: str, *received: object) -> ArgumentError:
    """The error for a call with two values, as `keras.callbacks.LearningRateScheduler` makes it.

    It is not a TypeError: Keras would take that for a function of the epoch alone, and train with the rates of the
    wrong steps.
    """
    return ArgumentError(
        problem,
        received=Described(", ".join(map(shown, received))),
        fix="`keras.callbacks.LearningRateScheduler` calls what it is given with the epoch and the rate: pass "
        "`ks.keras.LearningRateCallback(schedule)` to `fit` instead of it.",
    )


def near(word: str, known: Iterable[str]) -> str | None:
    """The known word that a wrong one was probably meant to be."""
    matches = difflib.get_close_matches(word, known, 1) if len(word) <= _LONGEST_WORD else []
    return matches[0] if matches else None


def listed(items: Sequence[str]) -> str:
    """Items as a sentence lists them: "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, (", ".join(items[:-1]), *items[-1:])))


def _meant(words: Sequence[str], parameters: Mapping[str, object]) -> list[str]:
    """What to write instead of words that a function does not have, as sentences."""
    ours = {word: next((one for one in _candidates(word, words) if one in parameters), None) for word in words}
    pairs = [f"`{one}` for {word}" for word, one in ours.items() if one]
    sentences = [f"Write {listed(pairs)}."] if pairs else []
    for word in words:
        if ours[word]:
            continue
        if word in _ELSEWHERE:
            sentences.append(_ELSEWHERE[word])
        elif meant := near(word, parameters):
            sentences.append(f"Did you mean `{meant}`?")
    return list(dict.fromkeys(sentences))


def _candidates(word: str, words: Sequence[str]) -> Sequence[str]:
    """Our words that another library's may mean, among the other words of the same call."""
    return ("warmup_start", "start") if _BESIDE.get(word) in words else _CANDIDATES.get(word, ())
