"""Output files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from int8rt.errors import InputError


def write_whole(path: Path, content: bytes | memoryview) -> None:
    """Writes a file beside `path` and then gives it that name; of a link, beside what it leads to.

    What is there and no file (a pipe, a device such as /dev/stdout) is written to. Raises `InputError` where writing is
    not possible.
    """
    try:
        if path.exists() and not path.is_file():
            with path.open("wb") as stream:
                stream.write(content)
        else:
            _replace(Path(os.path.realpath(path)), content)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error


def _replace(path: Path, content: bytes | memoryview) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(name, 0o666 & ~umask)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
