"""RANDOM_UNIFORM, RANDOM_STANDARD_NORMAL and MULTINOMIAL: random numbers that follow from two seeds.

RANDOM_UNIFORM, RANDOM_STANDARD_NORMAL: shape int32[rank] -> float32[shape]: from [0, 1), or normal by the Box-Muller
transform in float32. MULTINOMIAL: logits float32[batch,classes], num_samples int32 (rank 0) -> int64 or int32
[batch,num_samples]: classes, drawn with probabilities proportional to exp(logits) in float64.
Each run continues where the last one ended; preparing the operator anew starts again. The place is kept with the
model's variables. Seeds are int32 numbers. Without them (both 0) LiteRT draws them from the system's entropy, and so
does int8rt: then no two interpreters give the same numbers. Source of the bits: Philox4x32 as in TensorFlow's
random/philox_random.h.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from int8rt.errors import EvaluationError
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, element_count
from int8rt.kernels.counter_random import Words, counters, philox4x32, words
from int8rt.kernels.runtime import Handle, Runtime
from int8rt.kernels.signature import signatures
from int8rt.model import Shape, TensorType
from int8rt.quantization import libm
from int8rt.quantization.rounding import wrap_int32
from int8rt.schema.options import RandomOptions

_BLOCK = 1 << 16
# Where only running tells how many numbers are asked for.
_MOST_NUMBERS = 1 << 22
# NumPy's own limit.
_MOST_DIMENSIONS = 64
_INT32_MAX = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomParams(Params):
    """seed, seed2: as 64-bit numbers. place: the variable that counts how many times four words were drawn.

    type: of the output.
    """

    seed: int
    seed2: int
    place: Handle
    type: TensorType


def prepare(context: OperatorContext) -> RandomParams:
    """Check the shape where it is known, and begin with the first number."""
    shape = context.input(0)
    if shape.rank != 1:
        raise context.invalid(f"shape {shape.name!r} must have rank 1, found {list(shape.shape)}")
    sizes = None if shape.value is None else tuple(int(size) for size in shape.value)
    if sizes is not None and min(sizes, default=0) < 0:
        raise context.invalid(f"the shape {list(sizes)} must not be negative")
    return _params(context, sizes)


def prepare_multinomial(context: OperatorContext) -> RandomParams:
    """Check the shapes, and begin with the first number."""
    logits, count = context.input(0), context.input(1)
    if logits.rank != 2 or logits.shape[1] < 1 or count.rank != 0:
        raise context.invalid(f"logits {list(logits.shape)} and num_samples {list(count.shape)} are no [n,classes], []")
    if count.value is not None and int(count.value) < 0:
        raise context.invalid(f"num_samples is {count.value}, expected at least 0")
    return _params(context, None if count.value is None else (logits.shape[0], int(count.value)))


def _params(context: OperatorContext, shape: Shape | None) -> RandomParams:
    if context.runtime is None:
        raise context.unsupported("runs only in a model, which keeps its place among the random numbers")
    options = context.options(RandomOptions)
    # The file holds 64 bits, of which LiteRT keeps 32.
    seed, seed2 = (int(wrap_int32(value)) for value in (options.seed, options.seed2))
    if seed == seed2 == 0:
        seed, seed2 = secrets.randbits(64), secrets.randbits(64)
    # The operator is the model's own object, so this is no other variable's name.
    place = Handle("\0random", str(id(context.operator)))
    context.runtime.assign_variable(place, TensorType.UINT64, np.zeros(1, np.uint64))
    unsigned = [value % 2**64 for value in (seed, seed2)]
    return RandomParams(
        output_shapes=(shape,), seed=unsigned[0], seed2=unsigned[1], place=place, type=context.output().type
    )


def _advance(params: RandomParams, runtime: Runtime, blocks: int) -> int:
    """The place before, in blocks of four words; it moves on by so many."""
    place = runtime.read_variable(params.place)
    assert place is not None
    before = int(place.value[0])
    runtime.assign_variable(params.place, place.type, np.array([(before + blocks) % 2**64], np.uint64))
    return before


def _draw(params: RandomParams, first: int, count: int) -> Words:
    """uint32[count,4]: blocks of four words from block `first` on."""
    low, high = counters(first, count)
    key0, key1 = words(params.seed)
    third, fourth = words(params.seed2)
    return philox4x32((key0, key1), (low, high, third, fourth))


def _known(params: RandomParams, shape: Shape) -> Shape:
    if params.output_shapes[0] is not None:
        return params.output_shapes[0]
    if len(shape) > _MOST_DIMENSIONS:
        raise EvaluationError(f"the shape has {len(shape)} dimensions, more than {_MOST_DIMENSIONS}")
    if min(shape, default=0) < 0 or element_count(shape) > _MOST_NUMBERS:
        raise EvaluationError(f"the shape {list(shape)} is negative, or has more than {_MOST_NUMBERS} elements")
    return shape


def uint32_to_float(bits: Words) -> npt.NDArray[np.float32]:
    """Numbers from [0, 1) in steps of 2^-23."""
    one = (bits & np.uint32(0x7FFFFF)) | np.uint32(127 << 23)
    return np.asarray(one.view(np.float32) - np.float32(1))


def uint64_to_double(low: Words, high: Words) -> npt.NDArray[np.float64]:
    """Numbers from [0, 1) in steps of 2^-52; the first word gives the upper bits."""
    mantissa = ((low & np.uint32(0xFFFFF)).astype(np.uint64) << np.uint64(32)) | high.astype(np.uint64)
    return np.asarray((mantissa | np.uint64(1023 << 52)).view(np.float64) - 1.0)


def box_muller(bits: Words) -> npt.NDArray[np.float32]:
    """Pairs of normal numbers from pairs of words [..,2]."""
    uniform = uint32_to_float(bits)
    u = np.maximum(uniform[..., 0], np.float32(1e-7))
    angle = (2 * np.pi * uniform[..., 1].astype(np.float64)).astype(np.float32)
    radius = np.sqrt(np.float32(-2) * libm.log(u))
    return np.stack([libm.sin(angle) * radius, libm.cos(angle) * radius], axis=-1)


def _normal(bits: Words) -> npt.NDArray[np.float32]:
    return box_muller(bits.reshape(-1, 2)).reshape(bits.shape)


def _filling(numbers: Callable[[Words], npt.NDArray[np.float32]]) -> Callable[[RandomParams, Runtime, Array], Array]:
    def evaluate(params: RandomParams, runtime: Runtime, shape: Array) -> Array:
        """The numbers, four to a block; what is left of the last block is not used."""
        sizes = _known(params, tuple(int(size) for size in shape))
        output = np.empty(element_count(sizes), np.float32)
        blocks = -(-output.size // 4)
        first = _advance(params, runtime, blocks)
        for start in range(0, blocks, _BLOCK):
            drawn = numbers(_draw(params, first + start, min(_BLOCK, blocks - start))).reshape(-1)
            target = output[4 * start : 4 * (start + _BLOCK)]
            target[...] = drawn[: target.size]
        return output.reshape(sizes)

    return evaluate


def evaluate_multinomial(params: RandomParams, runtime: Runtime, logits: Array, num_samples: Array) -> Array:
    """A class for each sample: the first whose cumulative probability exceeds a number from [0, 1)."""
    batch, count = _known(params, (logits.shape[0], int(num_samples)))
    output = np.empty((batch, count), params.type.dtype)
    # Far more blocks are left out than are drawn.
    first = _advance(params, runtime, batch * (-(-count // 4) * 4) * 2 * 256)
    pairs = _draw(params, first, -(-batch * count // 2)).reshape(-1, 2)
    numbers = uint64_to_double(pairs[:, 0], pairs[:, 1])
    for row, (chances, classes) in enumerate(zip(logits, output, strict=True)):
        finite = np.isfinite(chances)
        largest = np.max(chances, initial=np.finfo(np.float32).min, where=finite).astype(np.float64)
        weights = np.zeros(chances.shape)
        weights[finite] = libm.exp(chances[finite].astype(np.float64) - largest)
        cumulative = np.cumsum(weights)
        found = numbers[row * count : (row + 1) * count] * cumulative[-1]
        classes[...] = np.searchsorted(cumulative, found, side="right")
    return output


def _kernel(name: str, numbers: Callable[[Words], npt.NDArray[np.float32]]) -> Kernel:
    return Kernel(
        name=name,
        signatures=signatures("int32 -> float32"),
        prepare=prepare,
        evaluate=_filling(numbers),
        source="kernels/random_ops.cc",
        max_version=1,
        pure=False,
        reaches_out=True,
    )


RANDOM_UNIFORM = _kernel("RANDOM_UNIFORM", uint32_to_float)
RANDOM_STANDARD_NORMAL = _kernel("RANDOM_STANDARD_NORMAL", _normal)
MULTINOMIAL = Kernel(
    name="MULTINOMIAL",
    signatures=signatures("float32,int32 -> int64|int32"),
    prepare=prepare_multinomial,
    evaluate=evaluate_multinomial,
    source="kernels/random_ops.cc",
    max_version=1,
    pure=False,
    reaches_out=True,
)
