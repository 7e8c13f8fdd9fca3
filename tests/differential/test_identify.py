"""LiteRT's own three resolvers by name, without a residual."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from int8rt.model import TensorType
from int8rt.schema import write_model
from int8rt.verify.identify import identify
from int8rt.verify.identify.kinds import GROUPED
from int8rt.verify.identify.probe_table import probes
from int8rt.verify.runtimes.interpreters import InterpreterRuntime

pytestmark = pytest.mark.litert

TWICE, UP, XNNPACK = (
    "two roundings (gemmlowp)",
    "two roundings, both with ties up",
    "float32, half even (XNNPACK)",
)
MEAN = "LiteRT's vectorized mean over height and width, else two roundings (gemmlowp)"
BLOCKS = "two roundings, ties up in whole blocks of 8 channels, as gemmlowp in the rest"
ADD = "LiteRT's vectors: inputs rounded once (int8, int16) or up and then down (uint8), the rest as gemmlowp"
TWICE_EACH = "two roundings an input and two of the sum (gemmlowp)"
POOL = "the codes' mean, half away from code 0"
TABLE, FLOAT_TABLE = "a float32 table, half away (TensorFlow Lite)", "a float32 table (LiteRT's optimized kernels)"

# (ref, opt, xnnpack); for DEPTHWISE_CONV_2D of uint8 see the test.
EXPECTED = {
    "CONV_2D": (TWICE, UP, XNNPACK),
    GROUPED: (TWICE, TWICE, XNNPACK),
    "DEPTHWISE_CONV_2D": (TWICE, BLOCKS, XNNPACK),
    "FULLY_CONNECTED": ("float64, half away", UP, XNNPACK),
    "ADD": (TWICE_EACH, ADD, "multipliers of 20 bits, one rounding, ties up (XNNPACK)"),
    "MUL": (TWICE, TWICE, XNNPACK),
    "AVERAGE_POOL_2D": (POOL, POOL, POOL),
    "MEAN": (TWICE, MEAN, XNNPACK),
    "SOFTMAX": ("fixed point (gemmlowp)", FLOAT_TABLE, FLOAT_TABLE),
    "LOGISTIC": (TABLE, TABLE, "a table with the zero point added before rounding, half even (XNNPACK)"),
}

OPTIMIZED = "the reference's for int64 sums, that of 8 bits for int32 sums (LiteRT's optimized kernels)"
TEN_BITS = "weights of 10 bits (int8, int16) or float32 (uint8), as TensorFlow Lite"
# Of these some types, each with names of its own.
OTHERS = {
    ("CONV_2D", TensorType.INT16): (
        "16-bit multipliers, one rounding, ties up, for int64 sums, two roundings for int32 sums (TensorFlow Lite)",
        *[OPTIMIZED] * 2,
    ),
    ("FULLY_CONNECTED", TensorType.INT16): ("float64, half away", *[OPTIMIZED] * 2),
    ("TRANSPOSE_CONV", TensorType.INT8): (TWICE, BLOCKS, XNNPACK),
    ("ADD", TensorType.INT16): (TWICE_EACH, ADD, ADD),
    ("QUANTIZE of codes", TensorType.INT8): (
        TWICE,
        "two roundings, ties up in whole blocks of 16 elements, as gemmlowp in the rest",
        "a multiplier of 8 fractional bits, ties up (XNNPACK)",
    ),
    ("LEAKY_RELU", TensorType.UINT8): (TWICE, TWICE, "multipliers of 8 fractional bits, ties up (XNNPACK)"),
    ("SUM", TensorType.INT8): (
        "two roundings (gemmlowp) of codes read as uint8 (BUILTIN_REF)",
        "float32, half away (LiteRT's optimized kernels)",
        XNNPACK,
    ),
    ("RESIZE_BILINEAR", TensorType.UINT8): (
        TEN_BITS,
        "products of two weights in float32, ties up (LiteRT's optimized kernels)",
        "weights of 11 bits, ties up (XNNPACK)",
    ),
}


@pytest.fixture(scope="module", params=["ref", "opt", "xnnpack"])
def runtime(request: pytest.FixtureRequest) -> Iterator[InterpreterRuntime]:
    found = InterpreterRuntime("litert", request.param)
    yield found
    found.close()


@pytest.mark.parametrize("type", [TensorType.INT8, TensorType.UINT8])
@pytest.mark.parametrize("kind", EXPECTED)
def test_resolvers_are_named(kind: str, type: TensorType, runtime: InterpreterRuntime) -> None:
    _, model, inputs = next(iter(probes(kind, type)))
    (finding,) = identify(model, write_model(model), runtime, [("one", inputs)]).findings
    expected = EXPECTED[kind][["ref", "opt", "xnnpack"].index(runtime._resolver)]
    if (kind, type, expected) == ("DEPTHWISE_CONV_2D", TensorType.UINT8, BLOCKS):
        expected = TWICE  # LiteRT has vectors for int8 only
    assert (finding.arithmetic, finding.faults) == (expected, ())
    assert finding.elements > 1000
    assert finding.residual > 0


@pytest.mark.parametrize(("kind", "type"), OTHERS, ids=str)
def test_other_kinds_are_named(kind: str, type: TensorType, runtime: InterpreterRuntime) -> None:
    _, model, inputs = next(iter(probes(kind, type)))
    (finding,) = identify(model, write_model(model), runtime, [("one", inputs)]).findings
    expected = OTHERS[kind, type][["ref", "opt", "xnnpack"].index(runtime._resolver)]
    assert (finding.arithmetic, finding.others, finding.faults) == (expected, (), ())
    assert finding.residual > 0
