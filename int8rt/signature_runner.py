"""Running a model by the names of one of its signatures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from int8rt.errors import InputError

if TYPE_CHECKING:
    from int8rt.interpreter import Interpreter


class SignatureRunner:
    """Runs one signature of a model: `runner(name=array, ...)` returns a dictionary of output arrays.

    Inputs are resized to the arrays given. Made by `Interpreter.get_signature_runner`; `InputError` for an unknown key.
    """

    def __init__(self, interpreter: Interpreter, signature_key: str) -> None:
        signatures = {signature.key: signature for signature in interpreter.model.signatures}
        if signature_key not in signatures:
            raise InputError(f"invalid signature_key provided: {signature_key!r}; the model has {sorted(signatures)}")
        signature = signatures[signature_key]
        self._interpreter = interpreter
        self._subgraph = signature.subgraph
        self._inputs = dict(sorted(signature.inputs.items()))
        self._outputs = dict(sorted(signature.outputs.items()))

    def __call__(self, **inputs: npt.ArrayLike) -> dict[str, npt.NDArray[Any]]:
        """Run with these inputs: codes where the tensor is quantized, of its own type.

        Raises `InputError` where a name is missing or unknown or an array does not fit its tensor, and what
        `Interpreter.allocate_tensors` and `invoke` raise.
        """
        if set(inputs) != set(self._inputs):
            raise InputError(f"the signature takes the inputs {list(self._inputs)}, found {list(inputs)}")
        interpreter, subgraph = self._interpreter, self._subgraph
        for name, value in inputs.items():
            interpreter._resize(subgraph, self._inputs[name], np.shape(value), False)
        interpreter._executor(subgraph).allocate()
        for name, value in inputs.items():
            interpreter._set(subgraph, self._inputs[name], value)
        interpreter._executor(subgraph).invoke()
        return {name: interpreter.get_tensor(index, subgraph) for name, index in self._outputs.items()}

    def get_input_details(self) -> dict[str, dict[str, Any]]:
        """Input name to its dictionary of details, sorted by name."""
        return self._details(self._inputs)

    def get_output_details(self) -> dict[str, dict[str, Any]]:
        """Output name to its dictionary of details, sorted by name."""
        return self._details(self._outputs)

    def _details(self, names: Mapping[str, int]) -> dict[str, dict[str, Any]]:
        return {name: self._interpreter._get_tensor_details(index, self._subgraph) for name, index in names.items()}
