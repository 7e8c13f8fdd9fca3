"""Times of several things that do the same, measured in turns, so that what else the machine does meets all of them."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

_TURN_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds that one run takes: the median of `runs`, the 10th and the 90th of a hundred, and the least."""

    median: float
    p10: float
    p90: float
    least: float
    runs: int


def measure(contenders: Mapping[str, Callable[[], object]], seconds: float) -> dict[str, Times]:
    """Run all contenders for `seconds` in all, each for about the same time and at least three times.

    They take turns of some hundredths of a second; the first run of each turn warms the caches and does not count,
    where a turn has more than two.
    """
    samples: dict[str, list[float]] = {name: [] for name in contenders}
    spent = dict.fromkeys(contenders, 0.0)
    turns = dict.fromkeys(contenders, 0)
    enabled = gc.isenabled()
    gc.disable()
    try:
        for run in contenders.values():
            run()
        while sum(spent.values()) < seconds or min(turns.values()) < 3:
            name = min(contenders, key=lambda name: (turns[name] >= 3, spent[name]))
            run, turn = contenders[name], list[float]()
            begin = before = time.perf_counter()
            while not turn or before - begin < _TURN_SECONDS:
                run()
                after = time.perf_counter()
                turn.append(after - before)
                before = after
            spent[name] += before - begin
            turns[name] += 1
            samples[name] += turn[1:] if len(turn) > 2 else turn
    finally:
        if enabled:
            gc.enable()
    return {name: summarize(values) for name, values in samples.items()}


def summarize(values: list[float]) -> Times:
    """The `Times` of single runs."""
    p10, median, p90 = np.percentile(values, [10, 50, 90]).tolist()
    return Times(median, p10, p90, min(values), len(values))
