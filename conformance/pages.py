"""Generated pages: printed, or written into a file."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1] / "docs"


def put(text: str, path: Path | None) -> None:
    """Write `text` into the file, or print it where there is none."""
    if path is None:
        print(text, end="")
    else:
        path.write_text(text, encoding="utf-8")


def page_command(module: str, path: Path, page: Callable[[], str]) -> None:
    """What `python -m MODULE` does: print the page that `page` makes, or with --write put it into `path`."""
    shown = f"{path.parent.name}/{path.name}"
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=f"Print {shown}, or write it.")
    parser.add_argument("--write", action="store_true", help=f"write {shown}")
    write = parser.parse_args().write
    put(page(), path if write else None)
