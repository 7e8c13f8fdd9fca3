"""Rules on the weights and biases of CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED and TRANSPOSE_CONV."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from int8rt.kernels.base import Array
from int8rt.lint.rule import Found, Operand, OperatorView, Severity, number, operator_rule
from int8rt.lint.specification import BIAS_TYPES, SIGNED_WEIGHTS, WEIGHT_TYPES, WEIGHTED
from int8rt.model import TensorType

# The bias's scale is a product that converters round to float32, or not.
_BIAS_SCALE_TOLERANCE = 1e-5
_INT32 = np.iinfo(np.int32)


def weights_fit_activations(view: OperatorView) -> Iterator[Found]:
    """Weights are int8 for int8 and int16 activations, uint8 for uint8 activations.

    LiteRT also takes packed int4 and int2 weights for int8, which the specification does not mention.
    """
    source, filter = _source(view), _filter(view)
    if source is None or filter is None:
        return
    accepted = WEIGHT_TYPES.get(source.tensor.type)
    if accepted is not None and filter.tensor.type not in accepted:
        labels = " or ".join(type.label for type in accepted)
        yield Found(filter, filter.tensor.type.label, f"{labels} for {source.tensor.type.label} activations")


def weights_are_symmetric(view: OperatorView) -> Iterator[Found]:
    """The zero point of int8 weights is 0 in every channel."""
    filter = _filter(view)
    if filter is None or filter.tensor.type not in SIGNED_WEIGHTS:
        return
    wrong = np.flatnonzero(filter.zero_points)
    if wrong.size:
        channel = f" of channel {wrong[0]}" if filter.zero_points.size > 1 else ""
        yield Found(filter, f"zero point {filter.zero_points[wrong[0]]}{channel}", "zero point 0")


def weights_avoid_the_lowest_code(view: OperatorView) -> Iterator[Found]:
    """int8 weights are in [-127, 127]: -128 has no negative, and is not used."""
    filter = _filter(view)
    if filter is None or filter.tensor.type != TensorType.INT8:
        return
    value = view.value(filter)
    count = 0 if value is None else int(np.count_nonzero(value == -128))
    if count:
        yield Found(filter, f"{count} of {'' if value is None else value.size} weights are -128", "-127 to 127")


def weights_are_quantized(view: OperatorView) -> Iterator[Found]:
    """int8 and uint8 weights have scales."""
    filter = _filter(view)
    if filter is None or filter.tensor.type not in (*SIGNED_WEIGHTS, TensorType.UINT8) or filter.scales.size:
        return
    quantization = filter.tensor.quantization
    if quantization is None or not (quantization.blockwise or quantization.multi_axis):
        yield Found(filter, "no quantization parameters", "scales")


def scales_belong_to_output_channels(view: OperatorView) -> Iterator[Found]:
    """Weights with several scales have one an output channel.

    The quantized dimension is 0 for CONV_2D, FULLY_CONNECTED and TRANSPOSE_CONV, and 3 for DEPTHWISE_CONV_2D.
    """
    filter = _filter(view)
    if filter is None or filter.scales.size < 2 or filter.tensor.quantization is None:
        return
    axis, dimension = WEIGHTED[view.operator.name].axis, filter.tensor.quantization.quantized_dimension
    if dimension != axis:
        yield Found(filter, f"scales along dimension {dimension}", f"along dimension {axis}")


def uint8_weights_are_per_tensor(view: OperatorView) -> Iterator[Found]:
    """uint8 weights have one scale and one zero point."""
    filter = _filter(view)
    if filter is not None and filter.tensor.type == TensorType.UINT8 and filter.scales.size > 1:
        yield Found(filter, f"{filter.scales.size} scales", "one scale for the whole tensor")


def weights_are_per_channel(view: OperatorView) -> Iterator[Found]:
    """int8 weights of several output channels have a scale for each; with a single one they lose accuracy."""
    filter = _filter(view)
    if filter is None or filter.tensor.type not in SIGNED_WEIGHTS or filter.scales.size != 1:
        return
    axis, shape = WEIGHTED[view.operator.name].axis, filter.tensor.shape
    if axis < len(shape) and shape[axis] > 1:
        yield Found(filter, "one scale", f"{shape[axis]} scales along dimension {axis}")


def bias_fits_activations(view: OperatorView) -> Iterator[Found]:
    """The bias is int32 for int8 and uint8 activations, int64 (or int32) for int16 activations."""
    source, bias = _source(view), _bias(view)
    if source is None or bias is None:
        return
    accepted = BIAS_TYPES.get(source.tensor.type)
    if accepted is not None and bias.tensor.type not in accepted:
        labels = " or ".join(type.label for type in accepted)
        yield Found(bias, bias.tensor.type.label, f"{labels} for {source.tensor.type.label} activations")


def bias_zero_point_is_zero(view: OperatorView) -> Iterator[Found]:
    """The zero point of the bias is 0 in every channel."""
    bias = _bias(view)
    if bias is not None and np.any(bias.zero_points):
        yield Found(bias, f"zero point {bias.zero_points[np.flatnonzero(bias.zero_points)[0]]}", "zero point 0")


def bias_scale_is_the_product(view: OperatorView) -> Iterator[Found]:
    """The scale of the bias is input scale × filter scale, channel by channel, within 1e-5 of it.

    A bias of zeros may have any scale: converters let several operators share it.
    """
    source, filter, bias = _source(view), _filter(view), _bias(view)
    if source is None or filter is None or bias is None or not bias.scales.size:
        return
    if source.scales.size != 1 or not filter.scales.size:
        return
    value = view.value(bias)
    if value is not None and not np.any(value):
        return
    with np.errstate(over="ignore", invalid="ignore"):
        product = np.float64(source.scale) * filter.scales.astype(np.float64)
    if bias.scales.size not in (1, product.size) and product.size != 1:
        yield Found(bias, f"{bias.scales.size} scales", f"{product.size} scales")
        return
    scales, product = np.broadcast_arrays(bias.scales.astype(np.float64), product)
    wrong = np.flatnonzero(~(np.abs(scales - product) <= _BIAS_SCALE_TOLERANCE * np.abs(product)))
    if wrong.size:
        channel = f" in channel {wrong[0]}" if scales.size > 1 else ""
        factors = f"{number(source.scale)} × {number(filter.scales[min(wrong[0], filter.scales.size - 1)])}"
        expected = f"{number(product[wrong[0]])} = {factors}"
        yield Found(bias, f"scale {number(scales[wrong[0]])}{channel}", f"{expected} ({wrong.size} such)")


def bias_is_quantized(view: OperatorView) -> Iterator[Found]:
    """An int32 or int64 bias states its scale; runtimes compute without it, but other tools rely on it."""
    source, bias = _source(view), _bias(view)
    quantized = source is not None and source.tensor.type in BIAS_TYPES
    if quantized and bias is not None and not bias.scales.size:
        yield Found(bias, "no quantization parameters", "scale = input scale × filter scale, zero point 0")


def bias_does_not_saturate(view: OperatorView) -> Iterator[Found]:
    """No bias stands at an end of int32, where the value that was meant may have been cut off."""
    bias = _bias(view)
    value = None if bias is None or bias.tensor.type != TensorType.INT32 else view.value(bias)
    if bias is None or value is None:
        return
    count = int(np.count_nonzero((value == _INT32.min) | (value == _INT32.max)))
    if count:
        yield Found(bias, f"{count} of {value.size} biases are {_INT32.min} or {_INT32.max}", "values in between")


def weights_use_their_range(view: OperatorView) -> Iterator[Found]:
    """The largest |weight| uses more than half of the codes: above 63 for int8, in at least one channel."""
    filter = _filter(view)
    value = None if filter is None or filter.tensor.type != TensorType.INT8 else view.value(filter)
    if filter is None or value is None or not value.size:
        return
    largest = _largest(value)
    if 0 < largest < 64:
        yield Found(filter, f"weights of at most {largest}", "up to 127")


def channels_have_weights(view: OperatorView) -> Iterator[Found]:
    """Every output channel has a weight other than 0."""
    filter = _filter(view)
    value = None if filter is None or filter.tensor.type not in SIGNED_WEIGHTS else view.value(filter)
    axis = WEIGHTED[view.operator.name].axis if view.operator.name in WEIGHTED else 0
    if filter is None or value is None or axis >= value.ndim or not value.size:
        return
    used = np.any(value, axis=tuple(i for i in range(value.ndim) if i != axis))
    if not np.all(used):
        dead = np.flatnonzero(~used)
        yield Found(filter, f"{dead.size} of {used.size} channels have only zeros, the first {dead[0]}", "none")


def _largest(value: Array) -> int:
    return max(int(value.max()), -int(value.min()))


def _source(view: OperatorView) -> Operand | None:
    return view.input(WEIGHTED[view.operator.name].input) if view.operator.name in WEIGHTED else None


def _filter(view: OperatorView) -> Operand | None:
    return view.input(WEIGHTED[view.operator.name].filter) if view.operator.name in WEIGHTED else None


def _bias(view: OperatorView) -> Operand | None:
    return view.input(WEIGHTED[view.operator.name].bias) if view.operator.name in WEIGHTED else None


RULES = (
    operator_rule(Severity.ERROR, weights_fit_activations),
    operator_rule(Severity.ERROR, weights_are_quantized),
    operator_rule(Severity.ERROR, weights_are_symmetric),
    operator_rule(Severity.ERROR, weights_avoid_the_lowest_code),
    operator_rule(Severity.ERROR, scales_belong_to_output_channels),
    operator_rule(Severity.ERROR, uint8_weights_are_per_tensor),
    operator_rule(Severity.ERROR, bias_fits_activations),
    operator_rule(Severity.ERROR, bias_zero_point_is_zero),
    operator_rule(Severity.ERROR, bias_scale_is_the_product),
    operator_rule(Severity.WARNING, bias_is_quantized),
    operator_rule(Severity.WARNING, bias_does_not_saturate),
    operator_rule(Severity.WARNING, weights_use_their_range),
    operator_rule(Severity.NOTE, channels_have_weights),
    operator_rule(Severity.NOTE, weights_are_per_channel),
)
