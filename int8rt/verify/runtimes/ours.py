"""int8rt itself as a runtime: one profile beside another, or compiled kernels beside NumPy."""

from __future__ import annotations

from collections.abc import Sequence

from int8rt.errors import Int8rtError
from int8rt.interpreter import Backend
from int8rt.model import Model
from int8rt.quantization.profiles import get_profile
from int8rt.verify.compare import run_int8rt
from int8rt.verify.runtimes.base import Answer, Array, Capabilities, Fault


class Int8rtRuntime:
    """profile: the arithmetic; backend: what computes it."""

    def __init__(self, profile: str = "tflite-ref", backend: Backend = "auto") -> None:
        self._profile = get_profile(profile).name
        self._backend = backend
        self._model: Model | None = None

    def capabilities(self) -> Capabilities:
        """The profile and this release."""
        from int8rt import __version__

        return Capabilities(f"int8rt {__version__}, {self._profile}", intermediates=True, any_model=True)

    def prepare(self, model: Model, content: bytes) -> None:
        """Remember the model."""
        self._model = model

    def run(self, inputs: Sequence[Array], read: Sequence[int] = ()) -> Answer:
        """Run it in this process."""
        assert self._model is not None
        try:
            values, seconds = run_int8rt(self._model, inputs, self._profile, self._backend, keep=bool(read))
        except Int8rtError as error:
            raise Fault("refused", str(error)) from None
        outputs = tuple(values[index] for index in self._model.subgraphs[0].outputs)
        return Answer(outputs, {index: values[index] for index in read if index in values}, seconds)

    def close(self) -> None:
        """Nothing is held."""
