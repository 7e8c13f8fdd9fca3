"""Models of operators that compute with whole arrays: scatter, sequences, segments and plain functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from int8rt.model import Model, Quantization, Shape, TensorType
from int8rt.schema import TensorSpec, single_operator_model
from int8rt.schema import options as o

_Q = Quantization.per_tensor(0.05, 3)


def _t(type: str, *shape: int) -> TensorSpec:
    kind = TensorType[type.upper()]
    return TensorSpec(kind, shape, _Q if kind == TensorType.INT8 else None)


def _c(values: Any) -> TensorSpec:
    return TensorSpec.constant(np.array(values, np.int32))


def _float(*shape: int) -> TensorSpec:
    return _t("float32", *shape)


def _int(*shape: int) -> TensorSpec:
    return _t("int32", *shape)


def array_models() -> dict[str, Model]:
    """By the operator's name and a number."""
    made: dict[str, Model] = {}

    def add(name: str, inputs: list[TensorSpec], outputs: list[TensorSpec], options: Any = None) -> None:
        label = f"{name}.{sum(key.split('.')[0] == name for key in made)}"
        made[label] = single_operator_model(name, inputs, outputs, options)

    for name in ("CEIL", "FLOOR", "ROUND", "SIGN"):
        add(name, [_float(4, 6)], [_float(4, 6)])
    for name in ("COMPLEX_ABS", "REAL", "IMAG"):
        add(name, [_t("complex64", 4, 6)], [_float(4, 6)])
    add("FAKE_QUANT", [_float(4, 6)], [_float(4, 6)], o.FakeQuantOptions(min=-1.0, max=2.0, num_bits=8))
    add("BUCKETIZE", [_float(4, 6)], [_int(4, 6)], o.BucketizeOptions(boundaries=(0.0, 1.0, 3.0)))
    add("BITCAST", [_t("int8", 6, 4)], [_int(6)])
    add("DIV", [_t("int8", 4, 6), _t("int8", 6)], [_t("int8", 4, 6)], o.DivOptions())
    add("DIV", [_int(4, 6), _c([1, 2, -3, 4, 5, 6])], [_int(4, 6)], o.DivOptions())
    add("POW", [_float(4, 6), _float(6)], [_float(4, 6)])
    add("POW", [_int(4, 6), _c(3)], [_int(4, 6)])
    add("ATAN2", [_float(4, 6), _float(4, 6)], [_float(4, 6)])
    add("ADD_N", [_float(4, 6)] * 3, [_float(4, 6)])
    for name in ("BITWISE_XOR", "RIGHT_SHIFT"):
        add(name, [_int(4, 6), _c([1, 2, -3, 4, 5, 60])], [_int(4, 6)])

    for indices in (_c([[0, 3], [2, 1]]), _int(2, 2)):
        add("SCATTER_ND", [indices, _float(2, 5), _c([4, 6, 5])], [_float(4, 6, 5)])
        add("SPARSE_TO_DENSE", [indices, _c([4, 6]), _int(2), _c(7)], [_int(4, 6)])
    add("SCATTER_ND", [_int(3, 1), _float(3), _int(1)], [_float(4)])
    add("SPARSE_TO_DENSE", [_int(3), _int(1), _int(), _c(7)], [_int(4)])
    for start in (_c([1, 9]), _int(2)):
        add("DYNAMIC_UPDATE_SLICE", [_t("int8", 4, 6), _t("int8", 2, 6), start], [_t("int8", 4, 6)])
    for name in ("SUM", "PROD", "MAX", "MIN"):
        add(f"UNSORTED_SEGMENT_{name}", [_float(4, 6), _c([1, 0, -1, 1]), _c(3)], [_float(3, 6)])
    add("UNSORTED_SEGMENT_SUM", [_float(4, 6), _int(4), _int()], [_float(3, 6)])
    for numbers in (_c([0, 0, 1, 1]), _int(4)):
        add("SEGMENT_SUM", [_float(4, 6), numbers], [_float(2, 6)])
    for name in ("STABLEHLO_AND", "STABLEHLO_SHIFT_LEFT"):
        add(name, [_int(4, 6), _int(4, 6)], [_int(4, 6)])
    for depth in (_c(5), _int()):
        add("ONE_HOT", [_int(3), depth, _c(1), _c(0)], [_int(3, 5)], o.OneHotOptions(axis=-1))

    shape: Shape = (3, 4)
    for axis in (_c(-1), _int()):
        add("CUMSUM", [_float(*shape), axis], [_float(*shape)], o.CumsumOptions(reverse=True))
    lengths = o.ReverseSequenceOptions(seq_dim=1, batch_dim=0)
    for given in (_c([1, 4, 0]), _int(3)):
        add("REVERSE_SEQUENCE", [_float(*shape), given], [_float(*shape)], lengths)
    add("UNIQUE", [_int(9)], [_int(9), _int(9)], o.UniqueOptions())
    add("WHERE", [_t("int8", *shape)], [_t("int64", 1, 2)])
    add("MATRIX_DIAG", [_t("int8", *shape)], [_t("int8", 3, 4, 4)])
    add("MATRIX_SET_DIAG", [_t("int8", *shape), _t("int8", 3)], [_t("int8", *shape)])
    add("BROADCAST_ARGS", [_c([4, 1]), _int(3)], [_int(3)])
    return made
