"""Runs a model in int8rt and in LiteRT's BUILTIN_REF and demands the same bits of every tensor."""

from __future__ import annotations

import atexit
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.errors import Int8rtError
from int8rt.executor import SubgraphExecutor
from int8rt.memory import MemoryLimits
from int8rt.model import Model
from int8rt.quantization.profiles import get_profile
from int8rt.schema import write_model
from int8rt.verify.oracle import Oracle, OracleError, OracleResult

Array = npt.NDArray[Any]


@functools.cache
def oracle() -> Oracle:
    """One child process for the whole test run."""
    child = Oracle(timeout=60)
    atexit.register(child.close)
    return child


def run_int8rt(model: Model, inputs: Sequence[Array], profile: str = "tflite-ref") -> dict[int, Array]:
    """Every tensor that the model's operators write, by index; and its outputs."""
    executor = SubgraphExecutor(model, 0, get_profile(profile), MemoryLimits(), preserve_all_tensors=True)
    subgraph = model.subgraphs[0]
    for index, value in zip(subgraph.inputs, inputs, strict=True):
        executor.resize(index, value.shape)
    executor.allocate()
    for index, value in zip(subgraph.inputs, inputs, strict=True):
        executor.set(index, value)
    written: dict[int, Array] = {}
    executor.invoke(lambda _, index, value: written.__setitem__(index, value))
    for index in subgraph.outputs:
        written[index] = executor.get(index)
    return written


def assert_same_bits(model: Model, inputs: Sequence[Array]) -> None:
    """Every tensor that an operator writes is equal, in dtype, shape and each element.

    Where the interpreter refuses the model or dies, int8rt must raise an error of its own.
    """
    written = sorted({index for operator in model.subgraphs[0].operators for index in operator.outputs})
    expected: OracleResult | OracleError
    try:
        expected = oracle().run(write_model(model), inputs, read=written)
    except OracleError as error:
        expected = error
    try:
        found = run_int8rt(model, inputs)
    except Int8rtError as error:
        assert isinstance(expected, OracleError), f"LiteRT runs this model, int8rt refuses: {error}"
        return
    assert not isinstance(expected, OracleError), f"int8rt runs this model, LiteRT refuses: {expected}"
    for index, value in expected.tensors.items():
        assert_equal(found[index], value, f"tensor {index} {model.subgraphs[0].tensors[index].name!r}")
    for index, value in zip(model.subgraphs[0].outputs, expected.outputs, strict=True):
        assert_equal(found[index], value, f"output {model.subgraphs[0].tensors[index].name!r}")


def assert_equal(found: Array, expected: Array, name: str) -> None:
    """The same dtype, shape and bits (floats too: NaN equals NaN, -0.0 does not equal 0.0)."""
    assert found.dtype == expected.dtype, f"{name}: dtype {found.dtype}, LiteRT {expected.dtype}"
    assert found.shape == expected.shape, f"{name}: shape {found.shape}, LiteRT {expected.shape}"
    if found.dtype == object:
        assert found.tolist() == expected.tolist(), name
        return
    bits = f"u{found.dtype.itemsize}" if found.dtype.kind == "f" else found.dtype
    left, right = np.ascontiguousarray(found).view(bits), np.ascontiguousarray(expected).view(bits)
    if found.dtype.kind == "f":
        both_nan = np.isnan(found) & np.isnan(expected)
        left, right = np.where(both_nan, 0, left), np.where(both_nan, 0, right)
    different = np.flatnonzero(left != right)
    if different.size:
        at = np.unravel_index(different[0], found.shape)
        raise AssertionError(
            f"{name}: {different.size} of {found.size} elements differ; the first at {[int(i) for i in at]}: "
            f"{found[at]}, LiteRT {expected[at]}"
        )
