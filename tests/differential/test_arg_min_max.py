from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st

from int8rt.model import TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import ArgMaxOptions, ArgMinOptions
from tests.differential.cases import Case, check_cases, examples, generators, quantizations, random_data, shapes, types

pytestmark = pytest.mark.litert

names = pytest.mark.parametrize("name", ["ARG_MAX", "ARG_MIN"])


@st.composite
def reductions(draw: st.DrawFn, name: str) -> Case:
    """Few different values, so that the first of equals counts; NaN among floats; axes out of range now and then."""
    type = draw(types("int8", "uint8", "int32", "bool", "float32"))
    shape = draw(shapes((1, 4), 7, 0) | shapes((1, 2), 40))
    axis = draw(st.integers(-len(shape), len(shape) - 1) | st.integers(-5, 4))
    output_type = draw(types("int32", "int64"))
    rng = draw(generators)
    spec = TensorSpec(type, shape, draw(quantizations(type)))
    data = random_data(rng, spec)
    if data.size and draw(st.booleans()):
        data = rng.choice(data.ravel()[: draw(st.integers(1, 3))], shape)
    axis_spec = TensorSpec.constant(np.array(axis, draw(st.sampled_from([np.int32, np.int64]))))
    inputs = [data]
    if data.size and draw(st.integers(0, 4)) == 0:  # LiteRT can't return an empty tensor of a shape found while running
        inputs.append(np.asarray(axis_spec.data))
        axis_spec = TensorSpec(axis_spec.type, ())
    # Now and then not the output's type, or the schema's default, which is no type of an index.
    option = output_type if draw(st.integers(0, 9)) else TensorType.FLOAT32
    options = ArgMaxOptions(option) if name == "ARG_MAX" else ArgMinOptions(option)
    reduced = tuple(size for i, size in enumerate(shape) if i != axis % len(shape))
    return Case(
        single_operator_model(name, [spec, axis_spec], [TensorSpec(output_type, reduced)], options, version=2), inputs
    )


@names
@examples
def test_arg_min_max(name: str, examples: int) -> None:
    check_cases(reductions(name), examples)


@names
@pytest.mark.parametrize("shape", [(500, 1), (500, 3), (500, 4), (500, 7), (300, 17), (60, 17, 1), (60, 17, 2)])
def test_nan(name: str, shape: tuple[int, ...]) -> None:
    """Half of the numbers are NaN; vectors of four along the last axis."""
    rng = np.random.default_rng(3)
    data = rng.choice(np.array([np.nan] * 6 + [-np.inf, np.inf, -0.0, 0.0, 1.0, 2.0], np.float32), shape)
    options = (ArgMaxOptions if name == "ARG_MAX" else ArgMinOptions)(TensorType.INT32)
    model = single_operator_model(
        name,
        [TensorSpec(TensorType.FLOAT32, shape), TensorSpec.constant(np.array(1, np.int32))],
        [TensorSpec(TensorType.INT32, (shape[0], *shape[2:]))],
        options,
    )
    check_cases(st.just(Case(model, [data])), 1)
