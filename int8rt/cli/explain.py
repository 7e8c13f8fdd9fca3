"""`int8rt explain`: how one element of an operator's output comes about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from int8rt.cli.options import ModelArgument, PrintPythonOption

if TYPE_CHECKING:
    from int8rt.verify.bundle import Array


def explain(
    model: ModelArgument,
    op: Annotated[int, typer.Option("--op", metavar="N", help="The operator, by its place in the model.")],
    at: Annotated[
        str | None, typer.Option("--at", metavar="I,J,...", help="The element of its output; the first one by default.")
    ] = None,
    input: Annotated[
        list[str] | None,
        typer.Option(
            "--input", "-i", metavar="[NAME=]FILE", help="As for `run`; without it: the folder's first run, or random."
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the random inputs.")] = 0,
    profile: Annotated[str, typer.Option("--profile", help="The arithmetic to compute with.")] = "tflite-ref",
    html: Annotated[bool, typer.Option("--html", help="Print a fragment of HTML.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the derivation as JSON.")] = False,
    print_python: PrintPythonOption = False,
) -> None:
    """Derive one element of a tensor from its quantized inputs: products, zero points, bias, each rounding, clamp."""
    import dataclasses

    from int8rt.cli.feed import read_inputs
    from int8rt.cli.script import explain_script
    from int8rt.explain import explain as derive
    from int8rt.schema import read_model
    from int8rt.text import print_json
    from int8rt.verify.bundle import read_bundle
    from int8rt.verify.inputs import make_inputs

    element = None if at is None else _element(at)
    if print_python:
        print(explain_script(model, input or [], seed, op, element, profile), end="")
        return
    inputs: Sequence[Array] | None = None
    if model.is_dir():
        bundle = read_bundle(model)
        parsed, inputs = bundle.model, bundle.runs[0][1] if bundle.runs else None
    else:
        parsed = read_model(model.read_bytes(), name=model)
    if input:
        inputs = read_inputs(parsed, input)
    derivation = derive(parsed, op, element, inputs or make_inputs(parsed, "random", seed), profile=profile)
    if as_json:
        print_json({"model": str(model)} | dataclasses.asdict(derivation))
    else:
        print(derivation._repr_html_() if html else derivation)


def _element(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(",")) if text.strip() else ()
    except ValueError:
        raise typer.BadParameter(f"--at {text!r} is not a list of numbers such as 0,3,5,7") from None
