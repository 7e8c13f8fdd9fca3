"""Machine code: from a Python function by way of Numba to an object file, and from an object file into this process."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import Any

from llvmlite import binding

from int8rt.kernels.jit.numba_later import resolve_all

# What compiled code may call: nothing of Python's or Numba's, so that it can be used without them.
_ALLOWED = frozenset({"memcpy", "memmove", "memset"})
_WRAPPER = """
define void @"{name}"(ptr %block, i64 %thread, i64 %threads) {{
  %result = alloca ptr
  %exception = alloca ptr
  %status = call i32 @{native}(ptr %result, ptr %exception, ptr %block, i64 %thread, i64 %threads)
  ret void
}}
"""

_lock = threading.Lock()
_engine: Any = None


def target() -> str:
    """What object files depend on besides their source: the processor and the version of LLVM."""
    features = binding.get_host_cpu_features().flatten()
    version = ".".join(map(str, binding.llvm_version_info))
    return f"{binding.get_process_triple()} {binding.get_host_cpu_name()} {features} llvm {version}"


def compile_object(function: Callable[..., None], name: str) -> bytes:
    """An object file with the C function `void name(block, thread, threads)`, compiled by Numba for this processor."""
    resolve_all(function)
    import numba

    signature = numba.void(numba.types.voidptr, numba.int64, numba.int64)
    compiled = numba.cfunc(signature, error_model="numpy")(function)
    text = compiled.inspect_llvm()
    # Numba's own C function handles exceptions with Python's help. A kernel raises none: call what is inside instead.
    native = compiled.native_name.removeprefix("cfunc.")
    quoted = f'"{native}"' if f'@"{native}"' in text else native
    module = binding.parse_assembly(text + _WRAPPER.format(name=name, native=quoted))
    for value in (*module.functions, *module.global_variables):
        if value.name != name and not value.is_declaration:
            value.linkage = "internal"
    machine = _machine()
    passes = binding.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(module, binding.create_pass_builder(machine, binding.create_pipeline_tuning_options()))
    called = {value.name for value in module.functions if value.is_declaration and not value.name.startswith("llvm.")}
    if not called <= _ALLOWED:
        raise RuntimeError(f"the compiled {function.__name__} calls {', '.join(sorted(called - _ALLOWED))}")
    return bytes(machine.emit_object(module))


def load_object(data: bytes, name: str) -> int:
    """Load an object file for the life of the process; the address of its function `name`."""
    global _engine
    with _lock:
        if _engine is None:
            binding.initialize_native_target()
            binding.initialize_native_asmprinter()
            _engine = binding.create_mcjit_compiler(binding.parse_assembly(""), _machine())
            # Never freed, not even when Python ends: a thread may still be in its code.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(_engine))
        _engine.add_object_file(binding.ObjectFileRef.from_data(data))
        _engine.finalize_object()
        return int(_engine.get_function_address(name))


def _machine() -> Any:
    return binding.Target.from_default_triple().create_target_machine(
        cpu=binding.get_host_cpu_name(),
        features=binding.get_host_cpu_features().flatten(),
        opt=3,
        reloc="default",
        codemodel="jitdefault",
        jit=True,
    )
