"""Type signatures of operators: "int8,int8,int32? -> int8".

Types are comma-separated; `?` marks an optional one, `*` any number of tensors of one type, `any` every type. `T`
stands for one type everywhere in the signature and is spelled out by `expand`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from int8rt.model import TensorType


@dataclass(frozen=True, slots=True)
class _Slot:
    types: frozenset[TensorType]
    optional: bool
    repeated: bool


@dataclass(frozen=True, slots=True)
class Signature:
    """Accepted types of inputs and outputs. Build it with `signatures`.

    pattern: what it was made of, with `T` still in it; T: what that stands for here.
    """

    text: str
    inputs: tuple[_Slot, ...]
    outputs: tuple[_Slot, ...]
    pattern: str
    T: str = ""

    def matches(self, inputs: tuple[TensorType | None, ...], outputs: tuple[TensorType, ...]) -> bool:
        """Whether these types fit; None is an optional input that is absent."""
        return _fits(self.inputs, inputs) and _fits(self.outputs, outputs)

    def __str__(self) -> str:
        return self.text


def signatures(*texts: str, T: Iterable[str] = ()) -> tuple[Signature, ...]:  # noqa: N803 - T is the type variable
    """Parse signatures; one that contains `T` is repeated for each type in `T`."""
    parsed: list[Signature] = []
    for text in texts:
        if re.search(r"\bT\b", text):
            parsed.extend(_parse(re.sub(r"\bT\b", t, text), text, t) for t in T)
        else:
            parsed.append(_parse(text, text))
    return tuple(parsed)


def _parse(text: str, pattern: str, t: str = "") -> Signature:
    inputs, _, outputs = text.partition("->")
    return Signature(text, _slots(inputs), _slots(outputs), pattern, t)


def _slots(text: str) -> tuple[_Slot, ...]:
    return tuple(_slot(part.strip()) for part in text.split(",") if part.strip())


def _slot(part: str) -> _Slot:
    name = part.rstrip("?*")
    types = frozenset(TensorType) if name == "any" else frozenset(TensorType[n.upper()] for n in name.split("|"))
    return _Slot(types, "?" in part, "*" in part)


def _is_of(type: TensorType | None, slot: _Slot) -> bool:
    return slot.optional if type is None else type in slot.types


def _fits(slots: tuple[_Slot, ...], types: tuple[TensorType | None, ...]) -> bool:
    position = 0
    for slot in slots:
        if slot.repeated:
            while position < len(types) and _is_of(types[position], slot):
                position += 1
        elif position < len(types) and _is_of(types[position], slot):
            position += 1
        elif not (slot.optional and position >= len(types)):
            return False
    return position == len(types)
