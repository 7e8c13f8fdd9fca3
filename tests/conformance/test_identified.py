"""What `identify` says of LiteRT's kernels, and docs/identify.md with it."""

from __future__ import annotations

import platform

import pytest

from conformance.identified import PAGE, RESOLVERS, page, says
from int8rt.model import TensorType
from int8rt.verify.runtimes.choose import open_runtime

pytest.importorskip("ai_edge_litert")

# Operator to what each of RESOLVERS computes in int8.
ARITHMETICS = {
    "CONV_2D": ("two roundings (gemmlowp)", "two roundings, both with ties up", "float32, half even (XNNPACK)"),
    "DEPTHWISE_CONV_2D": (
        "two roundings (gemmlowp)",
        "two roundings, ties up in whole blocks of 8 channels, as gemmlowp in the rest",
        "float32, half even (XNNPACK)",
    ),
    "FULLY_CONNECTED": ("float64, half away", "two roundings, both with ties up", "float32, half even (XNNPACK)"),
    "ADD": (
        "two roundings an input and two of the sum (gemmlowp)",
        "LiteRT's vectors: inputs rounded once (int8, int16) or up and then down (uint8), the rest as gemmlowp",
        "multipliers of 20 bits, one rounding, ties up (XNNPACK)",
    ),
    "MUL": ("two roundings (gemmlowp)", "two roundings (gemmlowp)", "float32, half even (XNNPACK)"),
    "AVERAGE_POOL_2D": ("the codes' mean, half away from code 0",) * 3,
    "MEAN": (
        "two roundings (gemmlowp)",
        "LiteRT's vectorized mean over height and width, else two roundings (gemmlowp)",
        "float32, half even (XNNPACK)",
    ),
    "SOFTMAX": ("fixed point (gemmlowp)", *["a float32 table (LiteRT's optimized kernels)"] * 2),
    "LOGISTIC": (
        *["a float32 table, half away (TensorFlow Lite)"] * 2,
        "a table with the zero point added before rounding, half even (XNNPACK)",
    ),
}


@pytest.mark.slow
@pytest.mark.litert
@pytest.mark.parametrize("place", range(3), ids=RESOLVERS)
def test_litert_s_kernels_are_named(place: int) -> None:
    runtime = open_runtime(f"litert:{RESOLVERS[place]}")
    try:
        found = {kind: says(runtime, kind, TensorType.INT8) for kind in ARITHMETICS}
    finally:
        runtime.close()
    assert {kind: f.arithmetic for kind, f in found.items()} == {k: names[place] for k, names in ARITHMETICS.items()}
    assert [kind for kind, finding in found.items() if finding.faults] == []


@pytest.mark.slow
@pytest.mark.litert
@pytest.mark.skipif(platform.machine().lower() not in ("x86_64", "amd64"), reason="the page is about x86-64")
def test_the_page_is_in_step() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()
