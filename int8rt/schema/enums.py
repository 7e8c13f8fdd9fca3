"""Enumerations of operator options, numbered as in the TensorFlow Lite schema (the general ones are in model.py)."""

from __future__ import annotations

import enum

from int8rt.model import ActivationFunctionType, Padding, TensorType

__all__ = [
    "ActivationFunctionType",
    "CombinerType",
    "CustomOptionsFormat",
    "FullyConnectedOptionsWeightsFormat",
    "LSHProjectionType",
    "LSTMKernelType",
    "MirrorPadMode",
    "Padding",
    "ReduceWindowFunction",
    "RngAlgorithm",
    "StablehloComparisonDirection",
    "StablehloComparisonType",
    "StablehloPrecisionConfig",
    "TensorType",
    "storage_of",
]


class FullyConnectedOptionsWeightsFormat(enum.IntEnum):
    """Layout of a fully connected operator's weights: plain rows, or blocks of 4 rows by 16 int8 columns."""

    DEFAULT = 0
    SHUFFLED4x16INT8 = 1


class LSTMKernelType(enum.IntEnum):
    """FULL has peepholes, projection and clipping as options; BASIC is the five-input cell of early converters."""

    FULL = 0
    BASIC = 1


class CombinerType(enum.IntEnum):
    """How EMBEDDING_LOOKUP_SPARSE joins the rows of one sample."""

    SUM = 0
    MEAN = 1
    SQRTN = 2


class MirrorPadMode(enum.IntEnum):
    """REFLECT leaves the border element out of the mirrored part, SYMMETRIC repeats it."""

    REFLECT = 0
    SYMMETRIC = 1


class LSHProjectionType(enum.IntEnum):
    """What LSH_PROJECTION returns: one integer a row (SPARSE) or bits (DENSE)."""

    UNKNOWN = 0
    SPARSE = 1
    DENSE = 2


class RngAlgorithm(enum.IntEnum):
    """Random bit generators of STABLEHLO_RNG_BIT_GENERATOR."""

    DEFAULT = 0
    PHILOX = 1
    THREEFRY = 2


class CustomOptionsFormat(enum.IntEnum):
    """Encoding of custom options: there is one."""

    FLEXBUFFERS = 0


class ReduceWindowFunction(enum.IntEnum):
    """Reducer of the deprecated REDUCE_WINDOW."""

    UNSUPPORTED = 0
    ADD = 1
    MUL = 2
    MINIMUM = 3
    MAXIMUM = 4
    ALL = 5
    ANY = 6


class StablehloPrecisionConfig(enum.IntEnum):
    """Precision that a StableHLO product asks for."""

    DEFAULT = 0
    HIGH = 1
    HIGHEST = 2


class StablehloComparisonDirection(enum.IntEnum):
    """Comparison of STABLEHLO_COMPARE."""

    EQ = 0
    NE = 1
    GE = 2
    GT = 3
    LE = 4
    LT = 5


class StablehloComparisonType(enum.IntEnum):
    """How STABLEHLO_COMPARE reads its operands."""

    NOTYPE = 0
    FLOAT = 1
    FLOAT_TOTAL_ORDER = 2
    SIGNED = 3
    UNSIGNED = 4


_STORAGE: dict[type[enum.IntEnum], str] = {
    ReduceWindowFunction: "int32",
    StablehloPrecisionConfig: "uint32",
    StablehloComparisonDirection: "uint32",
    StablehloComparisonType: "uint32",
}


def storage_of(enumeration: type[enum.IntEnum]) -> str:
    """Name of the integer type that holds `enumeration` in the file; a byte unless the schema says otherwise."""
    return _STORAGE.get(enumeration, "int8")
