from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st

from int8rt.model import TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import (
    GatherNdOptions,
    GatherOptions,
    ReverseV2Options,
    SelectOptions,
    SelectV2Options,
    SplitOptions,
    SplitVOptions,
    TopKV2Options,
)
from tests.differential.cases import (
    Case,
    at_run_time,
    case,
    check_cases,
    examples,
    generators,
    quantizations,
    shapes,
    types,
    vector,
)
from tests.differential.harness import assert_same_bits

pytestmark = pytest.mark.litert

SIX = ("int8", "uint8", "int16", "int32", "int64", "float32")
NINE = (*SIX, "bool", "float16")
ANY = (*NINE, "float64", "complex64", "uint16", "uint32", "uint64")

seldom = st.integers(0, 29).map(lambda n: n == 0)
indices = st.sampled_from(["int16", "int32", "int64"])


@st.composite
def splits(draw: st.DrawFn, name: str) -> Case:
    type, shape = draw(types(*SIX)), list(draw(shapes((1, 4))))
    axis, count = draw(st.integers(0, len(shape) - 1)), draw(st.integers(1, 5))
    where = vector([draw(st.sampled_from([axis, axis - len(shape)]))])
    outputs = [TensorSpec(type, (), draw(quantizations(type))) for _ in range(count)]
    quantization = draw(quantizations(type))
    if name == "SPLIT":
        shape[axis] = count * draw(st.integers(1, 3)) + draw(seldom)
        inputs, options = [where, TensorSpec(type, tuple(shape), quantization)], SplitOptions(count)
    else:
        sizes = [draw(st.integers(1, 4)) for _ in range(count)]
        shape[axis] = sum(sizes) + draw(seldom)
        if draw(st.booleans()):
            sizes[draw(st.integers(0, count - 1))] = -1
        options, input = SplitVOptions(count), TensorSpec(type, tuple(shape), quantization)
        inputs = [input, vector(sizes, draw(st.sampled_from(["int32", "int64"]))), where]
    return case(draw(generators), name, inputs, outputs, options, at_run_time=draw(at_run_time))


@examples
@pytest.mark.parametrize("name", ["SPLIT", "SPLIT_V"])
def test_split(name: str, examples: int) -> None:
    check_cases(splits(name), examples)


@st.composite
def gathers(draw: st.DrawFn) -> Case:
    type, shape = draw(types(*NINE)), draw(shapes((1, 4), 5))
    axis = draw(st.integers(0, len(shape) - 1))
    batch_dims = draw(st.integers(0, axis))
    places = (*shape[:batch_dims], *draw(shapes((0, 2), 4)))
    rng = draw(generators)
    positions = rng.integers(-draw(seldom), shape[axis] + draw(seldom), places)
    options = GatherOptions(
        draw(st.sampled_from([axis, axis - len(shape)])),
        draw(st.sampled_from([batch_dims, batch_dims - len(places)])) if places else 0,
    )
    inputs = [TensorSpec(type, shape, draw(quantizations(type))), TensorSpec.constant(positions.astype(draw(indices)))]
    output, version = TensorSpec(type, (), draw(quantizations(type))), draw(st.integers(1, 7))
    return case(rng, "GATHER", inputs, [output], options, version, at_run_time=draw(st.booleans()))


@examples
def test_gather(examples: int) -> None:
    check_cases(gathers(), examples)


@st.composite
def gathers_nd(draw: st.DrawFn) -> Case:
    type, shape = draw(types(*NINE)), draw(shapes((1, 4), 5))
    named, places = draw(st.integers(1, len(shape))), draw(shapes((0, 2), 4))
    rng = draw(generators)
    where = np.stack([rng.integers(0, n + draw(seldom), places) for n in shape[:named]], -1)
    inputs = [TensorSpec(type, shape, draw(quantizations(type))), TensorSpec.constant(where.astype(draw(indices)))]
    output, version = TensorSpec(type, (), draw(quantizations(type))), draw(st.integers(1, 5))
    return case(rng, "GATHER_ND", inputs, [output], GatherNdOptions(), version, at_run_time=draw(st.booleans()))


@examples
def test_gather_nd(examples: int) -> None:
    check_cases(gathers_nd(), examples)


@st.composite
def reversals(draw: st.DrawFn) -> Case:
    type, shape = draw(types(*NINE)), draw(shapes((1, 5)))
    first = draw(st.integers(0, len(shape) - 1))
    axes = list(draw(st.permutations(range(first, draw(st.integers(first, len(shape) - 1)) + 1))))
    if draw(seldom):
        axes = [0, len(shape) - 1]  # not neighbours: refused
    axes = [draw(st.sampled_from([axis, axis - len(shape)])) for axis in axes]
    inputs, late = [TensorSpec(type, shape), vector(axes)], draw(at_run_time)
    return case(draw(generators), "REVERSE_V2", inputs, [TensorSpec(type, ())], ReverseV2Options(), at_run_time=late)


@pytest.mark.parametrize(("shape", "axes"), [((0,), [0]), ((2, 0, 3), [1]), ((0, 3, 0), [1]), ((2, 3, 0), [0, 1])])
def test_reverse_of_nothing(shape: tuple[int, ...], axes: list[int]) -> None:
    spec = TensorSpec(TensorType.INT8, shape)
    assert_same_bits(single_operator_model("REVERSE_V2", [spec, vector(axes)], [spec]), [np.zeros(shape, np.int8)])


@examples
def test_reverse(examples: int) -> None:
    check_cases(reversals(), examples)


@st.composite
def selections(draw: st.DrawFn, name: str) -> Case:
    type, shape = draw(types(*ANY)), draw(shapes((1, 5), 4))

    def part() -> tuple[int, ...]:
        ones = tuple(1 if draw(st.integers(0, 2)) == 0 else n for n in shape)
        return ones[draw(st.integers(0, len(shape))) :]

    if name == "SELECT":
        given = [draw(st.sampled_from([shape, (), shape[:1], (1,)])), shape, shape]
    else:
        given = [part(), part(), part()]
    specs = [TensorSpec(draw(types("bool")), given[0])]
    specs += [TensorSpec(type, shape, draw(quantizations(type))) for shape in given[1:]]
    options = SelectOptions() if name == "SELECT" else SelectV2Options()
    return case(draw(generators), name, specs, [TensorSpec(type, (), draw(quantizations(type)))], options)


@examples
@pytest.mark.parametrize("name", ["SELECT", "SELECT_V2"])
def test_select(name: str, examples: int) -> None:
    check_cases(selections(name), examples)


@st.composite
def largest(draw: st.DrawFn) -> Case:
    type, shape = draw(types(*SIX)), draw(shapes((1, 3), 20))
    count = np.array(draw(st.integers(1, shape[-1]) | st.integers(-1, 21)), draw(st.sampled_from(["int32", "int16"])))
    rng = draw(generators)
    values = TensorSpec(type, shape, draw(quantizations(type)))
    if draw(st.booleans()) and values.type.dtype.kind in "iu":  # many equal elements
        values = TensorSpec.constant(rng.integers(0, 3, shape).astype(type.dtype), values.quantization)
    outputs = [TensorSpec(type, (), values.quantization), TensorSpec(draw(types("int32", "int16")), ())]
    inputs, late = [values, TensorSpec.constant(count)], bool(count > 0) and draw(at_run_time)
    return case(rng, "TOPK_V2", inputs, outputs, TopKV2Options(), draw(st.integers(1, 3)), at_run_time=late)


@examples
def test_topk(examples: int) -> None:
    check_cases(largest(), examples)
