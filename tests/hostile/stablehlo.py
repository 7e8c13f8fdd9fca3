"""Models of the StableHLO operators, DILATE and REDUCE_WINDOW."""

from __future__ import annotations

from typing import Any

import numpy as np

from int8rt.model import Model, TensorType
from int8rt.schema import ModelBuilder, TensorSpec, single_operator_model
from int8rt.schema import options as o
from int8rt.schema.enums import ReduceWindowFunction

FLOAT32, INT32 = TensorType.FLOAT32, TensorType.INT32


def _t(*shape: int) -> TensorSpec:
    return TensorSpec(FLOAT32, shape)


def _c(values: Any, dtype: Any = np.int32) -> TensorSpec:
    return TensorSpec.constant(np.array(values, dtype))


def _with_body(name: str, inputs: list[TensorSpec], output: TensorSpec, options: Any) -> Model:
    builder = ModelBuilder()
    for i, spec in enumerate(inputs):
        builder.input(f"input{i}", spec.type, spec.shape)
    builder.output("output0", FLOAT32, output.shape)
    builder.operator(name, [f"input{i}" for i in range(len(inputs))], ["output0"], options)
    builder.subgraph("body").input("a", FLOAT32, ()).input("b", FLOAT32, ()).output("c", FLOAT32, ())
    return builder.operator("STABLEHLO_ADD", ["a", "b"], ["c"]).build()


def stablehlo_models() -> dict[str, Model]:
    """One of each."""
    made: dict[str, Model] = {}

    def add(name: str, inputs: list[TensorSpec], output: TensorSpec, options: Any = None) -> None:
        label = f"{name}.{sum(key.split('.')[0] == name for key in made)}"
        made[label] = single_operator_model(name, inputs, [output], options)

    for name in ("STABLEHLO_ADD", "STABLEHLO_MULTIPLY", "STABLEHLO_MAXIMUM", "STABLEHLO_MINIMUM"):
        add(name, [_t(3, 4), _t(3, 4)], _t(3, 4))
    add("STABLEHLO_PAD", [_t(3, 4), _t()], _t(5, 8), o.StablehloPadOptions((1, -1), (1, 2), (0, 1)))
    add("DILATE", [_t(3, 4), _c([2, 3]), _t()], _t(5, 10))
    add("DILATE", [_t(3, 4), TensorSpec(INT32, (2,)), _t()], _t(5, 10))
    slices = o.StablehloGatherOptions((1, 2), (0,), (1, 0), 1, (1, 2, 3))
    add("STABLEHLO_GATHER", [_t(3, 4, 3), TensorSpec(INT32, (5, 2))], _t(5, 2, 3), slices)
    windows = o.StablehloScatterOptions(False, (1,), (0,), (0, 1), 1, False, 1)
    scattered = [_t(3, 4), TensorSpec(INT32, (5, 2)), _t(5, 2)]
    made["STABLEHLO_SCATTER.0"] = _with_body("STABLEHLO_SCATTER", scattered, _t(3, 4), windows)
    sliding = o.StablehloReduceWindowOptions((2, 3), (1, 2), (1, 2), (2, 1), (0, 1, -1, 2), 1)
    made["STABLEHLO_REDUCE_WINDOW.0"] = _with_body("STABLEHLO_REDUCE_WINDOW", [_t(3, 4), _t()], _t(2, 3), sliding)
    steps = [_c(values, np.int64) for values in ([2, 3], [1, 2], [1, 1])]
    add("REDUCE_WINDOW", [_t(3, 5), _t(), *steps], _t(2, 2), o.ReduceWindowOptions(ReduceWindowFunction.MAXIMUM))
    return made
