from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from conformance.dtypes import accepted, sweep
from conformance.dtypes_model import retyped, values
from conformance.dtypes_page import page
from conformance.dtypes_worker import Child
from int8rt.kernels.custom.table import find_kernel
from int8rt.model import TensorType
from int8rt.schema.constant import constant_value
from tests.hostile.operators import MODELS

DOCS = Path(__file__).parents[2] / "docs" / "types.md"


def row(litert: str = "runs", int8rt: str = "runs", detail: str = "") -> dict[str, str]:
    return {"litert": litert, "int8rt": int8rt, "detail": detail}


def test_the_page() -> None:
    types = "; accepted: "
    rows = {
        "PRELU.0": {
            "int8,int8 -> int8": row(),
            "int8,int8 -> int4": row(int8rt="refused", detail=types),  # LiteRT makes it int8
            "int8,bool -> int8": row(int8rt="refused", detail=types),
            "int8,int64 -> int8": row(int8rt="refused", detail=types),
            "int8,int8 -> float32": row("retyped", "refused"),
            "uint8,uint8 -> uint8": row(int8rt="refused", detail="no quantization parameters"),
        },
        "PRELU.float0": {"float32,float32 -> float32": row(detail="other numbers")},
        "CEIL.0": {"float32 -> float32": row("refused")},
    }
    lines = page(rows).splitlines()
    assert "| PRELU | 1 | 1 | 1 | input 1: bool, int64 |  |" in lines
    assert "| PRELU | DIFFERS: float32,float32 -> float32: other numbers | | | | |" in lines
    assert "| CEIL | 0 |  |  |  | 1 |" in lines
    assert lines[-1] == "In all 1 combinations of types are equal, 1 differ."


def test_the_committed_page_has_no_difference_and_names_every_operator() -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert text.splitlines()[-1].endswith(" combinations of types are equal, 0 differ.")
    named = {line.split(" | ")[0].removeprefix("| ") for line in text.splitlines()}
    left_out = ("LSTM", "UNIDIRECTIONAL_SEQUENCE_LSTM", "BIDIRECTIONAL_", "HASHTABLE.", "HASHTABLE_IMPORT")
    left_out = (*left_out, "HASHTABLE_FIND", "HASHTABLE_SIZE", "CALL_ONCE", "VAR_", "READ_", "ASSIGN_", "IF", "WHILE")
    left_out = (*left_out, "STABLEHLO_CASE", "STABLEHLO_COMPOSITE")
    assert {name.split(".")[0] for name in MODELS if not name.startswith(left_out)} <= named


@pytest.mark.parametrize(
    "name",
    ["CONCATENATION.0", "FULLY_CONNECTED.0", "CAST.0", "ONE_HOT.0", "PACK.0", "SPLIT.0", "CUSTOM:NumericVerify.0"],
)
def test_types_that_are_accepted(name: str) -> None:
    (operator,) = MODELS[name].subgraphs[0].operators
    slots = [index for index in dict.fromkeys((*operator.inputs, *operator.outputs)) if index >= 0]
    found = [dict(zip(slots, types, strict=True)) for types in accepted(operator, slots)]
    kernel = find_kernel(operator)
    assert kernel is not None
    assert len(found) > 2
    for types in found:
        inputs, outputs = (tuple(map(types.get, indices)) for indices in (operator.inputs, operator.outputs))
        assert any(one.matches(inputs, outputs) for one in kernel.signatures)


def test_other_types() -> None:
    model = MODELS["TRANSPOSE.0"]
    other = retyped(model, {0: TensorType.INT2, 1: TensorType.INT64, 2: TensorType.INT2}, "given")
    assert other is not None
    graph = other.subgraphs[0]
    assert [tensor.type.label for tensor in graph.tensors] == ["int2", "int64", "int2"]
    assert graph.inputs == ()  # LiteRT's interface can't set int2
    perm = constant_value(other, graph.tensors[1])
    assert perm is not None
    np.testing.assert_array_equal(perm, np.array([0, 3, 1, 2], np.int64))
    assert values((2,), TensorType.STRING).tolist() == [b"a", b"ab"]


@pytest.mark.litert
def test_both_run_what_both_take() -> None:
    child = Child()
    rows = dict(sweep(MODELS["ABS.0"], child, 20))
    child.close()
    assert {types for types, row in rows.items() if row["litert"] == row["int8rt"] == "runs" and not row["detail"]} == {
        f"{type} -> {type}" for type in ("int8", "int16", "int32", "float32")
    }
    assert not any(row["detail"] for row in rows.values() if row["int8rt"] == "runs")
