"""`int8rt quantize`: a calibrated float model and a recipe in, a quantized model out."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer


class Mode(StrEnum):
    """What the operators become."""

    INT8 = "int8"
    DYNAMIC = "dynamic"
    FLOAT16 = "float16"
    INT16X8 = "int16x8"
    INT4 = "int4"


class Ends(StrEnum):
    """The type of inputs and outputs."""

    FLOAT = "float"
    INT8 = "int8"
    UINT8 = "uint8"
    INT16 = "int16"


def quantize(
    model: Annotated[Path, typer.Argument(help="A float .tflite file, calibrated for int8, int16x8 and int4.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The quantized .tflite file to write.")],
    mode: Annotated[Mode | None, typer.Option("--mode", help="What the operators become; int8 if not given.")] = None,
    io: Annotated[Ends | None, typer.Option("--io", help="The type of inputs and outputs; float if not given.")] = None,
    integer_only: Annotated[
        bool, typer.Option("--integer-only", help="Fail, naming them, where operators would stay float.")
    ] = False,
    per_tensor: Annotated[
        bool, typer.Option("--per-tensor", help="One scale for all of an operator's weights, not one a channel.")
    ] = False,
    recipe: Annotated[
        Path | None,
        typer.Option("--recipe", help="A recipe in TOML, which says all this and more; other options override it."),
    ] = None,
    save_recipe: Annotated[
        Path | None, typer.Option("--save-recipe", help="Write the recipe used, as TOML that --recipe takes.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
) -> None:
    """Quantize a model from file to file, without TensorFlow: the numbers are those of TensorFlow's converter.

    What has no integer kernel stays float between a DEQUANTIZE and a QUANTIZE, and is listed.
    """
    import dataclasses
    from collections import Counter

    from int8rt.files import reading
    from int8rt.ptq import Recipe, read_recipe
    from int8rt.ptq import quantize as quantize_model
    from int8rt.ptq.writing import write_whole
    from int8rt.schema import load_model
    from int8rt.text import print_json

    changes: dict[str, Any] = {}
    if mode is not None:
        changes["mode"] = mode.value
    if io is not None:
        changes |= {"inputs": io.value, "outputs": io.value}
    if integer_only:
        changes["integer_only"] = True
    if per_tensor:
        changes["granularity"] = "tensor"
    with reading(recipe, "a recipe"):
        given = read_recipe(recipe) if recipe is not None else Recipe()
    chosen = dataclasses.replace(given, **changes)
    source = load_model(model)
    result = quantize_model(source, chosen)
    for i in chosen.idle(source):
        typer.echo(f"rule {i + 1} of the recipe fits no operator of {model.name}", err=True)
    content = result.write()
    before, after = model.stat().st_size, len(content)
    if save_recipe is not None:
        write_whole(save_recipe, chosen.as_toml().encode())
    write_whole(output, content)
    operators = Counter(operator.label for graph in result.model.subgraphs for operator in graph.operators)
    left = [
        {"subgraph": graph, "operator": position, "name": label, "reason": reason}
        for graph, position, label, reason in result.left_float
    ]
    if as_json:
        fields = {"model": str(output), "bytes": after, "bytes_before": before, "operators": dict(operators)}
        print_json(fields | {"left_float": left, "recipe": chosen.as_toml()})
        return
    print(chosen.as_toml())
    print(f"{output}: {after:,} bytes, {after / before:.2f} of {model.name}")
    for item in left:
        print(f"operator {item['operator']} ({item['name']}) stays float: {item['reason']}")
