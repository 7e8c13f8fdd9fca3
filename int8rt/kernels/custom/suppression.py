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
    corners, threshold = np.ascontiguousarray(boxes[candidates].T), np.float32(iou_threshold)
    selected: list[int] = []
    while candidates.size and len(selected) < most:
        selected.append(int(candidates[0]))
        apart = ~(intersection_over_union(corners[:, 0], corners[:, 1:]) > threshold)
        candidates, corners = candidates[1:][apart], np.compress(apart, corners[:, 1:], axis=1)
    return np.array(selected, np.intp)


def intersection_over_union(box: Float32, others: Float32) -> Float32:
    """float32[N] of a box [4] and others [4,N]; 0 where one of the two has no area."""
    with np.errstate(all="ignore"):
        area = (box[2] - box[0]) * (box[3] - box[1])
        areas = (others[2] - others[0]) * (others[3] - others[1])
        # As std::max and std::min: the first of two that do not compare.
        top, left = (np.where(box[i] < others[i], others[i], box[i]) for i in (0, 1))
        bottom, right = (np.where(others[i] < box[i], others[i], box[i]) for i in (2, 3))
        height, width = bottom - top, right - left
        height[height < 0] = 0
        width[width < 0] = 0
        intersection = height * width
        ratio: Float32 = intersection / (area + areas - intersection)
    if area <= 0:
        ratio[:] = 0
    ratio[areas <= 0] = 0
    return ratio
