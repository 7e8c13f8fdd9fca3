"""What the compiled backend aims at, and what it reaches: `python -m benchmarks.reach --folder FOLDER [--json FILE]`.

Each line is a ratio of times or of memory in the same run beside LiteRT, over the 8-bit convolutional models of the
folders, one of each architecture; or the seconds of a process that starts. Takes about 15 seconds a model; the machine
should do nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.models import OPTIMISED, REFERENCE, XNNPACK, geometric_mean, machine, measure
from benchmarks.processes import ChildError, cold_start, memory, start
from benchmarks.selection import Candidate, select
from int8rt.text import columns

# Keyword spotting and anomaly detection of MLPerf Tiny, and the model whose start is measured, by parts of their names.
TINY = ("kws_ref_model", "ad01_int8")
STARTED = "mobilenet_v2"

# What it is, found, goal, the least that is accepted, more about it.
Line = tuple[str, float, float, float, str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, action="append", required=True, help="of .tflite files, or one file")
    parser.add_argument("--seconds", type=float, default=1.0, help="for each model and number of threads")
    parser.add_argument("--parts", default=",".join(PARTS), help=f"what to measure ({','.join(PARTS)})")
    parser.add_argument("--json", type=Path, help="write all numbers into this file; the parts that it has are kept")
    arguments = parser.parse_args()
    parts = arguments.parts.split(",")
    if not set(parts) <= set(PARTS):
        parser.error(f"--parts must be some of {','.join(PARTS)}")
    chosen = select(arguments.folder, least_operators=3)
    found: dict[str, Any] = {}
    if arguments.json is not None and arguments.json.exists():
        found = json.loads(arguments.json.read_text())
    found |= {"machine": machine(), "threads": 1}  # as `benchmarks.models` has it, for `benchmarks.plot`
    for part in parts:
        found[part] = PARTS[part](chosen, arguments.seconds)
        if arguments.json is not None:
            arguments.json.write_text(json.dumps(found, indent=1))
    print(table(list(lines(found))))


def one_thread(chosen: Sequence[Candidate], seconds: float) -> list[dict[str, Any]]:
    """The times beside all of LiteRT's runtimes."""
    return [measure(candidate, 1, seconds) for candidate in chosen]


def two_threads(chosen: Sequence[Candidate], seconds: float) -> list[dict[str, Any]]:
    """The times of two threads beside XNNPACK's."""
    return [measure(candidate, 2, seconds, [XNNPACK]) for candidate in chosen if candidate.convolutional]


def generic(chosen: Sequence[Candidate], seconds: float) -> list[dict[str, Any]]:
    """The times of the level for any processor beside the optimised kernels."""
    with mock.patch.dict(os.environ, INT8RT_ISA="generic"):
        return [measure(candidate, 1, seconds, [OPTIMISED]) for candidate in chosen if candidate.convolutional]


def memories(chosen: Sequence[Candidate], _: float) -> dict[str, dict[str, int]]:
    """Bytes beyond the import for each model."""
    result = {}
    for candidate in chosen:
        try:
            result[candidate.path.stem] = memory(candidate.path, ("int8rt", XNNPACK))
        except ChildError as error:
            print(f"{candidate.path.stem}: {error}", file=sys.stderr)
    return result


def starts(chosen: Sequence[Candidate], _: float) -> dict[str, Any]:
    """Seconds from the start of a process to the first result, with and without kernels on disk."""
    path = next((candidate.path for candidate in chosen if STARTED in candidate.path.stem), None)
    if path is None:
        return {}
    return {"model": path.stem, "warm": start(path, "int8rt"), "cold": cold_start(path), "LiteRT": start(path, XNNPACK)}


PARTS = {"models": one_thread, "2 threads": two_threads, "generic": generic, "memory": memories, "start": starts}


def lines(found: dict[str, Any]) -> Iterator[Line]:
    """The lines of the table for which something was measured."""
    for type in ("int8", "uint8"):
        for name, rows, goals in (
            ("1 thread", found.get("models", []), (0.7, 1.0)),
            ("2 threads", found.get("2 threads", []), (0.8, 1.1)),
        ):
            ratios = _ratios(rows, XNNPACK, type)
            if ratios:
                yield (
                    f"int8rt / XNNPACK, {type}, {name}",
                    geometric_mean(list(ratios.values())),
                    *goals,
                    _models(ratios),
                )
            if ratios and name == "1 thread":
                worst = max(ratios, key=lambda model: ratios[model])
                yield f"worst model, {type}, 1 thread", ratios[worst], 1.0, 1.5, worst
    reference = _ratios(found.get("models", []), REFERENCE)
    if reference:
        inverse = 1 / geometric_mean(list(reference.values()))
        yield "reference kernels / int8rt, 1 thread", inverse, 40, 25, _models(reference)
    for row in found.get("models", []):
        if any(part in row["model"] for part in TINY) and XNNPACK in row.get("ratios", {}):
            yield "int8rt / XNNPACK, a tiny model, 1 thread", 1 / row["ratios"][XNNPACK], 1.0, 1.5, row["model"]
    if found.get("memory"):
        kept = [one["int8rt"] / one[XNNPACK] for one in found["memory"].values()]
        yield "memory, int8rt / XNNPACK", geometric_mean(kept), 1.0, 1.3, f"{len(kept)} models, worst {max(kept):.2f}"
    if found.get("start"):
        yield "start to first result, warm, s", found["start"]["warm"], 1.5, 2.5, found["start"]["model"]
        yield "start to first result, cold, s", found["start"]["cold"], 20, 40, found["start"]["model"]
    ratios = _ratios(found.get("generic", []), OPTIMISED)
    if ratios:
        yield "generic level / optimised kernels", geometric_mean(list(ratios.values())), 1.0, 2.0, _models(ratios)


def _ratios(rows: Sequence[dict[str, Any]], against: str, type: str | None = None) -> dict[str, float]:
    """int8rt's time by that of `against`, of each convolutional model."""
    return {
        row["model"]: 1 / row["ratios"][against]
        for row in rows
        if row["convolutional"] and against in row.get("ratios", {}) and type in (None, row["type"])
    }


def _models(ratios: dict[str, float]) -> str:
    return f"{len(ratios)} models"


def table(found: Sequence[Line]) -> str:
    """The lines with their goals; "missed" where less than the least was reached."""
    rows = []
    for what, value, goal, least, more in found:
        more_is_better = goal > least
        state = ("goal", "ok", "missed")[
            (value < goal) + (value < least) if more_is_better else (value > goal) + (value > least)
        ]
        rows.append((what, f"{value:.2f}", f"{goal:g}", f"{least:g}", state, more))
    return columns(("", "measured", "goal", "at least", "", ""), rows, right=range(1, 4))


if __name__ == "__main__":
    main()
