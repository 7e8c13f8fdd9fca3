"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

HtmlOption = Annotated[
    Path | None, typer.Option("--html", metavar="FILE", help="Write a report for people: one file, no network.")
]
JunitOption = Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Write a JUnit file.")]
MarkdownOption = Annotated[
    Path | None,
    typer.Option("--markdown", metavar="FILE", help="Write a Markdown summary, as for a CI job."),
]
PythonOption = Annotated[
    bool, typer.Option("--print-python", help="Print the same as a Python script, and run nothing.")
]
