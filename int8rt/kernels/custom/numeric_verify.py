"""NumericVerify: how far codes are from the real numbers that they should stand for, as debug models of TensorFlow ask.

input: T[..], reference: float32 with as many elements; output: float32[..] = real number of the code - reference. With
`log_if_failed` and a `tolerance` of at least 0.1 it is an error where the difference exceeds tolerance · scale.
(Of a constant input TensorFlow Lite computes the output in the first run and keeps it; here it follows the reference.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.errors import EvaluationError
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, element_count
from int8rt.kernels.custom.options import CustomOptions
from int8rt.kernels.dequantize import DEQUANTIZE
from int8rt.kernels.layout import scale_and_zero_point
from int8rt.kernels.opt import quantize as optimized
from int8rt.kernels.signature import signatures
from int8rt.model import TensorType


@dataclass(frozen=True, slots=True, kw_only=True)
class NumericVerifyParams(Params):
    """dequantize: of DEQUANTIZE. most: the difference that is allowed, None where any is."""

    dequantize: Params
    most: np.float32 | None


def prepare(context: OperatorContext) -> NumericVerifyParams:
    """Check the shapes and read the options."""
    options = CustomOptions(context)
    input, reference = context.input(0), context.input(1)
    if element_count(input.shape) != element_count(reference.shape):
        raise context.invalid(f"input {list(input.shape)} and reference {list(reference.shape)} do not fit")
    tolerance, most = options.real("tolerance"), None
    if options.boolean("log_if_failed") and tolerance >= 0.1:
        scale = 0.0 if input.type == TensorType.FLOAT16 else scale_and_zero_point(input)[0]
        most = np.float32(tolerance) * np.float32(scale)
    kernel = optimized.DEQUANTIZE if context.profile.name in ("tflite-opt", "xnnpack") else DEQUANTIZE
    return NumericVerifyParams(output_shapes=(input.shape,), dequantize=kernel.prepare(context), most=most)


def evaluate(params: NumericVerifyParams, input: Array, reference: Array) -> Array:
    """The differences; `EvaluationError` where one is too large."""
    with np.errstate(all="ignore"):
        difference = optimized.evaluate_dequantize(params.dequantize, input) - reference.reshape(input.shape)
        if params.most is not None and np.any(np.abs(difference) > params.most):
            raise EvaluationError(f"a code is further than {params.most:g} from its reference")
    return np.asarray(difference)


NUMERIC_VERIFY = Kernel(
    name="CUSTOM:NumericVerify",
    signatures=signatures("int8|uint8|int16|float16,float32 -> float32"),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/numeric_verify.cc",
    max_version=1,
)
