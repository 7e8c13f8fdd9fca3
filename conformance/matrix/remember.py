"""Answers that are remembered from one making of the matrix to the next; a runtime that only hangs is given up."""

from __future__ import annotations

from collections.abc import Sequence

from int8rt.verify.runtimes import remember
from int8rt.verify.runtimes.base import Answer, Array
from int8rt.verify.runtimes.patience import HangingError


class LostError(Exception):
    """The runtime does nothing but hang."""


class Remembering(remember.Remembering):
    """Raises `LostError` where the runtime is not asked any more."""

    def run(self, inputs: Sequence[Array], read: Sequence[int] = ()) -> Answer:
        """As the parent does."""
        try:
            return super().run(inputs, read)
        except HangingError as fault:
            raise LostError(str(fault)) from None
