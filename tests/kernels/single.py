"""One operator run by int8rt alone: for tests with numbers worked out by hand, and for refusals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.model import Quantization, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from tests.differential.harness import run_int8rt


def q(scale: float, zero_point: int = 0) -> Quantization:
    return Quantization.per_tensor(scale, zero_point)


def variable(data: npt.ArrayLike, quantization: Quantization | None = None) -> tuple[TensorSpec, npt.NDArray[Any]]:
    """An input of the model with the data that it gets."""
    array = np.asarray(data)
    return TensorSpec(TensorType[array.dtype.name.upper()], array.shape, quantization), array


def run_operator(
    name: str,
    inputs: Sequence[tuple[TensorSpec, npt.NDArray[Any]] | TensorSpec | None],
    outputs: Sequence[TensorSpec],
    options: Any = None,
    version: int = 1,
) -> Any:
    """The operator's output, or a tuple of them; an input without data of its own is a constant."""
    specs = [item[0] if isinstance(item, tuple) else item for item in inputs]
    data = [item[1] for item in inputs if isinstance(item, tuple)]
    model = single_operator_model(name, specs, outputs, options, version)
    written = run_int8rt(model, data)
    results = tuple(written[index] for index in model.subgraphs[0].outputs)
    return results[0] if len(results) == 1 else results
