"""MUL of 8-bit codes: products of codes without their zero points, then the requantization."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from int8rt.kernels.base import element_count
from int8rt.kernels.jit.abi import SLACK, carray, copy_exactly, fields, kernel, share
from int8rt.kernels.jit.finish import requantize_rows, store_rows
from int8rt.kernels.jit.isa.emitter import I8, I16, I32, I64, Emitter, constant, vector
from int8rt.kernels.jit.isa.levels import BY_NAME
from int8rt.kernels.jit.lowering import At, Data, LowerContext, Lowered, Scratch, clamp, unsigned
from int8rt.kernels.jit.numba_later import intrinsic, types
from int8rt.kernels.jit.panels import pack_words
from int8rt.kernels.jit.tables import broadcast_steps, lower_binary
from int8rt.kernels.mul import MulParams
from int8rt.model import TensorType
from int8rt.quantization import vectorized

MUL = fields(
    "input1 input2 output words low high zero_point1 zero_point2 outer middle inner outer1 middle1 inner1 outer2 "
    "middle2 inner2 scratch scratch_bytes repeats"
)
# A short second input that serves many rows is repeated up to this many bytes, so that rows are worth a call.
_PATTERN_BYTES = 2048
# What 8-bit codes are less this fits 16 bits.
_LARGEST_ZERO_POINT = 1 << 14
_EIGHT_BITS = (TensorType.INT8, TensorType.UINT8)


@intrinsic(prefer_literal=True)
def multiply_codes(
    typing_context: Any, level: Any, variant: Any, one: Any, other: Any, zero_point1: Any, zero_point2: Any, words: Any,
    low: Any, high: Any, target: Any, count: Any,
) -> Any:  # fmt: skip
    """target[i] = requantize((one[i] - zero_point1) · (other[i] - zero_point2)) for i < count, bytes at addresses.

    words: `pack_words` of one vector. Inputs are read in steps of 4 · lanes bytes.
    """
    if not all(isinstance(x, types.Literal) for x in (level, variant)):
        return None
    here, rounding = BY_NAME[level.literal_value], variant.literal_value

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        e = Emitter(builder)
        one, other, zero_point1, zero_point2, words, low, high, target, count = arguments[2:]
        width = 4 * here.lanes
        kind, quads = vector(I8, width), vector(I32, here.lanes)
        zero, sixteen = constant(I8, [0] * width), constant(I32, [16] * here.lanes)
        halves, word = vector(I16, 2 * here.lanes), I64(0xFFFF)
        both = builder.or_(builder.and_(zero_point1, word), builder.shl(zero_point2, I64(16)))
        zero_points = builder.bitcast(e.splat(builder.trunc(both, I32), here.lanes), halves)
        start = e.load(words, quads)
        with e.count(I64(0), count, width) as i:
            x, y = (e.load(builder.add(address, i), kind) for address in (one, other))
            # Each lane holds a code of either input in a half of its own.
            products = []
            for pair in here.interleave(e, [x, zero, y, zero]):
                factors = builder.sub(builder.bitcast(pair, halves), zero_points)
                # One factor's half beside the other's, and 0 beside that.
                opposite = builder.bitcast(builder.lshr(builder.bitcast(factors, quads), sixteen), halves)
                products.append(builder.add(here.pairs(e, factors, opposite), start))
            rows = requantize_rows(e, here, rounding, [products], words, low, high, alike=True)
            store_rows(e, rows, [builder.add(target, i)], builder.sub(count, i))
        return context.get_dummy_value()

    return types.void(level, variant, *[types.int64] * 9), codegen


def lower(params: Any, context: LowerContext) -> Lowered | None:
    """The step of a MUL of 8-bit codes; a table of all pairs where one input is a scalar along the last dimensions."""
    one, other, output = context.input(0), context.input(1), context.outputs[0]
    if not isinstance(params, MulParams) or not {one.type, other.type, output.type} <= set(_EIGHT_BITS):
        return None
    codes = [(one, params.input1_zero_point), (other, params.input2_zero_point)]
    codes.sort(key=lambda pair: -element_count(pair[0].shape))
    one, other = (slot for slot, _ in codes)
    steps = broadcast_steps(one, other, output)
    if steps is None or not (steps["inner1"] and steps["inner2"]):
        return lower_binary(params, context)
    zero_points = [unsigned(slot.type, zero_point) for slot, zero_point in codes]
    bound = max(abs(zero_points[0]), abs(255 - zero_points[0])) * max(abs(zero_points[1]), abs(255 - zero_points[1]))
    requantization = params.requantization
    variant = vectorized.choose(requantization, np.array([bound]))
    if variant is None or max(map(abs, zero_points)) > _LARGEST_ZERO_POINT:
        return lower_binary(params, context)
    constant = np.zeros(1, np.int64)
    words = vectorized.words(variant, requantization, unsigned(output.type, requantization.zero_point), constant)
    shared_rows = steps["middle2"] == 0 and steps["middle1"] == steps["inner"]
    repeats = max(1, min(_PATTERN_BYTES // steps["inner"], steps["middle"])) if shared_rows else 1
    scratch = repeats * steps["inner"] + SLACK if repeats > 1 else 0
    values: dict[str, Any] = {
        "input1": At(one.index),
        "input2": At(other.index),
        "output": At(output.index),
        "words": Data(pack_words(context.level, 1, np.repeat(words, context.level.lanes, axis=1))),
        **clamp(output.type, requantization.activation_min, requantization.activation_max),
        "zero_point1": zero_points[0],
        "zero_point2": zero_points[1],
        "scratch": Scratch(scratch),
        "scratch_bytes": scratch,
        "repeats": repeats,
        **steps,
    }
    compiled = mul_kernel if repeats == 1 else shared_mul_kernel
    return Lowered(compiled(context.level.products, variant), MUL, values)


@cache
def mul_kernel(level: str, variant: str) -> Any:
    """The compiled MUL for a level and a variant of the requantization."""

    @kernel
    def mul(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, MUL)[0]
        rows = p.outer * p.middle
        first, last, begin, end = 0, rows, 0, p.inner
        if rows >= threads:
            first, last = share(rows, thread, threads)
        else:
            begin, end = share(p.inner, thread, threads)
        for row in range(first, last):
            outer, middle = row // p.middle, row % p.middle
            one = p.input1 + outer * p.outer1 + middle * p.middle1 + begin
            other = p.input2 + outer * p.outer2 + middle * p.middle2 + begin
            multiply_codes(
                level, variant, one, other, p.zero_point1, p.zero_point2, p.words, p.low, p.high,
                p.output + row * p.inner + begin, end - begin,
            )  # fmt: skip

    return mul


@cache
def shared_mul_kernel(level: str, variant: str) -> Any:
    """The compiled MUL where a short second input serves many rows: it is repeated, and rows are taken together."""

    @kernel
    def mul_shared(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, MUL)[0]
        pattern, inner = p.scratch + thread * p.scratch_bytes, p.inner
        first, last = share(p.middle, thread, threads)
        for outer in range(p.outer):
            for i in range(p.repeats):
                copy_exactly(pattern + i * inner, p.input2 + outer * p.outer2, inner)
            for row in range(first, last, p.repeats):
                offset = row * inner
                multiply_codes(
                    level, variant, p.input1 + outer * p.outer1 + offset, pattern, p.zero_point1, p.zero_point2,
                    p.words, p.low, p.high, p.output + outer * p.middle * inner + offset,
                    min(p.repeats, last - row) * inner,
                )  # fmt: skip

    return mul_shared
