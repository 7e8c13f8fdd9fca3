"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

HtmlOption = Annotated[
    Path | None, typer.Option("--html", metavar="FILE", help="Write a report for people: one file, no network.")
]
JunitOption = Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Write a JUnit file.")]
MarkdownOption = Annotated[
    Path | None,
    typer.Option("--markdown", metavar="FILE", help="Write a Markdown summary, as for a CI job."),
]
PrintPythonOption = Annotated[
    bool, typer.Option("--print-python", help="Print the same as a Python script, and run nothing.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]

# What is judged.
ModelArgument = Annotated[Path, typer.Argument(help="A .tflite file, or a folder made by `int8rt pack`.")]
InputOption = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        "-i",
        metavar="[NAME=]FILE",
        help="A .npy, .npz or image file; once for each input. Without it: random, natural and extreme inputs.",
    ),
]

# Which runtime is judged: `runtime.Choice` holds them.
SutOption = Annotated[
    str | None,
    typer.Option(
        "--sut",
        metavar="RUNTIME",
        help="The runtime to judge: litert[:ref|opt|xnnpack|default|compiled], tflite_runtime[:...], "
        "tensorflow[:...], tflm, tosa, iree, openvino[:f32|bf16], onnxruntime, armnn, int8rt[:PROFILE], "
        "python:MODULE:FUNCTION.",
    ),
]
DelegateOption = Annotated[
    str | None, typer.Option("--delegate", metavar="LIBRARY", help="Judge LiteRT with this external delegate.")
]
DelegateOptionsOption = Annotated[
    list[str] | None,
    typer.Option("--delegate-option", metavar="KEY=VALUE", help="An option of the delegate; repeatable."),
]
CommandOption = Annotated[
    str | None,
    typer.Option(
        "--command", metavar="LINE", help='Judge a program: "prog {model} {inputs} {outputs}", with .npz files.'
    ),
]
InterpreterOption = Annotated[
    str | None, typer.Option("--python", metavar="PATH", help="The Python that has the runtime installed.")
]
TimeoutOption = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", help="Seconds that a runtime has for one answer.")
]
DumpOption = Annotated[
    Path | None,
    typer.Option(
        "--dump", metavar="PATH", help="Judge what a device recorded: an .npz file, a folder, or raw outputs."
    ),
]
NamesOption = Annotated[
    Path | None,
    typer.Option("--names", metavar="FILE", help="A JSON object: names in the dump to names of tensors."),
]
ResumeOption = Annotated[
    Path | None,
    typer.Option(
        "--resume",
        metavar="FOLDER",
        help="Keep the runtime's answers there: a run that was killed goes on when it is started again.",
    ),
]
