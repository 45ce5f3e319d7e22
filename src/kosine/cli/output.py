"""What commands print for machines, and the option that asks for it."""

from __future__ import annotations

import json
from typing import Any

import click

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead, for other programs.")


def print_json(data: Any) -> None:
    click.echo(json.dumps(data, indent=2, allow_nan=False))
