"""int8rt as a delegate inside LiteRT's interpreter, without a compiler: see `Int8rtDelegate`."""

from __future__ import annotations

from int8rt.verify.delegate.delegate import Int8rtDelegate

__all__ = ["Int8rtDelegate"]
