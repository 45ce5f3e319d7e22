"""Files that are cut, damaged or no files, and writing that fails: one line of error, and nothing changed."""

from __future__ import annotations

import errno
import io
import re
from pathlib import Path

import pytest

import kosine as ks
from kosine.cli import main
from tests.support.console import refused

LR = ks.warmup_cosine(0.1, warmup=3)
TOML = "schedule = 'warmup_cosine(peak=0.1, warmup=3)'\n\n[run]\ntotal_steps = 20\n"
DOCUMENT = ks.dumps(LR.plan(total_steps=20))


@pytest.mark.parametrize("text", [DOCUMENT, repr(LR), TOML[: TOML.index("\n\n")]], ids=["json", "text", "toml"])
def test_a_schedule_file_that_was_cut_anywhere(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.json"
    for end in range(len(text)):
        file.write_text(text[:end], encoding="utf-8")
        refused(capsys, ["show", str(file)], r"a\.json: ")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "It is empty"),
        (b"\xef\xbb\xbf", "It is empty"),
        (b"\0" * 100, "nor TOML"),
        (DOCUMENT.encode("utf-16"), r"not UTF-8 text\. Save it as UTF-8"),
        ("# é\n".encode("latin-1") + TOML.encode(), "not UTF-8 text"),
        (TOML.replace("20", "9" * 5000).encode(), "nor TOML"),
        (TOML.replace("20", "0x" + "f" * 5000).encode(), "total_steps in .* must be an integer >= 1"),
        (TOML.replace("20", "nan").encode(), "total_steps in .* must be an integer >= 1"),
        (TOML.replace("total_steps = 20", "epochs = inf\nsteps_per_epoch = 5").encode(), "must be a finite number"),
        (
            TOML.replace("total_steps", "dataset_size").replace("20", "9" * 4000).encode(),
            "dataset_size in .* must be an integer >= 1",
        ),
        (TOML.replace("20", "1979-05-27").encode(), "total_steps in .* must be an integer >= 1"),
        (TOML.replace("(peak", "(\u202epeak").encode(), r"Received: '\\u202e'"),
        (b"a" + b".a" * 10**5 + b" = 1", "nested at most 32 levels"),
        (b'{"schedule": "constant(0.1)", "run": {"\\ud800": 1}}', r'The table "run" may have'),
    ],
    ids=range(14),
)
def test_a_schedule_file_that_is_none(
    content: bytes, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.toml"
    file.write_bytes(content)
    assert main(["show", str(file)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert len(err) < 1000
    assert re.search(message, err), err


def test_what_is_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.toml").mkdir()
    refused(capsys, ["show", str(tmp_path / "a.toml")], "Is a directory")
    refused(capsys, ["show", str(tmp_path / "b.toml")], "No such file")
    refused(capsys, ["check", str(tmp_path / "b.csv"), "constant(0.1)"], "No such file")
    refused(capsys, ["show", "/dev/zero"], "at most 67,108,864 bytes")
    refused(capsys, ["show", str(tmp_path / ("x" * 300 + ".toml"))], "File name too long")


def test_a_path_that_no_file_can_have() -> None:
    for path in ("a\0b", "\ud800"):
        with pytest.raises(ks.LogError, match="must be the path of a file"):
            ks.read_trace(path)


class Odd:
    """An open file that does not give bytes."""

    def read(self, size: int) -> int:
        return size


def test_an_open_file_that_gives_no_bytes() -> None:
    with pytest.raises(ks.ArgumentTypeError, match="must be a path or an open file"):
        ks.read_trace(Odd())


def test_a_total_that_no_run_has_is_none() -> None:
    """`check` and `infer` count with it."""
    rows = ", ".join(f'{{"step": {step}, "learning_rate": 0.1}}' for step in range(9))
    for total in ("9" * 4000, "-5", "0", "true", "1e400", '"x"'):
        text = '{"max_steps": ' + total + ', "log_history": [' + rows + "]}"
        trace = ks.read_trace(io.BytesIO(text.encode()))
        assert trace.total is None
        assert ks.check(trace, ks.constant(0.1).plan(total_steps=9)).kind == "follows"


@pytest.mark.parametrize(
    ("arguments", "fails", "name"),
    [
        (["plot", "constant(0.1)", "--total-steps", "9", "-o"], "kosine._display.page.plan_page", "a.html"),
        (["plot", "constant(0.1)", "--total-steps", "9", "-o"], "matplotlib.figure.Figure.savefig", "a.png"),
        (
            ["export", "constant(0.1)", "--total-steps", "99999", "--to", "csv", "-o"],
            "kosine._core.schedule.Plan._at_array",
            "a.csv",
        ),
        (
            ["export", "constant(0.1)", "--total-steps", "9", "--to", "torch", "-o"],
            "kosine._export.to_code.to_code",
            "a.py",
        ),
        (
            ["values", "constant(0.1)", "--total-steps", "9", "--every", "1", "-o"],
            "kosine._core.schedule.Plan._at_array",
            "a.csv",
        ),
    ],
    ids=["page", "picture", "rates", "program", "values"],
)
@pytest.mark.parametrize("old", [None, b"old"])
def test_writing_that_fails_changes_nothing(
    arguments: list[str], fails: str, name: str, old: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / name
    if old is not None:
        file.write_bytes(old)

    def failing(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(fails, failing)
    assert main([*arguments, str(file)]) != 0
    assert [path.read_bytes() for path in tmp_path.iterdir()] == ([] if old is None else [old])


def test_errors_leave_no_file_beside_the_one_that_is_read(tmp_path: Path) -> None:
    plan, file = LR.plan(total_steps=20), tmp_path / "log.csv"
    content = "step,lr\n" + "".join(f"{step},{plan(step)!r}\n" for step in range(20))
    file.write_text(content, encoding="utf-8")
    before = file.stat()
    assert main(["check", str(file), repr(ks.constant(0.1)), "--total-steps", "20"]) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["log.csv"]
    assert (file.read_text(encoding="utf-8"), file.stat().st_mtime_ns) == (content, before.st_mtime_ns)
