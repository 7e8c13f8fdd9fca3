"""Numbers by their bits."""

from __future__ import annotations

from typing import Any

from int8rt.kernels.jit.numba_later import intrinsic, types


@intrinsic
def float32_of(typing_context: Any, bits: Any) -> Any:
    """The float32 whose bits are those of a uint32."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(types.float32))

    return types.float32(types.uint32), codegen
