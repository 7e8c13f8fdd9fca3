"""REDUCE_PROD in the optimized kernels: quantized codes of which nothing is multiplied are copied, not rescaled.

That is where every reduced axis has one element, or there is none. The rest is the reference kernel.
"""

from __future__ import annotations

from dataclasses import replace

from int8rt.kernels import reduce_prod
from int8rt.kernels.base import Array
from int8rt.kernels.reduce import ReduceParams, shaped
from int8rt.kernels.reduce_prod import QuantizedProdParams


def evaluate(params: ReduceParams, input: Array, axis: Array) -> Array:
    """The product."""
    if isinstance(params, QuantizedProdParams) and params.count == 1:
        return shaped(params, input.copy())
    return reduce_prod.evaluate_prod(params, input, axis)


REDUCE_PROD = replace(
    reduce_prod.REDUCE_PROD, evaluate=evaluate, source="kernels/reduce.cc, optimized/reduce.h, optimized/reduce_utils.h"
)
