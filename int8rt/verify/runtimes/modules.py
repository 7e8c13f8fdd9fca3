"""The files of a Python module below a folder: its own, and those of what it imports, without running any of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path


def module_files(name: str, folder: Path) -> list[Path]:
    """The files of module `name` ("package.module") and, one import after the other, of all that it imports from there.

    Only what lies below `folder`, where Python looks first. Files that can't be parsed count without what they import;
    an import by a name that is made while running is not seen. Empty where the module is elsewhere.
    """
    found: dict[Path, None] = {}
    waiting = [name]
    while waiting:
        parts = waiting.pop().split(".")
        for depth in range(1, len(parts) + 1):
            file, package = _file(folder.joinpath(*parts[:depth]))
            if file is not None and file not in found:
                found[file] = None
                waiting += _imported(file, parts[:depth] if package else parts[: depth - 1])
    return list(found)


def _file(path: Path) -> tuple[Path | None, bool]:
    """The file of a module and whether it is a package, which comes before a module of that name."""
    for file, package in ((path / "__init__.py", True), (path.with_name(f"{path.name}.py"), False)):
        if path.name and file.is_file():
            return file, package
    return None, False


def _imported(file: Path, package: list[str]) -> Iterator[str]:
    """What a file of this package imports, by absolute names: a.b for "from a import b", as b may be a module."""
    try:
        nodes = list(ast.walk(ast.parse(file.read_bytes())))
    except (OSError, SyntaxError, ValueError, RecursionError):
        return
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}".strip(".") for alias in node.names)
