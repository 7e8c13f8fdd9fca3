"""WHILE: runs a subgraph on its own outputs for as long as another subgraph says so.

inputs: any number of tensors, outputs: as many; the condition gives bool, a scalar or [1]. Shapes may change from one
round to the next; where the body keeps them, they are known before running.
"""

from __future__ import annotations

from dataclasses import dataclass

from int8rt.errors import EvaluationError
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, TensorInfo
from int8rt.kernels.calls import all_inputs, callee_shapes
from int8rt.kernels.runtime import Runtime
from int8rt.kernels.signature import signatures
from int8rt.model import TensorType
from int8rt.schema.options import WhileOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class WhileParams(Params):
    """Indices of subgraphs.

    earlier: (i, j), j < i: output i of the body is its input j, which LiteRT has overwritten with output j by then, so
    that the next round gets output j twice (the condition does not).
    """

    condition: int
    body: int
    earlier: tuple[tuple[int, int], ...]


def prepare(context: OperatorContext) -> WhileParams:
    """The shapes are known where the body gives those that it takes."""
    options, inputs = context.options(WhileOptions), all_inputs(context)
    if len(context.outputs) != len(inputs):
        raise context.invalid(f"has {len(inputs)} inputs and {len(context.outputs)} outputs, expected as many")
    if options.cond_subgraph_index == options.body_subgraph_index:
        raise context.invalid("condition and body are the same subgraph")
    flag = TensorInfo("condition", TensorType.BOOL, ())
    (condition,) = callee_shapes(context, options.cond_subgraph_index, inputs, [flag])
    if condition not in (None, (), (1,)):
        raise context.invalid(f"the condition has the shape {list(condition)}, expected one value")
    shapes = callee_shapes(context, options.body_subgraph_index, inputs, context.outputs)
    fixed = shapes == tuple(tensor.shape for tensor in inputs)
    assert context.runtime is not None
    body = context.runtime.subgraph(options.body_subgraph_index)
    moved = [(i, body.inputs.index(tensor)) for i, tensor in enumerate(body.outputs) if tensor in body.inputs]
    if not fixed and any(i != j for i, j in moved):
        # LiteRT then reads memory that it has freed.
        raise context.unsupported("the body passes an input on as another output, and shapes change")
    if any(context.outputs[i].type is TensorType.STRING for i, _ in moved):
        raise context.unsupported("the body passes strings on")  # freed likewise
    return WhileParams(
        output_shapes=shapes if fixed else (None,) * len(shapes),
        condition=options.cond_subgraph_index,
        body=options.body_subgraph_index,
        earlier=tuple((i, j) for i, j in moved if j < i),
    )


def evaluate(params: WhileParams, runtime: Runtime, *inputs: Array) -> tuple[Array, ...]:
    """The values after the last round. Where a body passes an input on as a later output, see `WhileParams.earlier`.

    Raises `EvaluationError` for a condition of more than one element.
    """
    runtime.begin(params.condition)
    runtime.begin(params.body)
    values = asked = inputs
    while True:
        (condition,) = runtime.call(params.condition, asked)
        if condition.shape not in ((), (1,)):
            raise EvaluationError(f"the condition has the shape {list(condition.shape)}, expected one value")
        if not condition.item():
            return values
        asked = runtime.call(params.body, values)
        following = list(asked)
        for i, j in params.earlier:
            following[i] = following[j]
        values = tuple(following)


WHILE = Kernel(
    name="WHILE",
    signatures=signatures("any* -> any*"),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/while.cc",
    max_version=1,
    pure=False,
    reaches_out=True,
)
