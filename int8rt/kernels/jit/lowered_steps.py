"""What becomes of each step of a plan: calls of kernels, a view, NumPy, or nothing."""

from __future__ import annotations

from dataclasses import replace

from int8rt.kernels.base import Params
from int8rt.kernels.jit.borders import Border, Folded, borders
from int8rt.kernels.jit.fusion import fuse
from int8rt.kernels.jit.isa.levels import Level
from int8rt.kernels.jit.lowering import Data, Item, LowerContext, Lowered, NumpyStep, Slot, View
from int8rt.kernels.jit.store import Store
from int8rt.kernels.jit.twins import TWINS
from int8rt.kernels.jit.variables import lower, own_memory, variable_moves
from int8rt.plan import Plan, Step


class StepLowerer:
    """Asks the twins, for a level. store: of their data.

    moves: positions of steps that copy variables which subgraphs share, to the copies; variables: their memory.
    """

    def __init__(self, plan: Plan, level: Level, store: Store) -> None:
        self._plan = plan
        self._level = level
        self._store = store
        self.moves = variable_moves(plan)
        self.variables = own_memory(self.moves, store)

    def lower(self, step: Step) -> Item:
        """The step by its twin, if it has one that takes it."""
        plan, params = self._plan, step.params
        if plan.known(step):
            return None
        if step.position in self.moves:
            move = self.moves[step.position]
            return lower(move, self.variables[move.handle].value)
        twin = TWINS.get(step.operator.label) if plan.surroundings.profile.compiled else None
        if twin is None or params is None or None in params.output_shapes or self._empty(step):
            return NumpyStep()
        return self._item(twin(params, self._context(step)))

    def _item(self, lowered: Lowered | list[Lowered] | View | None) -> Item:
        """What a twin's answer means, with the data in the store."""
        if lowered is None:
            return NumpyStep()
        if isinstance(lowered, View):
            return lowered
        calls = [lowered] if isinstance(lowered, Lowered) else lowered
        return [self._stored(call) for call in calls]

    def fold_borders(self, items: list[Item]) -> Folded:
        """Let convolutions and pools read what is inside a PAD's border; whoever looks at the PAD has it by NumPy."""
        pads: set[int] = set()
        absent: set[int] = set()
        reads: dict[int, int] = {}
        for border in borders(self._plan) if self._plan.surroundings.profile.compiled else ():
            found = {reader.position: self._inside(border, reader, params) for reader, params in border.readers}
            if all(isinstance(item, list) for item in found.values()):
                pads.add(border.pad.position)
                absent.update(border.pad.operator.outputs)
                items[border.pad.position] = NumpyStep()
                for position, item in found.items():
                    items[position], reads[position] = item, border.inside
        return Folded(frozenset(pads), frozenset(absent), reads)

    def _inside(self, border: Border, reader: Step, params: Params) -> Item:
        """The reader of a PAD's output on the PAD's input."""
        context = self._context(reader)
        inputs = self._slot(border.inside), *context.inputs[1:]
        return self._item(TWINS[reader.operator.label](params, replace(context, inputs=inputs)))

    def fuse(self, items: list[Item]) -> frozenset[int]:
        """Put look-ups in the place of steps that are functions of one tensor; which steps nobody needs then."""
        if not self._plan.surroundings.profile.compiled:
            return frozenset()
        fused, unneeded = fuse(self._plan, items, self._level)
        for k, step in enumerate(self._plan.steps):
            if step.position in fused:
                items[k] = [self._stored(fused[step.position])]
        return unneeded

    def _empty(self, step: Step) -> bool:
        """Whether a tensor has no elements: kernels need not think of that."""
        indices = (index for index in (*step.operator.inputs, *step.operator.outputs) if index >= 0)
        return any(0 in self._plan.shapes[index] for index in indices if index not in self._plan.constants)

    def _context(self, step: Step) -> LowerContext:
        operator = step.operator
        inputs = tuple(None if index < 0 else self._slot(index) for index in operator.inputs)
        return LowerContext(self._level, inputs, tuple(self._slot(index) for index in operator.outputs), operator.name)

    def _slot(self, index: int) -> Slot:
        plan = self._plan
        return Slot(index, plan.subgraph.tensors[index].type, plan.shapes[index], plan.constants.get(index))

    def _stored(self, call: Lowered) -> Lowered:
        """The call with its data in the store, so that what they were made from can go."""
        values = {
            name: Data(self._store.copy(value.array)) if isinstance(value, Data) else value
            for name, value in call.values.items()
        }
        return Lowered(call.kernel, call.block, values, call.in_place)
