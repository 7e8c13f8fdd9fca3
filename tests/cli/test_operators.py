from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from int8rt.cli.app import app
from int8rt.kernels.custom.table import CUSTOM_KERNELS
from int8rt.kernels.registry import KERNELS


def operators(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["operators", *map(str, arguments)])


def test_text_lists_every_operator() -> None:
    lines = operators().stdout.splitlines()
    assert {line.split()[0] for line in lines[1:-1]} == {*KERNELS, *(f"CUSTOM:{name}" for name in CUSTOM_KERNELS)}
    assert lines[-1] == f"{len(KERNELS) + len(CUSTOM_KERNELS)} operators"


def test_json_has_every_signature() -> None:
    data = json.loads(operators("--json").stdout)
    assert data["schema_version"] == 1
    assert {item["name"]: item["signatures"] for item in data["operators"]} == {
        kernel.name: [str(signature) for signature in kernel.signatures]
        for kernel in (*KERNELS.values(), *CUSTOM_KERNELS.values())
    }


def test_signatures_of_one_pattern_are_one_line() -> None:
    (line,) = (line for line in operators().stdout.splitlines() if line.startswith("ADD "))
    assert "T,T -> T  (T: int8, uint8, int16" in line


def test_write_and_check(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text("before\n<!-- operators -->\nold\n<!-- /operators -->\nafter\n")
    assert operators("--check", file).exit_code == 1
    assert operators("--write", file).exit_code == 0
    assert operators("--check", file).exit_code == 0
    written = file.read_text()
    table = operators("--markdown").stdout
    assert written == f"before\n<!-- operators -->\n{table}<!-- /operators -->\nafter\n"
    assert all(line.count(" | ") == 3 for line in table.splitlines())


@pytest.mark.parametrize("option", ["--write", "--check"])
def test_a_file_without_a_place_for_the_table(option: str, tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("<!-- operators -->\n")
    assert "no place for the table" in str(operators(option, tmp_path / "page.md").exception)
