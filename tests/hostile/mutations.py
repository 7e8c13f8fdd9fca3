"""Broken variants of model files, the same ones for the same seed.

    for mutant in mutants({"conv": data}, 1000):
        ...  # mutant.data is the file; mutant.name says how it was made

Some are made of the bytes (cut, flipped, wild numbers where offsets and lengths stand), the others of the model's
fields (an index, a shape, an option out of range) and written again, so that they get past the first checks.
"""

from __future__ import annotations

import dataclasses
import random
import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from int8rt.errors import ModelError
from int8rt.model import Model
from int8rt.schema import read_model, write_model


@dataclasses.dataclass(frozen=True, slots=True)
class Mutant:
    """A variant of file `base`; `kind` and `index` name it."""

    base: str
    kind: str
    index: int
    data: bytes

    @property
    def name(self) -> str:
        """For messages."""
        return f"{self.base}-{self.kind}-{self.index}"


def mutants(bases: Mapping[str, bytes], count: int, seed: int = 0) -> Iterator[Mutant]:
    """`count` variants of `bases` (readable files by name), each made by its own random numbers."""
    names = sorted(bases)
    models = {name: read_model(bases[name]) for name in names}
    kinds = [*BYTES, *FIELDS]
    for index in range(count):
        rng = random.Random(f"{seed}:{index}")
        base = names[index % len(names)]
        kind = kinds[index // len(names) % len(kinds)]
        if kind in BYTES:
            data = bytearray(bases[base])
            for _ in range(rng.choice((1, 1, 1, 2, 5))):
                data = BYTES[kind](data, rng)
            yield Mutant(base, kind, index, bytes(data))
        else:
            yield Mutant(base, kind, index, _written(models[base], FIELDS[kind], rng))


def _truncate(data: bytearray, rng: random.Random) -> bytearray:
    return data[: rng.randrange(len(data) + 1)]


def _flip(data: bytearray, rng: random.Random) -> bytearray:
    for _ in range(rng.choice((1, 1, 2, 8))):
        if data:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return data


def _byte(data: bytearray, rng: random.Random) -> bytearray:
    if data:
        data[rng.randrange(len(data))] = rng.choice((0, 1, 2, 127, 128, 254, 255, rng.randrange(256)))
    return data


def _number(data: bytearray, rng: random.Random, width: int) -> bytearray:
    if len(data) < width:
        return data
    position = rng.randrange(0, len(data) - width + 1, rng.choice((1, width, width)))
    size = len(data)
    pool = [0, 1, 2, 3, size, size - 1, size + 1, size - position, size - position - 4, position, -position, -1, -4]
    pool += [2 ** (8 * width - 1), 2 ** (8 * width - 1) - 1, 2**31, 2**16, 2**20, rng.randrange(size + 1)]
    data[position : position + width] = (rng.choice(pool) % 2 ** (8 * width)).to_bytes(width, "little")
    return data


def _nudge(data: bytearray, rng: random.Random) -> bytearray:
    """An offset, a length or an index becomes a little larger or smaller."""
    if len(data) < 4:
        return data
    position = rng.randrange(0, len(data) - 3, 4)
    (value,) = struct.unpack_from("<I", data, position)
    value = (value + rng.choice((-8, -4, -2, -1, 1, 2, 4, 8))) % 2**32
    struct.pack_into("<I", data, position, value)
    return data


def _redirect(data: bytearray, rng: random.Random) -> bytearray:
    """A word that can be an offset leads where another one leads: aliases and circles."""
    places = []
    for position in range(0, len(data) - 3, 4):
        (value,) = struct.unpack_from("<I", data, position)
        if 0 < value < len(data) - position:
            places.append((position, position + value))
    if places:
        position, _ = rng.choice(places)
        targets = [target for _, target in places if target > position] or [position]
        struct.pack_into("<I", data, position, rng.choice(targets) - position)
    return data


def _move(data: bytearray, rng: random.Random) -> bytearray:
    """A block is copied over another, taken out, doubled or zeroed."""
    if not data:
        return data
    start = rng.randrange(len(data))
    block = data[start : start + rng.choice((1, 4, 8, 64, 512))]
    place = rng.randrange(len(data))
    match rng.randrange(4):
        case 0:
            data[place : place + len(block)] = block
        case 1:
            del data[start : start + len(block)]
        case 2:
            data[place:place] = block
        case _:
            data[start : start + len(block)] = bytes(len(block))
    return data


BYTES: dict[str, Callable[[bytearray, random.Random], bytearray]] = {
    "truncate": _truncate,
    "flip": _flip,
    "byte": _byte,
    "uint16": lambda data, rng: _number(data, rng, 2),
    "uint32": lambda data, rng: _number(data, rng, 4),
    "uint64": lambda data, rng: _number(data, rng, 8),
    "nudge": _nudge,
    "redirect": _redirect,
    "move": _move,
}

WILD = (-(2**31), -129, -2, -1, 0, 1, 2, 3, 7, 127, 128, 255, 256, 999, 65535, 65536, 2**20, 2**30, 2**31 - 1)
WILD_FLOATS = (0.0, -0.0, -1.0, 1e-45, 1e-30, 1e30, 3.4e38, float("inf"), float("-inf"), float("nan"))


def _wild(value: Any, rng: random.Random) -> Any:
    """A value of the same type that is likely to be wrong."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, float):
        return rng.choice(WILD_FLOATS)
    if isinstance(value, int):
        return rng.choice((*WILD, value + 1, value - 1))
    if isinstance(value, str):
        return rng.choice(("", value + "\0", "x" * 300, "\ud7ff", "ADD", "CUSTOM", "UNKNOWN_210"))
    if isinstance(value, bytes | memoryview):
        return rng.choice((b"", bytes(value[: len(value) // 2]), bytes(value) * 2, b"\xff" * len(value)))
    if isinstance(value, np.ndarray):
        if value.dtype.kind == "f":
            extra: Any = rng.choice(WILD_FLOATS)
        else:
            bounds = np.iinfo(value.dtype)
            extra = rng.choice((bounds.min, bounds.max, 1, 0))
        changed = value.copy()
        if changed.size and rng.random() < 0.6:
            changed[rng.randrange(changed.size)] = extra
            return changed
        return rng.choice(
            (np.append(changed, value.dtype.type(extra)), changed[:-1], changed[:0], np.repeat(changed, 9))
        )
    if isinstance(value, tuple):
        return _wild_tuple(value, rng)
    return value


def _wild_tuple(value: tuple[Any, ...], rng: random.Random) -> tuple[Any, ...]:
    match rng.randrange(5):
        case 0:
            return value[:-1]
        case 1:
            return value + value[-1:] * rng.choice((1, 40))
        case 2:
            return ()
        case 3:
            return (*value, rng.choice(WILD)) if all(isinstance(item, int) for item in value) else value[::-1]
        case _:
            if not value:
                return (rng.choice(WILD),)
            i = rng.randrange(len(value))
            return (*value[:i], _wild(value[i], rng), *value[i + 1 :])


def _change(value: Any, rng: random.Random) -> Any:
    """Changes one field of a dataclass, perhaps of one deep inside."""
    if isinstance(value, tuple) and value and dataclasses.is_dataclass(value[0]) and rng.random() < 0.9:
        i = rng.randrange(len(value))
        return (*value[:i], _change(value[i], rng), *value[i + 1 :])
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return _wild(value, rng)
    fields = dataclasses.fields(value)
    if not fields:
        return value
    field = rng.choice(fields)
    return dataclasses.replace(value, **{field.name: _change(getattr(value, field.name), rng)})


def _change_part(part: str) -> Callable[[Model, random.Random], Model]:
    def change(model: Model, rng: random.Random) -> Model:
        graphs = list(model.subgraphs)
        i = rng.randrange(len(graphs))
        items = list(getattr(graphs[i], part))
        if items:
            j = rng.randrange(len(items))
            items[j] = _change(items[j], rng)
        graphs[i] = dataclasses.replace(graphs[i], **{part: tuple(items)})
        return dataclasses.replace(model, subgraphs=tuple(graphs))

    return change


def _swap_operators(model: Model, rng: random.Random) -> Model:
    """Two operators change places, or an operator's inputs and outputs become those of another."""
    graphs = list(model.subgraphs)
    i = rng.randrange(len(graphs))
    operators = list(graphs[i].operators)
    if operators:
        a, b = rng.randrange(len(operators)), rng.randrange(len(operators))
        if rng.random() < 0.5:
            operators[a], operators[b] = operators[b], operators[a]
        else:
            name = rng.choice(("inputs", "outputs", "name", "options"))
            operators[a] = dataclasses.replace(operators[a], **{name: getattr(operators[b], name)})
    graphs[i] = dataclasses.replace(graphs[i], operators=tuple(operators))
    return dataclasses.replace(model, subgraphs=tuple(graphs))


FIELDS: dict[str, Callable[[Model, random.Random], Model]] = {
    "model": _change,
    "tensor": _change_part("tensors"),
    "operator": _change_part("operators"),
    "tensor again": _change_part("tensors"),
    "operator again": _change_part("operators"),
    "order": _swap_operators,
}


def _written(model: Model, change: Callable[[Model, random.Random], Model], rng: random.Random) -> bytes:
    """The changed model as a file; another change is tried where one has no place in a file."""
    while True:
        changed = model
        for _ in range(rng.choice((1, 1, 2, 4))):
            changed = change(changed, rng)
        try:
            return write_model(changed)
        except (ModelError, TypeError):
            continue
