"""Arrays handed out without a copy, and whether any of them is still held."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.errors import StateError


class Loans:
    """Lends views of arrays; knows whether one of them, or a slice of one, is still referenced somewhere."""

    def __init__(self) -> None:
        self._loans: weakref.WeakSet[_Loan] = weakref.WeakSet()
        self._lent = False

    def lend(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """A view of `array` that counts as held for as long as anything refers to it. Arrays of objects are copied."""
        if array.dtype == object:
            return array.copy()
        loan = _Loan(array)
        self._loans.add(loan)
        self._lent = True
        return np.asarray(loan)

    @property
    def held(self) -> bool:
        """Whether any view is still referenced."""
        return len(self._loans) > 0

    def ensure_none(self) -> None:
        """Raise `StateError` if any view is still referenced: what follows would leave it behind."""
        if self._lent and self.held:
            raise StateError(
                "There is at least 1 reference to internal data of the interpreter in the form of a numpy array or "
                "slice: hold the function that tensor() returns, not its result"
            )


class _Loan:
    """The base object of every view made of it: NumPy keeps it alive until the last slice is gone."""

    def __init__(self, array: npt.NDArray[Any]) -> None:
        self.array = array
        self.__array_interface__ = array.__array_interface__
