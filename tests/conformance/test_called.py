from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.called import compare_called
from int8rt.model import Model
from int8rt.schema import read_model
from int8rt.verify.inputs import make_inputs
from tests.differential import control_flow as models

pytestmark = pytest.mark.litert

MODELS = Path(__file__).parents[1] / "models"


@pytest.mark.parametrize(
    ("model", "count"),
    [
        (models.while_model(3, models.add_and_pass), 3),
        (models.while_model(4, models.join), 3),
        (models.if_model(models.add_and_keep, models.subtract_and_swap), 1),
        (models.composite_model(models.reshape), 1),
        (read_model((MODELS / "loops.tflite").read_bytes()), 8),
        (read_model((MODELS / "gru_float32.tflite").read_bytes()), 20),
    ],
)
def test_what_the_operators_of_called_subgraphs_wrote_last(model: Model, count: int) -> None:
    result = compare_called(model, make_inputs(model, "random"))
    assert result.different == []
    assert result.compared >= count


def test_a_difference_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    import dataclasses

    from int8rt.kernels import registry

    honest = registry.KERNELS["ADD"]

    def wrong(*arguments: Any) -> Any:
        return honest.evaluate(*arguments) ^ np.int32(1)

    monkeypatch.setitem(registry.KERNELS, "ADD", dataclasses.replace(honest, evaluate=wrong))  # type: ignore[arg-type]
    model = models.if_model(models.add_and_keep, models.subtract_and_swap)
    assert len(compare_called(model, make_inputs(model, "random")).different) == 1
