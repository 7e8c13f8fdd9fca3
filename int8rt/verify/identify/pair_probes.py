"""Probes for operators on two inputs of codes: ADD, MUL, DIV, PRELU, BATCH_MATMUL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np

from int8rt.model import ActivationFunctionType, Model, Quantization, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import AddOptions, BatchMatMulOptions, DivOptions, MulOptions
from int8rt.verify.identify.kinds import candidates
from int8rt.verify.identify.piece import Array, Piece
from int8rt.verify.identify.probes import Probe, every_code, zero
from int8rt.verify.teacher import Teacher


def pairs(name: str, type: TensorType, rng: np.random.Generator) -> Iterator[Probe]:
    """ADD and MUL of every code with others; a number of elements that no vector divides."""
    ratios = [(1.0, 1.0, 2.0), (1.0, 0.5, 4.0), (0.0371, 0.0371, 0.0527), (0.03, 0.0117, 0.041), (0.9, 0.0071, 1.1)]
    if name == "MUL":
        ratios = [(0.5**i, 1.0, 16.0) for i in range(4)]
        ratios += [
            (0.031, 0.7, 0.45),
            (0.9, 0.73, 31.7),
            (0.0117, 0.013, 0.011),
        ]
    none, clamp = ActivationFunctionType.NONE, ActivationFunctionType.RELU6
    cases = [(scales, (3, -11, 7), none) for scales in ratios]
    cases += [((1.5, 1.0, 4.0), (-3, 2, 1), clamp), (ratios[3], (-128, -128, -128), none)]
    if type == TensorType.INT16 and name == "MUL":  # products of 16 bits are 256 times as large
        cases = [((s[0], s[1], s[2] * 256), zeros, fused) for s, zeros, fused in cases]
    count = 32 * 256 + 13
    codes = every_code(type)
    for scales, zero_points, activation in cases:
        first = np.resize(codes, count).reshape(1, -1)
        second = codes[np.repeat(rng.integers(0, 256, 33), 256)[:count]].reshape(1, -1)
        model = pair_model(name, type, count, scales, zero_points, activation)
        yield f"scales {scales}", model, [first, second]


def pair_model(
    name: str,
    type: TensorType,
    count: int,
    scales: Sequence[float],
    zero_points: Sequence[int],
    activation: ActivationFunctionType = ActivationFunctionType.NONE,
) -> Model:
    """ADD or MUL of two inputs [1, count]. zero_points: for int8; see `zero`."""
    specs = [
        TensorSpec(type, (1, count), Quantization.per_tensor(s, zero(type, z)))
        for s, z in zip(scales, zero_points, strict=True)
    ]
    options: Any = MulOptions(activation)
    if name == "ADD":
        options = AddOptions(fused_activation_function=activation, pot_scale_int16=False)
    return single_operator_model(name, specs[:2], specs[2:], options, 2)


def sums(type: TensorType, rng: np.random.Generator) -> Iterator[Probe]:
    """Pairs of codes on which LiteRT's ways to scale an input part: few among all, and none for many scales."""
    pairs = np.meshgrid(every_code(type), every_code(type))
    x = [np.ascontiguousarray(codes.reshape(1, -1)) for codes in pairs]
    # Beside a half the second input's last bit decides about ties of the sum, which an output scale of 1 has exactly.
    cases = [[1.0, 0.5 * (1 + j * 2.0**-23), 1.0] for j in (1, 2, 3, 5)] + [[0.5 - 2.0**-24, 1.0, 1.0]]
    for _ in range(8):
        scales = [float(np.float32(s)) for s in np.exp(rng.uniform(np.log(0.01), np.log(0.1), 2))]
        cases.append([*scales, float(np.float32(sum(scales) * rng.uniform(0.6, 1.2)))])
    for scales in cases:
        zero_points = [int(z) for z in rng.integers(-60, 60, 3)]
        columns = np.flatnonzero(parting(pair_model("ADD", type, x[0].size, scales, zero_points), x, 5)[0])
        if columns.size:
            columns = np.resize(columns, min(16 * (columns.size // 16 + 4) + 13, 1 << 14))
            inputs = [value[:, columns] for value in x]
            yield f"scales {scales}", pair_model("ADD", type, columns.size, scales, zero_points), inputs


def parting(model: Model, inputs: list[Array], count: int) -> Array:
    """Where the first `count` candidates for this operator do not all agree."""
    piece = Piece.make("", Teacher(model, inputs, "tflite-ref"), 0, dict(enumerate(inputs)), inputs[0])
    outputs = [value for _, value in islice(candidates(piece), count)]
    found: Array = np.any([value != outputs[0] for value in outputs[1:]], axis=0)
    return found


def others(name: str, type: TensorType, rng: np.random.Generator) -> Iterator[Probe]:
    """PRELU with a slope for each of 20 channels; DIV by every code but 0; BATCH_MATMUL of columns by rows."""
    codes = every_code(type)
    for scales in ((0.5, 0.25, 1.0), (0.5, 0.5, 0.5), (0.0371, 0.0411, 0.0527), (0.9, 0.0071, 0.0117)):
        shapes: tuple[Sequence[int], ...] = ((1, 256, 20), (1, 1, 20), (1, 256, 20))
        first, second = np.repeat(codes[:, np.newaxis], 20, axis=1), rng.choice(codes, (1, 20))
        zeros, output = (-3, 11, 7), scales[2]
        options: Any = None
        if name == "DIV":
            second = rng.choice(codes[codes != zero(type, zeros[1])], (256, 20))
            shapes, options, output = ((1, 256, 20),) * 3, DivOptions(), scales[0] / scales[1] / 16
        elif name == "BATCH_MATMUL":
            first, shapes, options = codes[:, np.newaxis], ((1, 256, 1), (1, 1, 20), (1, 256, 20)), BatchMatMulOptions()
            output = scales[2] * (16 if type != TensorType.INT16 else 4096)
        specs = [
            TensorSpec(type, tuple(shape), Quantization.per_tensor(scale, zero(type, z)))
            for shape, scale, z in zip(shapes, (scales[0], scales[1], output), zeros, strict=True)
        ]
        version = 1 if name == "PRELU" else 3 if name == "BATCH_MATMUL" else 2
        model = single_operator_model(name, specs[:2], specs[2:], options, version)
        yield f"scales {scales}", model, [first.reshape(shapes[0]), second.reshape(shapes[1])]
