"""Options of operators that move, pick or count elements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from int8rt.schema.enums import ActivationFunctionType, MirrorPadMode, TensorType
from int8rt.schema.storage import Bool, Int32, Int32s


@dataclass(frozen=True, slots=True)
class ConcatenationOptions:
    """CONCATENATION."""

    axis: Int32 = 0
    fused_activation_function: ActivationFunctionType = ActivationFunctionType.NONE


@dataclass(frozen=True, slots=True)
class ReshapeOptions:
    """RESHAPE."""

    new_shape: Int32s = ()


@dataclass(frozen=True, slots=True)
class SqueezeOptions:
    """SQUEEZE."""

    squeeze_dims: Int32s = ()


@dataclass(frozen=True, slots=True)
class PackOptions:
    """PACK."""

    values_count: Int32 = 0
    axis: Int32 = 0


@dataclass(frozen=True, slots=True)
class UnpackOptions:
    """UNPACK."""

    num: Int32 = 0
    axis: Int32 = 0


@dataclass(frozen=True, slots=True)
class SplitOptions:
    """SPLIT."""

    num_splits: Int32 = 0


@dataclass(frozen=True, slots=True)
class SplitVOptions:
    """SPLIT_V."""

    num_splits: Int32 = 0


@dataclass(frozen=True, slots=True)
class StridedSliceOptions:
    """STRIDED_SLICE. Bit i of a mask is about dimension i."""

    begin_mask: Int32 = 0
    end_mask: Int32 = 0
    ellipsis_mask: Int32 = 0
    new_axis_mask: Int32 = 0
    shrink_axis_mask: Int32 = 0
    offset: Bool = False


@dataclass(frozen=True, slots=True)
class GatherOptions:
    """GATHER."""

    axis: Int32 = 0
    batch_dims: Int32 = 0


@dataclass(frozen=True, slots=True)
class MirrorPadOptions:
    """MIRROR_PAD."""

    mode: MirrorPadMode = MirrorPadMode.REFLECT


@dataclass(frozen=True, slots=True)
class SpaceToDepthOptions:
    """SPACE_TO_DEPTH."""

    block_size: Int32 = 0


@dataclass(frozen=True, slots=True)
class DepthToSpaceOptions:
    """DEPTH_TO_SPACE."""

    block_size: Int32 = 0


@dataclass(frozen=True, slots=True)
class ResizeBilinearOptions:
    """RESIZE_BILINEAR. Slots 0 and 1 held the deprecated size, now the second input."""

    first_slot: ClassVar[int] = 2
    align_corners: Bool = False
    half_pixel_centers: Bool = False


@dataclass(frozen=True, slots=True)
class ResizeNearestNeighborOptions:
    """RESIZE_NEAREST_NEIGHBOR."""

    align_corners: Bool = False
    half_pixel_centers: Bool = False


@dataclass(frozen=True, slots=True)
class ReducerOptions:
    """MEAN, SUM, REDUCE_MAX, REDUCE_MIN, REDUCE_PROD, REDUCE_ANY and REDUCE_ALL."""

    keep_dims: Bool = False


@dataclass(frozen=True, slots=True)
class ArgMaxOptions:
    """ARG_MAX."""

    output_type: TensorType = TensorType.FLOAT32


@dataclass(frozen=True, slots=True)
class ArgMinOptions:
    """ARG_MIN."""

    output_type: TensorType = TensorType.FLOAT32


@dataclass(frozen=True, slots=True)
class OneHotOptions:
    """ONE_HOT."""

    axis: Int32 = 0


@dataclass(frozen=True, slots=True)
class SparseToDenseOptions:
    """SPARSE_TO_DENSE."""

    validate_indices: Bool = False


@dataclass(frozen=True, slots=True)
class ShapeOptions:
    """SHAPE."""

    out_type: TensorType = TensorType.FLOAT32


@dataclass(frozen=True, slots=True)
class ReverseSequenceOptions:
    """REVERSE_SEQUENCE."""

    seq_dim: Int32 = 0
    batch_dim: Int32 = 0


@dataclass(frozen=True, slots=True)
class UniqueOptions:
    """UNIQUE."""

    idx_out_type: TensorType = TensorType.INT32
