"""Elements of outputs that LiteRT's kernels leave as they find them in memory: there is nothing to compare with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.errors import ModelError
from int8rt.kernels.custom.flexbuffer import decode
from int8rt.model import Operator, Subgraph

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]


def unwritten_elements(subgraph: Subgraph, values: Mapping[int, Array]) -> dict[int, Mask]:
    """Tensor index to a mask of the elements that are not written. values: what LiteRT computed, by tensor index."""
    masks: dict[int, Mask] = {}
    for operator in subgraph.operators:
        if operator.custom_code == "TFLite_Detection_PostProcess" and all(
            index in values for index in operator.outputs
        ):
            boxes, classes, scores, count = (values[index] for index in operator.outputs)
            rows = _unused_detections(operator, classes.shape[1], int(count[0]))
            masks |= {
                index: np.broadcast_to(rows.reshape(1, -1, *[1] * (value.ndim - 2)), value.shape)
                for index, value in zip(operator.outputs, (boxes, classes, scores), strict=False)
            }
    return masks


def _unused_detections(operator: Operator, rows: int, count: int) -> Mask:
    """bool[rows]. The fast way writes rows for the boxes that it finds, the regular one `max_detections` of them."""
    try:
        options = decode(operator.custom_options)
        place = np.arange(rows)
        if options.get("use_regular_nms"):
            return np.asarray(place >= options["max_detections"])
        each = options["max_classes_per_detection"]
        return np.asarray((place // each >= count) | (place % each >= min(each, options["num_classes"])))
    except (ModelError, AttributeError, KeyError, TypeError) as error:
        raise ModelError(f"options of {operator.label}: {error}") from None
