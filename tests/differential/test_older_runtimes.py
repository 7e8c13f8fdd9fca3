"""Profiles `tflite-ref@2.19` and `tflm` beside the runtimes that they stand for, each in a Python of its own.

An environment variable names each Python, such as INT8RT_TFLM_PYTHON=/somewhere/bin/python; see `RUNTIMES`.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from int8rt.errors import Int8rtError
from int8rt.interpreter import Backend
from int8rt.kernels.jit.isa.levels import Level, available_levels
from int8rt.model import ActivationFunctionType, Model, Quantization, TensorType
from int8rt.quantization.profiles import get_profile
from int8rt.schema import TensorSpec, read_model, single_operator_model, write_model
from int8rt.schema.options import FullyConnectedOptions
from int8rt.verify.compare import run_int8rt as run_interpreter
from int8rt.verify.inputs import make_inputs
from int8rt.verify.runtimes.base import Fault, Runtime, written
from int8rt.verify.runtimes.choose import open_runtime
from tests.differential.cases import random_data
from tests.differential.convolutions import bias_spec, filter_spec, filter_zero_point, scales_of, zero_point_pair
from tests.differential.harness import Array, run_int8rt

pytestmark = pytest.mark.slow

PROFILE = "tflite-ref@2.19"
_LARGEST_FILE = 1_200_000
_EXAMPLES = 300
# The highest version of FULLY_CONNECTED that all of the runtimes know.
_VERSION = 9


@dataclass(frozen=True)
class Older:
    """sut: the runtime as `open_runtime` names it. variable: of the environment, which names its Python.

    others: operators with integer results that it computes in yet another way than `profile`, with their type.
    """

    sut: str
    variable: str
    packages: str
    others: tuple[str, ...] = ()
    profile: str = PROFILE
    several_scales: bool = True
    int16_without_bias: bool = True


RUNTIMES = {
    "litert-1.2": Older("litert:ref", "INT8RT_LITERT_1_2_PYTHON", "ai-edge-litert==1.2.0"),
    # Its FULLY_CONNECTED has one scale only, and int32 sums where int16 activations come without a bias.
    "tflite-2.14": Older(
        "tflite_runtime:ref",
        "INT8RT_TFLITE_2_14_PYTHON",
        "tflite-runtime==2.14.0 'numpy<2'",
        several_scales=False,
        int16_without_bias=False,
    ),
    # int16 MUL, int8 LOGISTIC and the LSTM have roundings and tables of their own there, and some are plain otherwise.
    "tflm": Older(
        "tflm",
        "INT8RT_TFLM_PYTHON",
        "tflite-micro",
        (
            *("MUL int16", "LOGISTIC int8", "UNIDIRECTIONAL_SEQUENCE_LSTM int8", "RELU6 int8", "RELU6 int16"),
            *("SUM int8", "SUM int16", "RSQRT int16"),
        ),
    ),
    "tflm as itself": Older("tflm", "INT8RT_TFLM_PYTHON", "tflite-micro", profile="tflm"),
}


Run = Callable[[Model, list[Array]], Mapping[int, Array]]


def at_every_level(profile: str) -> list[Run]:
    """NumPy, and compiled kernels of every instruction set, under guard."""

    def at(level: Level | None) -> Run:
        return lambda model, inputs: run_int8rt(model, inputs, profile, level)

    return [at(level) for level in (None, *(available_levels() if get_profile(profile).compiled else ()))]


def by_backend(profile: str) -> list[Run]:
    """NumPy and compiled kernels, as users run them."""

    def on(backend: Backend) -> Run:
        return lambda model, inputs: run_interpreter(model, inputs, profile, backend, keep=False)[0]

    return [on("numpy"), on("jit")]


@pytest.fixture(params=RUNTIMES)
def older(request: pytest.FixtureRequest) -> Older:
    found = RUNTIMES[request.param]
    if found.variable not in os.environ:
        pytest.skip(f"{found.variable} must name a Python 3.11 that has `pip install {found.packages}`")
    return found


@pytest.fixture
def runtime(older: Older) -> Iterator[Runtime]:
    opened = open_runtime(older.sut, python=os.environ[older.variable], timeout=60)
    yield opened
    opened.close()


def all_written_are_outputs(model: Model) -> Model:
    """Older runtimes overwrite tensors that later operators no longer need, whatever they are asked to keep."""
    graph = model.subgraphs[0]
    outputs = dict.fromkeys((*graph.outputs, *(index for _, index in written(graph))))
    return replace(model, subgraphs=(replace(graph, outputs=tuple(outputs)), *model.subgraphs[1:]), signatures=())


def differing(runtime: Runtime, model: Model, inputs: list[Array], runs: Sequence[Run]) -> tuple[str, int] | None:
    """("OPERATOR type" of the first integer result that differs in any of the `runs`, else "", how many were compared).

    None where either refuses the model.
    """
    try:
        found = [run(model, inputs) for run in runs]
        runtime.prepare(model, write_model(model))
        answer = dict(zip(model.subgraphs[0].outputs, runtime.run(inputs).outputs, strict=True))
    except (Fault, Int8rtError):
        return None
    compared = 0
    for position, index in written(model.subgraphs[0]):
        expected = answer[index]
        if expected is None or expected.dtype.kind not in "biu":
            continue
        compared += 1
        if not all(np.array_equal(values[index], expected) for values in found):
            return f"{model.subgraphs[0].operators[position].label} {expected.dtype}", compared
    return "", compared


def drawn(older: Older, type: TensorType, seed: int) -> tuple[Model, list[Array]]:
    """A FULLY_CONNECTED with random numbers that all releases understand, and data for it."""
    rng = np.random.default_rng(seed)
    rows, depth, outputs = int(rng.integers(1, 6)), int(rng.integers(1, 40)), int(rng.integers(1, 12))
    filter_type = TensorType.UINT8 if type == TensorType.UINT8 else TensorType.INT8
    count = outputs if filter_type == TensorType.INT8 and older.several_scales and rng.random() < 0.5 else 1
    input_scale, scales, output_scale = scales_of(rng, type, filter_type, depth, count)
    input_zero_point, output_zero_point = zero_point_pair(rng, type)
    wide = type == TensorType.INT16
    bias_type = TensorType.INT64 if wide and rng.random() < 0.5 else TensorType.INT32
    bias = bias_spec(rng, bias_type, outputs, input_scale * scales[0], depth, type)
    input = TensorSpec(type, (rows, depth), Quantization.per_tensor(input_scale, input_zero_point))
    model = single_operator_model(
        "FULLY_CONNECTED",
        [
            input,
            filter_spec(rng, filter_type, (outputs, depth), scales, 0, filter_zero_point(rng, type)),
            None if rng.random() < 0.3 and (older.int16_without_bias or not wide) else bias,
        ],
        # Micro runtimes rely on the shape.
        [TensorSpec(type, (rows, outputs), Quantization.per_tensor(output_scale, output_zero_point))],
        FullyConnectedOptions(
            ActivationFunctionType(int(rng.integers(0, 4))),
            quantized_bias_type=bias_type if wide else TensorType.FLOAT32,
        ),
        version=_VERSION,
    )
    return model, [random_data(rng, input)]


@pytest.mark.parametrize("type", ["int8", "uint8", "int16"])
def test_fully_connected(older: Older, runtime: Runtime, type: str) -> None:
    results: Counter[str] = Counter()
    for seed in range(_EXAMPLES):
        model, inputs = drawn(older, TensorType[type.upper()], seed)
        found = differing(runtime, model, inputs, at_every_level(older.profile))
        results["refused" if found is None else "differ" if found[0] else "equal"] += 1
        if found is not None and found[0]:
            print(f"seed {seed}")
    print(f"{older.sut} {type}: {dict(results)}")
    assert results["differ"] == 0
    # TensorFlow Lite Micro has no uint8.
    assert results["equal"] > _EXAMPLES / 2 or (older.sut, type) == ("tflm", "uint8")


def understands(older: Older, model: Model) -> bool:
    """Whether the release knows all that the FULLY_CONNECTED operators of a model say."""
    graph = model.subgraphs[0]
    for operator in graph.operators:
        if operator.name != "FULLY_CONNECTED":
            continue
        source, filter = (graph.tensors[index] for index in operator.inputs[:2])
        scales = 0 if filter.quantization is None else filter.quantization.scale.size
        bias = len(operator.inputs) > 2 and operator.inputs[2] >= 0
        if scales > 1 and not older.several_scales:
            return False
        if source.type == TensorType.INT16 and not bias and not older.int16_without_bias:
            return False
    return True


@pytest.mark.zoo
def test_real_models(older: Older, runtime: Runtime, zoo_dir: Path) -> None:
    wrong, results = [], Counter[str]()
    for path in sorted(zoo_dir.rglob("*.tflite")):
        if path.stat().st_size > _LARGEST_FILE:
            continue
        try:
            model = all_written_are_outputs(read_model(path.read_bytes()))
        except Int8rtError:
            continue
        if not understands(older, model):
            results["not understood"] += 1
            continue
        found = differing(runtime, model, make_inputs(model, "random"), by_backend(older.profile))
        if found is None:
            results["refused"] += 1
            continue
        operator, compared = found
        results["tensors"] += compared
        results["equal" if not operator else "other"] += 1
        if operator and operator not in older.others:
            wrong.append(f"{path.name}: {operator}")
    print(f"{older.sut}: {dict(results)}")
    assert results["equal"] > 50
    assert wrong == []
