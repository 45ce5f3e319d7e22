from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("keras", "tensorflow", "jax", "torch", "matplotlib", "click", "plotext", "sklearn", "tqdm", "numpy")


def _loaded(code: str) -> set[str]:
    """The top-level modules that a fresh interpreter has loaded after `code`."""
    script = f"{code}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    result = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    return set(result.stdout.split())


@pytest.mark.parametrize(
    "code",
    [
        "import kosine",
        "import kosine; kosine.parse('warmup_cosine(peak=1e-3, warmup=5)').plan(total_steps=100)(50)",
        "import kosine; print(kosine.sgdr(peak=1.0, period=5).plan(total_steps=100), file=__import__('sys').stderr)",
    ],
)
def test_import_loads_no_framework_no_plotting_library_and_no_numpy(code: str) -> None:
    loaded = _loaded(code)
    assert "kosine" in loaded
    assert not loaded & set(HEAVY)


def test_an_array_of_steps_loads_numpy_and_nothing_else() -> None:
    loaded = _loaded("import kosine; kosine.constant(0.1).plan()([1, 2])")
    assert loaded & set(HEAVY) == {"numpy"}


def test_an_unknown_name_is_an_attribute_error() -> None:
    import kosine

    with pytest.raises(AttributeError, match=r"module 'kosine' has no attribute 'nope'"):
        kosine.nope  # noqa: B018


def test_every_public_name_exists_and_is_listed() -> None:
    import kosine

    assert sorted(kosine.__all__) == kosine.__all__
    assert all(hasattr(kosine, name) for name in kosine.__all__)
    assert set(kosine.__all__) <= set(dir(kosine))
