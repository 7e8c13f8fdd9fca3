"""`int8rt compare` with a runtime of the user's choice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from int8rt.interpreter import Backend
    from int8rt.verify.runtimes.base import Runtime
    from int8rt.verify.verdict import Judgement


@dataclass(frozen=True, slots=True)
class Choice:
    """The options that say which runtime is meant."""

    sut: str | None
    delegate: str | None
    delegate_options: list[str]
    command: str | None
    python: str | None
    timeout: float

    def open(self) -> Runtime:
        """The runtime; `typer.BadParameter` where the options contradict each other."""
        from int8rt.verify.runtimes.choose import open_runtime

        options = dict(self._pair(text) for text in self.delegate_options)
        if options and not self.delegate:
            raise typer.BadParameter("--delegate-option needs --delegate")
        if self.command and (self.sut or self.delegate):
            raise typer.BadParameter("--command is a runtime of its own: no --sut, no --delegate")
        sut = f"command:{self.command}" if self.command else self.sut or ("litert" if self.delegate else "litert:ref")
        return open_runtime(
            sut, delegate=self.delegate, delegate_options=options, python=self.python, timeout=self.timeout
        )

    @staticmethod
    def _pair(text: str) -> tuple[str, str]:
        key, separator, value = text.partition("=")
        if not separator:
            raise typer.BadParameter(f"--delegate-option {text!r} is not KEY=VALUE")
        return key, value


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
    junit_file: Path | None,
    as_json: bool,
) -> None:
    """Judge the chosen runtime on a model, print or write what was found, and exit with 0 or 1."""
    from int8rt.cli.app import ExitCode
    from int8rt.cli.feed import read_inputs
    from int8rt.cli.progress import progress
    from int8rt.schema import read_model
    from int8rt.verify.inputs import KINDS, make_inputs
    from int8rt.verify.judge import Judge

    content = path.read_bytes()
    model = read_model(content)
    runs = [("given", read_inputs(model, input))] if input else [(k, make_inputs(model, k, seed)) for k in KINDS]
    runtime = choice.open()
    try:
        judge = Judge(model, content, runtime, profile=profile, backend=backend, operators=operators)
        for label, values in progress(runs, "comparing"):
            judge.add(label, values)
        judgement = judge.judgement(bound)
    finally:
        runtime.close()
    _tell(judgement, path, junit_file, as_json, all_operators)
    raise typer.Exit(ExitCode.OK if judgement.conformant else ExitCode.NOT_CONFORMANT)


def _tell(judgement: Judgement, path: Path, junit_file: Path | None, as_json: bool, all_operators: bool) -> None:
    from int8rt.cli.text import columns, print_json
    from int8rt.verify.report import junit, plain, text

    if junit_file is not None:
        junit_file.write_text(junit.junit(judgement, path.name), encoding="utf-8")
    if as_json:
        print_json({"model": str(path)} | plain.plain(judgement))
        return
    for part in text.lines(judgement, all_operators):
        print(part if isinstance(part, str) else columns(text.HEADER, part, right=(0,)))
