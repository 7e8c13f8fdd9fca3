"""DEQUANTIZE: codes to the real numbers that they stand for, (code - zero_point) · scale in float32.

Per tensor, or with parameters for each index of an axis (8-bit and narrower). float16 is only widened.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from int8rt.kernels.arithmetic import all_codes
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.layout import check_int16_zero_point
from int8rt.kernels.quantize import axis_parameters
from int8rt.kernels.signature import signatures
from int8rt.model import TensorType
from int8rt.quantization.affine import dequantize
from int8rt.quantization.lookup_table import lookup


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DequantizeParams(Params):
    """scale, zero_point: in a shape that broadcasts against the input. table: float32 for each 8-bit code, or None."""

    scale: npt.NDArray[np.float32]
    zero_point: npt.NDArray[np.int64]
    table: npt.NDArray[np.float32] | None


def prepare(context: OperatorContext) -> DequantizeParams | Params:
    """Check the quantization parameters of a DEQUANTIZE."""
    input = context.input(0)
    if input.type == TensorType.FLOAT16:
        return Params(output_shapes=(input.shape,))
    if input.quantization is not None and input.quantization.blockwise is not None:
        # A defect of BUILTIN_REF, which is kept: it does not know scales of blocks, and takes them for 0.
        scale, zero_point = np.zeros((), np.float32), np.zeros((), np.int64)
    else:
        scale, zero_point = axis_parameters(context, input, input.shape)
    if input.type == TensorType.INT16:
        check_int16_zero_point(context, input)
        if scale.size > 1:
            raise context.unsupported(f"int16 tensor {input.name!r} has {scale.size} scales, only one is supported")
    narrow = scale.size == 1 and input.type.dtype.itemsize == 1
    table = dequantize(all_codes(input.type), scale, zero_point) if narrow else None
    return DequantizeParams(output_shapes=(input.shape,), scale=scale, zero_point=zero_point, table=table)


def evaluate(params: DequantizeParams | Params, input: Array) -> Array:
    """The real numbers, float32."""
    if not isinstance(params, DequantizeParams):
        return input.astype(np.float32)
    return dequantize(input, params.scale, params.zero_point) if params.table is None else lookup(input, params.table)


DEQUANTIZE = Kernel(
    name="DEQUANTIZE",
    signatures=signatures("int8|uint8|int16|int4|uint4|int2|float16 -> float32"),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/dequantize.cc, reference/dequantize.h",
    max_version=9,
)
