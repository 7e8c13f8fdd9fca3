"""One model measured: times beside LiteRT's, what came before the first run, and the profile, as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from int8rt.bench import contenders
from int8rt.bench.profile import StepTime, profile
from int8rt.bench.timing import Times, measure
from int8rt.interpreter import Backend
from int8rt.schema import read_model
from int8rt.verify.inputs import make_inputs

OURS = "int8rt"


def bench(
    content: bytes,
    seconds: float,
    threads: int = 1,
    backend: Backend = "auto",
    against: Sequence[str] = (),
    steps: bool = True,
) -> dict[str, Any]:
    """Measure a model for about `seconds`, with random inputs.

    against: names of `contenders.LITERT`. steps: profile the operators too, for a quarter of the time more.
    Times are in seconds, ratios are LiteRT's median by int8rt's: above 1 where int8rt is quicker.
    """
    model = read_model(content)
    inputs = make_inputs(model, "random")
    ours = contenders.int8rt(model, inputs, threads, backend)
    ready = {OURS: ours}
    for name in against:
        ready[name] = contenders.litert(content, inputs, contenders.LITERT[name], threads)
    times = measure({name: one.run for name, one in ready.items()}, seconds)
    result: dict[str, Any] = {
        "threads": threads,
        "backend": backend,
        "level": _level(backend),
        "allocate": ours.allocate,
        "compile": ours.compile,
        "compiled": ours.compiled,
        "first": ours.first,
        "times": {name: asdict(one) for name, one in times.items()},
        "ratios": {name: times[name].median / times[OURS].median for name in against},
        "equal": {name: _equal(ours, ready[name]) for name in against},
    }
    if steps:
        executor = ours.interpreter._executor(0)
        result["operators"] = [_step(step, times[OURS], backend) for step in profile(executor, seconds / 4)]
    return result


def _level(backend: Backend) -> str:
    if backend == "numpy":
        return ""
    from int8rt.kernels.jit.isa.levels import choose_level

    return choose_level().name


def _equal(one: contenders.Ready, other: contenders.Ready) -> bool:
    pairs = zip(contenders.outputs(one), contenders.outputs(other), strict=True)
    return all(np.array_equal(left, right) for left, right in pairs)


def _step(step: StepTime, whole: Times, backend: Backend) -> dict[str, Any]:
    """The step with its share of the whole and, compiled, how near it comes to what the processor can do at most."""
    data = asdict(step) | {"share": step.seconds / whole.median, "of_bound": None}
    if step.backend == "jit" and step.seconds > 0:
        from int8rt.kernels.jit import roofline
        from int8rt.kernels.jit.isa.levels import choose_level

        products = step.macs / roofline.macs_per_second(choose_level())
        # Tensors of up to a core's second cache are most likely in it.
        moved = step.bytes / roofline.bytes_per_second(256 << 10 if step.bytes < 1 << 20 else 16 << 20)
        data["of_bound"] = max(products, moved) / step.seconds
    return data
