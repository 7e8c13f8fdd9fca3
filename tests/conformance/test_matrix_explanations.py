from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from conformance.matrix import mistakes, real
from conformance.matrix.suite import Cell, run_suite, words
from conformance.matrix.zoo import examine
from int8rt.conformance.cases import Case, all_cases
from int8rt.conformance.run import expected
from int8rt.model import ActivationFunctionType, Model, Quantization, TensorType
from int8rt.schema import ModelBuilder, write_model
from int8rt.verify.identify.mutants import find_mutation
from int8rt.verify.identify.piece import Piece
from int8rt.verify.runtimes.base import Answer, Array, Capabilities
from int8rt.verify.teacher import Teacher

Compute = Callable[[Model, Sequence[Array]], Array]


class Fake:
    """A runtime that computes so."""

    def __init__(self, compute: Compute) -> None:
        self.compute = compute

    def capabilities(self) -> Capabilities:
        return Capabilities("fake", intermediates=False, any_model=True)

    def prepare(self, model: Model, content: bytes) -> None:
        self.model = model

    def run(self, inputs: Sequence[Array], read: Sequence[int] = ()) -> Answer:
        return Answer((self.compute(self.model, inputs),))

    def close(self) -> None: ...


def cases(start: str) -> list[Case]:
    found = [case for case in all_cases() if case.name.startswith(start) and case.expect == "exact"]
    assert found
    return found


def cell(compute: Compute, start: str) -> Cell:
    (found,) = run_suite(Fake(compute), cases(start)).values()
    return found


def in_floats(model: Model, inputs: Sequence[Array], wrapping: bool = False) -> Array:
    """Ties downwards, which no profile does."""
    output = model.subgraphs[0].tensors[model.subgraphs[0].outputs[0]]
    result = real.real_result(model, inputs)
    assert result is not None
    if output.type.dtype.kind == "f":
        return result.astype(np.float32)
    info, codes = np.iinfo(output.type.dtype), np.ceil(result - 0.5)
    return (codes if wrapping else np.clip(codes, info.min, info.max)).astype(np.int64).astype(output.type.dtype)


@pytest.mark.parametrize(
    "start",
    [
        "CONV_2D/int8/ties",
        "DEPTHWISE_CONV_2D/int16/ties",
        "FULLY_CONNECTED/uint8/ties",
        "SUB/int16/",
        "MUL/int8/",
        "AVERAGE_POOL_2D/uint8/",
        "MEAN/int16/",
        "SOFTMAX/int16/softmax/scale=0.1",
        "TANH/int16/",
    ],
)
def test_what_computes_in_floats_gives_nearest_codes(start: str) -> None:
    found = cell(in_floats, start)
    if not found.different:  # all of these are right
        assert start.startswith("TANH")
    assert found.farther == (0, 0)
    off = cell(lambda model, inputs: in_floats(model, inputs) ^ 2, start)
    assert off.farther is not None
    assert 0 < off.farther[1] <= off.farther[0] <= off.elements
    assert off.explained() == ""


def test_the_reference_is_exact_where_there_are_no_ties() -> None:
    assert cell(in_floats, "MAX_POOL_2D/int8/").plain()["verdicts"].keys() == {"EXACT"}
    assert cell(in_floats, "PAD/int8/").plain()["verdicts"].keys() == {"EXACT"}


def test_nearest_codes_are_named_only_where_no_arithmetic_is() -> None:
    assert cell(in_floats, "SUB/int8/").explained() == real.NAME
    assert cell(lambda model, inputs: expected(model, inputs, "tflite-opt"), "CONV_2D/int8/ties").explained() == (
        "profile tflite-opt"
    )


def test_what_wraps_around_is_named() -> None:
    found = cell(lambda model, inputs: in_floats(model, inputs, True), "SUB/int16/")
    assert found.explained() == real.NAME_WRAPPED
    assert found.largest > 60000


def test_floats_that_are_nearly_right() -> None:
    def nearly(model: Model, inputs: Sequence[Array]) -> Array:
        return np.nextafter(expected(model, inputs), np.float32(np.inf))

    assert cell(nearly, "DEQUANTIZE/int8/").explained() == real.NAME_OF_REALS
    assert cell(lambda model, inputs: expected(model, inputs) * np.float32(1.01), "DEQUANTIZE/int8/").explained() == ""
    assert cell(lambda model, inputs: expected(model, inputs) * np.nan, "DEQUANTIZE/int8/").explained() == ""


def without_activation(model: Model, inputs: Sequence[Array]) -> Array:
    graph = model.subgraphs[0]
    options: Any = replace(graph.operators[0].options, fused_activation_function=ActivationFunctionType.NONE)  # type: ignore[type-var]
    operators = (replace(graph.operators[0], options=options),)
    return expected(replace(model, subgraphs=(replace(graph, operators=operators),)), inputs)


def test_mistakes_are_named() -> None:
    assert cell(without_activation, "ADD/int8/").explained() == mistakes.NO_ACTIVATION
    lower = cell(
        lambda model, inputs: dict(mistakes.mistaken(model, inputs))[mistakes.AS_INT8], "AVERAGE_POOL_2D/uint8/"
    )
    assert lower.different
    assert lower.mistakes is not None
    assert lower.mistakes[mistakes.AS_INT8] == 0 != lower.mistakes[mistakes.AS_INT8_NO_ACTIVATION]


def without(what: str, model: Model, inputs: Sequence[Array]) -> Model:
    return {name: other for name, other, _ in mistakes.variants(model, inputs)}.get(what, model)


def test_what_is_explained_by_two_together() -> None:
    def lost(model: Model, inputs: Sequence[Array]) -> Array:
        """As tf2onnx: in floats, and RELU_N1_TO_1 is dropped, no other activation."""
        dropped = without("no activation", model, inputs)
        options: Any = model.subgraphs[0].operators[0].options
        return in_floats(
            dropped if options.fused_activation_function == ActivationFunctionType.RELU_N1_TO_1 else model, inputs
        )

    explained = cell(lost, "SUB/int8/").explained()
    assert explained.startswith(f"{real.NAME} (")
    assert explained.endswith("; no activation (1 cases)")
    beta = cell(
        lambda model, inputs: in_floats(without("beta is ignored", model, inputs), inputs),
        "SOFTMAX/uint8/",
    )
    assert "; beta is ignored" in beta.explained()


def test_cut_off_sums_are_named() -> None:
    """As OpenVINO does where the output's scale is 1."""

    def cut(model: Model, inputs: Sequence[Array]) -> Array:
        result = real.real_result(model, inputs)
        assert result is not None
        return np.trunc(result).astype(np.int64).astype(np.int16)

    assert cell(cut, "ADD/int16/sums").explained() == f"{real.NAME_CUT} ({len(cases('ADD/int16/sums'))} cases)"
    assert cell(lambda m, x: cut(m, x) ^ 1, "ADD/int16/sums").explained() == ""


def test_bfloat16_is_named() -> None:
    def rounded(value: Array) -> Array:
        """To 8 significant bits."""
        mantissa, exponent = np.frexp(value.astype(np.float64))
        return np.ldexp(np.rint(mantissa * 256) / 256, exponent)

    def product(model: Model, inputs: Sequence[Array]) -> Array:
        graph = model.subgraphs[0]
        codes = [tensor.quantization for tensor in graph.tensors]
        a, b = (
            rounded(np.float32((x.astype(int) - q.zero_point[0]) * q.scale[0]))
            for x, q in zip(inputs, codes, strict=False)
            if q is not None
        )
        out = graph.tensors[graph.outputs[0]].quantization
        assert out is not None
        return np.clip(np.rint(a @ b / out.scale[0] + out.zero_point[0]), -128, 127).astype(np.int8)

    assert cell(product, "BATCH_MATMUL/int8/product/adjoint=False,False").explained().startswith(real.NAME_BFLOAT16)


def test_how_far_from_the_real_result_is_said_of_what_nothing_explains() -> None:
    found = cell(lambda model, inputs: in_floats(model, inputs) ^ 2, "SUB/int8/").plain()
    assert found["explained"] == ""
    assert 2 <= found["distance"] <= 2.51


def test_a_convolution_in_groups_that_reads_the_memory_of_one() -> None:
    def narrow(model: Model, inputs: Sequence[Array]) -> Array:
        ((_, other, values),) = [v for v in mistakes.variants(model, inputs) if v[0] == mistakes.ONE_GROUP]
        return in_floats(other, values)

    start = "CONV_2D/uint8/groups"
    found = cell(narrow, start)
    assert found.explained().endswith(mistakes.ONE_GROUP)
    assert found.largest > 50


@pytest.mark.parametrize(
    ("operator", "function"), [("LOGISTIC", lambda x: 1 / (1 + math.exp(-x))), ("TANH", math.tanh)]
)
def test_int16_functions_by_a_table_of_float64(operator: str, function: Callable[[float], float]) -> None:
    """As a model has them in TOSA: 513 entries with a correction for the middle, between which it interpolates."""

    def away(x: float) -> int:
        return math.floor(x + 0.5) if x >= 0 else math.ceil(x - 0.5)

    def interpolated(model: Model, inputs: Sequence[Array]) -> Array:
        x, y = (model.subgraphs[0].tensors[i].quantization for i in (0, model.subgraphs[0].outputs[0]))
        assert x is not None
        assert y is not None
        lowest, step, inverse = -32768 * float(x.scale[0]), 65535 * float(x.scale[0]) / 512, 1 / float(y.scale[0])
        table = []
        for i in range(512):
            start, middle, end = (function(lowest + (i + by) * step) * inverse for by in (0, 0.5, 1))
            error = away((end + away(start)) / 2) - away(middle)
            table.append(max(-32768, min(32767, away(start) - away(error / 2))))
        table.append(max(-32768, min(32767, away(function(lowest + 512 * step) * inverse))))
        place, fraction = (inputs[0].astype(int) >> 7) + 256, inputs[0].astype(int) & 127
        low, high = np.array(table)[place], np.array([*table, 0])[place + 1]
        return np.asarray((low * 128 + (high - low) * fraction + 64) >> 7, np.int16)

    found = cell(interpolated, f"{operator}/int16/")
    assert found.different
    assert found.explained() == "profile tosa"
    for case in cases(f"{operator}/int16/function"):
        model, inputs = case.make()
        table = dict(mistakes.mistaken(model, inputs))[mistakes.FLOAT64_TABLE]
        np.testing.assert_array_equal(table, interpolated(model, inputs), case.name)


def test_differences_of_int16_softmax_that_wrap_around() -> None:
    """As in TOSA: a difference of 10 or more counts as one that is 10 less, to two parts in 65535."""

    def wrapped(model: Model, inputs: Sequence[Array]) -> Array:
        return dict(mistakes.mistaken(model, inputs))[mistakes.WRAPPED_SOFTMAX]

    start = "SOFTMAX/int16/softmax/scale=0.1 beta=1.0 depth=2"
    (case,) = cases(start)
    model, inputs = case.make()
    scale = model.subgraphs[0].tensors[0].quantization.scale[0]  # type: ignore[union-attr]
    x = inputs[0].astype(np.float64) * scale
    below = np.exp(-((x.max(axis=1, keepdims=True) - x) % (655.36 / 65.535)))
    near = np.abs(wrapped(model, inputs) - below / below.sum(axis=1, keepdims=True) * 32768)
    assert near.max() < 24  # the table's own error
    found = cell(wrapped, start)
    assert found.largest > 10000
    assert found.explained() == "profile tosa"


def test_options_of_images_that_are_lost() -> None:
    def lost(model: Model, inputs: Sequence[Array]) -> Array:
        return in_floats(without(mistakes.HALF_PIXELS, model, inputs), inputs)

    assert f"; {mistakes.HALF_PIXELS} (" in cell(lost, "RESIZE_BILINEAR/int8/").explained()


def test_operators_of_models_are_explained_one_by_one() -> None:
    (case,) = cases("SUB/int8/pair/scales=1.0,1.0,2.0")[:1]
    model, _ = case.make()
    row = examine(model, write_model(model), Fake(in_floats))
    assert row["explained"]
    assert row["operators"]["SUB int8"]["explained"] == real.NAME
    row = examine(model, write_model(model), Fake(lambda model, inputs: in_floats(model, inputs) ^ 2))
    assert (row["explained"], row["operators"]["SUB int8"]["unknown"]) == (False, 1)


def test_one_of_two_operators_of_a_kind_that_makes_a_mistake() -> None:
    """As tf2onnx, which drops the bias of FULLY_CONNECTED only where the input has more than two dimensions."""
    wrong = find_mutation("ADD", "the shift one too small")

    def second(model: Model, inputs: Sequence[Array]) -> Array:
        graph = model.subgraphs[0]
        teacher = Teacher(model, inputs, "tflite-ref")
        values = {**teacher.plan.constants, **dict(zip(graph.inputs, inputs, strict=True))}
        for position, operator in enumerate(graph.operators):
            given = teacher.inputs(position, values)
            assert given is not None
            right = teacher.outputs(position, given)[operator.outputs[0]]
            made = wrong.run(Piece.make("", teacher, position, given, right))
            last = graph.tensors[operator.outputs[0]].quantization
            assert last is not None
            values[operator.outputs[0]] = right if made is None or not last.zero_point[0] else made
        return values[graph.outputs[0]]

    builder = ModelBuilder().input("x", TensorType.INT8, (1, 32), Quantization.per_tensor(0.5, -3))
    builder.tensor("m", TensorType.INT8, (1, 32), Quantization.per_tensor(0.7))
    builder.output("y", TensorType.INT8, (1, 32), Quantization.per_tensor(0.9, 1))
    model = builder.operator("ADD", ["x", "x"], ["m"]).operator("ADD", ["m", "x"], ["y"]).build()
    row = examine(model, write_model(model), Fake(second))
    assert row["explained"]
    assert (row["operators"]["ADD int8"]["count"], row["operators"]["ADD int8"].get("unknown", 0)) == (1, 0)
    assert row["operators"]["ADD int8"]["explained"].endswith("the shift one too small")


def test_words_fit_a_page() -> None:
    assert words("a\x04\nb" + "c" * 300) == "a  b" + "c" * 156
