"""Every real model is bit-exact on both backends, or ends in the one error that names what is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conformance import zoo

PARTS = 40
# What each model of the collection in ../shared/models came to; a model that was exact stays exact.
RECORD: dict[str, str] = json.loads(Path(__file__).with_name("real_models.json").read_text())


@pytest.mark.slow
@pytest.mark.zoo
@pytest.mark.litert
@pytest.mark.parametrize("part", range(PARTS))
def test_real_models(part: int, zoo_dir: Path) -> None:
    wrong = []
    for path in sorted(zoo_dir.rglob("*.tflite"))[part::PARTS]:
        name = path.relative_to(zoo_dir).as_posix()
        exact = RECORD.get(name) == "exact"
        row = zoo.examine(path, ["random", "alternating"], timeout=300 if exact else 60)
        # A float model that was never exact here may also be too much for the NumPy definitions.
        if not exact and row["detail"].startswith("no end after"):
            continue
        accepted = {"exact"} if exact else {"exact", "unsupported", "refused"}
        if row["status"] not in accepted:
            wrong.append(f"{name} {row['status']}: {row['detail']}")
    assert wrong == []
