"""AudioSpectrogram: magnitudes of the Fourier transforms of windows of a sound.

input: float32[samples, channels], output: float32[channels, frames, 1 + n / 2], n the window's size rounded up to a
power of two. A Hann window, float64 inside; squared magnitudes with `magnitude_squared`.
NumPy's transform adds up in another order than TensorFlow Lite's, so this is the one custom operator that is not exact:
bins that nearly cancel out differ, by less than 1e-15 of the frame's largest magnitude; most others have the same bits.
Source: TensorFlow Lite kernels/internal/spectrogram.cc.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.custom.options import CustomOptions
from int8rt.kernels.signature import signatures
from int8rt.quantization import libm

_BLOCK_ELEMENTS = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioSpectrogramParams(Params):
    """window_size, stride: in samples."""

    window_size: int
    stride: int
    magnitude_squared: bool


def prepare(context: OperatorContext) -> AudioSpectrogramParams:
    """Check the shape and read the options."""
    options, input = CustomOptions(context), context.input(0)
    size, stride = options.integer("window_size"), options.integer("stride")
    if input.rank != 2:
        raise context.invalid(f"input {input.name!r} must have rank 2, found {list(input.shape)}")
    if size < 2 or stride < 1:
        raise context.invalid(f"window_size {size} must be at least 2, stride {stride} at least 1")
    samples, channels = input.shape
    frames = 1 + (samples - size) // stride if samples >= size else 0
    return AudioSpectrogramParams(
        output_shapes=((channels, frames, 1 + (1 << (size - 1).bit_length()) // 2),),
        window_size=size,
        stride=stride,
        magnitude_squared=options.boolean("magnitude_squared"),
    )


def evaluate(params: AudioSpectrogramParams, input: Array) -> Array:
    """The magnitudes of every frame."""
    (shape,) = params.output_shapes
    assert shape is not None
    output = np.empty(shape, np.float32)
    if not output.size:
        return output
    window = _hann(params.window_size)
    length = 2 * (shape[2] - 1)
    step = max(1, _BLOCK_ELEMENTS // length)
    for sound, result in zip(input.T, output, strict=True):
        frames = np.lib.stride_tricks.sliding_window_view(sound, params.window_size)[:: params.stride]
        for first in range(0, shape[1], step):
            block = slice(first, first + step)
            with np.errstate(all="ignore"):
                spectrum = np.fft.rfft(frames[block] * window, length)
                result[block] = spectrum.real * spectrum.real + spectrum.imag * spectrum.imag
    if not params.magnitude_squared:
        np.sqrt(output, out=output)
    return output


def _hann(size: int) -> npt.NDArray[np.float64]:
    return np.asarray(0.5 - 0.5 * libm.cos((2.0 * np.pi * np.arange(size)) / size))


AUDIO_SPECTROGRAM = Kernel(
    name="CUSTOM:AudioSpectrogram",
    signatures=signatures("float32 -> float32"),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/audio_spectrogram.cc, internal/spectrogram.cc",
    max_version=1,
    bound="1e-15 of the largest magnitude of its frame, rounded once more to float32",
)
