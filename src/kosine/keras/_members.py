"""The members of an ensemble: which files they are, and whether they are of one architecture."""

from __future__ import annotations

import json
import os
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kosine.errors import ArgumentError, ArgumentTypeError, Described
from kosine.keras._averaging import AVERAGE
from kosine.keras._cycle_files import MODEL, WEIGHTS


def member_files(source: object) -> list[Path]:
    """The files of a folder by the numbers in their names, or those of a list in its order."""
    if isinstance(source, str | os.PathLike):
        folder = Path(source)
        if folder.is_file():
            return [folder]
        if not folder.is_dir():
            raise ArgumentError(argument="source", rule="a folder or a list of files", received=source)
        for ending in (MODEL, WEIGHTS):
            files = [file for file in folder.iterdir() if file.name.endswith(ending) and _is_member(file)]
            if files:
                return sorted(files, key=_numbers_in_name)
        raise ArgumentError(
            f"The folder has no members: no file ends in {MODEL} or {WEIGHTS}.",
            argument="source",
            received=source,
            fix="`CycleEnds` saves a file at the end of each cycle.",
        )
    if not isinstance(source, Sequence) or not all(isinstance(each, str | os.PathLike) for each in source):
        raise ArgumentTypeError(argument="source", rule="a folder or a list of files", received=source)
    files = [Path(each) for each in source]
    odd = [file for file in files if not (file.is_file() and file.name.endswith((MODEL, WEIGHTS)))]
    if odd or not files:
        rule = f"files that exist and whose names end in {MODEL} or {WEIGHTS}"
        raise ArgumentError(argument="source", rule=rule, received=Described(str(odd[0])) if odd else source)
    return files


def _is_member(file: Path) -> bool:
    return file.is_file() and not file.name.startswith((".", f"{AVERAGE}."))


def _numbers_in_name(file: Path) -> list[tuple[int, str]]:
    """A key that puts cycle-10 behind cycle-9."""
    return [(int(each), "") if each.isdecimal() else (-1, each) for each in re.split(r"(\d+)", file.name)]


def config_of(file: Path) -> dict[str, Any]:
    """The configuration that a `.keras` file holds; it is data, and nothing in it runs."""
    try:
        with zipfile.ZipFile(file) as archive:
            config = json.loads(archive.read("config.json"))
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise ArgumentError(argument="source", rule="files that Keras saved", received=Described(file.name)) from error
    if not isinstance(config, dict):
        raise ArgumentError(argument="source", rule="files that Keras saved", received=Described(file.name))
    return config


def check_architectures(files: Sequence[Path], configs: Sequence[dict[str, Any]]) -> None:
    """Raise where the models in files differ in more than their names and weights."""
    first = architecture(configs[0])
    for file, config in zip(files, configs, strict=True):
        if architecture(config) != first:
            raise ArgumentError(
                "The members of an ensemble have one architecture, as the models of one run have.",
                argument="source",
                received=Described(f"{file.name}, which has another architecture than {files[0].name}"),
                fix="Pass the list of the files that belong together.",
            )


def architecture(config: dict[str, Any]) -> Any:
    """A configuration without what a run adds to it, and with its names by the order in which they occur."""
    kept = {name: config.get(name) for name in ("class_name", "registered_name", "config")}
    names: dict[str, str] = {}
    _collect_names(kept, names)
    return _renamed(kept, names)


def _collect_names(value: Any, names: dict[str, str]) -> None:
    """The names of layers, by the order in which they occur; a policy's name, such as float32, is what it is."""
    if isinstance(value, dict):
        config = value.get("config")
        if (
            isinstance(config, dict)
            and isinstance(config.get("name"), str)
            and "Policy" not in str(value.get("class_name"))
        ):
            names.setdefault(config["name"], f"layer {len(names)}")
        for each in value.values():
            _collect_names(each, names)
    elif isinstance(value, list):
        for each in value:
            _collect_names(each, names)


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _renamed(each, names) for key, each in value.items()}
    if isinstance(value, list):
        return [_renamed(each, names) for each in value]
    return names.get(value, value) if isinstance(value, str) else value
