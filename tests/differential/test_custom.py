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
from int8rt.schema.writer import write_model
from tests.differential.cases import Case, check_cases, examples, generators, random_data, shapes, types
from tests.differential.harness import oracle, run_int8rt

Array = npt.NDArray[Any]
FLOAT32, UINT8 = TensorType.FLOAT32, TensorType.UINT8

pytestmark = pytest.mark.litert

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
        values = rng.random(shape) if draw(st.booleans()) else rng.integers(0, 6, shape) / 6
        special = rng.random(shape) < draw(st.sampled_from([0, 0, 0.2]))
        scores = real(np.where(special, rng.choice([np.nan, np.nan, np.inf, -np.inf], shape), values))
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


@st.composite
def cepstra(draw: st.DrawFn) -> Case:
    rng = draw(generators)
    bins, coefficients = draw(st.sampled_from([1, 2, 9, 65, 257])), draw(st.integers(0, 30))
    shape = (draw(st.integers(1, 2)), draw(st.integers(0, 4)), bins)
    options = {
        "upper_frequency_limit": draw(st.sampled_from([4000, 7500, 3800.7, 20])),
        "lower_frequency_limit": draw(st.sampled_from([0, 20, 125, 300])),
        "filterbank_channel_count": draw(st.integers(0, 60)),
        "dct_coefficient_count": coefficients,
    }
    spectrogram = rng.random(shape, np.float32) ** 4 * np.float32(100)
    spectrogram[rng.random(shape) < 0.1] = 0
    rate = np.array([draw(st.sampled_from([16000, 8000, 44100, 100, 0]))], np.int32)
    return custom("Mfcc", [real(spectrogram), (TensorSpec(TensorType.INT32, (1,)), rate)], [STILL], options)


@examples
def test_mfcc(examples: int) -> None:
    check_cases(cepstra(), examples)


@st.composite
def verifications(draw: st.DrawFn) -> Case:
    rng, shape, type = draw(generators), draw(shapes((1, 4))), draw(types("int8", "uint8", "int16", "float16"))
    scale, zero_point = draw(st.sampled_from([0.1, 0.5, 0.0123])), 0 if type == TensorType.INT16 else 3
    quantization = None if type == TensorType.FLOAT16 else Quantization.per_tensor(scale, zero_point)
    input = TensorSpec(type, shape, quantization)
    codes = random_data(rng, input)
    with np.errstate(all="ignore"):
        exact = codes.astype(np.float32) if quantization is None else (codes.astype(np.float32) - zero_point) * scale
        reference = exact + rng.normal(0, draw(st.sampled_from([0.1, 0.4])) * scale, shape)
    options = {"tolerance": draw(st.sampled_from([0.05, 0.5, 1.0, 5.0])), "log_if_failed": draw(st.booleans())}
    return custom("NumericVerify", [(input, codes), real(reference)], [STILL], options)


@examples
def test_numeric_verify(examples: int) -> None:
    check_cases(verifications(), examples)


@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize(
    ("window", "stride", "samples"), [(2, 1, 5), (3, 2, 9), (16, 16, 40), (60, 7, 200), (480, 320, 1600), (9, 1, 8)]
)
def test_audio_spectrogram(window: int, stride: int, samples: int, squared: bool) -> None:
    """Magnitudes are equal but for what the order of the sums in float64 does."""
    rng = np.random.default_rng(window)
    tone = np.sin(np.arange(samples) * 0.3)
    sound = np.stack([tone, rng.normal(0, 1, samples)], 1)
    options = {"window_size": window, "stride": stride, "magnitude_squared": squared}
    case = custom("AudioSpectrogram", [real(sound)], [STILL], options)
    (expected,) = oracle().run(write_model(case.model), case.inputs).outputs
    found = run_int8rt(case.model, case.inputs)[1]
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    left, right = (np.sqrt(value.astype(np.float64)) if squared else value for value in (found, expected))
    largest = np.max(right, axis=2, keepdims=True, initial=0)
    assert np.all((found == expected) | (np.abs(left - right) <= np.maximum(1e-15 * largest, 1e-7 * right)))
    assert np.count_nonzero(found == expected) >= 0.9 * found.size


@pytest.mark.parametrize(("window", "stride"), [(1, 1), (4, 0), (-1, 1)])
def test_audio_spectrogram_refusals(window: int, stride: int) -> None:
    check_cases(
        st.just(
            custom("AudioSpectrogram", [real(np.ones((9, 1)))], [STILL], {"window_size": window, "stride": stride})
        ),
        1,
    )
