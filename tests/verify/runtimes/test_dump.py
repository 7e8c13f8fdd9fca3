from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from int8rt.errors import InputError
from int8rt.model import Signature
from int8rt.schema import read_model
from int8rt.verify.runtimes.base import Answer, Fault
from int8rt.verify.runtimes.dump import DumpRuntime, file_name
from int8rt.verify.runtimes.npz import write_npz
from tests.interpreter import models

MODEL = read_model(models.two_outputs())
X = np.array([1, 2, 3], np.int8)
Y, ROW = np.array([1, -2, 3], np.int8), np.array([[4, 5, 6]], np.int8)


def recorded(path: Path, labels: tuple[str, ...] = ("given",), names: dict[str, str] | None = None) -> list[Answer]:
    runtime = DumpRuntime(path, labels, names)
    runtime.prepare(MODEL, b"")
    assert not runtime.capabilities().any_model
    return [runtime.run([]) for _ in labels]


def check(answer: Answer) -> None:
    for found, expected in zip(answer.outputs, (Y, ROW), strict=True):
        assert found is not None
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)


def test_an_npz_file(tmp_path: Path) -> None:
    write_npz(tmp_path / "a.npz", {"y": Y, "row": ROW})
    check(*recorded(tmp_path / "a.npz"))
    write_npz(tmp_path / "b.npz", {"one/y": Y, "two/row": ROW, "two/y": Y, "one/output_1": ROW})
    for answer in recorded(tmp_path / "b.npz", ("one", "two")):
        check(answer)
    with pytest.raises(Fault, match=r"nothing that is named .* for the run 'one': names begin with 'one/' where"):
        recorded(tmp_path / "a.npz", ("one", "two"))


def test_names_that_are_not_the_model_s(tmp_path: Path) -> None:
    write_npz(tmp_path / "a.npz", {f"blob{i}": Y for i in range(9)})
    with pytest.raises(Fault, match=r"found 'blob0', 'blob1', .*'blob5' and 3 more; the outputs are 'y', 'row'.*names"):
        recorded(tmp_path / "a.npz")
    with pytest.raises(InputError, match="'blob1' is to be 'z', which is no tensor of the model"):
        recorded(tmp_path / "a.npz", ("given",), {"blob0": "y", "blob1": "z"})
    assert recorded(tmp_path / "a.npz", ("given",), {"blob0": "y"})[0].outputs[1] is None


def test_places_of_outputs_are_the_model_s_and_not_a_signature_s(tmp_path: Path) -> None:
    """TensorFlow's converter may name the second output of a signature `output_0`."""
    signature = Signature("serving_default", 0, {}, {"output_0": 2, "output_1": 1})
    swapped = replace(MODEL, signatures=(signature,))
    write_npz(tmp_path / "a.npz", {"output_0": Y, "output_1": ROW})
    runtime = DumpRuntime(tmp_path / "a.npz", ("given",))
    runtime.prepare(swapped, b"")
    check(runtime.run([]))
    runtime = DumpRuntime(tmp_path / "a.npz", ("given",), {"output_0": "output_1", "output_1": "output_0"})
    runtime.prepare(swapped, b"")
    check(runtime.run([]))


def test_what_contradicts_itself_or_was_made_of_other_inputs(tmp_path: Path) -> None:
    def run(given: list[np.ndarray], **arrays: np.ndarray) -> Answer:
        write_npz(tmp_path / "a.npz", {"row": ROW, **arrays})
        runtime = DumpRuntime(tmp_path / "a.npz", ("given",))
        runtime.prepare(MODEL, b"")
        return runtime.run(given)

    check(run([X], x=X, y=Y, output_0=Y))
    check(run([X], x=X.astype(np.float32), y=Y))
    with pytest.raises(Fault, match="'y' and 'output_0' are one tensor, and differ"):
        run([X], y=Y, output_0=-Y)
    with pytest.raises(Fault, match="'x' of the run 'given' is not the input that was given"):
        run([X], y=Y, x=-X)


def test_a_dump_of_inputs_and_the_packed_folder_itself(tmp_path: Path) -> None:
    write_npz(tmp_path / "a.npz", {"x": X})
    with pytest.raises(Fault, match="which the model computes, for the run 'given': found 'x'; the outputs are"):
        recorded(tmp_path / "a.npz")
    (tmp_path / "outputs").mkdir()
    with pytest.raises(Fault, match=r"no folder one.*is .*outputs meant"):
        recorded(tmp_path, ("one", "two"))


def test_a_folder_of_raw_and_npy_files(tmp_path: Path) -> None:
    for label in ("one", "two"):
        (tmp_path / label).mkdir()
        Y.tofile(tmp_path / label / "layer_12.bin")
        np.save(tmp_path / label / "row.npy", ROW)
        (tmp_path / label / "log.txt").write_text("not a tensor")
    for answer in recorded(tmp_path, ("one", "two"), {"layer_12": "y"}):
        check(answer)
    check(*recorded(tmp_path / "one", ("given",), {"layer_12": "#1"}))
    (missing,) = recorded(tmp_path / "one")
    assert missing.outputs[0] is None
    with pytest.raises(Fault, match=r"has no folder three, nor a file three.npz, three.bin or three.raw"):
        recorded(tmp_path, ("one", "three"))


def test_one_raw_file_of_all_outputs(tmp_path: Path) -> None:
    (tmp_path / "out.bin").write_bytes(Y.tobytes() + ROW.tobytes())
    check(*recorded(tmp_path / "out.bin"))
    (tmp_path / "short.bin").write_bytes(Y.tobytes())
    with pytest.raises(Fault, match="outputs have 6 bytes, the file has 3"):
        recorded(tmp_path / "short.bin")


def test_raw_data_of_another_size(tmp_path: Path) -> None:
    (tmp_path / "y.bin").write_bytes(b"ab")
    with pytest.raises(Fault, match=r"'y' is int8 \[3\], its raw data has 2 bytes"):
        recorded(tmp_path)


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no dump"):
        recorded(tmp_path / "nothing")
    (tmp_path / "y.npy").write_bytes(b"nonsense")
    with pytest.raises(Fault, match=r"is not a NumPy file"):
        recorded(tmp_path)


def test_file_names() -> None:
    assert file_name("a/b:0;c d.é") == "a_b_0_c_d.é"
