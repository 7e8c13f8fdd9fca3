"""The smallest model that still shows what a runtime does otherwise."""

from __future__ import annotations

from int8rt.verify.reduce.search import Reduction, reduce
from int8rt.verify.reduce.trial import Case

__all__ = ["Case", "Reduction", "reduce"]
