"""One backend a run, chosen by KERAS_BACKEND; two CPU devices, so that distribution can be tested."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=2"

import keras
import pytest

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        # Keras 3.15 reads its own variables in a way that NumPy 2.4 warns about.
        item.add_marker(pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning"))
