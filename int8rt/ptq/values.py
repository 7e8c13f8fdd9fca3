"""Activations of a draft as integers and as floats: each is made when it is first asked for."""

from __future__ import annotations

from int8rt.errors import InputError
from int8rt.model import Quantization, TensorType
from int8rt.ptq.choice import FLOAT
from int8rt.ptq.draft import Draft
from int8rt.ptq.scales import Scales, same


class Values:
    """`integers`, `floats`: the tensors that hold an old tensor's value so, as far as there are.

    type: of the integers.
    """

    def __init__(self, draft: Draft, scales: Scales, type: TensorType) -> None:
        self.draft = draft
        self.scales = scales
        self.type = type
        self.integers: dict[int, int] = {}
        self.floats: dict[int, int] = {}
        self._requantized: dict[tuple[int, float, int], int] = {}

    def write(self, t: int) -> None:
        """The tensor becomes integer, as its producer writes it; others read it with the chosen parameters."""
        chosen = self.scales.chosen[t]
        written = self.scales.written.get(t, chosen)
        self.draft.change(t, type=self.type, quantization=written)
        self.integers[t] = t
        if written is not chosen:
            self.integers[t] = self.convert(t, "requantized", self.type, chosen)

    def read(self, position: int, t: int) -> int:
        """The integers that the operator at `position` of the source reads."""
        codes = self.codes(t)
        wanted = self.scales.read.get((position, t))
        if wanted is None or same(wanted, self.scales.chosen[t]):
            return codes
        key = (t, float(wanted.scale[0]), int(wanted.zero_point[0]))
        if key not in self._requantized:
            self._requantized[key] = self.convert(codes, "requantized", self.type, wanted)
        return self._requantized[key]

    def codes(self, t: int) -> int:
        """The integers, with the chosen parameters."""
        if t not in self.integers:
            if t not in self.scales.chosen:
                label = self.draft.source.tensors[t].label
                raise InputError(f"tensor '{label}' has no range; calibrate the model")
            self.integers[t] = self.convert(self.floats[t], self.type.label, self.type, self.scales.chosen[t])
        return self.integers[t]

    def real(self, t: int) -> int:
        """The floats."""
        if t not in self.floats:
            known = t in self.integers
            self.floats[t] = self.convert(self.integers[t], "float32", FLOAT, None) if known else t
        return self.floats[t]

    def convert(self, t: int, suffix: str, type: TensorType, parameters: Quantization | None) -> int:
        """A QUANTIZE or DEQUANTIZE of a tensor to a new one of its name and a suffix."""
        return self.draft.convert(t, f"{self.draft.tensors[t].name}_{suffix}", type, parameters)
