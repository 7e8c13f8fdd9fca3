"""Operators on 8-bit codes by look-ups within registers, on levels that can: tables for one input, sums of two."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels.add import AddParams
from int8rt.kernels.jit.abi import carray, fields, kernel, share
from int8rt.kernels.jit.finish import requantize_rows, store_rows
from int8rt.kernels.jit.isa.emitter import I8, I32, I64, Emitter, constant, vector
from int8rt.kernels.jit.isa.levels import BY_NAME
from int8rt.kernels.jit.lowering import At, Data, LowerContext, Lowered, clamp, unsigned
from int8rt.kernels.jit.numba_later import intrinsic, types
from int8rt.kernels.jit.panels import pack_words
from int8rt.model import TensorType
from int8rt.quantization import vectorized

_WIDTH = 64
UNARY = fields("input output table count")
SUM = fields("input1 input2 output residues1 residues2 factors words low high count")
# Digits of a factor: base 128, so that each fits a signed byte.
_DIGITS = 3


@intrinsic(prefer_literal=True)
def look_up_bytes(typing_context: Any, level: Any, source: Any, target: Any, count: Any, table: Any) -> Any:
    """target[i] = table[source[i]] for i < count; addresses of bytes. The source is read in steps of 64."""
    if not isinstance(level, types.Literal):
        return None
    here = BY_NAME[level.literal_value]

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        e = Emitter(builder)
        source, target, count, table = arguments[1:]
        parts = [e.load(table, vector(I8, _WIDTH), _WIDTH * i) for i in range(4)]
        with e.count(I64(0), count, _WIDTH) as i:
            codes = e.load(builder.add(source, i), vector(I8, _WIDTH))
            store_rows(e, [here.look_up(e, parts, codes)], [builder.add(target, i)], builder.sub(count, i))
        return context.get_dummy_value()

    return types.void(level, *[types.int64] * 4), codegen


@intrinsic(prefer_literal=True)
def sum_scaled(
    typing_context: Any, level: Any, variant: Any, one: Any, other: Any, residues1: Any, residues2: Any, factors: Any,
    words: Any, low: Any, high: Any, target: Any, count: Any,
) -> Any:  # fmt: skip
    """target[i] = requantize(constant + f1 · x + f2 · y + r1[x] + r2[y]) for i < count, x = one[i], y = other[i].

    residues1, residues2: addresses of the tables r1 and r2, of 256 bytes. factors: address of 4 bytes for each digit,
    least significant first: the digits of f1 and f2, then 1, 1 in the first group and 0, 0 in the others.
    words: `pack_words` of one vector, with the constant.
    """
    if not all(isinstance(x, types.Literal) for x in (level, variant)):
        return None
    here, rounding = BY_NAME[level.literal_value], variant.literal_value

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        e = Emitter(builder)
        one, other, residues1, residues2, factors, words, low, high, target, count = arguments[2:]
        kind, quads = vector(I8, _WIDTH), vector(I32, here.lanes)
        tables = [[e.load(table, kind, _WIDTH * i) for i in range(4)] for table in (residues1, residues2)]
        weights = [e.splat(e.load(factors, I32, 4 * digit), here.lanes) for digit in range(_DIGITS)]
        first = e.load(words, quads)
        zero, seven = constant(I32, [0] * here.lanes), constant(I32, [7] * here.lanes)
        with e.count(I64(0), count, _WIDTH) as i:
            codes = [e.load(builder.add(address, i), kind) for address in (one, other)]
            residues = [here.look_up(e, table, code) for table, code in zip(tables, codes, strict=True)]
            sums = []
            for four in here.interleave(e, [*codes, *residues]):
                total = zero
                for digit in reversed(range(1, _DIGITS)):
                    total = builder.shl(here.dot(e, total, four, weights[digit]), seven)
                sums.append(here.dot(e, builder.add(total, first), four, weights[0]))
            rows = requantize_rows(e, here, rounding, [sums], words, low, high, alike=True)
            store_rows(e, rows, [builder.add(target, i)], builder.sub(count, i))
        return context.get_dummy_value()

    return types.void(level, variant, *[types.int64] * 10), codegen


def _line_and_residues(table: npt.NDArray[np.int64]) -> tuple[int, int, npt.NDArray[np.uint8]] | None:
    """(factor, constant, residues): table[x] = factor · x + constant + residues[x]; None where they are no bytes."""
    x = np.arange(256)
    factor = round(int(table[255] - table[0]) / 255)
    rest = table - factor * x
    constant, largest = int(rest.min()), int(rest.max() - rest.min())
    if largest > 255 or abs(factor) >= 63 * 128**2:
        return None
    return factor, constant, (rest - constant).astype(np.uint8)


def _digits(factor: int) -> list[int]:
    """Base 128, each from -64 to 63 (the last one takes the rest)."""
    digits = []
    for _ in range(_DIGITS - 1):
        digit = (factor + 64) % 128 - 64
        digits.append(digit)
        factor = (factor - digit) // 128
    return [*digits, factor]


def lower_sum(params: Any, context: LowerContext) -> Lowered | None:
    """The step of an ADD or SUB of two tensors of one shape, where the level looks up; None elsewhere."""
    one, other, output = context.input(0), context.input(1), context.outputs[0]
    if not context.level.looks_up or not isinstance(params, AddParams) or one.shape != other.shape:
        return None
    if output.type not in (TensorType.INT8, TensorType.UINT8):
        return None
    one_table, other_table = params.input1.table, params.input2.table
    if one_table is None or other_table is None:
        return None
    sign = -1 if context.name == "SUB" else 1
    ordered = [_in_arena_order(one_table, one.type), sign * _in_arena_order(other_table, other.type)]
    lines = [_line_and_residues(table) for table in ordered]
    if lines[0] is None or lines[1] is None:
        return None
    (factor1, constant1, residues1), (factor2, constant2, residues2) = lines[0], lines[1]
    requantization = params.requantization
    bound = sum(np.abs(table).max() for table in ordered)
    variant = vectorized.choose(requantization, np.array([bound]))
    if variant is None:
        return None
    factors = np.zeros((_DIGITS, 4), np.int8)
    factors[:, 0], factors[:, 1], factors[0, 2:] = _digits(factor1), _digits(factor2), 1
    constant = np.array([constant1 + constant2])
    words = vectorized.words(variant, requantization, unsigned(output.type, requantization.zero_point), constant)
    words = np.repeat(words, context.level.lanes, axis=1)
    values: dict[str, Any] = {
        "input1": At(one.index),
        "input2": At(other.index),
        "output": At(output.index),
        "residues1": Data(residues1),
        "residues2": Data(residues2),
        "factors": Data(factors),
        "words": Data(pack_words(context.level, 1, words)),
        **clamp(output.type, requantization.activation_min, requantization.activation_max),
        "count": int(np.prod(output.shape, dtype=np.int64)),
    }
    return Lowered(sum_kernel(context.level.name, variant), SUM, values)


def _in_arena_order(table: npt.NDArray[np.int32], type: TensorType) -> npt.NDArray[np.int64]:
    """A table by codes as bit patterns, reordered to codes as they lie in the arena."""
    return (np.roll(table, -128) if type == TensorType.INT8 else table).astype(np.int64)


@cache
def unary_kernel(level: str) -> Any:
    """The compiled look-up of single codes."""

    @kernel
    def look_up_vectors(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, UNARY)[0]
        first, last = share(p.count, thread, threads)
        look_up_bytes(level, p.input + first, p.output + first, last - first, p.table)

    return look_up_vectors


@cache
def sum_kernel(level: str, variant: str) -> Any:
    """The compiled ADD or SUB for a level and a variant of the requantization."""

    @kernel
    def sum_codes(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, SUM)[0]
        first, last = share(p.count, thread, threads)
        sum_scaled(
            level, variant, p.input1 + first, p.input2 + first, p.residues1, p.residues2, p.factors, p.words, p.low,
            p.high, p.output + first, last - first,
        )  # fmt: skip

    return sum_codes
