"""Whatever stands in a file, reading it ends soon, in little memory, in a model or in an int8rt error."""

from __future__ import annotations

import contextlib
import time
import tracemalloc
from collections import Counter
from pathlib import Path

import pytest

from int8rt.errors import Int8rtError, ModelError
from int8rt.model import Model
from int8rt.schema import Limits, check_loadable, constant_value, read_model, write_model
from int8rt.schema.sizes import memory_bytes
from tests.hostile.bases import from_the_zoo, made_by_hand
from tests.hostile.mutations import Mutant, mutants
from tests.schema.plain import plain

SECONDS = 1.0
LIMITS = Limits(max_tensor_bytes=1 << 24, max_total_bytes=1 << 26)
OVERHEAD = 1 << 22
OBJECTS = 20  # bytes that Python objects take for a byte of the file


def read_all(data: bytes) -> Model | None:
    """Reads the file and every constant in it; None if an int8rt error refuses it."""
    try:
        model = read_model(data, limits=LIMITS)
    except ModelError:
        return None
    with contextlib.suppress(ModelError):
        check_loadable(model)
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            with contextlib.suppress(Int8rtError):
                constant_value(model, tensor)
    return model


def assert_harmless(mutant: Mutant) -> Model | None:
    start = time.perf_counter()
    tracemalloc.start()
    try:
        model = read_all(mutant.data)
        peak = tracemalloc.get_traced_memory()[1]
    except Exception as error:
        raise AssertionError(f"{mutant.name} ends in {error!r}") from error
    finally:
        tracemalloc.stop()
    seconds = time.perf_counter() - start
    largest = max((memory_bytes(t) for graph in model.subgraphs for t in graph.tensors), default=0) if model else 0
    assert peak <= 2 * largest + OBJECTS * len(mutant.data) + OVERHEAD, f"{mutant.name} takes {peak} bytes"
    assert seconds < SECONDS, f"{mutant.name} takes {seconds:.1f} s"
    return model


def run(files: dict[str, bytes], count: int) -> Counter[str]:
    results: Counter[str] = Counter()
    for mutant in mutants(files, count):
        model = assert_harmless(mutant)
        results["refused" if model is None else "read"] += 1
        if model is not None:
            results["rewritten"] += _is_rewritten(model)
    return results


def _is_rewritten(model: Model) -> bool:
    try:
        data = write_model(model)
    except ModelError:
        return False
    assert plain(read_model(data, limits=LIMITS)) == plain(model)
    return True


def test_broken_files_made_by_hand() -> None:
    results = run(made_by_hand(), 6000)
    assert results["refused"] + results["read"] == 6000
    # Neither all refused at the door nor all harmless: the mutations reach what is behind.
    assert results["refused"] > 1500
    assert results["read"] > 1500
    assert results["rewritten"] > 0.9 * results["read"]


@pytest.mark.zoo
def test_broken_files_of_the_zoo(zoo_dir: Path) -> None:
    results = run(from_the_zoo(zoo_dir), 1500)
    assert results["refused"] > 300
    assert results["read"] > 300


def test_every_truncation_is_refused() -> None:
    for name, data in made_by_hand().items():
        for size in range(len(data)):
            try:
                read_model(data[:size], limits=LIMITS)
            except ModelError:
                continue
            # What was cut off may be padding that nothing refers to.
            assert len(data) - size < 16, f"{name} cut to {size} of {len(data)} bytes is read"


def test_mutants_are_the_same_every_time() -> None:
    files = made_by_hand()
    first, second = list(mutants(files, 300)), list(mutants(files, 300))
    assert first == second
    assert len({mutant.data for mutant in first}) > 250
    assert list(mutants(files, 300, seed=1)) != first


@pytest.mark.parametrize("size", range(12))
def test_tiny_files(size: int) -> None:
    for data in (bytes(size), b"\xff" * size, b"\x04\0\0\0TFL3\0\0\0\0"[:size]):
        with pytest.raises(ModelError):
            read_model(data)
