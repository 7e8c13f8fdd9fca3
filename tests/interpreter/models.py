"""Small models for the interpreter's tests."""

from __future__ import annotations

import numpy as np

from int8rt.model import Quantization, TensorType
from int8rt.schema import ModelBuilder, TensorSpec, write_model
from int8rt.schema.options import AddOptions, ReshapeOptions

INT8, FLOAT32, STRING = TensorType.INT8, TensorType.FLOAT32, TensorType.STRING
Q = Quantization.per_tensor


def two_adds() -> bytes:
    """z = (x + y) + c, as signature (first=y, second=x) -> (out=z). x has an open batch, nothing writes `unused`."""
    builder = ModelBuilder()
    builder.input("x", INT8, (1, 4), Q(0.5, -3), shape_signature=(-1, 4)).input("y", INT8, (1, 4), Q(0.25, 3))
    builder.tensor("m", INT8, (1, 4), Q(0.5)).output("z", INT8, (1, 4), Q(0.5, 1))
    builder.constant("c", np.arange(4, dtype=np.int8).reshape(1, 4), Q(0.5, 1))
    builder.tensor("unused", FLOAT32, (2, 3))
    builder.operator("ADD", ["x", "y"], ["m"], AddOptions()).operator("ADD", ["m", "c"], ["z"], AddOptions())
    builder.signature("serving_default", {"second": "x", "first": "y"}, {"out": "z"})
    return write_model(builder.build())


def two_signatures() -> bytes:
    """Subgraphs "add" (sum and input kept as outputs) and "mul", each with a signature."""
    builder = ModelBuilder()
    for name, operator in (("add", "ADD"), ("mul", "MUL")):
        if name == "mul":
            builder.subgraph(name)
        builder.input(f"{name}_x", FLOAT32, (2,)).input(f"{name}_y", FLOAT32, (2,))
        builder.output(f"{name}_z", FLOAT32, (2,)).operator(operator, [f"{name}_x", f"{name}_y"], [f"{name}_z"])
        builder.signature(name, {"x": f"{name}_x", "y": f"{name}_y"}, {"output_0": f"{name}_z"})
    return write_model(builder.build())


def two_outputs() -> bytes:
    """x int8[3] -> y = x + x and x itself as a row; no signature."""
    builder = ModelBuilder().input("x", INT8, (3,), Q(1.0))
    builder.output("y", INT8, (3,), Q(2.0)).output("row", INT8, (1, 3), Q(1.0))
    builder.constant("shape", np.array([1, 3], np.int32))
    builder.operator("RESHAPE", ["x", "shape"], ["row"], ReshapeOptions(new_shape=(1, 3)))
    builder.operator("ADD", ["x", "x"], ["y"], AddOptions())
    return write_model(builder.build())


def accumulator() -> bytes:
    """y = x + v with a variable v of zero point 5, which nothing writes."""
    builder = ModelBuilder().input("x", INT8, (2,), Q(1.0))
    builder.add("v", TensorSpec(INT8, (2,), Q(1.0, 5), is_variable=True)).output("y", INT8, (2,), Q(1.0))
    return write_model(builder.operator("ADD", ["x", "v"], ["y"], AddOptions()).build())


def strings() -> bytes:
    """x string[3] -> string[1,3]."""
    builder = ModelBuilder().input("x", STRING, (3,)).output("y", STRING, (1, 3))
    builder.constant("shape", np.array([1, 3], np.int32))
    return write_model(builder.operator("RESHAPE", ["x", "shape"], ["y"], ReshapeOptions(new_shape=(1, 3))).build())


def scalar() -> bytes:
    """x float32[] -> x + x."""
    builder = ModelBuilder().input("x", FLOAT32, ()).output("y", FLOAT32, ())
    return write_model(builder.operator("ADD", ["x", "x"], ["y"], AddOptions()).build())


def identity() -> bytes:
    """No operator: the output is the input."""
    return write_model(ModelBuilder().input("x", INT8, (2,), Q(1.0)).output("x").build())


def per_axis() -> bytes:
    """x int8[1,2,2,3] through a convolution with four per-axis scales."""
    from int8rt.model import Padding
    from int8rt.schema.options import Conv2DOptions

    scales, zeros = np.array([0.5, 0.25, 0.125, 1.0], np.float32), np.zeros(4, np.int64)
    builder = ModelBuilder().input("x", INT8, (1, 2, 2, 3), Q(0.5))
    builder.constant("w", np.ones((4, 1, 1, 3), np.int8), Quantization.per_axis(scales, zeros, 0))
    builder.constant("b", np.zeros(4, np.int32), Quantization.per_axis(scales * np.float32(0.5), zeros, 0))
    builder.output("y", INT8, (1, 2, 2, 4), Q(1.0))
    options = Conv2DOptions(padding=Padding.VALID, stride_w=1, stride_h=1)
    return write_model(builder.operator("CONV_2D", ["x", "w", "b"], ["y"], options, version=3).build())
