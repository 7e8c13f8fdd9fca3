"""Window geometry of convolutions and pools.

Source: TensorFlow Lite kernels/padding.h.
"""

from __future__ import annotations

from dataclasses import dataclass

from int8rt.model import Padding


@dataclass(frozen=True, slots=True)
class Window:
    """One spatial dimension of a sliding window, in elements.

    `pad_before` and `pad_after` count the positions beyond the input; SAME puts the odd one after.
    """

    input: int
    output: int
    kernel: int
    stride: int
    dilation: int
    pad_before: int
    pad_after: int


def sliding_window(input: int, kernel: int, stride: int, dilation: int, padding: Padding) -> Window:
    """The window for an input of this many elements; `output` may come out as 0 or less where nothing fits.

    Its quotient is truncated, as in C++: a window that is too large by less than a stride has no output.
    """
    effective = (kernel - 1) * dilation + 1
    if padding == Padding.SAME:
        output = -(-input // stride)
        total = max((output - 1) * stride + effective - input, 0)
        return Window(input, output, kernel, stride, dilation, total // 2, total - total // 2)
    room = input + stride - effective
    output = room // stride if room >= 0 else -(-room // stride)
    return Window(input, output, kernel, stride, dilation, 0, 0)
