"""Which scale and zero point every activation gets: calibrated ranges, made to agree where operators need one scale.

For int8 the outcome is that of TensorFlow's MLIR quantizer (quantization_utils.cc, `RemoveRedundantStatsOps`;
quantization_driver.cc), for int16 that of its older quantizer (tools/optimize/quantize_model.cc).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from int8rt.model import Operator, Quantization, TensorType
from int8rt.ptq.rules import RULES, fixed_output
from int8rt.quantization.from_ranges import activation_parameters

Range = tuple[float, float]
Reached = Callable[[int], "list[Node]"]


@dataclass(slots=True)
class Scales:
    """chosen: parameters of tensors. written: those that the producer must write, where they are not the chosen ones.
    read: those with which an operator (by position) reads a tensor, where they are not the chosen ones.
    """

    chosen: dict[int, Quantization] = field(default_factory=dict)
    written: dict[int, Quantization] = field(default_factory=dict)
    read: dict[tuple[int, int], Quantization] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Graph:
    """The operators that are to be quantized, in their order, and the ranges of their activations, as far as known."""

    operators: Sequence[Node]
    ranges: Mapping[int, Range]


@dataclass(frozen=True, slots=True)
class Node:
    """One operator of `Graph`. inputs, outputs: indices of its float activations. float_operands: how many of its
    inputs are floats, constants too.
    """

    position: int
    operator: Operator
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    float_operands: int

    @property
    def same(self) -> bool:
        """Whether all its activations share one scale."""
        return RULES[self.operator.name].same


def same(a: Quantization, b: Quantization) -> bool:
    """Whether two tensors have one scale and zero point."""
    return bool(a.scale[0] == b.scale[0] and a.zero_point[0] == b.zero_point[0])


def choose_int8(graph: Graph) -> Scales:
    """Parameters of int8 activations.

    A range that follows from others is dropped: of an output with a fixed scale, of the output of an operator with one
    scale and one float input, and of the inputs of those with several. The ranges that are left hold; from them the
    parameters spread through the operators with one scale, the last operator first. Where two meet, the operator reads
    its input, or writes its output, through a QUANTIZE.
    """
    held = {t: activation_parameters(*graph.ranges[t], TensorType.INT8) for t in _independent(graph)}
    return _Spreading(graph, held).run()


def _independent(graph: Graph) -> Collection[int]:
    dependent: set[int] = set()
    producer = {t: node for node in graph.operators for t in node.outputs}
    for t in graph.ranges:
        node = producer.get(t)
        if node is None:
            continue
        if fixed_output(node.operator.name, TensorType.INT8):
            dependent.add(t)
        if node.same and node.float_operands == 1 and any(i in graph.ranges for i in node.inputs):
            dependent.add(t)
    pending = [t for t in graph.ranges if t not in dependent]
    seen = set(pending)
    while pending:
        node = producer.get(pending.pop())
        for t in node.inputs if node is not None and node.same else ():
            if t in graph.ranges:
                dependent.add(t)
                if t not in seen:
                    seen.add(t)
                    pending.append(t)
    return [t for t in graph.ranges if t not in dependent]


class _Spreading:
    def __init__(self, graph: Graph, held: Mapping[int, Quantization]) -> None:
        self.nodes = graph.operators
        self.held = held
        self.scales = Scales(dict(held))
        self.users: dict[int, list[Node]] = {}
        self.producer: dict[int, Node] = {}
        for node in self.nodes:
            for t in node.inputs:
                self.users.setdefault(t, []).append(node)
            for t in node.outputs:
                self.producer[t] = node

    def run(self) -> Scales:
        done = set[int]()
        # TensorFlow's way: what an operator is given reaches its producer alone, what it gives its users.
        self.spread(self.nodes, done, lambda t: self.producers(t), lambda t: self.readers(t))
        # An operator that this passes by would stay float there. Now it takes what its neighbours have.
        left = [node for node in self.nodes if node.position not in done]
        around: Reached = lambda t: [*self.readers(t), *self.producers(t)]  # noqa: E731
        self.spread(left, done, around, around)
        return self.scales

    def spread(self, nodes: Sequence[Node], done: set[int], after_read: Reached, after_write: Reached) -> None:
        """The last operator first; whom a tensor that has got its parameters calls comes before the others."""
        pending = list(nodes)
        while pending:
            node = pending.pop()
            if node.position in done:
                continue
            if node.same:
                parameters = self.common(node)
                if parameters is None:
                    continue
                for t in node.inputs:
                    if self.read(node, t, parameters):
                        pending += after_read(t)
                for t in node.outputs:
                    if self.write(t, parameters):
                        pending += after_write(t)
            done.add(node.position)
            fixed = fixed_output(node.operator.name, TensorType.INT8)
            for t in node.outputs if fixed else ():
                if fixed and self.write(t, Quantization.per_tensor(*fixed)):
                    pending += after_write(t)

    def readers(self, t: int) -> list[Node]:
        return self.users.get(t, [])[::-1]

    def producers(self, t: int) -> list[Node]:
        return [self.producer[t]] if t in self.producer else []

    def common(self, node: Node) -> Quantization | None:
        """The parameters that the operator's tensors are to share: held ones first, its only input, its only output."""
        chosen = self.scales.chosen
        for known in (self.held, chosen):
            inputs = [chosen[t] for t in node.inputs if t in known]
            outputs = [chosen[t] for t in node.outputs if t in known]
            if inputs and len(node.operator.inputs) == 1:
                return inputs[0]
            if outputs and len(node.operator.outputs) == 1:
                return outputs[0]
            if inputs or outputs:
                return (inputs + outputs)[0]
        return None

    def read(self, node: Node, t: int, parameters: Quantization) -> bool:
        """Whether the tensor had no parameters until now."""
        if t not in self.scales.chosen:
            self.scales.chosen[t] = parameters
            return True
        if not same(self.scales.chosen[t], parameters):
            self.scales.read[node.position, t] = parameters
        return False

    def write(self, t: int, parameters: Quantization) -> bool:
        """Whether the tensor had no parameters until now."""
        if t not in self.scales.chosen:
            self.scales.chosen[t] = parameters
            return True
        if not same(self.scales.chosen[t], parameters):
            self.scales.written[t] = parameters
        return False


def choose_int16(graph: Graph) -> Scales:
    """Parameters of int16 activations, operator by operator in their order: all symmetric.

    An operator with one scale and one float input gives it to its outputs; one with several reads each through a
    QUANTIZE to its output's scale, where that is another.
    """
    scales = Scales({t: activation_parameters(*ends, TensorType.INT16) for t, ends in graph.ranges.items()})
    for node in graph.operators:
        fixed = fixed_output(node.operator.name, TensorType.INT16)
        if fixed:
            scales.chosen.update(dict.fromkeys(node.outputs, Quantization.per_tensor(*fixed)))
        if not node.same or not all(t in scales.chosen for t in (*node.inputs, *node.outputs)):
            continue
        if node.float_operands == 1 and node.inputs:
            scales.chosen.update(dict.fromkeys(node.outputs, scales.chosen[node.inputs[0]]))
        for t in node.inputs:
            if not same(scales.chosen[t], scales.chosen[node.outputs[0]]):
                scales.read[node.position, t] = scales.chosen[node.outputs[0]]
    return scales
