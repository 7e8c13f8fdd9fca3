"""The matrix tile: a few rows of unsigned bytes times one panel of packed signed weights, to output bytes.

A panel holds `vectors` · lanes output channels: for every four input bytes, four weights a lane. After the weights'
sums come the constant and the requantization. `tile_rows` does it with vectors, `tile_amx` with tile registers.
"""

from __future__ import annotations

from typing import Any

from int8rt.kernels.jit.isa.emitter import I64, Emitter
from int8rt.kernels.jit.isa.levels import BY_NAME
from int8rt.kernels.jit.numba_later import intrinsic, types
from int8rt.kernels.jit.tile_amx import AmxRows
from int8rt.kernels.jit.tile_rows import Rows

# The fields that `matrix_rows` reads; they come first in the block of every kernel that calls it.
MATRIX = (
    *("weights", "words", "panels", "panel_bytes", "words_bytes", "panel_channels", "outputs"),
    *("pair_weights", "pair_words", "pairs", "single_weights", "single_words", "singles"),
    *("parts", "segments", "segment_stride", "segment_bytes", "low", "high", "output_stride"),
)

# How the rows of the input lie: `a_stride` bytes apart, or where a table says that `a_stride` is the address of.
STRIDED, LISTED = 0, 1


@intrinsic(prefer_literal=True)
def matrix_rows(
    typing_context: Any, level: Any, variant: Any, asymmetric: Any, listed: Any, block: Any, a: Any, a_stride: Any,
    rows: Any, row_terms: Any, out: Any, first_part: Any, last_part: Any,
) -> Any:  # fmt: skip
    """out[r] = requantize(constant + row_terms[r] + a[r] · weights) for all r < rows, for some parts of the channels.

    level, variant: literal strings; asymmetric: literal integer, whether row_terms (address of int32[rows]) is read.
    listed: literal, STRIDED or LISTED: then a_stride is the address of int32[rows], the rows' distances from `a`.
    block: the kernel's block, which begins with MATRIX. a, out: addresses; a row is `segments` runs of `segment_bytes`
    bytes, segment_stride bytes apart. Each panel of 4 · lanes channels is a part; what remains of them is the last.
    A kernel's calls stand between `begin_matrices` and `end_matrices`.
    """
    if not all(isinstance(x, types.Literal) for x in (level, variant, asymmetric, listed)):
        return None
    name, rounding = level.literal_value, variant.literal_value
    has_terms, has_list = bool(asymmetric.literal_value), listed.literal_value == LISTED

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        e, (block, *places, first, last) = Emitter(builder), arguments[4:]
        field = {name: e.load(block, I64, 8 * i) for i, name in enumerate(MATRIX)}
        level = BY_NAME[name]
        kind = Rows if level.tiles is None else AmxRows
        kind(e, level, rounding, has_terms, has_list, field, *places).emit(first, last)
        return context.get_dummy_value()

    return types.void(level, variant, asymmetric, listed, *[types.int64] * 8), codegen


def _around(name: str) -> Any:
    @intrinsic(prefer_literal=True)
    def configure(typing_context: Any, level: Any) -> Any:
        if not isinstance(level, types.Literal):
            return None
        tiles = BY_NAME[level.literal_value].tiles

        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            if tiles is not None:
                getattr(tiles(Emitter(builder)), name)()
            return context.get_dummy_value()

        return types.void(level), codegen

    return configure


# begin_matrices(level), end_matrices(level): before a kernel's first and after its last `matrix_rows`, on each thread.
begin_matrices, end_matrices = _around("configure"), _around("release")
