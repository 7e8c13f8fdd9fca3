"""Is an answer a nearest code of the real-valued result? That is what a runtime gives that computes in floats."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from int8rt.model import Model, Tensor
from int8rt.quantization.bfloat16 import bfloat16_to_float32, float32_to_bfloat16
from int8rt.verify.identify.reals import in_reals
from int8rt.verify.runtimes.base import Array

# How far a result may be from the middle of two codes and pass as a tie, in steps: of 8 bits, and of 16, whose codes
# float32 resolves no better. And of floats, relative.
_TIES = {1: 0.002, 2: 0.06}
_RELATIVE = 1e-6
NAME = "a nearest code of the real-valued result"
NAME_WRAPPED = "a nearest code of the real-valued result, which wraps around where it should saturate"
NAME_CUT = "the real-valued result cut off to an integer, which wraps around where it should saturate"
NAME_BFLOAT16 = "a nearest code of the real-valued result of inputs and constants in bfloat16"
NAME_OF_REALS = "the real value, but for the last bits of float32"


def real_result(model: Model, inputs: Sequence[Array], bfloat16: bool = False) -> Array | None:
    """The output of a model of one operator, computed in float32 from the real values of everything quantized, in
    codes of the output where it has a scale. None where int8rt does not compute it. bfloat16: inputs and constants
    are rounded to it first, but for biases.
    """
    value = in_reals(model, inputs, _in_bfloat16 if bfloat16 else None)
    graph = model.subgraphs[0]
    return None if value is None else _codes(value, graph.tensors[graph.outputs[0]])


def farther(found: Array, real: Array) -> tuple[int, int]:
    """How many elements are no nearest code (or not the value itself) of the real-valued result; and how many of these
    are none either when codes wrap around.
    """
    if found.dtype.kind == "f":
        wrong = int(np.count_nonzero(~(np.abs(found - real) <= _RELATIVE * np.abs(real).max(initial=0))))
        return wrong, wrong
    if found.dtype.kind not in "iu":
        wrong = int(np.count_nonzero(found != real))
        return wrong, wrong
    info, reach = np.iinfo(found.dtype), 0.5 + _TIES.get(found.itemsize, 0)
    near = np.abs(found - np.clip(real, info.min, info.max)) <= reach
    span = float(int(info.max) - int(info.min) + 1)
    distance = found - real
    wrapped = np.abs(distance - span * np.rint(distance / span)) <= reach
    return int(np.count_nonzero(~near)), int(np.count_nonzero(~(near | wrapped)))


def cut_off(found: Array, real: Array) -> bool:
    """Whether all elements are the real-valued result without its fraction, wrapped around the type's range."""
    if found.dtype.kind not in "iu":
        return False
    tie, span = _TIES.get(found.itemsize, 0) / 2, 1 << 8 * found.itemsize
    near = [(found - np.trunc(real + by)) % span == 0 for by in (-tie, tie)]
    return bool(np.all(near[0] | near[1]))


def distance(found: Array, real: Array) -> float:
    """How far the codes are at most from the real-valued result within their range, in steps."""
    info = np.iinfo(found.dtype)
    return float(np.abs(found - np.clip(real, info.min, info.max)).max(initial=0))


def _in_bfloat16(value: Array) -> Array:
    return bfloat16_to_float32(float32_to_bfloat16(value))


def _codes(value: Array, output: Tensor) -> Array:
    own, real = output.quantization, value.astype(np.float64)
    return real if own is None or not own.scale.size else real / float(own.scale[0]) + int(own.zero_point[0])
