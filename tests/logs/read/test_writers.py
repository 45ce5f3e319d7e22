"""Logs that their writers wrote, of tiny runs whose rates are known."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from kosine._logs.precision import Precision
from kosine._logs.read.read import read_trace
from kosine.errors import LogError

KERAS = """
import json, sys
import tests.support.bare_keras
import keras, numpy as np
import kosine as ks, kosine.keras

folder = sys.argv[1]
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(0.1), "mse")
rates = keras.callbacks.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1))
history = model.fit(
    np.ones((8, 4)), np.ones((8, 1)), epochs=5, batch_size=4, verbose=0, validation_split=0.5,
    callbacks=[rates, keras.callbacks.CSVLogger(folder + "/log.csv")],
)
with open(folder + "/history.json", "w") as file:
    json.dump({key: [float(value) for value in values] for key, values in history.history.items()}, file)
plan = ks.warmup_cosine(peak=0.1, warmup=3)
callback = ks.keras.LearningRateCallback(plan)
model.fit(
    np.ones((8, 4)), np.ones((8, 1)), epochs=5, batch_size=4, verbose=0,
    callbacks=[callback, keras.callbacks.CSVLogger(folder + "/kosine.csv")],
)
"""


@pytest.fixture(scope="module")
def keras(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keras")
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    command = [sys.executable, "-c", KERAS, str(folder)]
    subprocess.run(command, check=True, capture_output=True, env=environment, cwd=Path(__file__).parents[3])
    return folder


def test_keras_csv_logger(keras: Path) -> None:
    trace = read_trace(keras / "log.csv")
    assert (trace.axis, trace.format, trace.source) == ("epoch", "Keras log", str(keras / "log.csv"))
    assert trace.positions.tolist() == [0, 1, 2, 3, 4]
    assert trace.rates == pytest.approx(0.1 / np.arange(1, 6), rel=1e-7)


def test_keras_history(keras: Path) -> None:
    trace = read_trace(keras / "history.json")
    assert (trace.axis, trace.format) == ("epoch", "Keras History JSON")
    assert trace.rates == pytest.approx(0.1 / np.arange(1, 6), rel=1e-7)
    assert trace.precision == Precision(single=True)


def test_keras_csv_logger_without_a_rate_says_what_it_has(keras: Path) -> None:
    text = (keras / "kosine.csv").read_text()
    if "learning_rate" in text.partition("\n")[0]:
        assert len(read_trace(keras / "kosine.csv")) == 5
    else:
        with pytest.raises(LogError, match="Found: columns 'epoch', 'loss'"):
            read_trace(keras / "kosine.csv")


def write_events(folder: Path, rates: list[float]) -> None:
    writer = EventFileWriter(str(folder))
    for step, rate in enumerate(rates):
        writer.add_event(Event(step=step, summary=Summary(value=[Summary.Value(tag="lr", simple_value=rate)])))
    writer.close()


def test_tensorboard(tmp_path: Path) -> None:
    write_events(tmp_path, [0.1, 0.05, 0.025])
    trace = read_trace(tmp_path)
    assert (trace.axis, trace.format, list(trace.groups)) == ("step", "TensorBoard event files", ["lr"])
    assert trace.positions.tolist() == [0, 1, 2]
    assert trace.rates == pytest.approx([0.1, 0.05, 0.025], rel=1e-7)


def test_tensorboard_is_named_where_it_is_missing(tmp_path: Path) -> None:
    write_events(tmp_path, [0.1])
    code = "import sys; sys.modules['tensorboard'] = None\nimport kosine\nkosine.read_trace(sys.argv[1])"
    result = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("kosine.errors.MissingPackageError: ")
    assert "pip install '.[tensorboard]'" in last


def test_event_files_load_no_tensorflow(tmp_path: Path) -> None:
    write_events(tmp_path, [0.1])
    code = "import sys, kosine\nkosine.read_trace(sys.argv[1])\nprint('tensorflow' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, capture_output=True, text=True)
    assert result.stdout == "False\n"


def test_pandas_table_of_a_history(tmp_path: Path) -> None:
    import pandas as pd

    pd.DataFrame({"loss": [1.5, 1.4], "learning_rate": [0.1, 0.05]}).to_csv(tmp_path / "history.csv")
    assert read_trace(tmp_path / "history.csv").positions.tolist() == [0, 1]
    pd.DataFrame({"loss": [1.5, 1.4], "lr": [0.1, 0.05]}).rename_axis("epoch").to_csv(tmp_path / "named.csv")
    assert read_trace(tmp_path / "named.csv").positions.tolist() == [0, 1]


def test_kosine_values(tmp_path: Path) -> None:
    from kosine.cli import main

    file = tmp_path / "values.csv"
    arguments = ["warmup_cosine(peak=1e-3, warmup=5)", "--total-steps", "100", "--every", "7", "-o", str(file)]
    assert main(["values", *arguments]) == 0
    import kosine as ks

    trace = read_trace(file)
    plan = ks.warmup_cosine(peak=1e-3, warmup=5).plan(total_steps=100)
    assert trace.positions.tolist() == list(range(0, 100, 7))
    assert trace.rates.tolist() == plan(trace.positions).tolist()
