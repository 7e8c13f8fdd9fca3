"""int8rt: quantized TensorFlow Lite models, run with the same bits as the TensorFlow Lite reference interpreter.

Importing this package imports neither NumPy nor Numba.
"""

from __future__ import annotations

from int8rt.errors import EvaluationError, InputError, Int8rtError, ModelError, SpecError, UnsupportedError

__version__ = "0.1.0"

__all__ = [
    "EvaluationError",
    "InputError",
    "Int8rtError",
    "ModelError",
    "SpecError",
    "UnsupportedError",
    "__version__",
]
