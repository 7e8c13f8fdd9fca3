"""What runs in a process of its own: `python -m benchmarks.child ACTION MODEL ...` prints one JSON object.

time      int8rt and LiteRT in turns (some models crash LiteRT; then only this process ends)
memory    the most memory that loading and running a model takes beyond the import of the runtime (Linux)
start     nothing but one result: whoever starts this process measures how long it takes
"""

from __future__ import annotations

import argparse
import json
from importlib import import_module
from pathlib import Path
from typing import Any

OURS = "int8rt"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("action", choices=("time", "memory", "start"))
    parser.add_argument("model", type=Path)
    parser.add_argument("--runtime", default=OURS)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--against", default="")
    arguments = parser.parse_args()
    actions = {"time": _time, "memory": _memory, "start": _start}
    print(json.dumps(actions[arguments.action](arguments)))


def _time(arguments: argparse.Namespace) -> dict[str, Any]:
    from int8rt.bench.report import bench

    against = [name for name in arguments.against.split(",") if name]
    content = arguments.model.read_bytes()
    return bench(content, arguments.seconds, arguments.threads, arguments.backend, against)


def _memory(arguments: argparse.Namespace) -> dict[str, Any]:
    _import(arguments.runtime)
    before = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the most memory from here on
    _run(arguments)
    return {"bytes": _status("VmHWM") - before, "import": before}


def _start(arguments: argparse.Namespace) -> dict[str, Any]:
    _import(arguments.runtime)
    _run(arguments)
    return {}


def _import(runtime: str) -> None:
    import_module("numpy")
    import_module("int8rt.kernels.jit.executor" if runtime == OURS else "ai_edge_litert.interpreter")


def _run(arguments: argparse.Namespace) -> None:
    """Load from the file, allocate, two runs on zeros, read the outputs."""
    interpreter: Any
    if arguments.runtime == OURS:
        from int8rt import Interpreter

        interpreter = Interpreter(str(arguments.model), num_threads=arguments.threads, backend=arguments.backend)
    else:
        from ai_edge_litert.interpreter import Interpreter as LiteRT
        from ai_edge_litert.interpreter import OpResolverType

        from int8rt.bench.contenders import LITERT

        kind = getattr(OpResolverType, LITERT[arguments.runtime])
        interpreter = LiteRT(str(arguments.model), num_threads=arguments.threads, experimental_op_resolver_type=kind)
    interpreter.allocate_tensors()
    for _ in range(2):
        interpreter.invoke()
    for detail in interpreter.get_output_details():
        interpreter.get_tensor(detail["index"])


def _status(field: str) -> int:
    """Bytes of a field of this process's status."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))


if __name__ == "__main__":
    main()
