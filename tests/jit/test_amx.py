"""The level `amx` where there is none: its code with tile registers in memory, and what is decided about the real ones.

`conformance.amx_emulator` runs the machine code itself, on an emulated processor.
"""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from llvmlite import binding, ir

from conformance.amx_models import MODELS
from int8rt.errors import InputError
from int8rt.executor import SubgraphExecutor
from int8rt.kernels.jit import proof
from int8rt.kernels.jit.isa import levels
from int8rt.kernels.jit.isa.emitter import I64, Emitter
from int8rt.kernels.jit.isa.levels import AMX, EMULATED, Level, available_levels, choose_level
from int8rt.kernels.jit.isa.tiles import CONFIGURATION, Tiles
from int8rt.memory import MemoryLimits
from int8rt.quantization.profiles import TFLITE_REF
from int8rt.verify.inputs import make_inputs
from tests.jit.guarded import GuardedExecutor

DEFAULT = ("1x1, 49 rows of 80 bytes", "3x3", "FULLY_CONNECTED, 50 rows")
emulated = pytest.mark.skipif(EMULATED not in available_levels(emulated=True), reason="no AVX-512 VBMI on Linux here")


@emulated
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in DEFAULT else pytest.mark.slow) for name in MODELS]
)
def test_bits(name: str, threads: int) -> None:
    model, results = MODELS[name](), []
    arguments = model, 0, TFLITE_REF, MemoryLimits()
    for executor in (SubgraphExecutor(*arguments), GuardedExecutor(*arguments, level=EMULATED, threads=threads)):
        executor.allocate()
        for index, value in zip(model.subgraphs[0].inputs, make_inputs(model, "random"), strict=True):
            executor.set(index, value)
        executor.invoke()
        results.append(executor.get(model.subgraphs[0].outputs[0]))
    assert isinstance(executor, GuardedExecutor)
    assert set(executor.step_backends()) == {"jit"}
    np.testing.assert_array_equal(results[1], results[0])


def test_tiles_are_for_rows_that_fill_them() -> None:
    for level in (AMX, EMULATED):
        assert level.for_rows(16) is level
        assert level.for_rows(15).tiles is None
        assert level.for_rows(15).name == level.products == "avx512vnni"


def test_the_configuration() -> None:
    """The layout of Intel's manual: palette at 0, bytes of a row from 16 on, rows from 48 on."""
    assert len(CONFIGURATION) == 64
    assert CONFIGURATION[0] == 1
    assert struct.unpack_from("<8H", CONFIGURATION, 16) == (64,) * 8
    assert CONFIGURATION[48:56] == bytes([16] * 8)
    assert sum(CONFIGURATION) == 1 + 8 * 64 + 8 * 16


@pytest.mark.skipif(not binding.get_process_triple().startswith("x86_64"), reason="not an x86-64 LLVM")
def test_the_machine_code() -> None:
    """The instructions' encodings by Intel's manual, with constant tile numbers."""
    module = ir.Module()
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [I64, I64]), "code")
    tiles = Tiles(Emitter(ir.IRBuilder(function.append_basic_block())))
    tiles.configure()
    tiles.load(1, *function.args)
    tiles.load(2, *function.args)
    tiles.dot(0, 1, 2)
    tiles.store(0, *function.args)
    tiles.release()
    tiles.e.b.ret_void()
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    machine = binding.Target.from_triple("x86_64-unknown-linux-gnu").create_target_machine(
        cpu="sapphirerapids", features="+amx-tile,+amx-int8", opt=3
    )
    sections = binding.ObjectFileRef.from_data(machine.emit_object(binding.parse_assembly(str(module)))).sections()
    code = b"".join(section.data() for section in sections if section.is_text())
    places = [
        code.find(bytes.fromhex(instruction))
        for instruction in (
            "c4e27849",  # ldtilecfg m512
            "c4e27b4b0c37",  # tileloadd tmm1, [rdi + rsi]
            "c4e27b4b1437",  # tileloadd tmm2, [rdi + rsi]
            "c4e2695ec1",  # tdpbusd tmm0, tmm1, tmm2
            "c4e27a4b0437",  # tilestored [rdi + rsi], tmm0
            "c4e27849c0",  # tilerelease
        )
    ]
    assert places[0] >= 0
    assert places == sorted(set(places))


def test_it_is_never_chosen_where_it_is_not() -> None:
    assert EMULATED not in available_levels()
    assert choose_level(None) is not EMULATED
    if AMX not in available_levels():
        with pytest.raises(InputError, match="instruction set 'amx' is not available here; available: generic"):
            choose_level("amx")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INT8RT_CACHE_DIR", str(tmp_path / "kernels"))
    return tmp_path / "kernels"


@emulated
def test_the_check_compares() -> None:
    assert proof.same(EMULATED)


@emulated
@pytest.mark.slow
def test_the_check_runs_in_a_process_of_its_own(folder: Path) -> None:
    assert proof.fault(EMULATED) == ""
    assert [path.read_bytes()[-9:] for path in folder.glob("*.proof")] == [b"same bits"]


@pytest.mark.parametrize(
    ("status", "output", "expected", "lasting"),
    [
        (0, "same bits\n", "", True),
        (0, "other bits than by definition\n", "the check of amx found other bits than by definition", True),
        (-4, "", "the check of amx was ended by signal 4", True),
        (1, "", "the check of amx failed: no module", False),
    ],
)
def test_the_answer_is_kept_if_it_is_about_the_processor(
    folder: Path, monkeypatch: pytest.MonkeyPatch, status: int, output: str, expected: str, lasting: bool
) -> None:
    asked: list[Any] = []

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        return subprocess.CompletedProcess(command, status, output, "no module")

    monkeypatch.setattr(subprocess, "run", run)
    assert [proof.fault(AMX) for _ in range(2)] == [expected, expected]
    assert len(asked) == (1 if lasting else 2)
    assert len(list(folder.glob("*.proof"))) == int(lasting)


def test_no_other_program_is_started_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/usr/bin/editor")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("started"))
    assert "needs a Python" in proof.fault(AMX)


@pytest.mark.parametrize("reason", ["", "it computes something else"])
def test_a_level_that_fails_its_check_is_not_the_default(monkeypatch: pytest.MonkeyPatch, reason: str) -> None:
    asked: list[Level] = []
    below = Level()
    monkeypatch.setattr(levels, "available_levels", lambda: (below, AMX))
    monkeypatch.setattr(proof, "fault", lambda level: asked.append(level) or reason)
    assert levels.default_level.__wrapped__() == ((below, reason) if reason else (AMX, ""))
    assert asked == [AMX]


def test_a_refusal_of_the_system_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("int8rt.kernels.jit.isa.x86.refusal", lambda: "refused")
    has = dict.fromkeys(AMX.features, True)
    assert not AMX.available(has)
    assert AMX.refused(has) == "refused"
    assert AMX.refused(has | {"amx-int8": False}) == ""
    monkeypatch.setattr("int8rt.kernels.jit.isa.x86.refusal", lambda: "")
    assert AMX.available(has)
    assert not AMX.available(has | {"amx-tile": False})
