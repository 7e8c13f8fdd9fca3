"""How far two models say the same: operators in order with their versions and options, and every tensor they name."""

from __future__ import annotations

import numpy as np

from int8rt.model import Model, Tensor
from int8rt.schema.constant import constant_value


def parameters(tensor: Tensor) -> tuple[list[float], list[int]]:
    """Scales and zero points."""
    quantization = tensor.quantization
    return ([], []) if quantization is None else (quantization.scale.tolist(), quantization.zero_point.tolist())


def differences(found: Model, expected: Model) -> list[str]:
    """Operators of the first subgraph with other versions or options (QUANTIZE has two versions for the same work), and
    tensors with another type, scale, zero point or constant value.
    """
    ours, theirs = found.subgraphs[0], expected.subgraphs[0]
    names = [[operator.name for operator in graph.operators] for graph in (ours, theirs)]
    if names[0] != names[1]:
        return [f"operators: {names[0]}, expected {names[1]}"]
    messages = []
    for i, (a, b) in enumerate(zip(ours.operators, theirs.operators, strict=True)):
        if a.version != b.version and a.name != "QUANTIZE":
            messages.append(f"{i} {a.name}: version {a.version}, expected {b.version}")
        if a.options != b.options and (a.options or b.options) != b.options:
            messages.append(f"{i} {a.name}: {a.options}, expected {b.options}")
        if len(a.inputs) != len(b.inputs):
            messages.append(f"{i} {a.name}: {len(a.inputs)} inputs")
        for place, (s, t) in enumerate(zip((*a.inputs, *a.outputs), (*b.inputs, *b.outputs), strict=True)):
            if (s < 0) != (t < 0):
                messages.append(f"{i} {a.name} {place}: absent in one")
            elif s >= 0 and _differ(found, ours.tensors[s], expected, theirs.tensors[t]):
                messages.append(f"{i} {a.name} {place}")
    return messages


def _differ(found: Model, a: Tensor, expected: Model, b: Tensor) -> bool:
    values = constant_value(found, a), constant_value(expected, b)
    if (values[0] is None) != (values[1] is None) or a.type is not b.type or parameters(a) != parameters(b):
        return True
    return values[0] is not None and not np.array_equal(values[0], values[1])
