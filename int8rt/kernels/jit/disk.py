"""The folder of compiled kernels: one object file each, named by a digest of all that it depends on."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MAGIC = b"int8rt-object-1\n"
_SUFFIX = ".kernel"
# What `proof` found out.
PROOF_SUFFIX = ".proof"


def folder() -> Path:
    """INT8RT_CACHE_DIR, or `int8rt` in the user's folder for caches."""
    named = os.environ.get("INT8RT_CACHE_DIR")
    if named:
        return Path(named)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "int8rt"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "int8rt" / "cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "int8rt"


def load(key: str, suffix: str = _SUFFIX) -> bytes | None:
    """The object file of that key; None where there is none, it is damaged, or others may have written it.

    suffix: of what else is kept in the folder.
    """
    path = folder() / (key + suffix)
    try:
        with path.open("rb") as file:
            if not _trusted(os.fstat(file.fileno())) or not _trusted(path.parent.stat()):
                return None
            content = file.read()
    except (OSError, RuntimeError):
        return None
    head, data = content[: len(_MAGIC) + 32], content[len(_MAGIC) + 32 :]
    return data if head == _MAGIC + hashlib.sha256(data).digest() else None


def save(key: str, data: bytes, suffix: str = _SUFFIX) -> None:
    """Keep an object file; without a folder that can be written it is compiled anew by every process."""
    try:
        here = _make_folder()
        handle, temporary = tempfile.mkstemp(dir=here)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_MAGIC + hashlib.sha256(data).digest() + data)
            Path(temporary).replace(here / (key + suffix))
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except (OSError, RuntimeError):
        return


@contextmanager
def alone(key: str) -> Iterator[None]:
    """Lets one process at a time make the object file of that key; the others wait, and then find it.

    Where the platform or the folder has no locks, they all make it.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    path = folder() / f"{key}.lock"
    try:
        _make_folder()
        file = path.open("w")
    except (OSError, RuntimeError):
        yield
        return
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def entries() -> list[Path]:
    """All object files in the folder."""
    return sorted(folder().glob(f"*{_SUFFIX}"))


def clear() -> tuple[int, int]:
    """Delete all object files, and what else is kept there: (how many object files, their bytes)."""
    count = size = 0
    for path in folder().glob(f"*{PROOF_SUFFIX}"):
        path.unlink(missing_ok=True)
    for path in entries():
        size += path.stat().st_size
        path.unlink(missing_ok=True)
        count += 1
    return count, size


def _make_folder() -> Path:
    here = folder()
    here.mkdir(mode=0o700, parents=True, exist_ok=True)
    return here


def _trusted(status: os.stat_result) -> bool:
    """Whether nobody but this user (or the system's) can have written it: it is going to be executed."""
    if not hasattr(os, "getuid"):
        return True
    return status.st_uid in (os.getuid(), 0) and not status.st_mode & 0o022
