"""The watch over a compiled model's memory sees what it is there to see."""

from __future__ import annotations

import numpy as np
import pytest

from int8rt.memory import MemoryLimits
from int8rt.quantization.profiles import get_profile
from tests.jit.guarded import PATTERN, GuardedExecutor
from tests.jit.models import convolutions


@pytest.fixture
def executor() -> GuardedExecutor:
    executor = GuardedExecutor(convolutions(), 0, get_profile("tflite-ref"), MemoryLimits(), threads=2)
    executor.allocate()
    return executor


def test_nothing_is_written_beside_its_place(executor: GuardedExecutor) -> None:
    executor.invoke()
    executor.invoke()


@pytest.mark.parametrize("offset", [-1, 0])
def test_a_byte_beside_a_tensor(executor: GuardedExecutor, offset: int) -> None:
    assert executor.program is not None
    view = executor.program.views[executor.subgraph.operators[1].outputs[0]].reshape(-1)
    arena = executor._arena
    beside = view.ctypes.data - arena.ctypes.data + (view.nbytes if offset == 0 else -1)
    assert arena[beside] == PATTERN
    arena[beside] = 0
    with pytest.raises(AssertionError, match="1 bytes of the arena between tensors"):
        executor.invoke()


def test_a_byte_beside_working_memory(executor: GuardedExecutor) -> None:
    memory, _, last = executor.store.blocks[-1]
    memory[last] = 0
    with pytest.raises(AssertionError, match="behind block"):
        executor.invoke()


def test_a_constant_that_changes(executor: GuardedExecutor) -> None:
    constant = next(array for array, _ in executor.store.constants if array.size)
    constant.reshape(-1)[0] ^= 1
    with pytest.raises(AssertionError, match="constant "):
        executor.check("here")


def test_memory_that_nobody_wrote_is_no_zeros(executor: GuardedExecutor) -> None:
    assert executor.program is not None
    inner = executor.subgraph.operators[1].outputs[0]
    assert np.all(executor.program.views[inner] == PATTERN)
