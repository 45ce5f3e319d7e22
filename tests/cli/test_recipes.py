"""`kosine recipes`: a table of all, everything about one, and names that work in the other commands."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from click.shell_completion import ShellComplete

import kosine as ks
from kosine.cli import main
from kosine.cli._commands import kosine
from kosine.published import PUBLISHED
from tests.support.console import refused, run


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_the_table_has_a_row_for_each_and_fits_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, "recipes").splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["name", "what", "steps", "peak", "source"]
    assert [line.split()[0] for line in lines[1 : len(PUBLISHED) + 1]] == list(PUBLISHED)
    (gpt,) = [line for line in lines if line.startswith("gpt-3 ")]
    assert re.split(r"  +", gpt) == ["gpt-3", "GPT-3 175B", "109,614", "6e-05", "arXiv 2005.14165"]


def test_the_table_marks_what_is_secondary(capsys: pytest.CaptureFixture[str]) -> None:
    out = printed(capsys, "recipes")
    assert [line.split()[0] for line in out.splitlines() if line.endswith("*")] == ["llama-3-405b"]
    assert "* from a secondary source" in out


@pytest.mark.parametrize("name", PUBLISHED)
def test_one_is_described_with_its_phases_and_its_source(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = PUBLISHED[name]
    out = printed(capsys, "recipes", name)
    assert max(map(len, out.splitlines())) <= 80
    assert out.startswith(f"{recipe.title}\n\n")
    joined = " ".join(out.split())
    assert f"schedule {recipe.schedule!r} run --" in joined
    assert f"source {recipe.source}" in joined
    assert f"note {recipe.note}" in joined
    assert ("(a secondary source)" in out) is recipe.secondary
    assert f"\n\n{recipe.plan()}\n\n" in out


def test_the_run_that_is_printed_is_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    for name, recipe in PUBLISHED.items():
        (line,) = [line for line in printed(capsys, "recipes", name).splitlines() if line.startswith("run ")]
        table = printed(capsys, "show", repr(recipe.schedule), *line.split()[1:]).split("\n\n")[0]
        assert table == str(recipe.plan())


def test_the_commands_to_go_on_with_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    out = printed(capsys, "recipes", "llama3")
    assert "  kosine show llama-3-405b\n  kosine plot llama-3-405b -o llama-3-405b.png\n" in out
    assert "  kosine export llama-3-405b --to python" in out


def test_json_of_all(capsys: pytest.CaptureFixture[str]) -> None:
    data: list[dict[str, Any]] = json.loads(printed(capsys, "recipes", "--json"))
    assert [row["name"] for row in data] == list(PUBLISHED)
    for row in data:
        plan = ks.parse(row["schedule"]).plan(**row["run"])
        assert plan == PUBLISHED[row["name"]].plan()
        assert plan.total_steps == row["total_steps"]
        assert row["source"]
        assert isinstance(row["secondary"], bool)
    peaks = {row["name"]: row["peak_learning_rate"] for row in data}
    assert (peaks["gpt-3"], peaks["sgdr-10-2"], peaks["convnext"]) == (6e-5, 0.05, 4e-3)
    assert peaks["deit"] == pytest.approx(9.993e-4, rel=1e-4)


def test_json_of_one_has_the_phases(capsys: pytest.CaptureFixture[str]) -> None:
    data = json.loads(printed(capsys, "recipes", "gpt-3", "--json"))
    assert (data["name"], data["total_steps"], data["peak_learning_rate"]) == ("gpt-3", 109_614, 6e-5)
    assert [(row["name"], row["first_step"], row["steps"]) for row in data["phases"]] == [
        ("linear", 0, 7_033),
        ("cosine", 7_033, 90_080),
        ("hold", 97_113, 12_501),
    ]
    assert [row["end_learning_rate"] for row in data["phases"]] == [6e-5, 6e-6, 6e-6]


@pytest.mark.parametrize(
    ("command", "more"),
    [("recipes", "$"), ("show", r" A schedule can also be .*constant\(0\.1\).*\.json, \.toml or \.yaml")],
)
def test_an_unknown_name_is_one_line_with_the_nearest(
    command: str, more: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pattern = r"'gtp-3'.*Did you mean 'gpt-3'\?.*`kosine recipes` lists them\." + more
    refused(capsys, [command, "gtp-3"], pattern)


@pytest.mark.parametrize("name", ["gpt-3", "GPT3"])
def test_a_name_stands_for_a_schedule_and_its_run(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, "show", name).startswith(f"{PUBLISHED['gpt-3'].plan()}\n")


def test_options_go_before_the_run_of_the_recipe(capsys: pytest.CaptureFixture[str]) -> None:
    out = printed(capsys, "show", "sgdr-10-2", "--epochs", "150")
    assert re.search(r"total +58,650 +150\n", out)


def test_names_are_completed() -> None:
    complete = ShellComplete(kosine, {}, "kosine", "_KOSINE_COMPLETE")
    found = [item.value for item in complete.get_completions(["recipes"], "sgdr-1")]
    assert found == ["sgdr-100-1", "sgdr-1-2", "sgdr-10-2"]


def test_piped_output_has_no_control_codes() -> None:
    result = run(["recipes"], TERM="xterm-256color", CLICOLOR_FORCE="1")
    assert result.returncode == 0
    assert "\x1b" not in result.stdout
