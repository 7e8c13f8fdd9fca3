"""`int8rt debug-quantization`: what quantization did to each tensor, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from int8rt.cli.backend import Backend


def debug_quantization(
    float_model: Annotated[Path, typer.Argument(metavar="FLOAT", help="The float .tflite file.")],
    quantized: Annotated[Path, typer.Argument(help="The .tflite file that was made of it.")],
    data: Annotated[
        Path, typer.Option("--data", metavar="FILE|FOLDER", help="Samples, as for calibrate: .npy, .npz or images.")
    ],
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Use the first so many samples.")] = None,
    levels: Annotated[
        tuple[float, float] | None,
        typer.Option("--levels", metavar="BLACK WHITE", help="The real values of black and white pixels, such as 0 1."),
    ] = None,
    top: Annotated[int, typer.Option("--top", min=1, help="How many tensors the table shows, worst first.")] = 20,
    html: Annotated[Path | None, typer.Option("--html", help="Write a page with histograms into this file.")] = None,
    markdown: Annotated[Path | None, typer.Option("--markdown", help="Write it as Markdown into this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all tensors as JSON.")] = False,
    backend: Annotated[Backend, typer.Option("--backend", help="How to compute the models.")] = Backend.AUTO,
) -> None:
    """Compare each tensor of a quantized model with the float model's, in real numbers: locally and accumulated.

    "Local": the operator alone, fed the float model's values. Tensors are matched by their names, and by the order of
    the operators where both models have the same ones.
    """
    from int8rt.cli.progress import progress
    from int8rt.ptq.debug import debug_quantization as compare
    from int8rt.ptq.debug_report import document, header, plain, row
    from int8rt.ptq.samples import Samples
    from int8rt.schema import load_model
    from int8rt.text import columns, print_json
    from int8rt.verify.report.files import Files

    source = load_model(float_model)
    samples = Samples(source, data, levels)
    count = len(samples) if limit is None else min(limit, len(samples))
    chosen = (samples[i] for i in progress(range(count), "comparing"))
    found = compare(source, load_model(quantized), chosen, backend=backend.value)
    Files(html, None, markdown).write(lambda: document(found, float_model.name, quantized.name))
    if as_json:
        print_json(plain(found))
        return
    print(columns(header(), [row(item) for item in found.tensors[:top]], right=(3, 4, 5, 6, 7, 8, 9)))
    for item in found.tensors[:top]:
        for reason in item.reasons:
            print(f"operator {item.position} ({item.operator}), {item.tensor}: {reason}")
    if found.unmatched:
        print(f"{len(found.unmatched)} tensors match none of the float model")
