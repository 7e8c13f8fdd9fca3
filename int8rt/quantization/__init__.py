"""The quantization specification in code, and the only place where rounding is written.

Everything here works on plain integers and NumPy arrays, without a model. The modules, from the ground up:

rounding, rounding_int16, division, bfloat16    the primitives on 32-bit and 16-bit words, and on floats
multiplier, effective_scales    real multipliers from scales, and their fixed-point form
requantization, requantize, rescale    accumulators to outputs; one function for each way of rounding
activation_range, affine, safe_cast    fused activations as clamps; real numbers to codes and back
fixed_point, reciprocal    exp, logistic, tanh, 1/x, 1/sqrt(x) and log in integers
lookup_table, sigmoid_table, libm    functions as tables over the codes
softmax_scaling, lstm, lstm_float    the fixed-point scaling of SOFTMAX and LOG_SOFTMAX; the gates of integer LSTMs
hybrid, eigen*    float activations quantized while running; functions of float32 as Eigen approximates them
profiles    which rounding each operator of a runtime uses
vector_body, float_softmax, single_rounding, micro, tosa, xnnpack*    what other profiles compute otherwise
dialects    what `int8rt identify` tries besides
from_ranges, fake_quant, fake_quantizers    scales from ranges of real numbers; the quantization that training simulates

float64_rescale, vectorized, vector_quantize and jitted* compute the same as these definitions more quickly.
"""

from __future__ import annotations

from int8rt.quantization.activation_range import calculate_activation_range
from int8rt.quantization.affine import dequantize, quantize
from int8rt.quantization.effective_scales import (
    float32_product_ratio,
    float32_quotient_ratio,
    float32_scale_ratio,
    scale_ratio,
    sum_multipliers,
)
from int8rt.quantization.fixed_point import INT16, INT32, Word, exp_on_negative_values, logistic, tanh
from int8rt.quantization.lookup_table import (
    lookup,
    lookup_int16,
    populate_lookup_table,
    populate_lookup_table_int16,
)
from int8rt.quantization.multiplier import (
    convolution_multipliers,
    float32_product_multiplier,
    quantize_multiplier,
    quantize_multiplier_greater_than_one,
    quantize_multiplier_smaller_than_one,
    quantize_multipliers,
)
from int8rt.quantization.profiles import PROFILES, TFLITE_REF, Profile, get_profile
from int8rt.quantization.reciprocal import (
    get_inv_sqrt_quantized_multiplier_exp,
    get_reciprocal,
    log_x_for_x_greater_than_or_equal_to_1,
)
from int8rt.quantization.requantize import (
    Requantization,
    Rounding,
    multiply_by_quantized_multiplier,
    multiply_by_quantized_multiplier_int64,
    multiply_by_real_multiplier,
    requantize,
)
from int8rt.quantization.rescale import (
    multiply_by_float32_multiplier,
    multiply_by_quantized_multiplier_single_rounding,
    multiply_by_quantized_multiplier_ties_up,
)
from int8rt.quantization.rounding import (
    round_half_away,
    rounding_divide_by_pot,
    saturate,
    saturating_rounding_doubling_high_mul,
    saturating_rounding_multiply_by_pot,
)
from int8rt.quantization.softmax_scaling import (
    calculate_input_radius,
    preprocess_log_softmax_scaling_exp,
    preprocess_softmax_scaling,
)

__all__ = [
    "INT16",
    "INT32",
    "PROFILES",
    "TFLITE_REF",
    "Profile",
    "Requantization",
    "Rounding",
    "Word",
    "calculate_activation_range",
    "calculate_input_radius",
    "convolution_multipliers",
    "dequantize",
    "exp_on_negative_values",
    "float32_product_multiplier",
    "float32_product_ratio",
    "float32_quotient_ratio",
    "float32_scale_ratio",
    "get_inv_sqrt_quantized_multiplier_exp",
    "get_profile",
    "get_reciprocal",
    "log_x_for_x_greater_than_or_equal_to_1",
    "logistic",
    "lookup",
    "lookup_int16",
    "multiply_by_float32_multiplier",
    "multiply_by_quantized_multiplier",
    "multiply_by_quantized_multiplier_int64",
    "multiply_by_quantized_multiplier_single_rounding",
    "multiply_by_quantized_multiplier_ties_up",
    "multiply_by_real_multiplier",
    "populate_lookup_table",
    "populate_lookup_table_int16",
    "preprocess_log_softmax_scaling_exp",
    "preprocess_softmax_scaling",
    "quantize",
    "quantize_multiplier",
    "quantize_multiplier_greater_than_one",
    "quantize_multiplier_smaller_than_one",
    "quantize_multipliers",
    "requantize",
    "round_half_away",
    "rounding_divide_by_pot",
    "saturate",
    "saturating_rounding_doubling_high_mul",
    "saturating_rounding_multiply_by_pot",
    "scale_ratio",
    "sum_multipliers",
    "tanh",
]
