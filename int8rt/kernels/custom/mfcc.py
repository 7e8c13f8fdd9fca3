"""Mfcc: mel-frequency cepstral coefficients of spectrograms.

spectrogram: float32[channels, frames, bins] of squared magnitudes, sample rate: int32[1] in Hz,
output: float32[channels, frames, dct_coefficient_count].
In float64: the magnitudes are summed under triangles that are evenly spaced on the mel scale, then come the logarithm
and a discrete cosine transform. Sums are in the order of the bins.
Source: TensorFlow Lite kernels/internal/{mfcc,mfcc_mel_filterbank,mfcc_dct}.cc.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from int8rt.errors import EvaluationError
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, element_count
from int8rt.kernels.custom.options import CustomOptions
from int8rt.kernels.signature import signatures
from int8rt.quantization import libm

Float64 = npt.NDArray[np.float64]

# So many channels take a while; users have 40 or so.
_MOST_CHANNELS = 4096
_FLOOR = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class MfccParams(Params):
    """The operator's options; frequencies in Hz, as float32."""

    upper_frequency_limit: float
    lower_frequency_limit: float
    filterbank_channel_count: int
    dct_coefficient_count: int


def prepare(context: OperatorContext) -> MfccParams:
    """Check the shapes and read the options."""
    options = CustomOptions(context)
    spectrogram, rate = context.input(0), context.input(1)
    if spectrogram.rank != 3 or element_count(rate.shape) != 1:
        raise context.invalid("needs a spectrogram of rank 3 and one sample rate")
    coefficients, channels = options.integer("dct_coefficient_count"), options.integer("filterbank_channel_count")
    if coefficients < 0:
        raise context.invalid(f"dct_coefficient_count is {coefficients}, expected at least 0")
    if channels > _MOST_CHANNELS:
        raise context.unsupported(f"filterbank_channel_count {channels}; at most {_MOST_CHANNELS}")
    return MfccParams(
        output_shapes=((*spectrogram.shape[:2], coefficients),),
        upper_frequency_limit=float(np.float32(options.integer("upper_frequency_limit"))),
        lower_frequency_limit=float(np.float32(options.integer("lower_frequency_limit"))),
        filterbank_channel_count=channels,
        dct_coefficient_count=coefficients,
    )


def evaluate(params: MfccParams, spectrogram: Array, rate: Array) -> Array:
    """The coefficients; `EvaluationError` for options that make no filter bank."""
    (shape,) = params.output_shapes
    assert shape is not None
    if 0 in shape:
        return np.zeros(shape, np.float32)
    frames = spectrogram.reshape(-1, spectrogram.shape[2])
    channels = params.filterbank_channel_count
    low, high, hertz = params.lower_frequency_limit, params.upper_frequency_limit, int(rate.reshape(-1)[0])
    if not (1 <= params.dct_coefficient_count <= channels and hertz > 0 and frames.shape[1] > 1 and 0 <= low < high):
        raise EvaluationError(
            f"no {params.dct_coefficient_count} coefficients of {channels} channels from {low:g} to {high:g} Hz, "
            f"{frames.shape[1]} bins at {hertz} Hz"
        )
    mel = _mel_bands(params, frames, hertz)
    if mel is None:
        return np.zeros(shape, np.float32)
    logarithms = libm.log(np.where(mel < _FLOOR, _FLOOR, mel))
    with np.errstate(over="ignore", invalid="ignore"):
        return _cosine_transform(logarithms, params.dct_coefficient_count).astype(np.float32).reshape(shape)


def _mel_bands(params: MfccParams, frames: Array, hertz: int) -> Float64 | None:
    """[n, channels]: the magnitudes under each triangle; None where the spectrum ends below the upper limit."""
    channels, bins = params.filterbank_channel_count, frames.shape[1]
    width = 0.5 * hertz / float(bins - 1)
    start, end = int(1.5 + params.lower_frequency_limit / width), int(params.upper_frequency_limit / width)
    if bins <= end:
        return None
    limits = np.array([params.lower_frequency_limit, params.upper_frequency_limit])
    mel_low, mel_high = _mel(limits)
    edges = mel_low + (mel_high - mel_low) / float(channels + 1) * np.arange(1, channels + 2)
    used = np.arange(start, end + 1)
    position = _mel(np.asarray(used * width, np.float64))
    # The triangle whose falling side a bin is under, -1 below the first peak; it is under the next one's rising side.
    band = np.minimum(np.searchsorted(edges, position, side="left"), channels) - 1
    below = np.where(band >= 0, edges[band], mel_low)
    weight = (edges[band + 1] - position) / (edges[band + 1] - below)
    with np.errstate(invalid="ignore"):
        magnitude = np.sqrt(frames[:, start : end + 1].astype(np.float64))
        falling = magnitude * weight
        shares = np.stack([falling, magnitude - falling], 2).reshape(len(frames), -1)
    # One place more on each side for what belongs to no channel; bincount adds in order.
    places = np.stack([band + 1, band + 2], 1).reshape(-1)
    return np.array([np.bincount(places, row, channels + 2)[1:-1] for row in shares]).reshape(len(frames), channels)


def _mel(frequency: Float64) -> Float64:
    return np.asarray(1127.0 * libm.log1p(frequency / 700.0))


def _cosine_transform(values: Float64, count: int) -> Float64:
    length = values.shape[1]
    places = np.arange(length) + 0.5
    cosines = np.sqrt(2.0 / length) * libm.cos(np.arange(count)[:, np.newaxis] * (np.pi / length) * places)
    total = np.zeros((len(values), count))
    for place in range(length):
        total += cosines[:, place] * values[:, place, np.newaxis]
    return total


MFCC = Kernel(
    name="CUSTOM:Mfcc",
    signatures=signatures("float32,int32 -> float32"),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/mfcc.cc, internal/mfcc.cc",
    max_version=1,
)
