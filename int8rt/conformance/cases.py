"""The suite's cases, from `suite.json`: every combination of a group's grid, for each of its operators and types."""

from __future__ import annotations

import itertools
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from int8rt.conformance.makers import MAKERS
from int8rt.errors import InputError
from int8rt.model import Model, TensorType

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """name: unique, and the seed of its data. rule: what it tests. expect: an exact answer, or a refusal."""

    name: str
    operator: str
    type: str
    rule: str
    maker: str
    expect: Literal["exact", "refused"]
    parameters: Mapping[str, Any]

    def make(self) -> tuple[Model, list[Array]]:
        """The model and its inputs; the same for the same name."""
        rng = np.random.Generator(np.random.PCG64(zlib.crc32(self.name.encode())))
        return MAKERS[self.maker](self.operator, TensorType[self.type.upper()], rng, **self.parameters)


@cache
def all_cases() -> tuple[Case, ...]:
    """The whole suite, in its order."""
    return tuple(case for group in json.loads(_text())["groups"] for case in expand(group))


def fingerprint() -> str:
    """Which suite this is: eight hexadecimal digits."""
    return f"{zlib.crc32(_text().encode()):08x}"


def _text() -> str:
    return (resources.files("int8rt.conformance") / "suite.json").read_text(encoding="utf-8")


def expand(group: Mapping[str, Any]) -> list[Case]:
    """The cases of one group of `suite.json`."""
    grid: Mapping[str, Sequence[Any]] = group["grid"]
    cases = []
    for operator, type in itertools.product(group["operators"], group["types"]):
        for values in itertools.product(*grid.values()):
            chosen = dict(zip(grid, values, strict=True))
            label = " ".join(f"{key}={_shown(value)}" for key, value in chosen.items())
            cases.append(
                Case(
                    f"{operator}/{type}/{group['name']}/{label}",
                    operator,
                    type,
                    group["rule"],
                    group["maker"],
                    group.get("expect", "exact"),
                    group.get("fixed", {}) | chosen,
                )
            )
    return cases


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(_shown(item) for item in value)
    return str(value)


def chosen_cases(operators: Sequence[str] = (), types: Sequence[str] = (), text: str = "") -> list[Case]:
    """Those of some operators and types, in any letters, with `text` in their names; nothing asks for all.

    Raises `InputError` where the suite has no such operator or type, or no case that is all of that.
    """
    cases = all_cases()
    wanted_operators = _known("operator", [name.upper() for name in operators], [case.operator for case in cases])
    wanted_types = _known("type", [name.lower() for name in types], [case.type for case in cases])
    chosen = [c for c in cases if c.operator in wanted_operators and c.type in wanted_types and text in c.name]
    if not chosen:
        raise InputError("the suite has no such case")
    return chosen


def _known(what: str, wanted: Sequence[str], there: Sequence[str]) -> set[str]:
    for name in wanted:
        if name not in there:
            raise InputError(f"the suite has no {what} {name}; it has {', '.join(sorted(set(there)))}")
    return set(wanted or there)
