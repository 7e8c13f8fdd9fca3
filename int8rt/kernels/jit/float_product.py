"""Rows of float32 times packed weights, every sum from the first term to the last; then the bias and the clamp.

Weights lie in panels of `vectors` · lanes output channels, a row of the panel for each term. A product is rounded
before it is added: multiplication and addition are separate instructions, which LLVM does not fuse.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir

from int8rt.kernels.jit.isa.emitter import F32, I32, I64, Emitter, constant, vector
from int8rt.kernels.jit.isa.levels import BY_NAME, Level
from int8rt.kernels.jit.numba_later import intrinsic, types
from int8rt.kernels.jit.sums import padded_channels, panel_vectors

Float32 = npt.NDArray[np.float32]

# The fields that `float_rows` reads; they come first in the block of every kernel that calls it.
PRODUCT = ("weights", "bias", "bounds", "depth", "panels", "panel_bytes", "outputs")
_BYTES = 4


def pack_product(level: Level, weights: Float32, bias: Float32 | None, low: float, high: float) -> dict[str, Any]:
    """The arrays and numbers of PRODUCT for weights [O,K]; arrays are yet to be made `Data`."""
    outputs, depth = weights.shape
    width = panel_vectors(level, outputs) * level.lanes
    padded = np.zeros((padded_channels(level, outputs), depth), np.float32)
    padded[:outputs] = weights
    constants = np.zeros(len(padded), np.float32)
    if bias is not None:
        constants[:outputs] = bias.reshape(-1)
    return {
        "weights": np.ascontiguousarray(padded.reshape(-1, width, depth).transpose(0, 2, 1)),
        "bias": constants,
        "bounds": np.array([low, high], np.float32),
        "depth": depth,
        "panels": len(padded) // width,
        "panel_bytes": _BYTES * width * depth,
        "outputs": outputs,
    }


@intrinsic(prefer_literal=True)
def float_rows(
    typing_context: Any, level: Any, vectors: Any, block: Any, a: Any, a_stride: Any, rows: Any, out: Any,
    first_panel: Any, last_panel: Any,
) -> Any:  # fmt: skip
    """out[r, c] = clamp(Σ a[r, k] · weights[c, k] + bias[c]) for r < rows and the channels of some panels.

    level, vectors: literals. block: the kernel's block, which begins with PRODUCT. a, out: addresses of rows of
    float32, those of `a` a_stride bytes apart, those of `out` without a gap.
    """
    if not all(isinstance(x, types.Literal) for x in (level, vectors)):
        return None
    here, across = BY_NAME[level.literal_value], int(vectors.literal_value)

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        e, (block, *places) = Emitter(builder), arguments[2:]
        field = {name: e.load(block, I64, 8 * i) for i, name in enumerate(PRODUCT)}
        _emit(e, here, across, field, *places)
        return context.get_dummy_value()

    return types.void(level, vectors, *[types.int64] * 7), codegen


def _emit(
    e: Emitter, level: Level, vectors: int, field: dict[str, Any], a: Any, a_stride: Any, rows: Any, out: Any,
    first_panel: Any, last_panel: Any,
) -> None:  # fmt: skip
    width, row_bytes = level.lanes * vectors, e.b.mul(field["outputs"], I64(_BYTES))
    heights = sorted({level.rows[vectors], 2, 1}, reverse=True)
    with e.count(first_panel, last_panel) as panel:
        channel = e.b.mul(panel, I64(width))
        weights = e.b.add(field["weights"], e.b.mul(panel, field["panel_bytes"]))
        bias = e.b.add(field["bias"], e.b.mul(channel, I64(_BYTES)))
        target = e.b.add(out, e.b.mul(channel, I64(_BYTES)))
        left = e.b.sub(field["outputs"], channel)
        first: Any = I64(0)
        for height in heights:
            end = e.b.sub(rows, e.b.srem(rows, I64(height)))
            with e.count(first, end, height) as row:
                source, place = (e.b.add(x, e.b.mul(row, y)) for x, y in ((a, a_stride), (target, row_bytes)))
                sums = _sums(e, level, vectors, height, source, a_stride, weights, field["depth"])
                _finish(e, level, sums, bias, field["bounds"], place, row_bytes, left)
            first = end


def _sums(
    e: Emitter, level: Level, vectors: int, height: int, a: Any, a_stride: Any, weights: Any, depth: Any
) -> list[list[Any]]:
    """A few rows times one panel, with every sum in a register."""
    kind, step = vector(F32, level.lanes), _BYTES * level.lanes
    starts = [a]
    for _ in range(height - 1):
        starts.append(e.b.add(starts[-1], a_stride))
    before, body, after = e.b.block, e.b.append_basic_block("terms"), e.b.append_basic_block("terms.end")
    e.b.branch(body)
    e.b.position_at_end(body)
    k = e.b.phi(I64)
    k.add_incoming(I64(0), before)
    carried = [[e.b.phi(kind) for _ in range(vectors)] for _ in range(height)]
    position, offset = e.b.add(weights, e.b.mul(k, I64(step * vectors))), e.b.mul(k, I64(_BYTES))
    columns = [e.load(position, kind, step * v) for v in range(vectors)]
    following = e.b.add(k, I64(1))
    sums: list[list[Any]] = [[] for _ in range(height)]
    for start, row, new in zip(starts, carried, sums, strict=True):
        x = e.splat(e.load(e.b.add(start, offset), F32), level.lanes)
        for phi, column in zip(row, columns, strict=True):
            new.append(e.b.fadd(phi, e.b.fmul(x, column)))
            phi.add_incoming(ir.Constant(kind, [0.0] * level.lanes), before)
            phi.add_incoming(new[-1], body)
    k.add_incoming(following, body)
    e.b.cbranch(e.b.icmp_signed("<", following, depth), body, after)
    e.b.position_at_end(after)
    return sums


def _finish(
    e: Emitter, level: Level, sums: list[list[Any]], bias: Any, bounds: Any, out: Any, row_bytes: Any, left: Any
) -> None:
    """Add the bias and clamp; write what belongs to the `left` channels from here on."""
    kind, step = vector(F32, level.lanes), _BYTES * level.lanes
    for row in sums:
        for v, total in enumerate(row):
            value = finish_float(e, level, e.b.fadd(total, e.load(bias, kind, step * v)), bounds)
            store_lanes(e, level, value, e.b.add(out, I64(step * v)), e.b.sub(left, I64(v * level.lanes)))
        out = e.b.add(out, row_bytes)


def finish_float(e: Emitter, level: Level, value: Any, bounds: Any) -> Any:
    """`arithmetic.clamp`: NaN stays what it is. bounds: address of the lower and the upper one."""
    low, high = (e.splat(e.load(bounds, F32, _BYTES * i), level.lanes) for i in (0, 1))
    value = e.b.select(e.b.fcmp_ordered("<", value, low), low, value)
    return e.b.select(e.b.fcmp_ordered(">", value, high), high, value)


def store_lanes(e: Emitter, level: Level, value: Any, address: Any, left: Any) -> None:
    """Write the first `left` lanes, or all where there are fewer; no other memory is touched."""
    lanes = level.lanes
    most = e.b.select(e.b.icmp_signed("<", left, I64(lanes)), left, I64(lanes))
    mask = e.b.icmp_signed("<", constant(I32, range(lanes)), e.splat(e.b.trunc(most, I32), lanes))
    pointer = e.b.inttoptr(address, value.type.as_pointer())
    e.intrinsic(f"llvm.masked.store.v{lanes}f32.p0", ir.VoidType(), [value, pointer, I32(_BYTES), mask])
