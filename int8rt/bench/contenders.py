"""What can be measured: int8rt, and LiteRT with its several sets of kernels."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.interpreter import Backend, Interpreter
from int8rt.kernels.jit.events import listening
from int8rt.model import Model

Array = npt.NDArray[Any]

# Name to the resolver's name in LiteRT's OpResolverType.
LITERT = {
    "LiteRT reference": "BUILTIN_REF",
    "LiteRT optimised": "BUILTIN_WITHOUT_DEFAULT_DELEGATES",
    "LiteRT XNNPACK": "AUTO",
}


@dataclass(frozen=True, slots=True)
class Ready:
    """An interpreter that has its inputs. allocate, compile, first: seconds; compile is part of allocate and of first.

    compiled: kernels that were not on the disk yet.
    """

    interpreter: Any
    allocate: float
    first: float
    compile: float = 0.0
    compiled: int = 0

    @property
    def run(self) -> Callable[[], object]:
        """One inference."""
        invoke: Callable[[], object] = self.interpreter.invoke
        return invoke


def int8rt(model: Model, inputs: Sequence[Array], threads: int = 1, backend: Backend = "auto") -> Ready:
    """int8rt's interpreter. inputs: for the model's inputs in their order, in their declared shapes."""
    seconds, begun, count = 0.0, 0.0, 0

    def listen(kernel: str | None) -> None:
        nonlocal seconds, begun, count
        if kernel is not None:
            begun, count = time.perf_counter(), count + 1
        else:
            seconds += time.perf_counter() - begun

    with listening(listen):
        interpreter = Interpreter(model_content=model, num_threads=threads, backend=backend)
        ready = _ready(interpreter, inputs)
    return Ready(interpreter, ready.allocate, ready.first, seconds, count)


def litert(content: bytes, inputs: Sequence[Array], resolver: str, threads: int = 1) -> Ready:
    """LiteRT's interpreter with the kernels of `resolver`. It runs in this process: models that crash it crash this."""
    from ai_edge_litert.interpreter import Interpreter as LiteRT
    from ai_edge_litert.interpreter import OpResolverType

    kind = getattr(OpResolverType, resolver)
    return _ready(LiteRT(model_content=content, num_threads=threads, experimental_op_resolver_type=kind), inputs)


def _ready(interpreter: Any, inputs: Sequence[Array]) -> Ready:
    start = time.perf_counter()
    interpreter.allocate_tensors()
    allocate = time.perf_counter() - start
    for detail, value in zip(interpreter.get_input_details(), inputs, strict=True):
        interpreter.set_tensor(detail["index"], value)
    start = time.perf_counter()
    interpreter.invoke()
    return Ready(interpreter, allocate, time.perf_counter() - start)


def outputs(ready: Ready) -> list[Array]:
    """The outputs of the last run."""
    return [np.asarray(ready.interpreter.get_tensor(d["index"])) for d in ready.interpreter.get_output_details()]
