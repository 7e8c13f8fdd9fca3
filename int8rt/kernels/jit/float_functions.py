"""EXP, LOG, LOGISTIC, TANH, SIN, COS and ELU in float32: the C library's function, called for each element."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from llvmlite import ir

from int8rt.kernels.base import element_count
from int8rt.kernels.float32.functions import LOGISTIC_ABOVE, LOGISTIC_BELOW, FloatParams
from int8rt.kernels.jit.abi import carray, fields, kernel, load_f32, share, store_f32
from int8rt.kernels.jit.isa.emitter import F32
from int8rt.kernels.jit.lowering import At, Data, LowerContext, Lowered
from int8rt.kernels.jit.numba_later import intrinsic, types
from int8rt.model import TensorType
from int8rt.quantization import libm

FLOAT_FUNCTION = fields("input output count function bounds")
_PLAIN, _LOGISTIC, _ELU = range(3)
_FUNCTIONS = {"EXP": "exp", "LOG": "log", "LOGISTIC": "exp", "TANH": "tanh", "SIN": "sin", "COS": "cos", "ELU": "expm1"}


def lower(params: Any, context: LowerContext) -> Lowered | None:
    """The step of one of the functions; None where there is no C library to call."""
    input, output = context.input(0), context.outputs[0]
    if not isinstance(params, FloatParams) or {input.type, output.type} != {TensorType.FLOAT32}:
        return None
    address = libm.address(_FUNCTIONS[context.name])
    if address is None:
        return None
    values = {
        "input": At(input.index),
        "output": At(output.index),
        "count": element_count(output.shape),
        "function": address,
        "bounds": Data(np.array([LOGISTIC_BELOW, LOGISTIC_ABOVE], np.float32)),
    }
    operation = {"LOGISTIC": _LOGISTIC, "ELU": _ELU}.get(context.name, _PLAIN)
    return Lowered(float_function_kernel(operation), FLOAT_FUNCTION, values, in_place=True)


@intrinsic
def call_f32(typing_context: Any, address: Any, x: Any) -> Any:
    """The result of the C function float(float) at `address`."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target, value = arguments
        kind = ir.FunctionType(F32, [F32])
        return builder.call(builder.inttoptr(target, kind.as_pointer()), [value])

    return types.float32(types.int64, types.float32), codegen


@cache
def float_function_kernel(operation: int) -> Any:
    """The compiled loop."""

    @kernel
    def float_function(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, FLOAT_FUNCTION)[0]
        source, target, function = p.input, p.output, p.function
        below, above = load_f32(p.bounds, 0), load_f32(p.bounds, 1)
        first, last = share(p.count, thread, threads)
        for i in range(first, last):
            x = load_f32(source, i)
            if operation == _LOGISTIC:
                low = x < below
                e = call_f32(function, x if low else -x)
                value = e if low else np.float32(1) / (np.float32(1) + e)
                store_f32(target, i, np.float32(1) if x > above else value)
            elif operation == _ELU:
                store_f32(target, i, call_f32(function, x) if x < np.float32(0) else x)
            else:
                store_f32(target, i, call_f32(function, x))

    return float_function
