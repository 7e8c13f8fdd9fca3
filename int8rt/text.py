"""Plain text for standard output: aligned columns, JSON, large numbers. No colours, so that it can be piped."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

SCHEMA_VERSION = 1


def columns(header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Rows below a header, each column as wide as its widest cell; the columns `right` are aligned to the right."""
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (header, *rows)
    )


def print_json(data: Mapping[str, Any]) -> None:
    """One JSON object with its `schema_version` first. Numbers that JSON lacks become the strings "inf" and "nan"."""
    print(json.dumps({"schema_version": SCHEMA_VERSION} | _plain(data), indent=1, ensure_ascii=False, allow_nan=False))


def quantity(count: int) -> str:
    """A count with three digits and a unit: "569 M"."""
    value = float(count)
    for unit in ("", " k", " M", " G"):
        if value < 999.5:
            return f"{value:.3g}{unit}"
        value /= 1000
    return f"{value:.3g} T"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
