"""Over real models: every dictionary of details is LiteRT's, key by key."""

from __future__ import annotations

import io
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import int8rt
from int8rt.errors import UnsupportedError
from int8rt.schema import load_model
from int8rt.support import unsupported_operators
from tests.interpreter.litert_details import details
from tests.interpreter.same import differences

# Tensors whose shapes follow from arithmetic on shapes (SHAPE, then FLOOR_MOD and the like): int8rt does that while it
# plans, LiteRT only when it runs, and until then it says what the file says.
KNOWN_EARLIER = {
    "CFU-Playground-model_no_quant.tflite": (38, 46, 48),
    "tflite-support-dilated_conv.tflite": (35, 36),
}


def litert_says(paths: list[Path], allocate: set[Path]) -> dict[Path, dict[str, Any]]:
    arguments = [f"+{path}" if path in allocate else str(path) for path in paths]
    child = Path(__file__).with_name("litert_details.py")
    output = subprocess.run([sys.executable, str(child), *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    stream = io.BytesIO(output.stdout)
    said = dict(pickle.load(stream) for _ in paths)
    return {Path(path): value for path, value in said.items()}


@pytest.mark.slow
@pytest.mark.zoo
@pytest.mark.litert
def test_details_of_real_models(zoo_dir: Path) -> None:
    paths = sorted(zoo_dir.rglob("*.tflite"))
    runnable = {path for path in paths if not unsupported_operators(load_model(path).subgraphs[0])}
    assert len(runnable) > len(paths) / 4
    wrong: list[str] = []
    said = {path: answer for path, answer in litert_says(paths, runnable).items() if "error" not in answer}
    assert len(said) > len(paths) / 2
    for path, expected in said.items():
        interpreter = int8rt.Interpreter(path)
        found = details(interpreter)
        if "allocated" in expected:
            try:
                interpreter.allocate_tensors()
            except UnsupportedError:  # an operator that is registered, with parameters that it does not take
                del expected["allocated"]
            else:
                found["allocated"] = interpreter.get_tensor_details()
                for index in KNOWN_EARLIER.get(path.name, ()):
                    assert (
                        expected["allocated"][index]["shape"].tolist()
                        == expected["tensors"][0][index]["shape"].tolist()
                    )
                    expected["allocated"][index]["shape"] = found["allocated"][index]["shape"]
        wrong += [f"{path.name} {line}" for line in differences(found, expected)]
    assert wrong == []
