"""An ensemble of the models at the ends of cycles."""

from __future__ import annotations

import html
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from kosine._core.arguments import read_count
from kosine._core.files import whole_path
from kosine._core.plain_text import aligned
from kosine.errors import ArgumentError, Described, TrainingError
from kosine.keras._averaging import average_weights, check_refresh, kept, load_weights, refresh_statistics, state_of
from kosine.keras._combining import Combine, combination
from kosine.keras._cycle_files import MODEL
from kosine.keras._evaluating import loss_first
from kosine.keras._internals import inputs_of
from kosine.keras._members import check_architectures, config_of, member_files


@dataclass(frozen=True)
class EnsembleRow:
    """The last `members` members together, and the first of them alone.

    Attributes:
        members: how many.
        metrics: the loss and the metrics of their mean, by name.
        file: the member that this row adds to those of the row above.
        own: the loss and the metrics of that member alone.
    """

    members: int
    metrics: Mapping[str, float]
    file: Path
    own: Mapping[str, float]


class EnsembleTable(tuple[EnsembleRow, ...]):
    """What `Ensemble.evaluate` finds: a row for the last 1, 2, ... members; `print` shows a table."""

    __slots__ = ()

    @property
    def best(self) -> int:
        """The number of members with the lowest loss on this data."""
        return min(self, key=lambda row: row.metrics["loss"]).members

    def __str__(self) -> str:
        names = list(self[0].metrics)
        lines = [["last", *names, "  adds", *(f"its {name}" for name in names)]]
        for row in self:
            together, alone = ([f"{each[name]:.4g}" for name in names] for each in (row.metrics, row.own))
            lines.append([str(row.members), *together, f"  {row.file.name}", *alone])
        return "\n".join([*aligned(lines, left=(len(names) + 1,)), self._sentence])

    @property
    def _sentence(self) -> str:
        best = self.best
        found = "the last member alone" if best == 1 else f"the last {best} members"
        return (
            f"The loss is lowest for {found}. The number is chosen on this data: measure it on data that was not used "
            "to choose."
        )

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


class Ensemble:
    """The models at the ends of cycles as one: the mean of what they predict, or of their weights.

    Members are in memory one at a time. Whether more of them help depends on the run: `evaluate` shows it.

    Attributes:
        files: the members in order, the last one trained last.

    Example:
        >>> import keras, numpy as np, tempfile, kosine as ks
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> folder = tempfile.mkdtemp()
        >>> callbacks = [
        ...     ks.keras.LearningRateCallback(ks.sgdr(peak=0.1, period=3), lint=False),
        ...     ks.keras.CycleEnds(f"{folder}/cycle-{{cycle:02d}}.keras"),
        ... ]
        >>> history = model.fit(np.ones((12, 2)), np.ones((12, 1)), batch_size=2, verbose=0, callbacks=callbacks)
        >>> ensemble = ks.keras.Ensemble.load(folder)
        >>> [file.name for file in ensemble.files]
        ['cycle-01.keras', 'cycle-02.keras']
        >>> ensemble.predict(np.ones((3, 2))).shape
        (3, 1)
    """

    def __init__(self, files: Sequence[Path], body: Any, own: bool, compiled: Mapping[str, Any], objects: Any) -> None:
        self.files = tuple(files)
        self._body, self._own, self._compiled, self._objects = body, own, compiled, objects

    @classmethod
    def load(
        cls,
        source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
        *,
        model: Any = None,
        custom_objects: Mapping[str, Any] | None = None,
    ) -> Ensemble:
        """Find the members, and check that they are of one architecture.

        Keras loads them in its safe mode, so no code in a file runs.

        Args:
            source: a folder, whose files are taken in the order of the numbers in their names, without the average
                that `CycleEnds` writes; or a list of files in an order of your own.
            model: a built model of the architecture, needed for files of weights alone. It is as before after each
                call; compile it for `evaluate`.
            custom_objects: classes and functions of your own, as in `keras.saving.load_model`.

        Raises:
            ArgumentError: a folder without members, a file that is missing or that Keras did not save, members of
                different architectures or shapes, or a model with several outputs.
        """
        files, objects = member_files(source), None if custom_objects is None else dict(custom_objects)
        whole = all(file.name.endswith(MODEL) for file in files)
        configs = [config_of(file) for file in files] if whole else []
        if whole:
            check_architectures(files, configs)
        elif model is None:
            rule = "a built model of the members' architecture, as these files have weights alone"
            raise ArgumentError(argument="model", rule=rule, received=None)
        own = model is None
        body = keras.saving.load_model(files[0], custom_objects=objects, compile=False) if own else model
        if len(keras.tree.flatten(getattr(body, "outputs", None) or [None])) > 1:
            received = Described(f"a model with {len(body.outputs)}")
            raise ArgumentError("An ensemble is of models with one output.", argument="source", received=received)
        compiled = configs[0].get("compile_config") if own else model.get_compile_config()
        ensemble = cls(files, body, own, compiled or {}, objects)
        if not whole or not own:
            with ensemble._borrowed():
                for file in files:
                    ensemble._load(file)
        return ensemble

    def __len__(self) -> int:
        return len(self.files)

    def __repr__(self) -> str:
        return f"<Ensemble of {len(self)} members, {self.files[0].name} to {self.files[-1].name}>"

    def predict(
        self, x: Any, members: int | None = None, *, combine: Combine = "probabilities", batch_size: int | None = None
    ) -> NDArray[Any]:
        """The mean of what the last `members` members predict.

        The mean has the scale of one member's output: of logits for a loss with `from_logits=True`, and of
        probabilities behind softmax or sigmoid. Outputs of other kinds are averaged as they are.

        Args:
            x: what `predict` of a Keras model takes and can be read more than once.
            members: how many of the last members; all if None.
            combine: "probabilities": the mean of the probabilities; "logits": that of the logits, the geometric mean
                of the probabilities. Where the outputs are neither, both are the mean of the outputs.
            batch_size: as in Keras.

        Raises:
            ArgumentError: more members than there are, another `combine`, or logits of outputs that have none.
        """
        how = combination(self._body, combine, self._compiled.get("loss"))
        return how.mean(self._outputs(x, self._last(members), batch_size))

    def evaluate(
        self,
        x: Any,
        y: Any,
        *,
        sample_weight: Any = None,
        combine: Combine = "probabilities",
        batch_size: int | None = None,
    ) -> EnsembleTable:
        """The compiled loss and metrics for the last 1, 2, ... members, and for each member alone.

        Penalties of the weights are not in the loss.

        Args:
            x: inputs, as `predict` takes them.
            y: their targets as an array.
            sample_weight: a weight for each sample.
            combine: as in `predict`.
            batch_size: as in Keras.

        Raises:
            TrainingError: the members were not compiled with a loss.
            ArgumentError: as of `predict`.
        """
        how = combination(self._body, combine, self._compiled.get("loss"))
        outputs = self._outputs(x, self.files, batch_size)
        judge = self._judge(outputs[0].shape[1:])

        def judged(parts: Sequence[NDArray[Any]]) -> dict[str, float]:
            mean = how.mean(parts)
            found = judge.evaluate(
                mean, y, sample_weight=sample_weight, batch_size=batch_size, verbose=0, return_dict=True
            )
            return loss_first(found)

        rows = []
        for count in range(1, len(self) + 1):
            metrics = judged(outputs[-count:])
            own = metrics if count == 1 else judged(outputs[-count : len(outputs) - count + 1])
            rows.append(EnsembleRow(count, metrics, self.files[-count], own))
        return EnsembleTable(rows)

    def save(
        self, path: str | os.PathLike[str], members: int | None = None, *, combine: Combine = "probabilities"
    ) -> None:
        """Save the last members as one plain Keras model, which loads without kosine and is not compiled.

        Args:
            path: the file, which ends in ".keras", in another folder than the members; it appears whole or not at all.
            members: how many of the last members; all if None.
            combine: as in `predict`.

        Raises:
            ArgumentError: another ending, or models of a class of your own, which Keras cannot join.
            OSError: the file cannot be written; one that was there before is unchanged.
        """
        if not str(path).endswith(MODEL):
            raise ArgumentError(argument="path", rule=f"a name that ends in {MODEL}", received=path)
        how = combination(self._body, combine, self._compiled.get("loss"))
        taken = inputs_of(self._body)
        if taken is None:
            received = Described(f"a {type(self._body).__name__}")
            raise ArgumentError("Only functional and sequential models can be joined.", received=received)
        inputs = keras.tree.map_structure(
            lambda each: keras.Input(each.shape[1:], dtype=each.dtype, name=each.name), taken
        )
        outputs = []
        for number, file in enumerate(self._last(members)):
            member = self._copy(file)
            member.name = f"member_{number + 1}"  # the names of layers in one model must differ
            outputs.append(member(inputs))
        with whole_path(path, ending=f".part{MODEL}") as part:
            keras.Model(inputs, how.layers(outputs), name="ensemble").save(part)

    def average(self, last: int | None = None, *, refresh: Any = None, batch_size: int | None = None) -> Any:
        """A model with the equal average of the weights of the last members.

        Args:
            last: how many of the last members; all if None.
            refresh: training data, for models with BatchNormalization: inputs, (x, y) or a dataset. One pass over it
                makes the layers' statistics anew, as means over its batches.
            batch_size: samples in a batch of `refresh`; 32 if None.

        Returns:
            A Keras model, compiled as the members were.

        Raises:
            ArgumentError: BatchNormalization layers and no `refresh`, or more members than there are.
        """
        files = self._last(last)
        check_refresh(self._body, refresh)
        model = self._copy(files[-1], compiled=True)
        average_weights(model, files)
        refresh_statistics(model, refresh, batch_size)
        return model

    # --- the members ---

    def _last(self, members: object) -> Sequence[Path]:
        if members is None:
            return self.files
        count = read_count(members, "members")
        if not 1 <= count <= len(self):
            raise ArgumentError(argument="members", rule=f"from 1 to {len(self)}", received=members)
        return self.files[-count:]

    def _outputs(self, x: Any, files: Sequence[Path], batch_size: int | None) -> list[NDArray[Any]]:
        """What each member predicts; all use the same compiled function."""
        outputs = []
        with self._borrowed():
            for file in files:
                self._load(file)
                outputs.append(self._body.predict(x, batch_size=batch_size, verbose=0))
        if not isinstance(outputs[0], np.ndarray):
            received = Described(f"a model whose output is a {type(outputs[0]).__name__}")
            raise ArgumentError("An ensemble is of models with one output.", received=received)
        return outputs

    def _load(self, file: Path) -> None:
        try:
            load_weights(self._body, file)
        except (ValueError, KeyError) as error:
            raise ArgumentError(
                "The weights do not fit the model: members have one architecture.",
                argument="source",
                received=Described(file.name),
            ) from error

    @contextmanager
    def _borrowed(self) -> Iterator[None]:
        """A model of the user's is as before afterwards."""
        with kept([] if self._own else state_of(self._body)):
            yield

    def _copy(self, file: Path, compiled: bool = False) -> Any:
        """A model of a member."""
        if self._own:
            return keras.saving.load_model(file, custom_objects=self._objects, compile=compiled)
        copy = keras.models.clone_model(self._body)
        load_weights(copy, file)
        if compiled and self._compiled:
            copy.compile_from_config(dict(self._compiled))
        return copy

    def _judge(self, shape: tuple[int, ...]) -> Any:
        """A model that gives back its inputs, with the members' loss and metrics."""
        given = {name: self._compiled.get(name) for name in ("loss", "metrics", "weighted_metrics")}
        if given["loss"] is None:
            raise TrainingError(
                "The members have no loss to be evaluated with.",
                received=Described("models that were not compiled with one"),
                fix="Compile the model before it is trained or, for files of weights, the `model` that is passed.",
            )
        inputs = keras.Input(shape)
        judge = keras.Model(inputs, keras.layers.Identity()(inputs))
        read = {
            name: keras.saving.deserialize_keras_object(_of_one_output(value), custom_objects=self._objects)
            for name, value in given.items()
            if value is not None
        }
        judge.compile(**read)
        return judge


def _of_one_output(value: Any) -> Any:
    """What was compiled for the only output, without its name."""
    if isinstance(value, dict) and "class_name" not in value and len(value) == 1:
        return next(iter(value.values()))
    return value
