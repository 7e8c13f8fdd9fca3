"""`int8rt schema`: what the JSON of a command looks like."""

from __future__ import annotations

import enum
from typing import Annotated

import typer


class Name(enum.StrEnum):
    """The commands that have one, and the operator suite's files."""

    COMPARE = "compare"
    IDENTIFY = "identify"
    CONFORMANCE = "conformance"
    SUITE = "suite"
    CASE = "case"


def schema(
    command: Annotated[
        Name, typer.Argument(help="The command whose --json is meant; suite, case: the operator suite's files.")
    ],
) -> None:
    """Print the JSON Schema (draft 2020-12) of what a command prints with --json, or of the operator suite's files."""
    import json

    from int8rt.verify.report.schemas import schema as read

    print(json.dumps(read(command), indent=1))
