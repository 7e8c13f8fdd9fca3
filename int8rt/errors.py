"""Every error that int8rt raises on purpose, under one base class.

The message is for a person: which operator or tensor, what was found, what is accepted.
"""

from __future__ import annotations


class Int8rtError(Exception):
    """Base class of all errors of int8rt."""


class ModelError(Int8rtError, ValueError, RuntimeError):
    """The file is not a well-formed TensorFlow Lite model, or contradicts itself.

    LiteRT raises ValueError for what it finds when loading, RuntimeError for what it finds when allocating.
    """


class UnsupportedError(Int8rtError, RuntimeError):
    """The model is well formed, but asks for something that int8rt cannot run."""


class SpecError(Int8rtError, ValueError):
    """Quantization parameters break a rule of the quantization specification."""


class InputError(Int8rtError, ValueError):
    """Data or arguments given by the caller do not fit the model."""


class StateError(Int8rtError, RuntimeError):
    """The call is not possible: tensors are not allocated yet, an array of the interpreter's own is still held, or the
    tensor cannot be resized so.
    """


class EvaluationError(Int8rtError, RuntimeError):
    """The values met while running are outside the operator's domain (a division by zero, an index out of range)."""
