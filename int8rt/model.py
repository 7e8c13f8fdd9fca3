"""What a .tflite file says, as frozen dataclasses; no arithmetic here.

`schema.reader` makes a `Model` from bytes, `schema.writer` makes bytes from a `Model`. Indices are those of the file:
`Operator.inputs` counts in `Subgraph.tensors`, and -1 stands for an optional input that is absent.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Shape = tuple[int, ...]

_LONGEST_SHOWN = 100


def shown(text: str, longest: int = _LONGEST_SHOWN) -> str:
    """A name out of a file as messages and tables can show it: printable characters only, cut off where it is long."""
    short = text if len(text) <= longest else text[:longest] + "…"
    return short if short.isprintable() else "".join(char if char.isprintable() else "?" for char in short)


class TensorType(enum.IntEnum):
    """Element types, numbered as in the TensorFlow Lite schema."""

    FLOAT32 = 0
    FLOAT16 = 1
    INT32 = 2
    UINT8 = 3
    INT64 = 4
    STRING = 5
    BOOL = 6
    INT16 = 7
    COMPLEX64 = 8
    INT8 = 9
    FLOAT64 = 10
    COMPLEX128 = 11
    UINT64 = 12
    RESOURCE = 13
    VARIANT = 14
    UINT32 = 15
    UINT16 = 16
    INT4 = 17
    BFLOAT16 = 18
    INT2 = 19
    UINT4 = 20
    FLOAT8_E4M3FN = 21
    FLOAT8_E5M2 = 22

    @property
    def label(self) -> str:
        """The name as users write it: "int8", "float32"."""
        return self.name.lower()

    @property
    def bits(self) -> int:
        """Bits that one element takes in the file (STRING, RESOURCE and VARIANT: 0, they have no fixed size)."""
        return _BITS.get(self, 0)

    @property
    def dtype(self) -> np.dtype[Any]:
        """NumPy dtype of one element in memory: int4 and int2 are widened to int8, uint4 to uint8, strings are objects.

        bfloat16 and the 8-bit floats have no NumPy dtype and come as their bits (uint16, and int8 as in LiteRT).
        """
        return _DTYPES[self]


_NUMPY: Mapping[TensorType, type[Any]] = {
    TensorType.FLOAT32: np.float32,
    TensorType.FLOAT16: np.float16,
    TensorType.INT32: np.int32,
    TensorType.UINT8: np.uint8,
    TensorType.INT64: np.int64,
    TensorType.STRING: np.object_,
    TensorType.BOOL: np.bool_,
    TensorType.INT16: np.int16,
    TensorType.COMPLEX64: np.complex64,
    TensorType.INT8: np.int8,
    TensorType.FLOAT64: np.float64,
    TensorType.COMPLEX128: np.complex128,
    TensorType.UINT64: np.uint64,
    TensorType.RESOURCE: np.object_,
    TensorType.VARIANT: np.object_,
    TensorType.UINT32: np.uint32,
    TensorType.UINT16: np.uint16,
    TensorType.INT4: np.int8,
    TensorType.BFLOAT16: np.uint16,
    TensorType.INT2: np.int8,
    TensorType.UINT4: np.uint8,
    TensorType.FLOAT8_E4M3FN: np.int8,
    TensorType.FLOAT8_E5M2: np.int8,
}

_DTYPES: Mapping[TensorType, np.dtype[Any]] = {item: np.dtype(scalar) for item, scalar in _NUMPY.items()}

_BITS: Mapping[TensorType, int] = {
    TensorType.FLOAT32: 32,
    TensorType.FLOAT16: 16,
    TensorType.INT32: 32,
    TensorType.UINT8: 8,
    TensorType.INT64: 64,
    TensorType.BOOL: 8,
    TensorType.INT16: 16,
    TensorType.COMPLEX64: 64,
    TensorType.INT8: 8,
    TensorType.FLOAT64: 64,
    TensorType.COMPLEX128: 128,
    TensorType.UINT64: 64,
    TensorType.UINT32: 32,
    TensorType.UINT16: 16,
    TensorType.INT4: 4,
    TensorType.BFLOAT16: 16,
    TensorType.INT2: 2,
    TensorType.UINT4: 4,
    TensorType.FLOAT8_E4M3FN: 8,
    TensorType.FLOAT8_E5M2: 8,
}


class Padding(enum.IntEnum):
    """How a window treats the border: SAME keeps ceil(input / stride) positions, VALID uses full windows only."""

    SAME = 0
    VALID = 1


class ActivationFunctionType(enum.IntEnum):
    """Fused activation functions of the schema."""

    NONE = 0
    RELU = 1
    RELU_N1_TO_1 = 2
    RELU6 = 3
    TANH = 4
    SIGN_BIT = 5


@dataclass(frozen=True, slots=True)
class BlockwiseQuantization:
    """Scales (and zero points) held by other tensors, one for each block of `block_size` elements."""

    scales: int
    zero_points: int
    block_size: int
    block_shape: Shape = ()


@dataclass(frozen=True, slots=True)
class MultiAxisQuantization:
    """Scales (and zero points, -1 if absent) held by other tensors, along several dimensions; no blocks if 0."""

    scales: int
    zero_points: int
    block_size: int = 0
    quantized_dimensions: Shape = ()


@dataclass(frozen=True, slots=True, eq=False)
class Quantization:
    """real = (q - zero_point) * scale.

    scale: float32[n], zero_point: int64[n]; n = 1 per tensor, n = shape[quantized_dimension] per axis, n = 0 where the
    file only has a calibrated range, or `blockwise`, `multi_axis` or `custom` parameters (at most one of the three).
    min, max: float32[m], the calibrated range; informative only.
    custom: raw bytes of a custom quantization, which TensorFlow Lite does not interpret.
    """

    scale: npt.NDArray[np.float32]
    zero_point: npt.NDArray[np.int64]
    quantized_dimension: int = 0
    min: npt.NDArray[np.float32] | None = None
    max: npt.NDArray[np.float32] | None = None
    blockwise: BlockwiseQuantization | None = None
    multi_axis: MultiAxisQuantization | None = None
    custom: bytes | None = None

    @staticmethod
    def per_tensor(scale: float, zero_point: int = 0) -> Quantization:
        """One scale (a real number a step) and zero point (in steps) for the whole tensor."""
        return Quantization(np.array([scale], np.float32), np.array([zero_point], np.int64))

    @staticmethod
    def per_axis(scale: npt.ArrayLike, zero_point: npt.ArrayLike, quantized_dimension: int) -> Quantization:
        """A scale and a zero point for each index along `quantized_dimension`."""
        return Quantization(np.asarray(scale, np.float32), np.asarray(zero_point, np.int64), quantized_dimension)


@dataclass(frozen=True, slots=True, eq=False)
class DimensionMetadata:
    """One dimension of a sparse tensor: dense with a size, or CSR with segments and indices.

    segments, indices: int32, uint16 or uint8 vectors, as wide as the file stores them.
    """

    sparse: bool
    dense_size: int = 0
    segments: npt.NDArray[Any] = field(default_factory=lambda: np.zeros(0, np.int32))
    indices: npt.NDArray[Any] = field(default_factory=lambda: np.zeros(0, np.int32))


@dataclass(frozen=True, slots=True)
class Sparsity:
    """How a constant's non-zero elements are stored."""

    traversal_order: tuple[int, ...]
    block_map: tuple[int, ...]
    dimensions: tuple[DimensionMetadata, ...]


@dataclass(frozen=True, slots=True)
class VariantTensor:
    """Element type of a VARIANT tensor (a tensor list)."""

    shape: Shape
    type: TensorType
    has_rank: bool = False


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor of a subgraph. `buffer` 0 means that there is no constant data.

    `external_buffer`: `ExternalBuffer.id` of data held in another file, or 0.
    """

    name: str
    type: TensorType
    shape: Shape
    buffer: int = 0
    quantization: Quantization | None = None
    shape_signature: Shape | None = None
    is_variable: bool = False
    has_rank: bool = False
    sparsity: Sparsity | None = None
    variant_tensors: tuple[VariantTensor, ...] = ()
    external_buffer: int = 0

    @property
    def label(self) -> str:
        """Name for messages and tables; see `shown`."""
        return shown(self.name)


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator. `name` is its TensorFlow Lite name ("CONV_2D"); `custom_code` is set when `name` is "CUSTOM".

    `options`: a dataclass of `schema.options`, or None where the file holds none.
    `custom_options`: the raw bytes of a custom operator's options.
    """

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    version: int = 1
    options: Any = None
    custom_code: str = ""
    custom_options: bytes = b""
    intermediates: tuple[int, ...] = ()
    mutating_variable_inputs: tuple[bool, ...] = ()
    debug_metadata_index: int = -1

    @property
    def label(self) -> str:
        """Name for messages and tables: the custom code of a custom operator."""
        return f"CUSTOM:{shown(self.custom_code)}" if self.name == "CUSTOM" else self.name


@dataclass(frozen=True, slots=True)
class Subgraph:
    """Tensors, and operators in the order in which they run."""

    name: str
    tensors: tuple[Tensor, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    operators: tuple[Operator, ...]
    debug_metadata_index: int = -1


@dataclass(frozen=True, slots=True)
class Signature:
    """A named entry point: names of inputs and outputs to tensor indices of `subgraph`."""

    key: str
    subgraph: int
    inputs: Mapping[str, int]
    outputs: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Metadata:
    """A named buffer that the runtime does not read."""

    name: str
    buffer: int


@dataclass(frozen=True, slots=True)
class ExternalBuffer:
    """Constant data in another file: bytes [offset, offset + length) of the file that `group` names."""

    id: int
    group: int
    offset: int
    length: int
    packing: str = ""


@dataclass(frozen=True, slots=True)
class Model:
    """A whole file.

    `buffers`: raw bytes; None for a buffer without data, as buffer 0 is: tensors of it are computed at run time (b"" is
    the data of a constant without elements).
    `external_buffer_groups`: names of other files that hold constants, counted by `ExternalBuffer.group`.
    """

    subgraphs: tuple[Subgraph, ...]
    buffers: tuple[bytes | memoryview | None, ...]
    version: int = 3
    description: str = ""
    signatures: tuple[Signature, ...] = ()
    metadata: tuple[Metadata, ...] = ()
    metadata_buffer: tuple[int, ...] = ()
    external_buffer_groups: tuple[str, ...] = ()
    external_buffers: tuple[ExternalBuffer, ...] = ()
