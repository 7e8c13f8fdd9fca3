"""Ranges from samples: which values they are, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from int8rt.errors import InputError
from int8rt.interpreter import Backend, Interpreter
from int8rt.model import Model
from int8rt.ptq import Calibration, calibrate
from int8rt.ptq.ranges import LeastError, MinMax, MovingAverage, Percentile
from int8rt.ptq.samples import Samples
from int8rt.schema import load_model, read_model
from int8rt.schema.writer import write_model
from tests.ptq.networks import convolution, samples

MODELS = Path(__file__).parent.parent / "models"


def ranges(model: Model) -> dict[str, tuple[float, float]]:
    found = {}
    for tensor in model.subgraphs[0].tensors:
        if tensor.quantization is not None and tensor.quantization.min is not None:
            assert tensor.quantization.max is not None
            found[tensor.name] = float(tensor.quantization.min[0]), float(tensor.quantization.max[0])
    return found


@pytest.mark.parametrize("backend", ["numpy", "jit"])
def test_extremes_of_every_activation(backend: Backend) -> None:
    model = convolution()
    found = ranges(read_model(write_model(calibrate(model, samples(), backend=backend))))
    interpreter = Interpreter(model_content=model, experimental_preserve_all_tensors=True, backend="numpy")
    interpreter.allocate_tensors()
    values: dict[str, list[np.ndarray]] = {name: [] for name in ("x", "sum", "positive", "elu", "y")}
    names = [tensor.name for tensor in model.subgraphs[0].tensors]
    for sample in samples():
        interpreter.set_tensor(0, sample)
        interpreter.invoke()
        for name, seen in values.items():
            seen.append(interpreter.get_tensor(names.index(name)))
    assert found == {name: (float(np.min(seen)), float(np.max(seen))) for name, seen in values.items()}


@pytest.mark.parametrize("name", ["network", "matrices"])
@pytest.mark.parametrize("tf_compatible", [False, True])
def test_beside_tensorflow(name: str, tf_compatible: bool) -> None:
    """TensorFlow's calibrator sums in another order, and sees inputs that ADD, SUB and MUL have overwritten."""
    recorded = load_model(MODELS / f"{name}_calibrated.tflite")
    shape = recorded.subgraphs[0].tensors[recorded.subgraphs[0].inputs[0]].shape
    data = [np.random.default_rng([0, i]).uniform(-1, 1, shape).astype(np.float32) for i in range(16)]
    found, expected = ranges(calibrate(recorded, data, tf_compatible=tf_compatible)), ranges(recorded)
    assert set(found) == set(expected)
    far = [key for key in found if not np.allclose(found[key], expected[key], rtol=1e-5, atol=1e-6)]
    assert far == [] if tf_compatible else len(far) > 0


def test_a_state_goes_on_where_it_was() -> None:
    for method in ("minmax", "ema", "percentile", "mse"):
        whole, first, second = (Calibration(convolution(), method=method) for _ in range(3))  # type: ignore[arg-type]
        for sample in samples():
            whole.feed(sample)
        for sample in samples()[:3]:
            first.feed(sample)
        second.resume(first.state())
        for sample in samples()[3:]:
            second.feed(sample)
        assert ranges(second.model()) == ranges(whole.model())


def test_variables_go_on_where_they_were() -> None:
    model = load_model(Path(__file__).parent.parent / "models" / "svdf_float32.tflite")
    shape = model.subgraphs[0].tensors[model.subgraphs[0].inputs[0]].shape
    frames = np.random.default_rng(0).uniform(-1, 1, (6, *shape)).astype(np.float32)
    frames[0] *= 9  # what the layer still remembers after it was cut off
    whole, first, second = (Calibration(model) for _ in range(3))
    for frame in frames:
        whole.feed(frame)
    first.feed(frames[0])
    second.resume(first.state())
    assert sorted(second.state()) == sorted(first.state())
    for frame in frames[1:]:
        second.feed(frame)
    assert ranges(second.model()) == ranges(whole.model())


def test_methods() -> None:
    values = np.concatenate([np.linspace(-1, 1, 100_000), [50.0]]).astype(np.float32)
    found = {}
    for kind in (MinMax, MovingAverage, Percentile, LeastError):
        collector = kind()
        collector.see(values[:1000])
        collector.see(values[1000:])
        found[kind] = collector.range()
    assert found[MinMax] == (-1, 50)
    assert found[MovingAverage] == pytest.approx((0.95 * -1 + 0.05 * values[1000], 0.95 * values[999] + 0.05 * 50))
    assert found[Percentile] == pytest.approx((-1, 1), abs=50 / 1000)
    assert found[LeastError][1] < 49


def test_a_constant_tensor_and_zeros() -> None:
    for kind in (MinMax, MovingAverage, Percentile, LeastError):
        collector = kind()
        collector.see(np.zeros(4, np.float32))
        assert collector.range() == (0, 0)
        collector = kind()
        collector.see(np.full(4, 3, np.float32))
        assert collector.range() == pytest.approx((3, 3), abs=0.01)


def test_refused() -> None:
    with pytest.raises(InputError, match="no samples"):
        calibrate(convolution(), [])
    with pytest.raises(InputError, match=r"sample 0: input 'x' has the shape \[1, 4, 4, 2\], found \[1, 5, 4, 2\]"):
        calibrate(convolution(), [np.zeros((1, 5, 4, 2), np.float32)])
    with pytest.raises(InputError, match="sample 1: input: tensor 'x' is not finite"):
        calibrate(convolution(), [samples()[0], np.full((1, 4, 4, 2), np.nan, np.float32)])
    with pytest.raises(InputError, match=r"sample 0: operator 3 \(MEAN\): tensor 'y' is not finite"):
        calibrate(convolution(bias=float("inf")), samples())
    with pytest.raises(InputError, match="takes"):
        calibrate(convolution(), [{"picture": samples()[0]}])
    with pytest.raises(InputError, match="no signature 'encode'"):
        calibrate(convolution(), samples(), signature="encode")
    with pytest.raises(InputError, match="quantized already"):
        calibrate(load_model(MODELS / "network_int8.tflite"), samples())


def test_samples_of_files(tmp_path: Path) -> None:
    data = np.concatenate(samples())
    expected = ranges(calibrate(convolution(), samples()))
    np.save(tmp_path / "data.npy", data)
    np.savez(tmp_path / "named.npz", image=data, labels=np.zeros(8))
    np.savez(tmp_path / "other.npz", a=data, b=data)
    np.save(tmp_path / "empty.npy", data[:0])
    for name in ("data.npy", "named.npz"):
        assert ranges(calibrate(convolution(), Samples(convolution(), tmp_path / name))) == expected
    for name, message in (("other.npz", "the model's inputs are"), ("empty.npy", "no samples"), ("none.npy", "cannot")):
        with pytest.raises(InputError, match=message):
            Samples(convolution(), tmp_path / name)
