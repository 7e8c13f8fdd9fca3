"""Arrays by name in an .npz file: any names, no pickles."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from int8rt.errors import InputError
from int8rt.files import load_arrays
from int8rt.verify.runtimes.base import Array


def write_npz(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write the arrays; strings (arrays of bytes objects) as NumPy's bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in arrays.items():
            numbers = value if value.dtype.kind != "O" else np.array(value.tolist(), np.bytes_)
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(numbers), allow_pickle=False)


def read_npz(path: Path) -> dict[str, Array]:
    """Name to array; `InputError` where the file can't be read."""
    arrays = load_arrays(path, path.name)
    if isinstance(arrays, np.ndarray):
        raise InputError(f"{path.name} holds one array, expected an .npz file")
    return arrays
