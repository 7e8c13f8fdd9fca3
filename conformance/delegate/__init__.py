"""An external delegate in C, right or wrong as its options say: to try a conformance run on."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

SOURCE = Path(__file__).resolve().parent / "delegate.c"


def compiler() -> str | None:
    """The C compiler: what CC names, else cc, gcc or clang; None where there is none."""
    return next(
        (found for name in (os.environ.get("CC"), "cc", "gcc", "clang") if name and (found := shutil.which(name))), None
    )


def build(library: Path) -> None:
    """Compile the delegate into a shared library; `RuntimeError` where that fails."""
    program = compiler()
    if program is None:
        raise RuntimeError("there is no C compiler: install one, or name it in CC")
    flags = [
        "-std=c11",
        "-O2",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-ffp-contract=off",
        "-fPIC",
        "-shared",
        "-fvisibility=hidden",
    ]
    done = subprocess.run([program, *flags, "-o", str(library), str(SOURCE), "-lm"], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{program} failed:\n{done.stderr}")
