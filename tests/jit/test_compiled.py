"""Kernels on the disk: what they are found by, and that nothing but compiling needs Numba."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from int8rt.kernels.jit import compiled, disk, object_code
from int8rt.kernels.jit.abi import address_of, kernel, load_i64, store_i64
from int8rt.kernels.jit.events import listening
from int8rt.kernels.jit.run import entry


def adder(number: int) -> compiled.Kernel:
    """Adds `number` to the int64 at the block's address."""

    @kernel
    def add(block: Any, thread: Any, threads: Any) -> None:
        store_i64(address_of(block), 0, load_i64(address_of(block), 0) + number)

    return add


def applied(what: compiled.Kernel, value: int) -> int:
    word = np.array([value])
    entry(what)(word.ctypes.data, 0, 1)
    return int(word[0])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INT8RT_CACHE_DIR", str(tmp_path / "kernels"))
    return tmp_path / "kernels"


def compilations(action: Callable[[], object]) -> list[str]:
    names: list[str] = []
    with listening(lambda name: names.append(name) if name else None):
        action()
    return names


def test_a_kernel_is_compiled_once_and_then_comes_from_the_disk(folder: Path) -> None:
    assert compilations(lambda: applied(adder(5), 1)) == ["add 5"]
    assert [path.stem for path in disk.entries()] == [adder(5).key]
    assert compilations(lambda: applied(adder(5), 1)) == []
    assert applied(adder(5), 37) == 42


def test_the_key_holds_what_a_kernel_is_specialised_on() -> None:
    assert adder(5).key == adder(5).key
    assert adder(5).key != adder(6).key


def test_the_key_holds_the_sources(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    copy = tmp_path / "atomics.py"
    real = compiled._path

    def keys() -> list[str]:
        compiled._sources.cache_clear()
        return [compiled._sources(f"int8rt.kernels.jit.{name}") for name in ("team", "softmax")]

    before = keys()
    source = real("int8rt.kernels.jit.atomics")
    assert source is not None
    copy.write_bytes(source.read_bytes() + b"# changed\n")
    monkeypatch.setattr(compiled, "_path", lambda name: copy if name.endswith(".atomics") else real(name))
    after = keys()
    compiled._sources.cache_clear()
    assert before[0] != after[0]  # team.py imports atomics.py
    assert before[1] == after[1]  # softmax.py does not


def test_sources_that_changed_since_they_were_imported_have_a_key_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def digest(imported: float) -> str:
        monkeypatch.setattr(compiled, "_imported", imported)
        compiled._sources.cache_clear()
        return compiled._sources("int8rt.kernels.jit.team")

    source = compiled._path("int8rt.kernels.jit.atomics")
    assert source is not None
    newest = source.stat().st_ctime
    later = time.time()
    assert digest(later) == digest(later + 1)
    assert digest(newest - 2) != digest(later)
    assert digest(newest - 2) != digest(newest - 3)
    compiled._sources.cache_clear()


DAMAGE = {
    "shorter": lambda data: data[:-1],
    "head only": lambda data: data[:20],
    "empty": lambda data: b"",
    "longer": lambda data: data + b"x",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=list(DAMAGE))
def test_a_damaged_file_is_compiled_anew(folder: Path, damage: Callable[[bytes], bytes]) -> None:
    applied(adder(7), 0)
    (path,) = disk.entries()
    path.write_bytes(damage(path.read_bytes()))
    assert compilations(lambda: applied(adder(7), 0)) == ["add 7"]
    assert compilations(lambda: applied(adder(7), 0)) == []


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="no POSIX permissions")
@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_file_that_others_may_write_is_not_trusted(folder: Path, what: str) -> None:
    applied(adder(8), 0)
    (path,) = disk.entries()
    (path if what == "file" else folder).chmod(0o777)
    assert disk.load(adder(8).key) is None
    (path if what == "file" else folder).chmod(0o700)
    assert disk.load(adder(8).key) is not None


def test_without_a_folder_that_can_be_written_kernels_are_compiled_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("INT8RT_CACHE_DIR", str(tmp_path / "file" / "kernels"))
    assert applied(adder(9), 1) == 10
    assert disk.entries() == []
    assert disk.clear() == (0, 0)


@pytest.mark.skipif(sys.platform == "win32", reason="no fcntl")
def test_two_processes_compile_a_kernel_once(folder: Path) -> None:
    script = "from tests.jit.test_compiled import adder, compilations\nprint(compilations(lambda: adder(11).address))\n"
    command = [sys.executable, "-c", script]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert sorted(process.communicate(timeout=120)[0] for process in both) == ["['add 11']\n", "[]\n"]
    assert [path.suffix for path in folder.iterdir()] == [".kernel"]


def test_clear(folder: Path) -> None:
    applied(adder(10), 0)
    size = disk.entries()[0].stat().st_size
    assert disk.clear() == (1, size)
    assert disk.entries() == []


def test_code_that_calls_python_is_refused(folder: Path) -> None:
    @kernel
    def shout(block: Any, thread: Any, threads: Any) -> None:
        print(thread)

    with pytest.raises(RuntimeError, match="shout calls"):
        _ = shout.address


def test_a_model_runs_without_numba_once_its_kernels_are_there(folder: Path) -> None:
    script = (
        "import sys, json, int8rt\n"
        "from tests.interpreter.models import two_adds\n"
        "interpreter = int8rt.Interpreter(model_content=two_adds(), backend='jit', num_threads=2)\n"
        "interpreter.allocate_tensors(); interpreter.invoke()\n"
        "print(json.dumps(['numba' in sys.modules, interpreter.get_tensor(\n"
        "    interpreter.get_output_details()[0]['index']).tolist()]))\n"
    )

    def run() -> Any:
        return json.loads(subprocess.check_output([sys.executable, "-c", script], text=True))

    compiles, first = run()
    runs, second = run()
    assert (compiles, runs) == (True, False)
    assert first == second


def test_the_target_names_the_processor() -> None:
    assert "llvm" in object_code.target()
    assert object_code.target() == object_code.target()
