"""A case as files: for runtimes that read files, and to be read by people."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from int8rt.conformance.cases import Case
from int8rt.conformance.run import expected, separates
from int8rt.schema import write_model


def write_case(case: Case, folder: Path) -> Path:
    """Write model.tflite, input0.npy, ..., case.json, and unless it must be refused expected.npy; the case's folder."""
    model, inputs = case.make()
    path = folder / re.sub(r"[^\w.-]+", "_", case.name)
    path.mkdir(parents=True, exist_ok=True)
    (path / "model.tflite").write_bytes(write_model(model))
    for i, value in enumerate(inputs):
        np.save(path / f"input{i}.npy", value)
    if case.expect == "exact":
        np.save(path / "expected.npy", expected(model, inputs))
    text: dict[str, Any] = {
        "schema_version": 1,
        "name": case.name,
        "operator": case.operator,
        "type": case.type,
        "rule": case.rule,
        "expect": case.expect,
        "separates": separates(case),
        "parameters": dict(case.parameters),
    }
    (path / "case.json").write_text(json.dumps(text, indent=1) + "\n", encoding="utf-8")
    return path
