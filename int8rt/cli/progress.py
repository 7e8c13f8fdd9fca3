"""A progress bar on standard error, for what takes longer than a second."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

_PATIENCE = 1.0


def progress(items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
    """`items` one by one; a bar appears on a terminal once a second has passed, and goes when all is done.

    total: how many items there are, where `len` does not tell.
    """
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    start = time.monotonic()
    bar = Progress(console=console, transient=True, disable=not console.is_terminal)
    task = bar.add_task(description, total=len(items) if isinstance(items, Sized) else total)
    try:
        for item in items:
            if time.monotonic() - start > _PATIENCE:
                bar.start()
            yield item
            bar.advance(task)
    finally:
        bar.stop()


@contextmanager
def working(description: str) -> Iterator[None]:
    """A spinner on a terminal while the block runs; it says which kernel is being compiled, which takes seconds."""
    from rich.console import Console

    from int8rt.kernels.jit.events import listening

    with Console(stderr=True).status(description) as status:
        compiled = 0

        def listen(kernel: str | None) -> None:
            nonlocal compiled
            compiled += kernel is not None
            status.update(description if kernel is None else f"compiling kernel {compiled}, once: {kernel}")

        with listening(listen):
            yield
