"""What an interpreter is opened with: a file or its bytes, and LiteRT's ways of choosing kernels."""

from __future__ import annotations

import enum
import os
import warnings
from typing import Any, NoReturn

from int8rt.errors import InputError, ModelError
from int8rt.model import Model
from int8rt.schema import load_model, read_model

# Choices of kernels that a profile stands for.
_PROFILES = (("BUILTIN", "xnnpack"), ("BUILTIN_WITHOUT_DEFAULT_DELEGATES", "tflite-opt"))


class OpResolverType(enum.Enum):
    """LiteRT's choice of kernels, for scripts that pass one. int8rt's arithmetic is chosen by `profile` alone.

    AUTO and BUILTIN_REF are taken as they are. The other two name arithmetics of their own: with a warning that the
    profile is used instead, unless it stands for that very choice.
    """

    AUTO = 0
    BUILTIN = 1
    BUILTIN_REF = 2
    BUILTIN_WITHOUT_DEFAULT_DELEGATES = 3


def load_delegate(library: str, options: dict[str, Any] | None = None) -> NoReturn:
    """Always an `InputError`, as LiteRT's function raises where a library can't be loaded: int8rt runs no delegates."""
    raise InputError(f"failed to load delegate from {library}: int8rt runs no delegates")


def open_model(path: str | os.PathLike[str] | None, content: bytes | bytearray | memoryview | Model | None) -> Model:
    """The model of a file or of its bytes, whichever is given; `InputError` unless it is one of them and readable."""
    if (path is None) == (content is None):
        given = "found both" if path is not None else "found neither"
        raise InputError(f"`model_path` or `model_content` must be specified, {given}")
    if isinstance(content, Model):
        return content
    try:
        if content is not None:
            return read_model(content)
        assert path is not None
        return load_model(path)
    except ModelError as error:
        raise ModelError(f"The model is not a valid Flatbuffer buffer: {error}") from None
    except OSError as error:
        assert path is not None
        raise InputError(f"Could not open {os.fspath(path)!r}: {error.strerror or error}") from error


def check_resolver(resolver: Any, profile: str) -> None:
    """`InputError` unless this is an `OpResolverType`, or LiteRT's; a warning where it names another arithmetic."""
    name = getattr(resolver, "name", None)  # LiteRT's own enum is welcome too
    if name not in OpResolverType.__members__:
        raise InputError(f"Unrecognized passed in op resolver type: {resolver}")
    if name not in ("AUTO", "BUILTIN_REF") and (name, profile) not in _PROFILES:
        warnings.warn(f"int8rt computes as its profile {profile!r} does, not as {resolver}", stacklevel=3)
