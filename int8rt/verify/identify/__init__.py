"""Which arithmetic a runtime uses: known ones are tried on everything that it computes."""

from __future__ import annotations

from int8rt.verify.identify.search import Finding, Identification, identify

__all__ = ["Finding", "Identification", "identify"]
