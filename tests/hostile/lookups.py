"""Models of look-ups, hashes, sequences of words and random numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from int8rt.model import DimensionMetadata, Model, Quantization, Shape, Sparsity, TensorType
from int8rt.schema import ModelBuilder, TensorSpec, single_operator_model
from int8rt.schema import options as o
from int8rt.schema.enums import CombinerType, LSHProjectionType

INT8, UINT8, INT32, FLOAT32 = (TensorType[name] for name in ("INT8", "UINT8", "INT32", "FLOAT32"))
_Q = Quantization.per_tensor(0.05, 3)


def _t(shape: Shape, type: TensorType = INT8) -> TensorSpec:
    return TensorSpec(type, shape, _Q if type is INT8 else None)


def _c(values: Any) -> TensorSpec:
    return TensorSpec.constant(np.array(values, np.int32))


def _table() -> Model:
    """Numbers of words."""
    text, number = TensorType.STRING, TensorType.INT64
    builder = ModelBuilder().input("x", text, (3,)).tensor("table", TensorType.RESOURCE, (1,))
    builder.operator("HASHTABLE", [], ["table"], o.HashtableOptions(7, text, number))
    builder.constant("keys", np.array([b"a", b"bc"], object)).constant("values", np.array([5, 6]))
    builder.operator("HASHTABLE_IMPORT", ["table", "keys", "values"], []).constant("default", np.array([-1]))
    builder.output("y", number, (3,)).operator("HASHTABLE_FIND", ["table", "x", "default"], ["y"])
    return builder.output("n", number, (1,)).operator("HASHTABLE_SIZE", ["table"], ["n"]).build()


def lookup_models() -> dict[str, Model]:
    """One of each."""
    made: dict[str, Model] = {}

    def add(name: str, inputs: list[TensorSpec], outputs: list[TensorSpec], options: Any = None) -> None:
        made[f"{name}.0"] = single_operator_model(name, inputs, outputs, options)

    columns = DimensionMetadata(True, 0, np.array([0, 2, 3], np.int32), np.array([0, 3, 1], np.int32))
    sparsity = Sparsity((0, 1), (), (DimensionMetadata(False, 2), columns))
    stored = TensorSpec(INT8, (2, 4), _Q, raw=bytes([1, 2, 3]), sparsity=sparsity)
    add("DENSIFY", [stored], [_t((2, 4))])
    add("HASHTABLE_LOOKUP", [_t((3,), INT32), _c([1, 3]), _t((2, 4))], [_t((3, 4)), _t((3,), UINT8)])
    places = [_c([1, 0, 1]), _c([[0, 0], [1, 1], [1, 2]]), _c([2, 3])]
    mean = o.EmbeddingLookupSparseOptions(CombinerType.MEAN)
    add("EMBEDDING_LOOKUP_SPARSE", [*places, _t((3,), FLOAT32), _t((2, 4), FLOAT32)], [_t((2, 4), FLOAT32)], mean)
    bits = o.LSHProjectionOptions(LSHProjectionType.SPARSE)
    add("LSH_PROJECTION", [_t((3, 4), FLOAT32), _t((5, 7)), _t((5,), FLOAT32)], [_t((3,), INT32)], bits)
    sentence = TensorSpec.constant(np.array([b"a b cd e"], object))
    add("SKIP_GRAM", [sentence], [TensorSpec(TensorType.STRING, (5,))], o.SkipGramOptions(2, 1))
    seeds = o.RandomOptions(1, 2)
    for name in ("RANDOM_UNIFORM", "RANDOM_STANDARD_NORMAL"):
        add(name, [_c([3, 5])], [_t((3, 5), FLOAT32)], seeds)
    made["RANDOM_UNIFORM.1"] = single_operator_model(
        "RANDOM_UNIFORM", [_t((2,), INT32)], [_t((3, 5), FLOAT32)], o.RandomOptions()
    )
    add("MULTINOMIAL", [_t((2, 3), FLOAT32), _c(4)], [_t((2, 4), INT32)], seeds)
    made |= {f"{name}.0": _table() for name in ("HASHTABLE", "HASHTABLE_IMPORT", "HASHTABLE_FIND", "HASHTABLE_SIZE")}
    state = TensorSpec(TensorType.UINT64, (2,))
    add("STABLEHLO_RNG_BIT_GENERATOR", [state], [state, _t((3, 5), INT32)], o.StablehloRngBitGeneratorOptions())
    return made
