"""The one table of operators: TensorFlow Lite name to `Kernel`."""

from __future__ import annotations

from collections.abc import Mapping

from int8rt.kernels.base import Kernel
from int8rt.kernels.conv import CONV_2D
from int8rt.kernels.mean import MEAN, SUM
from int8rt.kernels.pooling import AVERAGE_POOL_2D, MAX_POOL_2D
from int8rt.kernels.reduce import REDUCE_ALL, REDUCE_ANY, REDUCE_MAX, REDUCE_MIN, REDUCE_PROD

KERNELS: Mapping[str, Kernel] = {
    kernel.name: kernel
    for kernel in (
        AVERAGE_POOL_2D,
        CONV_2D,
        MAX_POOL_2D,
        MEAN,
        REDUCE_ALL,
        REDUCE_ANY,
        REDUCE_MAX,
        REDUCE_MIN,
        REDUCE_PROD,
        SUM,
    )
}
