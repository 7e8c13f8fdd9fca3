"""Which subgraph calls which: indices in the options of control flow must exist, and no subgraph may call itself."""

from __future__ import annotations

from collections.abc import Iterator

from int8rt.errors import ModelError
from int8rt.model import Model, Operator
from int8rt.schema import options as o

_FIELDS: dict[type, tuple[str, ...]] = {
    o.CallOptions: ("subgraph",),
    o.CallOnceOptions: ("init_subgraph_index",),
    o.IfOptions: ("then_subgraph_index", "else_subgraph_index"),
    o.WhileOptions: ("cond_subgraph_index", "body_subgraph_index"),
    o.StablehloWhileOptions: ("cond_subgraph_index", "body_subgraph_index"),
    o.StablehloReduceOptions: ("body_subgraph_index",),
    o.StablehloReduceWindowOptions: ("body_subgraph_index",),
    o.StablehloScatterOptions: ("update_computation_subgraph_index",),
    o.StablehloSortOptions: ("comparator_subgraph_index",),
    o.StableHLOCompositeOptions: ("decomposition_subgraph_index",),
    o.StablehloCustomCallOptions: ("called_computations",),
    o.StablehloCaseOptions: ("branch_subgraph_indices",),
}


def called_subgraphs(operator: Operator) -> Iterator[tuple[str, int]]:
    """Fields of the operator's options that are indices of subgraphs, with their values."""
    for field in _FIELDS.get(type(operator.options), ()):
        value = getattr(operator.options, field)
        for index in value if isinstance(value, tuple) else (value,):
            yield field, index


def check_calls(model: Model) -> None:
    """Raises ModelError where an index is out of range or subgraphs call each other in a circle, which never ends."""
    count = len(model.subgraphs)
    calls: list[set[int]] = [set() for _ in range(count)]
    for i, graph in enumerate(model.subgraphs):
        for j, operator in enumerate(graph.operators):
            if type(operator.options) not in _FIELDS:
                continue
            for field, index in called_subgraphs(operator):
                if not 0 <= index < count:
                    raise ModelError(
                        f"subgraph {i}, operator {j} ({operator.label}): {field} is {index}, but the model has {count}"
                        " subgraphs"
                    )
                calls[i].add(index)
    waiting = [len(called) for called in calls]
    callers: list[list[int]] = [[] for _ in range(count)]
    for i, called in enumerate(calls):
        for index in called:
            callers[index].append(i)
    ready = [i for i in range(count) if not waiting[i]]
    for done in ready:  # grows while it is walked: leaves first, then those that call nothing but leaves, and so on
        for caller in callers[done]:
            waiting[caller] -= 1
            if not waiting[caller]:
                ready.append(caller)
    if len(ready) < count:
        circle = next(i for i in range(count) if waiting[i])
        raise ModelError(f"subgraph {circle} calls itself, directly or through others")
