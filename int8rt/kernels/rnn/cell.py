"""The cell of the RNN operators and a step of it: float32, or integer weights for vectors quantized each step.

output = activation(bias + weights · input (+ weights · auxiliary input) + recurrent weights · hidden state), added in
this order in float32; the output is the next hidden state.
Source: TensorFlow Lite kernels/internal/kernel_utils.cc, RnnBatchStep.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import Array, OperatorContext, TensorInfo
from int8rt.kernels.float32 import neon_product
from int8rt.kernels.hybrid.activation import apply_activation_to_vector
from int8rt.kernels.hybrid.product import matrix_batch_vector_multiply_accumulate
from int8rt.kernels.hybrid.scales import hybrid_scales
from int8rt.model import ActivationFunctionType, TensorType
from int8rt.quantization.hybrid import batch_quantize_floats

Float32 = npt.NDArray[np.float32]

INPUT = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RnnLayout:
    """Positions of a cell's tensors among the inputs of an operator. aux_weights: None where there can't be any."""

    weights: int
    recurrent_weights: int
    bias: int
    hidden_state: int
    aux_weights: int | None = None


SINGLE = RnnLayout(weights=1, recurrent_weights=2, bias=3, hidden_state=4)


@dataclass(frozen=True, slots=True, kw_only=True)
class RnnCell:
    """scales: of the weights of the input, of the auxiliary input and of the hidden state; None for float32.

    aux: elements of the auxiliary input, 0 for none.
    """

    layout: RnnLayout
    batch: int
    units: int
    aux: int
    activation: ActivationFunctionType
    scales: tuple[np.float32, ...] | None
    asymmetric_quantize_inputs: bool


def prepare_cell(
    context: OperatorContext,
    layout: RnnLayout,
    batch: int,
    activation: ActivationFunctionType,
    asymmetric_quantize_inputs: bool,
    aux: TensorInfo | None = None,
) -> RnnCell:
    """Check the tensors of a cell. aux: its auxiliary input, which comes with `layout.aux_weights`."""
    weights, bias = context.input(layout.weights), context.input(layout.bias)
    hidden_state = context.variable(layout.hidden_state)
    if weights.rank != 2:
        raise context.invalid(f"weights {weights.name!r} must be a matrix, found {list(weights.shape)}")
    units = weights.shape[0]
    expected = [
        (weights, (units, context.input(INPUT).shape[-1])),
        (context.input(layout.recurrent_weights), (units, units)),
        (bias, (units,)),
        (hidden_state, (batch, units)),
    ]
    of_aux = None
    if aux is not None and layout.aux_weights is not None:
        of_aux = context.input(layout.aux_weights)
        expected.append((of_aux, (units, aux.shape[-1])))
    matrices = weights, of_aux, context.input(layout.recurrent_weights)
    for tensor, shape in expected:
        if tensor.shape != shape:
            raise context.invalid(f"tensor {tensor.name!r} has shape {list(tensor.shape)}, expected {list(shape)}")
    scales = None
    if weights.type != TensorType.FLOAT32:
        if any(matrix is not None and matrix.value is None for matrix in matrices):
            # TensorFlow Lite keeps the sums of the weights of the first run.
            raise context.unsupported("integer weights that are not constant")
        scales = tuple(
            np.float32(0) if matrix is None else hybrid_scales(context, matrix, 0).filter for matrix in matrices
        )
    return RnnCell(
        layout=layout,
        batch=batch,
        units=units,
        aux=0 if aux is None else aux.shape[-1],
        activation=activation,
        scales=scales,
        asymmetric_quantize_inputs=asymmetric_quantize_inputs,
    )


def step_of(cell: RnnCell, inputs: Sequence[Array | None]) -> Callable[[Array, Array | None, Array], Array]:
    """A function step(x, aux, hidden) that gives the output of some rows of the batch: float32[rows,units]."""
    layout = cell.layout

    def array(index: int | None) -> Array | None:
        return None if index is None else inputs[index]

    matrices = array(layout.weights), array(layout.aux_weights), array(layout.recurrent_weights)
    bias = array(layout.bias)
    assert bias is not None
    accumulate = _accumulate_float if cell.scales is None else _accumulate_hybrid

    def step(x: Array, aux: Array | None, hidden: Array) -> Array:
        output: Float32 = np.empty((len(x), cell.units), np.float32)
        output[...] = bias
        for turn, (vectors, weights) in enumerate(zip((x, aux, hidden), matrices, strict=True)):
            if vectors is not None and weights is not None:
                accumulate(cell, turn, output, weights, vectors)
        return apply_activation_to_vector(output, cell.activation)

    return step


def _accumulate_float(cell: RnnCell, turn: int, output: Float32, weights: Array, vectors: Array) -> None:
    neon_product.matrix_batch_vector_multiply_accumulate(output, weights, vectors)


def _accumulate_hybrid(cell: RnnCell, turn: int, output: Float32, weights: Array, vectors: Array) -> None:
    assert cell.scales is not None
    if np.any(vectors):
        rows = batch_quantize_floats(vectors, cell.asymmetric_quantize_inputs)
        with np.errstate(all="ignore"):
            scale = rows.scale * cell.scales[turn]
        matrix_batch_vector_multiply_accumulate(output, weights.view(np.int8), rows.codes, scale, rows.zero_point)
