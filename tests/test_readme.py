"""The README says what is so: its Python runs, and its table of operators is the one that the command prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from int8rt.cli.app import app

REPOSITORY = Path(__file__).resolve().parent.parent
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("example", range(len(EXAMPLES)))
def test_python_examples_run(example: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.tflite").write_bytes((REPOSITORY / "int8rt/samples/digits.tflite").read_bytes())
    exec(compile(EXAMPLES[example], "README.md", "exec"), {})


def test_operator_table_is_the_commands() -> None:
    done = CliRunner().invoke(app, ["operators", "--check", str(REPOSITORY / "README.md")])
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"])
def test_named_paths_exist(name: str) -> None:
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    paths = re.findall(r"`((?:int8rt|tests|scripts|conformance|benchmarks|\.ci)/[\w./]*)`", text)
    links = re.findall(r"\]\((?!http)([^)#]+)\)", text)
    assert paths + links
    assert [path for path in paths + links if not (REPOSITORY / path).exists()] == []
