"""What an operator sees of its model, and which operators int8rt can run by their names, versions and types alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from int8rt.errors import UnsupportedError
from int8rt.kernels.base import Array, OperatorContext, TensorInfo
from int8rt.kernels.custom.devices import why_not
from int8rt.kernels.custom.table import find_kernel
from int8rt.kernels.runtime import Runtime
from int8rt.kernels.variants import not_done
from int8rt.model import Model, Operator, Shape, Subgraph, shown
from int8rt.quantization.profiles import TFLITE_REF, Profile
from int8rt.schema.calls import called_subgraphs

# TensorFlow Lite's other kernels take what is stored of a sparse tensor for all of it, and read past its end.
_READ_SPARSE = ("FULLY_CONNECTED", "DENSIFY", "CUSTOM")


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A kind of operator that can't run. types: "int8,int8 -> int8"; positions: its places in the subgraph."""

    operator: str
    types: str
    reason: str
    positions: tuple[int, ...]

    def __str__(self) -> str:
        shown = ", ".join(map(str, self.positions[:5])) + (", ..." if len(self.positions) > 5 else "")
        return f"{self.reason} (operator{'s' if len(self.positions) > 1 else ''} {shown})"


def operator_context(
    subgraph: Subgraph,
    operator: Operator,
    profile: Profile,
    position: int = -1,
    shapes: Mapping[int, Shape] | None = None,
    values: Mapping[int, Array] | None = None,
    runtime: Runtime | None = None,
) -> OperatorContext:
    """The context of one operator. shapes: of its inputs, the file's where not given. values: what is known of them."""
    shapes, values = shapes or {}, values or {}

    def info(index: int, shape: Shape, value: Array | None) -> TensorInfo:
        tensor = subgraph.tensors[index]
        blocks = None if tensor.quantization is None else tensor.quantization.blockwise
        scales = None if blocks is None else values.get(blocks.scales)
        return TensorInfo(
            tensor.label,
            tensor.type,
            shape,
            tensor.quantization,
            value,
            tensor.is_variable,
            index,
            scales,
            tensor.sparsity,
        )

    inputs = tuple(
        info(i, shapes.get(i, subgraph.tensors[i].shape), values.get(i)) if i >= 0 else None for i in operator.inputs
    )
    outputs = tuple(info(i, subgraph.tensors[i].shape, None) for i in operator.outputs)
    intermediates = tuple(info(i, subgraph.tensors[i].shape, None) if i >= 0 else None for i in operator.intermediates)
    return OperatorContext(operator, inputs, outputs, profile, position, intermediates, runtime, subgraph)


def unsupported_operators(subgraph: Subgraph, profile: Profile = TFLITE_REF) -> list[Unsupported]:
    """The kinds of operators that int8rt lacks, or lacks for these types or versions; empty where all can run."""
    kinds: dict[tuple[str, str, str], list[int]] = {}
    for position, operator in enumerate(subgraph.operators):
        context = operator_context(subgraph, operator, profile)
        reason = _reason(context)
        if reason is not None:
            kinds.setdefault((operator.label, operator_types(context), reason), []).append(position)
    return [Unsupported(*kind, tuple(positions)) for kind, positions in kinds.items()]


def check_supported(model: Model, subgraph_index: int, profile: Profile) -> None:
    """Raise an `UnsupportedError` that names all operators which can't run, also in the subgraphs that are called."""
    missing: list[str] = []
    for index in _called(model, subgraph_index):
        where = "" if index == subgraph_index else f"subgraph {index} {shown(model.subgraphs[index].name)!r}: "
        missing += [where + str(kind) for kind in unsupported_operators(model.subgraphs[index], profile)]
    if missing:
        raise cannot_run(missing)


def cannot_run(reasons: Sequence[str]) -> UnsupportedError:
    """The error that lists why operators can't run."""
    return UnsupportedError("int8rt cannot run these operators of the model:\n  " + "\n  ".join(reasons))


# Their bodies are never run: an operator in it stands for what is done with two elements.
_BODY_IS_A_NAME = ("STABLEHLO_SCATTER", "STABLEHLO_REDUCE_WINDOW")


def _called(model: Model, subgraph_index: int) -> list[int]:
    """A subgraph and all that it calls, directly or through others."""
    found = [subgraph_index]
    seen = {subgraph_index}
    for index in found:  # grows while it is walked
        for operator in model.subgraphs[index].operators:
            if operator.name in _BODY_IS_A_NAME:
                continue
            new = {called for _, called in called_subgraphs(operator) if called < len(model.subgraphs)} - seen
            found += sorted(new)
            seen |= new
    return found


def operator_types(context: OperatorContext) -> str:
    """The types of an operator's inputs and outputs as in the table of operators: "int8,int8,none -> int8"."""
    inputs = ",".join("none" if tensor is None else tensor.type.label for tensor in context.inputs)
    return f"{inputs} -> {','.join(tensor.type.label for tensor in context.outputs)}".strip()


def _reason(context: OperatorContext) -> str | None:
    kernel = find_kernel(context.operator, context.profile)
    if kernel is None:
        operator = context.operator
        reason = why_not(operator.custom_code) if operator.name == "CUSTOM" else "int8rt has no such operator"
        return f"{context.where}: {reason}; types {operator_types(context)}"
    try:
        kernel.check_types(context)
    except UnsupportedError as error:
        return str(error)
    if (missing := not_done(context)) is not None:
        return f"{context.where}: {missing}"
    if context.operator.name not in _READ_SPARSE:
        for tensor in context.inputs:
            if tensor is not None and tensor.sparsity is not None:
                return f"{context.where}: its kernel takes no sparse tensors, such as {tensor.name!r}"
    return None
