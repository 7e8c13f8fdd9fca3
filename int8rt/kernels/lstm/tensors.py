"""The tensors of an LSTM: where they are among the inputs, and what their shapes must be.

Four gates (input, forget, cell, output) have each a matrix for the input and one for the previous output, a bias, and,
where they are used, peephole weights (none for the cell gate) and layer normalization coefficients. Without an input
gate ("coupled input and forget gate") its place is taken by 1 - forget gate. Source: TensorFlow Lite
kernels/lstm_shared.h and kernels/unidirectional_sequence_lstm.cc, CheckInputTensorDimensions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from int8rt.kernels.base import Array, OperatorContext, TensorInfo, element_count
from int8rt.model import Shape

INPUT_GATE, FORGET_GATE, CELL_GATE, OUTPUT_GATE = GATES = range(4)
GATE_NAMES = ("input", "forget", "cell", "output")

INPUT = 0
INPUT_WEIGHTS = (1, 2, 3, 4)
RECURRENT_WEIGHTS = (5, 6, 7, 8)
PEEPHOLE_WEIGHTS = (9, 10, None, 11)
BIAS = (12, 13, 14, 15)
PROJECTION_WEIGHTS, PROJECTION_BIAS = 16, 17
OUTPUT_STATE, CELL_STATE = 18, 19
LAYER_NORM = (20, 21, 22, 23)
INPUTS_WITHOUT_LAYER_NORM, INPUTS = 20, 24


@dataclass(frozen=True, slots=True)
class LstmSizes:
    """Elements of each vector, and which parts the cell has. time_major: the input is [time, batch, ..]."""

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

    @property
    def gates(self) -> tuple[int, ...]:
        """The gates that are computed."""
        return tuple(GATES[1:] if self.use_cifg else GATES)

    def sequence(self, tensor: Array) -> Array:
        """A tensor [time, batch, n] or [batch, time, n] as [time, batch, n]; a view."""
        return tensor if self.time_major else tensor.swapaxes(0, 1)


def check_tensors(context: OperatorContext, time_major: bool) -> LstmSizes:
    """The sizes of an LSTM over a sequence; `ModelError` where its tensors do not fit together."""
    count = len(context.inputs)
    if count not in (INPUTS_WITHOUT_LAYER_NORM, INPUTS):
        raise context.invalid(f"has {count} inputs, expected {INPUTS_WITHOUT_LAYER_NORM} or {INPUTS}")
    input = context.input(INPUT)
    if input.rank != 3:
        raise context.invalid(f"input {input.name!r} must have rank 3, found {list(input.shape)}")
    time, batch = input.shape[:2] if time_major else input.shape[1::-1]
    weights, recurrent = context.input(INPUT_WEIGHTS[OUTPUT_GATE]), context.input(RECURRENT_WEIGHTS[OUTPUT_GATE])
    if weights.rank != 2 or recurrent.rank not in (1, 2):
        raise context.invalid(f"weights have shapes {list(weights.shape)} and {list(recurrent.shape)}")
    sizes = LstmSizes(
        time=time,
        batch=batch,
        input=input.shape[2],
        cell=weights.shape[0],
        output=recurrent.shape[-1],
        time_major=time_major,
        use_cifg=context.optional_input(INPUT_WEIGHTS[INPUT_GATE]) is None,
        use_peephole=context.optional_input(11) is not None,
        use_projection=context.optional_input(PROJECTION_WEIGHTS) is not None,
        use_layer_norm=context.optional_input(LAYER_NORM[FORGET_GATE]) is not None,
    )
    check_weights(context, sizes)
    for index, size in ((OUTPUT_STATE, sizes.output), (CELL_STATE, sizes.cell)):
        state = context.variable(index)
        if element_count(state.shape) != batch * size:
            raise context.invalid(f"state {state.name!r} has shape {list(state.shape)}, expected {[batch, size]}")
    return sizes


def check_weights(context: OperatorContext, sizes: LstmSizes) -> None:
    """`ModelError` unless every weight and bias is there if it is needed, and only then, and has the right shape."""
    if not sizes.use_projection and sizes.output != sizes.cell:
        raise context.invalid(f"{sizes.cell} cells without a projection have {sizes.output} outputs")
    for gate in GATES:
        used = gate in sizes.gates
        _check(context, INPUT_WEIGHTS[gate], (sizes.cell, sizes.input), used)
        recurrent = context.optional_input(RECURRENT_WEIGHTS[gate])
        diagonal = used and recurrent is not None and recurrent.rank == 1
        _check(context, RECURRENT_WEIGHTS[gate], (sizes.cell,) if diagonal else (sizes.cell, sizes.output), used)
        _check(context, BIAS[gate], (sizes.cell,), used)
        peephole = PEEPHOLE_WEIGHTS[gate]
        if peephole is not None and (used or context.optional_input(peephole) is not None):
            _check(context, peephole, (sizes.cell,), sizes.use_peephole)
        _check(context, LAYER_NORM[gate], (sizes.cell,), used and sizes.use_layer_norm)
    _check(context, PROJECTION_WEIGHTS, (sizes.output, sizes.cell), sizes.use_projection)
    if context.optional_input(PROJECTION_BIAS) is not None:
        _check(context, PROJECTION_BIAS, (sizes.output,), sizes.use_projection)


def _check(context: OperatorContext, index: int, shape: Shape, used: bool) -> None:
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


def required(inputs: Sequence[Array | None], index: int) -> Array:
    """Input `index` of those given to `evaluate`, which `check_tensors` has found to be there."""
    value = inputs[index]
    assert value is not None
    return value
