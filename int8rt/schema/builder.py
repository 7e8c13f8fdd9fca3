"""Small models by hand: for tests, conformance cases and reproducers.

Tensors go by their names; None stands for an absent optional input:

    ModelBuilder()
    .input("x", TensorType.INT8, (1, 8, 8, 3), Quantization.per_tensor(0.5, -1))
    .constant("w", weights, Quantization.per_axis(scales, zero_points, 0))
    .output("y", TensorType.INT8, (1, 8, 8, 4), Quantization.per_tensor(0.7))
    .operator("CONV_2D", ["x", "w", None], ["y"], Conv2DOptions(stride_w=1, stride_h=1), version=3)
    .build()
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy.typing as npt

from int8rt.errors import ModelError
from int8rt.model import (
    Metadata,
    Model,
    Operator,
    Quantization,
    Shape,
    Signature,
    Sparsity,
    Subgraph,
    Tensor,
    TensorType,
)
from int8rt.schema.encode import as_constant, encode


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class TensorSpec:
    """One tensor of `single_operator_model`; with `data` (or `raw` bytes as in the file) it is a constant.

    `data` is an array of `type`'s dtype and of `shape`; int4, int2 and uint4 come as 8-bit integers, strings as bytes.
    """

    type: TensorType
    shape: Shape
    quantization: Quantization | None = None
    data: npt.NDArray[Any] | None = None
    name: str = ""
    is_variable: bool = False
    raw: bytes | None = None
    sparsity: Sparsity | None = None
    shape_signature: Shape | None = None

    @staticmethod
    def constant(
        data: npt.ArrayLike, quantization: Quantization | None = None, *, type: TensorType | None = None, name: str = ""
    ) -> TensorSpec:
        """A constant of the data's own shape; of the data's own type unless `type` is given."""
        array, type = as_constant(data, type)
        return TensorSpec(type, array.shape, quantization, array, name)

    @property
    def is_constant(self) -> bool:
        """Whether the tensor has data in the model."""
        return self.data is not None or self.raw is not None


class _Graph:
    def __init__(self, name: str) -> None:
        self.name = name
        self.tensors: list[Tensor] = []
        self.index: dict[str, int] = {}
        self.inputs: list[int] = []
        self.outputs: list[int] = []
        self.operators: list[Operator] = []

    def find(self, tensor: str | int | None) -> int:
        if tensor is None:
            return -1
        if isinstance(tensor, int):
            return tensor
        if tensor not in self.index:
            raise ModelError(f"there is no tensor {tensor!r} in subgraph {self.name!r}")
        return self.index[tensor]

    def done(self) -> Subgraph:
        return Subgraph(self.name, tuple(self.tensors), tuple(self.inputs), tuple(self.outputs), tuple(self.operators))


class ModelBuilder:
    """Collects tensors and operators, one subgraph after the other; each method returns the builder itself."""

    def __init__(self, description: str = "int8rt") -> None:
        self._description = description
        self._buffers: list[bytes | None] = [None]
        self._graphs = [_Graph("main")]
        self._signatures: list[Signature] = []
        self._metadata: list[Metadata] = []

    def subgraph(self, name: str) -> ModelBuilder:
        """Starts another subgraph: all that follows belongs to it."""
        self._graphs.append(_Graph(name))
        return self

    def add(self, name: str, spec: TensorSpec) -> ModelBuilder:
        """A tensor of this subgraph. Raises ModelError if its name is taken or its data does not fit its type."""
        graph = self._graphs[-1]
        if name in graph.index:
            raise ModelError(f"there is already a tensor {name!r} in subgraph {graph.name!r}")
        data = spec.raw if spec.data is None else encode(spec.data, spec.type, spec.shape)
        graph.index[name] = len(graph.tensors)
        graph.tensors.append(
            Tensor(
                name,
                spec.type,
                tuple(spec.shape),
                0 if data is None else self._buffer(data),
                spec.quantization,
                spec.shape_signature,
                spec.is_variable,
                has_rank=True,
                sparsity=spec.sparsity,
            )
        )
        return self

    def tensor(
        self, name: str, type: TensorType, shape: Shape, quantization: Quantization | None = None
    ) -> ModelBuilder:
        """A tensor that an operator computes."""
        return self.add(name, TensorSpec(type, shape, quantization))

    def input(
        self,
        name: str,
        type: TensorType,
        shape: Shape,
        quantization: Quantization | None = None,
        shape_signature: Shape | None = None,
    ) -> ModelBuilder:
        """An input of the subgraph."""
        self.add(name, TensorSpec(type, shape, quantization, shape_signature=shape_signature))
        self._graphs[-1].inputs.append(self._graphs[-1].index[name])
        return self

    def output(
        self, name: str, type: TensorType | None = None, shape: Shape = (), quantization: Quantization | None = None
    ) -> ModelBuilder:
        """An output of the subgraph: a new tensor, or without a `type` one that is already there."""
        if type is not None:
            self.add(name, TensorSpec(type, shape, quantization))
        self._graphs[-1].outputs.append(self._graphs[-1].find(name))
        return self

    def constant(
        self,
        name: str,
        data: npt.ArrayLike,
        quantization: Quantization | None = None,
        *,
        type: TensorType | None = None,
    ) -> ModelBuilder:
        """A constant of the data's own shape; of the data's own type unless `type` is given."""
        return self.add(name, TensorSpec.constant(data, quantization, type=type))

    def operator(
        self,
        name: str,
        inputs: Sequence[str | int | None],
        outputs: Sequence[str | int],
        options: Any = None,
        *,
        version: int = 1,
        custom_code: str = "",
        custom_options: bytes = b"",
        intermediates: Sequence[str | int | None] = (),
    ) -> ModelBuilder:
        """An operator, after those already there; `name` is "CUSTOM" where a `custom_code` is given."""
        graph = self._graphs[-1]
        graph.operators.append(
            Operator(
                name,
                tuple(graph.find(tensor) for tensor in inputs),
                tuple(graph.find(tensor) for tensor in outputs),
                version,
                options,
                custom_code,
                custom_options,
                tuple(graph.find(tensor) for tensor in intermediates),
            )
        )
        return self

    def signature(self, key: str, inputs: Mapping[str, str], outputs: Mapping[str, str]) -> ModelBuilder:
        """A named entry point to this subgraph; the values are names of tensors."""
        graph = self._graphs[-1]
        maps = [{name: graph.find(tensor) for name, tensor in names.items()} for names in (inputs, outputs)]
        self._signatures.append(Signature(key, len(self._graphs) - 1, *maps))
        return self

    def metadata(self, name: str, data: bytes) -> ModelBuilder:
        """A named buffer that the runtime does not read."""
        self._metadata.append(Metadata(name, self._buffer(data)))
        return self

    def build(self) -> Model:
        """The model as it stands. It is not checked: `read_model(write_model(model))` does that."""
        return Model(
            tuple(graph.done() for graph in self._graphs),
            tuple(self._buffers),
            description=self._description,
            signatures=tuple(self._signatures),
            metadata=tuple(self._metadata),
        )

    def _buffer(self, data: bytes) -> int:
        self._buffers.append(data)
        return len(self._buffers) - 1


def single_operator_model(
    name: str,
    inputs: Sequence[TensorSpec | None],
    outputs: Sequence[TensorSpec],
    options: Any = None,
    version: int = 1,
    *,
    custom_code: str = "",
    custom_options: bytes = b"",
    intermediates: Sequence[TensorSpec] = (),
) -> Model:
    """A model of one operator.

    Inputs with data are constants, variables are variables, None is an absent optional input; the rest are the model's
    inputs in that order. Tensors without a name are called "input0", "output0", "intermediate0", by their position.
    """
    builder = ModelBuilder()
    graph = builder._graphs[-1]
    names: dict[str, list[str | int | None]] = {}
    for role, specs in (("input", inputs), ("output", outputs), ("intermediate", intermediates)):
        names[role] = []
        for i, spec in enumerate(specs):
            label = None if spec is None else spec.name or f"{role}{i}"
            names[role].append(label)
            if spec is None or label is None:
                continue
            builder.add(label, spec)
            if role == "output":
                graph.outputs.append(graph.index[label])
            elif role == "input" and not (spec.is_constant or spec.is_variable):
                graph.inputs.append(graph.index[label])
    return builder.operator(
        name,
        names["input"],
        [label for label in names["output"] if label is not None],
        options,
        version=version,
        custom_code=custom_code,
        custom_options=custom_options,
        intermediates=names["intermediate"],
    ).build()
