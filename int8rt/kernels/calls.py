"""Operators that run other subgraphs: IF, STABLEHLO_COMPOSITE, CALL_ONCE; and what WHILE shares with them.

IF                   input: bool (one element), then the inputs of both branches; output: those of the branch that runs
STABLEHLO_COMPOSITE  input, output: those of the subgraph that spells the operator out
CALL_ONCE            no inputs, no outputs: runs a subgraph, in the first run only

Values are copied; quantization parameters of the tensors on both sides are not compared. Variable tensors of a called
subgraph begin with zeros in each evaluation, but keep their values where all tensors are preserved, as in LiteRT.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, TensorInfo, element_count
from int8rt.kernels.runtime import Runtime
from int8rt.kernels.signature import signatures
from int8rt.model import Shape, TensorType
from int8rt.schema.options import CallOnceOptions, IfOptions, StableHLOCompositeOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class IfParams(Params):
    """Indices of subgraphs."""

    then_subgraph: int
    else_subgraph: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallParams(Params):
    """Index of the subgraph that is run."""

    subgraph: int


def callee_shapes(
    context: OperatorContext, index: int, inputs: Sequence[TensorInfo], outputs: Sequence[TensorInfo]
) -> tuple[Shape | None, ...]:
    """Check and prepare subgraph `index` for these inputs and outputs; the shapes of its outputs.

    Number and types must agree: LiteRT gives the subgraph's tensors the caller's types, which no converter needs.
    """
    runtime = context.runtime
    if runtime is None:
        raise context.unsupported("subgraphs run only in a model")
    graph = runtime.subgraph(index)
    for what, given, indices in (("inputs", inputs, graph.inputs), ("outputs", outputs, graph.outputs)):
        expected = [graph.tensors[i].type for i in indices]
        found = [tensor.type for tensor in given]
        if len(expected) != len(found):
            raise context.invalid(f"subgraph {index} has {len(expected)} {what}, expected {len(found)}")
        if expected != found:
            message = f"{what} {_shown(found)}, but those of subgraph {index} are {_shown(expected)}"
            raise context.unsupported(message)
    shapes = runtime.output_shapes(index, [tensor.shape for tensor in inputs])
    if None in shapes and any(tensor.is_variable for tensor in graph.tensors):
        raise context.unsupported(f"subgraph {index} has variable tensors and outputs of unknown shapes")
    return shapes


def all_inputs(context: OperatorContext, first: int = 0) -> list[TensorInfo]:
    """The inputs from `first` on, none of which may be absent."""
    return [context.input(i) for i in range(first, len(context.inputs))]


def prepare_if(context: OperatorContext) -> IfParams:
    """Both branches are prepared; where their outputs' shapes differ, all are known only when running."""
    options, condition = context.options(IfOptions), context.input(0)
    if element_count(condition.shape) != 1:
        raise context.invalid(f"condition {condition.name!r} has the shape {list(condition.shape)}, expected one value")
    branches = (options.then_subgraph_index, options.else_subgraph_index)
    inputs, outputs = all_inputs(context, 1), context.outputs
    first, second = (callee_shapes(context, index, inputs, outputs) for index in branches)
    fixed = first == second and None not in first
    if fixed:
        check_outputs(context, *branches)
    return IfParams(
        output_shapes=first if fixed else (None,) * len(outputs), then_subgraph=branches[0], else_subgraph=branches[1]
    )


def evaluate_if(params: IfParams, runtime: Runtime, condition: Array, *inputs: Array) -> tuple[Array, ...]:
    """The outputs of one of the branches."""
    branch = params.then_subgraph if condition.item() else params.else_subgraph
    runtime.begin(branch)
    return runtime.call(branch, inputs)


def prepare_composite(context: OperatorContext) -> CallParams:
    """LiteRT has no kernel for any composite: its decomposition is run."""
    index = context.options(StableHLOCompositeOptions).decomposition_subgraph_index
    if not context.inputs:
        raise context.invalid("has no inputs")
    shapes = callee_shapes(context, index, all_inputs(context), context.outputs)
    if None not in shapes:
        check_outputs(context, index)
    return CallParams(output_shapes=shapes, subgraph=index)


def evaluate_composite(params: CallParams, runtime: Runtime, *inputs: Array) -> tuple[Array, ...]:
    """The outputs of the decomposition."""
    runtime.begin(params.subgraph)
    return runtime.call(params.subgraph, inputs)


def prepare_call_once(context: OperatorContext) -> CallParams:
    """The subgraph must have neither inputs nor outputs."""
    index = context.options(CallOnceOptions).init_subgraph_index
    callee_shapes(context, index, (), ())
    return CallParams(output_shapes=(), subgraph=index)


def evaluate_call_once(params: CallParams, runtime: Runtime) -> tuple[Array, ...]:
    """Runs the subgraph the first time."""
    runtime.call_once(params.subgraph)
    return ()


def check_outputs(context: OperatorContext, *subgraphs: int) -> None:
    """Refuse outputs of fixed shapes for which LiteRT gives memory that it never wrote, or dies."""
    assert context.runtime is not None
    for graph in map(context.runtime.subgraph, subgraphs):
        for operator in graph.operators:
            given = [index for index in graph.outputs if index in operator.outputs]
            if len(given) > len(set(given)):
                raise context.unsupported("a subgraph gives a tensor that it computes twice")
            if given and operator.name in ("SHAPE", "RANK"):  # LiteRT computes them before the subgraph runs
                raise context.unsupported(f"a subgraph gives what its {operator.name} has computed")


def _shown(types: Sequence[TensorType]) -> str:
    return "(" + ", ".join(type.label for type in types) + ")"


IF = Kernel(
    name="IF",
    signatures=signatures("bool,any* -> any*"),
    prepare=prepare_if,
    evaluate=evaluate_if,
    source="kernels/if.cc",
    max_version=1,
    pure=False,
    reaches_out=True,
)

STABLEHLO_COMPOSITE = Kernel(
    name="STABLEHLO_COMPOSITE",
    signatures=signatures("any* -> any*"),
    prepare=prepare_composite,
    evaluate=evaluate_composite,
    source="kernels/stablehlo_composite.cc",
    max_version=1,
    pure=False,
    reaches_out=True,
)

CALL_ONCE = Kernel(
    name="CALL_ONCE",
    signatures=signatures("->"),
    prepare=prepare_call_once,
    evaluate=evaluate_call_once,
    source="kernels/call_once.cc",
    max_version=1,
    pure=False,
    reaches_out=True,
)
