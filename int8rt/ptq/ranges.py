"""How the range of an activation is taken from the values that it has over the samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from int8rt.quantization.from_ranges import squared_error

Array = npt.NDArray[Any]
Method = Literal["minmax", "ema", "percentile", "mse"]

# Bins of the histograms; their width doubles whenever a value falls outside.
_BINS = 2048
# How much of the old range a moving average keeps, a sample; ai-edge-quantizer's value.
_DECAY = 0.95
# The share of values that "percentile" keeps inside, at each end.
_INSIDE = 0.9999


class Ranges(Protocol):
    """Collects the values of one tensor, sample by sample."""

    def see(self, values: Array) -> None:
        """The tensor's values, float32 and finite, for one sample."""

    def range(self) -> tuple[float, float]:
        """The range so far."""

    def state(self) -> Array:
        """All that it knows, float64[n]; `resume` takes it back."""

    def resume(self, state: Array) -> None:
        """Go on from a state."""


class MinMax:
    """The least and the largest value ever seen: TensorFlow's default."""

    def __init__(self) -> None:
        self.low = float("inf")
        self.high = float("-inf")

    def see(self, values: Array) -> None:
        """Widens the range."""
        self.low, self.high = min(self.low, float(values.min())), max(self.high, float(values.max()))

    def range(self) -> tuple[float, float]:
        """The extremes."""
        return self.low, self.high

    def state(self) -> Array:
        """Both extremes."""
        return np.array([self.low, self.high])

    def resume(self, state: Array) -> None:
        """Takes both extremes back."""
        self.low, self.high = float(state[0]), float(state[1])


class MovingAverage(MinMax):
    """An exponential moving average of each sample's extremes: outliers of single samples count less."""

    def see(self, values: Array) -> None:
        """Moves the range towards this sample's."""
        low, high = float(values.min()), float(values.max())
        if np.isfinite(self.low):
            low, high = _DECAY * self.low + (1 - _DECAY) * low, _DECAY * self.high + (1 - _DECAY) * high
        self.low, self.high = low, high


class Histogram:
    """How often values fall into 2048 bins over [-width, width]; the width doubles as it must.

    low, high: the extremes, which no range that is taken from the bins leaves.
    """

    def __init__(self) -> None:
        self.counts = np.zeros(_BINS)
        self.width = 0.0
        self.low = float("inf")
        self.high = float("-inf")

    def see(self, values: Array) -> None:
        """Counts the values."""
        self.low, self.high = min(self.low, float(values.min())), max(self.high, float(values.max()))
        largest = max(-self.low, self.high)
        if self.width == 0:
            self.width = 2.0 ** np.ceil(np.log2(largest)) if largest > 0 else 0.0
        while self.width and largest > self.width:
            inner = self.counts.reshape(-1, 2).sum(axis=1)
            self.counts = np.pad(inner, _BINS // 4)
            self.width *= 2
        if self.width == 0:
            self.counts[_BINS // 2] += values.size
        else:
            self.counts += np.histogram(values, _BINS, (-self.width, self.width))[0]

    def edges(self) -> Array:
        """float64[2049]: the ends of the bins."""
        return np.linspace(-self.width, self.width, _BINS + 1)

    def state(self) -> Array:
        """Width, extremes and counts."""
        return np.concatenate([[self.width, self.low, self.high], self.counts])

    def resume(self, state: Array) -> None:
        """Takes them back."""
        self.width, self.low, self.high = (float(value) for value in state[:3])
        self.counts = np.array(state[3:])


class Percentile(Histogram):
    """The range that keeps 99.99 % of the values below its end, and as many above its start."""

    def range(self) -> tuple[float, float]:
        """To the end of a bin."""
        share, edges = np.cumsum(self.counts) / self.counts.sum(), self.edges()
        first = int(np.searchsorted(share, 1 - _INSIDE, side="right"))
        last = int(np.searchsorted(share, _INSIDE))
        return max(self.low, float(edges[first])), min(self.high, float(edges[min(last, _BINS - 1) + 1]))


class LeastError(Histogram):
    """The range whose 256 codes reproduce the values with the least mean square error.

    Tried: both ends drawn in together, in steps of 1 % down to a tenth of the extremes.
    """

    def range(self) -> tuple[float, float]:
        """The best of the ranges tried."""
        centers = (self.edges()[:-1] + self.edges()[1:]) / 2
        filled = self.counts > 0
        centers, counts = centers[filled], self.counts[filled]
        low, high = min(self.low, 0.0), max(self.high, 0.0)
        best, least = 1.0, np.inf
        for share in np.linspace(1, 0.1, 91):
            error = squared_error(centers, counts, low * float(share), high * float(share))
            if error < least:
                best, least = float(share), error
        return max(self.low, low * best), min(self.high, high * best)


METHODS: Mapping[str, Callable[[], Ranges]] = {
    "minmax": MinMax,
    "ema": MovingAverage,
    "percentile": Percentile,
    "mse": LeastError,
}
