"""Deliberately wrong arithmetics, one small change of an operator each: what a runtime could easily get wrong.

They measure the operator suite (`docs/mutations.md`), are known to `int8rt identify`, and can be injected into a
running interpreter by `int8rt.verify.delegate`.
"""

from __future__ import annotations

from int8rt.verify.identify.mutants.changes import Mutation
from int8rt.verify.identify.mutants.table import MUTATIONS, find_mutation, mutations_of

__all__ = ["MUTATIONS", "Mutation", "find_mutation", "mutations_of"]
