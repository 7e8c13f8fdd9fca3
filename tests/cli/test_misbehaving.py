"""Programs that crash, hang, or answer with nonsense: verdicts of `compare` and `conformance run`, never tracebacks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from int8rt.cli.app import app
from int8rt.model import Quantization, TensorType
from int8rt.schema import ModelBuilder, write_model
from int8rt.verify.runtimes import patience

REPOSITORY = Path(__file__).resolve().parents[2]

PROGRAM = """
import os, sys, time
mode, inputs, outputs = sys.argv[1:]
if mode == "crash":
    os.abort()
if mode == "hang":
    time.sleep(600)
if mode == "fail":
    sys.exit("out of memory")
if mode == "garbage":
    open(outputs, "wb").write(b"PK junk")
import numpy as np
x = next(iter(np.load(inputs).values()))
answers = {
    "empty": {},
    "shape": {"y": np.zeros(7, np.float32)},
    "type": {"y": np.zeros(x.shape, np.int64)},
    "nan": {"y": np.full(x.shape, np.nan, np.float32)},
    "objects": {"y": np.array([None])},
}
if mode in answers:
    np.savez(outputs, **answers[mode])
"""
# What the program does, and the verdict of the suite on it.
MODES = {
    "crash": "CRASHED",
    "hang": "TIMEOUT",
    "fail": "REFUSED",
    "garbage": "NO ANSWER",
    "nothing": "NO ANSWER",
    "empty": "NO ANSWER",
    "objects": "NO ANSWER",
    "shape": "DIFFERENT",
    "type": "DIFFERENT",
    "nan": "DIFFERENT",
}
ALL = [
    mode if mode in ("hang", "empty", "shape", "nan") else pytest.param(mode, marks=pytest.mark.slow) for mode in MODES
]


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return path


def invoke(*arguments: object) -> Result:
    done = CliRunner().invoke(app, [*map(str, arguments), "--json"])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


@pytest.mark.parametrize("mode", ALL)
def test_compare(mode: str, program: Path, tmp_path: Path) -> None:
    builder = ModelBuilder().input("x", TensorType.INT8, (1, 4), Quantization.per_tensor(0.5, 3))
    builder.output("y", TensorType.FLOAT32, (1, 4)).operator("DEQUANTIZE", ["x"], ["y"])
    (tmp_path / "model.tflite").write_bytes(write_model(builder.build()))
    np.save(tmp_path / "x.npy", np.array([[1, 2, 3, 4]], np.int8))
    command = f"{sys.executable} {program} {mode} {{inputs}} {{outputs}}"
    timeout = 0.2 if mode == "hang" else 60
    given = ["--command", command, "--timeout", timeout, "--input", tmp_path / "x.npy"]
    done = invoke("compare", tmp_path / "model.tflite", *given)
    assert done.exit_code == 1
    data = json.loads(done.stdout)
    assert not data["conformant"]
    assert bool(data["faults"]) == (MODES[mode] != "DIFFERENT")
    assert next(operator["verdict"] for operator in data["operators"]) in ("FAILED", "UNSUPPORTED", "DIFFERENT")


@pytest.mark.parametrize("mode", ALL)
def test_conformance(mode: str, program: Path, tmp_path: Path) -> None:
    command = f"{sys.executable} {program} {mode} {{inputs}} {{outputs}}"
    chosen = ["--operator", "DEQUANTIZE", "--type", "int8", "--case", "scale=0.5"]
    done = invoke("conformance", "run", "--command", command, "--timeout", 0.2 if mode == "hang" else 60, *chosen)
    assert done.exit_code == 1
    cases = json.loads(done.stdout)["cases"]
    assert len(cases) > 1
    assert {case["verdict"] for case in cases} == {MODES[mode]}


def test_a_runtime_that_hangs_is_not_asked_for_ever(program: Path) -> None:
    command = f"{sys.executable} {program} hang {{inputs}} {{outputs}}"
    start = time.monotonic()
    done = invoke("conformance", "run", "--command", command, "--timeout", 0.2, "--operator", "AVERAGE_POOL_2D")
    assert time.monotonic() - start < 60
    cases = json.loads(done.stdout)["cases"]
    assert len(cases) > 100
    assert {case["verdict"] for case in cases} == {"TIMEOUT"}
    asked = [case for case in cases if "not asked" not in case["message"]]
    assert len(asked) == patience.LIMIT


SLOW = """
import os, sys, time
import numpy as np
log, model, inputs, outputs = sys.argv[1:]
open(log, "a").write(os.path.basename(inputs) + "\\n")
if os.path.exists(log + ".slow") and len(open(log).readlines()) > 3:
    time.sleep(30)
np.savez(outputs, zero=np.zeros(1, np.int8))
"""


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    log, journal = tmp_path / "log", tmp_path / "journal"
    (tmp_path / "log.slow").touch()
    command = f"{sys.executable} {tmp_path / 'slow.py'} {log} {{model}} {{inputs}} {{outputs}}"
    arguments = [
        "conformance",
        "run",
        "--command",
        command,
        "--operator",
        "PAD",
        "--type",
        "int8",
        "--journal",
        journal,
    ]
    line = [sys.executable, "-m", "int8rt", *map(str, arguments)]
    process = subprocess.Popen(line, cwd=REPOSITORY, stdout=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 60
    while not (log.exists() and len(log.read_text().splitlines()) == 4):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    kept = journal.read_text().splitlines()
    assert len(kept) == 4  # whose it is, and three verdicts
    (tmp_path / "log.slow").unlink()
    log.unlink()
    done = invoke(*arguments)
    assert done.exit_code == 1
    cases = json.loads(done.stdout)["cases"]
    assert len(log.read_text().splitlines()) == len(cases) - 3
    assert journal.read_text().splitlines()[:4] == kept
    assert {case["verdict"] for case in cases} == {"DIFFERENT"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_runtime_that_hangs_does_not_outlive_the_command(
    number: signal.Signals, program: Path, tmp_path: Path
) -> None:
    builder = ModelBuilder().input("x", TensorType.FLOAT32, (1, 4)).output("y", TensorType.FLOAT32, (1, 4))
    (tmp_path / "model.tflite").write_bytes(write_model(builder.operator("RELU", ["x"], ["y"]).build()))
    script, left = tmp_path / "hang.py", tmp_path / "left"
    script.write_text(f"import os, time; open({str(left)!r}, 'w').write(str(os.getpid())); time.sleep(600)")
    command = f"{sys.executable} {script} {{inputs}} {{outputs}}"
    line = [sys.executable, "-m", "int8rt", "compare", str(tmp_path / "model.tflite"), "--command", command]
    process = subprocess.Popen(line, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (left.exists() and left.read_text()):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(number)
    assert process.wait(30) == 128 + number
    with pytest.raises(ProcessLookupError):
        wait_while_alive(int(left.read_text()))


def wait_while_alive(process: int) -> None:
    for _ in range(100):
        os.kill(process, 0)
        time.sleep(0.05)
