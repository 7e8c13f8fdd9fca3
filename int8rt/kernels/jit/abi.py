"""How compiled kernels are called: one C function each, given the address of a block of 64-bit fields.

A kernel is `void kernel(block, thread, threads)`; `block` points to the fields in the order of its `Block` type. Python
is not involved in a call, so a kernel can neither raise nor check: what it indexes was checked when it was lowered.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from int8rt.kernels.jit.compiled import kernel as kernel
from int8rt.kernels.jit.isa.emitter import I8, I64, Emitter, vector
from int8rt.kernels.jit.numba_later import carray as carray
from int8rt.kernels.jit.numba_later import cgutils, intrinsic, njit, types

# Scratch and tensors may be read (never written) this many bytes beyond their end.
SLACK = 128


def fields(names: str) -> np.dtype[Any]:
    """The layout of a kernel's block: one int64 for each name."""
    return np.dtype([(name, np.int64) for name in names.split()])


helper = njit(error_model="numpy", nogil=True)


@intrinsic
def call(typing_context: Any, address: Any, block: Any, thread: Any, threads: Any) -> Any:
    """Call the kernel at `address`."""
    from llvmlite import ir

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target, *rest = arguments
        kind = ir.FunctionType(ir.VoidType(), [I64.as_pointer(), I64, I64])
        rest[0] = builder.inttoptr(rest[0], I64.as_pointer())
        builder.call(builder.inttoptr(target, kind.as_pointer()), rest)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64, types.int64), codegen


def _access(name: str) -> tuple[Any, Any]:
    @intrinsic
    def load(typing_context: Any, address: Any, index: Any) -> Any:
        scalar = getattr(types, name)

        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            pointer = builder.inttoptr(arguments[0], context.get_value_type(scalar).as_pointer())
            return builder.load(cgutils.gep_inbounds(builder, pointer, arguments[1]))

        return scalar(types.int64, types.int64), codegen

    @intrinsic
    def store(typing_context: Any, address: Any, index: Any, value: Any) -> Any:
        scalar = getattr(types, name)

        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            pointer = builder.inttoptr(arguments[0], context.get_value_type(scalar).as_pointer())
            builder.store(arguments[2], cgutils.gep_inbounds(builder, pointer, arguments[1]))
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, scalar), codegen

    return load, store


# load_x(address, i): element i of the array of x at `address`; store_x(address, i, value).
load_u8, store_u8 = _access("uint8")
load_i8, store_i8 = _access("int8")
load_u16, store_u16 = _access("uint16")
load_u32, store_u32 = _access("uint32")
load_i32, store_i32 = _access("int32")
load_i16, store_i16 = _access("int16")
load_i64, store_i64 = _access("int64")
load_f32, store_f32 = _access("float32")
load_f64, store_f64 = _access("float64")


@intrinsic
def address_of(typing_context: Any, block: Any) -> Any:
    """The block's address as an integer."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ptrtoint(arguments[0], I64)

    return types.int64(types.voidptr), codegen


@intrinsic
def copy_bytes(typing_context: Any, target: Any, source: Any, count: Any) -> Any:
    """Copy `count` > 0 bytes upwards in steps of 64: up to 63 more bytes are read and written beyond."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        e = Emitter(builder)
        _each_64(
            e,
            arguments[2],
            lambda offset: e.store(
                e.load(builder.add(arguments[1], offset), vector(I8, 64)), builder.add(arguments[0], offset)
            ),
        )
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), codegen


@intrinsic
def copy_exactly(typing_context: Any, target: Any, source: Any, count: Any) -> Any:
    """Copy `count` bytes and touch no others."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target, source, count = arguments
        byte = I8.as_pointer()
        cgutils.raw_memcpy(builder, builder.inttoptr(target, byte), builder.inttoptr(source, byte), count, 1)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), codegen


@intrinsic
def fill_bytes(typing_context: Any, target: Any, value: Any, count: Any) -> Any:
    """Set `count` > 0 bytes upwards in steps of 64: up to 63 more bytes are written beyond."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        e = Emitter(builder)
        filled = e.splat(builder.trunc(arguments[1], I8), 64)
        _each_64(e, arguments[2], lambda offset: e.store(filled, builder.add(arguments[0], offset)))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), codegen


def _each_64(e: Emitter, count: Any, body: Callable[[Any], None]) -> None:
    before, loop, after = e.b.block, e.b.append_basic_block("bytes"), e.b.append_basic_block("bytes.end")
    e.b.branch(loop)
    e.b.position_at_end(loop)
    offset = e.b.phi(I64)
    offset.add_incoming(I64(0), before)
    body(offset)
    following = e.b.add(offset, I64(64))
    offset.add_incoming(following, loop)
    e.b.cbranch(e.b.icmp_signed("<", following, count), loop, after)
    e.b.position_at_end(after)


@helper
def hold(value, low, high):  # type: ignore[no-untyped-def]
    """A value within bounds."""
    return min(max(value, low), high)


def share(count: Any, thread: Any, threads: Any) -> Any:
    """[first, last) of `count` items that belong to `thread`; contiguous, and disjoint between threads."""
    return count * thread // threads, count * (thread + 1) // threads


share = njit(inline="always")(share)
