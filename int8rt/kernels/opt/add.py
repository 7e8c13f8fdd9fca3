"""ADD in the optimized kernels: whole blocks of elements are added with vector instructions, which round otherwise.

int8 and int16 of one shape: blocks of 16, each input rounded once on its way to the common scale, not twice. uint8, and
one element added to many: blocks of 8, that way rounds down at last. Where inputs broadcast, blocks start again with
each run of elements; broadcasts that are not of five loops, and those of int16, are added as the reference kernel does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

import numpy as np

from int8rt.kernels import add
from int8rt.kernels.add import AddParams, ScaledInput, SumParams
from int8rt.kernels.arithmetic import broadcast_operation
from int8rt.kernels.base import Array, OperatorContext, element_count
from int8rt.model import Shape, TensorType
from int8rt.quantization.requantize import requantize
from int8rt.quantization.rounding import Int64Array, wrap_int32
from int8rt.quantization.vector_body import in_blocks, rescale_to_int16, scale_input_down, scale_input_in_one


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorAddParams(AddParams):
    """run: elements of the output after which blocks start again. one_rounding: an input is not rounded twice."""

    block: int
    run: int
    one_rounding: bool


def prepare(context: OperatorContext) -> SumParams:
    """As the reference kernel's, with the blocks where there are any."""
    params = add.prepare(context)
    if not isinstance(params, AddParams):
        return params
    (shape,), type = params.output_shapes, context.output().type
    assert shape is not None
    run, one_element = _run(context.input(0).shape, context.input(1).shape)
    if run == 0 or (type == TensorType.INT16 and (one_element or run != element_count(shape))):
        return params
    vectors_of_8 = type == TensorType.UINT8 or one_element
    return VectorAddParams(
        output_shapes=params.output_shapes,
        input1=params.input1,
        input2=params.input2,
        requantization=params.requantization,
        block=8 if vectors_of_8 else 16,
        run=run,
        one_rounding=not vectors_of_8,
    )


def _run(shape1: Shape, shape2: Shape) -> tuple[int, bool]:
    """(elements of the output that are added in one loop, whether one of the inputs has a single one of them).

    (0, False) for broadcasts that do not fit five loops. Source: TensorFlow Lite
    reference/process_broadcast_shapes.h, ProcessBroadcastShapes, and optimized_ops.h, BinaryBroadcastFiveFold.
    """
    pairs = list(zip_longest(reversed(shape1), reversed(shape2), fillvalue=1))
    first = next((pair for pair in pairs if pair[0] != pair[1]), None)
    if first is not None and first[0] != 1:
        pairs = [(b, a) for a, b in pairs]
    if first is None:
        return element_count(shape1), False
    # From the last dimension on: equal ones, those that the first input repeats, equal, those of the second, equal.
    loops: list[Callable[[int, int], bool]] = [_equal, _first_is_1, _equal, _second_is_1, _equal]
    sizes = []
    for belongs in loops:
        size = 1
        while pairs and belongs(*pairs[0]):
            size *= max(pairs.pop(0))
        sizes.append(size)
    if pairs:
        return 0, False
    return (sizes[0], False) if sizes[0] > 1 else (sizes[1], True)


def _equal(a: int, b: int) -> bool:
    return a == b


def _first_is_1(a: int, b: int) -> bool:
    return a == 1


def _second_is_1(a: int, b: int) -> bool:
    return b == 1


def evaluate(params: SumParams, input1: Array, input2: Array) -> Array:
    """ADD of two arrays."""
    output = add.evaluate(np.add, params, input1, input2)
    if not isinstance(params, VectorAddParams):
        return output
    vector = in_blocks(output.size, params.block, params.run).reshape(output.shape)
    if not np.any(vector):
        return output
    scaled1, scaled2 = _scaled(params, params.input1, input1), _scaled(params, params.input2, input2)
    total = wrap_int32(broadcast_operation(np.add, scaled1, scaled2, np.int64))
    if output.dtype == np.int16:
        return np.where(vector, requantize(total.astype(np.int32), params.requantization), output)
    return np.where(vector, rescale_to_int16(total, params.requantization), output)


def _scaled(params: VectorAddParams, input: ScaledInput, codes: Array) -> Int64Array:
    scale: Any = scale_input_in_one if params.one_rounding else scale_input_down
    result: Int64Array = scale(codes, input.offset, input.multiplier, input.shift, input.left_shift)
    return result


ADD = replace(
    add.ADD, prepare=prepare, evaluate=evaluate, source="kernels/add.cc, optimized/integer_ops/add.h, optimized_ops.h"
)
