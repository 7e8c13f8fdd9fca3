from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from int8rt.kernels.jit.isa.levels import Level, available_levels
from int8rt.model import Quantization, TensorType
from int8rt.quantization.affine import dequantize, quantize
from int8rt.schema.builder import TensorSpec, single_operator_model
from tests.differential.harness import run_int8rt

Reals = npt.NDArray[np.float32]
LEVELS = available_levels()


def near_ties(rng: np.random.Generator, scale: np.float32) -> Reals:
    """Numbers whose quotients lie at ties between codes or some last bits beside them, and of all other sizes."""
    with np.errstate(over="ignore", under="ignore"):
        ties = (rng.integers(-300, 300, 2048) + 0.5) * np.float64(scale)
        bits = ties.astype(np.float32).view(np.int32) + rng.integers(-3, 4, ties.shape, np.int32)
        ends = np.array([2147483520.0, 2147483648.0, -2147483648.0]) * np.float64(scale)
        special = np.append(ends, [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-45, 3e38, -3e38]).astype(np.float32)
    any_bits = rng.integers(0, 2**32, 1024, np.uint32)
    return np.concatenate([bits.view(np.float32), any_bits.view(np.float32), special])


@pytest.mark.parametrize("level", LEVELS, ids=lambda level: level.name)
@pytest.mark.parametrize("type", [TensorType.INT8, TensorType.UINT8])
def test_quotients_are_those_of_a_division(type: TensorType, level: Level) -> None:
    rng = np.random.default_rng(7)
    drawn = (rng.integers(1 << 23, 1 << 24, 12) * 2.0 ** rng.integers(-40, 0, 12)).astype(np.float32)
    # All ones, a power of two, and scales with which nothing is multiplied.
    others = np.array([2 - 2**-23, 0.25, 2e-20, 1e-40, 3e38], np.float32)
    for scale in [*drawn, *others]:
        zero_point = int(rng.integers(-128, 128)) + (128 if type == TensorType.UINT8 else 0)
        reals = near_ties(rng, scale)
        output = TensorSpec(type, reals.shape, Quantization.per_tensor(float(scale), zero_point))
        model = single_operator_model("QUANTIZE", [TensorSpec(TensorType.FLOAT32, reals.shape)], [output])
        found = run_int8rt(model, [reals], level=level)[model.subgraphs[0].outputs[0]]
        with np.errstate(all="ignore"):
            expected = quantize(reals, scale, zero_point, type.dtype)
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("count", [1, 15, 16, 17, 63, 64, 65, 200])
@pytest.mark.parametrize("level", LEVELS, ids=lambda level: level.name)
def test_any_number_of_elements(count: int, level: Level) -> None:
    reals = np.random.default_rng(count).normal(0, 40, count).astype(np.float32)
    q = Quantization.per_tensor(0.3, -5)
    specs = TensorSpec(TensorType.FLOAT32, (count,)), TensorSpec(TensorType.INT8, (count,), q)
    codes = quantize(reals, q.scale[0], -5, np.int8)
    for name, (source, target), data, expected in (
        ("QUANTIZE", specs, reals, codes),
        ("DEQUANTIZE", specs[::-1], codes, dequantize(codes, q.scale[0], -5)),
    ):
        model = single_operator_model(name, [source], [target], version=2)
        for shares in (1, 3):
            found = run_int8rt(model, [data], level=level, shares=shares)[model.subgraphs[0].outputs[0]]
            np.testing.assert_array_equal(found, expected)
