"""`int8rt compare`: a model in int8rt and in LiteRT, tensor by tensor; or any other runtime, judged by int8rt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from int8rt.cli.backend import Backend
from int8rt.cli.options import (
    CommandOption,
    DelegateOption,
    DelegateOptionsOption,
    DumpOption,
    HtmlOption,
    InputOption,
    InterpreterOption,
    JsonOption,
    JunitOption,
    MarkdownOption,
    ModelArgument,
    NamesOption,
    PrintPythonOption,
    ResumeOption,
    SutOption,
    TimeoutOption,
)
from int8rt.verify.report.files import Files

if TYPE_CHECKING:
    from int8rt.verify.compare import RunComparison, TensorComparison


def compare(
    model: ModelArgument,
    input: InputOption = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the made inputs.")] = 0,
    all_tensors: Annotated[bool, typer.Option("--all", help="List equal tensors too.")] = False,
    profile: Annotated[str, typer.Option("--profile", help="The arithmetic to compute with.")] = "tflite-ref",
    backend: Annotated[Backend, typer.Option("--backend", help="How to compute it.")] = Backend.AUTO,
    sut: SutOption = None,
    delegate: DelegateOption = None,
    delegate_option: DelegateOptionsOption = None,
    command: CommandOption = None,
    dump: DumpOption = None,
    names: NamesOption = None,
    python: InterpreterOption = None,
    timeout: TimeoutOption = 120,
    resume: ResumeOption = None,
    bound: Annotated[float, typer.Option("--bound", help="Steps that an operator may be off and still pass.")] = 0,
    outputs_only: Annotated[bool, typer.Option("--outputs-only", help="Don't judge operators one by one.")] = False,
    html: HtmlOption = None,
    junit: JunitOption = None,
    markdown: MarkdownOption = None,
    as_json: JsonOption = False,
    print_python: PrintPythonOption = False,
) -> None:
    """Run a model beside LiteRT's reference kernels, and compare every output and intermediate tensor bit by bit.

    With --sut, --delegate, --command or --dump: judge that runtime. Each operator is computed again from the inputs
    that the runtime gave it, so that none is blamed for what came before it.
    """
    files = Files(html, junit, markdown)
    chosen = (sut, delegate, delegate_option, command, dump, names, python, resume)
    if any(chosen) or any((files, bound, outputs_only, model.is_dir())):
        from int8rt.cli.judging import Choice, compare_runtime

        choice = Choice(sut, delegate, delegate_option or [], command, python, timeout, dump, names, resume)
        compare_runtime(
            choice,
            model,
            input or [],
            seed,
            all_operators=all_tensors,
            profile=profile,
            backend=backend.value,
            bound=bound,
            operators=not outputs_only,
            files=files,
            as_json=as_json,
            print_python=print_python,
        )
        return
    if print_python:
        from int8rt.cli.script import oracle_script

        print(oracle_script(model, input or [], seed, {"profile": profile, "backend": backend.value}), end="")
        return
    from importlib.metadata import version

    from int8rt.cli.app import ExitCode
    from int8rt.cli.feed import read_inputs
    from int8rt.cli.progress import progress
    from int8rt.errors import UnsupportedError
    from int8rt.schema import read_model
    from int8rt.text import print_json
    from int8rt.verify import oracle
    from int8rt.verify.compare import compare_run
    from int8rt.verify.inputs import KINDS, make_inputs

    if not oracle.available():
        raise UnsupportedError("compare needs LiteRT: pip install 'int8rt[litert]'")
    content = model.read_bytes()
    parsed = read_model(content, name=model)
    runs = [("given", read_inputs(parsed, input))] if input else [(k, make_inputs(parsed, k, seed)) for k in KINDS]
    with oracle.Oracle() as first, oracle.Oracle() as second:
        results = [
            compare_run(
                parsed,
                content,
                values,
                first,
                label=label,
                profile=profile,
                backend=backend.value,
                second_oracle=second,
            )
            for label, values in progress(runs, "comparing")
        ]
    reference = f"BUILTIN_REF of ai-edge-litert {version('ai-edge-litert')}"
    equal = all(result.equal for result in results)
    if as_json:
        data = {"model": str(model), "profile": profile, "reference": reference, "equal": equal}
        print_json(data | {"runs": [_plain(result) for result in results]})
    else:
        print(f"{model}: {profile} beside {reference}")
        for result in results:
            _show(result, all_tensors)
    raise typer.Exit(ExitCode.OK if equal else ExitCode.NOT_CONFORMANT)


def _show(run: RunComparison, all_tensors: bool) -> None:
    from int8rt.model import shown
    from int8rt.text import columns

    outputs = sum(not item.difference for item in run.outputs)
    tensors = sum(not item.difference for item in run.tensors)
    equal = f"{outputs} of {len(run.outputs)} outputs and {tensors} of {len(run.tensors)} tensors equal"
    times = f"int8rt {1000 * run.seconds:.1f} ms, LiteRT {1000 * run.oracle_seconds:.1f} ms"
    print(f"{run.label} inputs: {equal}; {times}")
    chance = sum(item.difference.unrepeatable for item in run.tensors)
    if chance:
        print(f"  {chance} elements left out: LiteRT does not give them the same value twice")
    listed = [("tensor", item) for item in run.tensors if all_tensors or item.difference]
    listed += [("output", item) for item in run.outputs if item.difference]
    if listed:
        rows = [(kind, str(item.index), _where(item), shown(item.name), str(item.difference)) for kind, item in listed]
        print(columns(("", "index", "operator", "name", "difference"), rows, right=(1,)))


def _where(item: TensorComparison) -> str:
    return f"{item.position} {item.operator}" if item.operator else ""


def _plain(run: RunComparison) -> dict[str, Any]:
    import dataclasses

    return {"equal": run.equal} | dataclasses.asdict(run)
