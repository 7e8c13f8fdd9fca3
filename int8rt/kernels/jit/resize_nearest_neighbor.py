"""RESIZE_NEAREST_NEIGHBOR: chosen pixels copied, and rows copied again where the same input row comes again."""

from __future__ import annotations

from functools import cache
from typing import Any

from int8rt.kernels.jit.abi import carray, copy_exactly, fields, kernel, load_i64, share
from int8rt.kernels.jit.copies import copy_run
from int8rt.kernels.jit.lowering import At, Data, LowerContext, Lowered
from int8rt.kernels.resize_nearest_neighbor import ResizeNearestNeighborParams

NEAREST = fields("input output rows columns lines out_height out_width height width pixel")


def lower(params: ResizeNearestNeighborParams, context: LowerContext) -> Lowered:
    """The step of a RESIZE_NEAREST_NEIGHBOR."""
    input, output = context.input(0), context.outputs[0]
    batches, height, width, channels = output.shape
    values: dict[str, Any] = {
        "input": At(input.index),
        "output": At(output.index),
        "rows": Data(params.rows),
        "columns": Data(params.columns),
        "lines": batches * height,
        "out_height": height,
        "out_width": width,
        "height": input.shape[1],
        "width": input.shape[2],
        "pixel": channels * input.type.dtype.itemsize,
    }
    return Lowered(nearest_kernel(), NEAREST, values)


@cache
def nearest_kernel() -> Any:
    """The compiled RESIZE_NEAREST_NEIGHBOR."""

    @kernel
    def resize_nearest_neighbor(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, NEAREST)[0]
        columns, pixel, line = p.columns, p.pixel, p.out_width * p.pixel
        first, last = share(p.lines, thread, threads)
        previous = -1
        for i in range(first, last):
            row = i // p.out_height * p.height + load_i64(p.rows, i % p.out_height)
            source, target = p.input + row * p.width * pixel, p.output + i * line
            if row == previous:
                copy_exactly(target, target - line, line)
            else:
                for x in range(p.out_width):
                    copy_run(target + x * pixel, source + load_i64(columns, x) * pixel, pixel)
            previous = row

    return resize_nearest_neighbor
