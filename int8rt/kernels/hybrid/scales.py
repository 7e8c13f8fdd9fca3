"""Scales of the weights of hybrid operators."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import OperatorContext, TensorInfo

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class HybridScales:
    """filter: the scale of the whole filter, 0 where it has none or several. channels: float32[n], or None."""

    filter: np.float32
    channels: Float32 | None

    def factors(self, input_scale: Float32) -> tuple[Float32, Float32 | None]:
        """(scale of each row, scale of each channel); a single scale of the filter goes into the former."""
        if self.channels is not None:
            return input_scale, self.channels
        with np.errstate(all="ignore"):
            return input_scale * self.filter, None


def hybrid_scales(context: OperatorContext, filter: TensorInfo, channels: int) -> HybridScales:
    """The scales of a filter with so many output channels. `ModelError` where it has several, but fewer than that.

    Weights without an affine quantization count as if their scale were 0. Weights with scales for blocks too: the
    reference kernels do not know them, and give a bias alone (a defect of BUILTIN_REF, which is kept).
    """
    scale = np.zeros(0, np.float32) if filter.quantization is None else filter.quantization.scale
    if scale.size <= 1:
        return HybridScales(np.float32(scale[0] if scale.size else 0), None)
    if scale.size < channels:
        raise context.invalid(f"filter {filter.name!r} has {scale.size} scales, expected {channels}")
    return HybridScales(np.float32(0), scale[:channels])


def channel_scales(context: OperatorContext, filter: TensorInfo, channels: int, repeat: bool = False) -> Float32:
    """float32[channels] of a filter that must have a scale for each. `repeat`: or one for all.

    TensorFlow Lite reads beyond the end of fewer ones where it does not refuse them.
    """
    scale, _ = context.per_axis(filter)
    if repeat and scale.size == 1:
        return np.repeat(scale, channels)
    if scale.size < channels:
        raise context.invalid(f"filter {filter.name!r} has {scale.size} scales, expected {channels}")
    return scale[:channels]
