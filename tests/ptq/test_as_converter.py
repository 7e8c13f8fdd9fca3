"""From the ranges that TensorFlow's converter recorded, `quantize` writes the numbers that the converter writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from int8rt.ptq.quantize import quantize
from int8rt.ptq.recipe import Recipe
from int8rt.schema import load_model
from tests.ptq.same import differences, parameters

MODELS = Path(__file__).parent.parent / "models"
RECIPES = {
    "int8_float_io": Recipe(),
    "int8": Recipe(inputs="int8", outputs="int8", integer_only=True),
    "int8_uint8_io": Recipe(inputs="uint8", outputs="uint8", integer_only=True),
    "int8_per_tensor": Recipe(inputs="int8", outputs="int8", granularity="tensor"),
    "16x8": Recipe("int16x8"),
    "16x8_int16_io": Recipe("int16x8", inputs="int16", outputs="int16", integer_only=True),
    "dynamic_range": Recipe("dynamic"),
}
# The converter gives one int64 bias to two convolutions whose biases are equal, with the scale of one of them.
SHARED_BIASES = {"network_16x8": 1, "network_16x8_int16_io": 0, "network_16x8_fallback": 1}
CASES = [
    *(("network_calibrated", f"network_{mode}", mode) for mode in RECIPES),
    *(("matrices_calibrated", f"matrices_{mode}", mode) for mode in RECIPES),
    ("tables_float32", "tables_dynamic_range", "dynamic_range"),
    ("network_calibrated_hard_swish", "network_int8_hard_swish", "int8"),
    ("network_calibrated_hard_swish", "network_16x8_fallback", "16x8"),
    ("unrolled_gru_calibrated", "unrolled_gru_int8", "int8"),
    ("unrolled_gru_calibrated", "unrolled_gru_16x8", "16x8"),
]


@pytest.mark.parametrize(("calibrated", "expected", "mode"), CASES, ids=[case[1] for case in CASES])
def test_small_models(calibrated: str, expected: str, mode: str) -> None:
    found = quantize(load_model(MODELS / f"{calibrated}.tflite"), RECIPES[mode])
    different = differences(found.model, load_model(MODELS / f"{expected}.tflite"))
    if expected in SHARED_BIASES:
        first = SHARED_BIASES[expected]
        assert different == [f"{first + 1} DEPTHWISE_CONV_2D 2", f"{first + 2} CONV_2D 2"]
    else:
        assert different == []
    assert [label for _, _, label, _ in found.left_float] == (["HARD_SWISH"] if expected.endswith("fallback") else [])


def test_lstm_of_small_cell_states() -> None:
    """The converter gives the second a scale of 2^-17, for which the kernel has no TANH."""
    found = quantize(load_model(MODELS / "lstm_calibrated.tflite"), RECIPES["int8"]).model
    expected = load_model(MODELS / "lstm_int8.tflite")
    assert differences(found, expected) == ["1 UNIDIRECTIONAL_SEQUENCE_LSTM 19"]
    scales = []
    for model in (found, expected):
        graph = model.subgraphs[0]
        scales.append(parameters(graph.tensors[graph.operators[1].inputs[19]])[0])
    assert scales == [[2**-15], [2**-17]]


def test_lstm_outputs_that_are_concatenated() -> None:
    """The converter gives output and output state other scales, though the kernel copies one from the other."""
    found = quantize(load_model(MODELS / "bidirectional_lstm_calibrated.tflite"), RECIPES["int8"]).model
    expected = load_model(MODELS / "bidirectional_lstm_int8.tflite")
    state, name = 18, "UNIDIRECTIONAL_SEQUENCE_LSTM"
    assert differences(found, expected) == [f"{position} {name} {state}" for position in (1, 3)]
    for model, same in ((found, True), (expected, False)):
        graph = model.subgraphs[0]
        for operator in graph.operators:
            if operator.name == name:
                pair = parameters(graph.tensors[operator.inputs[state]]), parameters(graph.tensors[operator.outputs[0]])
                assert (pair[0] == pair[1]) == same


@pytest.mark.zoo
@pytest.mark.parametrize("name", ["dcnn", "mobilenet_v1_025_128", "efficientnetb0_224"])
def test_networks(name: str, zoo_dir: Path) -> None:
    made = zoo_dir.parent / "made"
    if not made.is_dir():
        pytest.skip("no folder `made` beside the folder of real models")
    calibrated = load_model(made / "ptq" / f"{name}_calibrate_only.tflite")
    found = quantize(calibrated, RECIPES["int8"])
    assert differences(found.model, load_model(made / f"{name}_int8_only_int8.tflite")) == []


@pytest.mark.zoo
@pytest.mark.parametrize(
    ("file", "mode"),
    [
        ("int8_floatio", "int8_float_io"),
        ("int8_only_uint8", "int8_uint8_io"),
        ("int8_pertensor", "int8_per_tensor"),
        ("i16x8", "16x8"),
        ("i16x8_int16io", "16x8_int16_io"),
        ("dynamic", "dynamic_range"),
    ],
)
def test_modes_of_a_network(file: str, mode: str, zoo_dir: Path) -> None:
    made = zoo_dir.parent / "made"
    if not made.is_dir():
        pytest.skip("no folder `made` beside the folder of real models")
    recipe = RECIPES["int8_per_tensor"] if mode == "int8_per_tensor" else RECIPES[mode]
    if mode == "int8_per_tensor":
        recipe = Recipe(granularity="tensor")
    found = quantize(load_model(made / "ptq" / "dcnn_calibrate_only.tflite"), recipe)
    assert differences(found.model, load_model(made / f"dcnn_{file}.tflite")) == []
