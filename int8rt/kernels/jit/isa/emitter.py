"""A small vocabulary for writing vector code as LLVM IR: loads, stores, splats, lane-wise arithmetic.

A kernel's inner tile is written once with it; `isa.levels` says how wide a vector is and which instruction multiplies.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from llvmlite import ir

I1, I8, I16, I32, I64 = (ir.IntType(bits) for bits in (1, 8, 16, 32, 64))
F32, F64 = ir.FloatType(), ir.DoubleType()
VOID = ir.VoidType()
Values = Sequence[Any]


def vector(element: Any, lanes: int) -> Any:
    """The LLVM vector type of `lanes` elements."""
    return ir.VectorType(element, lanes)


def constant(element: Any, values: Sequence[int]) -> Any:
    """A constant vector."""
    return ir.Constant(vector(element, len(values)), list(values))


class Emitter:
    """Wraps an LLVM IR builder. Addresses are 64-bit integers; every access may be unaligned."""

    def __init__(self, builder: Any) -> None:
        self.b = builder

    def load(self, address: Any, type_: Any, offset: int = 0) -> Any:
        """The value of `type_` at `address + offset` bytes."""
        value = self.b.load(self.pointer(address, type_, offset))
        value.align = 1
        return value

    def store(self, value: Any, address: Any, offset: int = 0) -> None:
        """Write `value` at `address + offset` bytes."""
        self.b.store(value, self.pointer(address, value.type, offset)).align = 1

    def store_first(self, value: Any, address: Any, count: Any) -> None:
        """Write the first `count` (an int64 value) lanes of a byte vector; the others' memory is not touched."""
        lanes = value.type.count
        index = constant(I16, range(lanes))
        mask = self.b.icmp_unsigned("<", index, self.splat(self.b.trunc(count, I16), lanes))
        pointer = self.pointer(address, value.type)
        self.intrinsic(f"llvm.masked.store.v{lanes}i8.p0", VOID, [value, pointer, I32(1), mask])

    def splat(self, scalar: Any, lanes: int) -> Any:
        """A vector with `scalar` in every lane."""
        undefined = ir.Constant(vector(scalar.type, lanes), ir.Undefined)
        first = self.b.insert_element(undefined, scalar, I32(0))
        return self.b.shuffle_vector(first, undefined, constant(I32, [0] * lanes))

    def shuffle(self, left: Any, right: Any, lanes: Sequence[int]) -> Any:
        """Lanes of `left` (0..n-1) and `right` (n..2n-1) in the given order."""
        return self.b.shuffle_vector(left, right, constant(I32, lanes))

    def concatenate(self, parts: Sequence[Any]) -> Any:
        """One vector of all the parts, a power of two of them, in order."""
        parts = list(parts)
        while len(parts) > 1:
            width = parts[0].type.count
            parts = [self.shuffle(parts[i], parts[i + 1], range(2 * width)) for i in range(0, len(parts), 2)]
        return parts[0]

    def maximum(self, left: Any, right: Any, signed: bool = True) -> Any:
        """Lane-wise maximum of integers."""
        return self._lanewise("smax" if signed else "umax", left, right)

    def minimum(self, left: Any, right: Any, signed: bool = True) -> Any:
        """Lane-wise minimum of integers."""
        return self._lanewise("smin" if signed else "umin", left, right)

    @contextlib.contextmanager
    def count(self, first: Any, end: Any, step: int = 1) -> Iterator[Any]:
        """A loop whose body is the `with` block; yields first, first + step, ... below `end` (int64 values)."""
        before, head = self.b.block, self.b.append_basic_block("loop")
        body, after = self.b.append_basic_block("loop.body"), self.b.append_basic_block("loop.end")
        self.b.branch(head)
        self.b.position_at_end(head)
        index = self.b.phi(I64)
        index.add_incoming(first, before)
        self.b.cbranch(self.b.icmp_signed("<", index, end), body, after)
        self.b.position_at_end(body)
        yield index
        index.add_incoming(self.b.add(index, I64(step)), self.b.block)
        self.b.branch(head)
        self.b.position_at_end(after)

    def repeat(
        self, initial: Sequence[Any], body: Callable[[Sequence[Any]], tuple[Any, Sequence[Any]]]
    ) -> Sequence[Any]:
        """A loop that runs at least once; the values that come out of it.

        body: from the values that it starts with to (whether to go on, the values that the next round starts with).
        """
        before, loop, after = self.b.block, self.b.append_basic_block("repeat"), self.b.append_basic_block("repeat.end")
        self.b.branch(loop)
        self.b.position_at_end(loop)
        carried = [self.b.phi(value.type) for value in initial]
        again, following = body(carried)
        for phi, first, value in zip(carried, initial, following, strict=True):
            phi.add_incoming(first, before)
            phi.add_incoming(value, self.b.block)
        self.b.cbranch(again, loop, after)
        self.b.position_at_end(after)
        return following

    def intrinsic(self, name: str, result: Any, arguments: Sequence[Any]) -> Any:
        """Call an LLVM intrinsic by its full name."""
        module = self.b.module
        function = module.globals.get(name)
        if function is None:
            function = ir.Function(module, ir.FunctionType(result, [a.type for a in arguments]), name)
        return self.b.call(function, list(arguments))

    def local(self, size: int) -> Any:
        """Address of `size` bytes in the function's frame, at the start of a cache line; they hold anything."""
        with self.b.goto_entry_block():
            memory = self.b.alloca(ir.ArrayType(I8, size))
            memory.align = 64
        return self.b.ptrtoint(memory, I64)

    def pointer(self, address: Any, type_: Any, offset: int = 0) -> Any:
        """A pointer to a value of `type_` at `address + offset` bytes."""
        if offset:
            address = self.b.add(address, I64(offset))
        return self.b.inttoptr(address, type_.as_pointer())

    def _lanewise(self, operation: str, left: Any, right: Any) -> Any:
        kind = left.type
        return self.intrinsic(f"llvm.{operation}.v{kind.count}i{kind.element.width}", kind, [left, right])
