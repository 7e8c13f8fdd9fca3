"""A runtime that hangs costs its whole time limit at every question; so after a few it is not asked any more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from int8rt.verify.runtimes.base import Fault

LIMIT = 5


class HangingError(Fault):
    """The runtime was not asked: it did not answer in time too often."""

    def __init__(self) -> None:
        super().__init__("timeout", f"not asked: it gave no answer in time {LIMIT} times in a row")


class Patience:
    """Counts the timeouts of one runtime since its last answer."""

    def __init__(self) -> None:
        self._missed = 0

    @contextmanager
    def asking(self, *, answer: bool) -> Iterator[None]:
        """Around what may take too long. answer: it ends in an answer, after which there is patience anew.

        Raises `HangingError` where there is none left.
        """
        if self._missed >= LIMIT:
            raise HangingError
        try:
            yield
        except Fault as fault:
            self._missed = self._missed + 1 if fault.kind == "timeout" else 0
            raise
        if answer:
            self._missed = 0
