"""Elements that LiteRT leaves unwritten are not compared."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from flatbuffers import flexbuffers

from int8rt.errors import ModelError
from int8rt.model import Model, Quantization, TensorType
from int8rt.schema import TensorSpec, single_operator_model, write_model
from int8rt.schema.builder import ModelBuilder
from int8rt.schema.options import AddOptions, ReducerOptions
from int8rt.verify.compare import compare_run
from int8rt.verify.oracle import Oracle
from int8rt.verify.unwritten import left_to_chance, unwritten_elements
from tests.differential.control_flow import add_and_pass, while_model

FLOAT32 = TensorType.FLOAT32


def detections(**more: Any) -> Model:
    """Three boxes far apart of which two score: 4 rows of 2 classes each."""
    options = {"max_detections": 4, "max_classes_per_detection": 3, "num_classes": 2, "nms_iou_threshold": 0.5}
    options |= {"nms_score_threshold": 0.5, "y_scale": 1.0, "x_scale": 1.0, "h_scale": 1.0, "w_scale": 1.0} | more
    anchors = TensorSpec.constant(np.array([[0, 0, 1, 1], [5, 5, 1, 1], [9, 9, 1, 1]], np.float32))
    return single_operator_model(
        "CUSTOM",
        [TensorSpec(FLOAT32, (1, 3, 4)), TensorSpec(FLOAT32, (1, 3, 2)), anchors],
        [TensorSpec(FLOAT32, ())] * 4,
        custom_code="TFLite_Detection_PostProcess",
        custom_options=bytes(flexbuffers.Dumps(options)),
    )


INPUTS = [np.zeros((1, 3, 4), np.float32), np.array([[[0.9, 0.1], [0.2, 0.8], [0.1, 0.1]]], np.float32)]


@pytest.mark.litert
@pytest.mark.parametrize(("regular", "left_out"), [(False, 12 - 2 * 2), (True, 12 - 4)])
@pytest.mark.parametrize("twice", [False, True])
def test_rows_of_detections(regular: bool, left_out: int, twice: bool) -> None:
    model = detections(use_regular_nms=regular)
    with Oracle() as oracle, Oracle() as second:
        run = compare_run(model, write_model(model), INPUTS, oracle, second_oracle=second if twice else None)
    assert run.equal
    for compared in (run.tensors, run.outputs):
        assert [item.difference.unrepeatable for item in compared] == [4 * left_out, left_out, left_out, 0]


def test_what_is_not_written() -> None:
    model = detections()
    values = {3: np.zeros((1, 12, 4)), 4: np.zeros((1, 12)), 5: np.zeros((1, 12)), 6: np.array([2.0])}
    masks = unwritten_elements(model, values)
    assert [index % 12 for index in np.flatnonzero(~masks[4])] == [0, 1, 3, 4]
    assert masks[3].shape == (1, 12, 4)
    assert sorted(masks) == [3, 4, 5]
    assert unwritten_elements(model, {3: values[3]}) == {}
    with pytest.raises(ModelError, match="options of CUSTOM:TFLite_Detection_PostProcess"):
        unwritten_elements(detections(max_classes_per_detection=None), values)


def test_half_of_an_int16_sum() -> None:
    scale = Quantization.per_tensor(0.1)
    model = single_operator_model(
        "SUM",
        [TensorSpec(TensorType.INT16, (3, 5), scale), TensorSpec.constant(np.array([0], np.int32))],
        [TensorSpec(TensorType.INT16, (5,), scale)],
        ReducerOptions(),
    )
    masks = unwritten_elements(model, {2: np.zeros(5, np.int16)})
    assert masks[2].tolist() == [False, False, True, True, True]
    assert unwritten_elements(model, {2: np.zeros(5, np.int16)}, reference=False) == {}


def test_what_is_computed_from_half_of_an_int16_sum() -> None:
    scale, int16 = Quantization.per_tensor(0.1), TensorType.INT16
    builder = ModelBuilder().input("x", int16, (3, 4), scale).input("other", int16, (2, 4), scale)
    builder.constant("axis", np.array([0], np.int32)).constant("shape", np.array([2, 2, 2], np.int32))
    builder.tensor("sums", int16, (4,), scale).tensor("total", int16, (2, 4), scale)
    builder.tensor("shaped", int16, (2, 2, 2), scale).output("mean", int16, (2, 2), scale)
    builder.operator("SUM", ["x", "axis"], ["sums"], ReducerOptions())
    builder.operator("ADD", ["other", "sums"], ["total"], AddOptions())
    builder.operator("RESHAPE", ["total", "shape"], ["shaped"])
    builder.operator("MEAN", ["shaped", "axis"], ["mean"], ReducerOptions())
    model = builder.build()
    names = {tensor.name: index for index, tensor in enumerate(model.subgraphs[0].tensors)}
    shapes = {"sums": (4,), "total": (2, 4), "shaped": (2, 2, 2), "mean": (2, 2)}
    values = {names[name]: np.zeros(shape, np.int16) for name, shape in shapes.items()}
    masks = left_to_chance(model, values)
    assert {name: masks[index].tolist() for name, index in names.items() if index in masks} == {
        "sums": [False, False, True, True],
        "total": [[False, False, True, True]] * 2,
        "shaped": [[[False, False], [True, True]]] * 2,
        "mean": [[True, True]] * 2,
    }
    assert left_to_chance(model, values, reference=False) == {}


def test_what_a_loop_passes_through_to_nobody() -> None:
    model = while_model(3, add_and_pass)
    *_, passed = model.subgraphs[0].operators[0].outputs
    values = {index: np.zeros(2, np.int32) for index in model.subgraphs[0].operators[0].outputs}
    assert unwritten_elements(model, values) == {}
    main = dataclasses.replace(model.subgraphs[0], outputs=model.subgraphs[0].outputs[:2])
    model = dataclasses.replace(model, subgraphs=(main, *model.subgraphs[1:]))
    assert {index: mask.tolist() for index, mask in unwritten_elements(model, values).items()} == {passed: [True, True]}
    with Oracle() as oracle:
        run = compare_run(model, write_model(model), [np.array([1, 2], np.int32), np.array([3, 4], np.int32)], oracle)
    assert run.equal


@pytest.mark.parametrize(("stored", "delegated"), [(True, True), (True, False), (False, True)])
def test_weights_that_the_delegate_unpacks(stored: bool, delegated: bool) -> None:
    weights = TensorSpec.constant(np.ones(3, np.float16)) if stored else TensorSpec(TensorType.FLOAT16, (3,))
    model = single_operator_model("DEQUANTIZE", [weights], [TensorSpec(FLOAT32, (3,))])
    masks = unwritten_elements(model, {1: np.ones(3, np.float32)}, reference=False, delegated=delegated)
    assert list(masks) == ([1] if stored and delegated else [])
