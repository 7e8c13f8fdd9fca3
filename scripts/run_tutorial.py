"""Runs the commands of docs/quantizing_digits.md and writes what they print below them.

    python scripts/run_tutorial.py

A command stands in a ```console block behind "$ "; what follows it there is replaced.
"""

from __future__ import annotations

import os
import shlex
import shutil
import tempfile
from pathlib import Path

from typer.testing import CliRunner

from int8rt.cli.app import app

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE = DOCS / "quantizing_digits.md"


def with_outputs(page: str, folder: Path) -> str:
    """The page with what its commands print, run one after the other in `folder`."""
    lines, inside = [], False
    before = Path.cwd()
    os.chdir(folder)
    try:
        for line in page.splitlines():
            if line.startswith("```"):
                inside = line == "```console"
            if not inside or line.startswith(("```", "$ ")):
                lines.append(line)
            if inside and line.startswith("$ "):
                lines += _printed(shlex.split(line[2:]))
    finally:
        os.chdir(before)
    return "\n".join(lines) + "\n"


def _printed(command: list[str]) -> list[str]:
    if command[0] == "cat":
        return Path(command[1]).read_text(encoding="utf-8").splitlines()
    result = CliRunner().invoke(app, command[1:])
    if result.exit_code:
        raise SystemExit(f"{shlex.join(command)} ended with {result.exit_code}: {result.output}{result.exception!r}")
    return result.stdout.rstrip().splitlines()


def main() -> None:
    """Runs all of it in a copy of docs/digits."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "digits"
        shutil.copytree(DOCS / "digits", folder)
        PAGE.write_text(with_outputs(PAGE.read_text(encoding="utf-8"), folder), encoding="utf-8")


if __name__ == "__main__":
    main()
