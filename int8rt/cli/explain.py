"""`int8rt explain`: how one element of an operator's output comes about."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def explain(
    model: Annotated[Path, typer.Argument(help="A .tflite file.")],
    op: Annotated[int, typer.Option("--op", metavar="N", help="The operator, by its place in the model.")],
    at: Annotated[
        str | None, typer.Option("--at", metavar="I,J,...", help="The element of its output; the first one by default.")
    ] = None,
    input: Annotated[
        list[str] | None,
        typer.Option("--input", "-i", metavar="[NAME=]FILE", help="As for `run`; without it: random inputs."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the random inputs.")] = 0,
    profile: Annotated[str, typer.Option("--profile", help="The arithmetic to compute with.")] = "tflite-ref",
    html: Annotated[bool, typer.Option("--html", help="Print a fragment of HTML.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the derivation as JSON.")] = False,
) -> None:
    """Derive one element of a tensor from its quantized inputs: products, zero points, bias, each rounding, clamp."""
    import dataclasses

    from int8rt.cli.feed import read_inputs
    from int8rt.cli.text import print_json
    from int8rt.explain import explain as derive
    from int8rt.schema import read_model
    from int8rt.verify.inputs import make_inputs

    parsed = read_model(model.read_bytes())
    inputs = read_inputs(parsed, input) if input else make_inputs(parsed, "random", seed)
    derivation = derive(parsed, op, None if at is None else _element(at), inputs, profile=profile)
    if as_json:
        print_json({"model": str(model)} | dataclasses.asdict(derivation))
    else:
        print(derivation._repr_html_() if html else derivation)


def _element(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise typer.BadParameter(f"--at {text!r} is not a list of numbers such as 0,3,5,7") from None
