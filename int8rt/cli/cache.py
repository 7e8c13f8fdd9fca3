"""`int8rt cache`: the compiled kernels on this machine's disk."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Action(StrEnum):
    """What `int8rt cache` can do."""

    INFO = "info"
    WARM = "warm"
    CLEAR = "clear"


def cache(
    action: Annotated[
        Action,
        typer.Argument(
            help="info: where the kernels are, and for which instruction set. warm: compile what the models need, or "
            "what most models need. clear: delete them."
        ),
    ],
    models: Annotated[list[Path] | None, typer.Argument(help=".tflite files, for warm.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Show, fill or clear the folder of compiled kernels (INT8RT_CACHE_DIR, else in the user's folder for caches)."""
    if models and action is not Action.WARM:
        raise typer.BadParameter("only warm takes models")

    from int8rt.kernels.jit import disk
    from int8rt.text import print_json, quantity

    if action is Action.CLEAR:
        count, size = disk.clear()
        result: dict[str, object] = {"folder": str(disk.folder()), "deleted": count, "bytes": size}
        text = f"{count} kernels deleted, {quantity(size)} bytes"
    elif action is Action.INFO:
        entries = disk.entries()
        size = sum(path.stat().st_size for path in entries)
        from int8rt.kernels.jit.isa.levels import choose_level, default_level

        level, best = choose_level().name, default_level()
        # What a better one lacks is of interest only where no other was asked for.
        reason = best[1] if level == best[0].name else ""
        result = {"folder": str(disk.folder()), "kernels": len(entries), "bytes": size}
        result |= {"level": level, "level_reason": reason}
        text = f"{disk.folder()}: {len(entries)} kernels, {quantity(size)} bytes\ninstruction set: {level}"
        text += f" ({reason})" if reason else ""
    else:
        compiled, seconds, level = _warm(models or [])
        result = {"folder": str(disk.folder()), "compiled": compiled, "seconds": seconds, "level": level}
        text = f"{compiled} kernels compiled for {level} in {seconds:.1f} s"
    if as_json:
        print_json(result)
    else:
        print(text)


def _warm(paths: list[Path]) -> tuple[int, float, str]:
    """(number of kernels that were not there yet, seconds, instruction-set level)."""
    import time

    from int8rt.cli.progress import working
    from int8rt.kernels.jit.events import listening
    from int8rt.kernels.jit.isa.levels import choose_level
    from int8rt.kernels.jit.warm import common_models, warm
    from int8rt.schema import load_model

    names: list[str] = []
    start = time.perf_counter()
    with working("looking for kernels"), listening(lambda name: names.append(name) if name else None):
        for model in [load_model(path) for path in paths] if paths else common_models():
            warm(model)
    return len(names), time.perf_counter() - start, choose_level().name
