from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from int8rt.model import Quantization, Tensor, TensorType
from int8rt.verify.hints import hint

CODES = np.random.default_rng(0).integers(-128, 128, (1, 2, 3, 4)).astype(np.int8)
TENSOR = Tensor("x", TensorType.INT8, (1, 2, 3, 4), quantization=Quantization.per_tensor(0.5, 3))


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ((CODES.astype(np.float32) - 3) * 0.5, "quantized with the tensor's scale and zero point, 24 of 24"),
        (CODES.transpose(0, 3, 1, 2), r"transposed by \[0, 2, 3, 1\], 24 of 24"),
        (CODES.ravel(), "in the expected shape, 24 of 24"),
        ((CODES.astype(np.int16) + 128).astype(np.uint8), "moved by 128, 24 of 24"),
        (((CODES.astype(np.float32) - 3) * 0.5).transpose(0, 3, 1, 2), r"quantized .* and transposed by .* 24 of 24"),
    ],
    ids=["real numbers", "channels first", "flat", "uint8", "real numbers, channels first"],
)
def test_what_was_meant(found: Any, words: str) -> None:

    assert re.match(words, hint(found, CODES, TENSOR))


@pytest.mark.parametrize(
    "found",
    [
        np.zeros((1, 2, 3, 4), np.float32),
        np.full((1, 2, 3, 4), np.nan, np.float32),
        CODES.astype(np.int32),
        np.zeros(7, np.int8),
        np.zeros((24,), np.complex64),
        np.array([b"text"] * 24, object),
        np.zeros((1,) * 20 + (24,), np.int8),
    ],
    ids=["zeros", "NaN", "wider", "another size", "complex", "text", "many dimensions"],
)
def test_no_guess(found: Any) -> None:
    assert hint(found, CODES, TENSOR) == ""
