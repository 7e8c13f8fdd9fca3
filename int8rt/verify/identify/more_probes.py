"""Probes for AVERAGE_POOL_2D, MEAN, SOFTMAX and LOGISTIC; and the table of all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np

from int8rt.conformance.cases import all_cases
from int8rt.model import ActivationFunctionType, Model, Padding, Quantization, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import Pool2DOptions, ReducerOptions, SoftmaxOptions
from int8rt.verify.identify.kinds import GROUPED, candidates
from int8rt.verify.identify.piece import Piece
from int8rt.verify.identify.probes import Array, Probe, borders, convolution, groups, pair_model, pairs, products
from int8rt.verify.teacher import Teacher

# Groups of the operator suite that are tried beside the probes, and which of their cases; other operators: all cases.
_OF_SUITE = {
    "window": ("kernel=2,4", "padding=SAME"),
    "activation": ("RELU6",),
    "pair activation": ("RELU6",),
    "sums": ("",),
    "pool": ("kernel=1,4", "SAME", "NONE"),
}


def probes(name: str, type: TensorType, seed: int = 0) -> Iterator[Probe]:
    """(what it is for, model, inputs) for an operator of `kinds.KINDS` or `kinds.GROUPED`; type: one of
    codes, see `kinds.known_type`.
    """
    rng = np.random.default_rng(seed)
    if name in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
        for product in products(rng):
            yield from convolution(name, type, product)
        if name != "FULLY_CONNECTED":
            yield from borders(name, type, rng)
    elif name == GROUPED:
        yield from groups(type, rng)
    elif name in ("ADD", "MUL"):
        yield from pairs(name, type, rng)
        if name == "ADD":
            yield from _sums(type, rng)
    elif name in _OWN:
        yield from _OWN[name](type, rng)
    for case in all_cases():
        if (case.operator, case.type, case.expect) == (name, type.label, "exact"):
            parts = _OF_SUITE.get(case.name.split("/")[2])
            whole = name in _WHOLE and case.maker not in _UNCOVERED
            if whole or (parts is not None and all(part in case.name for part in parts)):
                yield case.name, *case.make()


def _codes(rng: np.random.Generator, type: TensorType, shape: tuple[int, ...]) -> Array:
    return rng.integers(0, 256, shape).astype(np.uint8).view(type.dtype)


def _quantization(type: TensorType, scale: float, zero_point: int) -> Quantization:
    return Quantization.per_tensor(scale, zero_point + (0 if type == TensorType.INT8 else 128))


def _pools(type: TensorType, rng: np.random.Generator) -> Iterator[Probe]:
    for window, stride, padding, activation in (
        (2, 2, Padding.VALID, ActivationFunctionType.NONE),
        (3, 2, Padding.SAME, ActivationFunctionType.NONE),
        (4, 1, Padding.SAME, ActivationFunctionType.RELU6),
    ):
        x = _codes(rng, type, (1, 16, 16, 19))
        # Sums close to zero, where the signs of ties differ; a few windows are left as they are.
        quiet = (rng.integers(-3, 4, x.shape) + (0 if type == TensorType.INT8 else 128)).astype(type.dtype)
        x = np.where(rng.random((1, 1, 1, 19)) < 0.5, x, quiet)
        size = 16 // stride
        quantization = _quantization(type, 0.07, -9)
        options = Pool2DOptions(padding, stride, stride, window, window, activation)
        specs = TensorSpec(type, x.shape, quantization), TensorSpec(type, (1, size, size, 19), quantization)
        yield f"windows of {window}", single_operator_model("AVERAGE_POOL_2D", specs[:1], specs[1:], options, 2), [x]


def _means(type: TensorType, rng: np.random.Generator) -> Iterator[Probe]:
    axes = np.array([1, 2], np.int32)
    for size, scales, keep in (
        (2, (1.0, 1.0), True),
        (4, (1.0, 1.0), True),
        (4, (0.5, 0.25), True),
        (4, (1.0, 1.0), False),
        (7, (0.0371, 0.0113), True),
        (5, (0.31, 0.157), True),
        (3, (0.031, 0.0217), False),
        (11, (30.25, 1.0), True),  # a multiplier of a quarter, which is none where 1/121 is rounded
    ):
        batch = 1 + 768 // size**2
        x = _codes(rng, type, (batch, size, size, 44))
        shape = (batch, 1, 1, 44) if keep else (batch, 44)
        model = single_operator_model(
            "MEAN",
            [TensorSpec(type, x.shape, _quantization(type, scales[0], 6)), TensorSpec.constant(axes)],
            [TensorSpec(type, shape, _quantization(type, scales[1], -10))],
            ReducerOptions(keep),
            2,
        )
        yield f"{size}x{size}, scales {scales}", model, [x]


def _sums(type: TensorType, rng: np.random.Generator) -> Iterator[Probe]:
    """Pairs of codes on which LiteRT's ways to scale an input part: few among all, and none for many scales."""
    first, second = (a.ravel() for a in np.meshgrid(np.arange(256), np.arange(256)))
    x = [codes.astype(np.uint8).view(type.dtype).reshape(1, -1) for codes in (first, second)]
    # Beside a half the second input's last bit decides about ties of the sum, which an output scale of 1 has exactly.
    cases = [[1.0, 0.5 * (1 + j * 2.0**-23), 1.0] for j in (1, 2, 3, 5)] + [[0.5 - 2.0**-24, 1.0, 1.0]]
    for _ in range(8):
        scales = [float(np.float32(s)) for s in np.exp(rng.uniform(np.log(0.01), np.log(0.1), 2))]
        cases.append([*scales, float(np.float32(sum(scales) * rng.uniform(0.6, 1.2)))])
    for scales in cases:
        zero_points = [int(z) for z in rng.integers(-60, 60, 3)]
        columns = np.flatnonzero(_parting(pair_model("ADD", type, x[0].size, scales, zero_points), x, 5)[0])
        if columns.size:
            columns = np.resize(columns, 16 * (columns.size // 16 + 4) + 13)
            inputs = [value[:, columns] for value in x]
            yield f"scales {scales}", pair_model("ADD", type, columns.size, scales, zero_points), inputs


def _softmaxes(type: TensorType, rng: np.random.Generator) -> Iterator[Probe]:
    """Rows of which most are chosen: fixed point, float32 and float64 disagree about them."""
    for scale, beta, length in (
        (0.0871, 1.0, 10),
        (0.031, 1.0, 4),
        (0.31, 1.0, 7),
        (0.053, 1.7, 12),
        (0.0123, 1.0, 3),
        (0.0217, 1.0, 5),
        (0.0043, 1.0, 6),
    ):
        x = _codes(rng, type, (20000, length))
        x[:256] = np.arange(256).astype(np.uint8).view(type.dtype)[:, None]
        x[:256, 0] = np.iinfo(type.dtype).max
        parting = np.any(_parting(_softmax(type, x.shape, scale, beta), [x], 4), axis=1)
        parting[:512] = True
        rows = x[parting][:2048]
        yield f"scale {scale}", _softmax(type, rows.shape, scale, beta), [rows]


def _softmax(type: TensorType, shape: tuple[int, ...], scale: float, beta: float) -> Model:
    specs = TensorSpec(type, shape, _quantization(type, scale, 4)), TensorSpec(type, shape, _probability(type))
    return single_operator_model("SOFTMAX", specs[:1], specs[1:], SoftmaxOptions(beta), 2)


def _logistics(type: TensorType, rng: np.random.Generator) -> Iterator[Probe]:
    """Some scales anyway, and of many those with codes on which the tables part."""
    x = np.arange(256).astype(np.uint8).view(type.dtype).reshape(1, 256)
    plain = [0.5**i for i in range(2, 7)]
    for place, scale in enumerate((*plain, *np.exp(rng.uniform(np.log(0.002), np.log(0.3), 400)))):
        specs = [
            TensorSpec(type, x.shape, _quantization(type, float(scale), int(rng.integers(-60, 60)))),
            TensorSpec(type, x.shape, _probability(type)),
        ]
        model = single_operator_model("LOGISTIC", specs[:1], specs[1:], None, 2)
        if place < len(plain) or np.any(_parting(model, [x], 4)):
            yield f"scale {scale:.4g}", model, [x]


def _probability(type: TensorType) -> Quantization:
    return _quantization(type, 1 / 256, -128)


# Operators with probes here, and those of which the operator suite has all.
_OWN: dict[str, Callable[[TensorType, np.random.Generator], Iterator[Probe]]] = {
    "AVERAGE_POOL_2D": _pools,
    "MEAN": _means,
    "SOFTMAX": _softmaxes,
    "LOGISTIC": _logistics,
}
_WHOLE = (
    "SUB",
    "MAX_POOL_2D",
    "TANH",
    "QUANTIZE",
    "DEQUANTIZE",
    "PAD",
    "RELU6",
    "REDUCE_MAX",
    "REDUCE_MIN",
    "RESIZE_NEAREST_NEIGHBOR",
    "RESIZE_BILINEAR",
)
_UNCOVERED = ("broadcast", "requantize")  # what `kinds.covered` leaves out


def _parting(model: Model, inputs: list[Array], count: int) -> Array:
    """Where the first `count` candidates for this operator do not all agree."""
    piece = Piece.make("", Teacher(model, inputs, "tflite-ref"), 0, dict(enumerate(inputs)), inputs[0])
    outputs = [value for _, value in islice(candidates(piece), count)]
    parting: Array = np.any([value != outputs[0] for value in outputs[1:]], axis=0)
    return parting
