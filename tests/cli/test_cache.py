from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from int8rt.cli.app import app
from tests.interpreter.models import two_adds


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INT8RT_CACHE_DIR", str(tmp_path / "kernels"))
    return tmp_path / "kernels"


def cache(*arguments: str) -> Any:
    done = CliRunner().invoke(app, ["cache", *arguments, "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_info_warm_clear(folder: Path, tmp_path: Path) -> None:
    assert cache("info") == {"schema_version": 1, "folder": str(folder), "kernels": 0, "bytes": 0}
    (tmp_path / "model.tflite").write_bytes(two_adds())
    cache("warm", str(tmp_path / "model.tflite"))
    info = cache("info")
    files = list(folder.glob("*.kernel"))
    assert (info["kernels"], info["bytes"]) == (len(files), sum(file.stat().st_size for file in files))
    cleared = cache("clear")
    assert (cleared["deleted"], cleared["bytes"]) == (info["kernels"], info["bytes"])
    assert cache("info")["kernels"] == 0


def test_only_warm_takes_models() -> None:
    assert CliRunner().invoke(app, ["cache", "clear", "model.tflite"]).exit_code == 2


@pytest.mark.slow
def test_warm_without_models_compiles_what_common_models_need(folder: Path) -> None:
    assert cache("warm")["compiled"] > 5
    assert cache("warm")["compiled"] == 0
