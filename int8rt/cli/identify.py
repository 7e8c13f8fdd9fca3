"""`int8rt identify`: with which arithmetic a runtime computes, operator kind by operator kind."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

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

if TYPE_CHECKING:
    from int8rt.verify.identify import Finding


def identify(
    model: ModelArgument,
    input: InputOption = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the made inputs and probes.")] = 0,
    sut: SutOption = None,
    delegate: DelegateOption = None,
    delegate_option: DelegateOptionsOption = None,
    command: CommandOption = None,
    dump: DumpOption = None,
    names: NamesOption = None,
    python: InterpreterOption = None,
    timeout: TimeoutOption = 120,
    resume: ResumeOption = None,
    html: HtmlOption = None,
    junit: JunitOption = None,
    markdown: MarkdownOption = None,
    as_json: JsonOption = False,
    print_python: PrintPythonOption = False,
) -> None:
    """Name the arithmetic that explains every element a runtime computes, for each operator kind of a model.

    Beside the model itself, models of one operator are run whose inputs tell the known arithmetics apart: ties of both
    signs, ends of multipliers, extreme shifts, limits. A dump is judged by its own tensors alone. Exit status 1: some
    operator kind has none of the known ones.
    """
    import dataclasses

    from int8rt.cli.app import ExitCode
    from int8rt.cli.judging import Choice, read_runs
    from int8rt.cli.progress import working
    from int8rt.cli.script import identify_script
    from int8rt.text import print_json
    from int8rt.verify.identify import identify as find
    from int8rt.verify.report.files import Files
    from int8rt.verify.report.identified import document

    choice = Choice(sut, delegate, delegate_option or [], command, python, timeout, dump, names, resume)
    script = identify_script(choice, model, input or [], seed)
    if print_python:
        print(script, end="")
        return
    files = Files(html, junit, markdown)
    files.check()
    content, parsed, runs = read_runs(choice, model, input or [], seed)
    runtime = choice.open([label for label, _ in runs])
    try:
        with working("asking the runtime"):
            found = find(parsed, content, runtime, runs, seed=seed)
    finally:
        runtime.close()
    files.write(lambda: document(found, model.name, script))
    if as_json:
        print_json({"model": str(model), "known": found.known} | dataclasses.asdict(found))
    else:
        print(f"{found.runtime}:")
        for finding in found.findings:
            _show(finding)
        if found.uncovered:
            print(f"not looked at: {', '.join(found.uncovered)}")
    raise typer.Exit(ExitCode.OK if found.known else ExitCode.NOT_CONFORMANT)


def _show(finding: Finding) -> None:
    print(f"{finding.operator} {finding.type}: {finding}")
    if finding.arithmetic is not None:
        print(f"  explains all {finding.elements} elements; the known roundings part on {finding.parting}")
        if finding.nearest is not None:
            print(f"  nearest other: {finding.nearest}, wrong on {finding.residual}, first in {finding.where!r}")
    elif finding.elements:
        print(f"  first difference in {finding.where!r}")
    for fault, probes in _together(finding.faults).items():
        several = f" ({len(probes)} probes, the first {probes[0]!r})" if len(probes) > 1 else f" ({probes[0]!r})"
        print(f"  not answered{several}: {fault}")


def _together(faults: Sequence[str]) -> dict[str, list[str]]:
    """What the runtime said to the probes that it said it to; each fault is "probe: kind: words"."""
    said: dict[str, list[str]] = {}
    for fault in faults:
        found = re.fullmatch(r"(.*?): ((?:refused|crashed|timeout|answer): .*)", fault, re.DOTALL)
        probe, words = found.groups() if found else ("", fault)
        said.setdefault(words, []).append(probe)
    return said
