"""Operators with states, and bodies of loops: SVDF, LSTM and RNN layers, beside TensorFlow's converter and LiteRT."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from conformance.quantizers_identity import count
from int8rt.errors import InputError
from int8rt.lint import Severity, lint_model
from int8rt.model import ActivationFunctionType, Model, TensorType
from int8rt.ptq import Recipe, calibrate, quantize
from int8rt.schema import load_model
from int8rt.schema import options as o
from int8rt.schema.builder import ModelBuilder, TensorSpec
from tests.differential.harness import assert_same_bits
from tests.ptq.networks import FLOAT

MODELS = Path(__file__).parent.parent / "models"


def random(*shape: int) -> np.ndarray:
    return np.random.default_rng(shape).normal(0, shape[-1] ** -0.5, shape).astype(np.float32)


def svdf(activation: ActivationFunctionType) -> Model:
    builder = ModelBuilder().input("x", FLOAT, (1, 6)).constant("feature", random(8, 6)).constant("time", random(8, 3))
    builder.constant("bias", random(4)).add("state", TensorSpec(FLOAT, (1, 24), is_variable=True))
    options = o.SVDFOptions(rank=2, fused_activation_function=activation)
    builder.output("y", FLOAT, (1, 4))
    return builder.operator("SVDF", ["x", "feature", "time", "bias", "state"], ["y"], options).build()


def both_ways(input_size: int = 6, units: int = 5) -> Model:
    """BIDIRECTIONAL_SEQUENCE_LSTM over four steps."""
    builder = ModelBuilder().input("x", FLOAT, (1, 4, input_size))
    names: list[str | None] = ["x"]
    for way in ("forward", "backward"):
        for part, shape in (("input", (units, input_size)), ("recurrent", (units, units)), ("bias", (units,))):
            if part == "bias":
                names += [None] * 3
            for gate in range(4):
                names.append(f"{way}_{part}{gate}")
                builder.constant(f"{way}_{part}{gate}", random(*shape, 1 + gate)[..., 0])
        names += [None] * 2
    for state in ("forward_output", "forward_cell", "backward_output", "backward_cell"):
        builder.add(state, TensorSpec(FLOAT, (1, units), is_variable=True))
        names.append(state)
    names += [None] * 9
    builder.output("y", FLOAT, (1, 4, 2 * units))
    options = o.BidirectionalSequenceLSTMOptions(
        fused_activation_function=ActivationFunctionType.TANH, merge_outputs=True, time_major=False
    )
    return builder.operator("BIDIRECTIONAL_SEQUENCE_LSTM", names, ["y"], options).build()


def recurrent() -> Model:
    builder = ModelBuilder().input("x", FLOAT, (1, 4, 6)).constant("w", random(5, 6)).constant("r", random(5, 5))
    builder.constant("b", random(5)).add("state", TensorSpec(FLOAT, (1, 5), is_variable=True))
    options = o.SequenceRNNOptions(time_major=False, fused_activation_function=ActivationFunctionType.TANH)
    builder.output("y", FLOAT, (1, 4, 5))
    return builder.operator("UNIDIRECTIONAL_SEQUENCE_RNN", ["x", "w", "r", "b", "state"], ["y"], options).build()


def weight_types(model: Model) -> set[TensorType]:
    graph = model.subgraphs[0]
    return {graph.tensors[t].type for t in graph.operators[0].inputs[1:3]}


def test_svdf_as_the_converter_does() -> None:
    """With and without a bias; every number, and the bits of LiteRT."""
    recipe = Recipe(inputs="int8", outputs="int8", integer_only=True)
    found = quantize(load_model(MODELS / "svdf_calibrated.tflite"), recipe).model
    counts = count(found, load_model(MODELS / "svdf_int8.tflite"))
    assert counts.operators
    assert sum(counts.different.values()) == 0
    assert counts.constants == [526, 526]
    assert [f.message for f in lint_model(found) if f.severity is Severity.ERROR] == []


@pytest.mark.litert
def test_svdf_of_our_own_calibration() -> None:
    model, rng = load_model(MODELS / "svdf_float32.tflite"), np.random.default_rng(0)
    found = quantize(calibrate(model, rng.uniform(-1, 1, (16, 1, 16)).astype(np.float32)))
    assert found.left_float == ()
    assert_same_bits(found.model, [rng.uniform(-1, 1, (1, 16)).astype(np.float32)])


def test_svdf_that_stays_float() -> None:
    """The converter quantizes it, and LiteRT refuses what it has made."""
    model = calibrate(svdf(ActivationFunctionType.NONE), [random(1, 6)])
    assert [item[2:] for item in quantize(model).left_float] == [("SVDF", "in integers it is only run with RELU")]
    with pytest.raises(InputError, match=r"operator 0 \(SVDF\): in integers it is only run with RELU"):
        quantize(model, Recipe(integer_only=True))
    relu = svdf(ActivationFunctionType.RELU)
    with pytest.raises(InputError, match="has no range; calibrate the model"):
        quantize(relu)
    assert quantize(calibrate(relu, [random(1, 6)])).left_float == ()


@pytest.mark.litert
@pytest.mark.parametrize("make", [both_ways, recurrent, lambda: svdf(ActivationFunctionType.NONE)])
def test_dynamic(make: object) -> None:
    """All weights of an operator are integers, or none is where one of them has too few."""
    model = make()  # type: ignore[operator]
    assert weight_types(quantize(model, Recipe("dynamic")).model) == {FLOAT}
    found = quantize(model, Recipe("dynamic", smallest=1)).model
    assert weight_types(found) == {TensorType.INT8}
    shape = model.subgraphs[0].tensors[0].shape
    assert_same_bits(found, [np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)])
    sizes = sorted(model.subgraphs[0].tensors[t].shape[0] * model.subgraphs[0].tensors[t].shape[1] for t in (1, 2))
    if sizes[0] < sizes[1]:
        assert weight_types(quantize(model, Recipe("dynamic", smallest=sizes[1])).model) == {FLOAT}


def test_bidirectional_lstm_stays_float() -> None:
    """TensorFlow's older quantizer leaves it float; the newer one crashes."""
    model = calibrate(both_ways(), [random(1, 4, 6)])
    assert [(label, "integer kernel" in reason) for *_, label, reason in quantize(model).left_float] == [
        ("BIDIRECTIONAL_SEQUENCE_LSTM", True)
    ]
    with pytest.raises(InputError, match=r"operator 0 \(BIDIRECTIONAL_SEQUENCE_LSTM\): it has no integer kernel"):
        quantize(model, Recipe(integer_only=True))


@pytest.mark.parametrize("name", ["network", "matrices", "gru", "rnn"])
def test_float16_as_the_converter_does(name: str) -> None:
    """Also inside of loops."""
    found = quantize(load_model(MODELS / f"{name}_float32.tflite"), Recipe("float16")).model
    counts = count(found, load_model(MODELS / f"{name}_float16.tflite"))
    assert counts.operators
    assert sum(counts.different.values()) == 0
    assert counts.constants[1] > 100


@pytest.mark.zoo
def test_lstm_dynamic_as_the_converter_does(zoo_dir: Path) -> None:
    made = zoo_dir.parent / "made"
    if not made.is_dir():
        pytest.skip("no folder `made` beside the folder of real models")
    found = quantize(load_model(made / "lstm_float32.tflite"), Recipe("dynamic")).model
    counts = count(found, load_model(made / "lstm_dynamic.tflite"))
    assert (sum(counts.different.values()), counts.constants) == (0, [21395, 21395])
