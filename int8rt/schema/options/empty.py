"""Options tables without fields: the file says which table it is, and that is all.

They share one dataclass, since making a dataclass takes time at import.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EmptyOptions:
    """Base of all tables without fields; two are equal if they are of the same class."""


class ATan2Options(EmptyOptions):
    """ATAN2."""

    __slots__ = ()


class AbsOptions(EmptyOptions):
    """ABS."""

    __slots__ = ()


class AddNOptions(EmptyOptions):
    """ADD_N."""

    __slots__ = ()


class AssignVariableOptions(EmptyOptions):
    """ASSIGN_VARIABLE."""

    __slots__ = ()


class BatchToSpaceNDOptions(EmptyOptions):
    """BATCH_TO_SPACE_ND."""

    __slots__ = ()


class BitcastOptions(EmptyOptions):
    """BITCAST."""

    __slots__ = ()


class BitwiseXorOptions(EmptyOptions):
    """BITWISE_XOR."""

    __slots__ = ()


class BroadcastToOptions(EmptyOptions):
    """BROADCAST_TO."""

    __slots__ = ()


class CosOptions(EmptyOptions):
    """COS."""

    __slots__ = ()


class DensifyOptions(EmptyOptions):
    """DENSIFY."""

    __slots__ = ()


class DequantizeOptions(EmptyOptions):
    """DEQUANTIZE."""

    __slots__ = ()


class DilateOptions(EmptyOptions):
    """DILATE."""

    __slots__ = ()


class DynamicUpdateSliceOptions(EmptyOptions):
    """DYNAMIC_UPDATE_SLICE."""

    __slots__ = ()


class EqualOptions(EmptyOptions):
    """EQUAL."""

    __slots__ = ()


class ExpOptions(EmptyOptions):
    """EXP."""

    __slots__ = ()


class ExpandDimsOptions(EmptyOptions):
    """EXPAND_DIMS."""

    __slots__ = ()


class FillOptions(EmptyOptions):
    """FILL."""

    __slots__ = ()


class FloorDivOptions(EmptyOptions):
    """FLOOR_DIV."""

    __slots__ = ()


class FloorModOptions(EmptyOptions):
    """FLOOR_MOD."""

    __slots__ = ()


class GatherNdOptions(EmptyOptions):
    """GATHER_ND."""

    __slots__ = ()


class GreaterEqualOptions(EmptyOptions):
    """GREATER_EQUAL."""

    __slots__ = ()


class GreaterOptions(EmptyOptions):
    """GREATER."""

    __slots__ = ()


class HardSwishOptions(EmptyOptions):
    """HARD_SWISH."""

    __slots__ = ()


class HashtableFindOptions(EmptyOptions):
    """HASHTABLE_FIND."""

    __slots__ = ()


class HashtableImportOptions(EmptyOptions):
    """HASHTABLE_IMPORT."""

    __slots__ = ()


class HashtableSizeOptions(EmptyOptions):
    """HASHTABLE_SIZE."""

    __slots__ = ()


class LessEqualOptions(EmptyOptions):
    """LESS_EQUAL."""

    __slots__ = ()


class LessOptions(EmptyOptions):
    """LESS."""

    __slots__ = ()


class LogSoftmaxOptions(EmptyOptions):
    """LOG_SOFTMAX."""

    __slots__ = ()


class LogicalAndOptions(EmptyOptions):
    """LOGICAL_AND."""

    __slots__ = ()


class LogicalNotOptions(EmptyOptions):
    """LOGICAL_NOT."""

    __slots__ = ()


class LogicalOrOptions(EmptyOptions):
    """LOGICAL_OR."""

    __slots__ = ()


class MatrixDiagOptions(EmptyOptions):
    """MATRIX_DIAG."""

    __slots__ = ()


class MatrixSetDiagOptions(EmptyOptions):
    """MATRIX_SET_DIAG."""

    __slots__ = ()


class MaximumMinimumOptions(EmptyOptions):
    """MAXIMUM and MINIMUM."""

    __slots__ = ()


class NegOptions(EmptyOptions):
    """NEG."""

    __slots__ = ()


class NonMaxSuppressionV4Options(EmptyOptions):
    """NON_MAX_SUPPRESSION_V4."""

    __slots__ = ()


class NonMaxSuppressionV5Options(EmptyOptions):
    """NON_MAX_SUPPRESSION_V5."""

    __slots__ = ()


class NotEqualOptions(EmptyOptions):
    """NOT_EQUAL."""

    __slots__ = ()


class PadOptions(EmptyOptions):
    """PAD."""

    __slots__ = ()


class PadV2Options(EmptyOptions):
    """PADV2."""

    __slots__ = ()


class PowOptions(EmptyOptions):
    """POW."""

    __slots__ = ()


class QuantizeOptions(EmptyOptions):
    """QUANTIZE."""

    __slots__ = ()


class RangeOptions(EmptyOptions):
    """RANGE."""

    __slots__ = ()


class RankOptions(EmptyOptions):
    """RANK."""

    __slots__ = ()


class ReadVariableOptions(EmptyOptions):
    """READ_VARIABLE."""

    __slots__ = ()


class ReverseV2Options(EmptyOptions):
    """REVERSE_V2."""

    __slots__ = ()


class Rfft2dOptions(EmptyOptions):
    """RFFT2D."""

    __slots__ = ()


class RightShiftOptions(EmptyOptions):
    """RIGHT_SHIFT."""

    __slots__ = ()


class ScatterNdOptions(EmptyOptions):
    """SCATTER_ND."""

    __slots__ = ()


class SegmentSumOptions(EmptyOptions):
    """SEGMENT_SUM."""

    __slots__ = ()


class SelectOptions(EmptyOptions):
    """SELECT."""

    __slots__ = ()


class SelectV2Options(EmptyOptions):
    """SELECT_V2."""

    __slots__ = ()


class SignOptions(EmptyOptions):
    """SIGN."""

    __slots__ = ()


class SliceOptions(EmptyOptions):
    """SLICE."""

    __slots__ = ()


class SpaceToBatchNDOptions(EmptyOptions):
    """SPACE_TO_BATCH_ND."""

    __slots__ = ()


class SquareOptions(EmptyOptions):
    """SQUARE."""

    __slots__ = ()


class SquaredDifferenceOptions(EmptyOptions):
    """SQUARED_DIFFERENCE."""

    __slots__ = ()


class StablehloShiftLeftOptions(EmptyOptions):
    """STABLEHLO_SHIFT_LEFT."""

    __slots__ = ()


class TileOptions(EmptyOptions):
    """TILE."""

    __slots__ = ()


class TopKV2Options(EmptyOptions):
    """TOPK_V2."""

    __slots__ = ()


class TransposeOptions(EmptyOptions):
    """TRANSPOSE."""

    __slots__ = ()


class UnsortedSegmentMaxOptions(EmptyOptions):
    """UNSORTED_SEGMENT_MAX."""

    __slots__ = ()


class UnsortedSegmentMinOptions(EmptyOptions):
    """UNSORTED_SEGMENT_MIN."""

    __slots__ = ()


class UnsortedSegmentProdOptions(EmptyOptions):
    """UNSORTED_SEGMENT_PROD."""

    __slots__ = ()


class UnsortedSegmentSumOptions(EmptyOptions):
    """UNSORTED_SEGMENT_SUM."""

    __slots__ = ()


class WhereOptions(EmptyOptions):
    """WHERE."""

    __slots__ = ()


class ZerosLikeOptions(EmptyOptions):
    """ZEROS_LIKE."""

    __slots__ = ()
