from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from int8rt import __version__
from int8rt.cli import app
from int8rt.errors import ModelError, UnsupportedError
from int8rt.model import TensorType
from int8rt.schema import ModelBuilder, write_model

HEAVY = ("numpy", "numba", "llvmlite", "ai_edge_litert", "tflite", "flatbuffers", "PIL")

PRINT_IMPORTED = f"""
import json, sys
from int8rt.cli.app import main
try:
    main()
finally:
    print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]), file=sys.stderr)
"""


def int8rt(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "int8rt", *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", [None, *app.COMMANDS])
def test_help_imports_nothing_heavy(command: str | None) -> None:
    arguments = ["--help"] if command is None else [command, "--help"]
    done = subprocess.run(
        [sys.executable, "-c", PRINT_IMPORTED, *arguments], capture_output=True, text=True, check=False
    )
    assert (done.returncode, json.loads(done.stderr)) == (0, [])
    assert "Usage: int8rt" in done.stdout


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = f"import int8rt, sys; print([name for name in {HEAVY!r} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_help_lists_every_command() -> None:
    shown = int8rt("--help").stdout
    assert [name for name in app.COMMANDS if f" {name} " not in shown] == []


def test_version() -> None:
    done = int8rt("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"int8rt {__version__}\n", "")


@pytest.mark.parametrize("arguments", [(), ("nonsense",), ("--nonsense",), ("demo", "--nonsense")], ids=" ".join)
def test_wrong_usage_is_2_and_prints_no_data(arguments: tuple[str, ...]) -> None:
    done = int8rt(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "Usage: int8rt" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (ModelError("offset 12 is outside the file"), 3, "int8rt: offset 12 is outside the file\n"),
        (UnsupportedError("no kernel for ELU"), 3, "int8rt: no kernel for ELU\n"),
        (
            FileNotFoundError(2, "No such file or directory", "x.tflite"),
            3,
            "int8rt: x.tflite: No such file or directory\n",
        ),
        (OSError("disk on fire"), 3, "int8rt: disk on fire\n"),
    ],
    ids=["model", "unsupported", "missing", "os"],
)
def test_expected_errors_are_one_line_and_3(
    error: Exception, code: int, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _exit_code_of(error, monkeypatch) == code
    assert capsys.readouterr() == ("", message)


@pytest.mark.parametrize("error", [ZeroDivisionError("oh"), RecursionError("deep"), MemoryError("big")], ids=repr)
def test_unexpected_errors_show_their_trace_and_are_4(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _exit_code_of(error, monkeypatch) == 4
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("Traceback")
    assert "please report it" in captured.err


def _exit_code_of(error: Exception, monkeypatch: pytest.MonkeyPatch) -> int:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(app, "app", fail)
    with pytest.raises(SystemExit) as exit_:
        app.main()
    return int(exit_.value.code)  # type: ignore[arg-type]


def test_files_that_register_custom_operators(tmp_path: Path) -> None:
    builder = ModelBuilder().input("x", TensorType.FLOAT32, (2,)).output("y", TensorType.FLOAT32, (2,))
    model = tmp_path / "model.tflite"
    model.write_bytes(write_model(builder.operator("CUSTOM", ["x"], ["y"], custom_code="Twice").build()))
    ops = tmp_path / "ops.py"
    ops.write_text("import int8rt\nint8rt.register_custom_op('Twice', lambda op, x: x + x)\n")
    refused = int8rt("run", str(model), "--random")
    assert refused.returncode == 3
    assert "CUSTOM:Twice" in refused.stderr
    done = int8rt("--custom-ops", str(ops), "run", str(model), "--random")
    assert done.returncode == 0, done.stderr
    ops.write_text("1 / 0\n")
    broken = int8rt("--custom-ops", str(ops), "run", str(model))
    assert broken.returncode == 3
    assert f"{ops} fails with ZeroDivisionError('division by zero')" in broken.stderr
    missing = int8rt("--custom-ops", str(tmp_path / "none.py"), "run", str(model))
    assert missing.returncode == 3
    assert "none.py: No such file" in missing.stderr
