"""What `debug_quantization` found, as text, as plain data and as a document."""

from __future__ import annotations

from typing import Any

from int8rt.ptq.debug import Debugged, TensorReport
from int8rt.ptq.difference import Difference
from int8rt.verify.report.document import Cell, Document, Histogram, Histograms, Table, Tone

# How many histograms the page draws, of the worst tensors.
_DRAWN = 24
# Converters name a tensor after all that was fused into it.
_LONGEST_NAME = 40
_HEADER = ("operator", "tensor", "type", "SQNR local", "SQNR", "RMSE", "largest", "cosine", "saturated", "unused codes")


def row(item: TensorReport) -> tuple[str, ...]:
    """One line of the table."""
    codes, error = item.codes, item.accumulated
    return (
        f"{item.position} {item.operator}",
        item.tensor if len(item.tensor) <= _LONGEST_NAME else f"…{item.tensor[1 - _LONGEST_NAME :]}",
        item.type,
        decibels(item.local),
        decibels(error),
        f"{error.rmse:.3g}",
        f"{error.largest:.3g}",
        f"{error.cosine:.5f}",
        "" if codes is None else f"{codes.saturated:.2%}",
        "" if codes is None else f"{codes.unused:.0%}",
    )


def decibels(difference: Difference | None) -> str:
    """SQNR in dB."""
    return "" if difference is None else f"{difference.sqnr:.1f} dB"


def plain(found: Debugged) -> dict[str, Any]:
    """All of it as what JSON knows."""
    return {
        "samples": found.samples,
        "unmatched": list(found.unmatched),
        "tensors": [
            {
                "operator": item.position,
                "name": item.operator,
                "tensor": item.tensor,
                "type": item.type,
                "scale": item.step,
                "local": None if item.local is None else _numbers(item.local),
                "accumulated": _numbers(item.accumulated),
                "saturated": None if item.codes is None else item.codes.saturated,
                "unused_codes": None if item.codes is None else item.codes.unused,
                "reasons": list(item.reasons),
            }
            for item in found.tensors
        ],
    }


def _numbers(difference: Difference) -> dict[str, float]:
    return {
        "sqnr_db": difference.sqnr,
        "rmse": difference.rmse,
        "largest": difference.largest,
        "cosine": difference.cosine,
        "worst_channel": difference.spread,
    }


def document(found: Debugged, float_name: str, name: str) -> Document:
    """For HTML and Markdown."""
    worst = found.tensors[0]
    rows = tuple(
        tuple(Cell(text, _tone(item) if i == 3 else "") for i, text in enumerate(row(item))) for item in found.tensors
    )
    why = tuple(
        (Cell(f"{item.position} {item.operator}"), Cell(item.tensor), Cell("; ".join(item.reasons)))
        for item in found.tensors
        if item.reasons
    )
    drawn = tuple(
        Histogram(
            f"{item.position} {item.operator} {item.tensor}",
            f"errors in steps of {item.step:.4g}, the operator alone",
            _tone(item),
            item.local.steps,
            item.local.beyond,
        )
        for item in found.tensors[:_DRAWN]
        if item.local is not None and item.local.steps
    )
    parts = (
        Table("Tensors, worst first", _HEADER, rows, right=(3, 4, 5, 6, 7, 8, 9)),
        *((Table("Reasons", ("operator", "tensor", "reason"), why),) if why else ()),
        *((Histograms("Errors of single operators", drawn),) if drawn else ()),
    )
    ends = ", ".join(f"{item.tensor}: {decibels(item.accumulated)}" for item in found.outputs)
    return Document(
        f"{name} beside {float_name}",
        True,
        f"outputs {ends}" if ends else "compared",
        (
            f"{len(found.tensors)} tensors over {found.samples} samples. The largest error of a single operator: "
            f"{worst.operator} (operator {worst.position}), {decibels(worst.local or worst.accumulated)}.",
        ),
        (("float model", float_name), ("quantized model", name), ("samples", str(found.samples))),
        parts,
        (),
    )


def header() -> tuple[str, ...]:
    """Of `row`."""
    return _HEADER


def _tone(item: TensorReport) -> Tone:
    sqnr = (item.local or item.accumulated).sqnr
    return "good" if sqnr >= 30 else "near" if sqnr >= 15 else "bad"
