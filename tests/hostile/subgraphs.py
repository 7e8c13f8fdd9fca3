"""Small models of the operators that call subgraphs or share variables with them."""

from __future__ import annotations

from int8rt.model import Model
from tests.differential import control_flow as models

_STREAMING = models.streaming_model()

CALLING_MODELS: dict[str, Model] = {
    "IF.0": models.if_model(models.add_and_keep, models.subtract_and_swap),
    "IF.1": models.if_model(models.constants, models.join),
    "WHILE.0": models.while_model(3, models.add_and_pass),
    "WHILE.1": models.while_model(3, models.join),
    "STABLEHLO_CASE.0": models.case_model([models.add_and_keep, models.join]),
    "STABLEHLO_COMPOSITE.0": models.composite_model(models.reshape),
} | {f"{name}.0": _STREAMING for name in ("CALL_ONCE", "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE")}
