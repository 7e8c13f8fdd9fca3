"""Files that users give: arrays, JSON, TOML. Whatever in them can't be read ends in an `InputError`."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from int8rt.errors import InputError, Int8rtError

# What NumPy, zipfile, json and tomllib raise for content that is damaged, asks for more memory than there is, is nested
# too deeply, encrypted, or packed in an unknown way. RuntimeError: the base class of the last three.
_DAMAGED = (ValueError, EOFError, MemoryError, RuntimeError, SyntaxError, zipfile.BadZipFile, zlib.error)


@contextmanager
def reading(name: object, what: str) -> Iterator[None]:
    """Turns what readers raise for damaged content into "NAME is not WHAT that int8rt can read"; OSError stays."""
    try:
        yield
    except Int8rtError:
        raise
    except _DAMAGED as error:
        raise InputError(f"{name} is not {what} that int8rt can read: {error}") from None


def load_arrays(file: Path | IO[bytes], name: object) -> npt.NDArray[Any] | dict[str, npt.NDArray[Any]]:
    """The array of an .npy file, or those of an .npz file by name; `InputError` for other files, and for pickles."""
    if isinstance(file, Path):
        with file.open("rb") as opened:
            return load_arrays(opened, name)
    with reading(name, "a NumPy file"):
        if not file.read(6).startswith((b"PK", b"\x93NUMPY")):
            raise ValueError("it begins as neither .npz nor .npy")  # NumPy would speak of pickles
        file.seek(0)
        loaded = np.load(file, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        with loaded:
            arrays = {member: loaded[member] for member in loaded.files}
        for member, value in arrays.items():
            if not isinstance(value, np.ndarray):
                raise InputError(f"{name}: {member!r} is no array")
        return arrays


def parse_json(text: str | bytes, name: object) -> Any:
    """The value of a JSON text; `InputError` for what is none."""
    with reading(name, "JSON"):
        return json.loads(text)
