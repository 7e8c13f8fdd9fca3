"""Random graphs of small operators, to try how tensors share the arena."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from int8rt.model import Model, Quantization, TensorType
from int8rt.schema import ModelBuilder
from int8rt.schema.options import AddOptions, ConcatenationOptions, ReshapeOptions

_KINDS = ("RESHAPE", "RESHAPE", "RELU", "TANH", "ABS", "ADD", "CONCATENATION")


@st.composite
def graphs(draw: st.DrawFn) -> Model:
    """Up to 12 operators: views, candidates to run in place, and what reads several tensors.

    Some of the operators have compiled kernels and some have none; any tensor may be an output, inputs included.
    """
    type = draw(st.sampled_from((TensorType.INT8, TensorType.UINT8, TensorType.FLOAT32)))
    scales = (0.25, 0.5) if type is not TensorType.FLOAT32 else ()
    builder = ModelBuilder()
    known: dict[str, tuple[tuple[int, ...], Quantization | None]] = {}

    def quantization() -> Quantization | None:
        return Quantization.per_tensor(draw(st.sampled_from(scales)), 3) if scales else None

    def compute(kind: str, sources: list[str], shape: tuple[int, ...], same: bool, options: Any = None) -> None:
        name = f"t{len(known)}"
        known[name] = shape, known[sources[0]][1] if same else quantization()
        if kind == "TANH":
            known[name] = shape, Quantization.per_tensor(1 / 128, 0 if type is TensorType.INT8 else 128)
        builder.tensor(name, type, *known[name])
        builder.operator(kind, sources, [name], options, version=1 if kind == "RESHAPE" else 2)

    for name in ("x", "y")[: draw(st.integers(1, 2))]:
        known[name] = draw(st.sampled_from(((2, 6), (12,)))), quantization()
        builder.input(name, type, *known[name])
    for _ in range(draw(st.integers(1, 12))):
        source = draw(st.sampled_from(sorted(known)))
        shape = known[source][0]
        kind = draw(st.sampled_from(_KINDS))
        if kind == "RESHAPE":
            count = prod(shape)
            new = draw(st.sampled_from(((count,), (1, count), (count // 2, 2))))
            compute(kind, [source], new, True, ReshapeOptions(new_shape=new))
        elif kind == "ADD":
            other = draw(st.sampled_from([name for name in sorted(known) if known[name][0] == shape]))
            compute(kind, [source, other], shape, False, AddOptions())
        elif kind == "CONCATENATION":
            others = [name for name in sorted(known) if known[name] == known[source]]
            options = ConcatenationOptions(axis=0)
            compute(kind, [source, draw(st.sampled_from(others))], (2 * shape[0], *shape[1:]), True, options)
        elif (kind == "TANH" and scales) or (kind == "ABS" and type is not TensorType.UINT8):
            compute(kind, [source], shape, False)
        else:
            compute("RELU", [source], shape, True)
    for name in draw(st.lists(st.sampled_from(sorted(known)), min_size=1, max_size=4)):
        builder.output(name)
    return builder.build()


def random_inputs(model: Model, seed: int) -> dict[int, npt.NDArray[Any]]:
    """Random values for the model's inputs, by tensor index."""
    generator = np.random.default_rng(seed)
    tensors = model.subgraphs[0].tensors
    return {
        index: generator.integers(0, 100, tensors[index].shape).astype(tensors[index].type.dtype)
        for index in model.subgraphs[0].inputs
    }
