"""READ_VARIABLE and ASSIGN_VARIABLE as compiled copies: variables that live in the program's own memory.

That can be where a subgraph alone decides what its variables are: it calls no other while it runs (CALL_ONCE has been
there before), and reads and assigns each of them in one type and shape.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from int8rt.kernels.base import Array, element_count
from int8rt.kernels.jit.lowering import At, Data, Lowered
from int8rt.kernels.jit.moves import copied, flipped
from int8rt.kernels.jit.store import Store
from int8rt.kernels.resource_variables import ReadVariableParams
from int8rt.kernels.runtime import Handle, Variable
from int8rt.model import Shape, TensorType
from int8rt.plan import Plan, Step


@dataclass(frozen=True, slots=True)
class Move:
    """What one operator moves: the tensor that is written or read, and the variable; `read`: into the tensor."""

    tensor: int
    handle: Handle
    type: TensorType
    shape: Shape
    read: bool


def variable_moves(plan: Plan) -> Mapping[int, Move]:
    """Position of a step to what it moves; empty where copies alone do not do."""
    moves: dict[int, Move] = {}
    for step in plan.steps:
        if step.kernel.reaches_out and step.operator.name != "CALL_ONCE":
            move = _move(plan, step)
            if move is None:
                return {}
            moves[step.position] = move
    kinds = {(move.handle, move.type, move.shape) for move in moves.values()}
    return moves if len(kinds) == len({handle for handle, _, _ in kinds}) else {}


def own_memory(moves: Mapping[int, Move], store: Store) -> dict[Handle, Variable]:
    """Memory for each variable, in the caller's form."""
    memory: dict[Handle, Variable] = {}
    for move in moves.values():
        if move.handle not in memory:
            size = move.type.dtype.itemsize * element_count(move.shape)
            array = store.block(size).view(move.type.dtype).reshape(move.shape)
            memory[move.handle] = Variable(move.type, array)
    return memory


def lower(move: Move, memory: Array) -> list[Lowered]:
    """The copy of one operator."""
    source, target = Data(memory), At(move.tensor)
    ends: tuple[Data | At, Data | At] = (source, target) if move.read else (target, source)
    copy = flipped if move.type is TensorType.INT8 else copied
    return [copy(*ends, memory.nbytes)]


def _move(plan: Plan, step: Step) -> Move | None:
    read, params, inputs = step.operator.name == "READ_VARIABLE", step.params, step.operator.inputs
    if (
        params is None
        or step.operator.name not in ("READ_VARIABLE", "ASSIGN_VARIABLE")
        or inputs[0] not in plan.constants
    ):
        return None
    tensor = step.operator.outputs[0] if read else inputs[1]
    shape = params.shape if isinstance(params, ReadVariableParams) else plan.shapes[tensor]
    if shape is None or 0 in shape:
        return None
    handle = plan.constants[inputs[0]].item()
    type = plan.subgraph.tensors[tensor].type
    return Move(tensor, handle, type, shape, read) if isinstance(handle, Handle) else None
