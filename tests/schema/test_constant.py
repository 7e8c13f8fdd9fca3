from __future__ import annotations

import dataclasses
import itertools
import tracemalloc

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from int8rt.errors import ModelError, UnsupportedError
from int8rt.model import DimensionMetadata, Model, Sparsity, Subgraph, Tensor, TensorType
from int8rt.schema import ModelBuilder, TensorSpec, constant_value, read_model, single_operator_model, write_model
from int8rt.schema import options as o
from int8rt.schema.sparse import check_sparsity, densify
from int8rt.verify.oracle import Oracle
from tests.schema.models import every_part_model, sparse_weights

T = TensorType


def tensor_of(model: Model, name: str) -> Tensor:
    return next(item for item in model.subgraphs[0].tensors if item.name == name)


@pytest.mark.parametrize("type", [item for item in TensorType if item.bits or item is T.STRING], ids=lambda t: t.label)
def test_a_constant_of_every_type(type: TensorType) -> None:
    data: npt.NDArray[np.generic] = np.array([[1, 0, 1], [0, 1, 0]], type.dtype)
    if type is T.STRING:
        data = np.array([[b"a", b"", b"\xff"], [b"bc", b"d", b"e"]], object)
    model = read_model(write_model(ModelBuilder().constant("c", data, type=type).build()))
    value = constant_value(model, tensor_of(model, "c"))
    assert value is not None
    assert value.dtype == type.dtype
    assert not value.flags.writeable
    np.testing.assert_array_equal(value, data)
    assert tensor_of(model, "c").type is type


def test_numbers_are_views_of_the_file() -> None:
    data = write_model(ModelBuilder().constant("c", np.arange(12, dtype=np.int16).reshape(3, 4)).build())
    model = read_model(data)
    value = constant_value(model, tensor_of(model, "c"))
    assert value is not None
    assert np.shares_memory(value, np.frombuffer(data, np.uint8))


def test_an_unaligned_file_gives_aligned_constants() -> None:
    data = write_model(ModelBuilder().constant("c", np.arange(12, dtype=np.int32)).build())
    model = read_model(memoryview(b"x" + data)[1:])
    value = constant_value(model, tensor_of(model, "c"))
    assert value is not None
    assert value.flags.aligned
    assert value.tolist() == list(range(12))


def test_what_is_no_constant_has_no_value() -> None:
    model = every_part_model()
    for name in ("of int8", "of resource", "list"):
        assert constant_value(model, tensor_of(model, name)) is None
    scalar = constant_value(model, tensor_of(model, "scalar"))
    assert scalar is not None
    assert scalar.shape == ()
    assert scalar == 2.5
    none = constant_value(model, tensor_of(model, "none"))
    assert none is not None
    assert none.shape == (0,)
    external = next(item for item in model.subgraphs[0].tensors if item.external_buffer)
    with pytest.raises(UnsupportedError, match="another file"):
        constant_value(model, external)


def test_bytes_other_than_0_and_1_are_true() -> None:
    model = Model((Subgraph("", (Tensor("b", T.BOOL, (3,), 1),), (), (), ()),), (None, b"\x00\x02\x01"))
    value = constant_value(model, model.subgraphs[0].tensors[0])
    assert value is not None
    assert value.tolist() == [False, True, True]


def test_a_short_buffer_is_refused() -> None:
    tensor = Tensor("b", T.INT4, (5,), 1)
    model = Model((Subgraph("", (tensor,), (), (), ()),), (None, b"\x00\x02"))
    with pytest.raises(ModelError, match="takes 3 bytes, but buffer 1 has 2"):
        constant_value(model, tensor)


def test_a_sparse_constant_is_made_dense() -> None:
    spec, dense = sparse_weights()
    model = read_model(write_model(ModelBuilder().add("s", spec).build()))
    value = constant_value(model, tensor_of(model, "s"))
    assert value is not None
    np.testing.assert_array_equal(value, dense)


def sparsify(
    dense: npt.NDArray[np.int8], order: tuple[int, ...], blocks: dict[int, int], sparse: set[int]
) -> tuple[list[int], Sparsity]:
    """A slow, literal encoder: walks the levels with Python loops, leaving out what is all zero in a CSR level."""
    n = dense.ndim
    block_map = tuple(blocks)
    extent = [dense.shape[d] // blocks.get(d, 1) for d in range(n)] + [blocks[d] for d in block_map]
    segments: dict[int, list[int]] = {level: [0] for level in sparse}
    indices: dict[int, list[int]] = {level: [] for level in sparse}
    values: list[int] = []

    def index_of(place: dict[int, int]) -> tuple[slice, ...]:
        result = []
        for d in range(n):
            size = blocks.get(d, 1)
            start, stop = 0, dense.shape[d]
            if d in place:
                start, stop = place[d] * size, (place[d] + 1) * size
                inner = n + block_map.index(d) if d in blocks else -1
                if inner in place:
                    start, stop = start + place[inner], start + place[inner] + 1
            result.append(slice(start, stop))
        return tuple(result)

    def walk(level: int, place: dict[int, int]) -> None:
        if level == len(order):
            values.append(int(dense[index_of(place)].item()))
            return
        for i in range(extent[order[level]]):
            inside = {**place, order[level]: i}
            if level in sparse:
                if not dense[index_of(inside)].any():
                    continue
                indices[level].append(i)
            walk(level + 1, inside)
        if level in sparse:
            segments[level].append(len(indices[level]))

    walk(0, {})
    dimensions = tuple(
        DimensionMetadata(True, 0, np.array(segments[level], np.int32), np.array(indices[level], np.uint8))
        if level in sparse
        else DimensionMetadata(False, extent[order[level]])
        for level in range(len(order))
    )
    return values, Sparsity(order, block_map, dimensions)


@given(st.data())
def test_densify_undoes_a_literal_encoder(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 3))
    blocks = {d: data.draw(st.integers(1, 3)) for d in range(n) if data.draw(st.booleans())}
    shape = tuple(data.draw(st.integers(0, 3)) * blocks.get(d, 1) for d in range(n))
    order = (
        *data.draw(st.permutations(range(n))),
        *data.draw(st.permutations(range(n, n + len(blocks)))),
    )
    sparse = {level for level in range(n) if data.draw(st.booleans())}
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    dense = np.where(rng.random(shape) < 0.3, rng.integers(-128, 128, shape), 0).astype(np.int8)
    values, sparsity = sparsify(dense, order, blocks, sparse)
    assert check_sparsity(sparsity, shape) == len(values)
    np.testing.assert_array_equal(densify(np.array(values, np.int8), sparsity, shape), dense)


def test_broken_index_vectors_are_refused() -> None:
    spec, dense = sparse_weights()
    good = spec.sparsity
    assert good is not None
    assert check_sparsity(good, dense.shape) == 12
    rows, columns, block = good.dimensions

    def with_columns(segments: list[int], indices: list[int]) -> Sparsity:
        level = DimensionMetadata(True, 0, np.array(segments, np.int32), np.array(indices, np.int32))
        return dataclasses.replace(good, dimensions=(rows, level, block))

    for bad, message in (
        (dataclasses.replace(good, traversal_order=(0, 1)), "dimensions"),
        (dataclasses.replace(good, traversal_order=(0, 0, 2)), "traverses"),
        (dataclasses.replace(good, traversal_order=(0, 2, 1)), "traverses"),
        (dataclasses.replace(good, block_map=(5,)), "not along different"),
        (dataclasses.replace(good, block_map=(1, 1)), "dimensions"),
        (dataclasses.replace(good, dimensions=(rows, columns, columns)), "no dense blocks"),
        (dataclasses.replace(good, dimensions=(rows, columns, DimensionMetadata(False, 3))), "no dense blocks"),
        (dataclasses.replace(good, dimensions=(rows, columns, DimensionMetadata(False, -4))), "no dense blocks"),
        (dataclasses.replace(good, dimensions=(DimensionMetadata(False, 5), columns, block)), "has size 5"),
        (with_columns([0, 1, 1, 3], [1, 0, 1]), "4 segments, it needs 5"),
        (with_columns([1, 1, 1, 3, 3], [1, 0, 1]), "do not divide"),
        (with_columns([0, 1, 1, 3, 4], [1, 0, 1]), "do not divide"),
        (with_columns([0, 2, 1, 3, 3], [1, 0, 1]), "do not divide"),
        (with_columns([0, 1, 1, 3, 3], [1, 0, 2]), "outside"),
        (with_columns([0, 1, 1, 3, 3], [1, 0, -1]), "outside"),
    ):
        with pytest.raises(ModelError, match=message):
            check_sparsity(bad, dense.shape)
    with pytest.raises(ModelError, match="11 values are stored"):
        densify(np.zeros(11, np.int8), good, dense.shape)


@pytest.mark.parametrize("kind", ["int8", "int4", "sparse", "bool"])
def test_memory_stays_within_twice_the_tensor(kind: str) -> None:
    size = 1 << 24
    raw = bytes(size)
    tensor = Tensor("t", {"int4": T.INT4, "bool": T.BOOL}.get(kind, T.INT8), (1 << 12, 1 << 12), 1)
    if kind == "sparse":
        rows = np.arange((1 << 12) + 1, dtype=np.int32) * (1 << 11)
        columns = np.tile(np.arange(0, 1 << 12, 2, dtype=np.uint16), 1 << 12)
        levels = (DimensionMetadata(False, 1 << 12), DimensionMetadata(True, 0, rows, columns))
        tensor = dataclasses.replace(tensor, sparsity=Sparsity((0, 1), (), levels))
    model = Model((Subgraph("", (tensor,), (), (), ()),), (None, raw))
    tracemalloc.start()
    try:
        value = constant_value(model, tensor)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert value is not None
    assert value.size == size
    assert peak <= 2 * size + (8 << 20)


def test_levels_larger_than_a_chunk_are_placed_piece_by_piece() -> None:
    shape = (3, 70_000)
    dense = np.zeros(shape, np.int16)
    dense[1] = np.arange(70_000, dtype=np.int32).astype(np.int16)
    dense[2, ::7] = 1
    counts = [int(np.count_nonzero(row)) for row in dense]
    segments = np.array([0, *itertools.accumulate(counts)], np.int32)
    indices = np.concatenate([np.flatnonzero(row) for row in dense]).astype(np.int32)
    sparse = Sparsity((0, 1), (), (DimensionMetadata(False, 3), DimensionMetadata(True, 0, segments, indices)))
    np.testing.assert_array_equal(densify(dense[dense != 0], sparse, shape), dense)
    plain = Sparsity((1, 0), (), (DimensionMetadata(False, 70_000), DimensionMetadata(False, 3)))
    np.testing.assert_array_equal(densify(np.ascontiguousarray(dense.T).ravel(), plain, shape), dense)


@pytest.mark.litert
def test_litert_densifies_the_same() -> None:
    rng = np.random.default_rng(3)
    cases: list[tuple[tuple[int, ...], tuple[int, ...], dict[int, int], set[int]]] = [
        ((4, 8), (0, 1), {}, {1}),
        ((4, 8), (1, 0), {}, {0, 1}),
        ((4, 8), (0, 1, 2), {1: 4}, {1}),
        ((8, 6), (0, 1, 2, 3), {0: 2, 1: 3}, {1}),
        ((2, 3, 4), (2, 0, 1), {}, {2}),
    ]
    with Oracle() as oracle:
        for shape, order, blocks, sparse in cases:
            dense = np.where(rng.random(shape) < 0.4, rng.integers(-128, 128, shape), 0).astype(np.int8)
            values, sparsity = sparsify(dense, order, blocks, sparse)
            constant = TensorSpec(T.INT8, shape, raw=np.array(values, np.int8).tobytes(), sparsity=sparsity)
            model = single_operator_model("DENSIFY", [constant], [TensorSpec(T.INT8, shape)], o.DensifyOptions())
            (found,) = oracle.run(write_model(model), []).outputs
            np.testing.assert_array_equal(found, dense)
            np.testing.assert_array_equal(constant_value(model, model.subgraphs[0].tensors[0]), found)
