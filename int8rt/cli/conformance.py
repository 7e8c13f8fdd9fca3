"""`int8rt conformance`: the operator suite, its models, and the verdicts of a runtime on it."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from int8rt.cli.options import (
    CommandOption,
    DelegateOption,
    DelegateOptionsOption,
    HtmlOption,
    InterpreterOption,
    JsonOption,
    JunitOption,
    MarkdownOption,
    PrintPythonOption,
    SutOption,
    TimeoutOption,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from int8rt.cli.judging import Choice
    from int8rt.conformance.cases import Case
    from int8rt.conformance.run import Verdict
    from int8rt.verify.report.files import Files


class Action(enum.StrEnum):
    """What is wanted of the suite."""

    LIST = "list"
    GENERATE = "generate"
    RUN = "run"
    REPORT = "report"


def conformance(
    action: Annotated[
        Action,
        typer.Argument(
            help="list: the cases. generate: write them as files. run: judge a runtime. report: what a journal holds."
        ),
    ],
    path: Annotated[Path | None, typer.Argument(help="generate: the folder. report: the journal.")] = None,
    operator: Annotated[
        list[str] | None, typer.Option("--operator", "-o", metavar="NAME", help="Only this operator; repeatable.")
    ] = None,
    type: Annotated[list[str] | None, typer.Option("--type", "-t", metavar="TYPE", help="Only this type.")] = None,
    case: Annotated[str, typer.Option("--case", metavar="TEXT", help="Only cases whose names hold this.")] = "",
    sut: SutOption = None,
    delegate: DelegateOption = None,
    delegate_option: DelegateOptionsOption = None,
    command: CommandOption = None,
    python: InterpreterOption = None,
    timeout: TimeoutOption = 30,
    journal: Annotated[
        Path | None, typer.Option("--journal", metavar="FILE", help="Written case by case; a killed run goes on there.")
    ] = None,
    html: HtmlOption = None,
    junit: JunitOption = None,
    markdown: MarkdownOption = None,
    as_json: JsonOption = False,
    print_python: PrintPythonOption = False,
) -> None:
    """The operator suite: small models with every rule of the arithmetic, and what a runtime makes of them.

    Exit status 1: some case is not conformant to tflite-ref.
    """
    from int8rt.cli.judging import Choice
    from int8rt.cli.script import conformance_script
    from int8rt.verify.report.files import Files

    files = Files(html, junit, markdown)
    operators, types = [name.upper() for name in operator or ()], [name.lower() for name in type or ()]
    cases = _chosen(operators, types, case)
    match action:
        case Action.LIST:
            _list(cases, as_json)
        case Action.GENERATE:
            from int8rt.conformance.files import write_case

            if path is None:
                raise typer.BadParameter("say into which folder")
            for one in cases:
                write_case(one, path)
            print(f"{len(cases)} {'case' if len(cases) == 1 else 'cases'} in {path}")
        case Action.RUN:
            if path is not None:
                raise typer.BadParameter("run takes no path; a journal is given with --journal")
            choice = Choice(sut, delegate, delegate_option or [], command, python, timeout)
            script = conformance_script(choice, operators, types, case)
            if print_python:
                print(script, end="")
                return
            files.check()
            verdicts, runtime, description = _run(cases, choice, journal)
            _tell(verdicts, runtime, files, as_json, script, description)
        case Action.REPORT:
            from int8rt.conformance.run import recorded

            if path is None:
                raise typer.BadParameter("say which journal")
            verdicts, runtime = recorded(path)
            wanted = {one.name for one in cases}
            _tell([v for v in verdicts if v.case in wanted], runtime, files, as_json)


def _chosen(operators: list[str], types: list[str], text: str) -> list[Case]:
    from int8rt.conformance.cases import chosen_cases
    from int8rt.errors import InputError

    try:
        return chosen_cases(operators, types, text)
    except InputError as error:
        raise typer.BadParameter(str(error)) from None


def _list(cases: Sequence[Case], as_json: bool) -> None:
    from int8rt.conformance.run import separates
    from int8rt.text import columns, print_json

    if as_json:
        items = [
            {
                "name": case.name,
                "operator": case.operator,
                "type": case.type,
                "rule": case.rule,
                "expect": case.expect,
                "separates": separates(case),
                "parameters": case.parameters,
            }
            for case in cases
        ]
        print_json({"cases": items})
        return
    print(columns(["case", "rule"], [[case.name, case.rule] for case in cases]))


def _run(cases: Sequence[Case], choice: Choice, journal: Path | None) -> tuple[list[Verdict], str, str]:
    from int8rt.cli.progress import progress
    from int8rt.conformance.run import Journal, judge
    from int8rt.verify.runtimes.remember import files_of

    name = " ".join([choice.command or choice.sut or "litert:ref", choice.delegate or "", *choice.delegate_options])
    files = files_of(choice.named()[0], choice.delegate)
    book = Journal(journal, f"{name.strip()} {choice.python or ''}".strip(), files)
    runtime = choice.open([])
    verdicts = []
    try:
        for case in progress(cases, "running"):
            verdict = book.verdicts.get(case.name)
            if verdict is None:
                verdict = judge(case, runtime)
                book.add(verdict)
            verdicts.append(verdict)
        return verdicts, book.runtime, runtime.capabilities().description
    finally:
        runtime.close()


def _tell(
    verdicts: Sequence[Verdict],
    runtime: str,
    files: Files,
    as_json: bool,
    script: str = "",
    description: str = "",
) -> None:
    from int8rt.cli.app import ExitCode
    from int8rt.conformance import report
    from int8rt.text import columns, print_json

    files.write(lambda: report.document(verdicts, runtime, script, description))
    failed = [verdict for verdict in verdicts if not verdict.conformant]
    if as_json:
        print_json(report.plain(verdicts, runtime))
    else:
        print(f"{runtime}: {len(verdicts) - len(failed)} of {len(verdicts)} cases conform to tflite-ref")
        print(columns(*report.matrix(verdicts)))
        for verdict in failed[:20]:
            print(f"{verdict.case}: {verdict.label}: {verdict.message}")
        if len(failed) > 20:
            print(f"and {len(failed) - 20} more; --json has all")
    raise typer.Exit(ExitCode.NOT_CONFORMANT if failed else ExitCode.OK)
