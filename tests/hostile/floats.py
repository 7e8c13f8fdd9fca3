"""Models of float32 operators that have compiled kernels of their own."""

from __future__ import annotations

from typing import Any

import numpy as np

from int8rt.model import ActivationFunctionType, Model, Padding, TensorType
from int8rt.schema import TensorSpec, single_operator_model
from int8rt.schema import options as o


def _t(*shape: int) -> TensorSpec:
    return TensorSpec(TensorType.FLOAT32, shape)


def _c(*shape: int) -> TensorSpec:
    return TensorSpec.constant(np.ones(shape, np.float32))


def float_models() -> dict[str, Model]:
    """One of each, and a filter for every way in which DEPTHWISE_CONV_2D is compiled."""
    made: dict[str, Model] = {}

    def add(name: str, inputs: list[TensorSpec], output: TensorSpec, options: Any = None) -> None:
        label = f"{name}.float{sum(key.split('.')[0] == name for key in made)}"
        made[label] = single_operator_model(name, inputs, [output], options)

    same, image = Padding.SAME, _t(1, 5, 6, 3)
    convolution = o.Conv2DOptions(same, 1, 1, ActivationFunctionType.RELU6)
    add("CONV_2D", [image, _c(7, 2, 3, 3), _c(7)], _t(1, 5, 6, 7), convolution)
    add("DEPTHWISE_CONV_2D", [image, _c(1, 2, 3, 3), _c(3)], image, o.DepthwiseConv2DOptions(same, 1, 1, 1))
    gray = [_t(1, 5, 6, 1), _c(1, 2, 3, 8), _c(8)]
    add("DEPTHWISE_CONV_2D", gray, _t(1, 5, 6, 8), o.DepthwiseConv2DOptions(same, 1, 1, 8))
    add("FULLY_CONNECTED", [_t(3, 8), _c(5, 8), _c(5)], _t(3, 5), o.FullyConnectedOptions())
    for name in ("AVERAGE_POOL_2D", "MAX_POOL_2D"):
        add(name, [image], _t(1, 5, 3, 3), o.Pool2DOptions(same, 2, 1, 3, 2))
    for name, options in (("ADD", o.AddOptions()), ("MUL", o.MulOptions()), ("PRELU", None), ("MAXIMUM", None)):
        add(name, [image, _t(3)], image, options)
    for name in ("RELU", "HARD_SWISH", "EXP", "LOGISTIC", "TANH"):
        add(name, [image], image)
    return made
