"""The tensors of an LSTM: where they are among the inputs, and what their shapes must be.

Four gates (input, forget, cell, output) have each a matrix for the input and one for the previous output, a bias, and,
where they are used, peephole weights (none for the cell gate), layer normalization coefficients and a matrix for an
auxiliary input. Without an input gate ("coupled input and forget gate") its place is taken by 1 - forget gate.
Source: TensorFlow Lite kernels/lstm_shared.h and kernels/unidirectional_sequence_lstm.cc, CheckInputTensorDimensions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from int8rt.kernels.base import Array, OperatorContext, TensorInfo, element_count
from int8rt.model import Shape

INPUT_GATE, FORGET_GATE, CELL_GATE, OUTPUT_GATE = GATES = range(4)

INPUT = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LstmLayout:
    """Positions among the inputs of an operator, of each gate or of the whole cell. None: there is never such one."""

    input_weights: tuple[int, ...]
    recurrent_weights: tuple[int, ...]
    peephole_weights: tuple[int | None, ...]
    bias: tuple[int, ...]
    projection_weights: int
    projection_bias: int
    output_state: int
    cell_state: int
    layer_norm: tuple[int | None, ...] = (None,) * 4
    aux_weights: tuple[int | None, ...] = (None,) * 4


SINGLE = LstmLayout(
    input_weights=(1, 2, 3, 4),
    recurrent_weights=(5, 6, 7, 8),
    peephole_weights=(9, 10, None, 11),
    bias=(12, 13, 14, 15),
    projection_weights=16,
    projection_bias=17,
    output_state=18,
    cell_state=19,
    layer_norm=(20, 21, 22, 23),
)
INPUTS_WITHOUT_LAYER_NORM, INPUTS = 20, 24


@dataclass(frozen=True, slots=True)
class LstmSizes:
    """Elements of each vector, and which parts the cell has. aux: 0 without an auxiliary input.

    time_major: the input is [time, batch, ..].
    """

    time: int
    batch: int
    input: int
    cell: int
    output: int
    time_major: bool
    use_cifg: bool
    use_peephole: bool
    use_projection: bool
    use_layer_norm: bool
    aux: int = 0

    @property
    def gates(self) -> tuple[int, ...]:
        """The gates that are computed."""
        return tuple(GATES[1:] if self.use_cifg else GATES)

    def sequence(self, tensor: Array) -> Array:
        """A tensor [time, batch, n] or [batch, time, n] as [time, batch, n]; a view."""
        tensor = tensor.reshape(-1, self.batch, tensor.shape[-1]) if tensor.ndim == 2 else tensor
        return tensor if self.time_major else tensor.swapaxes(0, 1)

    def steps(self, backward: bool = False) -> Iterator[tuple[int, slice]]:
        """(time, rows of the batch) of each step; batch-major sequences come one after the other."""
        times = range(self.time)[::-1] if backward else range(self.time)
        blocks = [slice(None)] if self.time_major else [slice(row, row + 1) for row in range(self.batch)]
        for rows in blocks:
            for time in times:
                yield time, rows


def check_tensors(context: OperatorContext, time_major: bool, diagonal: bool = False) -> LstmSizes:
    """The sizes of the only LSTM of an operator; `ModelError` where its tensors do not fit together.

    An input of rank 2 is a single step. diagonal: recurrent weights may be vectors.
    """
    count = len(context.inputs)
    if count not in (INPUTS_WITHOUT_LAYER_NORM, INPUTS):
        raise context.invalid(f"has {count} inputs, expected {INPUTS_WITHOUT_LAYER_NORM} or {INPUTS}")
    shape = context.input(INPUT).shape
    return check_cell(context, SINGLE, (1, *shape) if len(shape) == 2 else shape, time_major, diagonal=diagonal)


def check_cell(
    context: OperatorContext, layout: LstmLayout, shape: Shape, time_major: bool, aux: int = 0, diagonal: bool = False
) -> LstmSizes:
    """The sizes of one LSTM. shape: that of its input; aux: elements of its auxiliary input, 0 for none."""
    time, batch = shape[:2] if time_major else shape[1::-1]
    weights = context.input(layout.input_weights[OUTPUT_GATE])
    recurrent = context.input(layout.recurrent_weights[OUTPUT_GATE])
    if weights.rank != 2 or recurrent.rank not in (1, 2):
        shapes = f"{list(weights.shape)} and {list(recurrent.shape)}"
        raise context.invalid(f"{weights.name!r} must have rank 2, {recurrent.name!r} rank 1 or 2, found {shapes}")

    def there(index: int | None) -> bool:
        return index is not None and context.optional_input(index) is not None

    sizes = LstmSizes(
        time=time,
        batch=batch,
        input=shape[2],
        cell=weights.shape[0],
        output=recurrent.shape[-1],
        time_major=time_major,
        use_cifg=not there(layout.input_weights[INPUT_GATE]),
        use_peephole=there(layout.peephole_weights[OUTPUT_GATE]),
        use_projection=there(layout.projection_weights),
        use_layer_norm=there(layout.layer_norm[FORGET_GATE]),
        aux=aux,
    )
    if not sizes.use_projection and sizes.output != sizes.cell:
        raise context.invalid(f"{sizes.cell} cells without a projection have {sizes.output} outputs")
    _check_weights(context, layout, sizes, diagonal)
    for index, size in ((layout.output_state, sizes.output), (layout.cell_state, sizes.cell)):
        state = context.variable(index)
        if element_count(state.shape) != batch * size:
            raise context.invalid(f"state {state.name!r} has shape {list(state.shape)}, expected {[batch, size]}")
    return sizes


def _check_weights(context: OperatorContext, layout: LstmLayout, sizes: LstmSizes, diagonal: bool) -> None:
    """`ModelError` unless every weight and bias is there if it is needed, and only then, and has the right shape."""
    for gate in GATES:
        used = gate in sizes.gates
        _check(context, layout.input_weights[gate], (sizes.cell, sizes.input), used)
        recurrent = context.optional_input(layout.recurrent_weights[gate])
        vector = diagonal and used and recurrent is not None and recurrent.rank == 1
        shape = (sizes.cell,) if vector else (sizes.cell, sizes.output)
        _check(context, layout.recurrent_weights[gate], shape, used)
        _check(context, layout.bias[gate], (sizes.cell,), used)
        peephole = layout.peephole_weights[gate]
        if peephole is not None and (used or context.optional_input(peephole) is not None):
            _check(context, peephole, (sizes.cell,), sizes.use_peephole)
        _check(context, layout.layer_norm[gate], (sizes.cell,), used and sizes.use_layer_norm)
        _check(context, layout.aux_weights[gate], (sizes.cell, sizes.aux), used and sizes.aux > 0)
    _check(context, layout.projection_weights, (sizes.output, sizes.cell), sizes.use_projection)
    if context.optional_input(layout.projection_bias) is not None:
        _check(context, layout.projection_bias, (sizes.output,), sizes.use_projection)


def _check(context: OperatorContext, index: int | None, shape: Shape, used: bool) -> None:
    if index is None:
        return
    tensor = context.optional_input(index)
    if tensor is not None and not used:
        raise context.invalid(f"input {index} {tensor.name!r} belongs to a part that the cell has not")
    if used and context.input(index).shape != shape:
        found = context.input(index)
        raise context.invalid(f"input {index} {found.name!r} has shape {list(found.shape)}, expected {list(shape)}")


def scale_of(context: OperatorContext, tensor: TensorInfo) -> float:
    """The scale of a whole tensor."""
    return context.per_tensor(tensor)[0]


def optional(inputs: Sequence[Array | None], index: int | None) -> Array | None:
    """Input `index` of those given to `evaluate`, or None where it is absent."""
    return inputs[index] if index is not None and index < len(inputs) else None


def required(inputs: Sequence[Array | None], index: int | None) -> Array:
    """Input `index` of those given to `evaluate`, which `check_cell` has found to be there."""
    value = optional(inputs, index)
    assert value is not None
    return value
