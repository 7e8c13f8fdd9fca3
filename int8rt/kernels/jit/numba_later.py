"""Numba's names for the modules of kernels, which need Numba itself only when a kernel has to be compiled.

Importing Numba takes longer than most programs that use int8rt; where all kernels come from the disk it stays out.
"""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable
from typing import Any

# Modules whose functions end up in compiled code.
PACKAGES = ("int8rt.kernels.jit", "int8rt.quantization.vectorized", "int8rt.quantization.jitted")


class Later:
    """Stands for a value that is made when Numba is there; `resolve_all` puts the value in its place."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make

    @functools.cached_property
    def value(self) -> Any:
        """What it stands for; imports Numba."""
        return self._make()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.value, name)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Call what it stands for."""
        return self.value(*arguments, **options)


def _name(module: str, name: str) -> Later:
    return Later(lambda: getattr(importlib.import_module(module), name))


def _decorator(module: str, name: str) -> Callable[..., Any]:
    """A decorator of Numba's, with or without options, whose result comes later."""

    def decorate(function: Callable[..., Any] | None = None, **options: Any) -> Any:
        if function is None:
            return functools.partial(decorate, **options)
        real = _name(module, name)
        return Later(lambda: real(**options)(function) if options else real(function))

    return decorate


carray = _name("numba", "carray")
types = _name("numba", "types")
cgutils = _name("numba.core", "cgutils")
njit = _decorator("numba", "njit")
intrinsic = _decorator("numba.extending", "intrinsic")


def resolve_all(function: Callable[..., Any]) -> None:
    """Import Numba and put the real thing wherever a module of kernels, or that of `function`, holds a stand-in.

    Numba finds what a function calls among the globals of its module.
    """
    modules = [vars(module) for name, module in sys.modules.items() if name.startswith(PACKAGES) and name != __name__]
    for names in [*modules, function.__globals__]:
        for name, value in list(names.items()):
            if isinstance(value, Later):
                names[name] = value.value
