"""Which values an integer input may have when operators read it as indices, axes or sizes."""

from __future__ import annotations

from collections.abc import Callable

from int8rt.model import Operator, Shape, Subgraph

Range = tuple[int, int]

# Operators that hand integers on as they are.
_PASS = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS", "CAST", "TRANSPOSE", "PACK", "CONCATENATION", "STRIDED_SLICE", "SLICE")


def index_range(subgraph: Subgraph, index: int) -> Range | None:
    """[least, most] for an integer input that some operator reads as indices; None where nothing is known."""
    reached = {index}
    found: list[Range] = []
    for operator in subgraph.operators:
        for position, read in enumerate(operator.inputs):
            if read not in reached:
                continue
            rule = _RULES.get((operator.name, position))
            if rule is not None:
                found.append(rule(subgraph, operator))
            elif operator.name in _PASS:
                reached.update(operator.outputs)
    if not found:
        return None
    least, most = max(low for low, _ in found), min(high for _, high in found)
    return least, max(least, most)


def _shape(subgraph: Subgraph, operator: Operator, position: int) -> Shape:
    return subgraph.tensors[operator.inputs[position]].shape


def _gather(subgraph: Subgraph, operator: Operator) -> Range:
    shape = _shape(subgraph, operator, 0)
    axis = getattr(operator.options, "axis", 0)
    return 0, (shape[axis] if -len(shape) <= axis < len(shape) else 1) - 1


def _smallest_dimension(position: int) -> Callable[[Subgraph, Operator], Range]:
    return lambda subgraph, operator: (0, min(_shape(subgraph, operator, position), default=1) - 1)


def _first_dimension(position: int) -> Callable[[Subgraph, Operator], Range]:
    return lambda subgraph, operator: (0, (_shape(subgraph, operator, position) or (1,))[0] - 1)


def _axis(subgraph: Subgraph, operator: Operator) -> Range:
    return 0, max(1, len(_shape(subgraph, operator, 0))) - 1


def _fixed(least: int, most: int) -> Callable[[Subgraph, Operator], Range]:
    return lambda subgraph, operator: (least, most)


_ZERO, _ONE, _SMALL = _fixed(0, 0), _fixed(1, 1), _fixed(1, 4)


_RULES: dict[tuple[str, int], Callable[[Subgraph, Operator], Range]] = {
    ("GATHER", 1): _gather,
    ("GATHER_ND", 1): _smallest_dimension(0),
    ("SCATTER_ND", 0): _ZERO,
    ("SCATTER_ND", 2): _SMALL,
    ("SPARSE_TO_DENSE", 0): _ZERO,
    ("SPARSE_TO_DENSE", 1): _SMALL,
    ("EMBEDDING_LOOKUP", 0): _first_dimension(1),
    ("EMBEDDING_LOOKUP_SPARSE", 0): _first_dimension(4),
    ("DYNAMIC_UPDATE_SLICE", 2): _ZERO,
    ("ARG_MAX", 1): _axis,
    ("ARG_MIN", 1): _axis,
    ("MEAN", 1): _axis,
    ("SUM", 1): _axis,
    ("REDUCE_MAX", 1): _axis,
    ("REDUCE_MIN", 1): _axis,
    ("EXPAND_DIMS", 1): _axis,
    ("SPLIT", 0): _ZERO,
    ("SLICE", 1): _ZERO,
    ("SLICE", 2): _ONE,
    ("STRIDED_SLICE", 1): _ZERO,
    ("STRIDED_SLICE", 2): _ONE,
    ("STRIDED_SLICE", 3): _ONE,
    ("TILE", 1): _fixed(1, 2),
    ("FILL", 0): _SMALL,
    ("BROADCAST_TO", 1): _fixed(1, 2),
    ("RESIZE_BILINEAR", 1): _SMALL,
    ("RESIZE_NEAREST_NEIGHBOR", 1): _SMALL,
    ("TOPK_V2", 1): _ONE,
    ("ONE_HOT", 1): _SMALL,
    ("PAD", 1): _fixed(0, 2),
    ("PADV2", 1): _fixed(0, 2),
    ("MIRROR_PAD", 1): _ZERO,
    ("REVERSE_SEQUENCE", 1): _ONE,
    ("RANGE", 2): _ONE,
    ("CUMSUM", 1): _axis,
    ("BROADCAST_ARGS", 0): _ONE,
    ("BROADCAST_ARGS", 1): _ONE,
    ("DIV", 1): _SMALL,
    ("FLOOR_DIV", 1): _SMALL,
    ("FLOOR_MOD", 1): _SMALL,
    ("SEGMENT_SUM", 1): _ZERO,
    ("STABLEHLO_SHIFT_LEFT", 1): _SMALL,
    **{(f"UNSORTED_SEGMENT_{name}", 1): _ZERO for name in ("SUM", "PROD", "MAX", "MIN")},
    **{(f"UNSORTED_SEGMENT_{name}", 2): _SMALL for name in ("SUM", "PROD", "MAX", "MIN")},
}
