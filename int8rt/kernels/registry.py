"""The one table of operators: TensorFlow Lite name to `Kernel`."""

from __future__ import annotations

from collections.abc import Mapping

from int8rt.kernels.base import Kernel
from int8rt.kernels.concatenation import CONCATENATION
from int8rt.kernels.conv import CONV_2D
from int8rt.kernels.elementwise import ABS, LOG, RSQRT, SQRT
from int8rt.kernels.elu import ELU
from int8rt.kernels.exp import EXP
from int8rt.kernels.gelu import GELU
from int8rt.kernels.hard_swish import HARD_SWISH
from int8rt.kernels.l2_normalization import L2_NORMALIZATION
from int8rt.kernels.log_softmax import LOG_SOFTMAX
from int8rt.kernels.logistic import LOGISTIC
from int8rt.kernels.mean import MEAN, SUM
from int8rt.kernels.mirror_pad import MIRROR_PAD
from int8rt.kernels.neg import NEG
from int8rt.kernels.pack import PACK, UNPACK
from int8rt.kernels.pad import PAD, PADV2
from int8rt.kernels.pooling import AVERAGE_POOL_2D, MAX_POOL_2D
from int8rt.kernels.reduce import REDUCE_ALL, REDUCE_ANY, REDUCE_MAX, REDUCE_MIN, REDUCE_PROD
from int8rt.kernels.reshape import EXPAND_DIMS, RESHAPE, SQUEEZE
from int8rt.kernels.shape import RANK, SHAPE
from int8rt.kernels.slice import SLICE
from int8rt.kernels.softmax import SOFTMAX
from int8rt.kernels.strided_slice import STRIDED_SLICE
from int8rt.kernels.tanh import TANH
from int8rt.kernels.transpose import TRANSPOSE

KERNELS: Mapping[str, Kernel] = {
    kernel.name: kernel
    for kernel in (
        ABS,
        AVERAGE_POOL_2D,
        CONCATENATION,
        CONV_2D,
        ELU,
        EXP,
        EXPAND_DIMS,
        GELU,
        HARD_SWISH,
        L2_NORMALIZATION,
        LOG,
        LOGISTIC,
        LOG_SOFTMAX,
        MAX_POOL_2D,
        MEAN,
        MIRROR_PAD,
        NEG,
        PACK,
        PAD,
        PADV2,
        RANK,
        REDUCE_ALL,
        REDUCE_ANY,
        REDUCE_MAX,
        REDUCE_MIN,
        REDUCE_PROD,
        RESHAPE,
        RSQRT,
        SHAPE,
        SLICE,
        SOFTMAX,
        SQRT,
        SQUEEZE,
        STRIDED_SLICE,
        SUM,
        TANH,
        TRANSPOSE,
        UNPACK,
    )
}
