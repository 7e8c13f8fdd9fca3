from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from int8rt.model import ActivationFunctionType, Quantization, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import AddOptions, MulOptions, SubOptions
from tests.differential.cases import Case, case, check_cases, examples, generators, types
from tests.differential.elementwise import (
    SPECIAL,
    all_codes,
    all_pairs,
    broadcastable,
    quantized,
    scale_of,
)

pytestmark = pytest.mark.litert

names = pytest.mark.parametrize("name", ["ADD", "SUB", "MUL"])
activations = st.sampled_from(ActivationFunctionType)


def options(name: str, activation: ActivationFunctionType, pot: bool = True) -> Any:
    if name == "MUL":
        return MulOptions(activation)
    return (AddOptions if name == "ADD" else SubOptions)(activation, pot)


@st.composite
def parameters(draw: st.DrawFn, name: str, type: TensorType) -> tuple[Quantization, Quantization, Quantization]:
    """Of both inputs and the output. ADD and SUB need an output scale above 2^-19 of the larger input's."""
    first, second = draw(quantized(type)), draw(quantized(type))
    if name == "MUL":
        factor = scale_of(first) * scale_of(second)
        exponents = st.sampled_from([0.0, -1.0, 8.0]) | st.floats(-70, 40)
    else:
        factor = max(scale_of(first), scale_of(second))
        exponents = st.sampled_from([0.0, 1.0, -1.0, 4.0]) | st.floats(-2 if type == TensorType.INT16 else -18, 20)
    scale = float(np.float32(factor * 2.0 ** draw(exponents | exponents.map(round))))
    return first, second, draw(quantized(type, scale))


@st.composite
def every_pair_of_codes(draw: st.DrawFn, name: str) -> Case:
    type = draw(types("int8", "uint8"))
    first, second, output = draw(parameters(name, type))
    shape = (256, 256)
    model = single_operator_model(
        name,
        [TensorSpec(type, shape, first), TensorSpec(type, shape, second)],
        [TensorSpec(type, shape, output)],
        options(name, draw(activations)),
        version=2,
    )
    return Case(model, all_pairs(all_codes(type)))


@names
@examples
def test_every_pair_of_codes(name: str, examples: int) -> None:
    check_cases(every_pair_of_codes(name), examples)


@st.composite
def broadcast(draw: st.DrawFn, name: str) -> Case:
    type = draw(types("int8", "uint8", "int16", "int32", "int64", "float32"))
    first: Quantization | None = None
    second, output = first, first
    plain_int16 = type == TensorType.INT16 and name != "SUB" and draw(st.booleans())
    if type.name in ("INT8", "UINT8", "INT16") and not plain_int16:
        first, second, output = draw(parameters(name, type))
    shapes = draw(broadcastable())
    constant = draw(st.sampled_from([None, 0, 1]))
    rng = draw(generators)
    inputs = [TensorSpec(type, shape, q) for shape, q in zip(shapes, (first, second), strict=True)]
    if constant is not None and type.dtype.kind == "i":
        info = np.iinfo(type.dtype)
        data = rng.integers(info.min, info.max, shapes[constant], type.dtype, endpoint=True)
        inputs[constant] = TensorSpec.constant(data, inputs[constant].quantization)
    shape = np.broadcast_shapes(*shapes)
    return case(
        rng, name, inputs, [TensorSpec(type, shape, output)], options(name, draw(activations), pot=False), version=2
    )


@names
@examples
def test_broadcast(name: str, examples: int) -> None:
    check_cases(broadcast(name), examples)


@st.composite
def enlarged_differences(draw: st.DrawFn, *names: str) -> Case:
    """Output scales so small that SUB's kernel shifts by a negative number of bits; also inputs that are equal."""
    type = draw(types(*names))
    first, second = draw(quantized(type)), draw(quantized(type))
    bits = 14 if type == TensorType.INT16 else 19
    exponent = draw(st.sampled_from([-bits - 1.0, -bits - 0.5]) | st.floats(-bits - 31, -bits))
    scale = float(np.float32(max(scale_of(first), scale_of(second)) * 2.0**exponent))
    shapes = draw(st.just([(draw(st.integers(1, 99)),)] * 2) | broadcastable())
    inputs = [TensorSpec(type, shape, q) for shape, q in zip(shapes, (first, second), strict=True)]
    output = TensorSpec(type, np.broadcast_shapes(*shapes), draw(quantized(type, scale)))
    chosen = options("SUB", draw(activations), pot=False)
    return case(draw(generators), "SUB", inputs, [output], chosen, version=2)


@examples
def test_enlarged_differences(examples: int) -> None:
    check_cases(enlarged_differences("int8", "uint8", "int16"), examples)


@pytest.mark.parametrize("profile", ["tflite-opt", "xnnpack"])
@examples
def test_enlarged_differences_of_other_kernels(profile: str, examples: int) -> None:
    check_cases(enlarged_differences("int8", "uint8"), examples // 2, profile)


@st.composite
def int16_powers_of_two(draw: st.DrawFn, name: str) -> Case:
    exponents = [draw(st.integers(-15, 0)), draw(st.integers(-15, 0))]
    exponents.append(max(exponents) + (0 if draw(st.integers(0, 3)) else draw(st.integers(-1, 1))))
    if draw(st.booleans()):
        # LiteRT's shift by more than 31 bits is undefined; int8rt refuses it.
        exponents[0] = max(exponents[0] - draw(st.integers(14, 20)), max(exponents) - 31)
    q = [Quantization.per_tensor(2.0**exponent) for exponent in exponents]
    shapes = [(997,), (997,)]
    if draw(st.integers(0, 5)) == 0:
        shapes[draw(st.integers(0, 1))] = (1,)
    inputs = [TensorSpec(TensorType.INT16, shape, p) for shape, p in zip(shapes, q, strict=False)]
    # No options at all are not the schema's defaults: pot_scale_int16 is false then.
    chosen = options(name, draw(activations), pot=draw(st.booleans())) if draw(st.integers(0, 4)) else None
    return case(draw(generators), name, inputs, [TensorSpec(TensorType.INT16, (997,), q[2])], chosen, version=2)


@pytest.mark.parametrize("name", ["ADD", "SUB"])
@examples
def test_int16_powers_of_two(name: str, examples: int) -> None:
    check_cases(int16_powers_of_two(name), examples)


@names
@pytest.mark.parametrize("activation", ActivationFunctionType)
def test_special_floats(name: str, activation: ActivationFunctionType) -> None:
    first, second = all_pairs(SPECIAL)
    spec = TensorSpec(TensorType.FLOAT32, first.shape)
    model = single_operator_model(name, [spec, spec], [spec], options(name, activation))
    check_cases(st.just(Case(model, [first, second])), 1)


@names
@pytest.mark.parametrize("rank", [5, 8, 9])
def test_rank(name: str, rank: int) -> None:
    shapes = (1, 2) * 4 + (1,) * (rank - 8) if rank > 8 else (1,) * rank, (2,) * rank
    inputs = [TensorSpec(TensorType.INT32, shape) for shape in shapes]
    check_cases(generators.map(lambda rng: case(rng, name, inputs, [TensorSpec(TensorType.INT32, (2,) * rank)])), 1)
