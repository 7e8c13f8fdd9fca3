"""Whatever stands in a file, running it ends soon, in little memory, in a result or in an int8rt error."""

from __future__ import annotations

import time
import tracemalloc
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from int8rt.errors import EvaluationError, Int8rtError, ModelError
from int8rt.interpreter import Backend, Interpreter
from int8rt.kernels.custom.table import CUSTOM_KERNELS
from int8rt.kernels.registry import KERNELS
from int8rt.memory import MemoryLimits, tensor_bytes
from int8rt.model import Model, TensorType
from int8rt.samples import digits
from int8rt.schema import TensorSpec, read_model, single_operator_model, write_model
from int8rt.schema.options import RandomOptions
from int8rt.support import unsupported_operators
from int8rt.verify.inputs import make_inputs
from tests.hostile.bases import from_the_zoo, made_by_hand
from tests.hostile.mutations import Mutant, mutants
from tests.hostile.operators import MODELS

# Compiling a kernel, which happens once a machine, takes longer than running it.
SECONDS: dict[Backend, float] = {"numpy": 5.0, "jit": 120.0}
LIMITS = MemoryLimits(tensor=1 << 22, total=1 << 23, undeclared=1 << 20, running=1 << 22, called=20_000)
# What kernels may take on top of the tensors: unrolled windows, and integers as wider numbers.
WORKING = 1 << 26
WIDER = 40
# Models whose inputs ask for a shape or an order that random numbers do not fit.
UNFIT = ("RESHAPE.1", "TRANSPOSE.1", "RANGE.1")


def run(model: Model, backend: Backend) -> None:
    """Allocate and invoke; int8rt's errors pass."""
    interpreter = Interpreter(model_content=model, backend=backend, limits=LIMITS)
    interpreter.allocate_tensors()
    for index, value in zip(model.subgraphs[0].inputs, make_inputs(model, "random"), strict=True):
        interpreter.set_tensor(index, value)
    interpreter.invoke()
    for index in model.subgraphs[0].outputs:
        interpreter.get_tensor(index)


def outcome(mutant: Mutant, backend: Backend) -> str:
    """How running ends; an AssertionError where it must not end so."""
    declared = 0
    start = time.perf_counter()
    tracemalloc.start()
    try:
        model = read_model(mutant.data)
        declared = sum(tensor_bytes(tensor, tensor.shape) for graph in model.subgraphs for tensor in graph.tensors)
        if declared > LIMITS.total:
            return "too large for this test"
        run(model, backend)
        return "runs"
    except Int8rtError as error:
        return type(error).__name__
    except Exception as error:
        raise AssertionError(f"{mutant.name} ends in {error!r}") from error
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        most = WIDER * (declared + max(declared, LIMITS.running)) + WORKING
        assert peak <= most, f"{mutant.name} takes {peak} bytes, its tensors are {declared}"
        seconds = time.perf_counter() - start
        # NumPy takes the steps of a sequence one after the other, up to 1 ms each, and a step has some 12 bytes.
        most_seconds = SECONDS[backend] + 1e-4 * declared * ("SEQUENCE" in mutant.base)
        assert seconds < most_seconds, f"{mutant.name} takes {seconds:.1f} s"


def run_mutants(files: dict[str, bytes], count: int, backend: Backend = "numpy", seed: int = 0) -> Counter[str]:
    return Counter(outcome(mutant, backend) for mutant in mutants(files, count, seed))


def test_every_operator_has_a_model_here() -> None:
    assert {name.split(".")[0] for name in MODELS} == {*KERNELS, *(f"CUSTOM:{name}" for name in CUSTOM_KERNELS)}


@pytest.mark.parametrize("name", [name for name in MODELS if name not in UNFIT])
def test_they_run_unbroken(name: str) -> None:
    run(read_model(write_model(MODELS[name])), "numpy")


def test_broken_operators() -> None:
    results = run_mutants({name: write_model(model) for name, model in MODELS.items()}, 5000)
    assert results["runs"] > 500
    assert results["ModelError"] > 1000
    assert results["UnsupportedError"] > 50


def test_broken_files_made_by_hand() -> None:
    run_mutants(made_by_hand() | {"digits": digits().model}, 1500)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["numpy", "jit"])
def test_many_broken_operators(backend: Backend) -> None:
    run_mutants({name: write_model(model) for name, model in MODELS.items()}, 20_000, backend, seed=1)


@pytest.mark.slow
@pytest.mark.zoo
def test_broken_real_models(zoo_dir: Path) -> None:
    files = from_the_zoo(zoo_dir)
    runnable = {n: data for n, data in files.items() if not unsupported_operators(read_model(data).subgraphs[0])}
    assert runnable
    run_mutants(runnable, 2000)


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("name", ["FILL", "RESHAPE", "BROADCAST_TO", "RANDOM_UNIFORM"])
def test_more_dimensions_than_numpy_has(name: str, known: bool) -> None:
    shape = TensorSpec.constant(np.ones(70, np.int32)) if known else TensorSpec(TensorType.INT32, (70,))
    value = TensorSpec(TensorType.FLOAT32, () if name == "FILL" else (1,))
    inputs = {"FILL": [shape, value], "RANDOM_UNIFORM": [shape]}.get(name, [value, shape])
    chosen = RandomOptions(seed=1, seed2=2) if name == "RANDOM_UNIFORM" else None
    model = single_operator_model(name, inputs, [TensorSpec(TensorType.FLOAT32, ())], chosen)
    interpreter = Interpreter(model_content=model, backend="numpy")
    with pytest.raises((ModelError, EvaluationError), match="70 dimensions"):
        run_on_ones(model, interpreter)


def run_on_ones(model: Model, interpreter: Interpreter) -> None:
    interpreter.allocate_tensors()
    for index in model.subgraphs[0].inputs:
        tensor = model.subgraphs[0].tensors[index]
        interpreter.set_tensor(index, np.ones(tensor.shape, tensor.type.dtype))
    interpreter.invoke()
