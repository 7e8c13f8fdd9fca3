"""Output files: whole or not there, and nothing but files is replaced."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from int8rt.errors import InputError
from int8rt.ptq.writing import write_whole


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    target, link = tmp_path / "models" / "real.tflite", tmp_path / "link.tflite"
    target.write_bytes(b"old")
    link.symlink_to(target)
    write_whole(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["link.tflite", "models", "real.tflite"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    """So are devices, which must not be replaced by files: /dev/stdout, /dev/null."""
    pipe, found = tmp_path / "pipe", list[bytes]()
    os.mkfifo(pipe)
    # Open for reading and writing, so that neither side waits for the other.
    handle = os.open(pipe, os.O_RDWR)
    reader = threading.Thread(target=lambda: found.append(os.read(handle, 3)), daemon=True)
    reader.start()
    write_whole(pipe, b"new")
    assert stat.S_ISFIFO(pipe.lstat().st_mode)
    reader.join(10)
    os.close(handle)
    assert found == [b"new"]


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot write .*: Is a directory"):
        write_whole(tmp_path, b"new")
    assert list(tmp_path.iterdir()) == []
