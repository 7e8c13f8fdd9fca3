"""Operators that take bfloat16 too, and compute it in float32."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.signature import signatures
from int8rt.model import TensorType
from int8rt.quantization.bfloat16 import bfloat16_to_float32, float32_to_bfloat16


@dataclass(frozen=True, slots=True, kw_only=True)
class BFloat16Params(Params):
    """plain: the parameters as if the tensors were float32."""

    plain: Params


def with_bfloat16(kernel: Kernel, picked: Callable[..., Array] | None = None) -> Kernel:
    """`kernel` that takes bfloat16 as well: widened, computed as float32, and rounded once.

    picked: what gives the bits of the result instead, from those of the inputs.
    """
    inputs = ",".join(["bfloat16"] * len(kernel.signatures[0].inputs))

    def prepare(context: OperatorContext) -> Params:
        if context.input(0).type != TensorType.BFLOAT16:
            return kernel.prepare(context)
        if picked is None and not context.profile.name.startswith("tflite-ref"):
            raise context.unsupported(f"bfloat16 in profile {context.profile.name} is not done")
        wide = [tensor and replace(tensor, type=TensorType.FLOAT32) for tensor in context.inputs]
        outputs = tuple(replace(tensor, type=TensorType.FLOAT32) for tensor in context.outputs)
        plain = kernel.prepare(replace(context, inputs=tuple(wide), outputs=outputs))
        return BFloat16Params(output_shapes=plain.output_shapes, plain=plain)

    def evaluate(params: Params, *inputs: Array) -> Array:
        if not isinstance(params, BFloat16Params):
            return np.asarray(kernel.evaluate(params, *inputs))
        if picked is not None:
            return picked(*inputs)
        wide = [bfloat16_to_float32(value) for value in inputs]
        return float32_to_bfloat16(np.asarray(kernel.evaluate(params.plain, *wide), np.float32))

    more = signatures(f"{inputs} -> bfloat16")
    return replace(kernel, signatures=(*kernel.signatures, *more), prepare=prepare, evaluate=evaluate)
