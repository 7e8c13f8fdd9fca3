from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from conformance.identified import mistakes, outputs_by_name, says
from int8rt.cli.app import app
from int8rt.model import Model, Quantization, TensorType
from int8rt.schema import ModelBuilder, read_model, write_model
from int8rt.schema.options import FullyConnectedOptions
from int8rt.verify.identify import Finding, identify
from int8rt.verify.identify.kinds import GROUPED, KINDS, candidates
from int8rt.verify.identify.mutants.changes import accumulators
from int8rt.verify.identify.piece import Piece
from int8rt.verify.identify.probe_table import probes
from int8rt.verify.identify.sums import REFERENCE
from int8rt.verify.runtimes.base import Answer, Capabilities, Fault
from int8rt.verify.runtimes.mutant import MutantRuntime
from int8rt.verify.runtimes.ours import Int8rtRuntime
from int8rt.verify.teacher import Teacher
from tests.interpreter import models

Array = Any
REPOSITORY = Path(__file__).resolve().parents[2]

# What no input tells apart, or only one that is rarer than those which are tried.
FLOATS = "float32 between DEQUANTIZE and QUANTIZE, "
SAME = {
    ("ADD", "LiteRT's vectors", "one rounding an input and two of the sum"),  # its rest is a few elements
    ("SUB", "LiteRT's vectors", "one rounding an input and two of the sum"),
    ("QUANTIZE", "LiteRT's vectors", "the reciprocal, half even"),
    ("DEQUANTIZE", "LiteRT's vectors", "float32, code · scale + offset"),
    ("AVERAGE_POOL_2D", "the codes' mean, half up", "the mean without the zero point, half up"),
    ("AVERAGE_POOL_2D", "the codes' mean, floor", "the mean without the zero point, floor"),
    ("CONV_2D in groups", "float32, half even (XNNPACK)", "float32, half even"),
    *((kind, "a float32 table, half away (TensorFlow Lite)", "float64, half away") for kind in ("LOGISTIC", "TANH")),
    *((kind, "a float32 table, half away (TensorFlow Lite)", "float64, half even") for kind in ("LOGISTIC", "TANH")),
    *((kind, "float64, half away", "float64, half even") for kind in ("LOGISTIC", "TANH")),
    ("SOFTMAX", "float64, half away", "float64, half even"),
    ("ABS", "one rounding, ties up", f"{FLOATS}half away"),
    ("SQUARED_DIFFERENCE", f"{FLOATS}half away", f"{FLOATS}half even"),
    ("SUM", "sums in 20 fractional bits (TOSA)", f"{FLOATS}half away"),
    ("BATCH_MATMUL", "float32, half even (XNNPACK)", "float32, half even"),
    # What these give has no negative ties, and seldom ties.
    *((kind, "two roundings (gemmlowp)", "two roundings, both with ties up") for kind in ("RELU", "RELU6")),
    *((kind, "one rounding, ties up", "float64, half away") for kind in ("RELU", "RELU6")),
    *((kind, "float64, half away", "one rounding, ties up") for kind in ("RELU", "RELU6")),
    *((kind, "truncation", "floor") for kind in ("RELU", "RELU6")),
    *(
        (kind, one, f"{FLOATS}half {how}")
        for kind in ("L2_NORMALIZATION", "LOG_SOFTMAX", "RSQRT", "SQRT")
        for one in ("fixed point", "TensorFlow Lite's reference kernel", FLOATS)
        for how in ("away", "even")
    ),
    ("SQRT", "TensorFlow Lite's reference kernel", f"{FLOATS}truncate"),
}
SAME_16 = {
    *((GROUPED, "16-bit multipliers", other) for other in ("a multiplier of 16 bits", "the reference's for int64")),
    (GROUPED, "a multiplier of 16 bits", "the reference's for int64"),
    ("DEQUANTIZE", "float32, (code - zero point)", ""),
    *((kind, "float64, half even", "float32, half even") for kind in ("MEAN", "RELU", "RELU6")),
}
# One less in the 31st bit is nothing to a multiplier of 16; int16 has no zero points.
NOT_16 = ("zero point", "the border is code 0", "last bit too small")


class Fake:
    """A runtime of one's own: what `function` makes of a model of one operator and its inputs."""

    def __init__(self, function: Callable[[Model, Sequence[Array]], Array], *, any_model: bool = True) -> None:
        self.function, self.any_model, self.models = function, any_model, 0

    def capabilities(self) -> Capabilities:
        return Capabilities("fake", intermediates=False, any_model=self.any_model)

    def prepare(self, model: Model, content: bytes) -> None:
        self.model = read_model(content)
        self.models += 1

    def run(self, inputs: Sequence[Array], read: Sequence[int] = ()) -> Answer:
        return Answer((self.function(self.model, inputs),))

    def close(self) -> None: ...


def piece_of(model: Model, inputs: Sequence[Array]) -> Piece:
    teacher = Teacher(model, inputs, "tflite-ref")
    values = teacher.inputs(0, dict(zip(model.subgraphs[0].inputs, inputs, strict=True)))
    assert values is not None
    return Piece.make("", teacher, 0, values, teacher.outputs(0, values)[model.subgraphs[0].outputs[0]])


def first_model(kind: str) -> tuple[Model, list[Array]]:
    _, model, inputs = next(iter(probes(kind, TensorType.INT8)))
    return model, inputs


def found(kind: str, function: Callable[[Model, Sequence[Array]], Array]) -> Finding:
    model, inputs = first_model(kind)
    (finding,) = identify(model, write_model(model), Fake(function), [("one", inputs)]).findings
    assert finding.operator == kind
    return finding


# 8 bits and 16 bits, where both are looked at.
WIDTHS = [
    (kind, type)
    for kind in (*KINDS, GROUPED)
    for type in KINDS["CONV_2D" if kind == GROUPED else kind].types
    if type != TensorType.UINT8 or kind == "DIV"
]


@pytest.mark.parametrize(("kind", "type"), WIDTHS, ids=str)
def test_the_probes_tell_all_arithmetics_apart(kind: str, type: TensorType) -> None:
    outputs = outputs_by_name(kind, type)
    plain = [name for name in outputs if ";" not in name]
    assert plain
    same = {
        (kind, one, other)
        for place, one in enumerate(plain)
        for other in plain[place + 1 :]
        if np.array_equal(outputs[one], outputs[other])
    }
    allowed = {pair for pair in (SAME | SAME_16 if type == TensorType.INT16 else SAME) if pair[0] == kind}
    assert {p for p in same if not any(p[1].startswith(a[1]) and p[2].startswith(a[2]) for a in allowed)} == set()
    for name in outputs:
        # The probes of groups are there for the roundings; no int8 filter has a zero point, nothing of int16 has one.
        never = ("the filter's zero point", "of 48 bits") if type != TensorType.INT16 else NOT_16
        if ";" in name and kind != GROUPED and not any(words in name for words in never):
            base = name.split(";")[0]
            assert not np.array_equal(outputs[name], outputs[base]), name


@pytest.mark.parametrize(("kind", "type"), [(kind, type) for kind in KINDS for type in KINDS[kind].types], ids=str)
def test_the_reference_is_one_of_them(kind: str, type: TensorType) -> None:
    """What the engine computes, and not a second implementation of it, is what one candidate gives."""
    for _, model, inputs in probes(kind, type):
        piece = piece_of(model, inputs)
        reference = next(value for name, value in candidates(piece) if name == KINDS[kind].name(type))
        np.testing.assert_array_equal(reference, piece.found)


def fully_connected(rounding: Callable[[Array], Array]) -> Callable[[Model, Sequence[Array]], Array]:
    """By its definition, with Python's own numbers."""

    def run(model: Model, inputs: Sequence[Array]) -> Array:
        graph = model.subgraphs[0]
        x, w, b = (graph.tensors[i] for i in graph.operators[0].inputs)
        y = graph.tensors[graph.outputs[0]]
        assert x.quantization is not None
        assert w.quantization is not None
        assert y.quantization is not None
        weights = np.frombuffer(model.buffers[w.buffer] or b"", np.int8).reshape(w.shape).astype(np.int64)
        bias = np.frombuffer(model.buffers[b.buffer] or b"", np.int32)
        total = (inputs[0].astype(np.int64) - x.quantization.zero_point[0]) @ weights.T + bias
        scale = np.float64(x.quantization.scale[0]) * w.quantization.scale / np.float64(y.quantization.scale[0])
        code = rounding(total * scale) + y.quantization.zero_point[0]
        activation = model.subgraphs[0].operators[0].options
        assert isinstance(activation, FullyConnectedOptions)
        low, high = piece_of(model, inputs).params.requantization.activation_min, 127
        if activation.fused_activation_function:
            high = piece_of(model, inputs).params.requantization.activation_max
        return np.clip(code, low, high).astype(np.int8)

    return run


def test_every_mistake_has_a_name_of_its_own() -> None:
    found = list(mistakes())
    assert len(found) > 190
    assert {(operator, wrong): others for operator, wrong, _, others in found if others} == {
        ("AVERAGE_POOL_2D", "the codes' mean, half up"): ["the mean without the zero point, half up"],
        ("SOFTMAX", "float64, half even"): ["float64, half away"],
        **{
            (operator, "float64, half away; the input's zero point is ignored"): [
                "float64, half even; the input's zero point is ignored"
            ]
            for operator in ("LOGISTIC", "TANH")
        },
        # What these give is not negative: the ways in which negative ties may go are one.
        **{(operator, "truncation"): ["floor"] for operator in ("RELU", "RELU6")},
        **{(operator, "floor"): ["truncation"] for operator in ("RELU", "RELU6")},
        **{
            (operator, "the input's zero point is ignored"): [
                "two roundings, both with ties up; the input's zero point is ignored"
            ]
            for operator in ("RELU", "RELU6")
        },
        **{
            (operator, "the output's zero point is ignored"): ["float64, half away; the output's zero point is ignored"]
            for operator in ("RELU6", "RELU_N1_TO_1")
        },
    }


@pytest.mark.parametrize(
    ("operator", "wrong", "name"),
    [
        ("CONV_2D", "the odd pad is before", "two roundings (gemmlowp); the odd pad is before"),
        ("FULLY_CONNECTED", "two roundings (gemmlowp)", "two roundings (gemmlowp)"),
        ("SUB", "the inputs' parameters exchanged", f"{REFERENCE}; the inputs' parameters exchanged"),
        ("QUANTIZE", "float32, half up", "float32, half up"),
        ("DEQUANTIZE", "the zero point is ignored", "float32, (code - zero point) · scale; the zero point is ignored"),
        (
            "LEAKY_RELU",
            "the input's zero point is ignored",
            "two roundings (gemmlowp); the input's zero point is ignored",
        ),
        ("CONCATENATION", "the inputs the other way round", "the specification's; the inputs the other way round"),
    ],
)
def test_a_runtime_that_makes_a_mistake(operator: str, wrong: str, name: str) -> None:
    finding = says(MutantRuntime(operator, wrong), operator, TensorType.INT8)
    assert (finding.operator, finding.type, finding.arithmetic, finding.others) == (operator, "int8", name, ())


@pytest.mark.parametrize("kind", ["CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV"])
def test_a_bias_of_48_bits_that_is_not_extended_by_its_sign(kind: str) -> None:
    """As IREE 3.13 has it: where the bias is negative, 2^48 too much is multiplied, and what int32 holds is left."""

    def run(model: Model, inputs: Sequence[Array]) -> Array:
        piece = piece_of(model, inputs)
        r, total = piece.params.requantization, accumulators(piece)
        if r.accumulator.itemsize < 8 or r.multiplier.size == 1 or r.activation_max < 32767:
            raise Fault("refused", "int64 sums, a multiplier for each channel and no activation only")
        bias = piece.inputs[-1]
        assert bias is not None
        multiplier = [min((m + 0x8000) >> 16, 0x7FFF) for m in r.multiplier.tolist()]
        value = piece.found.copy()
        for channel, (m, shift, b) in enumerate(zip(multiplier, r.shift.tolist(), bias.tolist(), strict=True)):
            for place, each in enumerate(total[..., channel].ravel().tolist()):
                product = (each + (1 << 48) * (b < 0)) * m
                wrapped = (product + (1 << 14 - shift) + (1 << 63)) % (1 << 64) - (1 << 63)
                low = ((wrapped >> 15 - shift) + (1 << 31)) % (1 << 32) - (1 << 31)
                value.reshape(-1, len(multiplier))[place, channel] = min(max(low, r.activation_min), 32767)
        return value

    finding = says(Fake(run), kind, TensorType.INT16)
    name = "a multiplier of 16 bits, one rounding, ties up; a negative bias is unsigned, of 48 bits"
    assert name in (finding.arithmetic, *finding.others)
    assert all(other.endswith("; a negative bias is unsigned, of 48 bits") for other in finding.others)
    assert finding.elements > 50000


@pytest.mark.parametrize("profile", ["tflite-opt", "xnnpack", "tosa", "tflm"])
@pytest.mark.parametrize(("kind", "type"), [("RESIZE_BILINEAR", TensorType.UINT8), ("SOFTMAX", TensorType.INT16)])
def test_what_profiles_do_has_a_name(kind: str, type: TensorType, profile: str) -> None:
    finding = says(Int8rtRuntime(profile, "numpy"), kind, type)
    assert finding.arithmetic is not None
    assert not finding.arithmetic.startswith("profile ")


def test_a_profile_is_named_where_nothing_else_explains_it() -> None:
    finding = says(Int8rtRuntime("tosa", "numpy"), "AVERAGE_POOL_2D", TensorType.UINT8)
    assert (finding.arithmetic, finding.others) == ("profile tosa", ())


@pytest.mark.parametrize(
    ("rounding", "name"),
    [
        (lambda x: np.trunc(x + np.copysign(0.5, x)), "float64, half away"),
        (np.trunc, "truncation"),
        (np.floor, "floor"),
    ],
)
def test_a_runtime_with_one_rounding_everywhere(rounding: Callable[[Array], Array], name: str) -> None:
    finding = found("FULLY_CONNECTED", fully_connected(rounding))
    assert (finding.arithmetic, finding.others, finding.type) == (name, (), "int8")
    assert finding.nearest is not None
    assert finding.residual > 100
    assert finding.parting > 20000


def test_a_rounding_that_nobody_knows_is_none_of_the_known_ones() -> None:
    finding = found("FULLY_CONNECTED", fully_connected(np.ceil))
    assert finding.arithmetic is None
    assert finding.residual > 1000
    assert str(finding).startswith("none of the known ones; nearest: ")


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("CONV_2D", "two roundings, both with ties up"),
        ("TRANSPOSE_CONV", "two roundings, ties up in whole blocks of 8 channels, as gemmlowp in the rest"),
        ("BATCH_MATMUL", "one rounding, ties up; the output's zero point is ignored"),
        ("QUANTIZE of codes", "a multiplier of 8 fractional bits, ties up (XNNPACK)"),
        ("RELU6", "codes between the input's codes of 0 and 6, not rescaled (TensorFlow Lite Micro)"),
        ("LEAKY_RELU", "multipliers of 8 fractional bits, ties up (XNNPACK)"),
        ("HARD_SWISH", "float32 between DEQUANTIZE and QUANTIZE, half even"),
        ("SUM", "two roundings (gemmlowp)"),
        ("CONV_2D", "truncation; the border is code 0"),
        ("CONV_2D", "two roundings (gemmlowp); the input's zero point is ignored"),
        ("CONV_2D", "float32, half even (XNNPACK); no bias"),
        ("CONV_2D", "two roundings (gemmlowp); one multiplier for all channels"),
        ("DEPTHWISE_CONV_2D", "two roundings, ties up in whole blocks of 8 channels, as gemmlowp in the rest"),
        ("DEPTHWISE_CONV_2D", "one rounding, ties up; the output's zero point is ignored"),
        ("FULLY_CONNECTED", "float64, half away; no activation"),
        ("FULLY_CONNECTED", "two roundings (gemmlowp); clamped before the zero point"),
        ("MUL", "float32, half even (XNNPACK)"),
        ("MEAN", "LiteRT's vectorized mean over height and width, else two roundings (gemmlowp)"),
        ("AVERAGE_POOL_2D", "the codes' mean, truncate"),
        ("AVERAGE_POOL_2D", "the codes' mean, half away from code 0; the border counts, as code 0"),
        ("SOFTMAX", "float64, half away; wraps around instead of saturating"),
        ("SOFTMAX", "float64, half away; beta multiplies the result"),
        ("QUANTIZE", "the reciprocal, half even; no saturation unless the zero point is 0 (uint8: 128)"),
        ("RESIZE_BILINEAR", "exact weights, half up"),
        ("RESIZE_BILINEAR", "exact weights, half even; half_pixel_centers is ignored"),
        ("RESIZE_NEAREST_NEIGHBOR", "the specification's; half_pixel_centers is ignored"),
        ("RELU6", "two roundings (gemmlowp); the bound of RELU6 is truncated"),
    ],
)
def test_an_injected_arithmetic_is_named(kind: str, name: str) -> None:
    finding = found(kind, lambda model, inputs: dict(candidates(piece_of(model, inputs)))[name])
    # The profile that makes this mistake is named, too.
    assert (finding.arithmetic, finding.others) == (name, ("profile tosa",) if "unless the zero" in name else ())
    assert finding.residual > 0


@pytest.mark.parametrize("type", [TensorType.INT8, TensorType.INT16])
def test_pixels_by_the_positions_divided(type: TensorType) -> None:
    """RESIZE_NEAREST_NEIGHBOR as Arm NN computes it, whatever the options say; int16 is looked at, too."""

    def run(model: Model, inputs: Sequence[Array]) -> Array:
        height, width = model.subgraphs[0].tensors[model.subgraphs[0].outputs[0]].shape[1:3]
        rows, columns = (
            np.arange(n) * size // n for n, size in zip((height, width), inputs[0].shape[1:3], strict=True)
        )
        return inputs[0][:, rows[:, None], columns]

    finding = says(Fake(run), "RESIZE_NEAREST_NEIGHBOR", type)
    assert (finding.type, finding.others) == (type.label, ())
    assert finding.arithmetic == "the specification's; align_corners and half_pixel_centers are ignored"


def test_pixels_of_16_bits_by_a_multiplier_of_16() -> None:
    """RESIZE_BILINEAR from 5x7 to 5x20 as in TOSA: twentieths of a pixel, and 1 / 20 rounded to 15 bits."""

    def run(model: Model, inputs: Sequence[Array]) -> Array:
        piece = piece_of(model, inputs)
        options: Any = piece.operator.options
        if piece.found.shape[1:3] != (5, 20) or options.align_corners or options.half_pixel_centers:
            raise Fault("refused", "another size")
        x, i = inputs[0].astype(np.int64), np.arange(20) * 7
        left, right, part = i // 20, np.minimum(i // 20 + 1, 6), (i % 20)[:, None]
        total = x[:, :, left] * (20 - part) + x[:, :, right] * part
        multiplier, shift = round(2**19 / 20), 19  # 15 bits: between 2^14 and 2^15
        return ((total * multiplier + (1 << (shift - 1))) >> shift).astype(np.int16)

    finding = says(Fake(run), "RESIZE_BILINEAR", TensorType.INT16)
    assert (finding.arithmetic, finding.others) == ("exact weights, a multiplier of 16 bits, ties up (TOSA)", ())


def test_a_convolution_in_groups_that_reads_the_memory_of_one() -> None:
    """As Arm NN does: code i of the input is taken for code i of an image with the channels of one group."""

    def run(model: Model, inputs: Sequence[Array]) -> Array:
        piece = piece_of(model, inputs)
        filter, bias = piece.value(1).astype(np.int64), piece.value(2).astype(np.int64)
        batches, height, width, channels = piece.found.shape
        size, (zero, offset) = filter.shape[3], (piece.input()[1], piece.params.requantization.zero_point)
        codes = inputs[0].reshape(-1)[: batches * height * width * size].astype(np.int64)
        assert filter.shape[1:3] == (1, 1)
        sums = (codes.reshape(-1, size) - zero) @ filter.reshape(channels, size).T + bias
        value = sums * piece.params.requantization.real_multiplier
        return (
            np.clip(np.trunc(value + np.copysign(0.5, value)) + offset, -128, 127)
            .astype(np.int8)
            .reshape(piece.found.shape)
        )

    finding = says(Fake(run), GROUPED, TensorType.INT8)
    name = "float64, half away; the input's memory is read with the channels of one group"
    assert (finding.arithmetic, finding.others) == (name, ())


def test_one_element_off_is_not_explained() -> None:
    def run(model: Model, inputs: Sequence[Array]) -> Array:
        value = piece_of(model, inputs).found.copy()
        value.flat[7] ^= 1
        return value

    finding = found("MUL", run)
    assert finding.arithmetic is None
    assert finding.nearest == "two roundings (gemmlowp)"
    assert finding.residual == 11  # ten probes, and the model once


def test_what_a_runtime_refuses_is_told_and_the_rest_still_named() -> None:
    def run(model: Model, inputs: Sequence[Array]) -> Array:
        if inputs[0].shape[1] == 9:
            raise Fault("refused", "no borders, please")
        return piece_of(model, inputs).found

    finding = found("CONV_2D", run)
    assert finding.arithmetic == "two roundings (gemmlowp)"
    assert len(finding.faults) == 7
    assert finding.faults[0] == "a border: refused: no borders, please"


def test_a_runtime_that_keeps_crashing_is_left_alone() -> None:
    def run(model: Model, inputs: Sequence[Array]) -> Array:
        raise Fault("crashed", "signal SIGSEGV")

    model, inputs = first_model("MUL")
    runtime = Fake(run)
    result = identify(model, write_model(model), runtime, [("one", inputs)])
    assert not result.known
    assert (str(result.findings[0]), result.findings[0].elements) == ("no answer", 0)
    assert runtime.models == 4


def test_wrong_shapes_are_no_answer() -> None:
    finding = found("LOGISTIC", lambda model, inputs: np.zeros(3, np.int8))
    assert finding.elements == 0
    assert "answer: no tensor of the right type and shape" in finding.faults[0]


def mixed_model() -> bytes:
    """y = x * x in int8; and a RESHAPE, which has no arithmetic."""
    builder = ModelBuilder()
    builder.input("x", TensorType.INT8, (1, 4), Quantization.per_tensor(0.5))
    builder.tensor("y", TensorType.INT8, (1, 4), Quantization.per_tensor(20.0))
    builder.constant("shape", np.array([4], np.int32))
    builder.output("z", TensorType.INT8, (4,), Quantization.per_tensor(20.0))
    builder.operator("MUL", ["x", "x"], ["y"]).operator("RESHAPE", ["y", "shape"], ["z"])
    return write_model(builder.build())


def test_a_recording_is_judged_by_its_own_tensors() -> None:
    class Recorded(Int8rtRuntime):
        def capabilities(self) -> Capabilities:
            return Capabilities("recorded", intermediates=True, any_model=False)

    content = mixed_model()
    inputs = [np.array([[1, -7, 90, -128]], np.int8)]
    result = identify(read_model(content), content, Recorded(), [("one", inputs)])
    assert result.uncovered == ("RESHAPE int8",)
    (finding,) = result.findings
    assert finding.elements == 4
    assert finding.arithmetic == "two roundings (gemmlowp)"
    assert len(finding.others) > 2  # four elements tell little apart, and it says so


@pytest.fixture
def model_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(REPOSITORY)
    path = tmp_path / "model.tflite"
    path.write_bytes(mixed_model())
    return str(path)


def test_command_names_it_and_ends_with_0(model_file: str) -> None:
    done = CliRunner().invoke(app, ["identify", model_file, "--sut", "int8rt", "--json"])
    assert done.exit_code == 0, done.output
    data = json.loads(done.stdout)
    assert (data["schema_version"], data["known"], data["uncovered"]) == (1, True, ["RESHAPE int8"])
    assert data["findings"][0]["arithmetic"] == "two roundings (gemmlowp)"
    text = CliRunner().invoke(app, ["identify", model_file, "--sut", "int8rt"]).stdout
    assert "MUL int8: two roundings (gemmlowp)\n" in text
    assert "not looked at: RESHAPE int8" in text


def test_command_ends_with_1_where_nothing_explains(model_file: str) -> None:
    Path(model_file).write_bytes(models.two_adds())
    arguments = ["identify", model_file, "--sut", "python:tests.verify.runtimes.functions:one_too_much"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 1, done.output
    assert "ADD int8: none of the known ones; nearest: " in done.stdout


def test_command_with_a_dump_of_outputs_alone(model_file: str, tmp_path: Path) -> None:
    model, (first, second) = first_model("MUL")
    Path(model_file).write_bytes(write_model(model))
    np.savez(tmp_path / "in.npz", input0=first, input1=second)
    truncated = dict(candidates(piece_of(model, [first, second])))["truncation"]
    np.savez(tmp_path / "out.npz", output0=truncated)
    arguments = ["identify", model_file, "--input", tmp_path / "in.npz", "--dump", tmp_path / "out.npz", "--json"]
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.output
    (finding,) = json.loads(done.stdout)["findings"]
    assert (finding["arithmetic"], finding["elements"]) == ("truncation", truncated.size)


def test_command_with_contradicting_options_ends_with_2(model_file: str) -> None:
    done = CliRunner().invoke(app, ["identify", model_file, "--sut", "litert", "--command", "x"])
    assert done.exit_code == 2
