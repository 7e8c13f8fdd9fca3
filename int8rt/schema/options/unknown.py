"""What stands for an options table that this version does not know."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UnknownOptions:
    """An options table newer than this schema: number `type` of union `union` (1 or 2). Its content is not kept."""

    union: int
    type: int
