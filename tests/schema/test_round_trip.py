from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import int8rt
from int8rt.errors import ModelError
from int8rt.model import Model, Operator, Subgraph
from int8rt.schema import load_model, read_model, write_model, writer
from int8rt.schema import options as o
from tests.schema import models
from tests.schema.plain import plain

SAMPLES = sorted((Path(int8rt.__file__).parent / "samples").glob("*.tflite"))


@pytest.mark.parametrize("make", models.ALL)
@pytest.mark.parametrize("outside", [False, True])
def test_what_is_written_is_read_again(make: Callable[[], Model], outside: bool) -> None:
    model = make()
    data = write_model(model, buffers_outside=outside)
    assert data[4:8] == b"TFL3"
    assert plain(read_model(data)) == plain(model)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_bundled_models_survive(path: Path) -> None:
    model = load_model(path)
    again = read_model(write_model(model))
    assert plain(again) == plain(model)
    assert sum(len(graph.operators) for graph in again.subgraphs) > 0


@pytest.mark.zoo
def test_zoo_models_survive(zoo_dir: Path) -> None:
    paths = sorted(zoo_dir.rglob("*.tflite"))
    assert paths
    for path in paths:
        model = load_model(path)
        assert plain(read_model(write_model(model))) == plain(model), path


@pytest.mark.parametrize("outside", [False, True])
def test_buffers_are_aligned_and_not_copied(outside: bool) -> None:
    data = write_model(models.conv_model(), buffers_outside=outside)
    start = np.frombuffer(data, np.uint8).ctypes.data
    for buffer in read_model(data).buffers[1:]:
        assert isinstance(buffer, memoryview)
        position = np.frombuffer(buffer, np.uint8).ctypes.data - start
        assert position % 16 == 0
        assert data[position : position + len(buffer)] == buffer


def test_scales_are_views_of_the_file() -> None:
    data = write_model(models.conv_model())
    quantization = read_model(data).subgraphs[0].tensors[1].quantization
    assert quantization is not None
    for vector in (quantization.scale, quantization.zero_point):
        assert not vector.flags.owndata
        assert not vector.flags.writeable


def test_large_custom_options_are_read_from_behind_the_flatbuffer() -> None:
    # The writer never makes such files, so the fields are put in by hand, where it leaves custom options out.
    model = models.control_model()
    graph = model.subgraphs[0]
    without = [dataclasses.replace(item, custom_options=b"") for item in graph.operators]
    writer_input = dataclasses.replace(
        model, subgraphs=(dataclasses.replace(graph, operators=tuple(without)), *model.subgraphs[1:])
    )
    data = _with_large_custom_options(writer_input, b"options outside")
    assert read_model(data).subgraphs[0].operators[2].custom_options == b"options outside"
    with pytest.raises(ModelError, match=r"operator 2 \(CUSTOM:My_Op\): large_custom_options: .* outside of the file"):
        read_model(data[:-1])


def _with_large_custom_options(model: Model, options: bytes) -> bytes:
    class Writer(writer._Writer):
        def operator(self, operator: Operator) -> int:
            if operator.custom_code == "":
                return super().operator(operator)
            out = self.out
            key = (32, operator.custom_code, operator.version)
            return out.table(
                (0, "uint32", self.codes.setdefault(key, len(self.codes)), 0),
                (1, "offset", out.vector(operator.inputs, "int32"), 0),
                (2, "offset", out.vector(operator.outputs, "int32"), 0),
                (9, "uint64", 999_999, 0),
                (10, "uint64", len(options), 0),
            )

    made = Writer(False, 0)
    made.write(model)
    flatbuffer = bytes(made.out.builder.Output())
    place = (999_999).to_bytes(8, "little")
    assert flatbuffer.count(place) == 1
    return flatbuffer.replace(place, len(flatbuffer).to_bytes(8, "little")) + options


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [(3, 0, "CONV_2D"), (3, 3, "CONV_2D"), (127, 209, "STABLEHLO_CASE"), (127, 999, "UNKNOWN_999")],
)
def test_the_operator_code_is_the_larger_of_two_fields(old: int, new: int, name: str) -> None:
    class Writer(writer._Writer):
        def code(self, code: int, custom_code: str, version: int) -> int:
            return self.out.table((0, "int8", old, 0), (3, "int32", new, 0), (2, "int32", version, 1))

    made = Writer(False, 0)
    made.write(models.conv_model())
    assert read_model(bytes(made.out.builder.Output())).subgraphs[0].operators[0].name == name


def test_the_writer_names_what_does_not_fit() -> None:
    def with_operator(operator: Operator) -> Model:
        return Model((Subgraph("main", (), (), (), (operator,)),), (None,))

    for operator, message in (
        (Operator("CONV_2D", (), (), options=o.Conv2DOptions(stride_w=2**31)), "Conv2DOptions.stride_w: 2147483648"),
        (Operator("ADD", (), (), options=o.SplitOptions(1.5)), "SplitOptions.num_splits: 1.5"),  # type: ignore[arg-type]
        (Operator("RESHAPE", (), (), options=o.ReshapeOptions((2**40,))), "ReshapeOptions.new_shape: a value"),
        (Operator("SOFTMAX", (), (), options=o.SoftmaxOptions(1e300)), "SoftmaxOptions.beta: 1e\\+300"),
        (Operator("VAR_HANDLE", (), (), options=o.VarHandleOptions(3)), "VarHandleOptions.container"),  # type: ignore[arg-type]
        (Operator("CONV_2D", (2**31,), ()), "a value is outside of int32"),
        (Operator("CONV_2D", (), (), options=3), "int is not an options table"),
        (Operator("CONV_2D", (), (), options=o.UnknownOptions(1, 200)), "options of type 200 of a newer schema"),
        (Operator("CONV_3", (), ()), "'CONV_3' is not a TensorFlow Lite operator"),
    ):
        with pytest.raises(ModelError, match=f"operator 0 \\({operator.name}\\): {message}"):
            write_model(with_operator(operator))
