"""The fields of the blocks that the kernels of AVERAGE_POOL_2D and MAX_POOL_2D read."""

from __future__ import annotations

from typing import Any

from int8rt.kernels.jit.abi import fields
from int8rt.kernels.jit.lowering import At, LowerContext, Scratch, window_values
from int8rt.kernels.pooling import Pool2DParams

# Each kernel finds the taps of its pixels by itself: a function for all of them makes them slower.
POOL = fields(
    "input output scratch scratch_bytes batches out_height out_width height width channels kernel_height kernel_width "
    "stride_height stride_width pad_height pad_width low high offset"
)


def pool_values(params: Pool2DParams, context: LowerContext, scratch: int) -> dict[str, Any]:
    """All fields but low, high and offset; scratch: bytes of working memory for each thread."""
    input, output = context.input(0), context.outputs[0]
    return {
        "input": At(input.index),
        "output": At(output.index),
        "scratch": Scratch(scratch),
        "scratch_bytes": scratch,
        "batches": output.shape[0],
        "channels": output.shape[3],
        **window_values(POOL, params.height, params.width),
    }
