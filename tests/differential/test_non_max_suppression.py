from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st

from int8rt.model import TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from tests.differential.cases import Case, check_cases, examples, generators

pytestmark = pytest.mark.litert

FLOAT32, INT32 = TensorType.FLOAT32, TensorType.INT32


@st.composite
def selections(draw: st.DrawFn) -> Case:
    count, most = draw(st.integers(1, 90)), draw(st.integers(1, 40) | st.just(-1))
    rng, soft = draw(generators), draw(st.booleans())
    centre, size = rng.uniform(0, 1, (count, 2)), rng.uniform(-0.05, 0.4, (count, 2))
    if draw(st.booleans()):
        centre, size = np.round(centre, 1), np.round(size, 1)
    boxes = np.concatenate([centre - size, centre + size], axis=1).astype(np.float32)
    # Few different scores, so that many are equal; sometimes boxes and scores that are no numbers.
    scores = rng.uniform(-0.2, 1, count).astype(np.float32)
    if draw(st.booleans()):
        scores = np.round(scores, 1)
    if draw(st.integers(0, 3)) == 0:
        for values in (boxes, scores):
            values[rng.random(values.shape) < 0.05] = rng.choice([np.nan, np.inf, -np.inf])
    numbers = [rng.choice([0.0, 0.3, 0.5, 0.99, 1.0, 1.5]), rng.choice([-1.0, 0.0, 0.2, 0.5])]
    if soft:
        numbers.append(rng.choice([0.0, 0.1, 0.5, 3.0, 1e-30, -0.5, np.nan]))
    thresholds = [np.array(number, np.float32) for number in numbers]
    constant = draw(st.booleans())
    data = [boxes, scores, *([] if constant else [np.array(most, np.int32)]), *thresholds]
    inputs = [
        TensorSpec(FLOAT32, boxes.shape),
        TensorSpec(FLOAT32, scores.shape),
        TensorSpec(INT32, (), data=np.array(most, np.int32) if constant else None),
        *[TensorSpec(FLOAT32, ())] * len(thresholds),
    ]
    outputs = [TensorSpec(INT32, ()), *[TensorSpec(FLOAT32, ())] * soft, TensorSpec(INT32, ())]
    name = draw(st.sampled_from(["NON_MAX_SUPPRESSION_V4", "NON_MAX_SUPPRESSION_V5"]))
    return Case(single_operator_model(name, inputs, outputs), data)


@examples
def test_non_max_suppression(examples: int) -> None:
    check_cases(selections(), examples)
