"""PAD before convolutions and pools: they read the tensor without its border, as if the padding were their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from int8rt.kernels.conv import Conv2DParams
from int8rt.kernels.depthwise_conv import DepthwiseConv2DParams
from int8rt.kernels.jit.tables import EIGHT_BITS
from int8rt.kernels.pad import PadParams
from int8rt.kernels.padding import Window
from int8rt.kernels.pooling import Pool2DParams
from int8rt.plan import Plan, Step

_Windowed = Conv2DParams | DepthwiseConv2DParams | Pool2DParams


@dataclass(frozen=True, slots=True)
class Border:
    """A PAD whose readers can do without it. readers: each with its parameters for the tensor inside the border."""

    pad: Step
    readers: tuple[tuple[Step, _Windowed], ...]

    @property
    def inside(self) -> int:
        """The tensor inside the border."""
        return self.pad.operator.inputs[0]


@dataclass(frozen=True, slots=True)
class Folded:
    """What nobody needs for want of readers. pads: positions of PADs. absent: their outputs, which have no memory.

    reads: position of a step to the tensor that it reads instead.
    """

    pads: frozenset[int] = frozenset()
    absent: frozenset[int] = frozenset()
    reads: Mapping[int, int] = field(default_factory=dict)


def borders(plan: Plan) -> Iterator[Border]:
    """Every PAD of rows and columns of 8-bit images whose readers all stand for the same border themselves."""
    readers: dict[int, list[Step]] = {}
    for step in plan.steps:
        for index in set(step.operator.inputs):
            readers.setdefault(index, []).append(step)
    for step in plan.steps:
        if step.operator.label not in ("PAD", "PADV2"):
            continue
        output = step.operator.outputs[0]
        value = _border_value(plan, step)
        if value is None or output in plan.subgraph.outputs or not readers.get(output):
            continue
        inner = [(reader, _without(plan, step, reader, value)) for reader in readers[output]]
        found = tuple((reader, params) for reader, params in inner if params is not None)
        if len(found) == len(inner):
            yield Border(step, found)


def _border_value(plan: Plan, step: Step) -> int | None:
    """The code around an image; None for other borders."""
    source, constant = step.operator.inputs[0], step.operator.inputs[2:3]
    tensor = plan.subgraph.tensors[step.operator.outputs[0]]
    if not isinstance(step.params, PadParams) or tensor.type not in EIGHT_BITS or source in plan.constants:
        return None
    inner, outer = plan.shapes[source], plan.shapes[step.operator.outputs[0]]
    if len(inner) != 4 or (inner[0], inner[3]) != (outer[0], outer[3]) or inner == outer or 0 in inner:
        return None
    if not constant or constant[0] < 0:
        return step.params.pad_value
    return int(plan.constants[constant[0]].reshape(())) if constant[0] in plan.constants else None


def _without(plan: Plan, pad: Step, reader: Step, value: int) -> _Windowed | None:
    """The reader's parameters with the border as padding of its own; None where that is something else."""
    params, source = reader.params, pad.operator.inputs[0]
    if reader.operator.inputs[0] != pad.operator.outputs[0] or pad.operator.outputs[0] in reader.operator.inputs[1:]:
        return None
    if isinstance(params, Conv2DParams | DepthwiseConv2DParams):
        # A single tap reads its input as it lies, which a border would be in the way of.
        if value != params.input_zero_point or params.height.kernel * params.width.kernel == 1:
            return None
    elif isinstance(params, Pool2DParams) and reader.operator.label == "MAX_POOL_2D":
        if value != np.iinfo(plan.subgraph.tensors[source].type.dtype).min:
            return None
    else:
        return None
    assert isinstance(pad.params, PadParams)
    _, height, width, _ = plan.shapes[source]
    _, top, left, _ = pad.params.left_padding
    return replace(params, height=_widened(params.height, height, top), width=_widened(params.width, width, left))


def _widened(window: Window, input: int, before: int) -> Window:
    """The window over an input of so many elements that had so many of the border before it."""
    after = window.input - input - before
    return replace(window, input=input, pad_before=window.pad_before + before, pad_after=window.pad_after + after)
