"""TensorFlow Lite's switch TFLITE_SINGLE_ROUNDING: one function rounds otherwise, whichever kernel calls it.

Within `single_rounding()` the functions that the switch changes compute as if they had been compiled with it:
`requantize.multiply_by_quantized_multiplier`, `multiplier.quantize_multiplier`, the scaling of SOFTMAX, and the last
step of RESIZE_BILINEAR. Elsewhere it is off.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_SWITCH: ContextVar[bool] = ContextVar("TFLITE_SINGLE_ROUNDING", default=False)


@contextmanager
def single_rounding() -> Iterator[None]:
    """Switch single rounding on, for this thread and until the block ends."""
    before = _SWITCH.set(True)
    try:
        yield
    finally:
        _SWITCH.reset(before)


def rounds_once() -> bool:
    """Whether single rounding is on."""
    return _SWITCH.get()
