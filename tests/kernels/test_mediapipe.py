"""Custom operators of MediaPipe and of TensorFlow Lite's perception kernels: LiteRT's interpreter has none of them.

They are compared with loops that follow their definitions word for word, and with the builtin operators they extend.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from flatbuffers import flexbuffers

from int8rt.errors import EvaluationError, ModelError, UnsupportedError
from int8rt.model import ActivationFunctionType, Padding, TensorType
from int8rt.schema import options as o
from int8rt.schema.builder import TensorSpec, single_operator_model
from tests.differential.harness import run_int8rt
from tests.kernels.single import run_operator, variable

Array = npt.NDArray[Any]
FLOAT32, INT32 = TensorType.FLOAT32, TensorType.INT32
SAME, VALID = 1, 2
PADDINGS = {SAME: Padding.SAME, VALID: Padding.VALID}

WINDOWS = [
    # filter, stride, padding, input
    ((2, 2), (2, 2), SAME, (2, 4, 6, 3)),
    ((2, 2), (2, 2), VALID, (1, 5, 7, 2)),
    ((3, 2), (1, 2), SAME, (1, 5, 5, 2)),
    ((3, 3), (2, 1), VALID, (2, 6, 5, 1)),
    ((5, 4), (3, 3), SAME, (1, 2, 7, 2)),
]


def run(code: str, options: bytes, inputs: list[Array], *types: TensorType) -> list[Array]:
    specs = [TensorSpec(TensorType[value.dtype.name.upper()], value.shape) for value in inputs]
    outputs = [TensorSpec(type, ()) for type in types]
    model = single_operator_model("CUSTOM", specs, outputs, custom_code=code, custom_options=options)
    written = run_int8rt(model, inputs)
    return [written[index] for index in model.subgraphs[0].outputs]


def pool_struct(padding: int, stride: tuple[int, int], filter: tuple[int, int], activation: int = 0) -> bytes:
    return struct.pack("<6i", padding, stride[1], stride[0], filter[1], filter[0], activation) + bytes(16)


def flexbuffer(padding: int, stride: tuple[int, int], filter: tuple[int, int], **more: Any) -> bytes:
    name = "SAME" if padding == SAME else "VALID"
    return bytes(flexbuffers.Dumps({"ksize": [1, *filter, 1], "strides": [1, *stride, 1], "padding": name} | more))


def image(shape: tuple[int, ...], ties: bool = False) -> Array:
    rng = np.random.default_rng(sum(shape))
    return (rng.integers(-2, 3, shape) if ties else rng.normal(0, 5, shape)).astype(np.float32)


def naive_pool(x: Array, filter: tuple[int, int], stride: tuple[int, int], padding: int) -> tuple[Array, Array, Array]:
    """The largest numbers, their places in the image, and those in the window."""
    n, h, w, c = x.shape
    sizes, pads = [], []
    for size, k, s in zip((h, w), filter, stride, strict=True):
        out = -(-size // s) if padding == SAME else (size - k + s) // s
        sizes.append(out)
        pads.append(max(0, (out - 1) * s + k - size) // 2)
    best = np.full((n, *sizes, c), np.finfo(np.float32).min, np.float32)
    places, within = np.zeros(best.shape, np.int32), np.zeros(best.shape, np.float32)
    for b, oy, ox, ch in np.ndindex(*best.shape):
        at = (b, oy, ox, ch)
        places[at] = ch
        within[at] = np.float32(0.1)
        for fy in range(filter[0]):
            for fx in range(filter[1]):
                y, x_ = oy * stride[0] - pads[0] + fy, ox * stride[1] - pads[1] + fx
                if 0 <= y < h and 0 <= x_ < w and x[b, y, x_, ch] > best[at]:
                    best[at] = x[b, y, x_, ch]
                    places[at] = (y * w + x_) * c + ch
                    within[at] = np.float32(fy * filter[1] + fx) + np.float32(0.1)
    return best, places, within


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize(("filter", "stride", "padding", "shape"), WINDOWS)
def test_pools(
    filter: tuple[int, int], stride: tuple[int, int], padding: int, shape: tuple[int, ...], ties: bool
) -> None:
    x = image(shape, ties)
    x[0, 0, 0] = np.nan
    best, places, within = naive_pool(x, filter, stride, padding)
    found = run("MaxPoolWithArgmax", flexbuffer(padding, stride, filter), [x], FLOAT32, INT32)
    np.testing.assert_array_equal(found[0], best)
    np.testing.assert_array_equal(found[1], places)
    found = run("MaxPoolingWithArgmax2D", pool_struct(padding, stride, filter, 3), [x], FLOAT32, FLOAT32)
    np.testing.assert_array_equal(found[0], np.clip(best, 0, 6))
    np.testing.assert_array_equal(found[1], within)
    options = o.Pool2DOptions(
        PADDINGS[padding], stride[1], stride[0], filter[1], filter[0], ActivationFunctionType.RELU6
    )
    np.testing.assert_array_equal(
        found[0], run_operator("MAX_POOL_2D", [variable(x)], [TensorSpec(FLOAT32, ())], options)
    )


def naive_unpool(x: Array, within: Array, filter: tuple[int, int], stride: tuple[int, int]) -> Array:
    n, h, w, c = x.shape
    out = np.zeros((n, h * filter[0], w * filter[1], c), np.float32)
    pads = [max(0, (size - 1) * s + k - size * k) // 2 for size, k, s in zip((h, w), filter, stride, strict=True)]
    for b, iy, ix, ch in np.ndindex(*x.shape):
        index = int(within[b, iy, ix, ch])
        y = iy * stride[0] - pads[0] + int(index / filter[1])
        x_ = ix * stride[1] - pads[1] + index - int(index / filter[1]) * filter[1]
        if 0 <= y < out.shape[1] and 0 <= x_ < out.shape[2]:
            out[b, y, x_, ch] = x[b, iy, ix, ch]
    return out


@pytest.mark.parametrize(("filter", "stride", "padding", "shape"), WINDOWS)
def test_unpooling_of_places_in_the_window(
    filter: tuple[int, int], stride: tuple[int, int], padding: int, shape: tuple[int, ...]
) -> None:
    x = image(shape)
    within = np.random.default_rng(1).integers(-3, filter[0] * filter[1] + 3, shape).astype(np.float32)
    within += np.float32(0.1)
    (found,) = run("MaxUnpooling2D", pool_struct(padding, stride, filter), [x, within], FLOAT32)
    np.testing.assert_array_equal(found, naive_unpool(x, within, filter, stride))
    within[...] = [np.nan, np.inf, -1e30][: shape[3]]
    (found,) = run("MaxUnpooling2D", pool_struct(padding, stride, filter), [x, within], FLOAT32)
    assert not found.any()


@pytest.mark.parametrize(("padding", "size"), [(SAME, (6, 8)), (VALID, (7, 9))])
def test_unpooling_of_places_in_the_image(padding: int, size: tuple[int, int]) -> None:
    x = image((2, 3, 4, 2))
    places = np.random.default_rng(1).integers(0, size[0] * size[1] * 2, x.shape).astype(np.int32)
    expected = np.zeros((2, size[0] * size[1] * 2), np.float32)
    for at in np.ndindex(*x.shape):
        expected[at[0], places[at]] = x[at]
    (found,) = run("MaxUnpooling2D", pool_struct(padding, (2, 2), (3, 3)), [x, places], FLOAT32)
    np.testing.assert_array_equal(found, expected.reshape(2, *size, 2))
    places[1, 0, 0, 0] = expected.shape[1]
    with pytest.raises(EvaluationError, match=f"place {expected.shape[1]} is not in an image"):
        run("MaxUnpooling2D", pool_struct(padding, (2, 2), (3, 3)), [x, places], FLOAT32)


def test_a_pool_is_undone() -> None:
    x = image((1, 4, 6, 2))
    options = pool_struct(SAME, (2, 2), (2, 2))
    best, within = run("MaxPoolingWithArgmax2D", options, [x], FLOAT32, FLOAT32)
    (found,) = run("MaxUnpooling2D", options, [best, within], FLOAT32)
    kept = found != 0
    assert kept.sum() == best.size
    np.testing.assert_array_equal(found[kept], x[kept])
    best, places = run("MaxPoolWithArgmax", flexbuffer(SAME, (2, 2), (2, 2)), [x], FLOAT32, INT32)
    np.testing.assert_array_equal(run("MaxUnpooling2D", options, [best, places], FLOAT32)[0], found)


@pytest.mark.parametrize("padding", [SAME, VALID])
@pytest.mark.parametrize(("kernel", "stride"), [((3, 3), (2, 2)), ((2, 4), (1, 3)), ((1, 1), (2, 2)), ((4, 4), (2, 2))])
def test_transpose_conv_bias(kernel: tuple[int, int], stride: tuple[int, int], padding: int) -> None:
    x, filter, bias = image((2, 3, 4, 5)), image((3, *kernel, 5)), image((3,))
    size, before = [], []
    for i in (0, 1):
        pad = max(0, kernel[i] - (x.shape[1 + i] - 1) % stride[i] - 1) if padding == SAME else 0
        size.append(stride[i] * (x.shape[1 + i] - 1) + kernel[i] - pad)
        before.append(pad // 2)
    expected = np.empty((2, *size, 3), np.float32)
    expected[...] = bias
    for b, iy, ix, ic in np.ndindex(*x.shape):
        for fy, fx in np.ndindex(*kernel):
            y, x_ = iy * stride[0] - before[0] + fy, ix * stride[1] - before[1] + fx
            if 0 <= y < size[0] and 0 <= x_ < size[1]:
                expected[b, y, x_] += x[b, iy, ix, ic] * filter[:, fy, fx, ic]
    options = struct.pack("<5i", padding, stride[1], stride[0], 0, 0)
    (found,) = run("Convolution2DTransposeBias", options, [x, filter, bias], FLOAT32)
    np.testing.assert_array_equal(found, expected)


def test_transpose_conv_bias_is_transpose_conv_without_a_bias() -> None:
    x, filter = image((2, 3, 4, 5)), image((3, 3, 2, 5))
    options = struct.pack("<3i", VALID, 3, 2)
    (found,) = run("Convolution2DTransposeBias", options, [x, filter, np.zeros(3, np.float32)], FLOAT32)
    shape = TensorSpec.constant(np.array(found.shape, np.int32))
    builtin = o.TransposeConvOptions(Padding.VALID, 3, 2)
    inputs = [shape, variable(filter), variable(x)]
    np.testing.assert_array_equal(found, run_operator("TRANSPOSE_CONV", inputs, [TensorSpec(FLOAT32, ())], builtin))


X = image((1, 4, 4, 2))


@pytest.mark.parametrize(
    ("code", "options", "inputs", "types", "error", "words"),
    [
        ("MaxPoolWithArgmax", b"", [X], (FLOAT32, INT32), ModelError, "options can't be read"),
        ("MaxPoolWithArgmax", flexbuffer(SAME, (0, 1), (2, 2)), [X], (FLOAT32, INT32), ModelError, "strides"),
        (
            "MaxPoolWithArgmax",
            flexbuffer(SAME, (1, 1), (2, 2), include_batch_in_index=True),
            [X],
            (FLOAT32, INT32),
            UnsupportedError,
            "include_batch_in_index",
        ),
        (
            "MaxPoolWithArgmax",
            flexbuffer(SAME, (1, 1), (2, 2)).replace(b"SAME", b"FULL"),
            [X],
            (FLOAT32, INT32),
            ModelError,
            "FULL",
        ),
        ("MaxPoolWithArgmax", flexbuffer(SAME, (1, 1), (2, 2)), [X], (FLOAT32, FLOAT32), UnsupportedError, "types"),
        ("MaxPoolingWithArgmax2D", bytes(23), [X], (FLOAT32, FLOAT32), ModelError, "23 bytes, expected at least 24"),
        ("MaxPoolingWithArgmax2D", bytes(24), [X], (FLOAT32, FLOAT32), ModelError, "padding 0"),
        ("MaxUnpooling2D", pool_struct(SAME, (1, 0), (2, 2)), [X, X], (FLOAT32,), ModelError, "strides"),
        ("MaxUnpooling2D", pool_struct(SAME, (1, 1), (2, 2)), [X, X[:, 1:]], (FLOAT32,), ModelError, "do not fit"),
        (
            "Convolution2DTransposeBias",
            struct.pack("<3i", 1, 0, 1),
            [X, X, X[0, 0, 0, :1]],
            (FLOAT32,),
            ModelError,
            "strides",
        ),
        ("Convolution2DTransposeBias", bytes(12), [X, X, X[0, 0, 0]], (FLOAT32,), ModelError, "do not fit"),
    ],
)
def test_refusals(
    code: str, options: bytes, inputs: list[Array], types: tuple[TensorType, ...], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        run(code, options, inputs, *types)
