"""Small models with several subgraphs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from int8rt.model import Model, Quantization, Shape, TensorType
from int8rt.schema import ModelBuilder
from int8rt.schema import options as o

INT8, INT32, BOOL, RESOURCE = TensorType.INT8, TensorType.INT32, TensorType.BOOL, TensorType.RESOURCE

Body = Callable[[ModelBuilder], None]


def if_model(then: Body, otherwise: Body, shapes: Sequence[Shape] = ((2,), (2,))) -> Model:
    """IF over two int32 inputs a and b; both branches give two outputs."""
    builder = ModelBuilder().input("condition", BOOL, ())
    _inputs(builder, shapes)
    builder.output("x", INT32, shapes[0]).output("y", INT32, shapes[1])
    builder.operator("IF", ["condition", "a", "b"], ["x", "y"], o.IfOptions(1, 2))
    for name, body in (("then", then), ("else", otherwise)):
        _inputs(builder.subgraph(name), shapes)
        body(builder)
    return builder.build()


def case_model(branches: Sequence[Body], indices: Sequence[int] = (), shapes: Sequence[Shape] = ((2,), (2,))) -> Model:
    """STABLEHLO_CASE over two int32 inputs a and b, two outputs. indices: of branches, from 1."""
    builder = ModelBuilder().input("index", INT32, ())
    _inputs(builder, shapes)
    builder.output("x", INT32, shapes[0]).output("y", INT32, shapes[1])
    options = o.StablehloCaseOptions(tuple(indices or range(1, len(branches) + 1)))
    builder.operator("STABLEHLO_CASE", ["index", "a", "b"], ["x", "y"], options)
    for number, body in enumerate(branches):
        _inputs(builder.subgraph(f"branch {number}"), shapes)
        body(builder)
    return builder.build()


def composite_model(body: Body) -> Model:
    """STABLEHLO_COMPOSITE over two int32 inputs a and b; two outputs."""
    builder = ModelBuilder()
    _inputs(builder, ((2,), (2,)))
    builder.output("x", INT32, (2,)).output("y", INT32, (2,))
    options = o.StableHLOCompositeOptions("test.pair", 1, b"\x01")
    builder.operator("STABLEHLO_COMPOSITE", ["a", "b"], ["x", "y"], options)
    _inputs(builder.subgraph("decomposition"), ((2,), (2,)))
    body(builder)
    return builder.build()


def while_model(rounds: int, body: Body, shapes: Sequence[Shape] = ((2,), (2,))) -> Model:
    """WHILE over a counter from 0 and two int32 inputs a and b; the body gives its two outputs after the counter."""
    builder = ModelBuilder().constant("i", np.array(0, np.int32))
    _inputs(builder, shapes)
    builder.output("last", INT32, ()).output("x", INT32, shapes[0]).output("y", INT32, shapes[1])
    builder.operator("WHILE", ["i", "a", "b"], ["last", "x", "y"], o.WhileOptions(1, 2))
    _inputs(builder.subgraph("condition").input("i", INT32, ()), shapes)
    builder.constant("rounds", np.array(rounds, np.int32)).output("more", BOOL)
    builder.operator("LESS", ["i", "rounds"], ["more"])
    _inputs(builder.subgraph("body").input("i", INT32, ()), shapes)
    builder.constant("one", np.array(1, np.int32)).output("next", INT32)
    builder.operator("ADD", ["i", "one"], ["next"], o.AddOptions())
    body(builder)
    return builder.build()


def streaming_model(width: int = 6, depth: int = 4) -> Model:
    """An int8 keyword model in small: a convolution over the last four frames, three of them kept in a variable, and
    the output fed back through a second variable.
    """
    generator = np.random.default_rng(0)
    builder = ModelBuilder().input("frame", INT8, (1, 1, width), _q(0.05, 3))
    builder.operator("CALL_ONCE", [], [], o.CallOnceOptions(1))
    for name in ("frames", "before"):
        _handle(builder, name)
    builder.tensor("kept", INT8, (1, 3, width), _q(0.05, 3)).operator("READ_VARIABLE", ["frames handle"], ["kept"])
    builder.tensor("window", INT8, (1, 4, width), _q(0.05, 3))
    builder.operator("CONCATENATION", ["kept", "frame"], ["window"], o.ConcatenationOptions(1))
    builder.tensor("new", INT8, (1, 3, width), _q(0.05, 3))
    for name, values in (("begin", [0, 1, 0]), ("size", [1, 3, width]), ("flat", [1, 4 * width])):
        builder.constant(name, np.array(values, np.int32))
    builder.operator("SLICE", ["window", "begin", "size"], ["new"])
    builder.operator("ASSIGN_VARIABLE", ["frames handle", "new"], [])
    builder.tensor("row", INT8, (1, 4 * width), _q(0.05, 3)).operator("RESHAPE", ["window", "flat"], ["row"])
    weights = generator.integers(-127, 128, (depth, 4 * width)).astype(np.int8)
    builder.constant("weights", weights, _q(0.01)).constant("bias", np.arange(depth, dtype=np.int32), _q(0.0005))
    builder.tensor("features", INT8, (1, depth), _q(0.04, -5))
    builder.operator("FULLY_CONNECTED", ["row", "weights", "bias"], ["features"], o.FullyConnectedOptions(), version=4)
    builder.tensor("feedback", INT8, (1, depth), _q(0.04, -5))
    builder.operator("READ_VARIABLE", ["before handle"], ["feedback"])
    builder.output("sum", INT8, (1, depth), _q(0.04, -5))
    builder.operator("ADD", ["features", "feedback"], ["sum"], o.AddOptions(), version=2)
    builder.operator("ASSIGN_VARIABLE", ["before handle", "sum"], [])
    builder.subgraph("initialization")
    for name, shape in (("frames", (1, 3, width)), ("before", (1, depth))):
        _handle(builder, name)
        builder.constant(f"{name} start", generator.integers(-128, 128, shape).astype(np.int8), _q(0.05))
        builder.operator("ASSIGN_VARIABLE", [f"{name} handle", f"{name} start"], [])
    return builder.build()


def _handle(builder: ModelBuilder, name: str) -> None:
    builder.tensor(f"{name} handle", RESOURCE, ())
    builder.operator("VAR_HANDLE", [], [f"{name} handle"], o.VarHandleOptions("", name))


def _inputs(builder: ModelBuilder, shapes: Sequence[Shape]) -> None:
    for name, shape in zip("ab", shapes, strict=True):
        builder.input(name, INT32, shape)


def _q(scale: float, zero_point: int = 0) -> Quantization:
    return Quantization.per_tensor(scale, zero_point)


def add_and_keep(builder: ModelBuilder) -> None:
    """(a + b, a)."""
    builder.output("sum", INT32, (2,)).operator("ADD", ["a", "b"], ["sum"], o.AddOptions()).output("a")


def subtract_and_swap(builder: ModelBuilder) -> None:
    """(b, a - b)."""
    builder.output("b").output("difference", INT32, (2,)).operator("SUB", ["a", "b"], ["difference"], o.SubOptions())


def join(builder: ModelBuilder) -> None:
    """(a and b one behind the other, b)."""
    builder.output("both", INT32, (4,)).operator("CONCATENATION", ["a", "b"], ["both"], o.ConcatenationOptions(0))
    builder.output("b")


def constants(builder: ModelBuilder) -> None:
    """(two numbers, b)."""
    builder.constant("numbers", np.array([5, 6], np.int32)).output("numbers").output("b")


def add_and_pass(builder: ModelBuilder) -> None:
    """(a + b, b)."""
    builder.output("sum", INT32, (2,)).operator("ADD", ["a", "b"], ["sum"], o.AddOptions()).output("b")


def swap(builder: ModelBuilder) -> None:
    """(b, a)."""
    builder.output("b").output("a")


def reshape(builder: ModelBuilder) -> None:
    """(a of the shape [2, 1], b)."""
    builder.constant("shape", np.array([2, 1], np.int32)).output("column", INT32, (2, 1)).output("b")
    builder.operator("RESHAPE", ["a", "shape"], ["column"], o.ReshapeOptions((2, 1)))


def twice(builder: ModelBuilder) -> None:
    """(a + b, the same tensor)."""
    builder.output("sum", INT32, (2,)).operator("ADD", ["a", "b"], ["sum"], o.AddOptions()).output("sum")
