"""TOSA: a model is converted by tosa-converter-for-tflite, then run by the reference model, or compiled by IREE."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import subprocess
import sys
import time
from typing import Any

import numpy as np


class CrashedError(Exception):
    """A program ended by a signal."""

    crashed = True


def program(name: str) -> str:
    """The path of a program beside this Python. Raises `ImportError` where it is not."""
    path = os.path.join(os.path.dirname(sys.executable), name)
    if not os.path.exists(path):
        raise ImportError(f"there is no {name} beside {os.path.basename(sys.executable)}")
    return path


def call(*arguments: str) -> str:
    """Run a program to its end; what it printed. `ValueError` with its last words where it fails."""
    done = subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    printed = done.stdout.decode(errors="replace").strip()
    if done.returncode:
        errors = [line for line in printed.splitlines() if "error" in line.lower()] or printed.splitlines()[-1:]
        what = f"{os.path.basename(arguments[0])} ended with {done.returncode}: {' '.join(errors)[:500]}"
        # Behind a launcher in Python, a signal shows as a negative status or as 128 more.
        raise CrashedError(what) if done.returncode < 0 or done.returncode > 128 else ValueError(what)
    return printed


def version(name: str) -> str:
    """Name and version of a distribution."""
    return f"{name} {importlib.metadata.version(name)}"


def convert(content: bytes) -> str:
    """Write the model as TOSA's bytecode; the file."""
    source, target = "model.tflite", "model.mlirbc"
    with open(source, "wb") as file:
        file.write(content)
    if os.path.exists(target):
        os.remove(target)
    call(program("tosa-converter-for-tflite"), source, "--bytecode", "-o", target)
    if not os.path.exists(target):
        raise ValueError("tosa-converter-for-tflite wrote nothing")
    return target


def signless(values: list[Any]) -> list[Any]:
    """uint8 and its kin as the signed integers with the same bits, which is what converted models have."""
    return [v.view(f"i{v.itemsize}") if v.dtype.kind == "u" else v for v in map(np.ascontiguousarray, values)]


def as_declared(value: Any, output: dict[str, Any]) -> Any:
    """A value with the same bits in the declared type, where it is an integer of the same size."""
    dtype = np.dtype(output["dtype"])
    alike = value.dtype.kind in "iu" and dtype.kind in "iu" and value.dtype.itemsize == dtype.itemsize
    return np.ascontiguousarray(value).view(dtype).reshape(value.shape) if alike else value


class Tosa:
    """The TOSA reference model (`tosa-tools`)."""

    def __init__(self, request: dict[str, Any], content: bytes) -> None:
        self.description = f"TOSA reference model of {version('tosa-tools')}, {version('tosa-converter-for-tflite')}"
        self.program = program("tosa_reference_model")
        self.outputs = request["outputs"]
        unsigned = any(np.dtype(tensor["dtype"]).kind == "u" for tensor in [*request["inputs"], *self.outputs])
        call(
            program("tosa-opt"),
            convert(content),
            *["--tosa-convert-integer-type-to-signless"] * unsigned,
            "--tosa-serialize=tosa-flatbuffer-filename=model.tosa",
            "-o",
            os.devnull,
        )

    def run(self, inputs: list[Any], read: list[int]) -> tuple[list[Any], dict[int, Any], float]:
        """Outputs and the seconds of the run; intermediate tensors are not read."""
        given = [f"input{i}.npy" for i in range(len(inputs))]
        taken = [f"output{i}.npy" for i in range(len(self.outputs))]
        for name in taken:
            if os.path.exists(name):
                os.remove(name)
        for name, value in zip(given, signless(inputs)):  # noqa: B905 - Python 3.9 has no `strict`
            np.save(name, value)
        start = time.perf_counter()
        call(
            self.program,
            "--tosa_file=model.tosa",
            "--flatbuffer_dir=.",
            "--output_dir=.",
            f"--ifm_name={','.join(f'TosaInput_{i}' for i in range(len(given)))}",
            f"--ifm_file={','.join(given)}",
            f"--ofm_name={','.join(f'TosaOutput_{i}' for i in range(len(taken)))}",
            f"--ofm_file={','.join(taken)}",
            "--tosa_level=NONE",
        )
        seconds = time.perf_counter() - start
        values = [np.load(name) for name in taken]
        return [as_declared(v, o) for v, o in zip(values, self.outputs)], {}, seconds  # noqa: B905


class Iree:
    """IREE on this processor, compiled from TOSA."""

    def __init__(self, request: dict[str, Any], content: bytes) -> None:
        self.runtime = importlib.import_module("iree.runtime")
        self.description = f"IREE: {version('iree-base-compiler')}, {version('tosa-converter-for-tflite')}"
        self.outputs = request["outputs"]
        compiled = "model.vmfb"
        call(
            program("iree-compile"),
            convert(content),
            "--iree-input-type=tosa",
            "--iree-hal-target-device=local",
            "--iree-hal-local-target-device-backends=llvm-cpu",
            "--iree-llvmcpu-target-cpu=host",
            "-o",
            compiled,
        )
        self.config = self.runtime.Config("local-sync")
        with open(compiled, "rb") as file:
            module = self.runtime.VmModule.copy_buffer(self.config.vm_instance, file.read())
        self.module = self.runtime.load_vm_module(module, self.config)

    def run(self, inputs: list[Any], read: list[int]) -> tuple[list[Any], dict[int, Any], float]:
        """Outputs and the seconds of the run; intermediate tensors are not read."""
        start = time.perf_counter()
        answer = self.module.main(*signless(inputs))
        values = [v.to_host() for v in (answer if isinstance(answer, (list, tuple)) else [answer])]
        seconds = time.perf_counter() - start
        # The memory belongs to a buffer of IREE's.
        return [np.array(as_declared(v, o)) for v, o in zip(values, self.outputs)], {}, seconds  # noqa: B905
