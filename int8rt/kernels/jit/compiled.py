"""A kernel: a function for Numba that becomes machine code when its address is first asked for."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import sys
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

from int8rt.kernels.jit import disk
from int8rt.kernels.jit.events import compiling
from int8rt.kernels.jit.numba_later import PACKAGES
from int8rt.kernels.jit.object_code import compile_object, load_object, target

_lock = threading.RLock()
# Sources that change after this are not what this process has in memory.
_imported = time.time()
_IMPORT = re.compile(r"^from (int8rt\.[\w.]+) import ([^(\n]+|\([^)]*\))", re.MULTILINE)


class Kernel:
    """`function(block, thread, threads)`, compiled or taken from the disk when `address` is first read.

    The function may use globals of its module and, as closure, only numbers and strings: they are part of its key.
    """

    def __init__(self, function: Callable[..., None]) -> None:
        self._function = function
        self._address = 0

    @property
    def name(self) -> str:
        """The function's name and what it is specialised on."""
        return " ".join([self._function.__name__, *map(str, self._closure().values())])

    @property
    def key(self) -> str:
        """Digest of all that the machine code depends on."""
        function = self._function
        parts = [function.__module__, function.__qualname__, repr(self._closure()), target()]
        parts.append(_sources(function.__module__))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]

    @property
    def address(self) -> int:
        """Address of the compiled function."""
        with _lock:
            if not self._address:
                self._address = self._load()
            return self._address

    def _load(self) -> int:
        key = self.key
        symbol, data = f"int8rt_{key}", disk.load(key)
        if data is None:
            with disk.alone(key):
                data = disk.load(key)
                if data is None:
                    with compiling(self.name):
                        data = compile_object(self._function, symbol)
                    disk.save(key, data)
        return load_object(data, symbol)

    def _closure(self) -> dict[str, int | str]:
        names, cells = self._function.__code__.co_freevars, self._function.__closure__ or ()
        values = {name: cell.cell_contents for name, cell in zip(names, cells, strict=True)}
        assert all(isinstance(value, (int, str)) for value in values.values())
        return values


def kernel(function: Callable[..., None]) -> Kernel:
    """Decorates the function inside a factory that is told what to specialise on."""
    return Kernel(function)


@cache
def _sources(module: str) -> str:
    """Digest of the source of a module and of all that it imports from the packages that compiled code comes from."""
    seen: dict[str, bytes] = {}
    waiting, changed = [module], False
    while waiting:
        name = waiting.pop()
        if name in seen or not name.startswith(PACKAGES):
            continue
        path = _path(name)
        seen[name] = path.read_bytes() if path is not None else b""
        changed = changed or (path is not None and _changed(path))
        for package, names in _IMPORT.findall(seen[name].decode()):
            waiting += [package, *(f"{package}.{item.strip()}" for item in names.strip("()").split(","))]
    digest = hashlib.sha256()
    for name in sorted(seen):
        digest.update(f"{name} {len(seen[name])}\n".encode() + seen[name])
    if changed:  # a key for this process alone: what it compiles is not what the files say now
        digest.update(f"{os.getpid()} {_imported}".encode())
    return digest.hexdigest()


def _changed(path: Path) -> bool:
    """Whether a file was put in its place (or, but on Windows, written) after this process has imported this module."""
    return path.stat().st_ctime > _imported


def _path(module: str) -> Path | None:
    """The source file of a module; None for names that are no modules."""
    loaded = sys.modules.get(module)
    try:
        spec = loaded.__spec__ if loaded is not None else importlib.util.find_spec(module)
    except ModuleNotFoundError:
        return None
    return Path(spec.origin) if spec is not None and spec.origin else None
