"""A recipe: what is quantized how, operator by operator.

mode = "int8"             # int8, int16x8, dynamic, float16, int4 or float; of every operator that no rule names
inputs = "float"          # what the model's inputs and outputs become: float, int8 or uint8 (int16 in mode int16x8)
outputs = "float"
integer_only = false

[[rules]]                 # the last rule that fits an operator counts
operator = "CONV_2D"      # its TensorFlow Lite name; and, or instead:
name = "block_3/.*"       # a regular expression for the whole name of its first output
tensor = "conv/kernel"    # the name of a tensor that it reads or writes
mode = "float"
bits = 4                  # of the weights: 8 or 4
granularity = "tensor"    # of the weights' scales: channel or tensor
"""

from __future__ import annotations

import dataclasses
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from int8rt.errors import InputError
from int8rt.model import Model, Operator, Subgraph

Mode = Literal["int8", "int16x8", "dynamic", "float16", "int4", "float"]
Ends = Literal["float", "int8", "uint8", "int16"]
Granularity = Literal["channel", "tensor"]


@dataclass(frozen=True, slots=True)
class Treatment:
    """How one operator is quantized; `mode` int4 is int8 with `bits` 4."""

    mode: Mode
    bits: int
    granularity: Granularity


@dataclass(frozen=True, slots=True)
class RecipeRule:
    """One `[[rules]]` of a recipe; None leaves what the recipe says."""

    operator: str | None = None
    name: str | None = None
    tensor: str | None = None
    mode: Mode | None = None
    bits: int | None = None
    granularity: Granularity | None = None

    def fits(self, operator: Operator, subgraph: Subgraph) -> bool:
        """Whether it names this operator."""
        if self.operator is not None and self.operator != operator.label:
            return False
        if self.tensor is not None:
            touched = (t for t in (*operator.inputs, *operator.outputs) if t >= 0)
            if all(subgraph.tensors[t].name != self.tensor for t in touched):
                return False
        if self.name is None:
            return True
        return bool(operator.outputs) and bool(re.fullmatch(self.name, subgraph.tensors[operator.outputs[0]].name))


@dataclass(frozen=True, slots=True)
class Recipe:
    """What `quantize` is to do. Raises `InputError` where the parts do not fit together.

    smallest: the least number of weights that mode dynamic quantizes, TensorFlow's is 1024.
    """

    mode: Mode = "int8"
    inputs: Ends = "float"
    outputs: Ends = "float"
    integer_only: bool = False
    granularity: Granularity = "channel"
    smallest: int = 1024
    rules: tuple[RecipeRule, ...] = ()

    def __post_init__(self) -> None:
        for field, kind in (("mode", Mode), ("inputs", Ends), ("outputs", Ends), ("granularity", Granularity)):
            _one_of(field, getattr(self, field), get_args(kind))
        static = self.mode in ("int8", "int16x8", "int4")
        wanted = "int16" if self.mode == "int16x8" else "int8"
        for ends in (self.inputs, self.outputs):
            if ends != "float" and not (static and (ends == wanted or (ends == "uint8" and wanted == "int8"))):
                raise InputError(f"a model of mode {self.mode} cannot have {ends} inputs or outputs")
        if self.integer_only and not static:
            raise InputError(f"mode {self.mode} computes with floats: it cannot be integer only")
        modes = {self.mode, *(rule.mode for rule in self.rules)}
        if "int16x8" in modes and modes & {"int8", "int4"}:
            raise InputError("int16x8 and int8 operators cannot be mixed in one model")
        for rule in self.rules:
            if rule.mode in ("int8", "int4", "int16x8") and not static:
                raise InputError(f"a rule of mode {rule.mode} needs a recipe of mode int8, int4 or int16x8")

    def treatment(self, operator: Operator, subgraph: Subgraph) -> Treatment:
        """How this operator is to be quantized."""
        mode, bits, granularity = self.mode, None, self.granularity
        for rule in self.rules:
            if rule.fits(operator, subgraph):
                mode = rule.mode or mode
                bits = rule.bits or bits
                granularity = rule.granularity or granularity
        return Treatment(mode, bits or (4 if mode == "int4" else 8), granularity)

    def idle(self, model: Model) -> list[int]:
        """Positions of the rules that fit no operator of a model: typing errors, most likely."""
        known = [(operator, graph) for graph in model.subgraphs for operator in graph.operators]
        return [i for i, rule in enumerate(self.rules) if not any(rule.fits(*item) for item in known)]

    def as_toml(self) -> str:
        """The recipe as a file that `read_recipe` takes."""
        lines = [
            f"{field.name} = {_toml(getattr(self, field.name))}"
            for field in dataclasses.fields(self)
            if field.name != "rules"
        ]
        for rule in self.rules:
            known = {field.name: getattr(rule, field.name) for field in dataclasses.fields(rule)}
            lines += [
                "",
                "[[rules]]",
                *(f"{key} = {_toml(value)}" for key, value in known.items() if value is not None),
            ]
        return "\n".join(lines) + "\n"


def read_recipe(path: Path) -> Recipe:
    """The recipe of a TOML file. Raises `InputError`, naming what it does not know."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read the recipe {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not TOML: {error}") from error
    rules = content.pop("rules", [])
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise InputError("a recipe's rules are tables: [[rules]]")
    return Recipe(**_fields(Recipe, content), rules=tuple(_rule(rule) for rule in rules))


def _rule(content: Mapping[str, Any]) -> RecipeRule:
    rule = RecipeRule(**_fields(RecipeRule, content))
    if rule.mode is not None:
        _one_of("mode", rule.mode, get_args(Mode))
    if rule.granularity is not None:
        _one_of("granularity", rule.granularity, get_args(Granularity))
    if rule.bits is not None:
        _one_of("bits", rule.bits, (8, 4))
    try:
        re.compile(rule.name or "")
    except re.error as error:
        raise InputError(f"a rule's name is not a regular expression: {error}") from error
    return rule


def _fields(kind: type[Recipe] | type[RecipeRule], content: Mapping[str, Any]) -> dict[str, Any]:
    types = {field.name: str(field.type) for field in dataclasses.fields(kind)}
    for key, value in content.items():
        if key not in types or key == "rules":
            raise InputError(f"a recipe has no {key!r}; known: {', '.join(name for name in types if name != 'rules')}")
        expected = bool if types[key] == "bool" else int if types[key].startswith("int") else str
        if type(value) is not expected:
            raise InputError(f"{key} of a recipe is {expected.__name__}, found {value!r}")
    return dict(content)


def _one_of(field: str, value: object, known: tuple[object, ...]) -> None:
    if value not in known:
        raise InputError(f"{field} of a recipe is {value!r}; known: {', '.join(map(str, known))}")


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    # What JSON escapes, TOML escapes alike.
    return json.dumps(str(value))
