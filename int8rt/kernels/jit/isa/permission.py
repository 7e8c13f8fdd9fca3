"""Linux gives the tile registers of AMX to a process when it asks: then its threads may configure and use them."""

from __future__ import annotations

import ctypes
import functools
import os
import sys

# arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) on x86-64.
_ARCH_PRCTL, _REQUEST, _TILE_DATA = 158, 0x1023, 18


@functools.cache
def refusal() -> str:
    """Asks, once in the life of a process; "" where it may use them from now on, else why not."""
    if sys.platform != "linux":
        return "int8rt uses AMX on Linux only"
    library = ctypes.CDLL(None, use_errno=True)
    if library.syscall(*map(ctypes.c_long, (_ARCH_PRCTL, _REQUEST, _TILE_DATA))) == 0:
        return ""
    return f"the system does not give AMX to this process: {os.strerror(ctypes.get_errno())}"
