"""`int8rt run`: one inference on the user's data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from int8rt.cli.backend import Backend
from int8rt.cli.options import PrintPythonOption


def run(
    model: Annotated[Path, typer.Argument(help="A .tflite file.")],
    input: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            "-i",
            metavar="[NAME=]FILE",
            help="A .npy, .npz or image file; once for each input, in their order or by name. Real values and images "
            "are quantized with the input's parameters.",
        ),
    ] = None,
    random: Annotated[bool, typer.Option("--random", help="Use random inputs.")] = False,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the random inputs.")] = 0,
    levels: Annotated[
        tuple[float, float] | None,
        typer.Option(
            "--levels", metavar="BLACK WHITE", help="The real values of black and white pixels, such as -1 1."
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the outputs, as they are, into this .npz file.")
    ] = None,
    top: Annotated[int, typer.Option("--top", min=1, help="How many of an output's largest values are shown.")] = 5,
    labels: Annotated[
        Path | None, typer.Option("--labels", help="A text file with the name of class n in line n, from 0.")
    ] = None,
    profile: Annotated[str, typer.Option("--profile", help="The arithmetic to compute with.")] = "tflite-ref",
    backend: Annotated[Backend, typer.Option("--backend", help="How to compute it.")] = Backend.AUTO,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outputs as JSON.")] = False,
    print_python: PrintPythonOption = False,
) -> None:
    """Run a model once, and print what it answers."""
    if bool(input) == random:
        raise typer.BadParameter("give either --input for each input of the model, or --random")
    if print_python:
        from int8rt.cli.script import run_script

        print(run_script(model, input or [], seed, levels, profile, backend.value), end="")
        return

    from int8rt.cli.answer import describe, save, show
    from int8rt.cli.feed import read_inputs
    from int8rt.cli.progress import working
    from int8rt.schema import load_model
    from int8rt.text import print_json
    from int8rt.verify.compare import run_int8rt
    from int8rt.verify.inputs import make_inputs

    parsed = load_model(model)
    names = labels.read_text(encoding="utf-8").splitlines() if labels is not None else []
    with working("running the model"):
        values = make_inputs(parsed, "random", seed) if random else read_inputs(parsed, input or [], levels)
        found, seconds = run_int8rt(parsed, values, profile, backend.value, keep=False)
    outputs = [(parsed.subgraphs[0].tensors[index], found[index]) for index in parsed.subgraphs[0].outputs]
    if output is not None:
        save(output, outputs)
    answers = [describe(tensor, value, top, names) for tensor, value in outputs]
    if as_json:
        print_json({"model": str(model), "seconds": seconds, "outputs": answers})
    else:
        for answer in answers:
            show(answer)
