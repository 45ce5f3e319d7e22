"""Files that appear whole or not at all, and what else may stand under a name."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from kosine._core.files import whole_file


def test_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    with whole_file(target) as file:
        file.write("one\nä\n")
        assert not target.exists()
    assert target.read_bytes() == "one\nä\n".encode()
    assert list(tmp_path.iterdir()) == [target]


def test_error_leaves_what_stood_there(tmp_path: Path) -> None:
    target = tmp_path / "a.bin"
    target.write_bytes(b"old")
    with pytest.raises(TypeError), whole_file(target, binary=True) as file:
        file.writelines([b"new", "no bytes"])
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_link_is_followed(tmp_path: Path) -> None:
    link, target = tmp_path / "link", tmp_path / "folder" / "a.txt"
    target.parent.mkdir()
    link.symlink_to(target)
    with whole_file(link) as file:
        file.write("new")
    assert link.is_symlink()
    assert target.read_text(encoding="utf-8") == "new"


@pytest.mark.parametrize("linked", [False, True])
def test_pipe_is_written_to_by_its_own_name_and_stays(linked: bool, tmp_path: Path) -> None:
    pipe = link = tmp_path / "pipe"
    os.mkfifo(pipe)
    if linked:
        link = tmp_path / "link"
        link.symlink_to(pipe)
    found: list[str] = []
    reader = threading.Thread(target=lambda: found.append(pipe.read_text(encoding="utf-8")))
    reader.start()
    with whole_file(link) as file:
        file.write("through")
    reader.join(10)
    assert found == ["through"]
    assert pipe.is_fifo()


def test_pipe_without_a_name_of_its_own() -> None:
    reader, writer = os.pipe()
    try:
        with whole_file(f"/proc/self/fd/{writer}") as file:
            file.write("through")
        assert os.read(reader, 100) == b"through"
    finally:
        os.close(reader)
        os.close(writer)


def test_full_disk_has_the_name_that_was_given(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left") as device, whole_file("/dev/full") as file:
        file.write("text")
    assert device.value.filename == "/dev/full"
    target = tmp_path / "a.txt"
    with pytest.raises(OSError, match="No space left") as disk, whole_file(target):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert disk.value.filename == str(target)
    assert list(tmp_path.iterdir()) == []


def test_folder_that_is_none_has_the_name_that_was_given(tmp_path: Path) -> None:
    target = tmp_path / "missing" / "a.txt"
    with pytest.raises(FileNotFoundError) as caught, whole_file(target):
        pass
    assert caught.value.filename == str(target)
