"""The sums of a depthwise convolution, tap by tap, whole rows of pixels at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from int8rt.kernels.base import Array
from int8rt.kernels.padding import Window

# Output elements that are summed at once, so that sums and products stay in a core's cache; and elements that the
# weights may take once they are repeated for every column.
_BLOCK_ELEMENTS = 1 << 16
_WEIGHT_ELEMENTS = 1 << 20


class DepthwiseSums:
    """Σ input · weights over the taps of every window, in the order of the taps, in the weights' floating-point type.

    weights: [KH,KW,O]. multiplier: output channels for each input channel. height, width: the windows, whose kernels
    are those of the weights.
    """

    def __init__(self, weights: Array, multiplier: int, height: Window, width: Window) -> None:
        self._multiplier = multiplier
        self._height, self._width = height, width
        channels = weights.shape[2]
        self._columns = max(1, min(width.output, _WEIGHT_ELEMENTS // max(1, weights.size)))
        whole = self._columns == width.output
        self._rows = max(1, _BLOCK_ELEMENTS // (self._columns * channels)) if whole else 1
        self._weights = np.tile(weights, self._columns)
        self._work = np.empty((2, self._rows * self._columns * channels), weights.dtype)

    def __call__(self, image: Array, result: Array, finish: Callable[[Array, Array], None]) -> None:
        """Sum the windows of a padded image [H,W,I] block by block.

        finish: called with the sums [n,O] of each block and the part of `result` [OH,OW,O] that they are for.
        """
        height, width = self._height, self._width
        reach = (width.kernel - 1) * width.dilation + 1
        for row in range(0, height.output, self._rows):
            for column in range(0, width.output, self._columns):
                target = result[row : row + self._rows, column : column + self._columns]
                first, extent = column * width.stride, (target.shape[1] - 1) * width.stride + reach
                total, product = self._work[:, : target.size].reshape(2, target.shape[0], -1)
                self._sum_taps(image[row * height.stride :, first : first + extent], total, product)
                channels = result.shape[2]
                finish(total.reshape(-1, channels), target.reshape(-1, channels))

    def _sum_taps(self, source: Array, total: Array, product: Array) -> None:
        """total = Σ source · weights for one block of the output, which starts where `source` does.

        source: [H,W,I]. total, product (to work in): [rows,columns·O].
        """
        height, width, weights, multiplier = self._height, self._width, self._weights, self._multiplier
        rows, length = total.shape
        channels = source.shape[2] * multiplier
        if not weights.shape[0] * weights.shape[1]:
            total[...] = 0
        target = total
        for tap_row in range(height.kernel):
            first = tap_row * height.dilation
            lines = source[first : first + (rows - 1) * height.stride + 1 : height.stride]
            planes: dict[int, Array] = {}
            for tap_column in range(width.kernel):
                # With a stride, taps see every stride-th column: take those apart, so that each tap reads neighbours.
                start, phase = divmod(tap_column * width.dilation, width.stride)
                if phase not in planes:
                    plane = lines[:, phase :: width.stride].astype(weights.dtype)
                    planes[phase] = (plane.repeat(multiplier, axis=2) if multiplier > 1 else plane).reshape(rows, -1)
                pixels = planes[phase][:, start * channels : start * channels + length]
                np.multiply(pixels, weights[tap_row, tap_column, :length], out=target)
                if target is product:
                    total += product
                target = product
