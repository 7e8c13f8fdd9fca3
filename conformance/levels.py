"""Compiled kernels at every instruction-set level and number of threads: `python -m conformance.levels FOLDER`.

Every .tflite file of the folder runs with NumPy's definitions, which `conformance.zoo` compares with LiteRT, and
compiled, at each level that this processor has, with 1, 2 and 3 threads. Every tensor that an operator writes must have
the same bits everywhere. Each model has a process of its own, with a limit on its time. `--levels amx-emulated`
runs the code of `amx` with tile registers in memory, on machines without them.

same         all of them equal
differ       some tensor differs, or only one of them refuses to run
unsupported  int8rt does not run the model
crashed      no result within the limits

The exit status is 0 unless a model differs or crashed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

STATUSES = ("same", "differ", "unsupported", "crashed")
THREADS = (1, 2, 3)
_ROOT = Path(__file__).resolve().parent.parent


def examine(path: Path, timeout: float, levels: Sequence[str] = (), threads: Sequence[int] = THREADS) -> dict[str, Any]:
    """The row of one model; levels: all by default."""
    command = [sys.executable, "-m", "conformance.levels_model", str(path.resolve())]
    command += [",".join(levels), ",".join(map(str, threads))]
    try:
        child = subprocess.run(command, capture_output=True, text=True, cwd=_ROOT, timeout=timeout)
        return dict(json.loads(child.stdout))
    except subprocess.TimeoutExpired:
        return {"status": "crashed", "detail": f"no end after {timeout:g} s"}
    except ValueError:
        return {"status": "crashed", "detail": f"exit status {child.returncode}: {child.stderr.strip()[-2000:]}"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m conformance.levels", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--levels", default="", help="instruction-set levels, separated by commas (all)")
    parser.add_argument("--threads", default=",".join(map(str, THREADS)), help="numbers of threads (1,2,3)")
    parser.add_argument("--jobs", type=int, default=1, help="models at the same time (1)")
    parser.add_argument("--timeout", type=float, default=600, help="seconds a model (600)")
    parser.add_argument("--json", type=Path, help="write the rows into this file")
    options = parser.parse_args()
    paths = sorted(options.folder.rglob("*.tflite"))
    levels = [level for level in options.levels.split(",") if level]
    threads = [int(number) for number in options.threads.split(",")]
    rows: dict[str, Any] = {}
    with ThreadPoolExecutor(options.jobs) as pool:
        futures = {pool.submit(examine, path, options.timeout, levels, threads): path for path in paths}
        for future in as_completed(futures):
            name, row = futures[future].relative_to(options.folder).as_posix(), future.result()
            rows[name] = row
            print(f"{len(rows):4d} {row['status']:<12} {name}  {row['detail']}"[:400], file=sys.stderr)
            if options.json is not None:
                options.json.write_text(json.dumps({"schema_version": 1, "models": rows}, indent=1, sort_keys=True))
    counts = Counter(row["status"] for row in rows.values())
    ran = sorted({name for row in rows.values() for name in row.get("ran", ())})
    print(", ".join(f"{counts[status]} {status}" for status in STATUSES))
    print("ran with:", ", ".join(ran))
    return int(bool(counts["differ"] or counts["crashed"]))


if __name__ == "__main__":
    sys.exit(main())
