"""`int8rt reduce`: the smallest model on which a runtime still does something else."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from int8rt.cli.options import (
    CommandOption,
    DelegateOption,
    DelegateOptionsOption,
    InputOption,
    InterpreterOption,
    JsonOption,
    ModelArgument,
    PrintPythonOption,
    ResumeOption,
    SutOption,
    TimeoutOption,
)


def reduce(
    model: ModelArgument,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where to write it.")] = Path(
        "reduced"
    ),
    op: Annotated[int | None, typer.Option("--op", metavar="N", help="Look at this operator only.")] = None,
    input: InputOption = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the made inputs.")] = 0,
    profile: Annotated[str, typer.Option("--profile", help="The arithmetic that is expected.")] = "tflite-ref",
    sut: SutOption = None,
    delegate: DelegateOption = None,
    delegate_option: DelegateOptionsOption = None,
    command: CommandOption = None,
    python: InterpreterOption = None,
    timeout: TimeoutOption = 120,
    resume: ResumeOption = None,
    budget: Annotated[int, typer.Option("--budget", min=0, help="Models to try while cutting dimensions.")] = 500,
    as_json: JsonOption = False,
    print_python: PrintPythonOption = False,
) -> None:
    """Find the smallest operator of a model that differs by itself, or else the shortest chain, and make it smaller.

    Writes a folder for a bug report: model.tflite, inputs, expected and actual outputs (.npy), REPORT.md. A runtime
    that refuses, crashes or hangs is reduced as well. Exit status 0: nothing differs, and nothing is written; 1: it is.
    """
    from int8rt.cli.app import ExitCode
    from int8rt.cli.judging import Choice, read_runs
    from int8rt.cli.progress import working
    from int8rt.cli.script import reduce_script
    from int8rt.text import print_json
    from int8rt.verify.reduce import reduce as find
    from int8rt.verify.reduce.folder import summary, write_folder

    choice = Choice(sut, delegate, delegate_option or [], command, python, timeout, resume=resume)
    options = {"operator": op, "profile": profile, "budget": budget}
    if print_python:
        print(reduce_script(choice, model, input or [], seed, options, output), end="")
        return
    if output.exists() and not output.is_dir():
        raise typer.BadParameter(f"--output {output} is a file, expected a folder")
    _, parsed, runs = read_runs(choice, model, input or [], seed)
    runtime = choice.open([label for label, _ in runs])
    try:
        with working("looking for the smallest model"):
            found = find(parsed, runtime, runs, operator=op, profile=profile, budget=budget)
    finally:
        runtime.close()
    if found is None:
        if as_json:
            print_json({"model": str(model), "different": False})
        else:
            print("nothing differs")
        raise typer.Exit(ExitCode.OK)
    files = write_folder(output, found)
    case, labels = found.case, [operator.label for operator in found.case.model.subgraphs[0].operators]
    if as_json:
        data = {"model": str(model), "different": True, "runtime": found.runtime, "profile": found.profile}
        data |= {"run": found.run, "operators": list(found.operators), "names": labels, "kind": case.kind}
        data |= {"message": case.message, "elements": case.size, "elements_before": found.original.size}
        print_json(data | {"tried": found.tried, "folder": str(output), "files": files})
    else:
        positions = ", ".join(map(str, found.operators))
        print(f"operator {positions} ({' -> '.join(labels)}), {found.run} inputs: {summary(case)}")
        print(f"{found.original.size} elements in its tensors became {case.size}; {found.tried} models tried")
        print(f"{output}: {', '.join(files)}")
    raise typer.Exit(ExitCode.NOT_CONFORMANT)
