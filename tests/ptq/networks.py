"""Small float networks for calibrating and quantizing."""

from __future__ import annotations

import numpy as np

from int8rt.model import Model, Padding, TensorType
from int8rt.schema import options as o
from int8rt.schema.builder import ModelBuilder

FLOAT = TensorType.FLOAT32


def convolution(bias: float = 0.5) -> Model:
    """[1,4,4,2] -> CONV_2D of 3 channels -> RELU -> ELU -> MEAN -> [1,3]: ELU has no integer kernel."""
    weights = np.random.default_rng(0).normal(0, 1, (3, 1, 1, 2)).astype(np.float32)
    return (
        ModelBuilder()
        .input("x", FLOAT, (1, 4, 4, 2))
        .constant("w", weights)
        .constant("b", np.full(3, bias, np.float32))
        .tensor("sum", FLOAT, (1, 4, 4, 3))
        .tensor("positive", FLOAT, (1, 4, 4, 3))
        .tensor("elu", FLOAT, (1, 4, 4, 3))
        .constant("axes", np.array([1, 2], np.int32))
        .output("y", FLOAT, (1, 3))
        .operator("CONV_2D", ["x", "w", "b"], ["sum"], o.Conv2DOptions(padding=Padding.VALID, stride_w=1, stride_h=1))
        .operator("RELU", ["sum"], ["positive"])
        .operator("ELU", ["positive"], ["elu"])
        .operator("MEAN", ["elu", "axes"], ["y"], o.ReducerOptions())
        .signature("serving_default", {"image": "x"}, {"result": "y"})
        .build()
    )


def samples(count: int = 8) -> list[np.ndarray]:
    """What they are calibrated with."""
    return [np.random.default_rng(i).uniform(-1, 1, (1, 4, 4, 2)).astype(np.float32) for i in range(count)]
