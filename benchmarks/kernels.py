"""Single kernels beside LiteRT: `python -m benchmarks.kernels [NAME ...] [--json FILE]`.

Each is a model of one int8 operator, of a shape that well-known networks have. Names select those that contain them.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.models import OPTIMISED, REFERENCE, XNNPACK, geometric_mean
from benchmarks.processes import ChildError, child
from int8rt.model import Model, Padding, Quantization, TensorType
from int8rt.schema import ModelBuilder, write_model
from int8rt.schema.options import (
    AddOptions,
    ConcatenationOptions,
    Conv2DOptions,
    DepthwiseConv2DOptions,
    FullyConnectedOptions,
    MulOptions,
    Pool2DOptions,
    ReducerOptions,
    ResizeBilinearOptions,
    SoftmaxOptions,
)
from int8rt.text import columns, quantity

INT8 = TensorType.INT8
Q = Quantization.per_tensor

# (size, channels in, channels out, kernel, stride)
CONVOLUTIONS = (
    (224, 3, 32, 3, 2),
    (112, 32, 16, 1, 1),
    (56, 24, 144, 1, 1),
    (28, 192, 32, 1, 1),
    (14, 96, 576, 1, 1),
    (14, 576, 96, 1, 1),
    (7, 160, 960, 1, 1),
    (7, 960, 320, 1, 1),
    (56, 64, 64, 3, 1),
    (28, 128, 128, 3, 1),
    (14, 256, 256, 3, 1),
    (7, 512, 512, 3, 1),
    (56, 256, 512, 1, 2),
)
# (size, channels, kernel, stride)
DEPTHWISE = (
    (112, 32, 3, 1),
    (112, 96, 3, 2),
    (56, 144, 3, 1),
    (28, 192, 3, 1),
    (14, 576, 3, 1),
    (14, 576, 3, 2),
    (28, 240, 5, 1),
    (14, 480, 5, 1),
    (7, 1152, 5, 1),
)


def cases() -> Iterator[tuple[str, Model]]:
    """(name, model) of every kernel."""
    for size, depth, channels, kernel, stride in CONVOLUTIONS:
        name = f"CONV_2D {size}x{size}x{depth} -> {channels}, {kernel}x{kernel}" + f" / {stride}" * (stride > 1)
        options = Conv2DOptions(Padding.SAME, stride, stride)
        weights = _weights((channels, kernel, kernel, depth), 0)
        yield (
            name,
            _one(
                "CONV_2D",
                (1, size, size, depth),
                (1, -(-size // stride), -(-size // stride), channels),
                options,
                weights,
            ),
        )
    for size, channels, kernel, stride in DEPTHWISE:
        name = f"DEPTHWISE_CONV_2D {size}x{size}x{channels}, {kernel}x{kernel}" + f" / {stride}" * (stride > 1)
        small = -(-size // stride)
        depthwise = DepthwiseConv2DOptions(Padding.SAME, stride, stride, 1)
        weights = _weights((1, kernel, kernel, channels), 3)
        shapes = (1, size, size, channels), (1, small, small, channels)
        yield name, _one("DEPTHWISE_CONV_2D", *shapes, depthwise, weights)
    for depth, channels in ((1280, 1000), (640, 128), (2048, 1000)):
        connected = FullyConnectedOptions()
        weights = _weights((channels, depth), 0, per_axis=False)
        yield (
            f"FULLY_CONNECTED {depth} -> {channels}",
            _one("FULLY_CONNECTED", (1, depth), (1, channels), connected, weights),
        )
    whole = (1, 56, 56, 24)
    yield "ADD 56x56x24", _one("ADD", whole, whole, AddOptions(), [("other", "input", whole, Q(0.03, 4))])
    yield (
        "ADD 14x14x96",
        _one("ADD", (1, 14, 14, 96), (1, 14, 14, 96), AddOptions(), [("other", "input", (1, 14, 14, 96), Q(0.03))]),
    )
    channelwise = [("other", "input", (1, 1, 1, 96), Q(0.004, -128))]
    yield "MUL 56x56x96 by channels", _one("MUL", (1, 56, 56, 96), (1, 56, 56, 96), MulOptions(), channelwise)
    pool = Pool2DOptions(Padding.VALID, 2, 2, 2, 2)
    yield "MAX_POOL_2D 112x112x64, 2x2 / 2", _one("MAX_POOL_2D", (1, 112, 112, 64), (1, 56, 56, 64), pool, same=True)
    pool = Pool2DOptions(Padding.VALID, 1, 1, 7, 7)
    yield "AVERAGE_POOL_2D 7x7x1280", _one("AVERAGE_POOL_2D", (1, 7, 7, 1280), (1, 1, 1, 1280), pool, same=True)
    axes = [("axes", np.array([1, 2], np.int32), None, None)]
    yield "MEAN 7x7x1280", _one("MEAN", (1, 7, 7, 1280), (1, 1280), ReducerOptions(), axes)
    yield "SOFTMAX 1000", _one("SOFTMAX", (1, 1000), (1, 1000), SoftmaxOptions(1.0), output=Q(1 / 256, -128))
    yield "LOGISTIC 56x56x96", _one("LOGISTIC", (1, 56, 56, 96), (1, 56, 56, 96), None, output=Q(1 / 256, -128))
    yield "HARD_SWISH 56x56x96", _one("HARD_SWISH", (1, 56, 56, 96), (1, 56, 56, 96), None)
    pads = [("paddings", np.array([[0, 0], [0, 1], [0, 1], [0, 0]], np.int32), None, None)]
    yield "PAD 112x112x96 by 1", _one("PAD", (1, 112, 112, 96), (1, 113, 113, 96), None, pads, same=True)
    other = [("other", "input", (1, 28, 28, 64), Q(0.02))]
    yield (
        "CONCATENATION 28x28x64 twice",
        _one("CONCATENATION", (1, 28, 28, 64), (1, 28, 28, 128), ConcatenationOptions(3), other, same=True),
    )
    size = [("size", np.array([64, 64], np.int32), None, None)]
    yield (
        "RESIZE_BILINEAR 32x32x64 -> 64x64",
        _one("RESIZE_BILINEAR", (1, 32, 32, 64), (1, 64, 64, 64), ResizeBilinearOptions(), size, same=True),
    )


def _weights(shape: tuple[int, ...], axis: int, per_axis: bool = True) -> list[Any]:
    generator, channels = np.random.default_rng(0), shape[axis]
    scales, zeros = np.linspace(0.001, 0.002, channels, dtype=np.float32), np.zeros(channels, np.int64)
    weights = Quantization.per_axis(scales, zeros, axis) if per_axis else Q(0.001)
    bias = Quantization.per_axis(scales * np.float32(0.02), zeros, 0) if per_axis else Q(0.001 * 0.02)
    return [
        ("weights", generator.integers(-127, 128, shape).astype(np.int8), None, weights),
        ("bias", generator.integers(-1000, 1000, channels).astype(np.int32), None, bias),
    ]


def _one(
    name: str,
    input: tuple[int, ...],
    output_shape: tuple[int, ...],
    options: Any,
    more: Any = (),
    output: Quantization | None = None,
    same: bool = False,
) -> Model:
    """A model of one operator. more: (name, data or "input", shape, quantization) of its other inputs."""
    from int8rt.kernels.registry import KERNELS

    builder = ModelBuilder().input("x", INT8, input, Q(0.02))
    for title, data, shape, quantization in more:
        if isinstance(data, str):
            builder.input(title, INT8, shape, quantization)
        else:
            builder.constant(title, data, quantization)
    builder.output("y", INT8, output_shape, Q(0.02) if same else output or Q(0.05, -3))
    version = min(KERNELS[name].max_version, 2)
    return builder.operator(name, ["x", *(item[0] for item in more)], ["y"], options, version=version).build()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="measure the kernels whose names contain one of these")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1.0, help="for each kernel")
    parser.add_argument("--json", type=Path, help="write all numbers into this file")
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kernel.tflite"
        for name, model in cases():
            if not arguments.names or any(wanted in name for wanted in arguments.names):
                path.write_bytes(write_model(model))
                rows.append({"kernel": name} | _measure(path, arguments))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(rows, indent=1))
    print(table(rows))
    ratios = [1 / row["ratios"][XNNPACK] for row in rows if XNNPACK in row.get("ratios", {})]
    if ratios:
        print(f"geometric mean of int8rt / XNNPACK: {geometric_mean(ratios):.2f}")


def _measure(path: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    options = ("--threads", str(arguments.threads), "--seconds", str(arguments.seconds))
    try:
        return child("time", str(path), "--against", ",".join((REFERENCE, OPTIMISED, XNNPACK)), *options)
    except ChildError as error:
        return {"error": str(error)}


def table(rows: list[dict[str, Any]]) -> str:
    """One line for each kernel; times in microseconds."""
    header = ("kernel", "MACs", "int8rt us", "XNNPACK", "optimised", "reference", "G MAC/s", "/XNNPACK", "bits", "by")
    lines = []
    for row in rows:
        if "times" not in row:
            lines.append((row["kernel"], *[""] * 8, row["error"][:60]))
            continue
        step, ours = row["operators"][0], row["times"]["int8rt"]["median"]
        medians = [row["times"][name]["median"] for name in ("int8rt", XNNPACK, OPTIMISED, REFERENCE)]
        lines.append(
            (
                row["kernel"],
                quantity(step["macs"]) if step["macs"] else "",
                *(f"{1e6 * value:.1f}" for value in medians),
                f"{step['macs'] / ours / 1e9:.0f}" if step["macs"] else "",
                f"{1 / row['ratios'][XNNPACK]:.2f}",
                "equal" if row["equal"][REFERENCE] else "differ",
                step["backend"],
            )
        )
    return columns(header, lines, right=range(1, 8))


if __name__ == "__main__":
    main()
