from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import strategies as st

from int8rt.kernels.lstm.bidirectional import AUX_INPUT, BACKWARD, FORWARD
from int8rt.kernels.lstm.tensors import CELL_GATE, SINGLE, LstmLayout
from int8rt.model import ActivationFunctionType, Model, Quantization, Shape, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.enums import LSTMKernelType
from int8rt.schema.options import BidirectionalSequenceLSTMOptions, LSTMOptions, UnidirectionalSequenceLSTMOptions
from tests.differential.cases import examples
from tests.differential.convolutions import generator, weights
from tests.differential.hybrids import activation_values, all_activations
from tests.differential.stateful import Rounds, assert_same_bits_in_a_row, check_rounds

pytestmark = pytest.mark.litert

FLOAT32, UINT8 = TensorType.FLOAT32, TensorType.UINT8


class Cell:
    """Draws the tensors of one LSTM into `specs`. type: of the weights. plain: without what few models have."""

    def __init__(
        self, draw: st.DrawFn, rng: np.random.Generator, type: TensorType, n_cell: int, n_output: int, plain: bool
    ) -> None:
        self.draw, self.rng, self.type, self.n_cell, self.n_output = draw, rng, type, n_cell, n_output
        self.projection = not plain and (n_cell != n_output or draw(st.booleans()))
        self.cifg = draw(st.booleans())
        self.peephole, self.layer_norm = (not plain and draw(st.booleans()) for _ in range(2))

    def add(
        self, specs: list[TensorSpec | None], layout: LstmLayout, batch: int, n_input: int, n_aux: int, diagonal: bool
    ) -> None:
        rng, n_cell, n_output = self.rng, self.n_cell, self.n_output
        for gate in range(1, 4) if self.cifg else range(4):
            specs[layout.input_weights[gate]] = self.weights((n_cell, n_input))
            if diagonal and not self.projection and self.draw(st.booleans()):
                specs[layout.recurrent_weights[gate]] = self.floats((n_cell,))
            else:
                specs[layout.recurrent_weights[gate]] = self.weights((n_cell, n_output))
            specs[layout.bias[gate]] = self.floats((n_cell,))
            index = layout.peephole_weights[gate]
            if self.peephole and index is not None:
                specs[index] = self.weights((n_cell,))
            index = layout.layer_norm[gate]
            if self.layer_norm and index is not None:
                specs[index] = self.floats((n_cell,))
            index = layout.aux_weights[gate]
            if n_aux and index is not None:
                specs[index] = self.weights((n_cell, n_aux))
        if self.projection:
            specs[layout.projection_weights] = self.weights((n_output, n_cell))
            if self.draw(st.booleans()):
                specs[layout.projection_bias] = self.floats((n_output,))
        specs[layout.output_state] = TensorSpec(FLOAT32, (batch, n_output), is_variable=True)
        specs[layout.cell_state] = TensorSpec(FLOAT32, (batch, n_cell), is_variable=True)
        rng.random()

    def weights(self, shape: Shape) -> TensorSpec:
        if self.type == FLOAT32:
            values = self.rng.normal(0, self.rng.choice([1, 0.3]), shape)
            return TensorSpec.constant(np.where(self.rng.random(shape) < 0.05, -0.0, values).astype(np.float32))
        # States must not grow until they overflow.
        scale = self.rng.choice([0.02, 1 / 300, 0.0071, 1e-5])
        data = weights(self.rng, shape, self.type)
        return TensorSpec.constant(data, Quantization.per_tensor(scale, 0), type=self.type)

    def floats(self, shape: Shape) -> TensorSpec:
        return TensorSpec.constant(self.rng.choice([0, -0.0, *self.rng.normal(0, 1, 6)], shape).astype(np.float32))


def sequence(rng: np.random.Generator, shape: Shape) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    # What overflows float32 on its way is another matter.
    values = np.clip(activation_values(rng, shape), np.float32(-1e8), np.float32(1e8))
    # Some steps of nothing but zeros, which are left out.
    values[rng.random(shape[:2]) < rng.choice([0, 0.3])] = rng.choice([0.0, -0.0])
    return values


def gate_sizes(draw: st.DrawFn) -> tuple[int, int]:
    """(cells, outputs)."""
    n_cell = draw(st.integers(1, 24)) if draw(st.booleans()) else draw(st.sampled_from([16, 32, 37]))
    return n_cell, draw(st.sampled_from([n_cell, max(1, n_cell // 2), n_cell + 3]))


def clips(rng: np.random.Generator) -> dict[str, float]:
    return {"cell_clip": float(rng.choice([0, 0, 10, 0.5])), "proj_clip": float(rng.choice([0, 0, 0.3]))}


def rounds(rng: np.random.Generator, model: Model, shapes: Sequence[Shape]) -> Rounds:
    first, second = ([sequence(rng, shape) for shape in shapes] for _ in range(2))
    return Rounds(model, [first, second, first])


@st.composite
def cells(draw: st.DrawFn, type: TensorType, single_step: bool = False, plain: bool = False) -> Rounds:
    time, batch, n_input = draw(st.integers(1, 4)), draw(st.integers(1, 6)), draw(st.integers(1, 40))
    n_cell, n_output = (4 * draw(st.integers(1, 12)),) * 2 if plain else gate_sizes(draw)
    rng = generator(draw, time, batch, n_input, n_cell, n_output)
    cell, time_major = Cell(draw, rng, type, n_cell, n_output, plain), draw(st.booleans())
    specs: list[TensorSpec | None] = [None] * 24
    shape: Shape = (time, batch, n_input) if time_major else (batch, time, n_input)
    shape = (batch, n_input) if single_step else shape
    specs[0] = TensorSpec(FLOAT32, shape)
    cell.add(specs, SINGLE, batch, n_input, 0, diagonal=not (single_step or plain) and draw(st.booleans()))
    name, asymmetric = "LSTM", draw(st.booleans())
    activation = ActivationFunctionType.TANH if plain else draw(all_activations)
    options: object = LSTMOptions(activation, **clips(rng), asymmetric_quantize_inputs=asymmetric)
    if not single_step:
        name = "UNIDIRECTIONAL_SEQUENCE_LSTM"
        options = UnidirectionalSequenceLSTMOptions(
            activation, **clips(rng), time_major=time_major, asymmetric_quantize_inputs=asymmetric
        )
    specs = specs if cell.layer_norm or draw(st.booleans()) else specs[:20]
    model = single_operator_model(name, specs, [TensorSpec(FLOAT32, ())], options)
    return rounds(rng, model, [shape])


@st.composite
def pairs_of_cells(draw: st.DrawFn, type: TensorType) -> Rounds:
    time, batch, n_input = draw(st.integers(1, 4)), draw(st.integers(1, 4)), draw(st.integers(1, 40))
    sizes = [gate_sizes(draw)] * 2
    rng = generator(draw, time, batch, n_input, *sizes[0], *sizes[1])
    merge_outputs, aux = draw(st.booleans()), draw(st.sampled_from(["none", "weights", "input"]))
    time_major = draw(st.booleans()) or (merge_outputs and batch > 1)
    n_aux = draw(st.integers(1, 20)) if aux == "weights" else 0
    specs: list[TensorSpec | None] = [None] * 48
    outer = (time, batch) if time_major else (batch, time)
    shapes = [(*outer, n_input)] + ([] if aux == "none" else [(*outer, n_aux or n_input)])
    specs[0] = TensorSpec(FLOAT32, shapes[0])
    if len(shapes) > 1:
        specs[AUX_INPUT] = TensorSpec(FLOAT32, shapes[1])
    for layout, (n_cell, n_output) in zip((FORWARD, BACKWARD), sizes, strict=True):
        Cell(draw, rng, type, n_cell, n_output, plain=False).add(specs, layout, batch, n_input, n_aux, diagonal=False)
    options = BidirectionalSequenceLSTMOptions(
        draw(all_activations),
        **clips(rng),
        merge_outputs=merge_outputs,
        time_major=time_major,
        asymmetric_quantize_inputs=draw(st.booleans()),
    )
    outputs = [TensorSpec(FLOAT32, ()) for _ in range(2 - merge_outputs)]
    return rounds(rng, single_operator_model("BIDIRECTIONAL_SEQUENCE_LSTM", specs, outputs, options), shapes)


@st.composite
def basic_cells(draw: st.DrawFn, integer: bool) -> Rounds:
    batch, n_input, size = draw(st.integers(1, 4)), draw(st.integers(1, 40)), draw(st.integers(1, 24))
    rng = generator(draw, batch, n_input, size)
    options = LSTMOptions(kernel_type=LSTMKernelType.BASIC)
    shapes = (batch, n_input), (batch, size), (4 * size, n_input + size), (4 * size,), (batch, size)
    data = rng.normal(0, 1, shapes[2]), rng.normal(0, 1, shapes[3])
    if integer:
        scale = Quantization.per_tensor(1 / 128, 128)
        weights_scale, bound = 2.0 ** rng.uniform(-9, -4), int(rng.choice([60, 127]))
        zero_point = int(rng.choice([128, 0, 255, 100]))
        inputs = [
            TensorSpec(UINT8, shapes[0], scale),
            TensorSpec(UINT8, shapes[1], scale, is_variable=True),
            TensorSpec.constant(
                np.clip(data[0] * bound + zero_point, 0, 255).astype(np.uint8),
                Quantization.per_tensor(weights_scale, zero_point),
            ),
            TensorSpec.constant((data[1] * 9000).astype(np.int32), Quantization.per_tensor(weights_scale / 128, 0)),
            TensorSpec(TensorType.INT16, shapes[4], Quantization.per_tensor(2.0**-11, 0), is_variable=True),
        ]
        first, second = ([rng.integers(0, 256, shapes[0]).astype(np.uint8)] for _ in range(2))
        types = UINT8, TensorType.INT16, UINT8, TensorType.INT16
        like = inputs[0], inputs[4], inputs[0], inputs[4]
        outputs = [TensorSpec(t, (), spec.quantization) for t, spec in zip(types, like, strict=True)]
        model = single_operator_model("LSTM", inputs, outputs, options)
        return Rounds(model, [first, second, first])
    inputs = [
        TensorSpec(FLOAT32, shapes[0]),
        TensorSpec(FLOAT32, shapes[1], is_variable=True),
        *(TensorSpec.constant(values.astype(np.float32)) for values in data),
        TensorSpec(FLOAT32, shapes[4], is_variable=True),
    ]
    model = single_operator_model("LSTM", inputs, [TensorSpec(FLOAT32, ()) for _ in range(4)], options)
    values = np.stack([activation_values(rng, shapes[0]) for _ in range(2)]).clip(-1e12, 1e12)
    return Rounds(model, [[values[0]], [values[1]], [values[0]]])


all_types = pytest.mark.parametrize("type", [FLOAT32, TensorType.INT8, UINT8], ids=lambda t: t.label)


@examples
@all_types
def test_unidirectional_sequence_lstm(examples: int, type: TensorType) -> None:
    check_rounds(cells(type), examples)


@examples
@all_types
def test_cells_that_are_compiled(examples: int, type: TensorType) -> None:
    check_rounds(st.booleans().flatmap(lambda single_step: cells(type, single_step, plain=True)), examples)


@examples
@all_types
def test_lstm(examples: int, type: TensorType) -> None:
    check_rounds(cells(type, single_step=True), examples)


@examples
@all_types
def test_bidirectional_sequence_lstm(examples: int, type: TensorType) -> None:
    check_rounds(pairs_of_cells(type), examples)


@examples
@pytest.mark.parametrize("integer", [False, True], ids=["float32", "uint8"])
def test_basic_lstm(examples: int, integer: bool) -> None:
    check_rounds(basic_cells(integer), examples)


@pytest.mark.parametrize(("cell_gate", "weight"), [(0.0, -1.0), (-1e-45, 0.139)])
@pytest.mark.parametrize("n_cell", [1, 2, 5, 16, 33])
@pytest.mark.parametrize(("batch", "time_major"), [(1, True), (2, False), (2, True)])
def test_one_output_of_nothing_but_negative_zeros(
    batch: int, time_major: bool, n_cell: int, cell_gate: float, weight: float
) -> None:
    """A single number is a sum that begins with 0, so that it is not negative."""

    def full(shape: Shape, value: float) -> TensorSpec:
        return TensorSpec.constant(np.full(shape, value, np.float32))

    specs: list[TensorSpec | None] = [None] * 24
    shape: Shape = (1, batch, 1) if time_major else (batch, 1, 1)
    specs[0] = TensorSpec(FLOAT32, shape)
    for gate in range(4):
        specs[SINGLE.input_weights[gate]] = full((n_cell, 1), 0)
        specs[SINGLE.recurrent_weights[gate]] = full((n_cell, 1), 0)
        specs[SINGLE.bias[gate]] = full((n_cell,), cell_gate if gate == CELL_GATE else 50.0)
    specs[SINGLE.projection_weights] = full((1, n_cell), weight)
    specs[SINGLE.projection_bias] = full((1,), -0.0)
    specs[SINGLE.output_state] = TensorSpec(FLOAT32, (batch, 1), is_variable=True)
    specs[SINGLE.cell_state] = TensorSpec(FLOAT32, (batch, n_cell), is_variable=True)
    options = UnidirectionalSequenceLSTMOptions(ActivationFunctionType.RELU_N1_TO_1, time_major=time_major)
    output = TensorSpec(FLOAT32, ())
    model = single_operator_model("UNIDIRECTIONAL_SEQUENCE_LSTM", specs, [output], options)
    assert_same_bits_in_a_row(model, [[np.zeros(shape, np.float32)]])
