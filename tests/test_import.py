from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    *("keras", "tensorflow", "jax", "torch", "matplotlib", "click", "plotly", "sklearn", "tqdm", "numpy"),
    *("keras_tuner", "optuna", "ray", "wandb"),
)


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
        "import kosine; kosine.space('constant(log(0.1, 1.0))').sample(0)",
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


def test_a_class_of_trainer_gets_its_schedule_without_transformers() -> None:
    code = (
        "import kosine.torch\n"
        "Trainer = type('Trainer', (), {'create_scheduler': print})\n"
        "kosine.torch.with_schedule(Trainer, 'constant(0.1)')"
    )
    assert not _loaded(code) & {"transformers", "accelerate", "yaml"}


@pytest.mark.parametrize(
    ("missing", "name", "fix"),
    [
        ("keras", "keras", "pip install '.[keras,jax]'"),
        ("torch", "torch", "pip install '.[torch]'"),
        ("jax", "jax", "pip install '.[jax]'"),
        ("torch", "testing.torch", "pip install '.[torch]'"),
        ("optax", "testing.optax", "pip install optax"),
    ],
)
def test_a_missing_framework_is_named_with_the_way_to_get_it(missing: str, name: str, fix: str) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None\nimport kosine\nkosine.{name}"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("kosine.errors.MissingPackageError: ")
    assert fix in last


def test_the_dialects_and_the_export_need_no_framework() -> None:
    code = (
        "import kosine as ks\n"
        "plan = ks.dialects.torch.CosineAnnealingLR(0.1, T_max=10).plan(total_steps=10)\n"
        "for target in ('python', 'numpy', 'torch', 'optax', 'keras'): ks.to_code(plan, target)"
    )
    assert not _loaded(code) & (set(HEAVY) - {"numpy"})


def test_an_unknown_name_is_an_attribute_error() -> None:
    import kosine

    with pytest.raises(AttributeError, match=r"module 'kosine' has no attribute 'nope'"):
        kosine.nope  # noqa: B018


def test_every_public_name_exists_and_is_listed() -> None:
    import kosine

    assert sorted(kosine.__all__) == kosine.__all__
    assert all(hasattr(kosine, name) for name in kosine.__all__)
    assert set(kosine.__all__) <= set(dir(kosine))
