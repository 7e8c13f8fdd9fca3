"""A killed `compare`, `identify` or `reduce` goes on with --resume: no question is asked twice, the end is equal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from int8rt.cli.app import app
from int8rt.errors import InputError
from int8rt.model import Model, Quantization, TensorType
from int8rt.schema import ModelBuilder, read_model, write_model
from int8rt.verify.identify import identify
from int8rt.verify.inputs import KINDS, make_inputs
from int8rt.verify.judge import Judge
from int8rt.verify.reduce import reduce
from int8rt.verify.runtimes.base import Answer, Array, Capabilities, Fault
from int8rt.verify.runtimes.mutant import MutantRuntime
from int8rt.verify.runtimes.remember import Remembering, remembered
from tests.interpreter import models

REPOSITORY = Path(__file__).resolve().parents[2]

# The same answer every time; from its fourth question on it takes very long, as long as there is a file "slow".
PROGRAM = """
echo asked >> log
if [ -e slow ] && [ $(wc -l < log) -gt 3 ]; then sleep 20; fi
cp answer.npz "$1"
"""


MISTAKE = "clamped before the zero point"


class KilledError(BaseException):
    """What nothing catches."""


class Mortal(MutantRuntime):
    """Computes ADD with a mistake; killed after so many questions."""

    def __init__(self, questions: float = float("inf")) -> None:
        super().__init__("ADD", MISTAKE)
        self.questions, self.asked = questions, 0

    def run(self, inputs: Sequence[Array], read: Sequence[int] = ()) -> Answer:
        if self.asked >= self.questions:
            raise KilledError
        self.asked += 1
        return super().run(inputs, read)


class Strings:
    """Answers with strings at first, then not at all."""

    def __init__(self, *answers: Answer | Fault, description: str = "strings") -> None:
        self.answers, self.description = list(answers), description

    def capabilities(self) -> Capabilities:
        return Capabilities(self.description, intermediates=False, any_model=True)

    def prepare(self, model: Model, content: bytes) -> None: ...

    def run(self, inputs: Sequence[Array], read: Sequence[int] = ()) -> Answer:
        answer = self.answers.pop(0)
        if isinstance(answer, Fault):
            raise answer
        return answer

    def close(self) -> None: ...


def invoke(*arguments: object) -> Result:
    done = CliRunner().invoke(app, [*map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def dequantize(folder: Path) -> Path:
    builder = ModelBuilder().input("x", TensorType.INT8, (1, 4), Quantization.per_tensor(0.5, 3))
    builder.output("y", TensorType.FLOAT32, (1, 4)).operator("DEQUANTIZE", ["x"], ["y"])
    (folder / "model.tflite").write_bytes(write_model(builder.build()))
    return folder / "model.tflite"


def test_a_killed_comparison_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    model, log = dequantize(tmp_path), tmp_path / "log"
    np.savez(tmp_path / "answer.npz", y=np.zeros((1, 4), np.float32))
    (tmp_path / "program.sh").write_text(PROGRAM)
    (tmp_path / "slow").touch()
    arguments = ["compare", model, "--backend", "numpy", "--command", "sh program.sh {outputs}", "--json"]
    resuming = [*map(str, arguments), "--resume", "work"]
    process = subprocess.Popen(
        [sys.executable, "-m", "int8rt", *resuming], stdout=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while not (log.exists() and len(log.read_text().splitlines()) == 4):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    (tmp_path / "slow").unlink()
    log.unlink()
    judged = [file for file in tmp_path.glob("work/*/*") if "judged" in file.name]
    assert len(judged) == 3
    stamps = [file.stat().st_mtime_ns for file in judged]

    done = invoke(*resuming)
    assert done.exit_code == 1
    assert len(log.read_text().splitlines()) == len(KINDS) - 3
    assert [file.stat().st_mtime_ns for file in judged] == stamps
    assert without_seconds(done) == without_seconds(invoke(*arguments))
    assert invoke(*resuming).stdout == done.stdout  # nothing is asked any more, not even for the times
    assert len(log.read_text().splitlines()) == 2 * len(KINDS) - 3

    log.unlink()
    (tmp_path / "program.sh").write_text(PROGRAM + "# another program\n")
    assert invoke(*resuming).exit_code == 1
    assert len(log.read_text().splitlines()) == len(KINDS)


def without_seconds(done: Result) -> Any:
    return json.loads(done.stdout) | {"seconds": None}


def runs(content: bytes) -> tuple[Model, list[tuple[str, list[Array]]]]:
    model = read_model(content)
    return model, [(kind, make_inputs(model, kind)) for kind in KINDS]


def compared(runtime: Any, content: bytes) -> Any:
    model, given = runs(content)
    judge = Judge(model, content, runtime, backend="numpy")
    for label, inputs in given:
        judge.add(label, inputs)
    return str(judge.judgement())


def identified(runtime: Any, content: bytes) -> Any:
    model, given = runs(content)
    return identify(model, content, runtime, given)


def reduced(runtime: Any, content: bytes) -> Any:
    model, given = runs(content)
    found = reduce(model, runtime, given, budget=30)
    assert found is not None
    return found.operators, found.tried, found.case.content, found.case.statistics


@pytest.mark.parametrize(
    ("verb", "after"), [(compared, 3), pytest.param(identified, 12, marks=pytest.mark.slow), (reduced, 3)]
)
def test_no_question_is_asked_twice(verb: Callable[[Any, bytes], Any], after: int, tmp_path: Path) -> None:
    content = models.two_adds()
    whole = Mortal()
    expected = verb(whole, content)
    with pytest.raises(KilledError):
        verb(Remembering(lambda: Mortal(after), tmp_path), content)
    second = Mortal()
    assert verb(Remembering(lambda: second, tmp_path), content) == expected
    assert after + second.asked <= whole.asked
    third = Mortal(0)
    assert verb(Remembering(lambda: third, tmp_path), content) == expected


def test_an_operator_that_differs_is_explained_after_going_on(tmp_path: Path) -> None:
    content = models.two_adds()
    first = compared(Remembering(Mortal, tmp_path), content)
    assert f"{MISTAKE}: gives " in first
    assert compared(Remembering(lambda: Mortal(0), tmp_path), content) == first


def ask(runtime: Strings, folder: Path, timeout: float = 0) -> Answer:
    remembering = Remembering(lambda: runtime, folder, timeout)
    remembering.prepare(read_model(models.two_adds()), models.two_adds())
    return remembering.run([np.ones((1, 4), np.int8)] * 2)


def test_strings_come_back_as_they_were(tmp_path: Path) -> None:
    given = np.array([[b"a\0", b""], [b"\xff", b"long"]], object)
    ask(Strings(Answer((given, None), {7: given}, 0.25)), tmp_path)
    answer = ask(Strings(), tmp_path)
    assert answer.outputs[0] is not None
    assert answer.outputs[0].dtype == object
    assert answer.outputs[0].tolist() == answer.tensors[7].tolist() == given.tolist()
    assert (answer.outputs[1], answer.seconds) == (None, 0.25)


def test_more_time_is_another_question(tmp_path: Path) -> None:
    with pytest.raises(Fault, match="too late"):
        ask(Strings(Fault("timeout", "too late")), tmp_path, timeout=1)
    with pytest.raises(Fault, match="too late"):
        ask(Strings(), tmp_path, timeout=1)
    assert ask(Strings(Answer(())), tmp_path, timeout=2).outputs == ()


def test_another_version_in_the_same_place_is_said(tmp_path: Path) -> None:
    ask(Strings(Answer(()), description="one 1.0"), tmp_path)
    content = models.two_adds()
    again = Remembering(lambda: Strings(Answer(()), description="one 1.1"), tmp_path)
    again.prepare(read_model(content), content)
    assert again.capabilities().description == "one 1.0"
    with pytest.raises(InputError, match=r"one 1\.0, and this is one 1\.1"):
        again.run([np.zeros((1, 4), np.int8)] * 2)


def test_what_was_cut_off_is_asked_again(tmp_path: Path) -> None:
    ask(Strings(Answer((np.arange(3),))), tmp_path)
    (file,) = tmp_path.glob("*.npz")
    file.write_bytes(file.read_bytes()[:-10])
    answer = ask(Strings(Answer((np.arange(4),))), tmp_path)
    np.testing.assert_array_equal(np.array(answer.outputs[0]), np.arange(4))


def place(folder: Path, sut: str, **options: Any) -> Path:
    runtime = remembered(folder, sut, **options)
    runtime.close()
    return runtime.folder


def test_runtimes_do_not_share_answers(tmp_path: Path) -> None:
    library = tmp_path / "libx.so"
    library.write_bytes(b"one build")
    first = place(tmp_path, "litert", delegate=str(library))
    assert place(tmp_path, "litert", delegate=str(library)) == first
    assert place(tmp_path, "litert:ref") != first
    assert place(tmp_path, "litert", delegate=str(library), delegate_options={"a": "b"}) != first
    library.write_bytes(b"another")
    assert place(tmp_path, "litert", delegate=str(library)) != first


def test_wrong_usage_and_the_script(tmp_path: Path) -> None:
    model = dequantize(tmp_path)
    np.save(tmp_path / "x.npy", np.zeros((1, 4), np.int8))
    assert invoke("compare", model, "--dump", model, "--resume", tmp_path, "-i", tmp_path / "x.npy").exit_code == 2
    text = invoke("identify", model, "--sut", "tflm", "--resume", "work", "--print-python").stdout
    assert "remembered(Path('work'), 'tflm', timeout=120.0)" in text
    compile(text, "script", "exec")
