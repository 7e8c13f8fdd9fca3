"""Subgraphs that call one another more than anyone can run: an error, and soon."""

from __future__ import annotations

import time

import numpy as np
import pytest

from int8rt.errors import EvaluationError, ModelError, UnsupportedError
from int8rt.interpreter import Backend, Interpreter
from int8rt.memory import MemoryLimits
from int8rt.model import Model, TensorType
from int8rt.schema import ModelBuilder, read_model, write_model
from int8rt.schema import options as o

INT32 = TensorType.INT32
BACKENDS: list[Backend] = ["numpy", "jit"]


def chain(depth: int, calls: int, last: str = "ABS") -> Model:
    """Each subgraph calls the next so many times, each time with one more dimension; the last runs one operator."""
    builder = ModelBuilder()
    for level in range(depth + 1):
        if level:
            builder.subgraph(f"level {level}")
        builder.input("x", INT32, (1,))
        if level == depth:
            builder.output("y", INT32, (1,))
            builder.operator(last, ["x"], ["y"], custom_code="Mystery" if last == "CUSTOM" else "")
            break
        options = o.StableHLOCompositeOptions("c", level + 1, b"\x01")
        for call in range(calls):
            shape = (1,) * (call + 1)
            builder.constant(f"shape {call}", np.array(shape, np.int32))
            builder.tensor(f"x{call}", INT32, shape).tensor(f"y{call}", INT32, shape)
            builder.operator("RESHAPE", ["x", f"shape {call}"], [f"x{call}"], o.ReshapeOptions(shape))
            builder.operator("STABLEHLO_COMPOSITE", [f"x{call}"], [f"y{call}"], options)
        builder.output("y0")
    return read_model(write_model(builder.build()))


def interpreter(model: Model, backend: Backend, called: int = 20_000) -> Interpreter:
    return Interpreter(model_content=model, backend=backend, limits=MemoryLimits(called=called))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_chain_of_calls_runs_and_a_longer_one_is_refused(backend: Backend) -> None:
    short = interpreter(chain(32, 1), backend)
    short.allocate_tensors()
    short.set_tensor(0, np.array([-3], np.int32))
    short.invoke()
    assert short.get_tensor(short.get_output_details()[0]["index"]).tolist() == [3]
    with pytest.raises(ModelError, match="more than 32 deep"):
        interpreter(chain(33, 1), backend).allocate_tensors()


@pytest.mark.parametrize("backend", BACKENDS)
def test_calls_that_multiply_stop_at_the_limit(backend: Backend) -> None:
    start = time.perf_counter()
    with pytest.raises(EvaluationError, match="more than the 2000 operators of the limit"):
        interpreter(chain(30, 2), backend).allocate_tensors()
    assert time.perf_counter() - start < 20


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_missing_operator_behind_calls_that_multiply_is_named_at_once(backend: Backend) -> None:
    start = time.perf_counter()
    with pytest.raises(UnsupportedError, match=r"subgraph 30 'level 30': .*CUSTOM:Mystery"):
        interpreter(chain(30, 2, "CUSTOM"), backend).allocate_tensors()
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize("backend", BACKENDS)
def test_variables_count_against_the_memory_limit(backend: Backend) -> None:
    builder = ModelBuilder().input("count", INT32, (1,)).constant("value", np.array(1, np.int32))
    builder.output("x", INT32, (4,)).operator("FILL", ["count", "value"], ["x"])
    for number in range(10):
        builder.tensor(f"h{number}", TensorType.RESOURCE, ())
        builder.operator("VAR_HANDLE", [], [f"h{number}"], o.VarHandleOptions("", f"v{number}"))
        builder.operator("ASSIGN_VARIABLE", [f"h{number}", "x"], [])
    limits = MemoryLimits(running=1 << 20)
    model = Interpreter(model_content=builder.build(), backend=backend, limits=limits)
    model.allocate_tensors()
    model.set_tensor(0, np.array([1 << 16], np.int32))
    with pytest.raises(ModelError, match=r"variable 'v3' is assigned: .* bytes for all tensors"):
        model.invoke()
