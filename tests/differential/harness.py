"""Runs a model in int8rt and in LiteRT's BUILTIN_REF and demands the same bits of every tensor.

int8rt runs it with NumPy, and compiled at every instruction-set level that this processor has; there each kernel is
called as by one, two or three threads. With INT8RT_TEST_EMULATED=1 in the environment also at those that are emulated.
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import binding

from int8rt.errors import Int8rtError
from int8rt.executor import SubgraphExecutor
from int8rt.kernels.jit.isa.levels import Level, available_levels
from int8rt.kernels.jit.program import Program
from int8rt.memory import MemoryLimits
from int8rt.model import Model, TensorType
from int8rt.quantization.profiles import get_profile
from int8rt.schema import write_model
from int8rt.verify.oracle import Oracle, OracleError, OracleResult, Resolver
from int8rt.verify.unwritten import unwritten_elements
from tests.jit.guarded import GuardedExecutor

Array = npt.NDArray[Any]


EMULATED = os.environ.get("INT8RT_TEST_EMULATED") == "1"
# The kernels of LiteRT that a profile stands for.
RESOLVERS: dict[str, Resolver] = {"tflite-ref": "ref", "tflite-opt": "opt", "xnnpack": "xnnpack"}


@functools.cache
def _chooses_other_kernels(profile: str) -> bool:
    """Whether this processor lacks instructions that those of the profile have."""
    has = binding.get_host_cpu_features()
    return not all(has.get(name, False) for name in get_profile(profile).instructions)


@functools.cache
def oracle() -> Oracle:
    """One child process for the whole test run."""
    child = Oracle(timeout=60)
    atexit.register(child.close)
    return child


class SharedExecutor(GuardedExecutor):
    """A `GuardedExecutor` that calls every kernel for one thread's share after the other, all on this thread."""

    def _runner(self, program: Program) -> Callable[[int, int], None]:
        def run(first: int, last: int) -> None:
            for address, block, _ in program.table[first:last].tolist():
                for share in range(self._threads):
                    _KERNEL(address)(block, share, self._threads)

        return run


_KERNEL = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)


def run_int8rt(
    model: Model, inputs: Sequence[Array], profile: str = "tflite-ref", level: Level | None = None, shares: int = 1
) -> dict[int, Array]:
    """Every tensor that the model's operators write, by index; and its outputs.

    level: None for NumPy, else compiled kernels of that instruction set. shares: the threads that they are made for.
    """
    arguments = model, 0, get_profile(profile), MemoryLimits(), True
    executor = SharedExecutor(*arguments, level=level, threads=shares) if level else SubgraphExecutor(*arguments)
    subgraph = model.subgraphs[0]
    for index, value in zip(subgraph.inputs, inputs, strict=True):
        executor.resize(index, value.shape)
    executor.allocate()
    for index, value in zip(subgraph.inputs, inputs, strict=True):
        executor.set(index, value)
    written: dict[int, Array] = {}
    executor.invoke(lambda _, index, value: written.__setitem__(index, np.array(value)))
    for index in subgraph.outputs:
        written[index] = executor.get(index)
    return written


def assert_same_bits(model: Model, inputs: Sequence[Array], profile: str = "tflite-ref") -> None:
    """Every tensor that an operator writes is equal, in dtype, shape and each element.

    Where the interpreter refuses the model or dies, int8rt must raise an error of its own. profile: a key of
    `RESOLVERS`; other than the reference it may say that it does not compute the operator yet.
    """
    graph = model.subgraphs[0]
    real = any(tensor.type == TensorType.FLOAT32 for tensor in graph.tensors)
    if real and _chooses_other_kernels(profile):
        return
    written = {index for operator in graph.operators for index in operator.outputs}
    read = sorted(index for index in written if graph.tensors[index].type is not TensorType.RESOURCE)
    expected: OracleResult | OracleError
    try:
        expected = oracle().run(write_model(model), inputs, resolver=RESOLVERS[profile], read=read)
    except OracleError as error:
        expected = error
    _assert_one_backend(model, inputs, None, 1, expected, profile)
    if not get_profile(profile).compiled:
        return
    elements = sum(value.size for value in inputs)
    for position, level in enumerate(available_levels(EMULATED)):
        _assert_one_backend(model, inputs, level, 1 + (elements + position) % 3, expected)


def _assert_one_backend(
    model: Model,
    inputs: Sequence[Array],
    level: Level | None,
    shares: int,
    expected: OracleResult | OracleError,
    profile: str = "tflite-ref",
) -> None:
    backend = f"{level.name} in {shares}" if level else "numpy"
    found: dict[int, Array] | Int8rtError
    try:
        found = run_int8rt(model, inputs, profile, level=level, shares=shares)
    except Int8rtError as error:
        found = error
    if isinstance(found, Int8rtError):
        if profile != "tflite-ref" and f"in profile {profile} is not done" in str(found):
            return
        assert isinstance(expected, OracleError), f"LiteRT runs this model, int8rt ({backend}) refuses: {found}"
        return
    assert not isinstance(expected, OracleError), f"int8rt ({backend}) runs this model, LiteRT refuses: {expected}"
    names = [f"{backend}: {index} {tensor.label!r}" for index, tensor in enumerate(model.subgraphs[0].tensors)]
    masks = unwritten_elements(
        model, expected.tensors, reference=profile == "tflite-ref", delegated=profile == "xnnpack"
    )
    outputs = zip(model.subgraphs[0].outputs, expected.outputs, strict=True)
    for index, value in (*expected.tensors.items(), *outputs):
        if index in masks and found[index].shape == value.shape:
            left, right = (np.where(masks[index], 0, array).astype(array.dtype) for array in (found[index], value))
            assert_equal(left, right, names[index])
        else:
            assert_equal(found[index], value, names[index])


def assert_equal(found: Array, expected: Array, name: str) -> None:
    """The same dtype, shape and bits (floats too: NaN equals NaN, -0.0 does not equal 0.0)."""
    assert found.dtype == expected.dtype, f"{name}: dtype {found.dtype}, LiteRT {expected.dtype}"
    assert found.shape == expected.shape, f"{name}: shape {found.shape}, LiteRT {expected.shape}"
    if found.dtype == object:
        assert found.tolist() == expected.tolist(), name
        return
    if found.dtype.kind == "c":
        found, expected = (np.stack([value.real, value.imag], -1) for value in (found, expected))
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
