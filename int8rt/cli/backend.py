"""The choice of a backend on the command line."""

from __future__ import annotations

from enum import StrEnum


class Backend(StrEnum):
    """See `int8rt.Interpreter`: NumPy is the definition, JIT compiled kernels with the same results, AUTO is JIT."""

    AUTO = "auto"
    NUMPY = "numpy"
    JIT = "jit"
