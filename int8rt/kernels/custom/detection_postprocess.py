"""TFLite_Detection_PostProcess: box encodings relative to anchors, decoded, and only the best of what overlaps.

box encodings: T[1,N,>=4] (y, x, h, w), class scores: [1,N,C], anchors: T[N,4] (y, x, h, w), T float32 or uint8;
outputs: boxes float32[1,M,4] (ymin, xmin, ymax, xmax), classes and scores float32[1,M], number of detections
float32[1]. C is the number of classes, or one more where the first is the background; M = detections · classes each.

The fast way compares each box by its best class alone and reports up to `max_classes_per_detection` of a box's classes;
`use_regular_nms` compares the boxes of each class on their own and merges the classes. TensorFlow Lite leaves rows that
it does not need unwritten: here they are 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from int8rt.errors import EvaluationError
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, TensorInfo, element_count
from int8rt.kernels.custom.options import CustomOptions
from int8rt.kernels.custom.partial_sort import arg_max_vector, partial_argsort_descending
from int8rt.kernels.custom.suppression import suppress
from int8rt.kernels.layout import scale_and_zero_point
from int8rt.kernels.signature import signatures
from int8rt.model import TensorType
from int8rt.quantization import libm
from int8rt.quantization.affine import dequantize_in_eights

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionPostProcessParams(Params):
    """Field by field the operator's options, and (scale, zero_point) of each input, None where it is float32.

    scale_values: y_scale, x_scale, h_scale, w_scale. label_offset: 1 where the first class is the background.
    """

    max_detections: int
    max_classes_per_detection: int
    detections_per_class: int
    use_regular_nms: bool
    nms_score_threshold: float
    nms_iou_threshold: float
    num_classes: int
    scale_values: tuple[float, float, float, float]
    label_offset: int
    quantization: tuple[tuple[float, int] | None, ...]


def prepare(context: OperatorContext) -> DetectionPostProcessParams:
    """Check the shapes and read the options."""
    options = CustomOptions(context)
    encodings, scores, anchors = (context.input(index) for index in range(3))
    if (encodings.rank, scores.rank, anchors.rank) != (3, 3, 2):
        raise context.invalid("box encodings and scores must have rank 3, anchors rank 2")
    boxes, classes = encodings.shape[1], scores.shape[2]
    if encodings.shape[0] != 1 or encodings.shape[2] < 4 or scores.shape[:2] != (1, boxes):
        raise context.invalid(f"box encodings {list(encodings.shape)} and scores {list(scores.shape)} do not fit")
    if element_count(anchors.shape) < 4 * boxes:
        raise context.invalid(f"anchors {list(anchors.shape)} are fewer than {boxes} boxes")
    num_classes = options.integer("num_classes")
    if num_classes < 1 or classes - num_classes not in (0, 1):
        raise context.invalid(f"{num_classes} classes do not fit scores of shape {list(scores.shape)}")
    most, each = options.integer("max_detections"), options.integer("max_classes_per_detection")
    per_class = options.integer("detections_per_class") if options.has("detections_per_class") else 100
    regular = options.boolean("use_regular_nms")
    if most < 0 or each < 1 or (regular and min(most, per_class) < 1):
        found = f"max_detections {most}, max_classes_per_detection {each}, detections_per_class {per_class}"
        raise context.invalid(f"{found}: must be at least {int(regular)}, 1 and {int(regular)}")
    threshold = options.real("nms_iou_threshold")
    if not 0 < threshold <= 1:
        raise context.invalid(f"nms_iou_threshold is {threshold}, not within (0, 1]")
    return DetectionPostProcessParams(
        output_shapes=((1, most * each, 4), (1, most * each), (1, most * each), (1,)),
        max_detections=most,
        max_classes_per_detection=each,
        detections_per_class=min(per_class, most),
        use_regular_nms=regular,
        nms_score_threshold=options.real("nms_score_threshold"),
        nms_iou_threshold=threshold,
        num_classes=num_classes,
        scale_values=tuple(options.real(f"{name}_scale") for name in "yxhw"),  # type: ignore[arg-type] # four
        label_offset=classes - num_classes,
        quantization=tuple(_quantization(tensor) for tensor in (encodings, scores, anchors)),
    )


def _quantization(tensor: TensorInfo) -> tuple[float, int] | None:
    return None if tensor.type == TensorType.FLOAT32 else scale_and_zero_point(tensor)


def evaluate(params: DetectionPostProcessParams, encodings: Array, scores: Array, anchors: Array) -> tuple[Array, ...]:
    """The boxes that stay, their classes and scores, and how many there are."""
    boxes = _decode(params, encodings[0, :, :4], anchors.reshape(-1)[: 4 * encodings.shape[1]].reshape(-1, 4))
    if ((boxes[:, 0] > boxes[:, 2]) | (boxes[:, 1] > boxes[:, 3])).any():
        raise EvaluationError("a decoded box ends before it begins")
    quantized = params.quantization[1]
    real = scores[0] if quantized is None else dequantize_in_eights(scores[0], *quantized)
    chosen = _regular if params.use_regular_nms else _fast
    rows, places, classes, count = chosen(params, boxes, real[:, params.label_offset :])
    shown = np.zeros((1, params.max_detections * params.max_classes_per_detection, 6), np.float32)
    shown[0, places, :4] = boxes[rows]
    shown[0, places, 4] = classes
    shown[0, places, 5] = real[rows, classes + params.label_offset]
    return shown[..., :4], shown[..., 4], shown[..., 5], np.array([count], np.float32)


def _decode(params: DetectionPostProcessParams, encodings: Array, anchors: Array) -> Float32:
    """[ymin, xmin, ymax, xmax] of each box: computed in float64, each center and half side rounded to float32."""
    y, x, h, w = _real(encodings, params.quantization[0]).astype(np.float64).T
    anchor_y, anchor_x, anchor_h, anchor_w = _real(anchors, params.quantization[2]).astype(np.float64).T
    y_scale, x_scale, h_scale, w_scale = (np.float64(scale) for scale in params.scale_values)
    with np.errstate(all="ignore"):
        center = np.stack([y / y_scale * anchor_h + anchor_y, x / x_scale * anchor_w + anchor_x], 1).astype(np.float32)
        half = np.stack([0.5 * _exp(h / h_scale) * anchor_h, 0.5 * _exp(w / w_scale) * anchor_w], 1).astype(np.float32)
        return np.concatenate([center - half, center + half], 1)


def _exp(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    # Quantized encodings have few values, and the C library is asked for one at a time.
    distinct, places = np.unique(values, return_inverse=True)
    return libm.exp(distinct)[places]


def _real(codes: Array, quantization: tuple[float, int] | None) -> Float32:
    if quantization is None:
        return codes
    scale, zero_point = quantization
    return (codes.astype(np.float32) - np.float32(zero_point)) * np.float32(scale)


# Rows of the boxes, their places in the output, their classes; and the number that is reported.
_Chosen = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.intp], int]


def _fast(params: DetectionPostProcessParams, boxes: Float32, scores: Float32) -> _Chosen:
    count = min(params.max_classes_per_detection, params.num_classes)
    unordered = np.isnan(scores).any(axis=1)
    best = scores.max(axis=1)
    for row in np.flatnonzero(unordered):
        best[row] = scores[row, _best_classes(scores[row], count)[0]]
    selected = suppress(boxes, best, params.nms_score_threshold, params.nms_iou_threshold, params.max_detections)
    classes = np.array([_best_classes(scores[row], count) for row in selected], np.intp).reshape(-1, count)
    places = np.arange(selected.size)[:, np.newaxis] * params.max_classes_per_detection + np.arange(count)
    return selected.repeat(count), places.reshape(-1), classes.reshape(-1), selected.size


def _best_classes(scores: Float32, count: int) -> list[int]:
    if count > 1:
        return partial_argsort_descending(scores.tolist(), count)
    return [arg_max_vector(scores.tolist())]


def _regular(params: DetectionPostProcessParams, boxes: Float32, scores: Float32) -> _Chosen:
    rows, classes = np.zeros(0, np.intp), np.zeros(0, np.intp)
    for label in range(params.num_classes):
        selected = suppress(
            boxes,
            scores[:, label],
            params.nms_score_threshold,
            params.nms_iou_threshold,
            params.detections_per_class,
        )
        rows = np.concatenate([rows, selected])
        classes = np.concatenate([classes, np.full(selected.size, label)])
        order = np.argsort(-scores[rows, classes], kind="stable")[: params.max_detections]
        rows, classes = rows[order], classes[order]
    return rows, np.arange(rows.size), classes, rows.size


TFLITE_DETECTION_POST_PROCESS = Kernel(
    name="CUSTOM:TFLite_Detection_PostProcess",
    signatures=signatures(
        "float32,float32|uint8,float32 -> float32,float32,float32,float32",
        "uint8,float32|uint8,uint8 -> float32,float32,float32,float32",
    ),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/detection_postprocess.cc",
    max_version=1,
)
