"""`int8rt eval`: the accuracy of several models on labelled samples."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from int8rt.cli.backend import Backend

# Seconds between two states kept for going on after an interruption.
_KEEP = 5.0


def eval(
    models: Annotated[list[Path], typer.Argument(metavar="MODEL...", help=".tflite files of one task.")],
    data: Annotated[
        Path,
        typer.Option(
            "--data",
            metavar="FILE|FOLDER",
            help="A .npz file with samples and labels, or a folder with a subfolder of images for each class.",
        ),
    ],
    labels: Annotated[str, typer.Option("--labels", help="The labels' array in the .npz file.")] = "labels",
    top_k: Annotated[int, typer.Option("--top-k", min=1, help="A class among the best so many counts as right.")] = 1,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Use the first so many samples.")] = None,
    levels: Annotated[
        tuple[float, float] | None,
        typer.Option("--levels", metavar="BLACK WHITE", help="The real values of black and white pixels, such as 0 1."),
    ] = None,
    processes: Annotated[int, typer.Option("--processes", "-p", min=1, help="How many run at once.")] = 1,
    resume: Annotated[
        Path | None,
        typer.Option("--resume", metavar="FILE", help="Keep answers in this file, and go on from those it has."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    backend: Annotated[Backend, typer.Option("--backend", help="How to compute the models.")] = Backend.AUTO,
) -> None:
    """Accuracy of models side by side, with 95 % confidence intervals, and how often their answers agree.

    An answer is the largest element of the first output. Every sample is an input of its own: states begin anew.
    """
    import numpy as np

    from int8rt.cli.progress import progress
    from int8rt.errors import InputError
    from int8rt.files import reading
    from int8rt.ptq.evaluate import accuracy, agreement, count_chunks, evaluate, labelled
    from int8rt.ptq.resuming import digest, file_digest, known_answers, store_answers
    from int8rt.ptq.samples import digest_of, images_in
    from int8rt.text import columns, print_json

    with reading(data, "labelled samples"):
        samples = labelled(data, labels)
    if not len(samples.labels):
        raise InputError(f"{data} holds no samples")
    total = len(samples.labels) if limit is None else min(limit, len(samples.labels))
    parts = [*map(file_digest, models), digest_of(images_in(data)) if data.is_dir() else file_digest(data)]
    identity = digest(*parts, *map(str, models), str(data), str(top_k), str(total), str(levels), backend.value)
    known = known_answers(resume, identity) if resume is not None else {}
    kept = time.monotonic()
    try:
        chunks_left = count_chunks(models, total, known)
        results = evaluate(
            models,
            samples,
            top_k,
            known=known,
            processes=processes,
            limit=limit,
            levels=levels,
            backend=backend.value,
        )
        for name, first, found in progress(results, "evaluating", chunks_left):
            known[name, first] = found
            if resume is not None and time.monotonic() - kept > _KEEP:
                store_answers(resume, identity, known)
                kept = time.monotonic()
    finally:
        if resume is not None and known:
            store_answers(resume, identity, known)
    chunks = {str(path): sorted(key for key in known if key[0] == str(path)) for path in models}
    answers = [np.concatenate([known[key] for key in chunks[str(path)]]) for path in models]
    shares = [accuracy(str(path), found, samples.labels[:total]) for path, found in zip(models, answers, strict=True)]
    same = agreement(answers)
    if as_json:
        rows = [
            {"model": item.name, "right": item.right, "total": item.total, "accuracy": item.share}
            | {"low": item.low, "high": item.high}
            for item in shares
        ]
        print_json({"top_k": top_k, "models": rows, "agreement": same.tolist()})
        return
    header = (
        "model",
        "accuracy" if top_k == 1 else f"top-{top_k}",
        "95 % interval",
        "right",
        "of",
        *(f"as {i + 1}" for i in range(len(models))),
    )
    table = []
    for i, item in enumerate(shares):
        interval = f"{item.low:.2%} to {item.high:.2%}"
        figures = (f"{item.share:.2%}", interval, str(item.right), str(item.total))
        table.append((f"{i + 1} {item.name}", *figures, *(f"{share:.2%}" for share in same[i])))
    print(columns(header, table, right=range(1, len(header))))
