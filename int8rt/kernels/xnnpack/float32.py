"""The operators on float32 that XNNPACK computes, but for convolutions and matrix products."""

from __future__ import annotations

from int8rt.kernels.xnnpack.float_functions import FUNCTIONS
from int8rt.kernels.xnnpack.float_pooling import FLOAT_POOLS
from int8rt.kernels.xnnpack.float_reductions import FLOAT_REDUCTIONS
from int8rt.kernels.xnnpack.resize import FLOAT_RESIZE_BILINEAR

FLOATING = (*FUNCTIONS, *FLOAT_POOLS, *FLOAT_REDUCTIONS, FLOAT_RESIZE_BILINEAR)
