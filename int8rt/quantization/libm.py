"""exp, expm1, log, log1p, sin, cos, tanh, erf, erfc, pow, atan2 and hypot as the C library of this machine does.

TensorFlow Lite fills its look-up tables with the C library's functions; NumPy's own float32 functions differ from them
in the last bit, which can move an entry of a table by one. Without a C library to call, the functions are evaluated in
float64 and rounded to the type of the argument: good C libraries differ from that only in rare last bits. Which one is
in use says `library_name`.

Each function takes a float32 or float64 array and returns one of the same type and shape; it calls the C function
element by element, so it is meant for tables, not for tensors.
"""

from __future__ import annotations

import ctypes
import functools
import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[Any]

# What holds the mathematical functions: None is the running process itself.
_LIBRARIES: dict[str, tuple[str | None, ...]] = {"linux": ("libm.so.6", None), "win32": ("ucrtbase",)}

# Overflow and poles give infinities here, as in C.
_FLOAT64: dict[str, Callable[..., Any]] = {
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
    "erf": np.vectorize(math.erf, otypes=[np.float64]),
    "erfc": np.vectorize(math.erfc, otypes=[np.float64]),
    "pow": np.power,
    "atan2": np.arctan2,
    "hypot": np.hypot,
}


def library_name() -> str:
    """The C library in use, such as "libm.so.6"; "process" for the functions of the process, "none" for none."""
    library = _library()
    return "none" if library is None else str(library._name or "process")


def exp(x: FloatArray) -> FloatArray:
    """e^x."""
    return _apply("exp", x)


def expm1(x: FloatArray) -> FloatArray:
    """e^x - 1."""
    return _apply("expm1", x)


def log(x: FloatArray) -> FloatArray:
    """The natural logarithm; minus infinity at 0, NaN below."""
    return _apply("log", x)


def log1p(x: FloatArray) -> FloatArray:
    """The natural logarithm of 1 + x; minus infinity at -1, NaN below."""
    return _apply("log1p", x)


def sin(x: FloatArray) -> FloatArray:
    """The sine of an angle in radians; NaN of infinities."""
    return _apply("sin", x)


def cos(x: FloatArray) -> FloatArray:
    """The cosine of an angle in radians; NaN of infinities."""
    return _apply("cos", x)


def tanh(x: FloatArray) -> FloatArray:
    """The hyperbolic tangent."""
    return _apply("tanh", x)


def erf(x: FloatArray) -> FloatArray:
    """The error function."""
    return _apply("erf", x)


def erfc(x: FloatArray) -> FloatArray:
    """1 - erf(x), without the cancellation."""
    return _apply("erfc", x)


def pow(x: FloatArray, y: FloatArray) -> FloatArray:
    """x to the power y, which has the type of x and broadcasts with it; NaN for broken powers of negative numbers."""
    return _apply("pow", *np.broadcast_arrays(x, y))


def atan2(y: FloatArray, x: FloatArray) -> FloatArray:
    """The angle of the point (x, y) in radians, from -pi to pi; x has the type of y and broadcasts with it."""
    return _apply("atan2", *np.broadcast_arrays(y, x))


def hypot(x: FloatArray, y: FloatArray) -> FloatArray:
    """sqrt(x² + y²) without overflow of the squares; y has the type of x and broadcasts with it."""
    return _apply("hypot", *np.broadcast_arrays(x, y))


def address(name: str) -> int | None:
    """Where the float32 function of one argument lies in memory; None without a C library."""
    function = _function(name, np.dtype(np.float32))
    return None if function is None else ctypes.cast(function, ctypes.c_void_p).value  # type: ignore[arg-type]


@functools.cache
def _library() -> ctypes.CDLL | None:
    for name in _LIBRARIES.get(sys.platform, (None,)):
        try:
            return ctypes.CDLL(name)
        except (OSError, TypeError):  # Windows has no library without a name
            continue
    return None


@functools.cache
def _function(name: str, dtype: np.dtype[Any], arguments: int = 1) -> Callable[..., float] | None:
    library = _library()
    c_type = ctypes.c_float if dtype == np.float32 else ctypes.c_double
    try:
        function = getattr(library, name + ("f" if dtype == np.float32 else ""))
    except AttributeError:
        return None
    function.argtypes, function.restype = [c_type] * arguments, c_type
    return function  # type: ignore[no-any-return]


def _apply(name: str, x: FloatArray, *others: FloatArray) -> FloatArray:
    function = _function(name, x.dtype, 1 + len(others))
    if function is None:
        with np.errstate(over="ignore", divide="ignore", invalid="ignore", under="ignore"):
            return np.asarray(_FLOAT64[name](*(array.astype(np.float64) for array in (x, *others)))).astype(x.dtype)
    values = [function(*numbers) for numbers in zip(*(array.ravel().tolist() for array in (x, *others)), strict=True)]
    return np.array(values, x.dtype).reshape(x.shape)
