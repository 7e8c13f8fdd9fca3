"""Scripts written for LiteRT run with only their import changed, and print the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import int8rt
from int8rt.samples import digits
from tests.interpreter import models

OLD, NEW = "from ai_edge_litert.interpreter import", "from int8rt.interpreter import"

CLASSIFY = """
import sys
import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

interpreter = Interpreter(
    model_path="digits.tflite", num_threads=1, experimental_op_resolver_type=OpResolverType.BUILTIN_REF
)
interpreter.allocate_tensors()
source, = interpreter.get_input_details()
target, = interpreter.get_output_details()
_, height, width, _ = source["shape"]
scale, zero_point = source["quantization"]
for image in np.load("images.npy"):
    assert image.shape == (height, width)
    data = image[None, :, :, None]
    if source["dtype"] != np.float32:
        data = np.round(data / scale + zero_point).astype(source["dtype"])
    interpreter.set_tensor(source["index"], data)
    interpreter.invoke()
    output = interpreter.get_tensor(target["index"])
    scale_out, zero_point_out = target["quantization"]
    results = np.squeeze(scale_out * (output.astype(np.float32) - zero_point_out))
    top = results.argsort()[-3:][::-1]
    print([(int(i), float(results[i])) for i in top])
"""

EVERY_TENSOR = """
import hashlib
import warnings
from ai_edge_litert.interpreter import Interpreter, OpResolverType
import numpy as np

warnings.simplefilter("ignore")
with open("digits.tflite", "rb") as file:
    content = file.read()
interpreter = Interpreter(
    model_content=content,
    experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
    experimental_preserve_all_tensors=True,
)
interpreter.allocate_tensors()
detail = interpreter.get_input_details()[0]
info = np.iinfo(detail["dtype"])
data = np.random.default_rng(0).integers(info.min, info.max, detail["shape"], dtype=detail["dtype"], endpoint=True)
interpreter.set_tensor(detail["index"], data)
interpreter.invoke()
written = {int(i) for op in interpreter._get_ops_details() for i in op["outputs"]}
for detail in interpreter.get_tensor_details():
    name, shape = detail["name"], detail["shape"].tolist()
    if not name:
        continue  # LiteRT's own temporary tensors
    parameters = detail["quantization_parameters"]
    constant = detail["index"] not in written
    digest = hashlib.sha256(interpreter.get_tensor(detail["index"]).tobytes()).hexdigest()
    print(name, shape, detail["dtype"].__name__, len(parameters["scales"]), constant, digest)
"""

VIEWS = """
from ai_edge_litert.interpreter import Interpreter, OpResolverType
import numpy as np

interpreter = Interpreter("two_adds.tflite", experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
interpreter.allocate_tensors()
inputs = [interpreter.tensor(detail["index"]) for detail in interpreter.get_input_details()]
output = interpreter.tensor(interpreter.get_output_details()[0]["index"])
for i in range(10):
    for each in inputs:
        each().fill(3 * i)
    interpreter.invoke()
    print("inference", output())
held = output()
try:
    interpreter.invoke()
except RuntimeError as error:
    print(str(error).split(" internal")[0])
"""

SIGNATURES = """
import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

interpreter = Interpreter("two_adds.tflite", experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
print(interpreter.get_signature_list())
my_signature = interpreter.get_signature_runner()
shapes = {name: detail["shape"].tolist() for name, detail in my_signature.get_input_details().items()}
print(shapes, list(my_signature.get_output_details()))
for batch in (1, 4, 2):
    values = {name: np.full((batch, 4), 5, np.int8) for name in shapes}
    print(my_signature(**values)["out"].tolist())
try:
    my_signature(first=np.zeros((1, 4), np.int8))
except ValueError:
    print("one input is missing")
"""


def output_of(script: str, folder: Path) -> str:
    command = [sys.executable, "-c", script]
    path = os.pathsep.join([str(Path(int8rt.__file__).parent.parent), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(command, cwd=folder, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.litert
@pytest.mark.parametrize(
    "script", [CLASSIFY, EVERY_TENSOR, VIEWS, SIGNATURES], ids=["classify", "every tensor", "views", "signatures"]
)
def test_only_the_import_changes(script: str, tmp_path: Path) -> None:
    sample = digits()
    (tmp_path / "digits.tflite").write_bytes(sample.model)
    (tmp_path / "two_adds.tflite").write_bytes(models.two_adds())
    np.save(tmp_path / "images.npy", np.linspace(0, 1, 4 * 256, dtype=np.float32).reshape(4, 16, 16))
    assert script.count(OLD) == 1
    theirs, ours = output_of(script, tmp_path), output_of(script.replace(OLD, NEW), tmp_path)
    assert theirs.count("\n") > 3
    assert ours == theirs
