"""A set of models beside LiteRT: `python -m benchmarks.models [--folder FOLDER ...] [--json FILE]`.

For each model int8rt and LiteRT's reference kernels, optimised kernels and XNNPACK run in turns in one process; the
table has the medians and their ratios, and ends with the geometric means. Without a folder, INT8RT_ZOO or the bundled
sample is measured.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.processes import ChildError, child, cold_start, memory, start
from benchmarks.selection import Candidate, select
from int8rt.bench.contenders import LITERT
from int8rt.text import columns, quantity

REFERENCE, OPTIMISED, XNNPACK = LITERT


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, action="append", help="a folder of .tflite files, or one file")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=3.0, help="for each model")
    parser.add_argument("--backend", default="auto", choices=("auto", "jit", "numpy"))
    parser.add_argument("--least-macs", type=int, default=0, help="leave out smaller models")
    parser.add_argument("--least-operators", type=int, default=3, help="leave out models with fewer operators")
    parser.add_argument("--memory", action="store_true", help="measure memory too")
    parser.add_argument("--start", action="store_true", help="measure the start of a process too, warm and cold")
    parser.add_argument("--json", type=Path, help="write all numbers into this file")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folders = arguments.folder or _default_folders(Path(temporary))
        chosen = select(folders, arguments.least_macs, arguments.least_operators)
        rows = [
            measure(candidate, arguments.threads, arguments.seconds, backend=arguments.backend)
            | (_memory(candidate) if arguments.memory else {})
            | (_start(candidate) if arguments.start else {})
            for candidate in chosen
        ]
    result = {"machine": machine(), "threads": arguments.threads, "models": rows, "means": means(rows)}
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(result, indent=1))
    print(table(rows))
    for line in summary(result["means"]):
        print(line)


def _default_folders(temporary: Path) -> list[Path]:
    named = os.environ.get("INT8RT_ZOO")
    if named:
        return [Path(named)]
    from int8rt.samples import digits

    (temporary / "digits.tflite").write_bytes(digits().model)
    return [temporary]


def measure(
    candidate: Candidate, threads: int, seconds: float, against: Sequence[str] = tuple(LITERT), backend: str = "auto"
) -> dict[str, Any]:
    """The times of a model in int8rt and in those LiteRT runtimes of `against` that run it; or its error."""
    row: dict[str, Any] = {
        "model": candidate.path.stem,
        "type": candidate.type,
        "macs": candidate.macs,
        "convolutional": candidate.convolutional,
    }
    print(f"{candidate.path.stem} ...", file=sys.stderr, flush=True)
    options = ("--threads", str(threads), "--backend", backend, "--seconds", str(seconds))
    try:
        measured = _beside_litert(candidate.path, against, options)
    except ChildError as error:
        return row | {"error": str(error)}
    return row | {name: measured[name] for name in ("level", "times", "ratios", "equal", "operators")}


def _memory(candidate: Candidate) -> dict[str, Any]:
    return _tried("memory", lambda: memory(candidate.path, ("int8rt", *LITERT)))


def _start(candidate: Candidate) -> dict[str, Any]:
    names = ("int8rt", *LITERT)
    return _tried(
        "start", lambda: {name: start(candidate.path, name) for name in names} | {"cold": cold_start(candidate.path)}
    )


def _tried(name: str, measured: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return {name: measured()}
    except ChildError as error:
        return {f"{name} error": str(error)}


def _beside_litert(model: Path, against: Sequence[str], options: Sequence[str]) -> dict[str, Any]:
    """The measurement beside those of LiteRT's runtimes that run the model."""

    def measured(names: Sequence[str], *more: str) -> dict[str, Any]:
        return child("time", str(model), "--against", ",".join(names), *options, *more)

    try:
        return measured(against)
    except ChildError:
        pass
    able = []
    for name in against:
        try:
            measured((name,), "--seconds", "0")
        except ChildError:
            continue
        able.append(name)
    return measured(able)


def means(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Geometric means over the convolutional models of each type, and the worst of them.

    int8rt / XNNPACK: below 1 where int8rt is quicker. reference / int8rt: above 1 where int8rt is quicker.
    """
    result: dict[str, Any] = {}
    for type in ("int8", "uint8"):
        chosen = [row for row in rows if row["type"] == type and row["convolutional"] and "times" in row]
        against = {name: [row for row in chosen if name in row["ratios"]] for name in LITERT}
        entry: dict[str, Any] = {"models": len(chosen)}
        for name, those in against.items():
            ratios = [row["ratios"][name] for row in those]
            if ratios:
                entry[name] = {"int8rt / it": geometric_mean([1 / ratio for ratio in ratios]), "models": len(ratios)}
                entry[name]["worst"] = max((1 / row["ratios"][name], row["model"]) for row in those)
        kept = [row["memory"]["int8rt"] / row["memory"][XNNPACK] for row in chosen if XNNPACK in row.get("memory", {})]
        if kept:
            entry["memory, int8rt / XNNPACK"] = geometric_mean(kept)
        result[type] = entry
    return result


def geometric_mean(values: Sequence[float]) -> float:
    """The n-th root of the product of n positive numbers."""
    return math.exp(sum(map(math.log, values)) / len(values))


def table(rows: Sequence[dict[str, Any]]) -> str:
    """One line for each model."""
    header = (
        "model",
        "type",
        "MACs",
        "int8rt ms",
        "XNNPACK",
        "optimised",
        "reference",
        "/XNNPACK",
        "ref/",
        "bits",
        "NumPy",
    )
    lines = []
    for row in rows:
        start = (row["model"][:44], row["type"], quantity(row["macs"]))
        if "times" not in row:
            lines.append((*start, *[""] * 7, row.get("error", "")[:60]))
            continue
        medians = [row["times"].get(name, {}).get("median") for name in ("int8rt", XNNPACK, OPTIMISED, REFERENCE)]
        ratios = row["ratios"]
        left = sorted({step["operator"] for step in row["operators"] if step["backend"] == "numpy"})
        lines.append(
            (
                *start,
                *("" if value is None else f"{1000 * value:.3f}" for value in medians),
                f"{1 / ratios[XNNPACK]:.2f}" if XNNPACK in ratios else "",
                f"{ratios[REFERENCE]:.1f}" if REFERENCE in ratios else "",
                "equal" if row["equal"].get(REFERENCE) else "differ" if REFERENCE in row["equal"] else "",
                " ".join(left),
            )
        )
    return columns(header, lines, right=range(2, 9))


def summary(found: dict[str, Any]) -> list[str]:
    """The means as lines of text."""
    lines = []
    for type, entry in found.items():
        for name, one in entry.items():
            if isinstance(one, dict):
                worst, model = one["worst"]
                lines.append(
                    f"{type}, {one['models']} convolutional models: int8rt / {name} {one['int8rt / it']:.3f} "
                    f"(inverse {1 / one['int8rt / it']:.1f}), worst {worst:.2f} ({model})"
                )
            elif name != "models":
                lines.append(f"{type}: {name} {one:.2f}")
    return lines


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    cpu = platform.processor()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return {"cpu": cpu, "cpus": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()}


if __name__ == "__main__":
    main()
