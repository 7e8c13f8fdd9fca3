"""PAD and PADV2: lines of the output, each all border or border, input, border."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from int8rt.kernels.jit.abi import carray, fields, kernel, share
from int8rt.kernels.jit.copies import copy_run, fill_run
from int8rt.kernels.jit.lowering import At, LowerContext, Lowered, View
from int8rt.kernels.jit.movers import pattern
from int8rt.kernels.pad import PadParams

# o: sizes of the output's dimensions but the last, n: of the input's, l: how many of the output's lie before those.
# left, middle, right: bytes of the last dimension.
PAD = fields("input output pattern o0 o1 o2 o3 n0 n1 n2 n3 l0 l1 l2 l3 left middle right")
_OUTER = 4
_SHORT = 256  # bytes of a line


def lower(params: PadParams, context: LowerContext) -> Lowered | View | None:
    """The step of a PAD or PADV2 whose border is known; nothing to do where there is none."""
    input, output = context.input(0), context.outputs[0]
    if input.shape == output.shape:
        return View()
    constant = context.inputs[2] if len(context.inputs) > 2 else None
    size = output.type.dtype.itemsize
    if (constant is not None and constant.value is None) or size > 8 or not input.shape:
        return None
    element = np.array(params.pad_value, output.type.dtype) if constant is None else constant.value
    assert element is not None
    before, sizes, totals = list(params.left_padding), list(input.shape), list(output.shape)
    # Dimensions without a border go with the one before them.
    while len(sizes) > 1 and totals[-1] == sizes[-1]:
        size *= sizes.pop()
        totals.pop()
        before.pop()
    left, middle = before.pop() * size, sizes.pop() * size
    right = totals.pop() * size - left - middle
    missing = _OUTER - len(sizes)
    values: dict[str, Any] = {
        "input": At(input.index),
        "output": At(output.index),
        "pattern": pattern(element),
        "left": left,
        "middle": middle,
        "right": right,
    }
    for i in range(_OUTER):
        values[f"o{i}"] = totals[i - missing] if i >= missing else 1
        values[f"n{i}"] = sizes[i - missing] if i >= missing else 1
        values[f"l{i}"] = before[i - missing] if i >= missing else 0
    return Lowered(pad_kernel(), PAD, values)


@cache
def pad_kernel() -> Any:
    """The compiled PAD."""

    @kernel
    def pad(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, PAD)[0]
        line, between = p.left + p.middle + p.right, p.left + p.right
        first, last = share(p.o0 * p.o1 * p.o2 * p.o3, thread, threads)
        # Short lines are overwritten after all is border: that is quicker than to write around each of them.
        short = line < _SHORT
        if short:
            fill_run(p.output + first * line, p.pattern, (last - first) * line)
        i3, rest = first % p.o3 - p.l3, first // p.o3
        i2, rest = rest % p.o2 - p.l2, rest // p.o2
        i1, i0 = rest % p.o1 - p.l1, rest // p.o1 - p.l0
        for target in range(p.output + first * line, p.output + last * line, line):
            if 0 <= i0 < p.n0 and 0 <= i1 < p.n1 and 0 <= i2 < p.n2 and 0 <= i3 < p.n3:
                source = p.input + (((i0 * p.n1 + i1) * p.n2 + i2) * p.n3 + i3) * p.middle
                copy_run(target + p.left, source, p.middle)
                if not short and between > 0:
                    fill_run(target, p.pattern, p.left)
                    fill_run(target + p.left + p.middle, p.pattern, p.right)
            elif not short:
                fill_run(target, p.pattern, line)
            # On to the next line, as an odometer turns.
            i3 += 1
            if i3 == p.o3 - p.l3:
                i3 = -p.l3
                i2 += 1
                if i2 == p.o2 - p.l2:
                    i2 = -p.l2
                    i1 += 1
                    if i1 == p.o1 - p.l1:
                        i1 = -p.l1
                        i0 += 1

    return pad
