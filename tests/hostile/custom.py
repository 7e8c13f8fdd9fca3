"""One small model for every custom operator that int8rt has."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from flatbuffers import flexbuffers

from int8rt.model import Model, Quantization, Shape, TensorType
from int8rt.schema import TensorSpec, single_operator_model

FLOAT32, INT32, UINT8 = TensorType.FLOAT32, TensorType.INT32, TensorType.UINT8
IMAGE: Shape = (1, 4, 6, 4)


def t(shape: Shape, type: TensorType = FLOAT32) -> TensorSpec:
    """A tensor computed or fed; quantized where its type is uint8."""
    return TensorSpec(type, shape, Quantization.per_tensor(0.02, 128) if type is UINT8 else None)


def _models() -> dict[str, Model]:
    made: dict[str, Model] = {}

    def add(code: str, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec], options: Any) -> None:
        label = f"CUSTOM:{code}.{sum(key.split('.')[0] == f'CUSTOM:{code}' for key in made)}"
        data = options if isinstance(options, bytes) else bytes(flexbuffers.Dumps(options))
        made[label] = single_operator_model("CUSTOM", inputs, outputs, custom_code=code, custom_options=data)

    options = {"max_detections": 5, "max_classes_per_detection": 2, "num_classes": 3, "nms_iou_threshold": 0.5}
    options |= {"nms_score_threshold": 0.1, "y_scale": 10.0, "x_scale": 10.0, "h_scale": 5.0, "w_scale": 5.0}
    found = [t((1, 10, 4)), t((1, 10)), t((1, 10)), t((1,))]
    anchors = TensorSpec.constant(np.full((12, 4), 0.5, np.float32))
    add("TFLite_Detection_PostProcess", [t((1, 12, 4)), t((1, 12, 4)), anchors], found, options)
    anchors = TensorSpec.constant(np.full((12, 4), 150, np.uint8), Quantization.per_tensor(0.004, 0))
    regular = options | {"use_regular_nms": True, "detections_per_class": 3}
    add("TFLite_Detection_PostProcess", [t((1, 12, 4), UINT8), t((1, 12, 3), UINT8), anchors], found, regular)

    add("AudioSpectrogram", [t((64, 2))], [t((2, 4, 9))], {"window_size": 16, "stride": 16, "magnitude_squared": True})
    options = {"upper_frequency_limit": 4000, "lower_frequency_limit": 20}
    options |= {"filterbank_channel_count": 10, "dct_coefficient_count": 5}
    rate = TensorSpec.constant(np.array([16000], np.int32))
    add("Mfcc", [t((1, 3, 65)), rate], [t((1, 3, 5))], options)
    add("NumericVerify", [t((2, 3), UINT8), t((2, 3))], [t((2, 3))], {"tolerance": 5.0, "log_if_failed": False})
    size: dict[str, Any] = {"ksize": [1, 2, 3, 1], "strides": [1, 2, 2, 1], "padding": "SAME"}
    pool = struct.pack("<6i", 1, 2, 2, 2, 2, 1)
    add("MaxPoolWithArgmax", [t(IMAGE)], [t((1, 2, 3, 4)), t((1, 2, 3, 4), INT32)], size)
    add("MaxPoolingWithArgmax2D", [t(IMAGE)], [t((1, 2, 3, 4)), t((1, 2, 3, 4))], pool)
    places = TensorSpec.constant(np.arange(96, dtype=np.int32).reshape(IMAGE))
    add("MaxUnpooling2D", [t(IMAGE), places], [t((1, 8, 12, 4))], pool)
    add("MaxUnpooling2D", [t(IMAGE), t(IMAGE)], [t((1, 8, 12, 4))], pool)
    filter, bias = np.ones((2, 3, 3, 4), np.float32), np.ones(2, np.float32)
    constants = [TensorSpec.constant(filter), TensorSpec.constant(bias)]
    add("Convolution2DTransposeBias", [t(IMAGE), *constants], [t((1, 8, 12, 2))], struct.pack("<5i", 1, 2, 2, 0, 0))
    return made


CUSTOM_MODELS = _models()
