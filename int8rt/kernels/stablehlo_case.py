"""STABLEHLO_CASE: one of several subgraphs, by number.

index: int32, one element; then the inputs of every branch; output: those of the branch that runs. A number that is no
branch's stands for the last one. Only LiteRT's optimized resolver has it.
"""

from __future__ import annotations

from dataclasses import dataclass

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, element_count
from int8rt.kernels.calls import all_inputs, callee_shapes, check_outputs
from int8rt.kernels.runtime import Runtime
from int8rt.kernels.signature import signatures
from int8rt.model import Shape
from int8rt.schema.options import StablehloCaseOptions

_MOST_BRANCHES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseParams(Params):
    """branches: indices of subgraphs."""

    branches: tuple[int, ...]


def prepare(context: OperatorContext) -> CaseParams:
    """All branches are prepared; where their outputs' shapes differ, all are known only when running."""
    branches, index = context.options(StablehloCaseOptions).branch_subgraph_indices, context.input(0)
    if element_count(index.shape) != 1:
        raise context.invalid(f"index {index.name!r} has the shape {list(index.shape)}, expected one value")
    if not 0 < len(branches) <= _MOST_BRANCHES:
        raise context.invalid(f"has {len(branches)} branches, expected 1 to {_MOST_BRANCHES}")
    types = {tensor.type.label for tensor in context.outputs}
    if len(types) > 1:
        raise context.invalid(f"has outputs of several types: {', '.join(sorted(types))}")
    _check_subgraphs(context, branches)
    inputs = all_inputs(context, 1)
    shapes = {branch: callee_shapes(context, branch, inputs, context.outputs) for branch in branches}
    first = shapes[branches[0]]
    fixed = all(other == first for other in shapes.values()) and None not in first
    if fixed:
        check_outputs(context, *branches)
    elif set(branches[: len(shapes)]) != set(branches):
        # TensorFlow Lite compares the shapes of so many branches alone.
        raise context.unsupported(f"branches {list(branches)} with outputs of several shapes")
    output_shapes: tuple[Shape | None, ...] = first if fixed else (None,) * len(context.outputs)
    return CaseParams(output_shapes=output_shapes, branches=branches)


def _check_subgraphs(context: OperatorContext, branches: tuple[int, ...]) -> None:
    """TensorFlow Lite takes every subgraph but the first for a branch."""
    if context.runtime is None:
        raise context.unsupported("subgraphs run only in a model")
    count = context.runtime.subgraph_count()
    if context.subgraph is not context.runtime.subgraph(0) or set(branches) != set(range(1, count)):
        raise context.unsupported(f"branches {list(branches)}, expected all of the {count} subgraphs but the first")


def evaluate(params: CaseParams, runtime: Runtime, index: Array, *inputs: Array) -> tuple[Array, ...]:
    """The outputs of one of the branches."""
    number = index.item()
    branch = params.branches[number if 0 <= number < len(params.branches) else -1]
    runtime.begin(branch)
    return runtime.call(branch, inputs)


STABLEHLO_CASE = Kernel(
    name="STABLEHLO_CASE",
    signatures=signatures("int32,any* -> any*"),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/stablehlo_case.cc",
    max_version=1,
    pure=False,
    reaches_out=True,
)
