"""`int8rt pack`: a folder to carry to a device."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from int8rt.cli.backend import Backend


def pack(
    model: Annotated[Path, typer.Argument(help="A .tflite file.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to make.")],
    input: Annotated[
        list[str] | None,
        typer.Option("--input", "-i", metavar="[NAME=]FILE", help="As for `run`; without it: the inputs of `compare`."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the made inputs.")] = 0,
    profile: Annotated[str, typer.Option("--profile", help="The arithmetic of the expected results.")] = "tflite-ref",
    backend: Annotated[Backend, typer.Option("--backend", help="How to compute them.")] = Backend.AUTO,
    as_json: Annotated[bool, typer.Option("--json", help="Print the manifest.")] = False,
) -> None:
    """Make a folder for a device: the model, inputs, expected outputs, hashes, a script, and how to go on."""
    from int8rt.cli.feed import read_inputs
    from int8rt.schema import read_model
    from int8rt.text import print_json
    from int8rt.verify.bundle import write_bundle
    from int8rt.verify.inputs import KINDS, make_inputs

    content = model.read_bytes()
    parsed = read_model(content, name=model)
    runs = [("given", read_inputs(parsed, input))] if input else [(k, make_inputs(parsed, k, seed)) for k in KINDS]
    manifest = write_bundle(output, content, runs, profile=profile, backend=backend.value)
    if as_json:
        print_json(manifest)
    else:
        print(f"{output}: {len(runs)} runs, {', '.join(label for label, _ in runs)}; README.md says how to go on")
