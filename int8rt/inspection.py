"""What a model consists of and what it asks for, without running it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from int8rt.errors import Int8rtError
from int8rt.executor import SubgraphExecutor
from int8rt.kernels.base import Array, Deferred
from int8rt.kernels.custom.summary import CustomSummary, custom_operators
from int8rt.kernels.custom.table import find_kernel
from int8rt.memory import MemoryLimits, tensor_bytes
from int8rt.model import Model, Operator, Subgraph, Tensor
from int8rt.quantization.profiles import TFLITE_REF, Profile
from int8rt.schema import check_loadable, constant_value
from int8rt.support import Unsupported, operator_context, operator_types, unsupported_operators


@dataclass(frozen=True, slots=True)
class OperatorKind:
    """All operators of one name and one combination of types. macs: of the `counted` ones among them.

    compiled: how many of them have compiled kernels, or nothing to compute; None where the model can't run.
    """

    operator: str
    types: str
    count: int
    versions: tuple[int, ...]
    macs: int
    compiled: int | None


@dataclass(frozen=True, slots=True)
class TensorSummary:
    """One tensor. scale, zero_point: all of them; bytes: in memory, of which `constant` says they are in the file."""

    index: int
    name: str
    type: str
    shape: tuple[int, ...]
    shape_signature: tuple[int, ...]
    scale: tuple[float, ...]
    zero_point: tuple[int, ...]
    quantized_dimension: int
    constant: bool
    variable: bool
    sparse: bool
    bytes: int


@dataclass(frozen=True, slots=True)
class SubgraphSummary:
    """macs: multiply-accumulate operations of one run, as far as int8rt has the operators.

    inputs, outputs: indices in `tensors`. unsupported: by name, version and types. refusal: why int8rt can't prepare
    the subgraph although it has all operators ("" if it can).
    """

    name: str
    operators: tuple[OperatorKind, ...]
    tensors: tuple[TensorSummary, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    custom: tuple[CustomSummary, ...]
    unsupported: tuple[Unsupported, ...]
    refusal: str
    macs: int


@dataclass(frozen=True, slots=True)
class SignatureSummary:
    """Names of inputs and outputs to indices of tensors of `subgraph`."""

    key: str
    subgraph: int
    inputs: dict[str, int]
    outputs: dict[str, int]


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """bytes: of the file; constant_bytes: of the buffers that its tensors use, once each."""

    bytes: int
    description: str
    version: int
    constant_bytes: int
    subgraphs: tuple[SubgraphSummary, ...]
    signatures: tuple[SignatureSummary, ...]
    metadata: tuple[tuple[str, int], ...]


def inspect_model(model: Model, size: int, profile: Profile = TFLITE_REF) -> ModelSummary:
    """Summarize a model whose file has `size` bytes. Nothing is run, and nothing needs to be supported."""
    used = {tensor.buffer for graph in model.subgraphs for tensor in graph.tensors}
    buffers = [model.buffers[index] for index in used]
    return ModelSummary(
        bytes=size,
        description=model.description,
        version=model.version,
        constant_bytes=sum(len(data) for data in buffers if data is not None),
        subgraphs=tuple(_subgraph(model, index, profile) for index in range(len(model.subgraphs))),
        signatures=tuple(
            SignatureSummary(s.key, s.subgraph, dict(s.inputs), dict(s.outputs)) for s in model.signatures
        ),
        metadata=tuple((item.name, len(model.buffers[item.buffer] or b"")) for item in model.metadata),
    )


def _subgraph(model: Model, index: int, profile: Profile) -> SubgraphSummary:
    graph = model.subgraphs[index]
    counts: Counter[tuple[str, str]] = Counter()
    macs: Counter[tuple[str, str]] = Counter()
    versions: dict[tuple[str, str], set[int]] = {}
    kinds = [
        (operator.label, operator_types(operator_context(graph, operator, profile))) for operator in graph.operators
    ]
    for operator, kind in zip(graph.operators, kinds, strict=True):
        counts[kind] += 1
        macs[kind] += _macs(model, graph, operator, profile)
        versions.setdefault(kind, set()).add(operator.version)
    unsupported = tuple(unsupported_operators(graph, profile))
    refusal, compiled = ("", None) if unsupported else _prepared(model, index, profile)
    return SubgraphSummary(
        name=graph.name,
        operators=tuple(
            OperatorKind(
                *kind,
                count,
                tuple(sorted(versions[kind])),
                macs[kind],
                None if compiled is None else sum(compiled[i] for i, other in enumerate(kinds) if other == kind),
            )
            for kind, count in sorted(counts.items(), key=lambda item: (-macs[item[0]], -item[1], item[0]))
        ),
        tensors=tuple(_tensor(model, i, tensor) for i, tensor in enumerate(graph.tensors)),
        inputs=graph.inputs,
        outputs=graph.outputs,
        custom=custom_operators(graph),
        unsupported=unsupported,
        refusal=refusal,
        macs=macs.total(),
    )


def _prepared(model: Model, index: int, profile: Profile) -> tuple[str, list[bool] | None]:
    """(why the subgraph can't be prepared, which of its operators need no NumPy while running: None where unknown)."""
    from int8rt.kernels.jit.isa.levels import choose_level
    from int8rt.kernels.jit.program import compiled_steps

    limits = MemoryLimits()
    try:
        check_loadable(model)
        executor = SubgraphExecutor(model, index, profile, limits)
        executor.allocate()
        plan = executor.plan
        assert plan is not None
        return "", compiled_steps(plan, choose_level(), limits.total)
    except Int8rtError as error:
        return str(error), None


def _macs(model: Model, graph: Subgraph, operator: Operator, profile: Profile) -> int:
    """Multiply-accumulate operations of one operator, for the shapes in the file; 0 where int8rt can't say."""
    kernel = find_kernel(operator, profile)
    if kernel is None or kernel.macs is None:
        return 0
    try:
        values: dict[int, Array] = {}
        for index in operator.inputs:
            value = constant_value(model, graph.tensors[index]) if index >= 0 else None
            if value is not None:
                values[index] = value
        context = operator_context(graph, operator, profile, values=values)
        kernel.check_types(context)
        return kernel.macs(kernel.prepare(context))
    except (Int8rtError, Deferred):
        return 0


def _tensor(model: Model, index: int, tensor: Tensor) -> TensorSummary:
    quantization = tensor.quantization
    return TensorSummary(
        index=index,
        name=tensor.name,
        type=tensor.type.label,
        shape=tensor.shape,
        shape_signature=tensor.shape_signature or (),
        scale=() if quantization is None else tuple(quantization.scale.tolist()),
        zero_point=() if quantization is None else tuple(quantization.zero_point.tolist()),
        quantized_dimension=0 if quantization is None else quantization.quantized_dimension,
        constant=bool(tensor.buffer) and model.buffers[tensor.buffer] is not None,
        variable=tensor.is_variable,
        sparse=tensor.sparsity is not None,
        bytes=tensor_bytes(tensor, tensor.shape),
    )
