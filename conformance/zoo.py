"""All .tflite files of a folder beside LiteRT's reference kernels: `python -m conformance.zoo FOLDER`.

`--profile tflite-opt` sets that profile beside LiteRT's optimized kernels instead.

Each model runs in a process of its own, with limits on time and memory, on several kinds of inputs. Its status:

exact        every output and every intermediate tensor has the same bits
differ       some have not, or int8rt refuses what LiteRT runs
unsupported  int8rt lacks an operator, or its arithmetic in the profile; the detail names all that it lacks
refused      LiteRT refuses the model or dies of it
crashed      int8rt did not end in a result or an error of its own, within the limits

The exit status is 0 unless a model differs or crashed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from conformance.zoo_model import BACKENDS, RESOLVERS
from int8rt.quantization.profiles import get_profile
from int8rt.verify.inputs import KINDS

STATUSES = ("exact", "differ", "unsupported", "refused", "crashed")
_LABELS = {"refused": "refused by LiteRT"}
_ROOT = Path(__file__).resolve().parent.parent


def examine(
    path: Path,
    kinds: Sequence[str] = KINDS,
    backends: Sequence[str] = BACKENDS,
    timeout: float = 600,
    profile: str = "tflite-ref",
) -> dict[str, Any]:
    """The row of one model, examined in a process that is killed, with its children, after `timeout` seconds."""
    start = time.monotonic()
    child = subprocess.Popen(
        [
            *(sys.executable, "-m", "conformance.zoo_model", str(path.resolve())),
            *(",".join(kinds), ",".join(backends), profile),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=_ROOT,
        start_new_session=True,
        # One model, one core: several models run at the same time.
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
    )
    try:
        output, log = child.communicate(timeout=timeout)
        row = json.loads(output)
    except subprocess.TimeoutExpired:
        row = {"status": "crashed", "detail": f"no end after {timeout:g} s", "runs": []}
    except ValueError:
        row = {"status": "crashed", "detail": f"exit status {child.returncode}: {log.strip()[-2000:]}", "runs": []}
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.communicate()
    return row | {"wall_seconds": round(time.monotonic() - start, 3)}


def run_zoo(
    folder: Path,
    kinds: Sequence[str],
    backends: Sequence[str],
    jobs: int,
    timeout: float,
    done: Collection[str] = (),
    profile: str = "tflite-ref",
) -> Iterator[tuple[str, dict[str, Any]]]:
    """(path below the folder, row) of each model as it ends; those that are in `done` are left out."""
    paths = {path: path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*.tflite"))}
    with ThreadPoolExecutor(jobs) as pool:
        futures = {
            pool.submit(examine, path, kinds, backends, timeout, profile): name
            for path, name in paths.items()
            if name not in done
        }
        for future in as_completed(futures):
            yield futures[future], future.result()


def summary(rows: dict[str, Any]) -> str:
    """ "12 exact, 1 differ, ..." """
    counts = Counter(row["status"] for row in rows.values())
    return ", ".join(f"{counts[status]} {_LABELS.get(status, status)}" for status in STATUSES)


def unsupported_reasons(rows: dict[str, Any]) -> list[str]:
    """What models were not run for, such as "12 models: TANH: ...", the most frequent first."""
    counts: Counter[str] = Counter()
    for row in rows.values():
        if row["status"] == "unsupported":
            lines = [line.strip() for line in row["detail"].splitlines() if not line.endswith("of the model:")]
            lines = [re.sub(r" \(operators? [\d, .]+\)$", "", line) for line in lines]
            lines = [re.sub(r"^operator \d+ \((.*?)\)", r"\1", line) for line in lines]
            counts.update({re.sub("'[^']*'", "...", line).partition("; accepted:")[0] for line in lines})
    return [f"{count:4d} models: {reason}" for reason, count in counts.most_common()]


def table(rows: dict[str, Any]) -> str:
    """A line a model: status, milliseconds of each backend and of LiteRT (the fastest run), name; then the detail."""
    backends = sorted({run["backend"] for row in rows.values() for run in row["runs"]}, reverse=True)
    lines = [f"{'status':<12}" + "".join(f"{name + ' ms':>11}" for name in (*backends, "LiteRT")) + "  model"]
    for name, row in sorted(rows.items(), key=lambda item: (STATUSES.index(item[1]["status"]), item[0])):
        runs = row["runs"]
        seconds = [[run["seconds"] for run in runs if run["backend"] == backend] for backend in backends]
        seconds.append([run["litert_seconds"] for run in runs])
        times = "".join(f"{format(1000 * min(values), '.2f') if values else '':>11}" for values in seconds)
        lines.append(f"{row['status']:<12}{times}  {name}")
        lines.extend(f"{'':<14}{line}" for line in row["detail"].splitlines()[:12])
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m conformance.zoo", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", type=Path, help="write the rows into this file, as they come")
    parser.add_argument("--resume", action="store_true", help="keep the rows that the --json file has already")
    parser.add_argument("--jobs", type=int, default=2, help="models at the same time (2)")
    parser.add_argument("--timeout", type=float, default=600, help="seconds a model (600)")
    parser.add_argument("--inputs", default=",".join(KINDS), help=f"kinds of inputs ({','.join(KINDS)})")
    parser.add_argument("--profile", default="tflite-ref", choices=RESOLVERS, help="(tflite-ref)")
    parser.add_argument("--backends", default=",".join(BACKENDS), help=f"({','.join(BACKENDS)})")
    options = parser.parse_args()
    kinds, backends = options.inputs.split(","), options.backends.split(",")
    if not options.folder.is_dir() or (options.resume and options.json is None):
        parser.error("FOLDER must be a folder, and --resume needs --json")
    if not set(kinds) <= set(KINDS) or not set(backends) <= set(BACKENDS):
        parser.error("--inputs and --backends must be some of their defaults")

    if not get_profile(options.profile).compiled:
        backends = ["numpy"]
    rows: dict[str, Any] = {}
    if options.resume and options.json.exists():
        rows = json.loads(options.json.read_text())["models"]
    ending = run_zoo(options.folder, kinds, backends, options.jobs, options.timeout, list(rows), options.profile)
    for count, (name, row) in enumerate(ending, 1):
        rows[name] = row
        print(f"{count:4d} {row['status']:<12}{row['wall_seconds']:7.1f} s  {name}", file=sys.stderr)
        if options.json is not None:
            options.json.write_text(json.dumps({"schema_version": 1, "models": rows}, indent=1, sort_keys=True) + "\n")
    print(table(rows))
    for reason in unsupported_reasons(rows):
        print(reason)
    print(summary(rows))
    return int(any(row["status"] in ("differ", "crashed") for row in rows.values()))


if __name__ == "__main__":
    sys.exit(main())
