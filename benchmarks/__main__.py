"""`make bench`, or `python -m benchmarks`: each part in a separate process, and the report of all of them."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

from benchmarks.machine import machine, versions
from benchmarks.tables import Table
from kosine._core.files import whole_file

HERE = Path(__file__).parent
CHAPTERS = {
    "Cost of a training step": ("keras_step", "torch_step", "jax_step"),
    "Cost of looking": ("looking",),
    "Exactness": ("exactness", "graph_accuracy", "restarts"),
    "Applied rate": ("applied",),
}


def run(part: str) -> dict[str, Any]:
    """The tables of a part, and how long it took."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "tables.json"
        begin = monotonic()
        subprocess.run([sys.executable, "-m", f"benchmarks.{part}", "--json", file], cwd=HERE.parent, check=True)
        tables = json.loads(file.read_text(encoding="utf-8"))
    return {"command": f"python -m benchmarks.{part}", "seconds": round(monotonic() - begin), "tables": tables}


def markdown(report: dict[str, Any]) -> str:
    """The report as people read it."""
    seconds = sum(part["seconds"] for parts in report["chapters"].values() for part in parts)
    lines = [
        "# kosine beside the others",
        "",
        f"Made by `make bench` on {report['date']} in {seconds / 60:.0f} minutes. `report.json` has the same numbers,",
        "unrounded.",
        "",
        f"Machine: {', '.join(report['machine'].values())}.  ",
        f"Versions: {', '.join(f'{name} {version}' for name, version in report['versions'].items())}.",
        "",
        "Rivals take turns in one run, and ratios are of rounds in which both had the same machine: the median, and in",
        "brackets the quartiles. Each command makes its part again.",
    ]
    for chapter, parts in report["chapters"].items():
        lines += ["", f"## {chapter}"]
        for part in parts:
            lines += ["", f"`{part['command']}` ({part['seconds']} s)"]
            for table in part["tables"]:
                lines += ["", Table.from_json(table).markdown().rstrip()]
    return "\n".join(lines) + "\n"


def main() -> None:
    parts = [part for chapter in CHAPTERS.values() for part in chapter]
    report: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "versions": versions(),
        "chapters": {},
    }
    for chapter, names in CHAPTERS.items():
        report["chapters"][chapter] = []
        for name in names:
            print(f"--- {parts.index(name) + 1} of {len(parts)}: python -m benchmarks.{name} ---", flush=True)
            report["chapters"][chapter].append(run(name))
    for name, content in {
        "report.json": json.dumps(report, ensure_ascii=False, indent=1) + "\n",
        "report.md": markdown(report),
    }.items():
        with whole_file(HERE / name) as file:
            file.write(content)
        print(f"wrote benchmarks/{name}")


if __name__ == "__main__":
    main()
