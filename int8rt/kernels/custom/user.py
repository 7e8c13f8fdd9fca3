"""Custom operators that a user adds: `int8rt.register_custom_op`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from int8rt.errors import EvaluationError, InputError, ModelError
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, TensorInfo
from int8rt.kernels.custom.flexbuffer import decode
from int8rt.kernels.signature import signatures
from int8rt.model import Shape

_ANY_VERSION = 2**31 - 1


@dataclass(frozen=True, slots=True)
class CustomOp:
    """A custom operator of a model, as the functions given to `register_custom_op` see it.

    inputs, outputs: name, type, shape, quantization and constant value (`value`, None where there is none) of its
    tensors; None for an input that is absent. The shapes of outputs are those in the file. profile: its name.
    """

    name: str
    version: int
    custom_options: bytes
    inputs: tuple[TensorInfo | None, ...]
    outputs: tuple[TensorInfo, ...]
    profile: str

    @property
    def options(self) -> Any:
        """`custom_options` as a FlexBuffer: a dict, list, number, string; None where there are no options.

        Raises `ModelError` where they are no FlexBuffer.
        """
        if not self.custom_options:
            return None
        try:
            return decode(self.custom_options)
        except ModelError as error:
            raise ModelError(f"options of custom operator {self.name!r}: {error}") from None


Evaluate = Callable[..., Array | Sequence[Array] | None]
Prepare = Callable[[CustomOp], Sequence[Sequence[int]] | None]

_registered: dict[str, Kernel] = {}


def registered(name: str) -> Kernel | None:
    """The operator that a user has registered under this custom code."""
    return _registered.get(name)


def register_custom_op(
    name: str,
    evaluate: Evaluate,
    *,
    prepare: Prepare | None = None,
    types: str = "any?* -> any*",
    replace: bool = False,
) -> None:
    """Let models use a custom operator that is written in Python. It holds for every interpreter of this process.

    name: its custom code. evaluate(op, *inputs): the outputs as one array or several, in the types that the model gives
    them; `op` is a `CustomOp`, inputs are read-only arrays, None where one is absent.
    prepare(op): checks the operator and returns the shapes of its outputs, or None where only the data decides them; it
    may raise `ModelError` or `UnsupportedError`. Without it they are the shapes in the file.
    types: what it accepts, such as "float32,int32? -> float32"; other models are refused with `UnsupportedError`.
    replace: whether one of this name may be there already, int8rt's own included.
    Raises `InputError` where it is and may not be, and for `types` that can't be read.
    """
    from int8rt.kernels.custom.table import CUSTOM_KERNELS

    if not name:
        raise InputError("a custom operator's name is empty")
    if not replace and (name in _registered or name in CUSTOM_KERNELS):
        raise InputError(f"there is a custom operator {name!r} already; replace=True takes its place")
    try:
        accepted = signatures(types)
    except KeyError as error:
        raise InputError(f"types {types!r}: there is no type {error}") from None

    def make(context: OperatorContext) -> Params:
        op = _custom_op(context)
        shapes = tuple(tensor.shape for tensor in op.outputs) if prepare is None else _shapes(context, prepare(op))
        return _UserParams(output_shapes=shapes, op=op, evaluate=evaluate, prepared=prepare is not None)

    _registered[name] = Kernel(
        name=f"CUSTOM:{name}",
        signatures=accepted,
        prepare=make,
        evaluate=_evaluate,
        source="registered by the user",
        max_version=_ANY_VERSION,
        pure=False,
    )


def unregister_custom_op(name: str) -> None:
    """Forget a registered operator; `InputError` where there is none of this name."""
    if _registered.pop(name, None) is None:
        raise InputError(f"no custom operator {name!r} is registered")


@dataclass(frozen=True, slots=True, kw_only=True)
class _UserParams(Params):
    op: CustomOp
    evaluate: Evaluate
    prepared: bool


def _custom_op(context: OperatorContext) -> CustomOp:
    operator = context.operator
    return CustomOp(
        operator.custom_code,
        operator.version,
        operator.custom_options,
        context.inputs,
        context.outputs,
        context.profile.name,
    )


def _shapes(context: OperatorContext, shapes: Sequence[Sequence[int]] | None) -> tuple[Shape | None, ...]:
    if shapes is None:
        return (None,) * len(context.outputs)
    checked = tuple(tuple(int(dimension) for dimension in shape) for shape in shapes)
    if any(dimension < 0 for shape in checked for dimension in shape):
        raise context.invalid(f"`prepare` gives the shapes {checked}")
    return checked


def _evaluate(params: _UserParams, *inputs: Array | None) -> tuple[Array, ...]:
    try:
        result = params.evaluate(params.op, *(None if value is None else _read_only(value) for value in inputs))
    except Exception as error:
        error.add_note(f"in `evaluate` of the custom operator {params.op.name!r}")
        raise
    arrays = list(result) if isinstance(result, tuple | list) else [] if result is None else [result]
    if len(arrays) != len(params.op.outputs):
        raise EvaluationError(f"`evaluate` returned {len(arrays)} arrays for {len(params.op.outputs)} outputs")
    for array, shape, tensor in zip(arrays, params.output_shapes, params.op.outputs, strict=True):
        found = np.asarray(array)
        if found.dtype != tensor.type.dtype:
            raise EvaluationError(
                f"`evaluate` returned {found.dtype} for output {tensor.name!r}, which is {tensor.type.label}"
            )
        if shape is not None and found.shape != shape:
            hint = "" if params.prepared else "; other shapes than the file's need a `prepare`"
            raise EvaluationError(
                f"`evaluate` returned the shape {list(found.shape)} for output {tensor.name!r}, "
                f"expected {list(shape)}{hint}"
            )
    # Copies: what the function keeps, or was given, must not change with them.
    return tuple(np.array(array, order="C") for array in arrays)


def _read_only(array: Array) -> Array:
    view = array.view()
    view.flags.writeable = False
    return view
