"""NON_MAX_SUPPRESSION_V4 and V5: the boxes with the best scores among those that overlap much.

boxes: float32[n,4] (y1, x1, y2, x2: two opposite corners), scores: float32[n], max_output_size: int32,
iou_threshold: float32, score_threshold: float32 [, soft_nms_sigma: float32] -> selected_indices:
int32[max_output_size] [, selected_scores: float32[max_output_size]], num_selected_indices: int32
All scalars have rank 0. A box is suppressed where its intersection over union with a selected box reaches
iou_threshold; with soft_nms_sigma its score falls by exp(-iou² / (2 · soft_nms_sigma)) for each selected box. Beyond
num_selected_indices the outputs are 0. Float32 throughout.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from int8rt.errors import EvaluationError
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.layout import integers
from int8rt.kernels.priority_queue import Candidate, PriorityQueue
from int8rt.kernels.signature import signatures
from int8rt.quantization import libm

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class NonMaxSuppressionParams(Params):
    """max_output_size: number of boxes at most."""

    max_output_size: int


def prepare(context: OperatorContext) -> NonMaxSuppressionParams:
    """Check the shapes; the number of outputs must be known."""
    boxes, scores = context.input(0), context.input(1)
    if boxes.rank != 2 or boxes.shape[1] != 4 or scores.shape != boxes.shape[:1]:
        raise context.invalid(f"boxes {list(boxes.shape)} and scores {list(scores.shape)} must be [n,4] and [n]")
    for tensor in context.inputs[2:]:
        if tensor is not None and tensor.rank != 0:
            raise context.invalid(f"input {tensor.name!r} must have rank 0, found {list(tensor.shape)}")
    soft = len(context.inputs) == 6
    if len(context.outputs) != (3 if soft else 2):
        raise context.invalid(
            f"has {len(context.inputs)} inputs and {len(context.outputs)} outputs, expected {3 if soft else 2}"
        )
    (size,) = integers(context, 2)
    if size < 0:
        raise context.invalid(f"max_output_size is {size}, expected at least 0")
    shapes = ((size,), (size,), ()) if soft else ((size,), ())
    return NonMaxSuppressionParams(output_shapes=shapes, max_output_size=size)


def evaluate(
    params: NonMaxSuppressionParams,
    boxes: Array,
    scores: Array,
    max_output_size: Array,
    iou_threshold: Array,
    score_threshold: Array,
    soft_nms_sigma: Array | None = None,
) -> tuple[Array, ...]:
    """The selection; `EvaluationError` for a negative soft_nms_sigma."""
    sigma = 0.0 if soft_nms_sigma is None else float(soft_nms_sigma)
    if sigma < 0:
        raise EvaluationError(f"soft_nms_sigma is {sigma}, expected at least 0")
    chosen = _select(params.max_output_size, boxes, scores, float(iou_threshold), float(score_threshold), sigma)
    count = np.array(len(chosen), np.int32)
    indices = np.zeros(params.max_output_size, np.int32)
    indices[: len(chosen)] = [candidate.box for candidate in chosen]
    if soft_nms_sigma is None:
        return indices, count
    chosen_scores = np.zeros(params.max_output_size, np.float32)
    chosen_scores[: len(chosen)] = [candidate.score for candidate in chosen]
    return indices, chosen_scores, count


def _select(
    most: int, boxes: Float32, scores: Float32, iou_threshold: float, score_threshold: float, sigma: float
) -> list[Candidate]:
    # The best candidate is compared with the boxes selected since it was last seen, the latest first. Where its score
    # fell it goes back to the queue. A selected one goes back too, and next time is suppressed by itself; a box
    # without area is not, and is selected again and again.
    queue = PriorityQueue()
    for index in np.flatnonzero(scores > score_threshold).tolist():
        queue.push(Candidate(index, float(scores[index]), 0))
    most = min(most, len(queue))
    corners = _corners(boxes)
    areas = _areas(corners)
    selected: list[Candidate] = []
    order = np.empty(most, np.int64)
    while len(selected) < most and len(queue):
        candidate = queue.pop()
        seen, score = candidate.suppress_begin_index, np.float32(candidate.score)
        latest_first = order[seen : len(selected)][::-1]
        overlaps = intersection_over_union(corners, areas, candidate.box, latest_first)
        suppressed = overlaps >= iou_threshold
        if sigma > 0:
            score, hard = _soften(score, overlaps, suppressed, score_threshold, sigma)
        else:
            hard = bool(suppressed.any())
        if hard:
            continue
        again = Candidate(candidate.box, float(score), len(selected))
        if score == np.float32(candidate.score):
            order[len(selected)] = candidate.box
            selected.append(candidate)
        if score > score_threshold:
            queue.push(again)
    return selected


def _soften(
    score: np.float32, overlaps: Float32, suppressed: npt.NDArray[np.bool_], score_threshold: float, sigma: float
) -> tuple[np.float32, bool]:
    """The score after these overlaps, and whether one of them suppressed the box before it fell to the threshold."""
    with np.errstate(all="ignore"):
        scale = np.float32(-0.5 / sigma)
        factors = libm.exp(scale * overlaps * overlaps)
        for factor, hard in zip(factors, suppressed, strict=True):
            if hard:
                return score, True
            score = score * factor
            if score <= score_threshold:
                break
    return score, False


def _corners(boxes: Float32) -> Float32:
    """Boxes [n,4] as [4,n]: smallest y and x, largest y and x."""
    first, second = boxes[:, :2].T, boxes[:, 2:].T
    lowest = np.where(second < first, second, first)
    highest = np.where(first < second, second, first)
    return np.concatenate([lowest, highest])


def _areas(corners: Float32) -> Float32:
    with np.errstate(all="ignore"):
        return np.asarray((corners[2] - corners[0]) * (corners[3] - corners[1]))


def intersection_over_union(corners: Float32, areas: Float32, index: int, others: npt.NDArray[np.int64]) -> Float32:
    """Of box `index` with each of the others; 0 where one of the two has no area."""
    box, rest = corners[:, index, np.newaxis], corners[:, others]
    with np.errstate(all="ignore"):
        highest = np.where(rest[2:] < box[2:], rest[2:], box[2:])
        lowest = np.where(box[:2] < rest[:2], rest[:2], box[:2])
        sides = highest - lowest
        sides[sides < 0] = 0
        intersection = sides[0] * sides[1]
        iou = intersection / (areas[index] + areas[others] - intersection)
    none = (areas[others] <= 0) | bool(areas[index] <= 0)
    return np.where(none, np.float32(0), iou)


def _kernel(name: str) -> Kernel:
    """Both take either form: the number of inputs tells."""
    inputs = "float32,float32,int32,float32,float32"
    return Kernel(
        name=name,
        signatures=signatures(f"{inputs} -> int32,int32", f"{inputs},float32 -> int32,float32,int32"),
        prepare=prepare,
        evaluate=evaluate,
        source="kernels/non_max_suppression.cc, reference/non_max_suppression.h",
        max_version=1,
    )


NON_MAX_SUPPRESSION_V4 = _kernel("NON_MAX_SUPPRESSION_V4")
NON_MAX_SUPPRESSION_V5 = _kernel("NON_MAX_SUPPRESSION_V5")
