"""From what a user writes ("litert:xnnpack", "tflm", "python:module:function") to a runtime."""

from __future__ import annotations

from collections.abc import Mapping

from int8rt.errors import InputError
from int8rt.verify.runtimes.base import Runtime

KNOWN = (
    "litert[:ref|opt|xnnpack|default|compiled]",
    "tflite_runtime[:...]",
    "tensorflow[:...]",
    "tflm",
    "tosa",
    "iree",
    "openvino[:f32|bf16]",
    "onnxruntime",
    "armnn",
    "int8rt[:PROFILE]",
    "mutant:OPERATOR:MISTAKE",
    "python:MODULE:FUNCTION",
    "command:LINE",
)
_RESOLVERS = ("ref", "opt", "xnnpack", "default")


def open_runtime(
    sut: str,
    *,
    delegate: str | None = None,
    delegate_options: Mapping[str, str] | None = None,
    python: str | None = None,
    threads: int = 1,
    timeout: float = 120.0,
) -> Runtime:
    """The runtime that `sut` names, one of `KNOWN`; nothing is started yet. Raises `InputError` for another text.

    Without a resolver an interpreter takes its own choice of kernels, and with a delegate its reference kernels, so
    that these compute what the delegate does not take. python: the interpreter that has the runtime, where this one
    has not. timeout: seconds for one answer.
    """
    kind, _, rest = sut.partition(":")
    if delegate is not None and kind not in ("litert", "tflite_runtime", "tensorflow"):
        raise InputError(f"a delegate needs an interpreter of TensorFlow Lite's, not {sut!r}")
    if sut == "litert:compiled" and delegate is None:
        from int8rt.verify.runtimes.interpreters import CompiledRuntime

        return CompiledRuntime(python=python, timeout=timeout)
    if kind in ("litert", "tflite_runtime", "tensorflow"):
        resolver = rest or ("ref" if delegate is not None else "default")
        if resolver in _RESOLVERS:
            from int8rt.verify.runtimes.interpreters import InterpreterRuntime

            return InterpreterRuntime(
                kind,
                resolver,
                delegate=delegate,
                delegate_options=delegate_options,
                threads=threads,
                python=python,
                timeout=timeout,
            )
    elif kind == "tflm" and not rest:
        from int8rt.verify.runtimes.interpreters import MicroRuntime

        return MicroRuntime(python=python, timeout=timeout)
    elif kind in ("tosa", "iree", "onnxruntime", "armnn") and not rest:
        from int8rt.verify.runtimes.converted import ConvertedRuntime

        return ConvertedRuntime(kind, python=python, timeout=timeout)
    elif kind == "openvino" and rest in ("", "f32", "bf16"):
        from int8rt.verify.runtimes.converted import ConvertedRuntime

        return ConvertedRuntime(kind, {"precision": rest or "f32"}, python=python, timeout=timeout)
    elif kind == "python" and ":" in rest:
        from int8rt.verify.runtimes.interpreters import FunctionRuntime

        return FunctionRuntime(rest, python=python, timeout=timeout)
    elif kind == "command" and rest:
        from int8rt.verify.runtimes.command import CommandRuntime

        return CommandRuntime(rest, timeout=timeout)
    elif kind == "mutant" and ":" in rest:
        from int8rt.verify.runtimes.mutant import MutantRuntime

        return MutantRuntime(rest.partition(":")[0].upper(), rest.partition(":")[2])
    elif kind == "int8rt":
        from int8rt.verify.runtimes.ours import Int8rtRuntime

        return Int8rtRuntime(rest or "tflite-ref")
    raise InputError(f"unknown runtime {sut!r}; known: {', '.join(KNOWN)}")
