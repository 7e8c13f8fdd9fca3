from __future__ import annotations

import ctypes
import math
import sys
from collections.abc import Callable

import numpy as np
import pytest

from int8rt.quantization import libm

FUNCTIONS: dict[str, Callable[[float], float]] = {
    "exp": math.exp,
    "expm1": math.expm1,
    "log": math.log,
    "log1p": math.log1p,
    "tanh": math.tanh,
    "erf": math.erf,
    "erfc": math.erfc,
}


@pytest.fixture(params=["library", "fallback"])
def source(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "fallback":
        monkeypatch.setattr(libm, "_library", lambda: None)
        monkeypatch.setattr(libm, "_function", libm._function.__wrapped__)
    return request.param


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_close_to_the_real_function(name: str, dtype: type[np.floating], source: str) -> None:
    assert (libm.library_name() == "none") == (source == "fallback")
    x = np.linspace(1e-3 if name in ("log", "log1p") else -8, 8, 401).astype(dtype).reshape(1, 401)
    found = getattr(libm, name)(x)
    assert found.dtype == dtype
    assert found.shape == x.shape
    expected = [FUNCTIONS[name](float(v)) for v in x[0]]
    np.testing.assert_allclose(found[0], np.array(expected, dtype), rtol=8 * float(np.finfo(dtype).eps))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pow(dtype: type[np.floating], source: str) -> None:
    x, y = np.array([[0.5], [1.0], [3.0]], dtype), np.array([-0.75, 0.0, 2.5], dtype)
    found = libm.pow(x, y)
    assert found.dtype == dtype
    expected = np.array([[float(a) ** float(b) for b in y] for a in x[:, 0]], dtype)
    np.testing.assert_allclose(found, expected, rtol=2 * float(np.finfo(dtype).eps))
    assert np.isnan(libm.pow(np.array([-2.0], dtype), np.array([0.5], dtype))).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_of_two_numbers(dtype: type[np.floating], source: str) -> None:
    x, y = np.array([[0.5], [-1.0], [3.0]], dtype), np.array([-0.75, 0.0, 2.5], dtype)
    for name, exact in (("atan2", math.atan2), ("hypot", math.hypot)):
        found = getattr(libm, name)(x, y)
        assert found.dtype == dtype
        expected = np.array([[exact(float(a), float(b)) for b in y] for a in x[:, 0]], dtype)
        np.testing.assert_allclose(found, expected, rtol=2 * float(np.finfo(dtype).eps))
    large = np.array([3e38 if dtype == np.float32 else 1e308], dtype)
    assert np.isfinite(libm.hypot(large, large / 4)).all()


def test_ends(source: str) -> None:
    x = np.array([1000.0, -1000.0], np.float32)
    assert libm.exp(x).tolist() == [math.inf, 0.0]
    assert libm.expm1(x).tolist() == [math.inf, -1.0]
    assert libm.tanh(x).tolist() == [1.0, -1.0]
    assert libm.erfc(x).tolist() == [0.0, 2.0]
    logarithm = libm.log(np.array([0.0, -1.0, 1.0], np.float32)).tolist()
    assert logarithm[0] == -math.inf
    assert math.isnan(logarithm[1])
    assert logarithm[2] == 0.0


@pytest.mark.skipif(sys.platform != "linux", reason="the name of the C library is that of Linux")
def test_the_c_library_is_called() -> None:
    assert libm.library_name() == "libm.so.6"
    expf = ctypes.CDLL("libm.so.6").expf
    expf.argtypes, expf.restype = [ctypes.c_float], ctypes.c_float
    x = np.linspace(-30, 30, 1001).astype(np.float32)
    assert libm.exp(x).tolist() == [expf(float(v)) for v in x]
