"""Elements of outputs that LiteRT's kernels leave as they find them in memory: there is nothing to compare with."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.errors import ModelError
from int8rt.kernels.custom.flexbuffer import decode
from int8rt.model import Model, Operator, Subgraph, TensorType
from int8rt.schema.options import WhileOptions

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]

# Operators that compute an element of the output from one of each input, as they broadcast.
_BY_ELEMENT = {
    *("ABS", "CAST", "DEQUANTIZE", "EXP", "GELU", "HARD_SWISH", "LEAKY_RELU", "LOG", "LOGISTIC", "NEG", "QUANTIZE"),
    *("RELU", "RELU6", "RSQRT", "SQRT", "SQUARE", "TANH"),
    *("ADD", "DIV", "MAXIMUM", "MINIMUM", "MUL", "POW", "SQUARED_DIFFERENCE", "SUB"),
}
_SAME_ELEMENTS = {"EXPAND_DIMS", "RESHAPE", "SQUEEZE"}


def unwritten_elements(
    model: Model, values: Mapping[int, Array], *, reference: bool = True, delegated: bool = False
) -> dict[int, Mask]:
    """Tensor index to a mask of the elements that are not written, in the first subgraph.

    values: what LiteRT computed, by tensor index. reference: with its reference kernels. delegated: with XNNPACK.
    """
    masks: dict[int, Mask] = {}
    subgraph = model.subgraphs[0]
    for operator in subgraph.operators:
        for index in _passed_through(model, subgraph, operator):
            if index in values:
                masks[index] = np.ones(values[index].shape, np.bool_)
        if delegated and operator.name == "DEQUANTIZE" and _is_unpacked(model, subgraph, operator.inputs[0]):
            index = operator.outputs[0]
            if index in values:
                masks[index] = np.ones(values[index].shape, np.bool_)
        if operator.name == "SUM" and reference and operator.outputs[0] in values:
            sums = values[operator.outputs[0]]
            if sums.dtype == np.int16:  # written as bytes, one for each element
                masks[operator.outputs[0]] = np.arange(sums.size).reshape(sums.shape) >= sums.size // 2
        if operator.custom_code == "TFLite_Detection_PostProcess" and all(
            index in values for index in operator.outputs
        ):
            boxes, classes, scores, count = (values[index] for index in operator.outputs)
            rows = _unused_detections(operator, classes.shape[1], int(count[0]))
            masks |= {
                index: np.broadcast_to(rows.reshape(1, -1, *[1] * (value.ndim - 2)), value.shape)
                for index, value in zip(operator.outputs, (boxes, classes, scores), strict=False)
            }
    return masks


def left_to_chance(
    model: Model, values: Mapping[int, Array], *, reference: bool = True, delegated: bool = False
) -> dict[int, Mask]:
    """As `unwritten_elements`, with the elements that are computed from such ones, or may be."""
    masks = unwritten_elements(model, values, reference=reference, delegated=delegated)
    spreading: dict[int, Mask] = {}
    for operator in model.subgraphs[0].operators:
        sources = [index for index in operator.inputs if index in spreading]
        for index in operator.outputs:
            # What a delegate unpacks is read by nobody, and of WHILE only what nobody reads is left alone.
            if operator.name in ("CUSTOM", "SUM") and index in masks:
                spreading[index] = masks[index]
            if sources and index in values:
                spreading[index] = _spread(operator, [spreading[source] for source in sources], values[index])
    return masks | spreading


def _spread(operator: Operator, masks: Sequence[Mask], value: Array) -> Mask:
    """The elements of an output, in whose inputs some are left to chance."""
    if operator.name in _SAME_ELEMENTS:
        return masks[0].reshape(value.shape)
    if operator.name not in _BY_ELEMENT:
        return np.ones(value.shape, np.bool_)
    return functools.reduce(np.logical_or, [np.broadcast_to(mask, value.shape) for mask in masks])


def _is_unpacked(model: Model, subgraph: Subgraph, index: int) -> bool:
    """Whether a tensor holds constants of which the delegate makes numbers of its own, mostly."""
    tensor = subgraph.tensors[index]
    return tensor.type in (TensorType.FLOAT16, TensorType.INT8) and bool(model.buffers[tensor.buffer])


def _passed_through(model: Model, subgraph: Subgraph, operator: Operator) -> Iterator[int]:
    """Outputs of a WHILE that nothing reads, and that are inputs which the body leaves alone."""
    if not isinstance(operator.options, WhileOptions):
        return
    body = model.subgraphs[operator.options.body_subgraph_index]
    read = {*subgraph.outputs, *(index for other in subgraph.operators for index in other.inputs)}
    for index, before, after in zip(operator.outputs, body.inputs, body.outputs, strict=False):
        if before == after and index not in read and subgraph.tensors[index].type is not TensorType.STRING:
            yield index


def _unused_detections(operator: Operator, rows: int, count: int) -> Mask:
    """bool[rows]. The fast way writes rows for the boxes that it finds, the regular one `max_detections` of them."""
    try:
        options = decode(operator.custom_options)
        place = np.arange(rows)
        if options.get("use_regular_nms"):
            return np.asarray(place >= options["max_detections"])
        each = options["max_classes_per_detection"]
        return np.asarray((place // each >= count) | (place % each >= min(each, options["num_classes"])))
    except (ModelError, AttributeError, KeyError, TypeError) as error:
        raise ModelError(f"options of {operator.label}: {error}") from None
