"""An ensemble predicts what its members do on average, shows whether more of them help, and becomes one model."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

import kosine as ks
from kosine.keras import Ensemble

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(40, 4)).astype("float32"), RNG.integers(0, 3, 40)


def network(*kinds: Any, last: str | None = "softmax", hidden: int = 5, units: int = 3, name: str = "net") -> Any:
    keras.utils.set_random_seed(hidden)
    layers = [kind() for kind in kinds]
    first = keras.layers.Dense(hidden, "relu")
    return keras.Sequential([keras.Input((4,)), first, *layers, keras.layers.Dense(units, last)], name=name)


def compiled(model: Any, loss: Any = "sparse_categorical_crossentropy") -> Any:
    model.compile("sgd", loss, metrics=["accuracy"])
    return model


def shifted(model: Any, number: int) -> Any:
    """The weights of another member."""
    rng = np.random.default_rng(number)
    for weight in model.trainable_variables:
        weight.assign(0.5 * rng.normal(size=weight.shape))
    return model


def saved(folder: Path, model: Any, count: int = 3, ending: str = ".keras") -> list[NDArray[Any]]:
    """Save members with weights of their own, and give what each of them predicts."""
    outputs = []
    for number in range(1, count + 1):
        shifted(model, number)
        file = folder / f"cycle-{number + 7}{ending}"  # 8, 9, 10
        model.save(file) if ending == ".keras" else model.save_weights(file)
        outputs.append(predicted(model))
    return outputs


def predicted(model: Any) -> NDArray[Any]:
    return np.asarray(model.predict(X, batch_size=40, verbose=0))


def softmax(logits: Any) -> Any:
    powers = np.exp(logits)
    return powers / powers.sum(-1, keepdims=True)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[NDArray[Any]]]:
    """A folder of three members, with the files that a run may leave beside them."""
    folder = tmp_path_factory.mktemp("run")
    outputs = saved(folder, compiled(network()))
    network(hidden=2).save(folder / "average.keras")
    (folder / ".cycle-9.keras.ab12cd34.part.keras").touch()
    return folder, outputs


def test_predict_is_the_mean_of_the_last_members(run: tuple[Path, list[NDArray[Any]]]) -> None:
    folder, outputs = run
    ensemble = Ensemble.load(folder)
    assert [file.name for file in ensemble.files] == ["cycle-8.keras", "cycle-9.keras", "cycle-10.keras"]
    assert repr(ensemble) == "<Ensemble of 3 members, cycle-8.keras to cycle-10.keras>"
    for members in (None, 1, 2, 3):
        wanted = np.mean(outputs[-(members or 3) :], axis=0)
        np.testing.assert_allclose(ensemble.predict(X, members, batch_size=40), wanted, rtol=0, atol=1e-6)
    logits = softmax(np.mean(np.log(outputs), axis=0))
    np.testing.assert_allclose(ensemble.predict(X, combine="logits", batch_size=40), logits, rtol=0, atol=1e-6)
    backwards = Ensemble.load([str(file) for file in reversed(ensemble.files)])
    np.testing.assert_allclose(backwards.predict(X, 1, batch_size=40), outputs[0], rtol=0, atol=1e-6)
    with pytest.raises(ks.ArgumentError, match=r"`members` must be from 1 to 3\. Received: members=4"):
        ensemble.predict(X, 4)
    with pytest.raises(ks.ArgumentError, match='`combine` must be "probabilities" or "logits"'):
        ensemble.predict(X, combine="mean")  # type: ignore[arg-type]


def test_the_table_has_the_loss_and_metrics_of_the_last_members_and_of_each(
    run: tuple[Path, list[NDArray[Any]]],
) -> None:
    folder, outputs = run
    table = Ensemble.load(folder).evaluate(X, Y, batch_size=40)
    assert [row.members for row in table] == [1, 2, 3]
    for row in table:
        for found, probabilities in (
            (row.metrics, np.mean(outputs[-row.members :], axis=0)),
            (row.own, outputs[-row.members]),
        ):
            assert found["loss"] == pytest.approx(-np.log(probabilities[np.arange(40), Y]).mean(), rel=1e-5)
            assert found["accuracy"] == pytest.approx((probabilities.argmax(-1) == Y).mean(), rel=1e-6)
    lines = str(table).splitlines()
    assert lines[0].split() == ["last", "loss", "accuracy", "adds", "its", "loss", "its", "accuracy"]
    assert [line.split()[3] for line in lines[1:4]] == ["cycle-10.keras", "cycle-9.keras", "cycle-8.keras"]
    best = 1 + int(np.argmin([row.metrics["loss"] for row in table]))
    assert table.best == best
    assert lines[4].startswith(f"The loss is lowest for the last {best} members. The number is chosen on this data")


LOADS = """
import json, sys
import tests.support.bare_keras
sys.modules["kosine"] = None
import keras, numpy as np
for name in sys.argv[2:]:
    model = keras.saving.load_model(name)
    np.save(name + ".npy", model.predict(np.load(sys.argv[1]), batch_size=40, verbose=0))
"""


def test_one_model_of_all_members_loads_where_kosine_cannot_be_imported(
    run: tuple[Path, list[NDArray[Any]]], tmp_path: Path
) -> None:
    """The files of the members, too."""
    folder, outputs = run
    ensemble = Ensemble.load(folder)
    ensemble.save(tmp_path / "one.keras")
    ensemble.save(tmp_path / "two.keras", 2, combine="logits")
    files = [*ensemble.files, tmp_path / "one.keras", tmp_path / "two.keras"]
    np.save(tmp_path / "x.npy", X)
    arguments = [sys.executable, "-c", LOADS, str(tmp_path / "x.npy"), *map(str, files)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr
    wanted = [*outputs, np.mean(outputs, axis=0), softmax(np.mean(np.log(outputs[1:]), axis=0))]
    for file, values in zip(files, wanted, strict=True):
        np.testing.assert_allclose(np.load(f"{file}.npy"), values, rtol=0, atol=1e-6)
    assert sorted(file.name for file in tmp_path.iterdir() if file.suffix == ".keras") == ["one.keras", "two.keras"]


@pytest.mark.parametrize("units", [3, 1])
def test_outputs_that_are_logits(tmp_path: Path, units: int) -> None:
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    if units == 1:
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
    outputs = np.asarray(saved(tmp_path, compiled(network(last=None, units=units), loss), 2))
    ensemble = Ensemble.load(tmp_path)
    if units == 1:
        mean = (1 / (1 + np.exp(-outputs))).mean(0)
        wanted = np.log(mean) - np.log(1 - mean)
    else:
        wanted = np.log(softmax(outputs).mean(0))
    np.testing.assert_allclose(ensemble.predict(X, batch_size=40), wanted, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(ensemble.predict(X, combine="logits", batch_size=40), outputs.mean(0), atol=1e-6)


def test_the_average_of_weights_with_statistics_of_its_own(tmp_path: Path) -> None:
    model = compiled(network(keras.layers.BatchNormalization))
    saved(tmp_path, model, 3)
    ensemble = Ensemble.load(tmp_path)
    with pytest.raises(ks.ArgumentError, match="`refresh` must be training data"):
        ensemble.average()
    averaged = ensemble.average(2, refresh=X, batch_size=40)
    parts = [[np.array(keras.ops.convert_to_numpy(each)) for each in shifted(model, n).weights] for n in (2, 3)]
    own = [np.array(keras.ops.convert_to_numpy(each)) for each in averaged.weights]
    for index in (0, 1, 2, 3, 6, 7):
        np.testing.assert_allclose(own[index], (parts[0][index] + parts[1][index]) / 2, rtol=1e-6, atol=1e-7)
    hidden = np.maximum(X @ own[0] + own[1], 0)
    np.testing.assert_allclose(own[4], hidden.mean(0), rtol=1e-5)
    np.testing.assert_allclose(own[5], hidden.var(0), rtol=1e-4)
    assert averaged.compiled


def test_files_of_weights_need_a_model_which_is_as_before_afterwards(tmp_path: Path) -> None:
    model = compiled(network())
    outputs = saved(tmp_path, model, 2, ".weights.h5")
    with pytest.raises(ks.ArgumentError, match="`model` must be a built model of the members' architecture"):
        Ensemble.load(tmp_path)
    before = [np.array(keras.ops.convert_to_numpy(each)) for each in shifted(model, 9).weights]
    ensemble = Ensemble.load(tmp_path, model=model)
    np.testing.assert_allclose(ensemble.predict(X, batch_size=40), np.mean(outputs, axis=0), rtol=0, atol=1e-6)
    assert [row.members for row in ensemble.evaluate(X, Y, batch_size=40)] == [1, 2]
    (tmp_path / "out").mkdir()
    ensemble.save(tmp_path / "out" / "one.keras")
    one = keras.saving.load_model(tmp_path / "out" / "one.keras")
    np.testing.assert_allclose(predicted(one), np.mean(outputs, axis=0), rtol=0, atol=1e-6)
    assert all(map(np.array_equal, before, [keras.ops.convert_to_numpy(each) for each in model.weights]))
    with pytest.raises(ks.ArgumentError, match=r"The weights do not fit the model.*cycle-8\.weights\.h5"):
        Ensemble.load(tmp_path, model=network(hidden=2))
    with pytest.raises(ks.TrainingError, match="The members have no loss"):
        Ensemble.load(tmp_path, model=network()).evaluate(X, Y)


# --- what is refused ---


def test_a_folder_without_members(tmp_path: Path) -> None:
    (tmp_path / "average.keras").touch()
    with pytest.raises(ks.ArgumentError, match=r"The folder has no members: no file ends in \.keras"):
        Ensemble.load(tmp_path)


@pytest.mark.parametrize("source", ["missing", ["missing.keras"], []])
def test_files_that_are_missing(source: Any) -> None:
    with pytest.raises(ks.ArgumentError, match="`source` must be"):
        Ensemble.load(source)


def test_a_file_that_keras_did_not_save(tmp_path: Path) -> None:
    (tmp_path / "1.keras").write_text(json.dumps({"class_name": "Sequential"}))
    with pytest.raises(ks.ArgumentError, match=r"`source` must be files that Keras saved\..*1\.keras"):
        Ensemble.load(tmp_path)


@pytest.mark.parametrize("other", [{"hidden": 6}, {"last": "sigmoid"}])
def test_members_of_another_architecture(tmp_path: Path, other: dict[str, Any]) -> None:
    network(name="first").save(tmp_path / "1.keras")
    network(name="second").save(tmp_path / "2.keras")  # layers of other names
    assert len(Ensemble.load(tmp_path)) == 2
    network(**other).save(tmp_path / "3.keras")
    with pytest.raises(ks.ArgumentError, match=r"3\.keras, which has another architecture than 1\.keras"):
        Ensemble.load(tmp_path)


def test_a_model_of_several_outputs_and_outputs_without_logits(tmp_path: Path) -> None:
    inputs = keras.Input((4,))
    hidden = keras.layers.Dense(3, "tanh")(inputs)
    keras.Model(inputs, [hidden, keras.layers.Dense(1)(hidden)]).save(tmp_path / "1.keras")
    with pytest.raises(ks.ArgumentError, match=r"models with one output\. Received: source=a model with 2"):
        Ensemble.load(tmp_path)
    keras.Model(inputs, hidden).save(tmp_path / "1.keras")
    with pytest.raises(ks.ArgumentError, match='`combine` must be "probabilities" where'):
        Ensemble.load(tmp_path).predict(X, combine="logits")
    with pytest.raises(ks.ArgumentError, match=r"`path` must be a name that ends in \.keras"):
        Ensemble.load(tmp_path).save(tmp_path / "one.h5")
