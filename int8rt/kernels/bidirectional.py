"""What BIDIRECTIONAL_SEQUENCE_LSTM and _RNN share: an auxiliary input, and outputs that may be merged."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from int8rt.kernels.base import Array, OperatorContext, TensorInfo
from int8rt.model import Shape


def checked_input(context: OperatorContext, count: int) -> TensorInfo:
    """Input 0; `ModelError` unless it has rank 3 and the operator has `count` inputs."""
    input = context.input(0)
    if len(context.inputs) != count:
        raise context.invalid(f"has {len(context.inputs)} inputs, expected {count}")
    if input.rank != 3:
        raise context.invalid(f"input {input.name!r} must have rank 3, found {list(input.shape)}")
    return input


def auxiliary_input(context: OperatorContext, index: int, weighted: bool) -> TensorInfo | None:
    """Input `index`, or None where there is none; `ModelError` unless its vectors belong to those of input 0.

    weighted: there are weights for it, so that it must be there and may be of another width.
    """
    input = context.input(0)
    aux = context.input(index) if weighted else context.optional_input(index)
    if aux is not None:
        expected = (*input.shape[:2], aux.shape[-1] if weighted and aux.rank else input.shape[2])
        if aux.shape != expected:
            raise context.invalid(
                f"auxiliary input {aux.name!r} has shape {list(aux.shape)}, expected {list(expected)}"
            )
    return aux


def output_shapes(context: OperatorContext, forward: int, backward: int, merged: bool) -> tuple[Shape, ...]:
    """Shapes of the outputs of cells with that many elements each; `ModelError` for another number of outputs."""
    widths = [forward + backward] if merged else [forward, backward]
    if len(context.outputs) != len(widths):
        raise context.invalid(f"has {len(context.outputs)} outputs, expected {len(widths)}")
    return tuple((*context.input(0).shape[:2], width) for width in widths)


def new_outputs(shapes: Sequence[Shape | None], forward: int) -> tuple[tuple[Array, ...], Array, Array]:
    """The outputs as float32, not yet written; and in them the parts of the forward and of the backward cell."""
    outputs = tuple(np.empty(shape or (), np.float32) for shape in shapes)
    first, last = outputs[0], outputs[-1]
    return (outputs, first, last) if len(outputs) == 2 else (outputs, first[..., :forward], first[..., forward:])
