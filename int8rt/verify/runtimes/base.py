"""The contract of a runtime under test: `prepare` a model, `run` it on inputs, say what it can (`capabilities`).

Every adapter is a class with these methods. What goes wrong on the runtime's side is a `Fault`, which a comparison
turns into a verdict; that a runtime isn't there at all is an `UnavailableError` that says how to get it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy.typing as npt

from int8rt.errors import Int8rtError
from int8rt.model import Model, Subgraph, TensorType

Array = npt.NDArray[Any]

FaultKind = Literal["refused", "crashed", "timeout", "answer"]

# Handles: no runtime has memory to read for them.
WITHOUT_DATA = (TensorType.RESOURCE, TensorType.VARIANT)


class UnavailableError(Int8rtError):
    """The runtime is not installed here; the message says how to get it."""


class Fault(Int8rtError):  # noqa: N818 - what a runtime did, rather than an error of ours
    """What a runtime did instead of answering; the message has its own words.

    kind: "refused" (it says that it can't run the model), "crashed" (its process ended), "timeout" (it did not answer
    in time), "answer" (what it answered is no answer: nothing, or not the model's outputs).
    """

    def __init__(self, kind: FaultKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Capabilities:
    """description: name and version, for reports. intermediates: `run` can read what operators write.

    any_model: `prepare` takes other models than the first (a recorded dump can't), so that operators can be cut out.
    reading_matters: reading intermediates changes how the runtime works (a delegate then fuses and divides otherwise),
    so that outputs are to be judged by a run that reads nothing.
    """

    description: str
    intermediates: bool
    any_model: bool
    reading_matters: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """outputs: in the order of the subgraph's outputs, None for one that is missing. tensors: index to value.

    seconds: of running alone, where the runtime tells; 0 otherwise.
    """

    outputs: tuple[Array | None, ...]
    tensors: Mapping[int, Array] = field(default_factory=dict)
    seconds: float = 0.0


class Runtime(Protocol):
    """What can be compared with int8rt. All three methods raise `Fault` and `UnavailableError`."""

    def capabilities(self) -> Capabilities:
        """What this runtime is and can; asked before and after `prepare`."""
        ...

    def prepare(self, model: Model, content: bytes) -> None:
        """Get ready for a model; `content` is its file."""
        ...

    def run(self, inputs: Sequence[Array], read: Sequence[int] = ()) -> Answer:
        """Run the first subgraph once, from fresh variables.

        inputs: in the subgraph's order; shapes may differ from the model's. read: indices of tensors wanted beside the
        outputs; those that the runtime can't give are left out of the answer.
        """
        ...

    def close(self) -> None:
        """Let go of processes and files."""
        ...


def written(subgraph: Subgraph) -> list[tuple[int, int]]:
    """(position of the operator, index) of every tensor that an operator writes, if it has data to be read."""
    return [
        (position, index)
        for position, operator in enumerate(subgraph.operators)
        for index in operator.outputs
        if subgraph.tensors[index].type not in WITHOUT_DATA
    ]
