from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from int8rt.cli.app import app
from int8rt.kernels.jit.isa.levels import BY_NAME, available_levels, default_level
from tests.interpreter.models import two_adds


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INT8RT_CACHE_DIR", str(tmp_path / "kernels"))
    monkeypatch.delenv("INT8RT_ISA", raising=False)
    return tmp_path / "kernels"


def cache(*arguments: str) -> Any:
    done = CliRunner().invoke(app, ["cache", *arguments, "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_info_warm_clear(folder: Path, tmp_path: Path) -> None:
    level, reason = default_level()
    here = {"level": level.name, "level_reason": reason}
    assert cache("info") == {"schema_version": 1, "folder": str(folder), "kernels": 0, "bytes": 0} | here
    (tmp_path / "model.tflite").write_bytes(two_adds())
    cache("warm", str(tmp_path / "model.tflite"))
    info = cache("info")
    files = list(folder.glob("*.kernel"))
    assert (info["kernels"], info["bytes"]) == (len(files), sum(file.stat().st_size for file in files))
    cleared = cache("clear")
    assert (cleared["deleted"], cleared["bytes"]) == (info["kernels"], info["bytes"])
    assert cache("info")["kernels"] == 0


def test_info_says_which_level_is_used_and_why(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("int8rt.kernels.jit.isa.levels.default_level", lambda: (BY_NAME["generic"], "amx is broken"))
    assert cache("info")["level_reason"] == "amx is broken"
    assert "instruction set: generic (amx is broken)" in CliRunner().invoke(app, ["cache", "info"]).stdout
    (folder.parent / "kernels").mkdir()
    (folder / "key.proof").write_bytes(b"")
    assert cache("clear")["deleted"] == 0
    assert not list(folder.iterdir())
    monkeypatch.setenv("INT8RT_ISA", available_levels()[-1].name)
    info = cache("info")
    assert (info["level"], info["level_reason"]) == (available_levels()[-1].name, "")


def test_only_warm_takes_models() -> None:
    assert CliRunner().invoke(app, ["cache", "clear", "model.tflite"]).exit_code == 2


@pytest.mark.slow
def test_warm_without_models_compiles_what_common_models_need(folder: Path) -> None:
    assert cache("warm")["compiled"] > 5
    assert cache("warm")["compiled"] == 0
