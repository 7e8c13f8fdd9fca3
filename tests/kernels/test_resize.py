from __future__ import annotations

import numpy as np
import pytest

from int8rt.errors import ModelError
from int8rt.model import TensorType
from int8rt.schema.builder import TensorSpec
from int8rt.schema.options import ResizeBilinearOptions, ResizeNearestNeighborOptions
from tests.kernels.single import run_operator, variable


def resize(name: str, pixels: list[int], width: int, dtype: str = "int8", **centers: bool) -> list[int]:
    data = variable(np.array(pixels, dtype).reshape(1, 1, -1, 1))
    kind = ResizeBilinearOptions if name == "RESIZE_BILINEAR" else ResizeNearestNeighborOptions
    size = TensorSpec.constant(np.array([1, width], np.int32))
    output = TensorSpec(TensorType[dtype.upper()], ())
    return run_operator(name, [data, size], [output], kind(**centers)).ravel().tolist()


def test_means_between_pixels_are_rounded_away_from_zero() -> None:
    assert resize("RESIZE_BILINEAR", [0, 3, -3], 6) == [0, 2, 3, 0, -3, -3]
    assert resize("RESIZE_BILINEAR", [-1, -2], 3, align_corners=True) == [-1, -2, -2]
    assert resize("RESIZE_BILINEAR", [1, 2], 3, "uint8", align_corners=True) == [1, 2, 2]


def test_half_pixel_centers() -> None:
    # Centers at -0.25, 0.25, 0.75 and 1.25 of the input.
    assert resize("RESIZE_BILINEAR", [0, 100], 4, half_pixel_centers=True) == [0, 25, 75, 100]
    assert resize("RESIZE_NEAREST_NEIGHBOR", [0, 100], 3, half_pixel_centers=True) == [0, 100, 100]


def test_nearest_of_aligned_corners() -> None:
    assert resize("RESIZE_NEAREST_NEIGHBOR", [7, 8, 9], 2, align_corners=True) == [7, 9]
    assert resize("RESIZE_NEAREST_NEIGHBOR", [7, 8, 9], 2) == [7, 8]


def test_no_memory_is_read_beyond_the_input() -> None:
    """BUILTIN_REF does: the scale 1024 / 1500 is rounded to 1, so the last pixels seem to lie beyond the first."""
    assert resize("RESIZE_BILINEAR", [7], 1500) == [7] * 1500


def test_refusals() -> None:
    with pytest.raises(ModelError, match="exclude each other"):
        resize("RESIZE_BILINEAR", [1, 2], 3, align_corners=True, half_pixel_centers=True)
    with pytest.raises(ModelError, match=r"size \(1, 0\) must be at least 1"):
        resize("RESIZE_BILINEAR", [1, 2], 0)
    with pytest.raises(ModelError, match="has no pixels"):
        resize("RESIZE_NEAREST_NEIGHBOR", [], 2)
