"""FULLY_CONNECTED of sparse weights: LiteRT has kernels of their own for int8 ones in blocks of 1 x 16."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import strategies as st

from int8rt.errors import UnsupportedError
from int8rt.model import Quantization, Sparsity, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import FullyConnectedOptions
from tests.differential.cases import Case, case, check_cases, examples
from tests.differential.convolutions import activations, bias_spec, generator, scales_of, weights, zero_point_pair
from tests.differential.harness import assert_same_bits, run_int8rt
from tests.differential.hybrids import activation_values, all_activations, float_bias
from tests.schema.test_constant import sparsify

pytestmark = pytest.mark.litert

INT8, FLOAT32 = TensorType.INT8, TensorType.FLOAT32


def in_blocks(dense: npt.NDArray[Any], quantization: Quantization | None) -> TensorSpec:
    """Weights stored in blocks of 1 x 16."""
    values, sparsity = sparsify(dense, (0, 1, 2), {1: 16}, {1})
    return stored(dense, quantization, np.array(values, dense.dtype), sparsity)


def stored(
    dense: npt.NDArray[Any], quantization: Quantization | None, values: npt.NDArray[Any], sparsity: Sparsity
) -> TensorSpec:
    type = TensorType[dense.dtype.name.upper()]
    return TensorSpec(type, dense.shape, quantization, raw=values.tobytes(), sparsity=sparsity)


def sparse_codes(rng: np.random.Generator, outputs: int, blocks: int) -> npt.NDArray[Any]:
    codes = weights(rng, (outputs, blocks, 16), INT8)
    codes[rng.random((outputs, blocks)) < 0.5] = 0
    codes[0, 0, 0] = codes[0, 0, 0] or 1  # LiteRT takes no constant without data
    return codes.reshape(outputs, -1)


@st.composite
def integer_products(draw: st.DrawFn) -> Case:
    blocks, outputs, rows = draw(st.integers(1, 4)), draw(st.integers(1, 12)), draw(st.integers(1, 5))
    rng, per_axis = generator(draw, blocks, outputs, rows), draw(st.booleans())
    input_scale, scales, output_scale = scales_of(rng, INT8, INT8, 16 * blocks, outputs if per_axis else 1)
    input_zero_point, output_zero_point = zero_point_pair(rng, INT8)
    inputs = [
        TensorSpec(INT8, (rows, 16 * blocks), Quantization.per_tensor(input_scale, input_zero_point)),
        in_blocks(sparse_codes(rng, outputs, blocks), Quantization.per_axis(scales, [0] * len(scales), 0)),
        bias_spec(rng, TensorType.INT32, outputs, input_scale * scales[0], 16 * blocks, INT8),
    ]
    output = TensorSpec(INT8, (), Quantization.per_tensor(output_scale, output_zero_point))
    options = FullyConnectedOptions(draw(activations))
    return case(rng, "FULLY_CONNECTED", inputs[: draw(st.integers(2, 3))], [output], options, version=8)


@examples
def test_integers(examples: int) -> None:
    check_cases(integer_products(), examples)


@pytest.mark.parametrize("code", [-128, -127, 5])
def test_lowest_codes(code: int) -> None:
    """Two products of -128 and -128 wrap around."""
    dense = np.zeros((2, 48), np.int8)
    dense[0, :32], dense[1, 3] = -128, 1
    q = Quantization.per_tensor
    inputs = [TensorSpec(INT8, (3, 48), q(0.5, 3)), in_blocks(dense, Quantization.per_axis([2.0**-9], [0], 0))]
    output = TensorSpec(INT8, (), q(8.0, 1))
    model = single_operator_model("FULLY_CONNECTED", inputs, [output], FullyConnectedOptions(), version=8)
    value = np.full((3, 48), code, np.int8)
    value[1, ::2] = 7
    assert_same_bits(model, [value])


@st.composite
def hybrid_products(draw: st.DrawFn) -> Case:
    blocks, outputs, rows = draw(st.integers(1, 4)), draw(st.integers(1, 12)), draw(st.integers(1, 9))
    rng, count = generator(draw, blocks, outputs, rows), outputs if draw(st.booleans()) else 1
    quantization = Quantization.per_axis(rng.choice([0.01, 1 / 3, 2.0], count), [0] * count, 0)
    filter = in_blocks(sparse_codes(rng, outputs, blocks), quantization)
    bias = float_bias(rng, outputs) if draw(st.booleans()) else None
    options = FullyConnectedOptions(draw(all_activations), asymmetric_quantize_inputs=draw(st.booleans()))
    inputs = [TensorSpec(FLOAT32, (rows, 16 * blocks)), filter, bias]
    model = single_operator_model("FULLY_CONNECTED", inputs, [TensorSpec(FLOAT32, ())], options, version=9)
    return Case(model, [activation_values(rng, (rows, 16 * blocks))])


@examples
def test_hybrid(examples: int) -> None:
    check_cases(hybrid_products(), examples)


@pytest.mark.parametrize(
    ("order", "blocks", "sparse"), [((0, 1), {}, {1}), ((1, 0), {}, {0}), ((0, 1, 2), {1: 4}, {1})]
)
def test_real_weights_are_made_dense(order: tuple[int, ...], blocks: dict[int, int], sparse: set[int]) -> None:
    rng = np.random.default_rng(0)
    dense = rng.integers(-3, 4, (5, 8)).astype(np.float32)
    dense[rng.random(dense.shape) < 0.6] = 0
    values, sparsity = sparsify(dense, order, blocks, sparse)
    filter = stored(dense, None, np.array(values, np.float32), sparsity)
    check_cases(
        st.just(
            case(rng, "FULLY_CONNECTED", [TensorSpec(FLOAT32, (3, 8)), filter], [TensorSpec(FLOAT32, ())], version=8)
        ),
        1,
    )


def test_operators_without_a_kernel_for_them() -> None:
    filter = in_blocks(np.eye(2, 16, dtype=np.float32), None)
    model = single_operator_model("NEG", [filter], [TensorSpec(FLOAT32, ())])
    with pytest.raises(UnsupportedError, match="NEG: its kernel takes no sparse tensors, such as 'input0'"):
        run_int8rt(model, [])


@pytest.mark.parametrize("type", [INT8, FLOAT32, TensorType.INT16])
def test_other_forms_are_refused(type: TensorType) -> None:
    """What LiteRT refuses for int8 activations, and reads wrongly for others."""
    dense = np.arange(1, 33).astype(np.int8).reshape(2, 16)
    scale = Quantization.per_tensor(0.1)
    values, sparsity = sparsify(dense, (0, 1), {}, {1})
    filter = stored(dense, scale, np.array(values, np.int8), sparsity)
    if type is TensorType.INT16:
        filter = in_blocks(dense, scale)
    quantization = None if type is FLOAT32 else scale
    inputs = [TensorSpec(type, (3, 16), quantization), filter]
    model = single_operator_model("FULLY_CONNECTED", inputs, [TensorSpec(type, (), quantization)], version=8)
    with pytest.raises(UnsupportedError, match=f"sparse int8 weights 'input1' with {type.label} activations"):
        run_int8rt(model, [np.zeros((3, 16), type.dtype)])


@pytest.mark.parametrize("type", [INT8, FLOAT32])
def test_rows_of_another_length_than_the_input_ends_in(type: TensorType) -> None:
    """LiteRT goes beyond the ends of tensors."""
    scale = Quantization.per_tensor(0.1)
    filter = in_blocks(np.eye(2, 16, dtype=np.int8), scale)
    quantization = None if type is FLOAT32 else scale
    inputs = [TensorSpec(type, (3, 16, 1), quantization), filter]
    model = single_operator_model("FULLY_CONNECTED", inputs, [TensorSpec(type, (), quantization)], version=8)
    with pytest.raises(UnsupportedError, match=r"'input1' of 16 columns with an input \[3, 16, 1\]"):
        run_int8rt(model, [np.zeros((3, 16, 1), type.dtype)])


def test_sparse_inputs_are_refused() -> None:
    """LiteRT reads them as if they were dense."""
    scale = Quantization.per_tensor(0.1)
    inputs = [in_blocks(np.eye(2, 16, dtype=np.int8), scale), TensorSpec(INT8, (3, 16), scale)]
    model = single_operator_model("FULLY_CONNECTED", inputs, [TensorSpec(INT8, (), scale)], version=8)
    with pytest.raises(UnsupportedError, match="its input 'input0' is sparse"):
        run_int8rt(model, [np.zeros((3, 16), np.int8)])
