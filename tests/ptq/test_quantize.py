"""Recipes, float islands, ends, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from int8rt.errors import InputError
from int8rt.interpreter import Interpreter
from int8rt.lint import Severity, lint_model
from int8rt.model import Model, TensorType
from int8rt.ptq import Recipe, RecipeRule, calibrate, quantize, read_recipe
from int8rt.schema import load_model
from tests.differential.harness import assert_same_bits
from tests.ptq.networks import convolution, samples

MODELS = Path(__file__).parent.parent / "models"
RECIPES = {
    "int8": Recipe(),
    "int8, int8 ends": Recipe(inputs="int8", outputs="int8"),
    "uint8 ends": Recipe(inputs="uint8", outputs="uint8"),
    "float in, int8 out": Recipe(outputs="int8"),
    "per tensor": Recipe(granularity="tensor"),
    "int4": Recipe("int4"),
    "int16x8": Recipe("int16x8"),
    "int16 ends": Recipe("int16x8", inputs="int16", outputs="int16"),
    "dynamic": Recipe("dynamic", smallest=1),
    "dynamic per tensor": Recipe("dynamic", granularity="tensor", smallest=1),
    "float16": Recipe("float16"),
    "float convolutions": Recipe(rules=(RecipeRule("CONV_2D", mode="float"),)),
    "dynamic convolutions": Recipe(smallest=1, rules=(RecipeRule("CONV_2D", mode="dynamic"),)),
}


def calibrated() -> Model:
    return calibrate(convolution(), samples())


def names(model: Model) -> list[str]:
    return [operator.name for operator in model.subgraphs[0].operators]


def run(model: Model, value: np.ndarray) -> np.ndarray:
    interpreter = Interpreter(model_content=model, backend="numpy")
    runner = interpreter.get_signature_runner("serving_default")
    return next(iter(runner(**{next(iter(runner.get_input_details())): value}).values()))


@pytest.mark.litert
@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES.keys())
@pytest.mark.parametrize("name", ["network_calibrated", "matrices_calibrated", "network_calibrated_hard_swish"])
def test_runs_with_the_bits_of_litert(name: str, recipe: Recipe) -> None:
    result = quantize(load_model(MODELS / f"{name}.tflite"), recipe)
    graph = result.model.subgraphs[0]
    tensor = graph.tensors[graph.inputs[0]]
    rng = np.random.default_rng(5)
    value = rng.uniform(-1, 1, tensor.shape).astype(np.float32)
    if tensor.type is not TensorType.FLOAT32:
        info = np.iinfo(tensor.type.dtype)
        value = rng.integers(info.min, info.max + 1, tensor.shape).astype(tensor.type.dtype)
    assert_same_bits(result.model, [value])
    assert [f.message for f in lint_model(result.model) if f.severity is Severity.ERROR] == []


@pytest.mark.litert
@pytest.mark.parametrize("name", ["lstm", "bidirectional_lstm"])
def test_lstm(name: str) -> None:
    """From the plain float model, calibrated here; the bits of LiteRT, and near the float model."""
    model = load_model(MODELS / f"{name}_float32.tflite")
    graph = model.subgraphs[0]
    rng = np.random.default_rng(7)
    data = [rng.uniform(-1, 1, graph.tensors[graph.inputs[0]].shape).astype(np.float32) for _ in range(16)]
    result = quantize(calibrate(model, data))
    assert not [label for _, _, label, _ in result.left_float if "LSTM" in label]
    assert_same_bits(result.model, [data[0]])
    assert [f.message for f in lint_model(result.model) if f.severity is Severity.ERROR] == []
    found = []
    for source in (model, result.model):
        interpreter = Interpreter(model_content=source, backend="numpy")
        interpreter.allocate_tensors()
        interpreter.set_tensor(source.subgraphs[0].inputs[0], data[0])
        interpreter.invoke()
        found.append(interpreter.get_tensor(source.subgraphs[0].outputs[0]))
    assert np.max(np.abs(found[0] - found[1])) < 0.05
    unseen = quantize(model, Recipe("float16")).model
    assert "UNIDIRECTIONAL_SEQUENCE_LSTM" in names(unseen)
    left = quantize(calibrate(model, data), Recipe("int16x8")).left_float
    assert ("UNIDIRECTIONAL_SEQUENCE_LSTM", "no resolver runs it with int16 activations") in [item[2:] for item in left]


def test_what_has_no_integer_kernel_stays_float() -> None:
    result = quantize(calibrated())
    assert names(result.model) == ["QUANTIZE", "CONV_2D", "RELU", "DEQUANTIZE", "ELU", "QUANTIZE", "MEAN", "DEQUANTIZE"]
    assert [(position, label) for _, position, label, _ in result.left_float] == [(2, "ELU")]
    with pytest.raises(InputError, match=r"1 operators cannot be quantized to integers: operator 2 \(ELU\): it has no"):
        quantize(calibrated(), Recipe(integer_only=True))


@pytest.mark.parametrize("mode", ["int8", "int16x8", "dynamic", "float16", "int4"])
def test_close_to_the_float_model(mode: str) -> None:
    expected = [run(convolution(), sample) for sample in samples()]
    found = [run(quantize(calibrated(), Recipe(mode, smallest=1)).model, sample) for sample in samples()]
    bound = {"int8": 0.02, "int16x8": 0.005, "dynamic": 0.02, "float16": 1e-3, "int4": 0.2}[mode]
    assert np.max(np.abs(np.array(found) - np.array(expected))) < bound
    assert not np.array_equal(found, expected)


def test_ends_keep_their_names() -> None:
    for recipe in (Recipe(), Recipe(inputs="uint8", outputs="uint8"), Recipe("int16x8"), Recipe("float16")):
        model = quantize(calibrated(), recipe).model
        graph, signature = model.subgraphs[0], model.signatures[0]
        assert {k: graph.tensors[t].name for k, t in signature.inputs.items()} == {"image": "x"}
        assert {k: graph.tensors[t].name for k, t in signature.outputs.items()} == {"result": "y"}
        assert (signature.inputs["image"], signature.outputs["result"]) == (graph.inputs[0], graph.outputs[0])
        assert len({tensor.name for tensor in graph.tensors}) == len(graph.tensors)


def test_rules_of_a_recipe(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(
        'mode = "int8"\ninputs = "int8"\n\n[[rules]]\noperator = "CONV_2D"\ngranularity = "tensor"\nbits = 4\n\n'
        '[[rules]]\nname = "posi.*"\nmode = "float"\n'
    )
    recipe = read_recipe(path)
    path.write_text(recipe.as_toml())
    assert read_recipe(path) == recipe
    result = quantize(calibrated(), recipe)
    weights = result.model.subgraphs[0].tensors[result.model.subgraphs[0].operators[0].inputs[1]]
    assert weights.type is TensorType.INT4
    assert weights.quantization is not None
    assert weights.quantization.scale.size == 1
    assert names(result.model) == ["CONV_2D", "DEQUANTIZE", "RELU", "ELU", "QUANTIZE", "MEAN", "DEQUANTIZE"]
    assert result.left_float[0][-1] == "the recipe leaves it float"


def test_rules_for_a_tensor() -> None:
    recipe = Recipe(rules=(RecipeRule(tensor="w", mode="float"), RecipeRule("CONV2D", mode="float")))
    assert [(label, reason) for *_, label, reason in quantize(calibrated(), recipe).left_float] == [
        ("CONV_2D", "the recipe leaves it float"),
        ("ELU", "it has no integer kernel that every resolver runs"),
    ]
    assert recipe.idle(convolution()) == [1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('mode = "int7"', "mode of a recipe is 'int7'; known: int8, int16x8"),
        ("colour = 1", "a recipe has no 'colour'"),
        ("integer_only = 1", "integer_only of a recipe is bool, found 1"),
        ('mode = "dynamic"\ninputs = "int8"', "a model of mode dynamic cannot have int8 inputs"),
        ('mode = "int16x8"\n[[rules]]\nmode = "int8"', "cannot be mixed"),
        ('mode = "dynamic"\ninteger_only = true', "computes with floats"),
        ("[[rules]]\nbits = 3", "bits of a recipe is 3"),
        ('[[rules]]\nname = "("', "not a regular expression"),
        ("mode =", "is not TOML"),
        ("rules = 3", "a recipe's rules are tables"),
    ],
)
def test_recipes_that_make_no_sense(content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text(content)
    with pytest.raises(InputError, match=message):
        read_recipe(tmp_path / "recipe.toml")


def test_refused() -> None:
    with pytest.raises(InputError, match=r"operator 0 \(CONV_2D\): tensor 'x' has no range; calibrate the model"):
        quantize(convolution())
    with pytest.raises(InputError, match="quantized already"):
        quantize(load_model(MODELS / "network_int8.tflite"))
    assert names(quantize(convolution(), Recipe("float16")).model)[:2] == ["DEQUANTIZE", "DEQUANTIZE"]
