"""Interpreters for the tests. Those in contract/ hold what guides, scripts and LiteRT's own tests rely on."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import int8rt

Make = Callable[..., Any]


@pytest.fixture(params=["numpy", "jit", pytest.param("LiteRT", marks=pytest.mark.litert)])
def make(request: pytest.FixtureRequest) -> Make:
    """Makes an interpreter: each test with this fixture runs on int8rt's backends and, where it is there, on LiteRT."""
    if request.param != "LiteRT":
        return functools.partial(int8rt.Interpreter, backend=request.param)
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    def litert(*arguments: Any, **options: Any) -> Any:
        return Interpreter(*arguments, **({"experimental_op_resolver_type": OpResolverType.BUILTIN_REF} | options))

    return litert


def ready(make: Make, content: bytes, **options: Any) -> Any:
    interpreter = make(model_content=content, **options)
    interpreter.allocate_tensors()
    return interpreter


def ones(*shape: int) -> np.ndarray[Any, Any]:
    return np.ones(shape, np.int8)
