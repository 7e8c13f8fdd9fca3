"""What the hybrid operators share: rows of float32 quantized in working memory, int8 weights in panels, their sums.

Codes lie in memory as code + 128, so that 128 · Σ weights has to be taken off each sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels.hybrid.product import COLUMNS
from int8rt.kernels.jit.abi import helper, load_f32, load_u32, store_f32
from int8rt.kernels.jit.isa.levels import Level
from int8rt.kernels.jit.lowering import Data
from int8rt.kernels.jit.sums import pack_panels, padded_channels, padded_depth, panel_vectors
from int8rt.model import ActivationFunctionType
from int8rt.quantization.jitted_eigen import tanh

# The fields of `HybridWeights.values`.
WEIGHTS = "weights depth4 panels panel_bytes panel_channels offsets"

# Kinds of activation: none, a clamp, or what Eigen makes of the hyperbolic tangent.
NONE, CLAMP, TANH = range(3)
ACTIVATION = "activation bounds"
_BOUNDS = {
    ActivationFunctionType.RELU: (0.0, np.inf),
    ActivationFunctionType.RELU_N1_TO_1: (-1.0, 1.0),
    ActivationFunctionType.RELU6: (0.0, 6.0),
}


@dataclass(frozen=True, slots=True)
class HybridWeights:
    """int8 weights [O, depth] packed, and -128 · Σ of each row."""

    level: Level
    packed: npt.NDArray[np.int8]
    offsets: npt.NDArray[np.int32]
    channels: int
    depth: int

    @property
    def vectors(self) -> int:
        """Vectors across a panel."""
        return panel_vectors(self.level, self.channels)

    @property
    def sums_bytes(self) -> int:
        """Bytes of the sums of a row."""
        return 4 * padded_channels(self.level, self.channels)

    @property
    def codes_bytes(self) -> int:
        """Bytes of the codes of a row."""
        return padded_depth(self.depth)

    def values(self) -> dict[str, Any]:
        """The fields WEIGHTS."""
        return {
            "weights": Data(self.packed),
            "depth4": self.codes_bytes // 4,
            "panels": len(self.packed),
            "panel_bytes": self.packed[:1].nbytes,
            "panel_channels": self.vectors * self.level.lanes,
            "offsets": Data(self.offsets),
        }


def hybrid_weights(level: Level, weights: npt.NDArray[np.int8]) -> HybridWeights:
    """The weights of an operator on quantized rows."""
    channels, depth = weights.shape
    offsets = (-128 * weights.sum(axis=1, dtype=np.int64)).astype(np.int32)
    return HybridWeights(level, pack_panels(level, weights), offsets, channels, depth)


def is_flawed(weights: npt.NDArray[np.int8]) -> bool:
    """Whether TensorFlow Lite's vector code gives other sums than these weights ask for (see `hybrid.product`)."""
    return bool(np.any(weights[:, : weights.shape[1] // COLUMNS * COLUMNS] == -128))


def activation_values(activation: ActivationFunctionType) -> dict[str, Any] | None:
    """The fields ACTIVATION for `apply_activation_to_vector`; None for what is left to NumPy."""
    if activation == ActivationFunctionType.SIGN_BIT:
        return None
    bounds = _BOUNDS.get(activation)
    kind = TANH if activation == ActivationFunctionType.TANH else NONE if bounds is None else CLAMP
    return {"activation": kind, "bounds": Data(np.array(bounds or (0, 0), np.float32))}


@helper
def activate(p, line, begin, end):  # type: ignore[no-untyped-def]
    """`apply_activation_to_vector` of elements [begin, end) of float32 at `line`, in place."""
    if p.activation == 1:
        low, high = load_f32(p.bounds, 0), load_f32(p.bounds, 1)
        for i in range(begin, end):
            value = load_f32(line, i)
            held = high if value > high else value
            store_f32(line, i, held if held > low else low)
    elif p.activation == 2:
        for i in range(begin, end):
            store_f32(line, i, tanh(load_f32(line, i)))


@helper
def any_nonzero(source, count):  # type: ignore[no-untyped-def]
    """Whether one of the float32 is no zero of either sign."""
    for start in range(0, count, 256):
        found = np.uint32(0)
        for i in range(start, min(start + 256, count)):
            found |= np.uint32(load_u32(source, i) & np.uint32(0x7FFFFFFF))
        if found != 0:
            return True
    return False
