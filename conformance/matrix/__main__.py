"""Real runtimes on the operator suite and on models: `python -m conformance.matrix --runtime SUT=PYTHON --models DIR`.

Each runtime works in a process of its own. Its answers are kept in --memory, so that a run that was killed goes on
when the same command is given again, and --again judges anew without asking anything twice. In the end matrix.json,
matrix.md and matrix.html are written into --results, with all runtimes of --memory.
"""

from __future__ import annotations

import argparse
import datetime
import json
import platform
import re
import sys
import zlib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from conformance.matrix.defects import Defect
from conformance.matrix.pages import html, markdown
from conformance.matrix.remember import LostError, Remembering
from conformance.matrix.suite import run_suite
from conformance.matrix.zoo import RUNS, chosen, examine
from int8rt import __version__
from int8rt.conformance.cases import Case, all_cases, fingerprint
from int8rt.errors import InputError, Int8rtError
from int8rt.model import Model
from int8rt.verify.runtimes.base import UnavailableError
from int8rt.verify.runtimes.choose import open_runtime

Models = Sequence[tuple[str, bytes, Model]]
_RESULTS = Path(__file__).parent.parent / "results"
_KINDS = ("litert", "tflite_runtime", "tensorflow", "tflm", "tosa", "iree", "onnxruntime", "openvino", "armnn")
_RESOLVERS = ("ref", "opt", "xnnpack", "compiled")


def fill(
    sut: str, python: str, memory: Path, cases: Sequence[Case], models: Models, timeout: float, again: bool
) -> None:
    """Add to the row of one runtime, a file in `memory`, what is not there yet."""
    folder = memory / re.sub(r"\W+", "-", f"{sut} {zlib.crc32(python.encode()):08x}" if python else sut)
    file = folder / "row.json"
    row: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() and not again else {}
    runtime = Remembering(partial(open_runtime, sut, python=python or None, timeout=timeout), folder / "answers")
    row |= {"sut": sut, "missing": "", "models": row.get("models", {})}
    try:
        names = f"{zlib.crc32(' '.join(case.name for case in cases).encode()):08x}"
        if row.get("judged") != [fingerprint(), names]:
            cells = run_suite(runtime, cases)
            row["suite"] = [[operator, type, cell.plain()] for (operator, type), cell in cells.items()]
            row |= {"judged": [fingerprint(), names], "date": datetime.datetime.now(datetime.UTC).date().isoformat()}
            _save(file, row, runtime)
        for name, content, model in models:
            if name not in row["models"]:
                row["models"][name] = examine(model, content, runtime)
                _save(file, row, runtime)
                print(f"{sut}: {name}: {row['models'][name]['status']}", file=sys.stderr)
    except UnavailableError as error:
        row["missing"] = str(error)
    except LostError as error:
        row["missing"] = f"given up: {error}"
    finally:
        runtime.close()
    _save(file, row, runtime)


def _save(file: Path, row: dict[str, Any], runtime: Remembering) -> None:
    row["runtime"] = runtime.capabilities().description
    part = file.with_suffix(".part")
    part.write_text(json.dumps(row), encoding="utf-8")
    part.replace(file)


def collect(memory: Path, models: Models, limits: tuple[int, int]) -> dict[str, Any]:
    """The whole matrix, from the rows in `memory`."""
    rows = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(memory.glob("*/row.json"))]
    rows.sort(key=_order)
    names = [name for name, _, _ in models]
    for row in rows:
        row.pop("judged", None)
        row["models"] = [_short(row["models"].get(name)) for name in names]
    return {
        "schema_version": 1,
        "int8rt": __version__,
        "processor": platform.machine(),
        "suite": {"fingerprint": fingerprint(), "cases": len(all_cases())},
        "models": {"names": names, "inputs": len(RUNS), "largest_bytes": limits[0], "most_operators": limits[1]},
        "runtimes": rows,
    }


def _order(row: Mapping[str, Any]) -> tuple[int, int, list[int], str]:
    """LiteRT's kernels first, newer ones before older ones; then what has LiteRT's arithmetic, then the others."""
    kind, _, rest = row["sut"].partition(":")
    newest = [-int(part) for part in re.findall(r"\d+", row.get("runtime", "").rpartition(" ")[2])]
    place, resolver = ((*known, name).index(name) for known, name in ((_KINDS, kind), (_RESOLVERS, rest)))
    return place, resolver, newest, row["sut"]


def _short(model: dict[str, Any] | None) -> dict[str, Any] | None:
    """The row of a model, its operators without what is 0 or empty."""
    if model is None or "operators" not in model:
        return model
    kinds = {kind: {key: value for key, value in data.items() if value} for kind, data in model["operators"].items()}
    return model | {"operators": kinds}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m conformance.matrix", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--runtime", action="append", default=[], metavar="SUT[=PYTHON]", help="as `compare --sut`, and its Python"
    )
    parser.add_argument("--models", type=Path, action="append", default=[], metavar="FOLDER", help="of .tflite files")
    parser.add_argument("--largest", type=int, default=280_000, help="bytes of a model, at most (280000)")
    parser.add_argument("--operators", type=int, default=20, help="operators of a model, at most (20)")
    parser.add_argument("--memory", type=Path, required=True, metavar="FOLDER", help="for the answers of the runtimes")
    parser.add_argument("--results", type=Path, default=_RESULTS, metavar="FOLDER", help="for the pages")
    parser.add_argument("--timeout", type=float, default=60, help="seconds for one answer (60)")
    parser.add_argument("--case", default="", metavar="TEXT", help="only cases of the suite whose names hold this")
    parser.add_argument("--again", action="store_true", help="judge again what is remembered")
    options = parser.parse_args(arguments)
    models = list(chosen(options.models, options.largest, options.operators))
    cases = [case for case in all_cases() if options.case in case.name]
    try:
        for text in options.runtime:
            sut, _, python = text.partition("=")
            fill(sut, python, options.memory, cases, models, options.timeout, options.again)
    except InputError as error:
        parser.error(str(error))
    except Int8rtError as error:
        print(f"stopped: {error}", file=sys.stderr)
        return 1
    matrix = collect(options.memory, models, (options.largest, options.operators))
    options.results.mkdir(parents=True, exist_ok=True)
    write(matrix, options.results)
    return 0


def write(matrix: dict[str, Any], folder: Path) -> None:
    """The JSON and both pages. In `folder`/bugs are reports of the reducer, which the pages list."""
    (folder / "matrix.json").write_text(json.dumps(matrix, separators=(",", ":")) + "\n", encoding="utf-8")
    bugs = {file.parent.name: Defect.read(file) for file in sorted(folder.glob("bugs/*/REPORT.md"))}
    (folder / "matrix.md").write_text(markdown(matrix, bugs), encoding="utf-8")
    (folder / "matrix.html").write_text(html(matrix, bugs), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
