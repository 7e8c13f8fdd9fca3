"""`int8rt operators`: the table of supported operators, as the registry has it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from int8rt.kernels.base import Kernel

_BEGIN, _END = "<!-- operators -->", "<!-- /operators -->"


def operators(
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a Markdown table.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the table as JSON.")] = False,
    write: Annotated[
        Path | None, typer.Option("--write", help="Put the Markdown table between the markers in this file.")
    ] = None,
    check: Annotated[
        Path | None, typer.Option("--check", help="Exit with 1 unless the table in this file is up to date.")
    ] = None,
) -> None:
    """List the operators that int8rt runs, with their types and the highest version that is understood."""
    from int8rt.cli.app import ExitCode
    from int8rt.kernels.custom.table import CUSTOM_KERNELS
    from int8rt.kernels.registry import KERNELS
    from int8rt.text import columns, print_json

    kernels = sorted([*KERNELS.values(), *CUSTOM_KERNELS.values()], key=lambda kernel: kernel.name)
    if write is not None or check is not None:
        file = write or check
        assert file is not None
        before = file.read_text(encoding="utf-8")
        after = _replace(before, _markdown(kernels), file)
        if write is not None:
            file.write_text(after, encoding="utf-8")
        elif before != after:
            typer.echo(f"the table of operators in {file} is out of date: int8rt operators --write {file}", err=True)
            raise typer.Exit(ExitCode.NOT_CONFORMANT)
    elif as_json:
        print_json({"operators": [_plain(kernel) for kernel in kernels]})
    elif markdown:
        print(_markdown(kernels))
    else:
        rows = [(kernel.name, str(kernel.max_version), text) for kernel in kernels for text in _types(kernel)]
        print(columns(("operator", "version", "types"), rows, right=(1,)))
        print(f"{len(kernels)} operators")


def _types(kernel: Kernel) -> list[str]:
    """The kernel's signatures; those of one pattern are one line: "T,T -> T  (T: int8, uint8)"."""
    patterns: dict[str, list[str]] = {}
    for signature in kernel.signatures:
        patterns.setdefault(signature.pattern, []).append(signature.T)
    return [f"{pattern}  (T: {', '.join(types)})" if types[0] else pattern for pattern, types in patterns.items()]


def _markdown(kernels: list[Kernel]) -> str:
    lines = ["| Operator | Version | Types | Arithmetic of TensorFlow Lite's |", "| --- | --- | --- | --- |"]
    for kernel in kernels:
        types = "<br>".join(_types(kernel)).replace("|", "\\|")
        lines.append(f"| {kernel.name} | {kernel.max_version} | {types} | {kernel.source} |")
    return "\n".join(lines)


def _plain(kernel: Kernel) -> dict[str, Any]:
    return {
        "name": kernel.name,
        "max_version": kernel.max_version,
        "signatures": [str(signature) for signature in kernel.signatures],
        "source": kernel.source,
    }


def _replace(text: str, table: str, file: Path) -> str:
    from int8rt.errors import InputError

    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise InputError(f"{file} has no place for the table, between the lines {_BEGIN!r} and {_END!r}")
    return f"{before}{begin}\n{table}\n{end}{after}"
