"""Keyword models and others that keep a state from one invocation to the next."""

from __future__ import annotations

from pathlib import Path

import pytest

from int8rt.schema import load_model
from tests.conformance.streaming import assert_same_bits_frame_by_frame
from tests.differential.control_flow import streaming_model

MODELS = Path(__file__).parents[1] / "models"

pytestmark = pytest.mark.litert


def test_a_small_keyword_model_and_a_reset() -> None:
    assert_same_bits_frame_by_frame(streaming_model(), 60, (30,), ["numpy", "jit"])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["made by hand", "svdf_int8", "svdf_float32", "stateful"])
def test_a_thousand_frames_and_resets(name: str) -> None:
    model = streaming_model() if name == "made by hand" else load_model(MODELS / f"{name}.tflite")
    assert_same_bits_frame_by_frame(model, 1000, (1, 500, 999), ["numpy", "jit"])


@pytest.mark.slow
@pytest.mark.zoo
@pytest.mark.parametrize(
    "name",
    [
        "real/full-int8/micro-wake-word-models-okay_nabu.tflite",
        "real/full-int8/micro-wake-word-models-vad.tflite",
        "real/mixed/linux-voice-assistant-hey_luna.tflite",
        "real/full-int8/tflite-micro-trained_lstm_int8.tflite",
    ],
)
def test_a_thousand_frames_of_real_models_and_a_reset(name: str, zoo_dir: Path) -> None:
    assert_same_bits_frame_by_frame(load_model(zoo_dir / name), 1000, (500,), ["numpy", "jit"])
