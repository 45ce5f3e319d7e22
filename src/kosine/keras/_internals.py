"""What kosine knows of the insides of Keras; every assumption about them is in this file."""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from types import FrameType
from typing import Any, cast

import keras
from keras.src.backend.common import global_state

BACKEND: str = keras.backend.backend()
STEP_DTYPE = "int64" if BACKEND == "tensorflow" else "int32"  # the types of Keras' iteration counters


# --- optimizers ---


def optimizers(model: Any) -> list[Any]:
    """The optimizers of a model that have a learning rate, inside any wrapper."""

    def leaves(optimizer: Any) -> list[Any]:
        if optimizer is None:
            return []
        if hasattr(optimizer, "inner_optimizer"):
            return leaves(optimizer.inner_optimizer)
        if hasattr(optimizer, "optimizers"):
            return [leaf for inner in optimizer.optimizers for leaf in leaves(inner)]
        return [optimizer]

    return leaves(getattr(model, "optimizer", None))


def default_optimizer(model: Any) -> Any:
    """The optimizer of the variables that a MultiOptimizer's patterns leave out; None where it has none."""
    return getattr(_optimizer_map(model), "default_optimizer", None)


def optimizer_patterns(model: Any) -> list[str]:
    """The patterns of a MultiOptimizer."""
    known = _optimizer_map(model)
    return list(known) if isinstance(known, Mapping) else []  # a function may stand in its place


def _optimizer_map(model: Any) -> Any:
    return getattr(getattr(model.optimizer, "inner_optimizer", model.optimizer), "_optimizer_map", None)


def variables_of(model: Any, optimizer: Any) -> list[str]:
    """The paths of the variables that an optimizer updates."""
    alone = len(optimizers(model)) == 1  # it may not know its variables before the first batch
    return [variable.path for variable in (model.trainable_variables if alone else optimizer._trainable_variables)]


def idle_optimizers(model: Any) -> dict[str, Any]:
    """The optimizers that stand in attributes of the model and that `model.optimizer` does not hold, by their names."""
    known = [*optimizers(model), model.optimizer]
    return {
        name: value
        for name, value in vars(model).items()
        if isinstance(value, keras.optimizers.Optimizer) and not any(value is each for each in known)
    }


def wraps_another(optimizer: Any) -> bool:
    """Whether the updates of this optimizer are done by another one that it holds."""
    inner = [value for value in vars(optimizer).values() if isinstance(value, keras.optimizers.Optimizer)]
    overridden = type(optimizer).learning_rate is not keras.optimizers.Optimizer.learning_rate
    return bool(inner) or overridden or not isinstance(optimizer, keras.optimizers.Optimizer)


def iterations(optimizer: Any) -> int:
    # The public `iterations` is divided by the gradient accumulation steps; a schedule is given the raw count.
    return int(optimizer._iterations + 0)


def rate_variable(optimizer: Any) -> Any:
    """The variable of a constant learning rate; None where the rate is a schedule or a function."""
    rate = rate_of(optimizer)
    return rate if isinstance(rate, keras.Variable) else None


def rate_of(optimizer: Any) -> Any:
    """What the optimizer's learning rate comes from: a variable, a schedule or a function."""
    return optimizer._learning_rate


RATE_METHOD = "_get_current_learning_rate"
"""The method that an optimizer asks for the learning rate of an update; a function of this name in an optimizer's own
attributes stands before it."""


def uncompiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that `torch.compile` leaves to Python: a rate in its graph would be compiled for each step anew."""
    if BACKEND != "torch":
        return function
    import torch

    return cast(Callable[..., Any], torch.compiler.disable(function))


def attributes_of(optimizer: Any, value: str) -> list[str]:
    """The attributes that are the "momentum" of an optimizer, or its "weight_decay"; none where it has none."""
    if value == "weight_decay":  # Muon has one more, for the variables that Adam updates
        return [name for name in ("weight_decay", "adam_weight_decay") if hasattr(optimizer, name)]
    if isinstance(getattr(optimizer, "momentum", None), float):
        return ["momentum"] if optimizer.momentum else []  # without one SGD has no buffers for it
    return ["beta_1"] if isinstance(getattr(optimizer, "beta_1", None), float) else []


def scales_loss(model: Any) -> bool:
    return isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)


def build_if_needed(model: Any) -> None:
    """Build a MultiOptimizer, which may not know its optimizers before."""
    optimizer: Any = getattr(model, "optimizer", None)
    if hasattr(optimizer, "optimizers") and not optimizer.built and model.built:
        optimizer.build(model.trainable_variables)


def reads_batches(callback: Any) -> bool:
    """Whether a callback reads the logs of every batch."""
    if isinstance(callback, keras.callbacks.TensorBoard):
        return bool(callback.update_freq != "epoch")
    if isinstance(callback, keras.callbacks.ModelCheckpoint | keras.callbacks.BackupAndRestore):
        return False
    base = keras.callbacks.Callback
    return (type(callback).on_train_batch_end, type(callback).on_batch_end) != (
        base.on_train_batch_end,
        base.on_batch_end,
    )


# --- train functions ---


def make_train_function(model: Any, unpack: Callable[[Any], Any] | None = None) -> Any:
    """A train function made anew; `unpack` takes each batch inside the train step, before the model gets it."""
    before, own = model.train_function, vars(model).get("train_step")
    step = model.train_step

    def train_step(state: Any, data: Any) -> Any:
        assert unpack is not None
        return step(state, unpack(data))

    if unpack is not None:
        model.train_step = train_step
    try:
        type(model).make_train_function(model, force=True)
        return model.train_function
    finally:
        model.train_function = before
        if unpack is not None:
            del model.train_step
            if own is not None:
                model.train_step = own


# --- layers ---


def layers_of(model: Any) -> list[Any]:
    """The model and every layer in it, at any depth."""
    return list(model._flatten_layers())


def output_layer(model: Any) -> Any:
    """The layer that makes the only output of a model; None where the model is a class of the user's own."""
    layer = model
    while isinstance(layer, keras.Model):
        outputs = getattr(layer, "outputs", None)
        if not outputs:
            return None
        layer = outputs[0]._keras_history.operation
    return layer


def inputs_of(model: Any) -> Any:
    """The symbolic inputs of a model, in the structure that it takes; None for a class of the user's own."""
    functional = getattr(model, "_functional", None) or model  # that of a Sequential model
    return getattr(functional, "_inputs_struct", None)


def without_gradients() -> AbstractContextManager[None]:
    """A block in which PyTorch records nothing for gradients."""
    if BACKEND != "torch":
        return nullcontext()
    import torch

    return cast(AbstractContextManager[None], torch.no_grad())


# --- random state ---


def torch_random_state() -> tuple[Any, list[Any]]:
    """The state of PyTorch's generators, on the host and on the devices."""
    import torch

    return torch.get_rng_state(), torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []


def set_torch_random_state(state: tuple[Any, list[Any]]) -> None:
    import torch

    torch.set_rng_state(state[0])
    if state[1]:
        torch.cuda.set_rng_state_all(state[1])


# --- who is calling ---


def calling_list() -> keras.callbacks.CallbackList | None:
    """The list of callbacks that is calling; Keras hands it to no callback, so it is looked up in the call stack."""
    for frame in _callers(sys._getframe()):
        caller = frame.f_locals.get("self")
        if isinstance(caller, keras.callbacks.CallbackList):
            return caller
    return None


def called_by_fit(model: Any) -> bool:
    """Whether the caller is `fit`, not `evaluate` or `predict`: Keras calls a callback in the same way from each."""
    frame = _method_of(model, ("fit", "evaluate", "predict"))
    return frame is not None and frame.f_code.co_name == "fit"


def initial_epoch(model: Any) -> int:
    """The `initial_epoch` that `fit` was given, which Keras hands to no callback."""
    frame = _method_of(model, ("fit",))
    return 0 if frame is None else int(frame.f_locals.get("initial_epoch", 0))


class Running:
    """The `fit` that is calling. It has ended when its frame has left the stack, whatever it was that ended it."""

    def __init__(self, model: Any) -> None:
        self._thread = threading.get_ident()
        frame = _method_of(model, ("fit",))
        self._code = None if frame is None else frame.f_code  # None: a loop of the user's own calls the callbacks
        # A frame keeps the data, so that of Keras is known again by what it iterates over.
        iterator = None if frame is None else frame.f_locals.get("epoch_iterator")
        self._frame = frame if iterator is None else None
        self._iterator: Callable[[], Any] = weakref.ref(self if iterator is None else iterator)

    @property
    def alive(self) -> bool:
        if self._code is None:
            return True
        if self._iterator() is None:
            return False
        own = threading.get_ident() == self._thread
        top = sys._getframe() if own else sys._current_frames().get(self._thread)
        return top is not None and any(map(self._is, _callers(top)))

    def _is(self, frame: FrameType) -> bool:
        if frame.f_code is not self._code:
            return False
        if self._frame is not None:
            return frame is self._frame
        return frame.f_locals.get("epoch_iterator") is self._iterator()


def level_of_the_user() -> int:
    """The `stacklevel` of a warning that the caller of this function gives: that of the user's line, such as `fit`."""
    for level, frame in enumerate(_callers(sys._getframe(1)), start=1):
        if frame.f_globals.get("__name__", "").split(".")[0] not in ("keras", "kosine"):
            return level
    return 1


def _method_of(model: Any, names: tuple[str, ...]) -> FrameType | None:
    """The nearest calling frame of one of the methods of a model."""
    for frame in _callers(sys._getframe()):
        if frame.f_code.co_name in names and frame.f_locals.get("self") is model:
            return frame
    return None


def _callers(frame: FrameType) -> Iterator[FrameType]:
    """The functions that are calling, inner ones first."""
    following: FrameType | None = frame
    while following is not None:
        yield following
        following = following.f_back


def distribution_scope(model: Any) -> Any:
    """The strategy in whose scope TensorFlow makes variables for the model, if any."""
    return cast(Any, getattr(model, "distribute_strategy", None))


# --- what a `fit` that leaves no trace must know ---


def is_built(model: Any) -> bool:
    """Whether every layer has its weights."""
    return all(layer.built for layer in model._flatten_layers())


def build_weights(model: Any, x: Any) -> None:
    """Make the weights of a model that are made with the first batch, as `fit` makes them."""
    # TensorFlow traces `fit` with batches of any size, the others with the first one.
    any_size = BACKEND == "tensorflow"

    def symbol(value: Any) -> Any:
        if value is None:
            return None
        shape = tuple(value.shape)
        shape = (None, *shape[1:]) if any_size else shape
        return keras.KerasTensor(shape, keras.backend.standardize_dtype(value.dtype))

    from keras.src.backend import compute_output_spec

    with scope_of(model):
        compute_output_spec(model, keras.tree.map_structure(symbol, x), training=False)


def build_optimizer(model: Any) -> None:
    """Make the slots of an optimizer that is not built."""
    if not model.optimizer.built:
        with scope_of(model):
            model.optimizer.build(model.trainable_variables)


def scope_of(model: Any) -> Any:
    """The scope in which the variables of the model are made."""
    strategy = distribution_scope(model)
    return nullcontext() if strategy is None else strategy.scope()


def without_metrics(model: Any) -> None:
    """Let the model train without the metrics of `compile`, and with a loss of its own where it is not built.

    So neither of them changes. The caller puts the attributes of the model back.
    """
    attributes, loss = vars(model), model._compile_loss
    attributes["_compile_metrics"] = None
    if loss is not None and not loss.built:
        attributes["_compile_loss"] = type(loss)(
            loss._user_loss, loss._user_loss_weights, reduction=loss.reduction, output_names=loss.output_names
        )


def loss_metrics(model: Any) -> list[Any]:
    """The running means that a model reports as its `loss`."""
    return [metric for metric in model.metrics if metric.name == "loss"]


def token_of_compile(model: Any) -> Any:
    """An object that every `compile` makes anew."""
    return model._loss_tracker


def updates_in_epoch(model: Any, optimizer: Any) -> int:
    """The iterations of an optimizer, also between two batches: there JAX keeps the state apart from the variables."""
    state = getattr(model, "_jax_state", None)
    if BACKEND != "jax" or not state or model._jax_state_synced:
        return iterations(optimizer)
    place = next(n for n, each in enumerate(model.optimizer.variables) if each is optimizer._iterations)
    return int(state["optimizer_variables"][place])


def forget_jax_state(model: Any) -> None:
    """Make the variables of a model count, whatever a train step that failed has left."""
    if BACKEND == "jax":
        model._jax_state, model._jax_state_synced = None, True


def replicas(model: Any) -> int:
    """The replicas that train a model on TensorFlow; each of them has metrics of its own."""
    return int(getattr(distribution_scope(model), "num_replicas_in_sync", 1))


def epoch_iterator(model: Any) -> Any:
    """What the `fit` that is calling iterates over."""
    frame = _method_of(model, ("fit",))
    return None if frame is None else frame.f_locals.get("epoch_iterator")


def seed_of_keras() -> tuple[Any, Any]:
    """The seed that `keras.utils.set_random_seed` has set, and the generator of random numbers made from it."""
    return tuple(global_state.get_global_attribute(name) for name in _SEED_NAMES)


def set_seed_of_keras(seed: Any, generator: Any) -> None:
    for name, value in zip(_SEED_NAMES, (seed, generator), strict=True):
        global_state.set_global_attribute(name, value)


_SEED_NAMES = ("global_random_seed", "global_seed_generator")


def seed_of_tensorflow() -> Callable[[], None]:
    """What puts the seed back that TensorFlow has now."""
    from tensorflow.python.eager.context import context
    from tensorflow.python.ops import stateful_random_ops

    seed, random = context()._seed, getattr(context(), "_rng", None)  # None: it was never seeded
    drawn, generator = random and random.getstate(), stateful_random_ops.global_generator
    state = None if generator is None else generator.state.numpy()

    def put_back() -> None:
        context()._set_global_seed(seed)
        if random is None:
            del context()._rng
        else:
            context()._rng.setstate(drawn)
        stateful_random_ops.global_generator = generator
        if generator is not None:
            generator.state.assign(state)

    return put_back


def copy_of_dataset(dataset: Any) -> Any:
    """A `tf.data.Dataset` whose shuffling is not that of the given one: each pass over a dataset changes the next one.

    The dataset itself where nothing in it is shuffled anew.
    """
    import tensorflow as tf
    from tensorflow.core.framework.graph_pb2 import GraphDef
    from tensorflow.python.data.ops.dataset_ops import _VariantDataset
    from tensorflow.python.ops.gen_experimental_dataset_ops import dataset_from_graph

    ignored = tf.data.experimental.ExternalStatePolicy.IGNORE
    graph = GraphDef.FromString(dataset._as_serialized_graph(external_state_policy=ignored).numpy())
    # The state is a resource that a constant points to. A generator that is made where one is missing takes its place.
    constants = [node for node in graph.node if node.op == "Const" and _is_seed_generator(node.attr["value"].tensor)]
    if not constants:
        return dataset
    for node in constants:
        node.op = "DummySeedGenerator"
        node.attr.clear()
    return _VariantDataset(dataset_from_graph(graph.SerializeToString()), dataset.element_spec)


def _is_seed_generator(tensor: Any) -> bool:
    return any("SeedGenerator" in handle.maybe_type_name for handle in tensor.resource_handle_val)
