"""Who wants to know that a kernel is being compiled, which takes seconds: progress lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Called with a kernel's name before it is compiled, and with None afterwards.
Listener = Callable[[str | None], None]
_listeners: list[Listener] = []


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Calls `listener` about every kernel that is compiled within the block."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


@contextmanager
def compiling(name: str) -> Iterator[None]:
    """Tells the listeners what happens within the block."""
    for listener in _listeners:
        listener(name)
    try:
        yield
    finally:
        for listener in _listeners:
            listener(None)
