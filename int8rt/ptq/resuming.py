"""The state of an unfinished calibration in a file beside its output, so that it can go on where it was cut off."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from int8rt.ptq.calibrate import Calibration


def digest(*parts: bytes | str) -> str:
    """What tells one calibration from another: the model's bytes, the data's and the arguments."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "little") + data)
    return total.hexdigest()


def dump(calibration: Calibration, identity: str) -> bytes:
    """The state as an .npz file."""
    out = io.BytesIO()
    arrays: dict[str, Any] = {"identity": np.array(identity)} | calibration.state()
    np.savez(out, **arrays)
    return out.getvalue()


def pick_up(calibration: Calibration, path: Path, identity: str) -> bool:
    """Whether the file held a state of this very calibration, and `calibration` goes on from it."""
    try:
        with np.load(path, allow_pickle=False) as content:
            state = {name: content[name] for name in content.files}
    except (OSError, ValueError, zipfile.BadZipFile, EOFError):
        return False
    if str(state.pop("identity", "")) != identity:
        return False
    calibration.resume(state)
    return True
