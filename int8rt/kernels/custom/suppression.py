"""Non-maximum suppression of boxes [ymin, xmin, ymax, xmax], in float32.

Source: TensorFlow Lite kernels/detection_postprocess.cc.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]


def suppress(
    boxes: Float32, scores: Float32, score_threshold: float, iou_threshold: float, most: int
) -> npt.NDArray[np.intp]:
    """Indices of the boxes that stay, at most `most`, the best score first; of equal scores the first box.

    boxes: [N,4]; scores: [N]. A box goes where it shares more than `iou_threshold` with one that stays.
    """
    kept = np.flatnonzero(scores >= np.float32(score_threshold))
    candidates = kept[np.argsort(-scores[kept], kind="stable")]
    selected: list[int] = []
    while candidates.size and len(selected) < most:
        best, candidates = candidates[0], candidates[1:]
        selected.append(int(best))
        overlap = intersection_over_union(boxes[best], boxes[candidates])
        candidates = candidates[~(overlap > np.float32(iou_threshold))]
    return np.array(selected, np.intp)


def intersection_over_union(box: Float32, others: Float32) -> Float32:
    """float32[N] of a box [4] and others [N,4]; 0 where one of the two has no area."""
    with np.errstate(all="ignore"):
        area = (box[2] - box[0]) * (box[3] - box[1])
        areas = (others[:, 2] - others[:, 0]) * (others[:, 3] - others[:, 1])
        # As std::max and std::min: the first of two that do not compare.
        low = np.where(box[:2] < others[:, :2], others[:, :2], box[:2])
        high = np.where(others[:, 2:] < box[2:], others[:, 2:], box[2:])
        sides = high - low
        sides = np.where(sides < 0, np.float32(0), sides)
        intersection = sides[:, 0] * sides[:, 1]
        ratio = intersection / (area + areas - intersection)
    return np.where((area <= 0) | (areas <= 0), np.float32(0), ratio)
