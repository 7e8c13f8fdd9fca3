"""`int8rt lint`: the rules of the quantization specification, and what is suspicious, for one model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from int8rt.lint import Finding, Rule, Severity


def lint(
    model: Annotated[Path | None, typer.Argument(help="A .tflite file.")] = None,
    rule: Annotated[
        list[str] | None,
        typer.Option("--rule", metavar="NAME", help="Apply only this rule; may be given several times."),
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option("--ignore", metavar="NAME", help="Leave this rule out; likewise.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 for warnings too.")] = False,
    rules: Annotated[bool, typer.Option("--rules", help="List the rules and exit.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings (or the rules) as JSON.")] = False,
) -> None:
    """Check a model's quantization parameters, weights and biases; exit with 1 where an error is found."""
    import dataclasses

    from int8rt.cli.app import ExitCode
    from int8rt.lint import Severity, lint_model
    from int8rt.schema import load_model
    from int8rt.text import print_json

    chosen = _choose(rule or [], ignore or [])
    if rules:
        _show_rules(chosen, as_json)
        return
    if model is None:
        raise typer.BadParameter("give a model, or --rules")
    findings = lint_model(load_model(model), chosen)
    counts = {severity: sum(finding.severity is severity for finding in findings) for severity in Severity}
    if as_json:
        data = {"model": str(model)} | {f"{severity}s": count for severity, count in counts.items()}
        print_json(data | {"findings": [dataclasses.asdict(finding) for finding in findings]})
    else:
        _show(model, findings, counts)
    if counts[Severity.ERROR] or (strict and counts[Severity.WARNING]):
        raise typer.Exit(ExitCode.NOT_CONFORMANT)


def _choose(only: list[str], ignored: list[str]) -> list[Rule]:
    from int8rt.lint import RULES

    names = {rule.name for rule in RULES}
    for name in (*only, *ignored):
        if name not in names:
            raise typer.BadParameter(f"there is no rule {name!r}; int8rt lint --rules lists them")
    return [rule for rule in RULES if (not only or rule.name in only) and rule.name not in ignored]


def _show(model: Path, findings: list[Finding], counts: dict[Severity, int]) -> None:
    for finding in findings:
        print(finding)
    parts = [f"{count} {severity}{'s' if count != 1 else ''}" for severity, count in counts.items()]
    print(f"{model}: {', '.join(parts)}")


def _show_rules(rules: list[Rule], as_json: bool) -> None:
    from int8rt.text import columns, print_json

    if as_json:
        print_json({"rules": [{"name": rule.name, "severity": rule.severity, "text": rule.text} for rule in rules]})
    else:
        rows = [(rule.severity, rule.name, rule.summary) for rule in rules]
        print(columns(("severity", "rule", "what holds"), rows))
