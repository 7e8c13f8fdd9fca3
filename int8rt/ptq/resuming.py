"""What calibrations and evaluations have done so far, in files, so that they can go on where they were cut off."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.ptq.calibrate import Calibration
from int8rt.ptq.writing import write_whole

Array = npt.NDArray[Any]


def digest(*parts: bytes | str) -> str:
    """What tells one calibration from another: the model's bytes, the data's and the arguments."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "little") + data)
    return total.hexdigest()


def file_digest(path: Path) -> bytes:
    """Of a file's content, which is not read at once."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def dump(calibration: Calibration, identity: str) -> bytes:
    """The state as an .npz file."""
    out = io.BytesIO()
    arrays: dict[str, Any] = {"identity": np.array(identity)} | calibration.state()
    np.savez(out, **arrays)
    return out.getvalue()


def pick_up(calibration: Calibration, path: Path, identity: str) -> bool:
    """Whether the file held a state of this very calibration, and `calibration` goes on from it."""
    state = _read(path, identity)
    if state is None:
        return False
    calibration.resume(state)
    return True


def store_answers(path: Path, identity: str, known: Mapping[tuple[str, int], Array]) -> None:
    """Writes the answers of `evaluate` so far: by model and first sample."""
    out = io.BytesIO()
    models = list(dict.fromkeys(name for name, _ in known))
    arrays: dict[str, Any] = {"identity": np.array(identity), "models": np.array(models)}
    arrays |= {f"{models.index(name)} {first}": value for (name, first), value in known.items()}
    np.savez(out, **arrays)
    write_whole(path, out.getvalue())


def known_answers(path: Path, identity: str) -> dict[tuple[str, int], Array]:
    """The answers of an evaluation of the same files with the same arguments; none where the file has others."""
    state = _read(path, identity)
    if state is None:
        return {}
    models = state.pop("models").tolist()
    places = {key: key.split(" ") for key in state}
    return {(models[int(model)], int(first)): state[key] for key, (model, first) in places.items()}


def _read(path: Path, identity: str) -> dict[str, Array] | None:
    try:
        with np.load(path, allow_pickle=False) as content:
            state = {name: content[name] for name in content.files}
    except (OSError, ValueError, zipfile.BadZipFile, EOFError):
        return None
    return state if str(state.pop("identity", "")) == identity else None
