"""An LSTM with float32 input, output and states: what is checked, and all steps of a sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from int8rt.kernels.base import Array, OperatorContext, Params, Updated
from int8rt.kernels.hybrid.scales import hybrid_scales
from int8rt.kernels.lstm.float_cell import FloatCell, step_of
from int8rt.kernels.lstm.tensors import INPUT, OUTPUT_GATE, SINGLE, LstmLayout, LstmSizes, required
from int8rt.model import ActivationFunctionType, TensorType


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatLstmParams(Params):
    """The parameters of an operator with a single cell."""

    cell: FloatCell


def prepare(
    context: OperatorContext,
    sizes: LstmSizes,
    activation: ActivationFunctionType,
    clips: tuple[float, float],
    asymmetric_quantize_inputs: bool,
) -> FloatLstmParams:
    """The parameters of an operator with a single LSTM whose shapes have been checked."""
    return FloatLstmParams(
        output_shapes=((*context.input(INPUT).shape[:-1], sizes.output),),
        cell=prepare_cell(context, SINGLE, sizes, activation, clips, asymmetric_quantize_inputs),
    )


def evaluate(params: FloatLstmParams, inputs: Sequence[Array | None]) -> Updated:
    """All steps of a sequence."""
    (shape,) = params.output_shapes
    assert shape is not None
    result, sequence = np.empty(shape, np.float32), params.cell.sizes.sequence
    states = run_cell(params.cell, inputs, sequence(required(inputs, INPUT)), None, sequence(result))
    return Updated((result,), states)


def prepare_cell(
    context: OperatorContext,
    layout: LstmLayout,
    sizes: LstmSizes,
    activation: ActivationFunctionType,
    clips: tuple[float, float],
    asymmetric_quantize_inputs: bool,
) -> FloatCell:
    """The parameters of an LSTM whose shapes have been checked. clips: of the cell and of the projection."""
    cell_clip, proj_clip = clips
    if cell_clip < 0 or proj_clip < 0:
        raise context.invalid(f"clips {cell_clip:g} and {proj_clip:g} must not be negative")
    scales, weights_type = None, context.input(layout.input_weights[OUTPUT_GATE]).type
    for gate in sizes.gates:
        recurrent = context.input(layout.recurrent_weights[gate])
        type = TensorType.FLOAT32 if recurrent.rank == 1 else weights_type
        if recurrent.type != type:
            message = f"recurrent weights {recurrent.name!r} {list(recurrent.shape)} must be {type.label}"
            raise context.unsupported(f"{message}, found {recurrent.type.label}")
    if weights_type != TensorType.FLOAT32:
        scales = {}
        groups = layout.input_weights, layout.recurrent_weights, layout.peephole_weights, layout.aux_weights
        for index in (*(index for group in groups for index in group), layout.projection_weights):
            tensor = None if index is None else context.optional_input(index)
            if index is not None and tensor is not None:
                scales[index] = hybrid_scales(context, tensor, 0).filter
    return FloatCell(
        layout=layout,
        sizes=sizes,
        activation=activation,
        cell_clip=cell_clip,
        proj_clip=proj_clip,
        scales=scales,
        asymmetric_quantize_inputs=asymmetric_quantize_inputs,
    )


def run_cell(
    cell: FloatCell, inputs: Sequence[Array | None], x: Array, aux: Array | None, target: Array, backward: bool = False
) -> dict[int, Array]:
    """All steps of a sequence into `target`; the new values of the variables. x, aux, target: [time, batch, n]."""
    sizes, layout = cell.sizes, cell.layout
    step = step_of(cell, inputs).step
    outputs = required(inputs, layout.output_state).reshape(sizes.batch, sizes.output).copy()
    cells = required(inputs, layout.cell_state).reshape(sizes.batch, sizes.cell).copy()
    with np.errstate(all="ignore"):
        for time, rows in sizes.steps(backward):
            outputs[rows], cells[rows] = step(
                x[time, rows], None if aux is None else aux[time, rows], outputs[rows], cells[rows], rows.start or 0
            )
            target[time, rows] = outputs[rows]
    states = {layout.output_state: outputs, layout.cell_state: cells}
    return {index: state.reshape(required(inputs, index).shape) for index, state in states.items()}
