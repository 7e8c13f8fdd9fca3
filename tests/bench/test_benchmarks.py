"""The benchmarks run, select the models that they say, and compute the means that they say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import reach
from benchmarks.kernels import cases
from benchmarks.models import OPTIMISED, REFERENCE, XNNPACK, geometric_mean, means, summary, table
from benchmarks.processes import ROOT, ChildError, child, memory
from benchmarks.selection import select
from int8rt.model import TensorType
from int8rt.schema import write_model
from tests.interpreter.models import two_adds
from tests.jit.models import convolutions


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.tflite").write_bytes(write_model(convolutions()))
    (tmp_path / "b.tflite").write_bytes(write_model(convolutions(TensorType.UINT8)))
    (tmp_path / "c.tflite").write_bytes(write_model(convolutions()))
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "d.tflite").write_bytes(write_model(convolutions(size=8)))
    (tmp_path / "e.tflite").write_bytes(two_adds())
    (tmp_path / "f.tflite").write_bytes(b"no model")
    return tmp_path


def test_one_model_of_each_architecture_with_8_bits(folder: Path) -> None:
    chosen = select([folder])
    assert [(one.path.stem, one.type) for one in chosen] == [("a", "int8"), ("b", "uint8"), ("d", "int8")]
    assert [one.path.stem for one in select([folder], least_macs=1_000_000)] == ["a", "b"]
    assert [one.path.stem for one in select([folder], least_operators=6)] == []
    assert [one.path.stem for one in select([folder / "c.tflite"])] == ["c"]


def test_means() -> None:
    def row(model: str, type: str, xnnpack: float | None, convolutional: bool = True) -> dict[str, object]:
        ratios = {REFERENCE: 40.0, OPTIMISED: 5.0} | ({} if xnnpack is None else {XNNPACK: xnnpack})
        times = {"int8rt": {"median": 0.001}} | {name: {"median": ratio / 1000} for name, ratio in ratios.items()}
        more = {"times": times, "ratios": ratios, "equal": {REFERENCE: True}, "operators": []}
        return {"model": model, "type": type, "macs": 1000, "convolutional": convolutional} | more

    rows = [row("a", "int8", 2.0), row("b", "int8", 0.5), row("c", "int8", None), row("d", "int8", 8.0, False)]
    found = means([*rows, {"model": "e", "type": "int8", "macs": 1, "convolutional": True, "error": "no"}])
    assert found["int8"]["models"] == 3
    assert found["int8"][XNNPACK]["int8rt / it"] == pytest.approx(1.0)
    assert found["int8"][XNNPACK]["worst"] == (2.0, "b")
    assert found["int8"][REFERENCE]["int8rt / it"] == pytest.approx(1 / 40)
    assert "worst 2.00 (b)" in "\n".join(summary(found))
    assert table(rows).splitlines()[1].split()[:5] == ["a", "int8", "1", "k", "1.000"]
    assert geometric_mean([2.0, 8.0]) == pytest.approx(4.0)


def test_a_child_measures(folder: Path) -> None:
    result = child("time", str(folder / "deeper" / "d.tflite"), "--seconds", "0.05")
    assert list(result["times"]) == ["int8rt"]
    with pytest.raises(ChildError, match="exit status 1: "):
        child("time", str(folder / "f.tflite"))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_is_what_the_model_takes(folder: Path) -> None:
    (small,) = memory(folder / "deeper" / "d.tflite", ["int8rt"]).values()
    large_path = folder / "large.tflite"
    large_path.write_bytes(write_model(convolutions(size=400, channels=64)))
    (large,) = memory(large_path, ["int8rt"]).values()
    assert large - small > 2 * 400 * 400 * 64


@pytest.mark.litert
def test_the_table_and_the_plot(folder: Path, tmp_path: Path) -> None:
    result = tmp_path / "result.json"
    command = [sys.executable, "-m", "benchmarks.models", "--folder", str(folder / "deeper"), "--seconds", "0.05"]
    done = subprocess.run([*command, "--json", str(result)], capture_output=True, text=True, cwd=ROOT, check=True)
    assert "d  " in done.stdout
    assert "int8, 1 convolutional models: int8rt / LiteRT XNNPACK" in done.stdout
    data = json.loads(result.read_text())
    assert data["models"][0]["equal"][REFERENCE]
    pytest.importorskip("matplotlib")
    from benchmarks.plot import plot

    plot(data, tmp_path / "plot.svg", 40)
    assert (tmp_path / "plot.svg").read_text().count("<svg") == 1


def test_every_kernel_has_a_model_that_can_be_written() -> None:
    names = [name for name, model in cases() if write_model(model)]
    assert len(names) == len(set(names)) > 30


def test_every_kernel_of_the_benchmark_is_compiled() -> None:
    from int8rt.kernels.jit.executor import JitExecutor
    from int8rt.memory import MemoryLimits
    from int8rt.quantization.profiles import TFLITE_REF

    left = []
    for name, model in cases():
        executor = JitExecutor(model, 0, TFLITE_REF, MemoryLimits())
        executor.allocate()
        if executor.step_backends() != ["jit"]:
            left.append(name)
    assert left == []


def test_reach() -> None:
    def row(model: str, ratios: dict[str, float], type: str = "int8") -> dict[str, object]:
        return {"model": model, "type": type, "convolutional": True, "ratios": ratios}

    found = {
        "models": [
            row("a", {XNNPACK: 2.0, REFERENCE: 20.0}),
            row("kws_ref_model", {XNNPACK: 0.5, REFERENCE: 5.0}),
            {"model": "e", "type": "int8", "convolutional": True, "error": "no"},
        ],
        "2 threads": [row("u", {XNNPACK: 1 / 1.05}, "uint8")],
        "generic": [row("a", {OPTIMISED: 1.0})],
        "memory": {"a": {"int8rt": 3, XNNPACK: 2}},
        "start": {"model": "a", "warm": 1.0, "cold": 50.0},
    }
    text = reach.table(list(reach.lines(found)))
    states = {line.split("  ")[0]: line.split() for line in text.splitlines()[1:]}
    assert "ok" in states["int8rt / XNNPACK, int8, 1 thread"]
    assert {"2.00", "missed"} <= set(states["worst model, int8, 1 thread"])
    assert {"10.00", "missed"} <= set(states["reference kernels / int8rt, 1 thread"])
    assert {"1.05", "ok"} <= set(states["int8rt / XNNPACK, uint8, 2 threads"])
    assert {"1.50", "missed"} <= set(states["memory, int8rt / XNNPACK"])
    assert {"1.00", "goal"} <= set(states["start to first result, warm, s"])
    assert {"50.00", "missed"} <= set(states["start to first result, cold, s"])
    assert {"1.00", "goal"} <= set(states["generic level / optimised kernels"])
