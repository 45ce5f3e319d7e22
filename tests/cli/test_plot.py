"""`kosine plot`: a file of the format that its ending tells, or one line that says what is wrong."""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from kosine.cli import main
from tests.support.console import one_line, refused

PLOT = ["plot", 'warmup_cosine(peak=1e-4, warmup="10ep", hold=5)', "--epochs", "50", "--steps-per-epoch", "788"]
MAGIC = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF", "html": b"<!doctype html>"}


@pytest.mark.parametrize("ending", [*MAGIC, "PNG"])
def test_ending_tells_the_format(ending: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / f"picture.{ending}"
    assert main([*PLOT, "-o", str(file), "--log", "--points", "0, 7880,39_399"]) == 0
    assert capsys.readouterr() == (f"wrote {file}\n", "")
    assert file.read_bytes().startswith(MAGIC[ending.lower()])
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_json_tells_what_was_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.svg"
    assert main([*PLOT, "-o", str(file), "--json"]) == 0
    written = json.loads(capsys.readouterr().out)
    assert written == {"written": str(file), "format": "svg", "bytes": file.stat().st_size}


@pytest.mark.parametrize(
    ("options", "pixels"), [([], (1350, 600)), (["--size", "6x3"], (900, 450)), (["--dpi", "100"], (900, 400))]
)
def test_size_is_for_paper(options: list[str], pixels: tuple[int, int], tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    assert main([*PLOT, "-o", str(file), *options]) == 0
    assert struct.unpack(">II", file.read_bytes()[16:24]) == pixels


@pytest.mark.parametrize(("options", "title"), [([], PLOT[1]), (["--title", "Ours & $theirs$"], "Ours & $theirs$")])
def test_title_is_the_text_form_or_what_is_given(options: list[str], title: str, tmp_path: Path) -> None:
    assert main([*PLOT, "-o", str(tmp_path / "a.svg"), *options]) == 0
    texts = ElementTree.parse(tmp_path / "a.svg").iter("{http://www.w3.org/2000/svg}text")
    assert title in ["".join(text.itertext()) for text in texts]


@pytest.mark.parametrize(
    ("options", "pattern"),
    [
        ([], r"Missing option '-o'"),
        (["-o", "a.jpg"], r"'a\.jpg' must end in one of \.png, \.svg, \.pdf, \.html"),
        (["-o", "picture"], r"'picture' must end in one of"),
        (["-o", "-"], r"'-' must end in one of"),
        (["-o", "png"], r"'png' must end in one of"),
        (["-o", "no/such/folder/a.png"], r"The folder of a file must exist\..* mkdir -p no/such/folder\.$"),
        (["-o", "a.png", "--points", "0,39400"], r"steps of the run, 0 to 39,399\. Received: --points=39400\."),
        (["-o", "a.html", "--points", "0,39400"], r"steps of the run, 0 to 39,399\. Received: --points=39400\."),
        (["-o", "a.png", "--points", ","], r"no step is given"),
        (["-o", "a.png", "--points", "x"], r"'x' is not a whole number"),
        (["-o", "a.png", "--size", "9"], r"'9' is not a width and a height"),
        (["-o", "a.png", "--size", "90x4"], r"between 2 and 50 inches"),
        (["-o", "a.svg", "--dpi", "90"], r"--dpi is for png"),
        (["-o", "a.html", "--size", "9x4"], r"--size for png, svg and pdf"),
    ],
)
def test_mistake_is_one_clear_line_and_no_file(
    options: list[str],
    pattern: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    refused(capsys, [*PLOT, *options], pattern)
    assert list(tmp_path.iterdir()) == []


def test_schedule_without_end_needs_a_length(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plot", "constant(0.1)", "-o", str(tmp_path / "a.png")]) == 2
    one_line(capsys.readouterr().err, r"never ends.*Give --total-steps")


@pytest.mark.parametrize(("package", "ending"), [("matplotlib", "png"), ("plotly.offline", "html")])
def test_missing_package_is_one_line_with_the_fix(
    package: str, ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from kosine._display import page

    page._plotly.cache_clear()
    monkeypatch.setitem(sys.modules, package, None)
    assert main([*PLOT, "-o", str(tmp_path / f"a.{ending}")]) == 2
    one_line(capsys.readouterr().err, r"pip install '\.\[plot\]'")
    assert list(tmp_path.iterdir()) == []


def test_letters_that_no_font_has_are_told_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "a.png"
    assert main(["plot", "constant(0.1)", "--total-steps", "9", "-o", str(target), "--title", "\u1234"]) == 0
    out, err = capsys.readouterr()
    assert out == f"wrote {target}\n"
    assert err.startswith("kosine: Glyph ")
    assert err.count("\n") == 1
