"""Equality of what two interpreters say, types and dtypes included."""

from __future__ import annotations

from typing import Any

import numpy as np


def differences(found: Any, expected: Any, path: str = "") -> list[str]:
    """Where two structures of dictionaries, lists, arrays and scalars differ; key order and types count."""
    if type(found) is not type(expected):
        return [f"{path}: {type(found).__name__} {found!r}, expected {type(expected).__name__} {expected!r}"]
    if isinstance(expected, dict):
        if list(found) != list(expected):
            return [f"{path}: keys {list(found)}, expected {list(expected)}"]
        return [line for key in expected for line in differences(found[key], expected[key], f"{path}[{key!r}]")]
    if isinstance(expected, (list, tuple)):
        if len(found) != len(expected):
            return [f"{path}: {len(found)} items, expected {len(expected)}"]
        pairs = enumerate(zip(found, expected, strict=True))
        return [line for i, (one, other) in pairs for line in differences(one, other, f"{path}[{i}]")]
    if isinstance(expected, np.ndarray):
        same = found.dtype == expected.dtype and found.shape == expected.shape
        equal_nan = expected.dtype.kind == "f"
        if not same or not np.array_equal(found, expected, equal_nan=equal_nan):
            return [f"{path}: {found!r}, expected {expected!r}"]
        return []
    return [] if found == expected else [f"{path}: {found!r}, expected {expected!r}"]
