from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st

from int8rt.model import Quantization, TensorType
from int8rt.schema import write_model
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import ReducerOptions
from tests.differential.cases import (
    Case,
    at_run_time,
    case,
    check_cases,
    examples,
    generators,
    quantizations,
    random_data,
    shapes,
    types,
    vector,
)
from tests.differential.harness import oracle, run_int8rt

pytestmark = pytest.mark.litert

SCALE = Quantization.per_tensor(0.02, 0)
NUMBERS = ("int8", "uint8", "int16", "int32", "int64", "float32")
TYPES = {
    "MEAN": NUMBERS,
    "SUM": ("int8", "uint8", "int32", "int64", "float32", "bool"),
    "REDUCE_MAX": (*NUMBERS, "bool"),
    "REDUCE_MIN": (*NUMBERS, "bool"),
    "REDUCE_PROD": ("int8", "int16", "int32", "int64", "float32", "bool"),
    "REDUCE_ANY": ("bool",),
    "REDUCE_ALL": ("bool",),
}


@st.composite
def reductions(draw: st.DrawFn, name: str) -> Case:
    type = draw(types(*TYPES[name]))
    shape = draw(shapes((1, 5), 7))
    rank = len(shape)
    axes = vector(draw(st.lists(st.integers(-rank, rank - 1), max_size=rank + 1)))
    input = output = draw(quantizations(type))
    if (
        name in ("MEAN", "SUM", "REDUCE_PROD") or draw(st.integers(0, 19)) == 0
    ):  # a maximum between different scales is refused
        output = draw(quantizations(type))
    return case(
        draw(generators),
        name,
        [TensorSpec(type, shape, input), axes],
        [TensorSpec(type, (), output)],
        ReducerOptions(draw(st.booleans())),
        at_run_time=draw(at_run_time),
    )


@examples
@pytest.mark.parametrize("name", sorted(TYPES))
def test_reduction(name: str, examples: int) -> None:
    check_cases(reductions(name), examples)


@pytest.mark.parametrize("name", sorted(TYPES))
@pytest.mark.parametrize("shape", [(0, 3), (2, 0), (0,), ()])
def test_nothing_to_reduce(name: str, shape: tuple[int, ...]) -> None:
    for type in TYPES[name]:
        if name == "REDUCE_PROD" and type in ("int8", "int16"):
            continue  # LiteRT leaves the output as it finds it in memory
        spec = TensorSpec(TensorType[type.upper()], shape, SCALE if type in ("int8", "uint8", "int16") else None)
        output = TensorSpec(spec.type, (), spec.quantization)
        axes = vector([0] if shape else [])
        check_cases(st.just(case(np.random.default_rng(0), name, [spec, axes], [output], ReducerOptions(True))), 1)


@pytest.mark.parametrize("name", ["MEAN", "SUM"])
@pytest.mark.parametrize("axes", [[0, 1], [0], [1]])
def test_negative_zeros_in_float32(name: str, axes: list[int]) -> None:
    model = single_operator_model(
        name,
        [TensorSpec(TensorType.FLOAT32, (5, 3)), vector(axes)],
        [TensorSpec(TensorType.FLOAT32, ())],
        ReducerOptions(),
    )
    check_cases(st.just(Case(model, [np.full((5, 3), -0.0, np.float32)])), 1)


def test_sum_of_int16_where_the_interpreter_writes_at_all() -> None:
    """BUILTIN_REF fills only the first half of the output's bytes."""
    rng = np.random.default_rng(16)
    for shape in [(1, 4, 4, 8), (2, 3, 3, 5), (5,)]:
        input, output = (TensorSpec(TensorType.INT16, shape, SCALE) for shape in (shape, ()))
        axes = vector([1, 2] if len(shape) == 4 else [0])
        model = single_operator_model("SUM", [input, axes], [output], ReducerOptions())
        data = random_data(rng, input)
        (expected,) = oracle().run(write_model(model), [data]).outputs
        found = run_int8rt(model, [data])[model.subgraphs[0].outputs[0]]
        assert found.shape == expected.shape
        assert found.tobytes()[: found.size] == expected.tobytes()[: found.size]
        assert not any(found.tobytes()[found.size :])
