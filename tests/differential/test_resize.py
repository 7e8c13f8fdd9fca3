from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import strategies as st

from int8rt.model import TensorType
from int8rt.schema import write_model
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import ResizeBilinearOptions, ResizeNearestNeighborOptions
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
from tests.differential.harness import assert_equal, oracle, run_int8rt

pytestmark = pytest.mark.litert

CENTERS = ((False, False), (True, False), (False, True))


@st.composite
def resizes(draw: st.DrawFn, name: str) -> Case:
    nearest = name == "RESIZE_NEAREST_NEIGHBOR"
    more = ("int32", "bool", "float16", "uint16", "uint32") if nearest else ()
    type, shape = draw(types("int8", "uint8", "int16", "float32", *more)), draw(shapes(4, 9))
    # Twice or half the size as often as any other: then pixels lie exactly between others.
    sizes = [draw(st.sampled_from([n, 2 * n, (n + 1) // 2]) | st.integers(1, 24)) for n in shape[1:3]]
    kind = ResizeNearestNeighborOptions if nearest else ResizeBilinearOptions
    options = kind(*draw(st.sampled_from((*CENTERS, (True, True)) if nearest else CENTERS)))
    inputs = [TensorSpec(type, shape, draw(quantizations(type))), vector(sizes)]
    output = TensorSpec(type, (), draw(quantizations(type)))
    version, late = draw(st.integers(1, 4)), draw(at_run_time)
    return case(draw(generators), name, inputs, [output], options, version, at_run_time=late)


@examples
@pytest.mark.parametrize("name", ["RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"])
def test_resize(name: str, examples: int) -> None:
    check_cases(resizes(name), examples)


@st.composite
def stretches(draw: st.DrawFn, name: str) -> Case:
    """Many pixels from few, or few from many, along one dimension."""
    type = draw(types("int8", "uint8", "int16"))
    size = draw(st.integers(2, 40))
    # From there on BUILTIN_REF reads beyond the input: see the next test.
    output = draw(st.integers(1, 900 if name == "RESIZE_NEAREST_NEIGHBOR" else math.isqrt(2048 * size)))
    kind = ResizeBilinearOptions if name == "RESIZE_BILINEAR" else ResizeNearestNeighborOptions
    inputs = [TensorSpec(type, (1, size, 1, 3), draw(quantizations(type))), vector([output, 1])]
    options = kind(*draw(st.sampled_from(CENTERS)))
    return case(draw(generators), name, inputs, [TensorSpec(type, (), draw(quantizations(type)))], options)


@examples
@pytest.mark.parametrize("name", ["RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"])
def test_stretch(name: str, examples: int) -> None:
    check_cases(stretches(name), examples)


@pytest.mark.parametrize("centers", CENTERS)
@pytest.mark.parametrize("size", [(2, 95), (3, 548), (5, 131), (65, 513), (2, 2700)])
def test_pixels_beyond_the_input(size: tuple[int, int], centers: tuple[bool, bool]) -> None:
    """The first of two images reads into the second; what the second reads is not the interpreter's own memory."""
    for shape, new in [((2, size[0], 2, 3), (size[1], 3)), ((2, 2, size[0], 3), (3, size[1]))]:
        input = TensorSpec(TensorType.INT8, shape)
        model = single_operator_model(
            "RESIZE_BILINEAR", [input, vector(new)], [TensorSpec(input.type, ())], ResizeBilinearOptions(*centers)
        )
        data = random_data(np.random.default_rng(size[1]), input)
        (expected,) = oracle().run(write_model(model), [data]).outputs
        found = run_int8rt(model, [data])[model.subgraphs[0].outputs[0]]
        assert_equal(found[0], expected[0], f"{shape} to {new}")
