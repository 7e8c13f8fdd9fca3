"""DEPTHWISE_CONV_2D: taps of the window in groups of four, interleaved so that one dot product takes four at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels.depthwise_conv import DepthwiseConv2DParams
from int8rt.kernels.jit import conv, depthwise_flat
from int8rt.kernels.jit.depthwise_kernels import DEPTHWISE, depthwise_columns_kernel, depthwise_kernel
from int8rt.kernels.jit.isa.levels import Level
from int8rt.kernels.jit.lowering import At, Data, LowerContext, Lowered, Scratch, Slot, clamp, unsigned, window_values
from int8rt.kernels.jit.panels import pack_words, words_stride
from int8rt.kernels.padding import Window
from int8rt.model import TensorType
from int8rt.quantization import vectorized

# Bytes of a row's table of addresses, which a window much larger than the input would fill with its border.
_LARGEST_TABLE = 16 << 20
# Neighbouring pixels of a tile that so many of them share, at least: `depthwise_pixels` and `depthwise_columns`.
_ALONE, _TOGETHER = {4: 4, 2: 2}, {4: 8, 2: 8}


def pack_taps(level: Level, weights: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """int8[taps, channels] to int8[blocks, ceil(taps / 4), 4, lanes, 4], zero where there is nothing."""
    taps, channels = weights.shape
    block = 4 * level.lanes
    padded = np.zeros((-(-taps // 4) * 4, -(-channels // block) * block), np.int8)
    padded[:taps, :channels] = weights
    groups = padded.reshape(padded.shape[0] // 4, 4, padded.shape[1] // block, block)[:, :, :, level.channels(4)]
    return np.ascontiguousarray(groups.transpose(2, 0, 3, 4, 1))


def _together(sharing: int) -> int:
    """Pixels of each group of a column tile with that many groups."""
    return 2 if sharing == 4 else 4


def lower_channels(
    level: Level,
    variant: str,
    weights: npt.NDArray[np.int8],
    words: npt.NDArray[np.int32],
    pixels: Mapping[int, int],
    out_width: int,
) -> dict[str, Any]:
    """The fields that hold weights int8[taps, channels] and words int32[rows, channels].

    Channels come in blocks that fill a tile. What remains goes into a tile with two or four neighbouring pixels where
    it fits; its weights are there for each of them. pixels: how many a tile takes that two, four or one of them share.
    """
    channels, block = weights.shape[1], 4 * level.lanes
    main = channels // block * block
    rest = channels - main
    sharing = next((n for n in (4, 2) if rest <= block // n and n * _together(n) <= out_width), 1)
    width = block // sharing

    def repeated(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        padded = np.zeros((array.shape[0], width), array.dtype)
        padded[:, :rest] = array[:, main:]
        return np.tile(padded, sharing)

    groups = -(-weights.shape[0] // 4)
    return {
        "weights": Data(pack_taps(level, weights[:, :main])),
        "words": Data(pack_words(level, 4, words[:, :main])),
        "blocks": main // block,
        "tail_weights": Data(pack_taps(level, repeated(weights))),
        "tail_words": Data(pack_words(level, 4, repeated(words))),
        "tail_count": rest,
        "tail_sharing": sharing,
        "block_channels": block,
        "block_weight_bytes": groups * 4 * block,
        "block_word_bytes": words_stride(level, 4, variant),
        "groups": groups,
    }


def lower(params: DepthwiseConv2DParams, context: LowerContext) -> Lowered | None:
    """The step of a DEPTHWISE_CONV_2D; None for what stays with NumPy: weights that are not constant."""
    input, filter, output = context.input(0), context.input(1), context.outputs[0]
    bias = context.inputs[2] if len(context.inputs) > 2 else None
    if filter.value is None or input.type not in (TensorType.INT8, TensorType.UINT8):
        return None
    if bias is not None and bias.value is None:
        return None
    biases = 0 if bias is None or bias.value is None else bias.value.reshape(-1)
    if params.depth_multiplier != 1:
        return lower_one_channel(params, context) if input.shape[3] == 1 else None
    height, width, requantization = params.height, params.width, params.requantization
    batches, *_, channels = output.shape
    if width.input == width.kernel == width.output == 1:
        # A column of pixels lies in memory like a row of them, and rows are what tiles are made of.
        height, width = width, height
    wide = filter.value.reshape(-1, channels).astype(np.int64) - params.filter_zero_point
    zero_point = unsigned(input.type, params.input_zero_point)
    constant = -zero_point * wide.sum(axis=0) + biases
    variant = vectorized.choose(requantization, 255 * np.abs(wide).sum(axis=0) + np.abs(constant))
    if variant is None or wide.size == 0:
        return None
    padded = height.pad_before or height.pad_after or width.pad_before or width.pad_after
    if padded and not 0 <= zero_point <= 255:  # what the border is filled with
        return None
    weights, again = _in_int8(wide)
    by_columns = _fits_columns(height, width) and not again.size
    if by_columns:
        weights = _by_columns(weights, height.kernel)
    words = vectorized.words(variant, requantization, unsigned(output.type, requantization.zero_point), constant)
    if by_columns and depthwise_flat.fits(context.level, channels, width.stride, height.kernel):
        columns = width.output + width.kernel - 1
        values = depthwise_flat.flat_values(context.level, weights, words, channels, columns) | {
            "input": At(input.index),
            "output": At(output.index),
            **clamp(output.type, requantization.activation_min, requantization.activation_max),
            "batches": batches,
            "channels": channels,
            **window_values(depthwise_flat.FLAT, height, width),
            "zero_point": zero_point,
        }
        compiled = depthwise_flat.flat_kernel(context.level.products, variant, width.kernel, height.kernel)
        return Lowered(compiled, depthwise_flat.FLAT, values)
    taps = -(-len(weights) // 4) * 4
    scratch = 8 * (4 * ((width.output - 1) * width.stride + width.kernel) if by_columns else width.output * taps)
    if scratch > _LARGEST_TABLE:
        return None
    together = _TOGETHER if by_columns else _ALONE
    values = lower_channels(context.level, variant, weights, words, together, width.output) | {
        "input": At(input.index),
        "output": At(output.index),
        "border": Data(np.full(channels, zero_point if padded else 0, np.uint8)),
        "repeated": Data(np.append(again, 0)),
        "repeated_count": len(again),
        **clamp(output.type, requantization.activation_min, requantization.activation_max),
        "scratch": Scratch(scratch),
        "scratch_bytes": scratch,
        "batches": batches,
        "channels": channels,
        **window_values(DEPTHWISE, height, width),
    }
    if by_columns:
        compiled = depthwise_columns_kernel(context.level.products, variant, width.stride)
    else:
        compiled = depthwise_kernel(context.level.products, variant)
    return Lowered(compiled, DEPTHWISE, values)


def _in_int8(wide: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int64]]:
    """Weights [taps, channels] within int8, and which of the taps come again behind them with what had no room."""
    part = np.clip(wide, -128, 127)
    parts, again, rest = [part], [np.zeros(0, np.int64)], wide - part
    while rest.any():
        taps = np.flatnonzero(rest.any(axis=1))
        part = np.clip(rest, -128, 127)
        parts.append(part[taps])
        again.append(taps)
        rest -= part
    return np.concatenate(parts).astype(np.int8), np.concatenate(again)


def _fits_columns(height: Window, width: Window) -> bool:
    """Whether `depthwise_columns` takes the window: three columns of at most four taps."""
    return height.kernel <= 4 and width.kernel == 3 and width.dilation == 1 and width.stride <= 2 and width.output >= 4


def _by_columns(weights: npt.NDArray[np.int8], rows: int) -> npt.NDArray[np.int8]:
    """Taps [ky, kx] as [kx, four of ky], with zeros below the window."""
    taps, channels = weights.shape
    columns = np.zeros((taps // rows, 4, channels), np.int8)
    columns[:, :rows] = weights.reshape(rows, -1, channels).transpose(1, 0, 2)
    return columns.reshape(-1, channels)


def lower_one_channel(params: DepthwiseConv2DParams, context: LowerContext) -> Lowered | None:
    """One input channel with several filters is an ordinary convolution, its filter transposed."""
    filter = context.input(1)
    assert filter.value is not None
    ordinary = np.ascontiguousarray(filter.value.transpose(3, 1, 2, 0))
    slot = Slot(filter.index, filter.type, ordinary.shape, ordinary)
    inputs = (context.inputs[0], slot, *context.inputs[2:])
    return conv.lower_convolution(params, 1, LowerContext(context.level, inputs, context.outputs, context.name))
