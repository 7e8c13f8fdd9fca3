from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st

from int8rt.model import ActivationFunctionType, Quantization, Shape, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import (
    BidirectionalSequenceRNNOptions,
    RNNOptions,
    SequenceRNNOptions,
    SVDFOptions,
)
from tests.differential.cases import examples, random_data
from tests.differential.convolutions import bias_spec, generator, scales_of, weights
from tests.differential.hybrids import activation_values, all_activations, float_bias, float_filter
from tests.differential.stateful import Rounds, check_rounds

pytestmark = pytest.mark.litert

FLOAT32, INT8, INT16, INT32 = TensorType.FLOAT32, TensorType.INT8, TensorType.INT16, TensorType.INT32

# The last one is about as long as a sequence of keywords; the others reach every remainder of the vector code.
sizes = st.integers(1, 21) | st.sampled_from([32, 37, 96])


def matrix(rng: np.random.Generator, type: TensorType, shape: Shape) -> TensorSpec:
    if type == FLOAT32:
        return float_filter(rng, shape)
    scale = Quantization.per_tensor(rng.choice([0.02, 1 / 300, 0.0071, 1e-5]), 0)
    return TensorSpec.constant(weights(rng, shape, type), scale, type=type)


def state(*shape: int) -> TensorSpec:
    return TensorSpec(FLOAT32, shape, is_variable=True)


def vectors(rng: np.random.Generator, shape: Shape) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Real numbers whose sums do not overflow; some steps of nothing but zeros, which are left out."""
    values = np.clip(activation_values(rng, shape), np.float32(-1e8), np.float32(1e8))
    values[rng.random(shape[:-1]) < rng.choice([0, 0.3])] = rng.choice([0.0, -0.0])
    return values


@st.composite
def svdf(draw: st.DrawFn, type: TensorType) -> Rounds:
    batch, n_input, units, rank = draw(st.integers(1, 3)), draw(sizes), draw(st.integers(1, 9)), draw(st.integers(1, 9))
    memory, filters = draw(st.integers(1, 12)), units * rank
    rng = generator(draw, batch, n_input, units, rank, memory)
    specs = [
        TensorSpec(FLOAT32, (batch, n_input)),
        matrix(rng, type, (filters, n_input)),
        matrix(rng, type, (filters, memory)),
        float_bias(rng, units) if draw(st.booleans()) else None,
        state(batch, memory * filters),
    ]
    options = SVDFOptions(rank, draw(all_activations), asymmetric_quantize_inputs=draw(st.booleans()))
    model = single_operator_model("SVDF", specs, [TensorSpec(FLOAT32, ())], options)
    rounds = [[vectors(rng, (batch, n_input))] for _ in range(draw(st.integers(1, memory + 2)))]
    return Rounds(model, [*rounds, rounds[0]])


@st.composite
def integer_svdf(draw: st.DrawFn) -> Rounds:
    batch, n_input, units, rank = draw(st.integers(1, 3)), draw(sizes), draw(st.integers(1, 9)), draw(st.integers(1, 9))
    memory, filters = draw(st.integers(1, 12)), units * rank
    rng = generator(draw, batch, n_input, units, rank, memory)
    input_scale, (feature_scale,), _ = scales_of(rng, INT8, INT8, n_input, 1)
    # Newest elements of about 16 bits, and outputs of about 8.
    state_scale = input_scale * feature_scale * 74 * np.sqrt(n_input) * 2.0 ** rng.uniform(-9, 2) or 0.1
    time_scale = float(rng.choice([2.0**-15, 1e-4, 0.003]))
    deviation = 19000 * 9000 * np.sqrt(memory * rank)
    output_scale = state_scale * time_scale * deviation / 74 * 2.0 ** rng.uniform(-4, 4)
    zero_points = [int(z) for z in rng.choice([0, -128, 127, 5, -1, 300], 2, p=[0.3, 0.2, 0.1, 0.2, 0.15, 0.05])]
    specs = [
        TensorSpec(INT8, (batch, n_input), Quantization.per_tensor(input_scale, zero_points[0])),
        TensorSpec.constant(weights(rng, (filters, n_input), INT8), Quantization.per_tensor(feature_scale)),
        TensorSpec.constant(weights(rng, (filters, memory), INT16), Quantization.per_tensor(time_scale)),
        bias_spec(rng, INT32, units, 1e-4, memory * rank, INT16) if draw(st.booleans()) else None,
        TensorSpec(INT16, (batch, memory * filters), Quantization.per_tensor(state_scale), is_variable=True),
    ]
    # TensorFlow Lite has no other activation in integers.
    activation = draw(st.sampled_from([ActivationFunctionType.RELU] * 19 + [ActivationFunctionType.NONE]))
    output = TensorSpec(INT8, (), Quantization.per_tensor(output_scale, zero_points[1]))
    model = single_operator_model("SVDF", specs, [output], SVDFOptions(rank, activation))
    rounds = [[random_data(rng, specs[0])] for _ in range(draw(st.integers(1, memory + 2)))]
    return Rounds(model, [*rounds, rounds[0]])


@st.composite
def rnn(draw: st.DrawFn, type: TensorType, single_step: bool) -> Rounds:
    time, batch, n_input, units = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(sizes), draw(sizes)
    rng = generator(draw, time, batch, n_input, units)
    time_major, activation, asymmetric = draw(st.booleans()), draw(all_activations), draw(st.booleans())
    shape: Shape = (time, batch, n_input) if time_major else (batch, time, n_input)
    shape = (batch, n_input) if single_step else shape
    specs = [TensorSpec(FLOAT32, shape), *cell(rng, type, n_input, units), state(batch, units)]
    model = single_operator_model(
        "RNN" if single_step else "UNIDIRECTIONAL_SEQUENCE_RNN",
        specs,
        [TensorSpec(FLOAT32, ())],
        RNNOptions(activation, asymmetric) if single_step else SequenceRNNOptions(time_major, activation, asymmetric),
    )
    first, second = ([vectors(rng, shape)] for _ in range(2))
    return Rounds(model, [first, second, first])


def cell(rng: np.random.Generator, type: TensorType, n_input: int, units: int) -> list[TensorSpec]:
    return [matrix(rng, type, (units, n_input)), matrix(rng, type, (units, units)), float_bias(rng, units)]


@st.composite
def pairs_of_cells(draw: st.DrawFn, type: TensorType) -> Rounds:
    time, batch, n_input = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(sizes)
    units = draw(sizes), draw(sizes)
    rng = generator(draw, time, batch, n_input, *units)
    aux, merge_outputs, time_major = (
        draw(st.sampled_from(["none", "weights", "input"])),
        *(draw(st.booleans()) for _ in range(2)),
    )
    n_aux = n_input + int(rng.choice([0, 0, 1, 7])) if aux == "weights" else 0
    if n_aux and type == FLOAT32 and not time_major:
        n_aux = draw(sizes)
    outer = (time, batch) if time_major else (batch, time)
    shapes: list[Shape] = [(*outer, n_input)] + ([] if aux == "none" else [(*outer, n_aux or n_input)])
    specs: list[TensorSpec | None] = [TensorSpec(FLOAT32, shapes[0])]
    for size in units:
        specs += [*cell(rng, type, n_input, size), state(batch, size)]
    specs.append(TensorSpec(FLOAT32, shapes[1]) if len(shapes) > 1 else None)
    specs += [matrix(rng, type, (size, n_aux)) if n_aux else None for size in units]
    # Otherwise TensorFlow Lite crashes.
    asymmetric = draw(st.booleans()) or (merge_outputs and time_major and batch > 1)
    options = BidirectionalSequenceRNNOptions(
        time_major, draw(all_activations), merge_outputs, asymmetric_quantize_inputs=asymmetric
    )
    outputs = [TensorSpec(FLOAT32, ()) for _ in range(2 - merge_outputs)]
    model = single_operator_model("BIDIRECTIONAL_SEQUENCE_RNN", specs, outputs, options)
    first, second = ([vectors(rng, shape) for shape in shapes] for _ in range(2))
    return Rounds(model, [first, second, first])


all_types = pytest.mark.parametrize("type", [FLOAT32, INT8, TensorType.UINT8], ids=lambda t: t.label)


@examples
@all_types
def test_svdf(examples: int, type: TensorType) -> None:
    check_rounds(svdf(type), examples)


@examples
def test_integer_svdf(examples: int) -> None:
    check_rounds(integer_svdf(), examples)


@examples
@all_types
@pytest.mark.parametrize("single_step", [False, True], ids=["UNIDIRECTIONAL_SEQUENCE_RNN", "RNN"])
def test_rnn(examples: int, type: TensorType, single_step: bool) -> None:
    check_rounds(rnn(type, single_step), examples)


@examples
@all_types
def test_bidirectional_sequence_rnn(examples: int, type: TensorType) -> None:
    check_rounds(pairs_of_cells(type), examples)
