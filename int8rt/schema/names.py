"""Builtin operators by number and by name ("CONV_2D" is 3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from tflite import BuiltinOperator

from int8rt.errors import ModelError

# What LiteRT 2.3.0's schema has beyond that of the `tflite` package.
_NEWER = {"STABLEHLO_CASE": 209}

BUILTIN_CODES: Mapping[str, int] = MappingProxyType(
    {name: code for name, code in vars(BuiltinOperator).items() if not name.startswith("_")} | _NEWER
)
"""Number of each builtin operator by its name."""

_NAMES = {code: name for name, code in BUILTIN_CODES.items()}
_UNKNOWN = re.compile(r"UNKNOWN_(\d{1,10})")


def operator_name(code: int) -> str:
    """The name of builtin operator `code`; "UNKNOWN_<code>" where this schema has none."""
    return _NAMES.get(code, f"UNKNOWN_{code}")


def operator_code(name: str) -> int:
    """The number of builtin operator `name`, also of an "UNKNOWN_<n>". Raises ModelError for any other name."""
    code = BUILTIN_CODES.get(name)
    if code is not None:
        return code
    match = _UNKNOWN.fullmatch(name)
    if match is None or int(match[1]) >= 2**31:
        raise ModelError(f"{name!r} is not a TensorFlow Lite operator")
    return int(match[1])
