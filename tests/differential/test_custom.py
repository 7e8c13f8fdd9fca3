"""Custom operators that ship in LiteRT's interpreter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from flatbuffers import flexbuffers
from hypothesis import strategies as st

from int8rt.model import Quantization, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from tests.differential.cases import Case, check_cases, examples, generators

Array = npt.NDArray[Any]
FLOAT32, UINT8 = TensorType.FLOAT32, TensorType.UINT8
STILL = TensorSpec(FLOAT32, ())


def custom(
    code: str,
    inputs: Sequence[tuple[TensorSpec, Array]],
    outputs: Sequence[TensorSpec],
    options: dict[str, Any],
    constants: Sequence[TensorSpec] = (),
) -> Case:
    """A model of one custom operator, its constants after its inputs."""
    data = bytes(flexbuffers.Dumps(options))
    specs = [*(spec for spec, _ in inputs), *constants]
    model = single_operator_model("CUSTOM", specs, outputs, custom_code=code, custom_options=data)
    return Case(model, [value for _, value in inputs])


def real(values: npt.ArrayLike) -> tuple[TensorSpec, Array]:
    array = np.asarray(values, np.float32)
    return TensorSpec(FLOAT32, array.shape), array


def codes(array: Array, scale: float, zero_point: int) -> tuple[TensorSpec, Array]:
    return TensorSpec(UINT8, array.shape, Quantization.per_tensor(scale, zero_point)), array.astype(np.uint8)


@st.composite
def detections(draw: st.DrawFn) -> Case:
    rng = draw(generators)
    boxes, classes, background = draw(st.integers(1, 40)), draw(st.integers(1, 9)), draw(st.integers(0, 1))
    if draw(st.booleans()):
        encodings = codes(rng.integers(0, 256, (1, boxes, draw(st.integers(4, 6)))), 0.0371, int(rng.integers(256)))
        anchors = codes(rng.integers(5, 256, (boxes, 4)), 0.0043, draw(st.sampled_from([0, 3])))
    else:
        encodings, anchors = real(rng.normal(0, 3, (1, boxes, 4))), real(rng.random((boxes, 4)))
    shape = (1, boxes, classes + background)
    if draw(st.booleans()):
        largest = draw(st.sampled_from([12, 256]))  # few codes: many ties
        scores = codes(rng.integers(0, largest, shape), draw(st.sampled_from([1 / 256, 0.0123])), int(rng.integers(9)))
    else:
        scores = real(rng.random(shape) if draw(st.booleans()) else rng.integers(0, 6, shape) / 6)
    options: dict[str, Any] = {
        "max_detections": draw(st.integers(0, 15)),
        "max_classes_per_detection": draw(st.integers(1, 4)),
        "num_classes": classes,
        "nms_score_threshold": draw(st.sampled_from([0.0, -1e8, 0.3])),
        "nms_iou_threshold": draw(st.sampled_from([0.1, 0.5, 0.6, 1.0, 1.5])),
        "y_scale": 10.0,
        "x_scale": draw(st.sampled_from([10.0, 8.7])),
        "h_scale": 5.0,
        "w_scale": draw(st.sampled_from([5.0, 3.3])),
    }
    if draw(st.booleans()):
        options |= {"use_regular_nms": draw(st.sampled_from([True, True, False]))}
        options |= {"detections_per_class": draw(st.integers(0, 20))}
    constant = TensorSpec(anchors[0].type, anchors[0].shape, anchors[0].quantization, anchors[1])
    return custom("TFLite_Detection_PostProcess", [encodings, scores], [STILL] * 4, options, [constant])


@examples
def test_detection_postprocess(examples: int) -> None:
    check_cases(detections(), examples)


@pytest.mark.parametrize(
    ("options", "anchor_height"),
    [
        ({"max_detections": 4.9}, 1),  # truncated
        ({"num_classes": 1}, 1),
        ({"num_classes": 4}, 1),
        ({"max_detections": -1}, 1),
        ({"max_classes_per_detection": 0}, 1),
        ({"use_regular_nms": 1, "max_detections": 0}, 1),
        ({"nms_iou_threshold": 0}, 1),
        ({}, -1),  # a box upside down
        ({}, 0),
    ],
)
def test_detection_postprocess_at_its_borders(options: dict[str, Any], anchor_height: float) -> None:
    usual = {"max_detections": 4, "max_classes_per_detection": 2, "num_classes": 3, "nms_iou_threshold": 0.5}
    usual |= {f"{name}_scale": 10.0 for name in "yxhw"}
    anchors = np.tile(np.array([0.5, 0.5, anchor_height, 1], np.float32), (5, 1))
    inputs = [real(np.arange(20).reshape(1, 5, 4)), real(np.arange(15).reshape(1, 5, 3) % 7), real(anchors)]
    case = custom("TFLite_Detection_PostProcess", inputs, [STILL] * 4, usual | options)
    check_cases(st.just(case), 1)
