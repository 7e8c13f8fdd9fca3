from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from conformance import levels, levels_model
from int8rt.kernels.jit.isa.levels import EMULATED, available_levels
from int8rt.samples import digits
from tests.conformance.test_zoo import custom


def test_a_model_is_the_same_everywhere(tmp_path: Path) -> None:
    path = tmp_path / "digits.tflite"
    path.write_bytes(digits().model)
    names = [level.name for level in available_levels()]
    row = levels.examine(path, 300, [names[0], names[-1]], [1, 3])
    assert row["status"] == "same", row
    assert len(row["ran"]) == 4


@pytest.mark.slow
@pytest.mark.skipif(EMULATED not in available_levels(emulated=True), reason="no AVX-512 VBMI on Linux here")
def test_an_emulated_level_by_name(tmp_path: Path) -> None:
    path = tmp_path / "digits.tflite"
    path.write_bytes(digits().model)
    row = levels.examine(path, 300, [EMULATED.name], [1, 2])
    assert (row["status"], row["ran"]) == ("same", ["amx-emulated with 1 thread", "amx-emulated with 2 threads"])


def test_what_does_not_run_is_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "custom.tflite"
    path.write_bytes(custom())
    assert levels_model.examine(path, ["generic"], [1])["status"] == "unsupported"
    path.write_bytes(b"no model")
    assert levels.examine(path, 60)["status"] == "crashed"


def test_differences_are_named() -> None:
    one, two = np.array([1, 2], np.int8), np.array([1, 3], np.int8)
    assert levels_model.first_difference([("t", one)], [("t", one.copy())]) == ""
    assert levels_model.first_difference([("t", one)], [("t", two)]) == "t: 1 of 2 elements"
    assert levels_model.first_difference([("t", one)], "refused") == "NumPy: runs; compiled: refused"
    zero = np.array([0.0], np.float32)
    assert levels_model.first_difference([("t", zero)], [("t", -zero)])
