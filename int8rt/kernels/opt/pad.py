"""PADV2 in the optimized kernels: a border of -0.0 becomes 0.0, because memory is cleared for all that equals zero.

Not that of an image of float16 or bfloat16 (rank 4, constant paddings of height and width alone), which the reference
kernel does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from int8rt.kernels import pad
from int8rt.kernels.base import Array, OperatorContext
from int8rt.kernels.pad import PadParams
from int8rt.model import TensorType

_REAL = (TensorType.FLOAT32, TensorType.FLOAT16, TensorType.BFLOAT16)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearedPadParams(PadParams):
    """minus_zero: the bits of -0.0, which are cleared."""

    minus_zero: int


def prepare(context: OperatorContext) -> PadParams:
    """As the reference kernel's."""
    params, type = pad.prepare(context), context.input(0).type
    if type not in _REAL or (type != TensorType.FLOAT32 and _of_an_image(context)):
        return params
    return ClearedPadParams(
        output_shapes=params.output_shapes,
        left_padding=params.left_padding,
        pad_value=params.pad_value,
        minus_zero=1 << (type.bits - 1),
    )


def _of_an_image(context: OperatorContext) -> bool:
    """Whether the paddings are constants of the file, and leave the first and last dimension as they are."""
    paddings, graph = context.input(1), context.subgraph
    if graph is not None and not graph.tensors[paddings.index].buffer:
        return False
    return paddings.shape == (4, 2) and not np.any(context.value(1)[[0, 3]])


def evaluate(params: PadParams, input: Array, paddings: Array, constant: Array | None = None) -> Array:
    """The input inside its border."""
    if isinstance(params, ClearedPadParams) and constant is not None:
        bits = constant.view(f"u{constant.dtype.itemsize}")
        constant = np.where(bits == params.minus_zero, 0, bits).astype(bits.dtype).view(constant.dtype)
    return pad.evaluate(params, input, paddings, constant)


PADV2 = replace(pad.PADV2, prepare=prepare, evaluate=evaluate, source="kernels/pad.cc, optimized/optimized_ops.h")
