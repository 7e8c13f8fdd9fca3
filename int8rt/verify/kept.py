"""What a `Judge` has found out, as files: a comparison that was killed goes on after the last run that was judged."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from int8rt.errors import InputError
from int8rt.files import parse_json
from int8rt.verify.findings import Findings
from int8rt.verify.first import Evidence
from int8rt.verify.runtimes.base import Array, Fault
from int8rt.verify.runtimes.npz import read_npz, write_npz
from int8rt.verify.runtimes.remember import inputs_digest
from int8rt.verify.statistics import restored

State = tuple[dict[str, Any], dict[str, Array]]


class Kept:
    """Files of one comparison in `folder`: one after each run, with all that is known then.

    identity: what the comparison depends on beside its runs. A file is found by the runs that led to it, in order.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        self._folder, self._so_far = folder, identity
        folder.mkdir(parents=True, exist_ok=True)

    def next(self, content: bytes, label: str, inputs: Sequence[Array]) -> State | None:
        """Go on to this run; what was known after it, if it is kept: plain data and arrays."""
        self._so_far = inputs_digest(content, inputs, label, self._so_far)
        try:
            arrays = read_npz(self._file)
            return parse_json(arrays.pop("about").tobytes(), self._file), arrays
        except (OSError, InputError, KeyError, ValueError):
            return None

    def write(self, about: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
        """Keep what is known after the run that `next` went on to. Nothing is kept of arrays of strings."""
        if any(value.dtype.kind == "O" for value in arrays.values()):
            return
        part = self._file.with_suffix(f".{os.getpid()}")
        write_npz(part, {**arrays, "about": np.frombuffer(json.dumps(about).encode(), np.uint8)})
        part.replace(self._file)

    @property
    def _file(self) -> Path:
        return self._folder / f"judged-{hashlib.sha256(self._so_far.encode()).hexdigest()[:24]}.npz"


def findings_state(findings: Findings) -> dict[str, Any]:
    """Plain data for `restored_findings`."""
    return {
        "candidates": findings.candidates,
        "local": {index: dataclasses.asdict(one) for index, one in findings.local.items()},
        "alone": findings.alone,
        "accumulated": {index: dataclasses.asdict(one) for index, one in findings.accumulated.items()},
        "fault": None if findings.fault is None else [findings.fault.kind, str(findings.fault)],
    }


def restored_findings(data: Mapping[str, Any]) -> Findings:
    """What `findings_state` made plain."""
    return Findings(
        list(data["candidates"]),
        {int(index): restored(one) for index, one in data["local"].items()},
        data["alone"],
        {int(index): restored(one) for index, one in data["accumulated"].items()},
        None if data["fault"] is None else Fault(*data["fault"]),
    )


def evidence_state(evidence: Evidence) -> State:
    """Plain data and arrays; the teacher is left out: it is made of the run that the statistics name."""
    arrays = {f"i{index}": value for index, value in evidence.inputs.items()} | {"found": evidence.found}
    return {"position": evidence.position, "statistics": dataclasses.asdict(evidence.statistics)}, arrays
