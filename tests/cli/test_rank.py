"""`kosine rank`: the table, JSON, pictures and errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import kosine as ks
from kosine.cli import main

COSINE, WSD = "warmup_cosine(peak=2e-3, warmup=300)", 'wsd(peak=1e-3, warmup=300, cooldown="20%")'
TWO = ["rank", WSD, COSINE, "--total-steps", "50000"]


def test_prints_the_table_and_the_picture(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*TWO, "--best-peak", "B=2e-3"]) == 0
    out = capsys.readouterr().out
    plans = [ks.parse(text).plan(total_steps=50_000) for text in (WSD, COSINE)]
    assert out.startswith(str(ks.rank(*plans, best_peak={"B": 2e-3}, names=[WSD, COSINE])))
    assert max(map(len, out.splitlines())) <= 80


def test_json_and_a_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "ranking.svg"
    assert main([*TWO, "--best-peak", "B=2e-3", "--json", "-o", str(picture)]) == 0
    data = json.loads(capsys.readouterr().out)
    assert [plan["mark"] for plan in data["plans"]] == ["B", "A"]
    assert data["plans"][1]["best_peak"] == pytest.approx(1.12e-3, rel=5e-3)
    assert data["plans"][1]["above_lowest"] == pytest.approx(0.032, abs=1e-3)
    assert data["known_best_peaks"] == {"B": 2e-3}
    assert picture.read_text().startswith("<?xml")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([*TWO[:2], *TWO[3:]], "Give two schedules or more."),
        ([*TWO, "--best-peak", "2e-3"], "A=RATE"),
        ([*TWO, "--best-peak", "C=2e-3"], "one of the plans"),
        (["rank", COSINE, "constant(1)", "--total-steps", "500", "--best-peak", "B=1"], "ends at 100 % of the peak"),
    ],
)
def test_errors(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert said in capsys.readouterr().err
