"""`plan.save` and its like: one call writes a page or a picture, by the ending of the file, whole or not at all."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import kosine as ks
from kosine._display import page
from kosine._display.save import save
from kosine._logs.check.check import check
from kosine._logs.infer.infer import infer
from kosine._logs.trace import Trace
from kosine.errors import ArgumentError, ArgumentTypeError, MissingPackageError

PLAN = ks.warmup_cosine(peak=1e-3, warmup=10).plan(total_steps=100)
STEPS = np.arange(100)
LOG = Trace(STEPS, PLAN(STEPS), source="run.csv")


@pytest.mark.parametrize(
    ("ending", "begins"),
    [("html", b"<!doctype html>"), ("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF"), ("PNG", b"\x89PNG")],
)
def test_ending_names_the_format(ending: str, begins: bytes, tmp_path: Path) -> None:
    PLAN.save(tmp_path / f"rates.{ending}")
    assert (tmp_path / f"rates.{ending}").read_bytes().startswith(begins)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    "result", [ks.compare(PLAN, ks.constant(1e-4).plan(total_steps=100)), check(LOG, PLAN), infer(LOG)], ids=type
)
@pytest.mark.parametrize("ending", ["html", "svg"])
def test_every_result_can_be_saved(
    result: ks.Comparison | ks.Verdict | ks.Inference, ending: str, tmp_path: Path
) -> None:
    result.save(str(tmp_path / f"a.{ending}"))
    assert "learning rate" in (tmp_path / f"a.{ending}").read_text(encoding="utf-8")


def test_title_is_the_schedule_unless_another_is_given(tmp_path: Path) -> None:
    for ending in ("html", "svg"):
        file = tmp_path / f"a.{ending}"
        save(PLAN, file)
        assert "cosine(to=0.0)" in file.read_text(encoding="utf-8")
        save(PLAN, file, title="My run")
        assert ">My run<" in file.read_text(encoding="utf-8")


def test_points_and_a_logarithmic_axis_are_drawn(tmp_path: Path) -> None:
    save(PLAN, tmp_path / "a.svg", log=True, points=[10])
    assert "10: 1e-3" in (tmp_path / "a.svg").read_text(encoding="utf-8")
    with pytest.raises(ArgumentError, match=r"`points` must be .*Received: points=100"):
        save(PLAN, tmp_path / "b.html", points=[100])
    assert not (tmp_path / "b.html").exists()


@pytest.mark.parametrize("name", ["rates", "rates.jpg", ".png", "html"])
def test_unknown_ending_is_refused_with_those_that_are_known(name: str, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"ends in one of \.png, \.svg, \.pdf, \.html\. Received: path=") as caught:
        save(PLAN, tmp_path / name)
    assert caught.value.argument == "path"
    assert not list(tmp_path.iterdir())


def test_path_must_be_one() -> None:
    with pytest.raises(ArgumentTypeError, match=r"must be the name of a file\. Received: path=3"):
        save(PLAN, 3)  # type: ignore[arg-type]


@pytest.mark.parametrize(("package", "ending"), [("matplotlib", "png"), ("plotly.offline", "html")])
def test_missing_package_is_named_and_nothing_is_written(
    package: str, ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page._plotly.cache_clear()
    monkeypatch.setitem(sys.modules, package, None)
    (tmp_path / f"a.{ending}").write_text("before", encoding="utf-8")
    with pytest.raises(MissingPackageError, match=r"pip install '\.\[plot\]'"):
        save(PLAN, tmp_path / f"a.{ending}")
    assert (tmp_path / f"a.{ending}").read_text(encoding="utf-8") == "before"


@pytest.mark.parametrize("ending", ["png", "html"])
def test_a_folder_that_does_not_exist_is_refused_with_the_way_to_make_it(ending: str, tmp_path: Path) -> None:
    target = tmp_path / "no" / f"x.{ending}"
    with pytest.raises(ArgumentError, match="The folder of a file must exist") as caught:
        ks.constant(0.1).plan(total_steps=10).save(target)
    assert caught.value.received == {"path": str(target)}
    assert caught.value.fix == f"Make the folder first: mkdir -p {tmp_path / 'no'}."
