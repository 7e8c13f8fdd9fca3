"""The README says what is so: its Python runs, its counts are right; docs/operators.md is what the command prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from int8rt.cli.app import app
from int8rt.kernels.custom.table import CUSTOM_KERNELS
from int8rt.kernels.registry import KERNELS

REPOSITORY = Path(__file__).resolve().parent.parent
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("example", range(len(EXAMPLES)))
def test_python_examples_run(example: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.tflite").write_bytes((REPOSITORY / "int8rt/samples/digits.tflite").read_bytes())
    exec(compile(EXAMPLES[example], "README.md", "exec"), {})


def test_operator_table_is_the_commands() -> None:
    done = CliRunner().invoke(app, ["operators", "--check", str(REPOSITORY / "docs/operators.md")])
    assert done.exit_code == 0, done.output


def test_number_of_operators() -> None:
    builtin, custom = len(KERNELS), len(CUSTOM_KERNELS)
    assert (
        f"int8rt has {builtin} builtin operators, all for which LiteRT has a kernel, and {custom} custom ones" in README
    )


TOP = ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"]


@pytest.mark.parametrize("name", [*TOP, *(f"docs/{page.name}" for page in sorted((REPOSITORY / "docs").glob("*.md")))])
def test_named_paths_exist(name: str) -> None:
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    paths = re.findall(r"`((?:int8rt|tests|scripts|conformance|benchmarks|\.ci)/[\w./]*)`", text)
    links = re.findall(r"\]\((?!http)([^)#]+)\)", text)
    assert [path for path in paths if not (REPOSITORY / path).exists()] == []
    assert [link for link in links if not (REPOSITORY / name).parent.joinpath(link).exists()] == []
    assert name not in TOP or paths + links
