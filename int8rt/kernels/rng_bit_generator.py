"""STABLEHLO_RNG_BIT_GENERATOR: random bits, and the state that the next ones follow from.

initial state: uint64[2] (a key and a counter), for Philox also uint64[3] -> output state: of the same shape, output: T
in the shape that the file gives it, filled with the 32-bit words of one counter after the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, element_count
from int8rt.kernels.counter_random import counters, philox4x32, threefry2x32, words
from int8rt.kernels.signature import signatures
from int8rt.model import TensorType
from int8rt.schema.enums import RngAlgorithm
from int8rt.schema.options import StablehloRngBitGeneratorOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class RngBitGeneratorParams(Params):
    """type: of the output. DEFAULT is Philox."""

    algorithm: RngAlgorithm
    type: TensorType


def prepare(context: OperatorContext) -> RngBitGeneratorParams:
    """Check the size of the state."""
    state, algorithm = context.input(0), context.options(StablehloRngBitGeneratorOptions).algorithm
    sizes = ((2,),) if algorithm == RngAlgorithm.THREEFRY else ((2,), (3,))
    if state.shape not in sizes or context.output(0).shape != state.shape:
        found = list(state.shape), list(context.output(0).shape)
        raise context.invalid(f"the states have the shapes {found}, expected {' or '.join(map(str, sizes))}")
    shapes = (state.shape, context.output(1).shape)
    return RngBitGeneratorParams(output_shapes=shapes, algorithm=algorithm, type=context.output(1).type)


def evaluate(params: RngBitGeneratorParams, initial_state: Array) -> tuple[Array, Array]:
    """The state afterwards, and the bits."""
    shape = params.output_shapes[1]
    assert shape is not None
    state = [int(value) for value in initial_state]
    key0, key1 = words(state[0])
    threefry = params.algorithm == RngAlgorithm.THREEFRY
    width = 2 if threefry else 4
    count = -(-element_count(shape) * params.type.bits // 32 // width)
    first = counters(state[1], count)
    if threefry:
        bits = threefry2x32((key0, key1), first)
    else:
        third, fourth = words(state[-1] if len(state) == 3 else state[0])
        bits = philox4x32((key0, key1), (*first, third, fourth))
    after = np.array([state[0], (state[1] + count) % 2**64, *state[2:]], np.uint64)
    return after, bits.reshape(-1).view(params.type.dtype)[: element_count(shape)].reshape(shape)


STABLEHLO_RNG_BIT_GENERATOR = Kernel(
    name="STABLEHLO_RNG_BIT_GENERATOR",
    signatures=signatures("uint64 -> uint64,T", T=("int32", "uint32", "int64", "uint64")),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/rng_bit_generator.cc, kernels/rng_util.cc",
    max_version=1,
)
