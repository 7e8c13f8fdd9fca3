"""A step of an LSTM of real numbers. Weights: float32, or int8 for vectors that are quantized each step.

gate = bias + weights · input (+ weights · auxiliary input) + recurrent weights · output (+ peephole weights · cell),
then layer normalization, then the activation; cell = forget · cell + input gate · cell gate;
output = output gate · activation(cell), or its projection. Every operation is rounded to float32, in this order.
Source: TensorFlow Lite kernels/lstm_eval.cc, LstmStepFloat and LstmStepHybrid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import Array
from int8rt.kernels.float32.eigen_product import eigen_product
from int8rt.kernels.hybrid.activation import apply_activation_to_vector
from int8rt.kernels.hybrid.product import matrix_batch_vector_multiply_accumulate
from int8rt.kernels.lstm.tensors import (
    CELL_GATE,
    FORGET_GATE,
    INPUT_GATE,
    OUTPUT_GATE,
    LstmLayout,
    LstmSizes,
    optional,
    required,
)
from int8rt.model import ActivationFunctionType
from int8rt.quantization import eigen
from int8rt.quantization.hybrid import QuantizedRows, batch_quantize_floats

Float32 = npt.NDArray[np.float32]

_LARGEST = np.finfo(np.float32).max
_NORMALIZATION_CONSTANT = np.float32(1e-8)
# The order of the gates in TensorFlow Lite's memory, on which the logistic function's rounding depends.
_MEMORY = (INPUT_GATE, CELL_GATE, FORGET_GATE, OUTPUT_GATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatCell:
    """One LSTM. Clips: 0 for none. scales: of the integer weights, by input; None where they are float32."""

    layout: LstmLayout
    sizes: LstmSizes
    activation: ActivationFunctionType
    cell_clip: float
    proj_clip: float
    scales: Mapping[int, np.float32] | None = None
    asymmetric_quantize_inputs: bool = False


class Step:
    """One step of a cell. Subclasses know how to multiply a vector by a matrix."""

    def __init__(self, cell: FloatCell, inputs: Sequence[Array | None]) -> None:
        self.cell = cell
        self.inputs = inputs

    def step(
        self, x: Float32, aux: Float32 | None, output: Float32, cell: Float32, row: int
    ) -> tuple[Float32, Float32]:
        """(new output, new cell) of some rows of the batch, the first of which is `row`."""
        config, sizes = self.cell, self.cell.sizes
        vectors = self.vectors(x, aux, output)
        forget = self._gate(FORGET_GATE, vectors, output, cell, row)
        input_gate = None if sizes.use_cifg else self._gate(INPUT_GATE, vectors, output, cell, row)
        update = self._gate(CELL_GATE, vectors, output, cell, row)
        cell = forget * cell + update * (np.float32(1) - forget if input_gate is None else input_gate)
        if config.cell_clip > 0:
            cell = _clip(cell, config.cell_clip)
        output_gate = self._gate(OUTPUT_GATE, vectors, output, cell, row)
        if config.activation == ActivationFunctionType.NONE:
            # TensorFlow Lite leaves the memory as it is, in which the cell gate lies.
            activated = update
        else:
            activated = apply_activation_to_vector(cell, config.activation)
        output = output_gate * activated
        if not sizes.use_projection:
            return output, cell
        bias = optional(self.inputs, config.layout.projection_bias)
        start: Float32 = np.zeros((len(output), sizes.output), np.float32)
        if bias is not None:
            start[...] = bias
        output = self.project(start, output)
        return _clip(output, config.proj_clip) if config.proj_clip > 0 else output, cell

    def _gate(self, gate: int, vectors: Sequence[object], output: Float32, cell: Float32, row: int) -> Float32:
        layout, sizes = self.cell.layout, self.cell.sizes
        bias = required(self.inputs, layout.bias[gate])
        start: Float32 = np.zeros((len(output), sizes.cell), np.float32)
        if not sizes.use_layer_norm:
            start[...] = bias
        value, unused = self.sums(gate, start, vectors, output)
        peephole = layout.peephole_weights[gate]
        if sizes.use_peephole and peephole is not None:
            value = value + self.peephole_weights(peephole) * cell
        if sizes.use_layer_norm:
            value = _normalize(value) * required(self.inputs, layout.layer_norm[gate]) + bias
        if gate == CELL_GATE:
            if unused is not None and self.cell.activation == ActivationFunctionType.NONE:
                return unused
            return apply_activation_to_vector(value, self.cell.activation)
        slot = _MEMORY.index(gate) - sizes.use_cifg
        first = (slot * sizes.batch + row) * sizes.cell
        return eigen.logistic(value.reshape(-1), first).reshape(value.shape)

    def vectors(self, x: Float32, aux: Float32 | None, output: Float32) -> Sequence[object]:
        """What `sums` needs of the input, the auxiliary input and the output, in this order."""
        raise NotImplementedError

    def sums(
        self, gate: int, start: Float32, vectors: Sequence[object], output: Float32
    ) -> tuple[Float32, Float32 | None]:
        """`start` plus the products with all vectors; and what an activation that does nothing leaves, if not that."""
        raise NotImplementedError

    def project(self, start: Float32, output: Float32) -> Float32:
        """`start` plus the projection of the output."""
        raise NotImplementedError

    def peephole_weights(self, index: int) -> Float32:
        """The peephole weights as real numbers."""
        raise NotImplementedError

    def matrices(self, gate: int) -> tuple[int | None, ...]:
        """The positions of the matrices for each of `vectors`."""
        layout = self.cell.layout
        return layout.input_weights[gate], layout.aux_weights[gate], layout.recurrent_weights[gate]


class _FloatStep(Step):
    def vectors(self, x: Float32, aux: Float32 | None, output: Float32) -> Sequence[Float32 | None]:
        return (
            x if np.any(x) else None,
            aux if aux is not None and np.any(aux) else None,
            output,
        )

    def sums(
        self, gate: int, start: Float32, vectors: Sequence[object], output: Float32
    ) -> tuple[Float32, Float32 | None]:
        # Two pieces of memory take turns; the first is the one that counts as the gate.
        memory = [start, start]
        turn = 0
        for index, vector in zip(self.matrices(gate), vectors, strict=True):
            if vector is None:
                continue
            assert isinstance(vector, np.ndarray)
            weights = required(self.inputs, index)
            if weights.ndim == 1:
                memory[turn] = memory[turn] + weights * vector
            else:
                memory[1 - turn] = _add(eigen_product(vector, weights), memory[turn])
                turn = 1 - turn
        return memory[turn], memory[0] if turn else None

    def project(self, start: Float32, output: Float32) -> Float32:
        return _add(eigen_product(output, required(self.inputs, self.cell.layout.projection_weights)), start)

    def peephole_weights(self, index: int) -> Float32:
        return required(self.inputs, index)


class _HybridStep(Step):
    def vectors(self, x: Float32, aux: Float32 | None, output: Float32) -> Sequence[QuantizedRows | None]:
        return [None if rows is None else self._quantize(rows) for rows in (x, aux, output)]

    def _quantize(self, rows: Float32) -> QuantizedRows | None:
        return batch_quantize_floats(rows, self.cell.asymmetric_quantize_inputs) if np.any(rows) else None

    def sums(
        self, gate: int, start: Float32, vectors: Sequence[object], output: Float32
    ) -> tuple[Float32, Float32 | None]:
        for index, vector in zip(self.matrices(gate), vectors, strict=True):
            if isinstance(vector, QuantizedRows) and index is not None:
                weights = required(self.inputs, index)
                if weights.ndim == 1:
                    start += weights * output
                else:
                    self._accumulate(start, index, vector)
        return start, None

    def project(self, start: Float32, output: Float32) -> Float32:
        quantized = self._quantize(output)
        if quantized is not None:
            self._accumulate(start, self.cell.layout.projection_weights, quantized)
        return start

    def peephole_weights(self, index: int) -> Float32:
        return required(self.inputs, index).view(np.int8).astype(np.float32) * self._scale(index)

    def _accumulate(self, result: Float32, index: int, vector: QuantizedRows) -> None:
        weights = required(self.inputs, index).view(np.int8)
        scale = vector.scale * self._scale(index)
        matrix_batch_vector_multiply_accumulate(result, weights, vector.codes, scale, vector.zero_point)

    def _scale(self, index: int) -> np.float32:
        assert self.cell.scales is not None
        return self.cell.scales[index]


def step_of(cell: FloatCell, inputs: Sequence[Array | None]) -> Step:
    """The step of a cell with these inputs of the operator."""
    return (_FloatStep if cell.scales is None else _HybridStep)(cell, inputs)


def _add(product: Float32, start: Float32) -> Float32:
    """A product plus what was there; finite, but after the addition of a single row only."""
    if len(product) == 1:
        return np.asarray(np.clip(product + start, -_LARGEST, _LARGEST))
    return np.asarray(np.clip(product, -_LARGEST, _LARGEST) + start)


def _clip(values: Float32, clip: float) -> Float32:
    return np.clip(values, np.float32(-clip), np.float32(clip))


def _normalize(values: Float32) -> Float32:
    """Each row with mean 0 and deviation 1; the sums go from the first element to the last."""
    size = np.float32(values.shape[1])
    mean = np.add.accumulate(values, axis=1)[:, -1:] / size
    difference = values - mean
    variance = np.add.accumulate(difference * difference, axis=1)[:, -1:] / size
    return np.asarray(difference * (np.float32(1) / np.sqrt(variance + _NORMALIZATION_CONSTANT)))
