from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from int8rt.model import Model, Quantization, TensorType
from int8rt.schema import ModelBuilder
from int8rt.schema.options import GatherOptions
from int8rt.verify.inputs import KINDS, Kind, make_inputs, real_range

Q = Quantization.per_tensor


def one_input(type: TensorType, shape: tuple[int, ...], quantization: Quantization | None = None) -> Model:
    return ModelBuilder().input("x", type, shape, quantization).output("x").build()


def only(model: Model, kind: Kind, seed: int = 0) -> Any:
    (value,) = make_inputs(model, kind, seed)
    return value


@pytest.mark.parametrize(
    ("type", "low", "high"),
    [
        (TensorType.INT8, -128, 127),
        (TensorType.UINT8, 0, 255),
        (TensorType.INT16, -32768, 32767),
        (TensorType.INT4, -8, 7),
        (TensorType.UINT4, 0, 15),
    ],
)
def test_codes_cover_the_type(type: TensorType, low: int, high: int) -> None:
    model = one_input(type, (1, 50, 50, 4), Q(0.03, 3 if low else 7))
    values = {kind: only(model, kind) for kind in KINDS}
    assert all(value.dtype == type.dtype and value.shape == (1, 50, 50, 4) for value in values.values())
    assert (values["minimum"] == low).all()
    assert (values["maximum"] == high).all()
    assert values["alternating"].ravel()[:4].tolist() == [low, high, low, high]
    assert (int(values["natural"].min()), int(values["natural"].max())) == (low, high)
    assert low <= values["random"].min() < low + 100
    assert high - 100 < values["random"].max() <= high


def test_natural_is_smooth_and_random_is_not() -> None:
    model = one_input(TensorType.INT8, (1, 64, 64, 1), Q(0.01))
    natural, random = (np.abs(np.diff(only(model, k).astype(int), axis=2)).mean() for k in ("natural", "random"))
    assert natural < 30 < 60 < random


def test_the_seed_decides() -> None:
    model = one_input(TensorType.INT8, (100,), Q(0.01))
    for kind in ("random", "natural"):
        np.testing.assert_array_equal(only(model, kind, 1), only(model, kind, 1))
        assert not np.array_equal(only(model, kind, 1), only(model, kind, 2))


def test_floats_follow_the_quantize_behind_them() -> None:
    builder = ModelBuilder().input("x", TensorType.FLOAT32, (4, 2)).constant("s", np.array([8], np.int32))
    builder.tensor("r", TensorType.FLOAT32, (8,)).output("q", TensorType.UINT8, (8,), Q(0.5, 10))
    model = builder.operator("RESHAPE", ["x", "s"], ["r"]).operator("QUANTIZE", ["r"], ["q"]).build()
    assert real_range(model.subgraphs[0], 0) == (-5.0, 122.5)
    assert only(model, "alternating").ravel()[:2].tolist() == [-5.0, 122.5]
    assert np.isfinite(only(model, "natural")).all()


def test_floats_without_a_quantize() -> None:
    model = one_input(TensorType.FLOAT32, (1000,))
    assert only(model, "minimum").tolist() == [-1.0] * 1000
    assert np.abs(only(model, "random")).max() <= 1


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_indices_stay_inside(axis: int) -> None:
    builder = ModelBuilder().input("i", TensorType.INT32, (50,)).input("x", TensorType.INT8, (3, 5), Q(1.0))
    builder.output("y", TensorType.INT8, (50, 5), Q(1.0))
    model = builder.operator("GATHER", ["x", "i"], ["y"], GatherOptions(axis=axis)).build()
    for kind in KINDS:
        indices = make_inputs(model, kind)[0]
        assert 0 <= indices.min() <= indices.max() < (3, 5)[axis]
    assert int(make_inputs(model, "maximum")[0].max()) == (3, 5)[axis] - 1


def test_other_types() -> None:
    assert only(one_input(TensorType.BOOL, (100,)), "random").dtype == np.bool_
    assert only(one_input(TensorType.INT64, (100,)), "maximum").tolist() == [7] * 100
    strings = only(one_input(TensorType.STRING, (2, 2)), "random")
    assert (strings.shape, {type(item) for item in strings.ravel()}) == ((2, 2), {bytes})
    assert only(one_input(TensorType.INT8, (), Q(1.0)), "natural").shape == ()
    assert only(one_input(TensorType.FLOAT32, (0, 3)), "natural").shape == (0, 3)


def test_other_shapes_may_be_asked_for() -> None:
    (value,) = make_inputs(one_input(TensorType.INT8, (1, 4), Q(1.0)), "random", shapes=[(7, 4)])
    assert value.shape == (7, 4)
