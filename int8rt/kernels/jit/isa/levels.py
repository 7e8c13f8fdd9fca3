"""The instruction-set levels, and which of them is used."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping

from llvmlite import binding

from int8rt.errors import InputError
from int8rt.kernels.jit.isa.level import Level as Level
from int8rt.kernels.jit.isa.x86 import Amx, Avx2, Avx512Vbmi, Avx512Vnni, AvxVnni, EmulatedAmx

EMULATED, AMX = EmulatedAmx(), Amx()
# The slowest first; the emulated one is used only where it is asked for by name.
LEVELS: tuple[Level, ...] = (EMULATED, Level(), Avx2(), AvxVnni(), Avx512Vnni(), Avx512Vbmi(), AMX)
BY_NAME: Mapping[str, Level] = {level.name: level for level in LEVELS}


@functools.cache
def available_levels(emulated: bool = False) -> tuple[Level, ...]:
    """The levels that this processor has, the slowest first. emulated: with what is there for tests only."""
    has = binding.get_host_cpu_features()
    return tuple(level for level in LEVELS if level.available(has) and (emulated or level is not EMULATED))


def choose_level(name: str | None = None) -> Level:
    """The level of that name, of INT8RT_ISA, or the best one that this processor has.

    Raises `InputError` for a name that is unknown or that this processor lacks.
    """
    wanted = name or os.environ.get("INT8RT_ISA")
    if not wanted:
        return default_level()[0]
    levels = {level.name: level for level in available_levels(emulated=True)}
    if wanted not in levels:
        names = ", ".join(level.name for level in available_levels())
        raise InputError(f"instruction set {wanted!r} is not available here; available: {names}")
    return levels[wanted]


@functools.cache
def default_level() -> tuple[Level, str]:
    """The best level that this processor has; and why it is not AMX, where the processor has that.

    AMX must have computed right on this machine first: int8rt was written on machines without it.
    """
    *others, best = available_levels()
    if best is not AMX:
        return best, AMX.refused(binding.get_host_cpu_features())
    from int8rt.kernels.jit.proof import fault  # which runs kernels

    reason = fault(best)
    return (others[-1], reason) if reason else (best, "")
