from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import strategies as st

from int8rt.schema.builder import TensorSpec
from int8rt.schema.options import (
    BatchToSpaceNDOptions,
    DepthToSpaceOptions,
    SpaceToBatchNDOptions,
    SpaceToDepthOptions,
)
from tests.differential.cases import (
    Case,
    at_run_time,
    case,
    check_cases,
    examples,
    generators,
    quantizations,
    types,
    vector,
)

pytestmark = pytest.mark.litert

small = st.integers(1, 3)
seldom = st.integers(0, 29).map(lambda n: n == 0)


@st.composite
def squares(draw: st.DrawFn, name: str) -> Case:
    type, block = draw(types("int8", "uint8", "int32", "int64", "float32")), draw(small)
    height, width, depth = draw(small), draw(small), draw(small)
    odd = draw(seldom)  # mostly refused
    if name == "SPACE_TO_DEPTH":
        shape = (draw(small), height * block + odd, width * block, depth)
        options, version = SpaceToDepthOptions(block), draw(st.integers(1, 2))
    else:
        shape = (draw(small), height, width, depth * block * block + odd)
        options, version = DepthToSpaceOptions(block), 1
    inputs = [TensorSpec(type, shape, draw(quantizations(type)))]
    return case(draw(generators), name, inputs, [TensorSpec(type, (), draw(quantizations(type)))], options, version)


@examples
@pytest.mark.parametrize("name", ["SPACE_TO_DEPTH", "DEPTH_TO_SPACE"])
def test_squares(name: str, examples: int) -> None:
    check_cases(squares(name), examples)


TYPES = ("int8", "uint8", "int16", "int32", "int64", "float32", "bool", "float16", "float64", "complex64", "uint32")


@st.composite
def blocks(draw: st.DrawFn, name: str) -> Case:
    type = draw(types(*TYPES))
    block = [draw(small) for _ in range(draw(st.integers(1, 2)))]
    spatial = [draw(st.integers(1, 5)) for _ in block]
    borders, batches = [], draw(st.integers(1, 2))
    for size, step in zip(spatial, block, strict=True):
        if name == "SPACE_TO_BATCH_ND":
            before = draw(st.integers(0, 4))
            borders.append([before, -(size + before) % step + step * draw(st.integers(0, 1)) + draw(seldom)])
        else:
            before = draw(st.integers(0, size * step - 1))
            borders.append([before, draw(st.integers(0, size * step - 1 - before))])
    if name == "BATCH_TO_SPACE_ND":
        batches = batches * math.prod(block) + draw(seldom)
    input = output = draw(quantizations(type))
    if draw(seldom):
        output = draw(quantizations(type))
    return case(
        draw(generators),
        name,
        [
            TensorSpec(type, (batches, *spatial, draw(small)), input),
            vector(block),
            TensorSpec.constant(np.array(borders, np.int32)),
        ],
        [TensorSpec(type, (), output)],
        SpaceToBatchNDOptions() if name == "SPACE_TO_BATCH_ND" else BatchToSpaceNDOptions(),
        version=draw(st.integers(1, 4)),
        at_run_time=draw(at_run_time),
    )


@examples
@pytest.mark.parametrize("name", ["SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND"])
def test_blocks(name: str, examples: int) -> None:
    check_cases(blocks(name), examples)
