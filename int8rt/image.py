"""Image files as model inputs. Needs the extra `image` (Pillow)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.errors import InputError
from int8rt.model import Subgraph, Tensor
from int8rt.verify.inputs import range_of_quantize

# The real values of black and white.
Levels = tuple[float, float]

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
# What models are usually trained on, and what is taken where a float model does not say.
_USUAL: tuple[Levels, ...] = ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0))
_UNTOLD: Levels = (-1.0, 1.0)


def read_image(path: Path, subgraph: Subgraph, index: int, levels: Levels | None = None) -> npt.NDArray[np.float32]:
    """The real-valued pixels float32[1,H,W,C] of an image file, resized to what the input takes.

    levels: the real values of black and white; see `usual_levels` for the default.
    Raises `InputError` where the input takes no image, or the file is none.
    """
    tensor = subgraph.tensors[index]
    if len(tensor.shape) != 4 or tensor.shape[0] != 1 or tensor.shape[3] not in _MODES:
        raise InputError(
            f"input {tensor.label!r} of shape {list(tensor.shape)} takes no image ([1, height, width, 1, 3 or 4])"
        )
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError:
        raise InputError(f"reading {path} needs Pillow: pip install 'int8rt[image]'") from None
    _, height, width, channels = tensor.shape
    try:
        with Image.open(path) as image:
            resized = image.convert(_MODES[channels]).resize((width, height), Image.Resampling.BILINEAR)
            pixels = np.asarray(resized, np.float32).reshape(1, height, width, channels)
    except (UnidentifiedImageError, Image.DecompressionBombError, SyntaxError, ValueError) as error:
        raise InputError(f"{path} is not an image that Pillow can read: {error}") from None
    black, white = levels or usual_levels(subgraph, index)
    return np.asarray(black + pixels * ((white - black) / 255), np.float32)


def usual_levels(subgraph: Subgraph, index: int) -> Levels:
    """Real values of black and white for an input: [0, 1], [-1, 1] or [0, 255] if its range is close to one of them.

    Else the ends of its range, so that pixel values become codes one by one.
    """
    return told_levels(subgraph, index) or _UNTOLD


def told_levels(subgraph: Subgraph, index: int) -> Levels | None:
    """As `usual_levels`; None where the file does not say what range an input has: a float that was not calibrated."""
    found = _range(subgraph.tensors[index]) or range_of_quantize(subgraph, index)
    if found is None:
        return None
    low, high = found
    for usual in _USUAL:
        if max(abs(low - usual[0]), abs(high - usual[1])) <= 0.02 * (high - low):
            return usual
    return low, high


def _range(tensor: Tensor) -> Levels | None:
    quantization, dtype = tensor.quantization, tensor.type.dtype
    if dtype.kind == "f" and quantization is not None and quantization.min is not None and quantization.max is not None:
        sizes = quantization.min.size, quantization.max.size
        return (float(quantization.min[0]), float(quantization.max[0])) if sizes == (1, 1) else None
    if dtype.kind not in "iu" or quantization is None or quantization.scale.size != 1:
        return None
    info: Any = np.iinfo(dtype)
    scale, zero_point = float(quantization.scale[0]), int(quantization.zero_point[0])
    return (info.min - zero_point) * scale, (info.max - zero_point) * scale
