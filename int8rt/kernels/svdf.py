"""SVDF: a fully connected layer of low rank over the last steps of its input, kept in a state.

input: [batch, n_input], weights_feature: [filters, n_input], weights_time: [filters, memory], bias: [units] or none,
state: [batch, filters · memory], a variable, output: [batch, units]; filters = units · rank.
Every filter's memory moves on by one step and takes Σ weights_feature · input as its newest element; then the output is
Σ weights_time · memory over the filters of each unit, plus the bias. Types: float32, float32 with integer weights
(the input is quantized, the time weights become float32), or int8 with an int16 state.
Source: TensorFlow Lite kernels/svdf.cc and kernels/internal/reference/svdf.h.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, Updated
from int8rt.kernels.exact_product import ExactProduct
from int8rt.kernels.float32.neon_product import matrix_batch_vector_multiply_accumulate, vector_sums
from int8rt.kernels.hybrid import product
from int8rt.kernels.hybrid.activation import apply_activation_to_vector
from int8rt.kernels.hybrid.scales import hybrid_scales
from int8rt.kernels.signature import signatures
from int8rt.kernels.unary import within_spec
from int8rt.model import ActivationFunctionType, TensorType
from int8rt.quantization.hybrid import batch_quantize_floats
from int8rt.quantization.multiplier import quantize_multiplier
from int8rt.quantization.requantize import multiply_by_quantized_multiplier
from int8rt.quantization.rounding import saturate, wrap_int32
from int8rt.schema.options import SVDFOptions

Float32 = npt.NDArray[np.float32]

INPUT, WEIGHTS_FEATURE, WEIGHTS_TIME, BIAS, STATE = range(5)


@dataclass(frozen=True, slots=True, kw_only=True)
class SvdfParams(Params):
    """units · rank filters, each with a memory of so many steps."""

    batch: int
    units: int
    rank: int
    memory: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatSvdfParams(SvdfParams):
    """scales: of the feature and of the time weights where they are integers, else None."""

    activation: ActivationFunctionType
    scales: tuple[np.float32, np.float32] | None
    asymmetric_quantize_inputs: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegerSvdfParams(SvdfParams):
    """effective_scale_1: (multiplier, shift) from feature sums to the state; _2: from the time sums to the output."""

    input_zero_point: int
    output_zero_point: int
    effective_scale_1: tuple[int, int]
    effective_scale_2: tuple[int, int]


def prepare(context: OperatorContext) -> FloatSvdfParams | IntegerSvdfParams:
    """Check the shapes and derive the multipliers."""
    options, input = context.options(SVDFOptions), context.input(INPUT)
    feature, time = context.input(WEIGHTS_FEATURE), context.input(WEIGHTS_TIME)
    bias, state = context.optional_input(BIAS), context.variable(STATE)
    if input.rank != 2 or feature.rank != 2 or time.rank != 2 or input.shape[1] != feature.shape[1]:
        shapes = ", ".join(str(list(tensor.shape)) for tensor in (input, feature, time))
        expected = "[batch, n], [filters, n], [filters, memory]"
        raise context.invalid(f"input, feature weights and time weights have shapes {shapes}, expected {expected}")
    (batch, _), (filters, memory), rank = input.shape, time.shape, options.rank
    if rank <= 0 or filters % rank or feature.shape[0] != filters or not memory:
        shapes = f"{list(feature.shape)} and {list(time.shape)}"
        raise context.invalid(f"weights {shapes} must have as many rows, a multiple of rank {rank}")
    if state.shape != (batch, memory * filters):
        raise context.invalid(
            f"state {state.name!r} has shape {list(state.shape)}, expected {[batch, memory * filters]}"
        )
    units = filters // rank
    if bias is not None and bias.shape != (units,):
        raise context.invalid(f"bias {bias.name!r} has shape {list(bias.shape)}, expected {[units]}")
    if input.type == TensorType.INT8:
        return _prepare_integer(context, batch, units, memory)
    hybrid = feature.type != TensorType.FLOAT32
    if hybrid and (feature.value is None or time.value is None):
        # TensorFlow Lite keeps what it derives from the weights of the first run.
        raise context.unsupported("integer weights that are not constant")
    return FloatSvdfParams(
        output_shapes=((batch, units),),
        batch=batch,
        units=units,
        rank=rank,
        memory=memory,
        activation=options.fused_activation_function,
        scales=(hybrid_scales(context, feature, 0).filter, hybrid_scales(context, time, 0).filter) if hybrid else None,
        asymmetric_quantize_inputs=options.asymmetric_quantize_inputs,
    )


def _prepare_integer(context: OperatorContext, batch: int, units: int, memory: int) -> IntegerSvdfParams:
    options = context.options(SVDFOptions)
    if options.fused_activation_function != ActivationFunctionType.RELU:
        raise context.invalid(f"in integers takes RELU only, found {options.fused_activation_function.name}")

    real = np.float64 if context.profile.float64_ratios else np.float32

    def scale(index: int) -> np.floating[Any]:
        return real(context.per_tensor(context.input(index))[0])

    output_scale, output_zero_point = context.per_tensor(context.output())
    with np.errstate(all="ignore"):
        scale_1 = scale(INPUT) * scale(WEIGHTS_FEATURE) / scale(STATE)
        scale_2 = scale(STATE) * scale(WEIGHTS_TIME) / real(output_scale)
    return IntegerSvdfParams(
        output_shapes=((batch, units),),
        batch=batch,
        units=units,
        rank=options.rank,
        memory=memory,
        input_zero_point=context.per_tensor(context.input(INPUT))[1],
        output_zero_point=output_zero_point,
        effective_scale_1=within_spec(context, quantize_multiplier, float(scale_1)),
        effective_scale_2=within_spec(context, quantize_multiplier, float(scale_2)),
    )


def evaluate(
    params: FloatSvdfParams | IntegerSvdfParams,
    input: Array,
    weights_feature: Array,
    weights_time: Array,
    bias: Array | None,
    state: Array,
) -> Updated:
    """One step."""
    memories = np.empty((params.batch, params.units * params.rank, params.memory), state.dtype)
    memories[:, :, :-1] = state.reshape(memories.shape)[:, :, 1:]
    if isinstance(params, IntegerSvdfParams):
        output = _integer_step(params, input, weights_feature, weights_time, bias, memories)
    else:
        output = _float_step(params, input, weights_feature, weights_time, bias, memories)
    return Updated((output,), {STATE: memories.reshape(state.shape)})


def _integer_step(
    params: IntegerSvdfParams, input: Array, feature: Array, time: Array, bias: Array | None, memories: Array
) -> Array:
    sums = ExactProduct(feature, product.LARGEST_CODE)(input, params.batch).astype(np.int64)
    sums -= params.input_zero_point * feature.sum(axis=1, dtype=np.int64)
    newest = multiply_by_quantized_multiplier(wrap_int32(sums), *params.effective_scale_1)
    memories[:, :, -1] = saturate(newest, np.int16)
    # int64 holds the sum of as many products as memory holds; TensorFlow Lite's int32 wraps around.
    total = np.einsum("bfm,fm->bf", memories, time, dtype=np.int64).reshape(params.batch, params.units, params.rank)
    accumulators = wrap_int32(total.sum(axis=2) + (0 if bias is None else bias))
    output = multiply_by_quantized_multiplier(accumulators, *params.effective_scale_2)
    return saturate(wrap_int32(output + params.output_zero_point), np.int8)


def _float_step(
    params: FloatSvdfParams, input: Array, feature: Array, time: Array, bias: Array | None, memories: Array
) -> Array:
    newest = np.zeros(memories.shape[:2], np.float32)
    with np.errstate(all="ignore"):
        if params.scales is None:
            matrix_batch_vector_multiply_accumulate(newest, feature, input)
        else:
            feature_scale, time_scale = params.scales
            time = time.view(np.int8).astype(np.float32) * time_scale
            if np.any(input):
                rows = batch_quantize_floats(input, params.asymmetric_quantize_inputs)
                scale = rows.scale * feature_scale
                product.matrix_batch_vector_multiply_accumulate(
                    newest, feature.view(np.int8), rows.codes, scale, rows.zero_point
                )
        memories[:, :, -1] = newest
        filters = vector_sums(memories * time)
        output = vector_sums(filters.reshape(params.batch, params.units, params.rank))
        if bias is not None:
            output = output + bias
        return apply_activation_to_vector(output, params.activation)


SVDF = Kernel(
    name="SVDF",
    signatures=signatures(
        "int8, int8,int16, int32?, int16 -> int8",
        "float32, T,T, float32?, float32 -> float32",
        T=("float32", "int8", "uint8"),
    ),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/svdf.cc, internal/reference/svdf.h",
    max_version=4,
    pure=False,
)
