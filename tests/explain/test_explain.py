from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from int8rt.errors import InputError, Int8rtError, UnsupportedError
from int8rt.explain import Derivation, explain, explain_step, explainers
from int8rt.model import Model, Quantization, TensorType
from int8rt.quantization import profiles
from int8rt.quantization.profiles import Profile
from int8rt.quantization.requantization import Rounding
from int8rt.samples import digits
from int8rt.schema import TensorSpec, load_model, read_model, single_operator_model
from int8rt.schema.options import Conv2DOptions
from int8rt.verify.teacher import Teacher
from tests.differential.cases import Case
from tests.differential.test_activations import every_code
from tests.differential.test_add_sub_mul import broadcast, every_pair_of_codes, int16_powers_of_two
from tests.differential.test_conv import convolutions
from tests.differential.test_depthwise_conv import depthwise_convolutions
from tests.differential.test_fully_connected import matrix_products
from tests.differential.test_pooling import pools
from tests.differential.test_quantize import dequantizes, quantizes, requantizes
from tests.differential.test_reduce import reductions
from tests.differential.test_softmax import softmax
from tests.differential.test_transpose_conv import transposed_convolutions
from tests.interpreter import models

MODELS = Path(__file__).parent.parent / "models"
QUANTIZED = (TensorType.INT8, TensorType.UINT8, TensorType.INT16)
types = st.sampled_from(QUANTIZED)

CASES = {
    "CONV_2D": types.flatmap(convolutions),
    "DEPTHWISE_CONV_2D": types.flatmap(depthwise_convolutions),
    "FULLY_CONNECTED": types.flatmap(matrix_products),
    "TRANSPOSE_CONV": types.flatmap(transposed_convolutions),
    "ADD": broadcast("ADD") | every_pair_of_codes("ADD") | int16_powers_of_two("ADD"),
    "SUB": broadcast("SUB") | every_pair_of_codes("SUB") | int16_powers_of_two("SUB"),
    "MUL": broadcast("MUL") | every_pair_of_codes("MUL"),
    "AVERAGE_POOL_2D": pools("AVERAGE_POOL_2D"),
    "MEAN": reductions("MEAN"),
    "LOGISTIC": every_code("LOGISTIC"),
    "TANH": every_code("TANH"),
    "QUANTIZE": quantizes() | requantizes(),
    "DEQUANTIZE": dequantizes(),
    "SOFTMAX": softmax(),
}

# Of larger outputs, this many elements are explained.
ELEMENTS = 12


def check(case: Case, profile: str = "tflite-ref") -> int:
    """Every element of a small output, some of a larger one: the derivation ends in the kernel's bits."""
    try:
        teacher = Teacher(case.model, case.inputs, profile)
        values = teacher.inputs(0, dict(zip(case.model.subgraphs[0].inputs, case.inputs, strict=True)))
        assert values is not None
        (value,) = teacher.outputs(0, values).values()
    except Int8rtError:
        return 0  # a model that int8rt refuses
    rng = np.random.default_rng(value.size)
    chosen = range(value.size) if value.size <= ELEMENTS else rng.choice(value.size, ELEMENTS, replace=False)
    for flat in chosen:
        at = tuple(int(i) for i in np.unravel_index(flat, value.shape))
        if not is_quantized(case):
            with pytest.raises(UnsupportedError, match="arithmetic that is not quantized is not explained"):
                explain_step(teacher.plan, 0, values, at)
            return 0
        derivation = explain_step(teacher.plan, 0, values, at)
        np.testing.assert_array_equal(np.asarray(derivation.result, value.dtype), value[at])
        assert derivation.lines[-1].value == derivation.result
        assert derivation.at == at
    return len(chosen)


def is_quantized(case: Case) -> bool:
    (operator,) = case.model.subgraphs[0].operators
    output = case.model.subgraphs[0].tensors[operator.outputs[0]]
    return operator.name in ("QUANTIZE", "DEQUANTIZE") or (output.type in QUANTIZED and output.quantization is not None)


@pytest.mark.parametrize("examples", [25, pytest.param(400, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", CASES)
def test_the_derivation_ends_in_the_kernels_bits(name: str, examples: int) -> None:
    explained = 0

    @settings(max_examples=examples)
    @given(CASES[name])
    def run(case: Case) -> None:
        nonlocal explained
        explained += check(case)

    run()
    assert explained > examples


def test_every_explainer_has_cases() -> None:
    assert sorted(CASES) == sorted(explainers())


@pytest.mark.parametrize("rounding", [r for r in Rounding if r not in (Rounding.INT64, Rounding.TIES_UP_IN_EIGHTS)])
def test_every_rounding(rounding: Rounding, monkeypatch: pytest.MonkeyPatch) -> None:
    profile = Profile("other", "", {}, default=rounding)
    monkeypatch.setattr(profiles, "PROFILES", {"other": profile})
    codes = np.arange(-128, 128).astype(np.int8).reshape(1, 16, 16, 1)
    model = division_by_four(np.array([[[[3]]]], np.int8))
    for at in ((1, 1), (3, 7), (7, 9), (12, 3), (15, 15)):
        teacher = Teacher(model, [codes], "other")
        values = teacher.inputs(0, {0: codes})
        assert values is not None
        derivation = explain_step(teacher.plan, 0, values, (0, *at, 0))
        assert derivation.result == teacher.outputs(0, values)[3][0, *at, 0]
        assert derivation.profile == "other"
        assert rounding.value in str(derivation)


def division_by_four(weights: np.ndarray) -> Model:
    """y = x · weights / 4."""
    scale = Quantization.per_tensor
    return single_operator_model(
        "CONV_2D",
        [
            TensorSpec(TensorType.INT8, (1, 16, 16, 1), scale(0.5, -3), name="x"),
            TensorSpec.constant(weights, scale(0.25), name="w"),
            TensorSpec.constant(np.array([40], np.int32), scale(0.125), name="b"),
        ],
        [TensorSpec(TensorType.INT8, (1, 16, 16, 1), scale(0.5, 2), name="y")],
        Conv2DOptions(stride_w=1, stride_h=1),
        3,
    )


def test_the_lines_of_a_convolution() -> None:
    codes = np.full((1, 16, 16, 1), 7, np.int8)
    derivation = explain(division_by_four(np.array([[[[-9]]]], np.int8)), 0, (0, 2, 3, 0), [codes])
    assert [(line.name, line.value) for line in derivation.lines] == [
        ("input[0,2,3,0] · filter[0,0,0,0]", -63),
        ("Σ input · filter", -63),
        ("− zero point · Σ filter", -90),
        ("+ bias 40", -50),
        ("accumulator", -50),
        ("real multiplier", 0.25),
        ("multiplier", 1 << 30),
        ("shift", -1),
        ("rounding", "DOUBLE"),
        ("high multiply", -25),
        (">> 1", -13),
        ("+ zero point 2", -11),
        ("clamp to [-128, 127]", -11),
    ]
    assert derivation.lines[4].real == -50 * 0.125
    assert derivation.lines[10].real == -6.5
    assert (derivation.result, derivation.real) == (-11, -6.5)
    assert derivation.title == "operator 0 (CONV_2D), tensor 3 'y' at [0, 2, 3, 0]: -11, which stands for -6.5"
    assert "reference/integer_ops/conv.h" in str(derivation)


def test_many_products_are_collapsed_and_taps_beyond_the_border_are_told() -> None:
    weights = np.arange(25, dtype=np.int8).reshape(1, 5, 5, 1)
    codes = np.ones((1, 16, 16, 1), np.int8)
    model = division_by_four(weights)
    inner = explain(model, 0, (0, 5, 5, 0), [codes])
    assert [line.name for line in inner.lines[:6]][4] == "… 20 more"
    assert sum(int(line.value) for line in inner.lines[:6]) == 300 == inner.lines[6].value
    corner = explain(model, 0, (0, 0, 0, 0), [codes])
    (beyond,) = (line for line in corner.lines if "beyond" in line.rule)
    assert beyond.name == "16 products"
    assert sum(int(line.value) for line in corner.lines[:9]) == weights[0, 2:, 2:, 0].sum()


def test_in_a_model() -> None:
    model = read_model(digits().model)
    for position in range(len(model.subgraphs[0].operators)):
        if model.subgraphs[0].operators[position].name in explainers():
            derivation = explain(model, position)
            assert derivation.position == position
            assert derivation.lines[-1].value == derivation.result


class Checker(HTMLParser):
    """The tags that are open, and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attributes: object) -> None:
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_html() -> None:
    derivation = explain(read_model(models.two_adds()), 0, (0, 2))
    evil = Derivation("ADD", 0, 2, "<script>alert(1)</script>", (0,), "p", derivation.lines, 1, None, "s & t")
    for each in (derivation, evil):
        checker = Checker()
        checker.feed(each._repr_html_())
        assert not checker.open
        assert each.title in checker.text
        assert all(line.rule in checker.text for line in each.lines)
    assert "<script>" not in evil._repr_html_()


def test_what_is_not_there() -> None:
    model = read_model(models.two_adds())
    with pytest.raises(InputError, match="operators 0 to 1, found 2"):
        explain(model, 2)
    for at in ((0,), (0, 4), (0, -1)):
        with pytest.raises(InputError, match="there is no element"):
            explain(model, 0, at)
    with pytest.raises(UnsupportedError, match=r"\(RESHAPE\) can't be explained; those that can: ADD"):
        explain(read_model(models.two_outputs()), 0)


def test_operators_that_compute_nothing() -> None:
    """Variables are read, and given their first values, by operators whose inputs tell nothing."""
    stateful = load_model(MODELS / "stateful.tflite")
    for position, operator in enumerate(stateful.subgraphs[0].operators):
        if operator.name in ("CALL_ONCE", "READ_VARIABLE", "ASSIGN_VARIABLE", "VAR_HANDLE"):
            with pytest.raises(UnsupportedError, match=rf"operator {position} \({operator.name}\) can't be explained"):
                explain(stateful, position)
    lstm = load_model(MODELS / "lstm_float16.tflite")
    graph = lstm.subgraphs[0]
    first = [i for i, operator in enumerate(graph.operators) if graph.tensors[operator.outputs[0]].is_variable]
    assert first
    for position in first:
        with pytest.raises(UnsupportedError, match="computes nothing but what a variable begins with"):
            explain(lstm, position)
