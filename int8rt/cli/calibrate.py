"""`int8rt calibrate`: the ranges of a float model's activations, over samples."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from int8rt.cli.backend import Backend

# Seconds between two states kept for going on after an interruption.
_KEEP = 10.0


class Method(StrEnum):
    """How a range is taken from the values; see `int8rt.ptq.ranges`."""

    MINMAX = "minmax"
    EMA = "ema"
    PERCENTILE = "percentile"
    MSE = "mse"


def calibrate(
    model: Annotated[Path, typer.Argument(help="A float .tflite file.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The calibrated .tflite file to write.")],
    data: Annotated[
        Path,
        typer.Option(
            "--data",
            metavar="FILE|FOLDER",
            help="Samples: a .npy or .npz file with them along the first axis, or a folder of images.",
        ),
    ],
    method: Annotated[Method, typer.Option("--method", help="How a range is taken from the values.")] = Method.MINMAX,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Use the first so many samples.")] = None,
    levels: Annotated[
        tuple[float, float] | None,
        typer.Option("--levels", metavar="BLACK WHITE", help="The real values of black and white pixels, such as 0 1."),
    ] = None,
    signature: Annotated[
        str | None,
        typer.Option("--signature", metavar="KEY", help="Which of the model's entry points the samples are for."),
    ] = None,
    tf_compatible: Annotated[
        bool,
        typer.Option(
            "--tf-compatible",
            help="Take what an operator wrote over its input for the input's values, as TensorFlow 2.21 does.",
        ),
    ] = False,
    backend: Annotated[Backend, typer.Option("--backend", help="How to compute the model.")] = Backend.AUTO,
) -> None:
    """Run a float model over samples and write the ranges that its activations take into a copy of it.

    Models with several entry points are calibrated one after the other: the ranges of the others stay.
    A run that is cut off goes on where it was when it is started again with the same arguments.
    """
    from int8rt.cli.progress import progress
    from int8rt.ptq.calibrate import Calibration
    from int8rt.ptq.resuming import digest, dump, file_digest, pick_up
    from int8rt.ptq.samples import Samples
    from int8rt.ptq.writing import write_whole
    from int8rt.schema import load_model
    from int8rt.schema.writer import model_file

    parsed = load_model(model)
    samples = Samples(parsed, data, levels, signature=signature)
    count = len(samples) if limit is None else min(limit, len(samples))
    calibration = Calibration(
        parsed, method=method.value, signature=signature, tf_compatible=tf_compatible, backend=backend.value
    )
    settings = (method.value, str(signature), str(tf_compatible), str(levels), str(count))
    identity = digest(file_digest(model), samples.digest(), *settings)
    unfinished = output.with_name(f"{output.name}.unfinished")
    if pick_up(calibration, unfinished, identity):
        typer.echo(f"going on after {calibration.count} of {count} samples", err=True)
    kept = time.monotonic()
    for i in progress(range(calibration.count, count), "calibrating"):
        calibration.feed(samples[i])
        if time.monotonic() - kept > _KEEP:
            write_whole(unfinished, dump(calibration, identity))
            kept = time.monotonic()
    calibrated, found = calibration.model(), sum(map(str.isdecimal, calibration.state()))
    del calibration  # it holds the weights once more, as the kernels want them
    write_whole(output, model_file(calibrated))
    unfinished.unlink(missing_ok=True)
    print(f"{output}: {found} ranges from {count} samples")
