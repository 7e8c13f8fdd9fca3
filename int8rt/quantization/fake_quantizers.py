"""The quantizers of training: small state machines that follow a tensor's range, batch by batch.

Source: TensorFlow Model Optimization, quantization/keras/quant_ops.py, and TensorFlow's assign_moving_average.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from int8rt.errors import InputError
from int8rt.quantization.fake_quant import Float32, fake_quant_with_min_max_vars

DECAY = 0.999
START = 6.0


@dataclass(slots=True)
class FakeQuantizer:
    """A range that each batch moves. kind: "last" takes the batch's, "all" the widest, "moving" an average.

    minimum, maximum: float32, real; of shape [] or [channels] of the last dimension. Start with `start`.
    """

    kind: Literal["last", "all", "moving"]
    minimum: Float32
    maximum: Float32
    num_bits: int = 8
    symmetric: bool = False
    narrow_range: bool = False
    steps: int = 0

    @classmethod
    def start(
        cls,
        kind: Literal["last", "all", "moving"],
        channels: int | None = None,
        *,
        num_bits: int = 8,
        symmetric: bool = False,
        narrow_range: bool = False,
    ) -> FakeQuantizer:
        """A quantizer that has seen nothing: from -6 to 6, "all" from 0 to 0. channels: None for one range in all.

        Raises `InputError` for another kind, and for "all" per channel.
        """
        if kind not in ("last", "all", "moving") or (kind == "all" and channels is not None):
            raise InputError(f"no quantizer of the kind {kind!r}" + (" per channel" if channels is not None else ""))
        end = np.full(() if channels is None else (channels,), 0.0 if kind == "all" else START, np.float32)
        return cls(kind, -end, end, num_bits, symmetric, narrow_range)

    def __call__(self, x: npt.ArrayLike, training: bool = False) -> Float32:
        """`x`, float32[..] or [..,channels], fake-quantized with the range, which `training` moves first.

        Raises `InputError` for other channels than the range has, and while training for NaN, infinity and no values.
        """
        values = np.asarray(x, np.float32)
        if training:
            self._follow(values)
        return fake_quant_with_min_max_vars(values, self.minimum, self.maximum, self.num_bits, self.narrow_range)

    def _follow(self, values: Float32) -> None:
        if not values.size or not np.isfinite(values).all():
            raise InputError("a batch holds no values, or some that are not finite")
        if self.minimum.ndim and values.shape[-1:] != self.minimum.shape:
            raise InputError(f"{self.minimum.size} ranges for values {list(values.shape)}")
        axes = tuple(range(values.ndim - self.minimum.ndim))
        low, high = values.min(axis=axes), values.max(axis=axes)
        if self.symmetric:
            count = 1 << self.num_bits
            ratio = np.float32(-1 if self.narrow_range else -(count - 2) / count)
            wider = np.minimum(low, high / ratio)
            # "all" computes the upper end from the lower that it has just widened.
            high = np.maximum(high, (wider if self.kind == "all" else low) * ratio)
            low = wider
        zero = np.float32(0)
        if self.kind == "all":
            low, high = np.minimum(self.minimum, low), np.maximum(self.maximum, high)
        low, high = np.minimum(low, zero), np.maximum(high, zero)
        if self.kind == "moving":
            weight = np.float32(1.0 - DECAY)
            low = self.minimum - (self.minimum - low) * weight
            high = self.maximum - (self.maximum - high) * weight
        self.minimum, self.maximum = np.asarray(low, np.float32), np.asarray(high, np.float32)
        self.steps += 1


def ema_residue(steps: int, decay: float = DECAY) -> float:
    """The weight, 0 to 1, that the start value still has in a moving average after `steps` updates: decay ** steps.

    Raises `InputError` for negative steps and a decay that is not between 0 and 1.
    """
    if steps < 0 or not 0 < decay < 1:
        raise InputError(f"{steps} steps with a decay of {decay:g}")
    return float(decay**steps)


@dataclass(frozen=True, slots=True)
class Convergence:
    """How far a moving range has come. start: real, what is left of the start value in each end.

    share: `start` relative to half the width of the range (the widest channel's). steps: updates that are still
    needed until the start value weighs no more than the tolerance asked for.
    """

    residue: float
    start: float
    share: float
    steps: int


def convergence_report(quantizers: Mapping[str, FakeQuantizer], tolerance: float = 0.01) -> dict[str, Convergence]:
    """Tensor name to its convergence, the largest residue first; only quantizers of the kind "moving" have one.

    tolerance: between 0 and 1, the weight of the start value at which a range counts as settled; else `InputError`.
    """
    if not 0 < tolerance < 1:
        raise InputError(f"a tolerance of {tolerance:g}; it lies between 0 and 1")
    needed = math.ceil(math.log(tolerance) / math.log(DECAY))
    found = {}
    for name, quantizer in quantizers.items():
        if quantizer.kind == "moving":
            residue = ema_residue(quantizer.steps)
            half = float(np.max(quantizer.maximum - quantizer.minimum)) / 2
            left = START * residue
            found[name] = Convergence(residue, left, left / half if half else 1.0, max(0, needed - quantizer.steps))
    return dict(sorted(found.items(), key=lambda item: -item[1].residue))
