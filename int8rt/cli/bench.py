"""`int8rt bench`: how long a model takes, beside LiteRT in the same process, and where the time goes."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer


class Rival(StrEnum):
    """With what `int8rt bench` compares."""

    LITERT = "litert"


class Backend(StrEnum):
    """int8rt's ways to compute."""

    AUTO = "auto"
    JIT = "jit"
    NUMPY = "numpy"


def bench(
    model: Annotated[Path, typer.Argument(help="A .tflite file.")],
    threads: Annotated[int, typer.Option("--threads", min=1, help="Number of threads.")] = 1,
    against: Annotated[
        Rival | None,
        typer.Option("--against", help="Measure LiteRT's kernels too: reference, optimised and XNNPACK."),
    ] = None,
    seconds: Annotated[float, typer.Option("--seconds", min=0.0, help="How long to measure.")] = 5.0,
    backend: Annotated[Backend, typer.Option("--backend", help="How int8rt computes.")] = Backend.AUTO,
    top: Annotated[int, typer.Option("--top", min=0, help="How many operators are listed, the slowest first.")] = 15,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON, times in seconds.")] = False,
) -> None:
    """Measure a model with random inputs: runs that take turns, medians, and a profile of the operators."""
    from int8rt.bench.contenders import LITERT
    from int8rt.bench.report import bench as measure
    from int8rt.cli.progress import working
    from int8rt.errors import UnsupportedError
    from int8rt.text import print_json
    from int8rt.verify import oracle

    if against is not None and not oracle.available():
        raise UnsupportedError("--against litert needs LiteRT: pip install 'int8rt[litert]'")
    content = model.read_bytes()
    with working("measuring"):
        result = measure(content, seconds, threads, backend.value, tuple(LITERT) if against else ())
    if as_json:
        print_json({"model": str(model)} | result)
    else:
        _show(str(model), result, top)


def _show(model: str, result: dict[str, Any], top: int) -> None:
    from int8rt.text import columns, quantity

    level = f", {result['level']}" if result["level"] else ""
    threads = f"{result['threads']} thread{'s' if result['threads'] > 1 else ''}"
    print(f"{model}: {threads}{level}")
    rows = []
    for name, times in result["times"].items():
        ratio, equal = result["ratios"].get(name), result["equal"].get(name)
        spread = f"{_ms(times['p10'])} .. {_ms(times['p90'])}"
        shown = [_ms(times["median"]), spread, _ms(times["least"]), str(times["runs"])]
        note = "" if ratio is None else f"{ratio:.2f}"
        rows.append((name, *shown, note, {None: "", True: "equal", False: "other bits"}[equal]))
    header = ("", "median ms", "10 % .. 90 %", "least", "runs", "by int8rt", "outputs")
    print(columns(header, rows, right=(1, 2, 3, 4, 5)))
    compiled = f"; of these {result['compile']:.1f} s compiling {result['compiled']} kernels" * bool(result["compiled"])
    print(f"\nallocate {_ms(result['allocate'])} ms, first run {_ms(result['first'])} ms{compiled}")
    steps = result["operators"]
    totals: dict[tuple[str, str], list[float]] = {}
    for step in steps:
        total = totals.setdefault((step["operator"], step["backend"]), [0, 0.0, 0])
        for i, value in enumerate((1, step["seconds"], step["macs"])):
            total[i] += value
    whole = sum(step["seconds"] for step in steps) or 1.0
    print()
    kinds = [
        (name, backend, str(count), f"{1e6 * seconds:.1f}", f"{100 * seconds / whole:.1f}", _rate(macs, seconds))
        for (name, backend), (count, seconds, macs) in sorted(totals.items(), key=lambda item: -item[1][1])
        if backend
    ]
    print(columns(("operator", "", "count", "us", "%", "G MAC/s"), kinds, right=(2, 3, 4, 5)))
    slowest = sorted((step for step in steps if step["backend"]), key=lambda step: -step["seconds"])[:top]
    if slowest:
        print()
        listed = [
            (
                str(step["position"]),
                step["operator"],
                str(list(step["shape"])),
                f"{1e6 * step['seconds']:.1f}",
                f"{100 * step['seconds'] / whole:.1f}",
                quantity(step["macs"]) if step["macs"] else "",
                _rate(step["macs"], step["seconds"]),
                "" if step["of_bound"] is None else f"{100 * step['of_bound']:.0f}",
            )
            for step in slowest
        ]
        header_of_steps = ("", "operator", "output", "us", "%", "MACs", "G MAC/s", "% of bound")
        print(columns(header_of_steps, listed, right=(0, 3, 4, 5, 6, 7)))


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.{4 if seconds < 0.001 else 3 if seconds < 0.1 else 1}f}"


def _rate(macs: float, seconds: float) -> str:
    return f"{macs / seconds / 1e9:.0f}" if macs and seconds else ""
