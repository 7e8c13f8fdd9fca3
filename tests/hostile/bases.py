"""The files that the hostile tests break."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from int8rt.schema import ModelBuilder, write_model
from tests.schema.models import ALL, sparse_weights

ZOO_FILES = 6
ZOO_BYTES = 20_000


def made_by_hand() -> dict[str, bytes]:
    """Small files that use every part of the schema."""
    files = {make.__name__: write_model(make()) for make in ALL}
    files["outside"] = write_model(ALL[0](), buffers_outside=True)
    files["sparse"] = write_model(ModelBuilder().add("s", sparse_weights()[0]).build())
    files["strings"] = write_model(ModelBuilder().constant("s", np.array([[b"a", b"bcd"]] * 3, object)).build())
    return files


def from_the_zoo(folder: Path) -> dict[str, bytes]:
    """Some small real models of a folder."""
    small = sorted(path for path in folder.rglob("*.tflite") if path.stat().st_size < ZOO_BYTES)
    return {path.name: path.read_bytes() for path in small[:: max(1, len(small) // ZOO_FILES)][:ZOO_FILES]}
