"""The one table of operators: TensorFlow Lite name to `Kernel`."""

from __future__ import annotations

from collections.abc import Mapping

from int8rt.kernels.add import ADD, SUB
from int8rt.kernels.add_n import ADD_N
from int8rt.kernels.arg_min_max import ARG_MAX, ARG_MIN
from int8rt.kernels.atan2 import ATAN2
from int8rt.kernels.base import Kernel
from int8rt.kernels.batch_matmul import BATCH_MATMUL
from int8rt.kernels.bitcast import BITCAST
from int8rt.kernels.bitwise import BITWISE_XOR, RIGHT_SHIFT, STABLEHLO_AND, STABLEHLO_SHIFT_LEFT
from int8rt.kernels.broadcast_args import BROADCAST_ARGS
from int8rt.kernels.bucketize import BUCKETIZE
from int8rt.kernels.calls import CALL_ONCE, IF, STABLEHLO_COMPOSITE
from int8rt.kernels.cast import CAST
from int8rt.kernels.comparisons import EQUAL, GREATER, GREATER_EQUAL, LESS, LESS_EQUAL, NOT_EQUAL
from int8rt.kernels.complex_support import COMPLEX_ABS, IMAG, REAL
from int8rt.kernels.concatenation import CONCATENATION
from int8rt.kernels.conv import CONV_2D
from int8rt.kernels.conv3d import CONV_3D, CONV_3D_TRANSPOSE
from int8rt.kernels.cumsum import CUMSUM
from int8rt.kernels.densify import DENSIFY
from int8rt.kernels.depthwise_conv import DEPTHWISE_CONV_2D
from int8rt.kernels.dequantize import DEQUANTIZE
from int8rt.kernels.div import DIV
from int8rt.kernels.dynamic_update_slice import DYNAMIC_UPDATE_SLICE
from int8rt.kernels.elementwise import ABS, LOG, RSQRT, SQRT
from int8rt.kernels.elu import ELU
from int8rt.kernels.embedding_lookup import EMBEDDING_LOOKUP
from int8rt.kernels.embedding_lookup_sparse import EMBEDDING_LOOKUP_SPARSE
from int8rt.kernels.exp import EXP
from int8rt.kernels.fake_quant import FAKE_QUANT
from int8rt.kernels.fill import BROADCAST_TO, FILL, ZEROS_LIKE
from int8rt.kernels.float32.functions import COS, SIN, SQUARE
from int8rt.kernels.float32.steps import CEIL, FLOOR, ROUND
from int8rt.kernels.floor_div import FLOOR_DIV, FLOOR_MOD
from int8rt.kernels.fully_connected import FULLY_CONNECTED
from int8rt.kernels.gather import GATHER, GATHER_ND
from int8rt.kernels.gelu import GELU
from int8rt.kernels.hard_swish import HARD_SWISH
from int8rt.kernels.hashtable import HASHTABLE, HASHTABLE_FIND, HASHTABLE_IMPORT, HASHTABLE_SIZE
from int8rt.kernels.hashtable_lookup import HASHTABLE_LOOKUP
from int8rt.kernels.l2_normalization import L2_NORMALIZATION
from int8rt.kernels.leaky_relu import LEAKY_RELU
from int8rt.kernels.local_response_norm import LOCAL_RESPONSE_NORMALIZATION
from int8rt.kernels.log_softmax import LOG_SOFTMAX
from int8rt.kernels.logical import LOGICAL_AND, LOGICAL_NOT, LOGICAL_OR
from int8rt.kernels.logistic import LOGISTIC
from int8rt.kernels.lsh_projection import LSH_PROJECTION
from int8rt.kernels.lstm.bidirectional import BIDIRECTIONAL_SEQUENCE_LSTM
from int8rt.kernels.lstm.single_step import LSTM
from int8rt.kernels.lstm.unidirectional import UNIDIRECTIONAL_SEQUENCE_LSTM
from int8rt.kernels.matrix_diag import MATRIX_DIAG, MATRIX_SET_DIAG
from int8rt.kernels.maximum_minimum import MAXIMUM, MINIMUM
from int8rt.kernels.mean import MEAN, SUM
from int8rt.kernels.mirror_pad import MIRROR_PAD
from int8rt.kernels.mul import MUL
from int8rt.kernels.neg import NEG
from int8rt.kernels.non_max_suppression import NON_MAX_SUPPRESSION_V4, NON_MAX_SUPPRESSION_V5
from int8rt.kernels.one_hot import ONE_HOT
from int8rt.kernels.pack import PACK, UNPACK
from int8rt.kernels.pad import PAD, PADV2
from int8rt.kernels.pooling import AVERAGE_POOL_2D, L2_POOL_2D, MAX_POOL_2D
from int8rt.kernels.pow import POW
from int8rt.kernels.prelu import PRELU
from int8rt.kernels.quantize import QUANTIZE
from int8rt.kernels.random_ops import MULTINOMIAL, RANDOM_STANDARD_NORMAL, RANDOM_UNIFORM
from int8rt.kernels.range import RANGE
from int8rt.kernels.reduce import REDUCE_ALL, REDUCE_ANY, REDUCE_MAX, REDUCE_MIN
from int8rt.kernels.reduce_prod import REDUCE_PROD
from int8rt.kernels.reduce_window import REDUCE_WINDOW, STABLEHLO_REDUCE_WINDOW
from int8rt.kernels.relu import RELU, RELU6, RELU_0_TO_1, RELU_N1_TO_1
from int8rt.kernels.reshape import EXPAND_DIMS, RESHAPE, SQUEEZE
from int8rt.kernels.resize_bilinear import RESIZE_BILINEAR
from int8rt.kernels.resize_nearest_neighbor import RESIZE_NEAREST_NEIGHBOR
from int8rt.kernels.resource_variables import ASSIGN_VARIABLE, READ_VARIABLE, VAR_HANDLE
from int8rt.kernels.reverse import REVERSE_V2
from int8rt.kernels.reverse_sequence import REVERSE_SEQUENCE
from int8rt.kernels.rfft2d import RFFT2D
from int8rt.kernels.rng_bit_generator import STABLEHLO_RNG_BIT_GENERATOR
from int8rt.kernels.rnn.bidirectional import BIDIRECTIONAL_SEQUENCE_RNN
from int8rt.kernels.rnn.single_step import RNN
from int8rt.kernels.rnn.unidirectional import UNIDIRECTIONAL_SEQUENCE_RNN
from int8rt.kernels.scatter_nd import SCATTER_ND
from int8rt.kernels.select import SELECT, SELECT_V2
from int8rt.kernels.shape import RANK, SHAPE
from int8rt.kernels.sign import SIGN
from int8rt.kernels.skip_gram import SKIP_GRAM
from int8rt.kernels.slice import SLICE
from int8rt.kernels.softmax import SOFTMAX
from int8rt.kernels.space_batch import BATCH_TO_SPACE_ND, SPACE_TO_BATCH_ND
from int8rt.kernels.space_depth import DEPTH_TO_SPACE, SPACE_TO_DEPTH
from int8rt.kernels.sparse_to_dense import SPARSE_TO_DENSE
from int8rt.kernels.split import SPLIT, SPLIT_V
from int8rt.kernels.squared_difference import SQUARED_DIFFERENCE
from int8rt.kernels.stablehlo_case import STABLEHLO_CASE
from int8rt.kernels.stablehlo_elementwise import STABLEHLO_ADD, STABLEHLO_MAXIMUM, STABLEHLO_MINIMUM, STABLEHLO_MULTIPLY
from int8rt.kernels.stablehlo_gather import STABLEHLO_GATHER
from int8rt.kernels.stablehlo_pad import DILATE, STABLEHLO_PAD
from int8rt.kernels.stablehlo_scatter import STABLEHLO_SCATTER
from int8rt.kernels.strided_slice import STRIDED_SLICE
from int8rt.kernels.svdf import SVDF
from int8rt.kernels.tanh import TANH
from int8rt.kernels.tile import TILE
from int8rt.kernels.topk_v2 import TOPK_V2
from int8rt.kernels.transpose import TRANSPOSE
from int8rt.kernels.transpose_conv import TRANSPOSE_CONV
from int8rt.kernels.unique import UNIQUE
from int8rt.kernels.unsorted_segment import (
    SEGMENT_SUM,
    UNSORTED_SEGMENT_MAX,
    UNSORTED_SEGMENT_MIN,
    UNSORTED_SEGMENT_PROD,
    UNSORTED_SEGMENT_SUM,
)
from int8rt.kernels.where import WHERE
from int8rt.kernels.while_loop import WHILE

KERNELS: Mapping[str, Kernel] = {
    kernel.name: kernel
    for kernel in (
        ABS,
        ADD,
        ADD_N,
        ARG_MAX,
        ARG_MIN,
        ASSIGN_VARIABLE,
        ATAN2,
        AVERAGE_POOL_2D,
        BATCH_MATMUL,
        BATCH_TO_SPACE_ND,
        BIDIRECTIONAL_SEQUENCE_LSTM,
        BIDIRECTIONAL_SEQUENCE_RNN,
        BITCAST,
        BITWISE_XOR,
        BROADCAST_ARGS,
        BROADCAST_TO,
        BUCKETIZE,
        CALL_ONCE,
        CAST,
        CEIL,
        COMPLEX_ABS,
        CONCATENATION,
        CONV_2D,
        CONV_3D,
        CONV_3D_TRANSPOSE,
        COS,
        CUMSUM,
        DENSIFY,
        DEPTHWISE_CONV_2D,
        DEPTH_TO_SPACE,
        DEQUANTIZE,
        DILATE,
        DIV,
        DYNAMIC_UPDATE_SLICE,
        ELU,
        EMBEDDING_LOOKUP,
        EMBEDDING_LOOKUP_SPARSE,
        EQUAL,
        EXP,
        EXPAND_DIMS,
        FAKE_QUANT,
        FILL,
        FLOOR,
        FLOOR_DIV,
        FLOOR_MOD,
        FULLY_CONNECTED,
        GATHER,
        GATHER_ND,
        GELU,
        GREATER,
        GREATER_EQUAL,
        HARD_SWISH,
        IF,
        IMAG,
        HASHTABLE,
        HASHTABLE_FIND,
        HASHTABLE_IMPORT,
        HASHTABLE_LOOKUP,
        HASHTABLE_SIZE,
        L2_NORMALIZATION,
        L2_POOL_2D,
        LEAKY_RELU,
        LESS,
        LESS_EQUAL,
        LOCAL_RESPONSE_NORMALIZATION,
        LOG,
        LOGICAL_AND,
        LOGICAL_NOT,
        LOGICAL_OR,
        LOGISTIC,
        LOG_SOFTMAX,
        LSTM,
        MATRIX_DIAG,
        MATRIX_SET_DIAG,
        LSH_PROJECTION,
        MAXIMUM,
        MAX_POOL_2D,
        MEAN,
        MINIMUM,
        MIRROR_PAD,
        MUL,
        MULTINOMIAL,
        NEG,
        NON_MAX_SUPPRESSION_V4,
        NON_MAX_SUPPRESSION_V5,
        NOT_EQUAL,
        ONE_HOT,
        PACK,
        PAD,
        PADV2,
        POW,
        PRELU,
        QUANTIZE,
        RANDOM_STANDARD_NORMAL,
        RANDOM_UNIFORM,
        RANGE,
        RANK,
        READ_VARIABLE,
        REAL,
        REDUCE_ALL,
        REDUCE_ANY,
        REDUCE_MAX,
        REDUCE_MIN,
        REDUCE_PROD,
        REDUCE_WINDOW,
        RELU,
        RELU6,
        RELU_0_TO_1,
        RELU_N1_TO_1,
        RESHAPE,
        RESIZE_BILINEAR,
        RESIZE_NEAREST_NEIGHBOR,
        REVERSE_SEQUENCE,
        RFFT2D,
        REVERSE_V2,
        RIGHT_SHIFT,
        RNN,
        ROUND,
        RSQRT,
        SCATTER_ND,
        SEGMENT_SUM,
        SELECT,
        SELECT_V2,
        SHAPE,
        SIGN,
        SIN,
        SKIP_GRAM,
        SLICE,
        SOFTMAX,
        SPACE_TO_BATCH_ND,
        SPACE_TO_DEPTH,
        SPARSE_TO_DENSE,
        SPLIT,
        SPLIT_V,
        SQRT,
        SQUARE,
        SQUARED_DIFFERENCE,
        SQUEEZE,
        STABLEHLO_COMPOSITE,
        STABLEHLO_ADD,
        STABLEHLO_AND,
        STABLEHLO_CASE,
        STABLEHLO_GATHER,
        STABLEHLO_MAXIMUM,
        STABLEHLO_MINIMUM,
        STABLEHLO_MULTIPLY,
        STABLEHLO_PAD,
        STABLEHLO_REDUCE_WINDOW,
        STABLEHLO_RNG_BIT_GENERATOR,
        STABLEHLO_SCATTER,
        STABLEHLO_SHIFT_LEFT,
        STRIDED_SLICE,
        SUB,
        SUM,
        SVDF,
        TANH,
        TILE,
        TOPK_V2,
        TRANSPOSE,
        TRANSPOSE_CONV,
        UNIDIRECTIONAL_SEQUENCE_LSTM,
        UNIDIRECTIONAL_SEQUENCE_RNN,
        UNIQUE,
        UNPACK,
        UNSORTED_SEGMENT_MAX,
        UNSORTED_SEGMENT_MIN,
        UNSORTED_SEGMENT_PROD,
        UNSORTED_SEGMENT_SUM,
        VAR_HANDLE,
        WHERE,
        WHILE,
        ZEROS_LIKE,
    )
}
