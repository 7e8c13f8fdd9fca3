"""Probes for AVERAGE_POOL_2D, MEAN, SOFTMAX and LOGISTIC; and the table of all."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from int8rt.conformance.cases import Case, all_cases
from int8rt.model import ActivationFunctionType, Model, Padding, Quantization, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import Pool2DOptions, ReducerOptions, SoftmaxOptions
from int8rt.verify.identify.kinds import GROUPED, REQUANTIZED
from int8rt.verify.identify.pair_probes import others, pairs, parting, sums
from int8rt.verify.identify.probes import Array, Probe, borders, convolution, every_code, groups, products, zero
from int8rt.verify.identify.unary_probes import joined, requantized, roots, totals, unary

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
    if name in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"):
        for product in products(name, type, rng):
            yield from convolution(name, type, product)
        if "CONV_2D" in name:
            yield from borders(name, type, rng)
    elif name in ("ADD", "MUL"):
        yield from pairs(name, type, rng)
        if name == "ADD":
            yield from sums(type, rng)
    elif name in _NAMED:
        yield from _NAMED[name](name, type, rng)
    elif name in _OWN:
        yield from _OWN[name](type, rng)
    for case in all_cases():
        if (*_about(case), case.expect) == (name, type.label, "exact"):
            parts = _OF_SUITE.get(case.name.split("/")[2])
            whole = name in _WHOLE and case.maker != "broadcast"  # which `kinds.covered` leaves out
            if whole or (parts is not None and all(part in case.name for part in parts)):
                yield case.name, *case.make()


def _about(case: Case) -> tuple[str, str]:
    """Kind and type of a case."""
    return (REQUANTIZED, case.parameters["to"]) if case.maker == "requantize" else (case.operator, case.type)


def _codes(rng: np.random.Generator, type: TensorType, shape: tuple[int, ...]) -> Array:
    if type == TensorType.INT16:
        return rng.integers(-32768, 32768, shape).astype(np.int16)
    return rng.integers(0, 256, shape).astype(np.uint8).view(type.dtype)


def _quantization(type: TensorType, scale: float, zero_point: int) -> Quantization:
    return Quantization.per_tensor(scale, zero(type, zero_point))


def _pools(type: TensorType, rng: np.random.Generator) -> Iterator[Probe]:
    for window, stride, padding, activation in (
        (2, 2, Padding.VALID, ActivationFunctionType.NONE),
        (3, 2, Padding.SAME, ActivationFunctionType.NONE),
        (4, 1, Padding.SAME, ActivationFunctionType.RELU6),
    ):
        x = _codes(rng, type, (1, 16, 16, 19))
        # Sums close to zero, where the signs of ties differ; a few windows are left as they are.
        quiet = (rng.integers(-3, 4, x.shape) + zero(type, 0)).astype(type.dtype)
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


def _softmaxes(type: TensorType, rng: np.random.Generator) -> Iterator[Probe]:
    """Rows of which most are chosen: fixed point, float32 and float64 disagree about them. On int16 they nearly always
    do.
    """
    for scale, beta, length in (
        (0.0871, 1.0, 10),
        (0.031, 1.0, 4),
        (0.31, 1.0, 7),
        (0.053, 1.7, 12),
        (0.0123, 1.0, 3),
        (0.0217, 1.0, 5),
        (0.0043, 1.0, 6),
    ):
        if type == TensorType.INT16:
            rows = _codes(rng, type, (512, length))
            yield f"scale {scale} / 256", _softmax(type, rows.shape, scale / 256, beta), [rows]
            continue
        x = _codes(rng, type, (20000, length))
        x[:256] = every_code(type)[:, None]
        x[:256, 0] = np.iinfo(type.dtype).max
        parts = np.any(parting(_softmax(type, x.shape, scale, beta), [x], 4), axis=1)
        parts[:512] = True
        rows = x[parts][:2048]
        yield f"scale {scale}", _softmax(type, rows.shape, scale, beta), [rows]


def _softmax(type: TensorType, shape: tuple[int, ...], scale: float, beta: float) -> Model:
    specs = TensorSpec(type, shape, _quantization(type, scale, 4)), TensorSpec(type, shape, _probability(type))
    return single_operator_model("SOFTMAX", specs[:1], specs[1:], SoftmaxOptions(beta), 2)


def _functions(name: str, type: TensorType, rng: np.random.Generator) -> Iterator[Probe]:
    """LOGISTIC: some scales anyway, and of many those with codes on which the tables part. Of int16 a few, and TANH."""
    if name == "TANH" and type != TensorType.INT16:
        return
    x = every_code(type).reshape(1, 256)
    plain, wide = [0.5**i for i in range(2, 7)], type == TensorType.INT16
    for place, scale in enumerate((*plain, *np.exp(rng.uniform(np.log(0.002), np.log(0.3), 4 if wide else 400)))):
        specs = [
            TensorSpec(type, x.shape, _quantization(type, scale / (256 if wide else 1), int(rng.integers(-60, 60)))),
            TensorSpec(type, x.shape, _probability(type)),
        ]
        model = single_operator_model(name, specs[:1], specs[1:], None, 2)
        if wide or place < len(plain) or np.any(parting(model, [x], 4)):
            yield f"scale {scale:.4g}", model, [x]


def _probability(type: TensorType) -> Quantization:
    return Quantization.per_tensor(1 / 32768) if type == TensorType.INT16 else _quantization(type, 1 / 256, -128)


# Operators with probes here, those whose probes serve several, and those of which the operator suite has all.
_OWN: dict[str, Callable[[TensorType, np.random.Generator], Iterator[Probe]]] = {
    "AVERAGE_POOL_2D": _pools,
    "CONCATENATION": joined,
    "MEAN": _means,
    "SOFTMAX": _softmaxes,
    "SUM": totals,
    GROUPED: groups,
    REQUANTIZED: requantized,
}
_NAMED: dict[str, Callable[[str, TensorType, np.random.Generator], Iterator[Probe]]] = {
    **dict.fromkeys(("ABS", "HARD_SWISH", "LEAKY_RELU", "RELU", "RELU6", "RELU_N1_TO_1"), unary),
    **dict.fromkeys(("LOGISTIC", "TANH"), _functions),
    **dict.fromkeys(("RSQRT", "SQRT"), roots),
    **dict.fromkeys(("BATCH_MATMUL", "DIV", "PRELU"), others),
}
_WHOLE = (
    "SUB",
    "MAX_POOL_2D",
    "TANH",
    "QUANTIZE",
    REQUANTIZED,
    "DEQUANTIZE",
    "PAD",
    "RELU",
    "RELU6",
    "RELU_N1_TO_1",
    "REDUCE_MAX",
    "REDUCE_MIN",
    "RESIZE_NEAREST_NEIGHBOR",
    "RESIZE_BILINEAR",
    "TRANSPOSE_CONV",
    "BATCH_MATMUL",
    "ABS",
    "CONCATENATION",
    "HARD_SWISH",
    "L2_NORMALIZATION",
    "LEAKY_RELU",
    "LOG_SOFTMAX",
    "MAXIMUM",
    "MINIMUM",
    "SQUARED_DIFFERENCE",
    "SUM",
)
