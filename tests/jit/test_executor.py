"""The compiled executor where it is not like NumPy's: shapes that only running tells, errors, limits, threads."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref

import numpy as np
import pytest

import int8rt
from int8rt.memory import MemoryLimits
from int8rt.model import TensorType
from tests.jit.models import computed_shape, convolutions


def ready(model: int8rt.Model, **options: object) -> int8rt.Interpreter:
    interpreter = int8rt.Interpreter(model_content=model, **options)  # type: ignore[arg-type]
    interpreter.allocate_tensors()
    return interpreter


@pytest.mark.parametrize("type", [TensorType.INT8, TensorType.UINT8])
def test_all_tensors_equal_numpy_s(type: TensorType) -> None:
    model = convolutions(type)
    one, other = (ready(model, backend=name, experimental_preserve_all_tensors=True) for name in ("numpy", "jit"))
    value = np.random.default_rng(1).integers(0, 128, (1, 40, 40, 3)).astype(type.dtype)
    for interpreter in (one, other):
        interpreter.set_tensor(0, value)
        interpreter.invoke()
    for index, tensor in enumerate(model.subgraphs[0].tensors):
        np.testing.assert_array_equal(other.get_tensor(index), one.get_tensor(index), tensor.name)
        assert other.get_tensor(index).dtype == one.get_tensor(index).dtype


@pytest.mark.parametrize("preserve", [False, True])
def test_shapes_that_only_running_tells(preserve: bool) -> None:
    interpreter = ready(computed_shape(), backend="jit", experimental_preserve_all_tensors=preserve)
    (_, shape), (y, a) = ([d["index"] for d in details] for details in _details(interpreter))
    values = np.arange(-6, 6, dtype=np.int8).reshape(2, 6)
    for new in ((3, 4), (12, 1)):
        interpreter.set_tensor(0, values)
        interpreter.set_tensor(shape, np.array(new, np.int32))
        interpreter.invoke()
        np.testing.assert_array_equal(interpreter.get_tensor(a), np.abs(values))
        np.testing.assert_array_equal(interpreter.get_tensor(y), np.abs(values).reshape(new))
        assert tuple(interpreter.get_output_details()[0]["shape"]) == new


def test_an_error_while_running_leaves_the_interpreter_usable() -> None:
    interpreter = ready(computed_shape(), backend="jit")
    shape = interpreter.get_input_details()[1]["index"]
    interpreter.set_tensor(shape, np.array([5, 5], np.int32))
    with pytest.raises(int8rt.Int8rtError, match=r"RESHAPE"):
        interpreter.invoke()
    interpreter.set_tensor(shape, np.array([4, 3], np.int32))
    interpreter.invoke()
    assert interpreter.get_tensor(interpreter.get_output_details()[0]["index"]).shape == (4, 3)


def test_the_compiled_model_counts_against_the_limits() -> None:
    model = convolutions(size=24)
    ready(model, backend="jit", limits=MemoryLimits(total=1 << 20, undeclared=1 << 20))
    with pytest.raises(int8rt.ModelError, match=r"the compiled model takes \d+ bytes, the limit is"):
        ready(model, backend="jit", limits=MemoryLimits(total=100_000, undeclared=0))


def test_memory_goes_with_the_interpreter() -> None:
    interpreter = ready(convolutions(), backend="jit")
    interpreter.invoke()
    arena = weakref.ref(interpreter._executor(0).program.store)  # type: ignore[attr-defined]
    del interpreter
    gc.collect()
    assert arena() is None


def test_a_view_outlives_the_interpreter() -> None:
    interpreter = ready(convolutions(), backend="jit")
    index = interpreter.get_input_details()[0]["index"]
    interpreter.set_tensor(index, np.full((1, 40, 40, 3), 7, np.int8))
    view = interpreter.tensor(index)()
    del interpreter
    gc.collect()
    assert np.all(view == 7)


def test_numpy_s_backend_imports_neither_numba_nor_llvmlite() -> None:
    script = (
        "import sys, numpy as np, int8rt\n"
        "from int8rt.samples import digits\n"
        "interpreter = int8rt.Interpreter(model_content=digits().model, backend='numpy')\n"
        "interpreter.allocate_tensors(); interpreter.invoke()\n"
        "print([name for name in ('numba', 'llvmlite') if name in sys.modules])\n"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "[]\n"


def _details(interpreter: int8rt.Interpreter) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    return interpreter.get_input_details(), interpreter.get_output_details()
