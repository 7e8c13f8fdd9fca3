"""The part of TensorFlow Lite's C interface that a delegate needs, declared for ctypes by layout alone.

Members that are not used are only there for the offsets of those that are. Nothing promises this layout: it is used
with releases on which it was tried, and every tensor is compared with the model before anything is written.
Source: TensorFlow Lite core/c/common.h.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from ctypes import POINTER, c_bool, c_char_p, c_float, c_int, c_int32, c_int64, c_size_t, c_uint64, c_void_p
from importlib import metadata

from int8rt.errors import UnsupportedError
from int8rt.model import TensorType

# Module of an interpreter to its distribution and the releases that have this layout.
KNOWN = {"ai_edge_litert.interpreter": ("ai-edge-litert", ("2.3.0",))}

# TfLiteType, whose numbers are not those of the schema.
TYPES: Mapping[TensorType, int] = {
    TensorType.FLOAT32: 1,
    TensorType.INT32: 2,
    TensorType.UINT8: 3,
    TensorType.INT64: 4,
    TensorType.STRING: 5,
    TensorType.BOOL: 6,
    TensorType.INT16: 7,
    TensorType.INT8: 9,
    TensorType.FLOAT16: 10,
}
OK, ERROR = 0, 1
DELEGATE = 51
ALLOW_DYNAMIC_TENSORS = 1


class Tensor(ctypes.Structure):
    """TfLiteTensor. dims: a TfLiteIntArray."""

    _fields_ = (
        ("type", c_int),
        ("data", c_void_p),
        ("dims", c_void_p),
        ("scale", c_float),
        ("zero_point", c_int32),
        ("allocation_type", c_int),
        ("bytes", c_size_t),
        ("allocation", c_void_p),
        ("name", c_char_p),
        ("delegate", c_void_p),
        ("buffer_handle", c_int),
        ("data_is_stale", c_bool),
        ("is_variable", c_bool),
        ("quantization_type", c_int),
        ("quantization", c_void_p),
        ("sparsity", c_void_p),
        ("dims_signature", c_void_p),
    )


class Node(ctypes.Structure):
    """TfLiteNode. user_data: what `init` returned."""

    _fields_ = (
        ("inputs", c_void_p),
        ("outputs", c_void_p),
        ("intermediates", c_void_p),
        ("temporaries", c_void_p),
        ("user_data", c_void_p),
        ("builtin_data", c_void_p),
        ("custom_initial_data", c_void_p),
        ("custom_initial_data_size", c_int),
        ("delegate", c_void_p),
        ("might_have_side_effect", c_bool),
    )


InitFunction = ctypes.CFUNCTYPE(c_void_p, c_void_p, c_void_p, c_size_t)
NodeFunction = ctypes.CFUNCTYPE(c_int, c_void_p, POINTER(Node))
DelegatePrepare = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p)


class Registration(ctypes.Structure):
    """TfLiteRegistration. free, profiling_string and what follows the version stay empty."""

    _fields_ = (
        ("init", InitFunction),
        ("free", c_void_p),
        ("prepare", NodeFunction),
        ("invoke", NodeFunction),
        ("profiling_string", c_void_p),
        ("builtin_code", c_int32),
        ("custom_name", c_char_p),
        ("version", c_int),
        ("registration_external", c_void_p),
        ("async_kernel", c_void_p),
        ("inplace_operator", c_uint64),
    )


class Context(ctypes.Structure):
    """The beginning of TfLiteContext."""

    _fields_ = (
        ("tensors_size", c_size_t),
        ("get_execution_plan", ctypes.CFUNCTYPE(c_int, c_void_p, POINTER(c_void_p))),
        ("tensors", POINTER(Tensor)),
        ("own", c_void_p),
        ("resize_tensor", ctypes.CFUNCTYPE(c_int, c_void_p, POINTER(Tensor), c_void_p)),
        ("report_error", ctypes.CFUNCTYPE(None, c_void_p, c_char_p)),
        ("add_tensors", c_void_p),
        ("get_node_and_registration", ctypes.CFUNCTYPE(c_int, c_void_p, c_int, POINTER(POINTER(Node)), c_void_p)),
        ("replace_nodes", ctypes.CFUNCTYPE(c_int, c_void_p, Registration, c_void_p, c_void_p)),
    )


class Delegate(ctypes.Structure):
    """TfLiteDelegate."""

    _fields_ = (
        ("data", c_void_p),
        ("prepare", DelegatePrepare),
        ("copy_from_buffer", c_void_p),
        ("copy_to_buffer", c_void_p),
        ("free_buffer", c_void_p),
        ("flags", c_int64),
        ("opaque_delegate_builder", c_void_p),
    )


class KernelNodes(ctypes.Structure):
    """TfLiteDelegateParams: what a kernel that stands for several nodes is initialized with."""

    _fields_ = (
        ("delegate", c_void_p),
        ("nodes", c_void_p),
        ("input_tensors", c_void_p),
        ("output_tensors", c_void_p),
    )


def integers(address: int | None) -> tuple[int, ...]:
    """The members of a TfLiteIntArray; none of a null pointer."""
    if not address:
        return ()
    size = c_int.from_address(address).value
    return tuple((c_int * size).from_address(address + ctypes.sizeof(c_int)))


def int_array(values: Sequence[int]) -> ctypes.Array[c_int]:
    """A TfLiteIntArray in memory of Python's: for what TensorFlow Lite only reads."""
    return (c_int * (1 + len(values)))(len(values), *values)


def owned_int_array(values: Sequence[int]) -> int:
    """The address of a TfLiteIntArray in memory that TensorFlow Lite will free."""
    size = ctypes.sizeof(c_int) * (1 + len(values))
    malloc = ctypes.CDLL(None).malloc
    malloc.restype, malloc.argtypes = c_void_p, (c_size_t,)
    address = malloc(size)
    if not address:
        raise MemoryError
    ctypes.memmove(address, int_array(values), size)
    return int(address)


def check_release(module: str) -> None:
    """Raise `UnsupportedError` unless the interpreter's module belongs to a release of known layout."""
    distribution, releases = KNOWN.get(module, ("", ()))
    found = metadata.version(distribution) if distribution else module
    if found not in releases or ctypes.sizeof(c_void_p) != 8:
        known = ", ".join(f"{name} {' '.join(versions)}" for name, versions in KNOWN.values())
        raise UnsupportedError(f"int8rt is a delegate for 64-bit {known} only, not for {distribution} {found}")


assert (ctypes.sizeof(Tensor), ctypes.sizeof(Node)) == (112, 80) or ctypes.sizeof(c_void_p) != 8
assert (ctypes.sizeof(Registration), ctypes.sizeof(Delegate)) == (88, 56) or ctypes.sizeof(c_void_p) != 8
