"""What a model's custom operators are, for `int8rt inspect`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from int8rt.errors import ModelError
from int8rt.kernels.custom.devices import why_not
from int8rt.kernels.custom.flexbuffer import decode
from int8rt.kernels.custom.table import find_kernel
from int8rt.model import Operator, Subgraph

_LONGEST = 400


@dataclass(frozen=True, slots=True)
class CustomSummary:
    """Custom operators of one name with the same options.

    source: whose arithmetic it is, or why int8rt has it not. options: a FlexBuffer's values as JSON, or how many bytes
    they are. positions: in the subgraph.
    """

    operator: str
    source: str
    options: str
    positions: tuple[int, ...]


def custom_operators(graph: Subgraph) -> tuple[CustomSummary, ...]:
    """The custom operators of a subgraph, in the order in which they come."""
    found: dict[tuple[str, bytes], list[int]] = {}
    for position, operator in enumerate(graph.operators):
        if operator.name == "CUSTOM":
            found.setdefault((operator.custom_code, operator.custom_options), []).append(position)
    return tuple(_summary(graph.operators[positions[0]], tuple(positions)) for positions in found.values())


def _summary(operator: Operator, positions: tuple[int, ...]) -> CustomSummary:
    kernel = find_kernel(operator)
    source = why_not(operator.custom_code) if kernel is None else kernel.source
    return CustomSummary(operator.label, source, _options(operator.custom_options), positions)


def _options(data: bytes) -> str:
    if not data:
        return ""
    try:
        text = json.dumps(decode(data), default=_bytes)
    except ModelError:
        return f"{len(data)} bytes"
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def _bytes(value: Any) -> str:
    return f"{len(value)} bytes"
