"""What a mutation is, and the ways to make one: other parameters, another input, another last step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.quantization.requantization import Requantization, Rounding
from int8rt.verify.identify.piece import Piece

Array = npt.NDArray[Any]
Wrong = Callable[[Piece], Array | None]
Changes = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Mutation:
    """wrong: in words. operators: which have it. run: the wrong output, or None where it changes nothing in this case.

    whole: `wrong` names the arithmetic as `identify` does; otherwise only what deviates from the right one.
    """

    wrong: str
    operators: tuple[str, ...]
    run: Wrong
    whole: bool = False


def requantized(change: Callable[[Requantization, Piece], Changes]) -> Wrong:
    """With other numbers of the requantization; no changes: it does not apply."""

    def run(piece: Piece) -> Array | None:
        old: Requantization | None = getattr(piece.params, "requantization", None)
        changes = {} if old is None else change(old, piece)
        if old is None or not changes:
            return None
        return piece.run(replace(piece.params, requantization=replace(old, **changes)))

    return run


def rounded(rounding: Rounding) -> Wrong:
    """With another rounding; int64 accumulators keep theirs."""
    narrow = np.dtype(np.int32)
    return requantized(
        lambda old, _: {"rounding": rounding} if old.rounding != rounding and old.accumulator == narrow else {}
    )


def rescaled(multiply: Callable[[Array, Array], Array]) -> Wrong:
    """With a function of (accumulators, real multipliers) in place of the rounding."""

    def run(piece: Piece) -> Array | None:
        r = getattr(piece.params, "requantization", None)
        if r is None:
            return None
        value = multiply(accumulators(piece), r.real_multiplier) + r.zero_point
        return piece.finish(value, r.activation_min, r.activation_max)

    return run


def accumulators(piece: Piece, params: Any = None, inputs: tuple[Array | None, ...] | None = None) -> Array:
    """int64, the sums before they are rescaled."""
    params = piece.params if params is None else params
    if params.requantization.accumulator.itemsize < 8:
        return _rescaled(piece, params, inputs, Rounding.FLOAT64, 1)
    # Results are cut to int32: the sums' low 32 bits, and the sums in steps of 2^16, ties up.
    low, high = (_rescaled(piece, params, inputs, Rounding.INT64, shift) for shift in (1, -15))
    high <<= 16
    rest: Array = ((low - high + (1 << 15)) & 0xFFFF) - (1 << 15)
    return high + rest


def _rescaled(
    piece: Piece, params: Any, inputs: tuple[Array | None, ...] | None, rounding: Rounding, shift: int
) -> Array:
    """The sums times 2^(shift - 1), in int32."""
    info = np.iinfo(np.int32)
    one = Requantization(
        rounding=rounding,
        multiplier=np.array([1 << 30], np.int32),
        shift=np.array([shift], np.int32),
        real_multiplier=np.array([2.0 ** (shift - 1)]),
        zero_point=0,
        activation_min=info.min,
        activation_max=info.max,
        dtype=np.dtype(np.int32),
        accumulator=params.requantization.accumulator,
    )
    return piece.run(replace(params, requantization=one), inputs).astype(np.int64)


def parameters(**changes: Any) -> Wrong:
    """With other parameters; only where all of them are there. A callable is given the piece."""

    def run(piece: Piece) -> Array | None:
        if not all(hasattr(piece.params, name) for name in changes):
            return None
        made = {name: value(piece) if callable(value) else value for name, value in changes.items()}
        return piece.run(replace(piece.params, **made))

    return run


def changed_input(place: int, change: Callable[[Array], Array]) -> Wrong:
    """With another input `place`; where that is absent it changes nothing."""

    def run(piece: Piece) -> Array | None:
        if len(piece.inputs) <= place or piece.inputs[place] is None:
            return None
        changed = list(piece.inputs)
        changed[place] = change(piece.value(place))
        return piece.run(inputs=tuple(changed))

    return run


def changed_output(change: Callable[[Array], Array]) -> Wrong:
    """With another last step."""
    return lambda piece: change(piece.run())


def swapped(name: str) -> Wrong:
    """Height's and width's `name` exchanged."""

    def run(piece: Piece) -> Array | None:
        height, width = piece.params.height, piece.params.width
        one, other = getattr(height, name), getattr(width, name)
        if one == other:
            return None
        sizes = {"height": replace(height, **{name: other}), "width": replace(width, **{name: one})}
        try:
            with np.errstate(divide="ignore"):  # windows beyond the input have no taps
                return piece.run(replace(piece.params, **sizes))
        except (ValueError, IndexError):  # the windows do not fit any more: no case for this mutation
            return None

    return run


def odd_pad_before(piece: Piece) -> Array | None:
    """The larger half of the height's padding before, not after."""
    height = piece.params.height
    if height.pad_before == height.pad_after:
        return None
    return piece.run(
        replace(piece.params, height=replace(height, pad_before=height.pad_after, pad_after=height.pad_before))
    )


def padded_with_zero(piece: Piece) -> Array | None:
    """The border made of code 0."""
    windows = {"height": piece.params.height, "width": piece.params.width}
    pads = [(w.pad_before, w.pad_after) for w in windows.values()]
    if not any(map(any, pads)) or min(map(min, pads)) < 0:
        return None
    whole = {
        name: replace(w, input=w.input + w.pad_before + w.pad_after, pad_before=0, pad_after=0)
        for name, w in windows.items()
    }
    x = np.pad(piece.value(0), [(0, 0), *pads, (0, 0)])
    return piece.run(replace(piece.params, **whole), (x, *piece.inputs[1:]))
