"""What is known of a case of the suite without a runtime: the answers of all profiles, arithmetics and mistakes."""

from __future__ import annotations

from functools import cache, cached_property

from conformance.matrix import real
from conformance.matrix.mistakes import mistaken, variants
from int8rt.conformance.cases import Case
from int8rt.conformance.run import expected, expected_if_known
from int8rt.errors import Int8rtError
from int8rt.quantization.profiles import PROFILES
from int8rt.schema import write_model
from int8rt.verify.identify.kinds import KINDS, candidates, covered
from int8rt.verify.identify.piece import Piece
from int8rt.verify.runtimes.base import Array
from int8rt.verify.teacher import Teacher

REFERENCE = "tflite-ref"


@cache
class Facts:
    """What is known of a case without a runtime, computed when first asked for, and kept for the next runtime."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.model, self.inputs = case.make()
        self.content = write_model(self.model)

    @cached_property
    def right(self) -> Array:
        """The answer of the reference."""
        return expected(self.model, self.inputs)

    @cached_property
    def profiles(self) -> dict[str, Array | None]:
        """The answers of all profiles."""
        return {f"profile {name}": expected_if_known(self.model, self.inputs, name) for name in PROFILES}

    @cached_property
    def mistakes(self) -> dict[str, Array]:
        """See `mistaken`; none where int8rt can't compute them."""
        try:
            return dict(mistaken(self.model, self.inputs))
        except Int8rtError:
            return {}

    @cached_property
    def reals(self) -> dict[str, Array | None]:
        """The real-valued result, under the name "", and those of the model's `variants`, by a name for each."""
        others = variants(self.model, self.inputs)
        results = {f"{real.NAME}; {name}": real.real_result(model, inputs) for name, model, inputs in others}
        results[real.NAME_BFLOAT16] = real.real_result(self.model, self.inputs, bfloat16=True)
        return {"": real.real_result(self.model, self.inputs), **results}

    @cached_property
    def piece(self) -> Piece | None:
        """For `identify`, with the right answer as what was found; None for an operator of which it knows nothing."""
        if self.case.operator not in KINDS:
            return None
        teacher = Teacher(self.model, self.inputs, REFERENCE)
        values = teacher.inputs(0, dict(zip(self.model.subgraphs[0].inputs, self.inputs, strict=True)))
        if values is None:
            return None
        piece = Piece.make(self.case.name, teacher, 0, values, self.right)
        return piece if covered(piece) else None

    @cached_property
    def arithmetics(self) -> dict[str, Array]:
        """The answers of the arithmetics that `identify` tries."""
        return {} if self.piece is None else dict(candidates(self.piece))
