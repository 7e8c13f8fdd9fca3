"""The compiled loops of the threads that run a program's rows together.

A job is a list of groups: a row that is shared, split into as many shares as there are threads, or rows that one
thread runs alone. A thread takes its own share of a group, then those that nobody has taken yet, and waits until all of
the group is done. So a thread that is late, asleep or not scheduled holds up nobody, unless in the middle of a share.
"""

from __future__ import annotations

from int8rt.kernels.jit.abi import address_of, helper, kernel, load_i64
from int8rt.kernels.jit.atomics import atomic_add, atomic_load, atomic_max, atomic_store, call_library, pause
from int8rt.kernels.jit.run import run_rows

# A team's memory. Words that are written while others spin on them have cache lines of their own. The generation is odd
# while a job is being written down; `done` counts shares, over all jobs.
GENERATION, SLEEPERS, DONE, STOP, JOB = range(0, 320, 64)
BASE, TABLE, MUTEX, CONDITION, LOCK, UNLOCK, WAIT, WAKE_ALL, GIVE_WAY = range(JOB + 8, JOB + 80, 8)
TEAM_BYTES = JOB + 128

# A job: its number of groups, the address of its claims, one cache line for each share; then four int64 for each group:
# rows [first, last), number of shares, number of shares of all groups before.
JOB_HEADER, GROUP = 2, 4
CLAIM_BYTES = 64

# Pauses (some 50 ns each) before a thread sleeps that waits for a job, and before it gives way that waits for others.
_IDLE_PAUSES = 1000
_WAITING_PAUSES = 2000


@helper
def work(team, job, base, generation, thread):  # type: ignore[no-untyped-def]
    """Thread `thread` at a job. Does nothing where the others have long finished it, or are at another one."""
    table, claims = load_i64(team + TABLE, 0), load_i64(job, 1)
    for number in range(load_i64(job, 0)):
        group = JOB_HEADER + GROUP * number
        shares, before = load_i64(job, group + 2), load_i64(job, group + 3)
        end = base + before + shares
        if atomic_load(team + DONE) >= end:
            continue
        for k in range(shares):
            share = (thread + k) % shares
            claim = claims + CLAIM_BYTES * (before + share)
            if atomic_load(claim) < generation and atomic_max(claim, generation) < generation:
                run_rows(table, load_i64(job, group), load_i64(job, group + 1), share, shares)
                atomic_add(team + DONE, 1)
        pauses = 0
        while atomic_load(team + DONE) < end:
            if pauses < _WAITING_PAUSES:
                pauses += 1
                pause()
            else:
                call_library(load_i64(team + GIVE_WAY, 0), 0, 0)


@helper
def announce(team):  # type: ignore[no-untyped-def]
    """Make the generation even: it can be worked at. Who sleeps is woken."""
    generation = atomic_add(team + GENERATION, 1) + 1
    if atomic_load(team + SLEEPERS) > 0:
        # Who is about to sleep has the mutex until it does: with it, no wake-up gets lost.
        call_library(load_i64(team + LOCK, 0), load_i64(team + MUTEX, 0), 0)
        call_library(load_i64(team + WAKE_ALL, 0), load_i64(team + CONDITION, 0), 0)
        call_library(load_i64(team + UNLOCK, 0), load_i64(team + MUTEX, 0), 0)
    return generation


@helper
def wait(team, seen):  # type: ignore[no-untyped-def]
    """Spin for a while, then sleep, until there is another generation than the one seen."""
    pauses = 0
    while atomic_load(team + GENERATION) == seen and pauses < _IDLE_PAUSES:
        pauses += 1
        pause()
    if atomic_load(team + GENERATION) == seen:
        call_library(load_i64(team + LOCK, 0), load_i64(team + MUTEX, 0), 0)
        atomic_add(team + SLEEPERS, 1)
        while atomic_load(team + GENERATION) == seen:
            call_library(load_i64(team + WAIT, 0), load_i64(team + CONDITION, 0), load_i64(team + MUTEX, 0))
        atomic_add(team + SLEEPERS, -1)
        call_library(load_i64(team + UNLOCK, 0), load_i64(team + MUTEX, 0), 0)


@kernel
def lead(block, job, unused):  # type: ignore[no-untyped-def]
    """Run a job with the team at `block`; the caller is its thread 0, and the only one that gives it jobs."""
    team = address_of(block)
    atomic_add(team + GENERATION, 1)
    base = atomic_load(team + DONE)
    atomic_store(team + JOB, job)
    atomic_store(team + BASE, base)
    work(team, job, base, announce(team), 0)


@kernel
def follow(block, thread, unused):  # type: ignore[no-untyped-def]
    """The life of thread `thread` > 0 of the team at `block`."""
    team = address_of(block)
    seen = 0
    while True:
        wait(team, seen)
        seen = atomic_load(team + GENERATION)
        if atomic_load(team + STOP) != 0:
            return
        job, base = atomic_load(team + JOB), atomic_load(team + BASE)
        if seen % 2 == 0 and atomic_load(team + GENERATION) == seen:
            work(team, job, base, seen, thread)


@kernel
def dismiss(block, unused, unused_too):  # type: ignore[no-untyped-def]
    """End all threads of the team at `block` but the caller."""
    team = address_of(block)
    atomic_store(team + STOP, 1)
    atomic_add(team + GENERATION, 1)
    announce(team)
