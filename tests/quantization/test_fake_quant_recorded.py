"""Fake quantization beside what TensorFlow answered (scripts/record_fake_quant.py), bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from int8rt.errors import InputError
from int8rt.quantization.fake_quant import fake_quant_with_min_max_vars, fake_quant_with_min_max_vars_gradient
from int8rt.quantization.fake_quantizers import FakeQuantizer, convergence_report, ema_residue

with np.load(Path(__file__).with_name("fake_quant.npz")) as _file:
    RECORDED = {name: _file[name] for name in _file.files}
X, GRADIENT, LOW, HIGH = (RECORDED[name] for name in ("x", "gradient", "low", "high"))


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("bits", [2, 4, 8, 16])
def test_operators_and_gradients(bits: int, narrow: bool) -> None:
    forward = fake_quant_with_min_max_vars(X, LOW, HIGH, bits, narrow)
    found = forward, *fake_quant_with_min_max_vars_gradient(GRADIENT, X, LOW, HIGH, bits, narrow)
    for name, value in zip(("y", "dx", "dlow", "dhigh"), found, strict=True):
        assert value.dtype == np.float32
        np.testing.assert_array_equal(value, RECORDED[f"channel_{bits}_{int(narrow)}_{name}"])
    for i, (low, high) in enumerate(zip(LOW, HIGH, strict=True)):
        forward = fake_quant_with_min_max_vars(X[:, i], low, high, bits, narrow)
        found = forward, *fake_quant_with_min_max_vars_gradient(GRADIENT[:, i], X[:, i], low, high, bits, narrow)
        for name, value in zip(("y", "dx", "dlow", "dhigh"), found, strict=True):
            np.testing.assert_array_equal(value, RECORDED[f"tensor_{bits}_{int(narrow)}_{name}"][..., i])


@pytest.mark.parametrize("key", sorted(name[:-7] for name in RECORDED if name.endswith("_ranges")))
def test_quantizers(key: str) -> None:
    kind, channels, symmetric, narrow = key.split("_")
    quantizer = FakeQuantizer.start(
        kind,  # type: ignore[arg-type]
        3 if channels == "1" else None,
        symmetric=symmetric == "1",
        narrow_range=narrow == "1",
    )
    for batch, (low, high) in zip(RECORDED["batches"], RECORDED[f"{key}_ranges"], strict=True):
        y = quantizer(batch, training=True)
        np.testing.assert_array_equal(quantizer.minimum, low)
        np.testing.assert_array_equal(quantizer.maximum, high)
    np.testing.assert_array_equal(y, RECORDED[f"{key}_y"])
    np.testing.assert_array_equal(quantizer(batch), y)


def test_residue_and_convergence() -> None:
    moving, new = FakeQuantizer.start("moving"), FakeQuantizer.start("moving")
    for _ in range(300):
        moving(np.zeros(1, np.float32), training=True)
    report = convergence_report({"a": moving, "b": new, "c": FakeQuantizer.start("last")}, 0.5)
    assert list(report) == ["b", "a"]
    assert (report["b"].residue, report["b"].share, report["b"].steps) == (1, 1, 693)
    assert (report["a"].residue, report["a"].steps) == (ema_residue(300), 393)
    assert report["a"].start == pytest.approx(float(moving.maximum), rel=1e-4)
    assert report["a"].share == pytest.approx(1, rel=1e-4)  # zeros only: all of the range is the start value


@pytest.mark.parametrize(
    ("x", "low", "high", "bits"),
    [
        ([np.nan], -1, 1, 8),
        ([0.0], 1, 1, 8),
        ([0.0], 1, -1, 8),
        ([0.0], -np.inf, 1, 8),
        ([0.0], -1, 1, 17),
        ([0.0], [-1, -1], [1, 1], 8),
        ([0.0], 0, 1e-45, 8),
        ([0.0], 0, 1e-37, 8),  # a scale that is subnormal, of which TensorFlow makes NaN
        ([0.0], -2e38, 1e38, 2),  # an inverse that is subnormal, of which TensorFlow makes 3e38 or 0
        ([0.0], [-2e38], [1e38], 2),
    ],
)
def test_what_has_no_answer_is_an_error(x: list[float], low: float, high: float, bits: int) -> None:
    with pytest.raises(InputError):
        fake_quant_with_min_max_vars(x, low, high, bits)


def test_subnormal_values_are_zero() -> None:
    """As to TensorFlow on a CPU: they are not below a range that begins with 0."""
    x, ones = np.float32([-1e-42, 1e-42, -1e-37]), np.ones(3, np.float32)
    for low, high in ((0.0, 1.0), (-1.0, 0.0)):
        inside, below, above = fake_quant_with_min_max_vars_gradient(ones, x, low, high)
        assert inside.tolist() == [1, 1, low != 0]
        assert (below, above) == (low == 0, 0)


def test_batches_that_give_no_range() -> None:
    for bad in ([], [np.inf], [np.nan]):
        with pytest.raises(InputError):
            FakeQuantizer.start("moving")(np.array(bad, np.float32), training=True)
    with pytest.raises(InputError):
        FakeQuantizer.start("all", 3)
