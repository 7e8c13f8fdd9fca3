"""What threads need of one another in compiled code: atomic words in memory, a pause while spinning, the C library."""

from __future__ import annotations

import platform
from typing import Any

from llvmlite import ir

from int8rt.kernels.jit.isa.emitter import I32, I64
from int8rt.kernels.jit.numba_later import intrinsic, types

_X86 = ("x86_64", "AMD64", "i386", "i686")
_ARM = ("aarch64", "arm64", "ARM64")


@intrinsic
def atomic_load(typing_context: Any, address: Any) -> Any:
    """The int64 at `address`."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(builder.inttoptr(arguments[0], I64.as_pointer()), "seq_cst", 8)

    return types.int64(types.int64), codegen


@intrinsic
def atomic_store(typing_context: Any, address: Any, value: Any) -> Any:
    """Write the int64 at `address`."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], I64.as_pointer())
        builder.store_atomic(arguments[1], pointer, "seq_cst", 8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), codegen


@intrinsic
def atomic_add(typing_context: Any, address: Any, value: Any) -> Any:
    """Add to the int64 at `address`; what it was before."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], I64.as_pointer())
        return builder.atomic_rmw("add", pointer, arguments[1], "seq_cst")

    return types.int64(types.int64, types.int64), codegen


@intrinsic
def atomic_max(typing_context: Any, address: Any, value: Any) -> Any:
    """Raise the int64 at `address` to `value` if it is less; what it was before."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], I64.as_pointer())
        return builder.atomic_rmw("max", pointer, arguments[1], "seq_cst")

    return types.int64(types.int64, types.int64), codegen


@intrinsic
def pause(typing_context: Any) -> Any:
    """Tell the processor that this thread spins."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        machine = platform.machine()
        if machine in _X86:
            kind = ir.FunctionType(ir.VoidType(), [])
            builder.call(builder.module.declare_intrinsic("llvm.x86.sse2.pause", (), kind), [])
        elif machine in _ARM:
            kind = ir.FunctionType(ir.VoidType(), [I32])
            builder.call(builder.module.declare_intrinsic("llvm.aarch64.hint", (), kind), [I32(1)])
        return context.get_dummy_value()

    return types.void(), codegen


@intrinsic
def call_library(typing_context: Any, function: Any, one: Any, other: Any) -> Any:
    """Call the C library's `int function(void *, void *)` at that address; those that take fewer ignore the rest."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = ir.FunctionType(I32, [I64, I64]).as_pointer()
        builder.call(builder.inttoptr(arguments[0], pointer), list(arguments[1:]))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), codegen
