"""Threads that run one program together, and sleep between its runs."""

from __future__ import annotations

import ctypes
import os
import threading
import weakref
from collections.abc import Iterator
from functools import cache

import numpy as np
import numpy.typing as npt

from int8rt.kernels.jit import team
from int8rt.kernels.jit.run import entry

Words = npt.NDArray[np.int64]

# More than any platform's mutex and condition take.
_PRIMITIVE_BYTES = 256
_FUNCTIONS = {
    team.LOCK: "pthread_mutex_lock",
    team.UNLOCK: "pthread_mutex_unlock",
    team.WAIT: "pthread_cond_wait",
    team.WAKE_ALL: "pthread_cond_broadcast",
    team.GIVE_WAY: "sched_yield",
}
_PATIENCE = 1.0  # seconds

# How often this process is a fork of the one that imported this module: threads do not survive that.
_forks = 0


def _count_fork() -> None:
    global _forks
    _forks += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_count_fork)


def processors() -> int:
    """How many processors this process may use; more threads than that would only wait for one another."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Pool:
    """`threads` threads for one program, of which the caller of `run` is the first. They end with this object.

    table: the program's. Where the platform gives fewer threads, or has no POSIX threads, there are fewer: results do
    not depend on it.
    """

    def __init__(self, threads: int, table: Words) -> None:
        self._forks = _forks
        self._lock = threading.Lock()
        self._table = table
        # What the threads may read, kept alive by them too.
        self._memory = [table, _team(table)]
        self._team = int(self._memory[1].ctypes.data)
        self._shares = threads
        self._jobs: dict[tuple[int, int], int] = {}
        self._lead = entry(team.lead)
        started = _start(self._memory, threads - 1) if _library() is not None else []
        weakref.finalize(self, _dismiss, self._team, started, self._memory, self._forks)

    @property
    def alive(self) -> bool:
        """False in a child process, which has none of these threads."""
        return self._forks == _forks

    def run(self, first: int, last: int) -> None:
        """Run rows [first, last) of the table."""
        with self._lock:
            job = self._jobs.get((first, last))
            if job is None:
                job = self._jobs[first, last] = self._job(first, last)
            self._lead(self._team, job, 0)

    def _job(self, first: int, last: int) -> int:
        """The address of the rows' job."""
        groups, shares = [], 0
        for begin, end, shared in _groups(self._table[first:last, 2].tolist()):
            count = self._shares if shared else 1
            groups.append((first + begin, first + end, count, shares))
            shares += count
        claims = _aligned(shares * team.CLAIM_BYTES)
        job = np.array([len(groups), claims.ctypes.data, *np.ravel(np.array(groups, np.int64))], np.int64)
        self._memory += [claims, job]
        return int(job.ctypes.data)


def _groups(shared: list[int]) -> Iterator[tuple[int, int, bool]]:
    """Each shared row, and each run of rows between them: [first, last), shared."""
    begin = 0
    for row, flag in enumerate(shared):
        if flag:
            if begin < row:
                yield begin, row, False
            yield row, row + 1, True
            begin = row + 1
    if begin < len(shared):
        yield begin, len(shared), False


@cache
def _library() -> ctypes.CDLL | None:
    """The C library; None where it has no POSIX threads."""
    try:
        library = ctypes.CDLL(None)
    except TypeError:
        return None
    names = (*_FUNCTIONS.values(), "pthread_mutex_init", "pthread_cond_init")
    return library if all(hasattr(library, name) for name in names) else None


def _team(table: Words) -> Words:
    """The memory of a team."""
    words = _aligned(team.TEAM_BYTES + 2 * _PRIMITIVE_BYTES)
    words[team.TABLE // 8] = table.ctypes.data
    library = _library()
    if library is not None:
        mutex = int(words.ctypes.data) + team.TEAM_BYTES
        condition = mutex + _PRIMITIVE_BYTES
        words[team.MUTEX // 8], words[team.CONDITION // 8] = mutex, condition
        library.pthread_mutex_init(ctypes.c_void_p(mutex), None)
        library.pthread_cond_init(ctypes.c_void_p(condition), None)
        for place, name in _FUNCTIONS.items():
            words[place // 8] = ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0
    return words


def _aligned(size: int) -> Words:
    """So many zero bytes, at the start of a cache line."""
    memory = np.zeros(size // 8 + 8, np.int64)
    return memory[-memory.ctypes.data % 64 // 8 :]


def _start(memory: list[Words], count: int) -> list[threading.Thread]:
    """Start so many threads: those that did start."""
    started: list[threading.Thread] = []
    for number in range(1, count + 1):
        thread = threading.Thread(target=_follow, args=(memory, number), name=f"int8rt-{number}", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no more threads, or the interpreter is shutting down
            break
        started.append(thread)
    return started


def _follow(memory: list[Words], number: int) -> None:
    # `memory` stays alive as long as this thread, which knows of no pool.
    entry(team.follow)(int(memory[1].ctypes.data), number, 0)


def _dismiss(address: int, started: list[threading.Thread], memory: list[Words], forks: int) -> None:
    """End the threads, and see them off: at the end of the process none may be left in compiled code."""
    if forks != _forks or not started:
        return
    entry(team.dismiss)(address, 0, 0)
    for thread in started:
        if thread is not threading.current_thread():
            thread.join(_PATIENCE)
