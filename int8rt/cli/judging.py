"""`int8rt compare` with a runtime of the user's choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from int8rt.interpreter import Backend
    from int8rt.model import Model
    from int8rt.verify.report.files import Files
    from int8rt.verify.runtimes.base import Array, Runtime
    from int8rt.verify.verdict import Judgement

    Runs = list[tuple[str, Sequence[Array]]]


@dataclass(frozen=True, slots=True)
class Choice:
    """The options that say which runtime is meant."""

    sut: str | None
    delegate: str | None
    delegate_options: list[str]
    command: str | None
    python: str | None
    timeout: float
    dump: Path | None = None
    names: Path | None = None
    resume: Path | None = None

    def open(self, labels: Sequence[str]) -> Runtime:
        """The runtime; `typer.BadParameter` where the options contradict each other. labels: of the runs to come."""
        from int8rt.verify.runtimes.choose import open_runtime

        if not self.timeout > 0:
            raise typer.BadParameter(f"--timeout {self.timeout:g}: seconds, more than 0")
        if self.dump is not None:
            if self.sut or self.delegate or self.command:
                raise typer.BadParameter("--dump is what a runtime recorded: no --sut, no --delegate, no --command")
            if self.resume is not None:
                raise typer.BadParameter("--resume keeps answers, and --dump has them already")
            from int8rt.verify.runtimes.dump import DumpRuntime

            return DumpRuntime(self.dump, labels, self.read_names())
        sut, options = self.named()
        if self.resume is not None:
            from int8rt.verify.runtimes.remember import remembered

            return remembered(self.resume, sut, **options)
        return open_runtime(sut, **options)

    def named(self) -> tuple[str, dict[str, Any]]:
        """What `open_runtime` gets; `typer.BadParameter` where the options contradict each other."""
        if self.names is not None:
            raise typer.BadParameter("--names needs --dump")
        options = dict(self._pair(text) for text in self.delegate_options)
        if options and not self.delegate:
            raise typer.BadParameter("--delegate-option needs --delegate")
        if self.command and (self.sut or self.delegate):
            raise typer.BadParameter("--command is a runtime of its own: no --sut, no --delegate")
        sut = f"command:{self.command}" if self.command else self.sut or ("litert" if self.delegate else "litert:ref")
        chosen = {"delegate": self.delegate, "delegate_options": options, "python": self.python}
        # What is not chosen is left out, so that scripts show what was.
        return sut, {name: value for name, value in chosen.items() if value} | {"timeout": self.timeout}

    def read_names(self) -> dict[str, str]:
        """The object in the JSON file `names`: strings to strings; empty without a file."""
        return _read_names(self.names)

    @staticmethod
    def _pair(text: str) -> tuple[str, str]:
        key, separator, value = text.partition("=")
        if not separator:
            raise typer.BadParameter(f"--delegate-option {text!r} is not KEY=VALUE")
        return key, value


def _read_names(path: Path | None) -> dict[str, str]:
    """The object in a JSON file: strings to strings."""
    from int8rt.errors import InputError
    from int8rt.files import parse_json

    if path is None:
        return {}
    names = parse_json(path.read_bytes(), path)
    if not isinstance(names, dict) or not all(isinstance(value, str) for value in names.values()):
        raise InputError(f"{path} is no JSON object of names to names")
    return names


def read_runs(choice: Choice, path: Path, input: list[str], seed: int) -> tuple[bytes, Model, Runs]:
    """The model's file, the model, and the runs: (label, inputs)."""
    from int8rt.cli.feed import read_inputs
    from int8rt.schema import read_model
    from int8rt.verify.bundle import read_bundle
    from int8rt.verify.inputs import KINDS, make_inputs

    runs: Runs = []
    if path.is_dir():
        bundle = read_bundle(path)
        content, model = bundle.content, bundle.model
        runs.extend(bundle.runs)
    else:
        content = path.read_bytes()
        model = read_model(content, name=path)
    if input:
        return content, model, [("given", read_inputs(model, input))]
    if not runs and choice.dump is not None:
        raise typer.BadParameter("say what the dump was made of: --input, or the packed folder instead of the model")
    if not runs:
        runs.extend((kind, make_inputs(model, kind, seed)) for kind in KINDS)
    return content, model, runs


def compare_runtime(
    choice: Choice,
    path: Path,
    input: list[str],
    seed: int,
    *,
    all_operators: bool,
    profile: str,
    backend: Backend,
    bound: float,
    operators: bool,
    files: Files,
    as_json: bool,
    print_python: bool,
) -> None:
    """Judge the chosen runtime on a model, print or write what was found, and exit with 0 or 1."""
    from int8rt.cli.app import ExitCode
    from int8rt.cli.progress import progress
    from int8rt.cli.script import compare_script
    from int8rt.verify.judge import Judge
    from int8rt.verify.report.judged import document

    options = {"profile": profile, "backend": backend, "operators": operators}
    script = compare_script(choice, path, input, seed, options, bound)
    if print_python:
        print(script, end="")
        return
    if not bound >= 0:
        raise typer.BadParameter(f"--bound {bound:g}: a number of steps, 0 or more")
    files.check()
    content, model, runs = read_runs(choice, path, input, seed)
    runtime = choice.open([label for label, _ in runs])
    try:
        judge = Judge(model, content, runtime, profile=profile, backend=backend, operators=operators)
        for label, values in progress(runs, "comparing"):
            judge.add(label, values)
        judgement = judge.judgement(bound)
    finally:
        runtime.close()
    files.write(lambda: document(judgement, path.name, script))
    _tell(judgement, path, as_json, all_operators)
    raise typer.Exit(ExitCode.OK if judgement.conformant else ExitCode.NOT_CONFORMANT)


def _tell(judgement: Judgement, path: Path, as_json: bool, all_operators: bool) -> None:
    from int8rt.text import print_json
    from int8rt.verify.report import plain, text

    if as_json:
        print_json({"model": str(path)} | plain.plain(judgement))
        return
    print(text.whole(judgement, all_operators))
