"""Constants of a draft in their quantized forms, each made once for all operators that want the same."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.lint.specification import Weighted
from int8rt.model import Operator, Quantization, TensorType
from int8rt.ptq.draft import Draft
from int8rt.ptq.recipe import Treatment
from int8rt.quantization.from_ranges import (
    Floats,
    bias_scales,
    constant_parameters,
    quantize_bias,
    quantize_constant,
    quantize_to_ten_bits,
    quantize_weights,
    quantize_weights_by_peak,
    quantize_weights_in_float64,
    room_for_bias,
    weight_scales,
)


class Weights:
    """Writes quantized constants into a draft."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self._made: dict[tuple[object, ...], int] = {}

    def with_bias(
        self, operator: Operator, weighted: Weighted, treatment: Treatment, input_scale: float, bias_type: TensorType
    ) -> tuple[int, int]:
        """Indices of weights and bias (-1 if there is none) of an operator whose input has that scale.

        bias_type: int64 beside int16 activations, which TensorFlow's older quantizer makes: it rounds weights its way.
        """
        draft = self.draft
        bits = treatment.bits
        filter_index = operator.inputs[weighted.filter]
        bias_index = operator.inputs[weighted.bias] if len(operator.inputs) > weighted.bias else -1
        weights, bias = draft.constant(filter_index), draft.constant(bias_index)
        assert weights is not None
        axis = weighted.axis if treatment.granularity == "channel" else None
        scales = weight_scales(weights, axis, bits)
        if bias is not None and bias_type is TensorType.INT32:
            scales = room_for_bias(bias, input_scale, scales)
        if bias_type is TensorType.INT64:
            codes = quantize_weights_by_peak(weights, axis, bits)
        else:
            codes = quantize_weights(weights, scales, axis, bits)
        parameters = Quantization.per_axis(scales, np.zeros(scales.size, np.int64), axis or 0)
        type = TensorType.INT4 if bits == 4 else TensorType.INT8
        new_filter = self._constant(filter_index, codes, type, parameters)
        if bias is None:
            return new_filter, -1
        steps = bias_scales(input_scale, scales)
        bias_parameters = Quantization.per_axis(steps, np.zeros(steps.size, np.int64), 0)
        return new_filter, self._constant(bias_index, quantize_bias(bias, steps, bias_type), bias_type, bias_parameters)

    def symmetric(self, index: int) -> int:
        """int8 with one scale and zero point 0, as PRELU's slopes."""
        values = self.draft.constant(index)
        assert values is not None
        scales = weight_scales(values, None)
        codes = quantize_weights(values, scales, None)
        return self._constant(index, codes, TensorType.INT8, Quantization.per_tensor(float(scales[0])))

    def bias(self, index: int, input_scale: float, filter_scales: Floats) -> int:
        """An int32 bias for weights of these scales."""
        values = self.draft.constant(index)
        assert values is not None
        steps = bias_scales(input_scale, filter_scales)
        parameters = Quantization.per_axis(steps, np.zeros(steps.size, np.int64), 0)
        return self._constant(index, quantize_bias(values, steps, TensorType.INT32), TensorType.INT32, parameters)

    def activation(self, index: int, type: TensorType, parameters: Quantization | None) -> int:
        """A constant that is read like an activation; with parameters of its own if there are none given."""
        values = self.draft.constant(index)
        assert values is not None
        chosen = parameters or constant_parameters(values, type)
        return self._constant(index, quantize_constant(values, chosen, type), type, chosen)

    def ten_bits(self, index: int) -> int:
        """int16 with one scale and zero point 0, of which ten bits are used: the time weights of SVDF."""
        values = self.draft.constant(index)
        assert values is not None
        codes, scale = quantize_to_ten_bits(values)
        return self._constant(index, codes, TensorType.INT16, Quantization.per_tensor(scale))

    def dynamic(self, index: int, axis: int | None, bits: int = 8) -> int:
        """int8 or int4 weights beside float activations, with a scale for each index along `axis`, or one scale."""
        values = self.draft.constant(index)
        assert values is not None
        scales = weight_scales(values, axis, bits)
        codes = quantize_weights_in_float64(values, axis, bits)
        type = TensorType.INT4 if bits == 4 else TensorType.INT8
        parameters = Quantization.per_axis(scales, np.zeros(scales.size, np.int64), axis or 0)
        return self._constant(index, codes, type, parameters)

    def half(self, index: int) -> int:
        """A float16 constant, read through a DEQUANTIZE. Values beyond float16 become its largest."""
        tensor = self.draft.source.tensors[index]
        key = (index, TensorType.FLOAT16)
        if key not in self._made:
            values = self.draft.constant(index)
            assert values is not None
            largest = float(np.finfo(np.float16).max)
            halves = np.clip(values, -largest, largest).astype(np.float16)
            stored = self.draft.add_constant(tensor.name, halves, TensorType.FLOAT16, tensor, None)
            self._made[key] = self.draft.convert(stored, f"{tensor.name}_float32", TensorType.FLOAT32, None)
        return self._made[key]

    def _constant(self, index: int, codes: npt.NDArray[Any], type: TensorType, parameters: Quantization) -> int:
        key = (index, type, parameters.scale.tobytes(), parameters.zero_point.tobytes())
        if key not in self._made:
            tensor = dataclasses.replace(self.draft.source.tensors[index], shape=codes.shape)
            versions = sum(made[0] == index for made in self._made)
            name = tensor.name if not versions else f"{tensor.name}_{versions}"
            self._made[key] = self.draft.add_constant(name, codes, type, tensor, parameters)
        return self._made[key]
