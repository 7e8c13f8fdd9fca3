"""Files made to take much more time or memory than they have bytes."""

from __future__ import annotations

import dataclasses
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest

from int8rt.errors import ModelError
from int8rt.model import Model, Operator, Quantization, Subgraph, Tensor, TensorType
from int8rt.schema import Limits, check_model, read_model, write_model, writer
from int8rt.schema import options as o
from tests.schema.models import conv_model

MANY = 30_000


def refused(data: bytes, message: str) -> None:
    tracemalloc.start()
    start = time.perf_counter()
    try:
        with pytest.raises(ModelError, match=message) as caught:
            read_model(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert time.perf_counter() - start < 5
    assert peak < 20 * len(data) + (1 << 22)
    assert len(str(caught.value)) < 1000


def aliased(change: Callable[[type[writer._Writer]], type[writer._Writer]], model: Model | None = None) -> bytes:
    made = change(writer._Writer)(False, 0)
    made.write(model or conv_model())
    return bytes(made.out.builder.Output())


def test_one_tensor_named_many_times() -> None:
    def change(base: type[writer._Writer]) -> type[writer._Writer]:
        class Writer(base):  # type: ignore[valid-type, misc]
            def subgraph(self, index: int, graph: Subgraph) -> int:
                tensor = self.tensor(graph.tensors[1])
                return int(self.out.table((0, "offset", self.out.offsets([tensor] * MANY), 0)))

        return Writer

    refused(aliased(change), "subgraph 0, tensor [0-9]+: .*refers to the same bytes too often")


def test_one_subgraph_named_many_times() -> None:
    def change(base: type[writer._Writer]) -> type[writer._Writer]:
        class Writer(base):  # type: ignore[valid-type, misc]
            def subgraph(self, index: int, graph: Subgraph) -> int:
                if index:
                    return self.first
                self.first = int(super().subgraph(index, graph))
                return self.first

        return Writer

    model = conv_model()
    refused(aliased(change, dataclasses.replace(model, subgraphs=model.subgraphs * 5000)), "same bytes too often")


def test_one_long_name_for_many_tensors() -> None:
    def change(base: type[writer._Writer]) -> type[writer._Writer]:
        class Writer(base):  # type: ignore[valid-type, misc]
            name = 0

            def tensor(self, tensor: Tensor) -> int:
                self.name = self.name or self.out.string("x" * 100_000)
                return int(self.out.table((3, "offset", self.name, 0)))

        return Writer

    graph = Subgraph("", (Tensor("", TensorType.INT8, ()),) * 1000, (), (), ())
    refused(aliased(change, Model((graph,), (None,))), "name: the file refers to the same bytes too often")


@pytest.mark.parametrize("count", [100, 500_000, 2_000_000])
def test_a_shape_of_many_dimensions(count: int) -> None:
    graph = Subgraph("", (Tensor("t", TensorType.INT8, (1,) * count),), (), (), ())
    message = "shape: 2000000 elements" if count > 2**20 else f"it has {count} dimensions"
    refused(write_model(Model((graph,), (None,))), message)


def test_long_names_are_cut_in_messages() -> None:
    tensor = Tensor("\x1b[31m" + "n" * 100_000, TensorType.INT8, (-1,))
    refused(write_model(Model((Subgraph("", (tensor,), (), (), ()),), (None,))), r"tensor 0 \(\?\[31mnnn")


def test_scales_without_end() -> None:
    scales = np.full(1_000_000, np.nan, np.float32)
    quantization = Quantization(scales, np.zeros(1_000_000, np.int64))
    graph = Subgraph("", (Tensor("t", TensorType.INT8, (1,), quantization=quantization),), (), (), ())
    refused(write_model(Model((graph,), (None,))), "a quantization scale is not finite")


def test_many_tensors_that_are_large_together() -> None:
    tensor = Tensor("t", TensorType.FLOAT32, (2**28,))
    refused(write_model(Model((Subgraph("", (tensor,) * 9, (), (), ()),), (None,))), "Limits.max_total_bytes")


def test_subgraphs_that_call_each_other_many_times() -> None:
    def calls(*subgraphs: int) -> tuple[Operator, ...]:
        return (Operator("STABLEHLO_CASE", (), (), options=o.StablehloCaseOptions(subgraphs)),)

    count = 2000
    graphs = [Subgraph("", (), (), (), calls(i + 1, i + 1)) for i in range(count)]
    model = Model((*graphs, Subgraph("", (), (), (), ())), (None,))
    start = time.perf_counter()
    check_model(model, Limits())  # 2^2000 ways through it, but each subgraph is looked at once
    assert time.perf_counter() - start < 2
    circle = dataclasses.replace(graphs[-1], operators=calls(0))
    refused(write_model(Model((*graphs[:-1], circle), (None,))), "calls itself, directly or through others")
