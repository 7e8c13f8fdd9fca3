"""QUANTIZE to 8-bit codes and DEQUANTIZE from them as vector code, where one scale serves the whole tensor."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from int8rt.kernels.base import element_count
from int8rt.kernels.dequantize import DequantizeParams
from int8rt.kernels.jit.abi import carray, fields, kernel, load_f32, load_u8, share, store_f32
from int8rt.kernels.jit.finish import store_rows
from int8rt.kernels.jit.isa.emitter import F32, I32, I64, Emitter, vector
from int8rt.kernels.jit.isa.levels import BY_NAME, Level
from int8rt.kernels.jit.lowering import At, Data, LowerContext, Lowered, unsigned
from int8rt.kernels.jit.numba_later import intrinsic, types
from int8rt.kernels.jit.tables import EIGHT_BITS, all_codes
from int8rt.kernels.quantize import QuantizeParams
from int8rt.quantization import vector_quantize
from int8rt.quantization.affine import dequantize

QUANTIZE = fields("input output scale zero_point offset count")
DEQUANTIZE = fields("input output scale zero_point count")
_VECTORS = 4


def lower_quantize(params: QuantizeParams, context: LowerContext) -> Lowered | None:
    """The step of a QUANTIZE to all codes of int8 or uint8 per tensor; None for other types."""
    input, output = context.input(0), context.outputs[0]
    info = np.iinfo(params.dtype)
    if output.type not in EIGHT_BITS or params.scale.size != 1 or (params.low, params.high) != (info.min, info.max):
        return None
    scale = params.scale.reshape(1)
    values = {
        "input": At(input.index),
        "output": At(output.index),
        "scale": Data(vector_quantize.factors(scale)),
        "zero_point": int(params.zero_point.reshape(())),
        "offset": unsigned(output.type, 0),
        "count": element_count(output.shape),
    }
    exact = vector_quantize.multiplies(context.level, float(scale[0]))
    return Lowered(quantize_kernel(context.level.products, int(exact)), QUANTIZE, values)


def lower_dequantize(params: Any, context: LowerContext) -> Lowered | None:
    """The step of a DEQUANTIZE from int8 or uint8 per tensor whose products have the bits of float32's own."""
    input, output = context.input(0), context.outputs[0]
    if not isinstance(params, DequantizeParams) or params.table is None or input.type not in EIGHT_BITS:
        return None
    scale, zero_point = params.scale.reshape(1), int(params.zero_point.reshape(()))
    codes = all_codes(input.type)
    expected = dequantize(codes, scale, zero_point)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        found = (codes.astype(np.int32) - zero_point).astype(np.float32) * scale
    if found.tobytes() != expected.tobytes():
        return None
    values = {
        "input": At(input.index),
        "output": At(output.index),
        "scale": Data(scale),
        "zero_point": unsigned(input.type, zero_point),
        "count": element_count(output.shape),
    }
    return Lowered(dequantize_kernel(), DEQUANTIZE, values)


@intrinsic(prefer_literal=True)
def quantize_bytes(
    typing_context: Any, level: Any, exact: Any, source: Any, scale: Any, zero_point: Any, offset: Any, target: Any,
    count: Any,
) -> Any:  # fmt: skip
    """target[i] = the code of source[i] as it lies in the arena, for i < count float32 numbers.

    level, exact: literals; exact: whether `vector_quantize.multiplies` says so. scale: address of its `factors`.
    offset: 128 for int8 codes, 0 for uint8. Less than 64 bytes beyond the source are read.
    """
    if not all(isinstance(x, types.Literal) for x in (level, exact)):
        return None
    here, multiplies = BY_NAME[level.literal_value], bool(exact.literal_value)
    lanes = here.lanes

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        e = Emitter(builder)
        source, scale, zero_point, offset, target, count = arguments[2:]
        prepared = vector_quantize.prepare(e, lanes, scale)
        ends = builder.sub(I64(0), offset), builder.sub(I64(255), offset)
        zero, up, low, high = (e.splat(builder.trunc(value, I32), lanes) for value in (zero_point, offset, *ends))

        def block(vectors: int, i: Any) -> None:
            codes: list[Any] = []
            for v in range(vectors):
                real = e.load(builder.add(source, builder.shl(i, I64(2))), vector(F32, lanes), 4 * lanes * v)
                code = builder.add(vector_quantize.emit(e, here, real, prepared, multiplies), zero)
                codes.append(builder.add(e.minimum(e.maximum(code, low), high), up))
            rows = [_in_order(e, here, codes)]
            store_rows(e, rows, [builder.add(target, i)], builder.sub(count, i))

        whole = builder.and_(count, I64(-_VECTORS * lanes))
        with e.count(I64(0), whole, _VECTORS * lanes) as i:
            block(_VECTORS, i)
        with e.count(whole, count, lanes) as i:
            block(1, i)
        return context.get_dummy_value()

    return types.void(level, exact, *[types.int64] * 6), codegen


def _in_order(e: Emitter, level: Level, codes: list[Any]) -> Any:
    """The bytes of vectors of neighbouring codes, in their order."""
    narrow = level.narrow(e, codes)
    return e.shuffle(narrow, narrow, level.channels(len(codes)).reshape(-1).tolist())


@cache
def quantize_kernel(level: str, exact: int) -> Any:
    """The compiled QUANTIZE."""

    @kernel
    def quantize_codes(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, QUANTIZE)[0]
        first, last = share(p.count, thread, threads)
        quantize_bytes(
            level, exact, p.input + 4 * first, p.scale, p.zero_point, p.offset, p.output + first, last - first
        )

    return quantize_codes


@cache
def dequantize_kernel() -> Any:
    """The compiled DEQUANTIZE."""

    @kernel
    def dequantize_codes(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, DEQUANTIZE)[0]
        source, target, scale, zero_point = p.input, p.output, load_f32(p.scale, 0), np.int32(p.zero_point)
        first, last = share(p.count, thread, threads)
        for i in range(first, last):
            steps = np.int32(np.int32(load_u8(source, i)) - zero_point)
            store_f32(target, i, np.float32(steps) * scale)

    return dequantize_codes
