"""int8rt: quantized TensorFlow Lite models, run with the same bits as the TensorFlow Lite reference interpreter.

Importing this package imports neither NumPy nor Numba; the names below load what they need when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from int8rt.errors import (
    EvaluationError,
    InputError,
    Int8rtError,
    ModelError,
    SpecError,
    StateError,
    UnsupportedError,
)

if TYPE_CHECKING:
    from int8rt.interpreter import Interpreter, OpResolverType
    from int8rt.kernels.custom.user import CustomOp, register_custom_op, unregister_custom_op
    from int8rt.schema import load_model, read_model, write_model

__version__ = "0.1.0"

__all__ = [
    "CustomOp",
    "EvaluationError",
    "InputError",
    "Int8rtError",
    "Interpreter",
    "ModelError",
    "OpResolverType",
    "SpecError",
    "StateError",
    "UnsupportedError",
    "__version__",
    "load_model",
    "read_model",
    "register_custom_op",
    "unregister_custom_op",
    "write_model",
]

_LAZY = {
    "CustomOp": "int8rt.kernels.custom.user",
    "Interpreter": "int8rt.interpreter",
    "OpResolverType": "int8rt.interpreter",
    "load_model": "int8rt.schema",
    "read_model": "int8rt.schema",
    "register_custom_op": "int8rt.kernels.custom.user",
    "unregister_custom_op": "int8rt.kernels.custom.user",
    "write_model": "int8rt.schema",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return __all__
