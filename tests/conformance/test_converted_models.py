"""The models that TensorFlow's converter makes in each of its modes are bit-exact on both backends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.kinds import KINDS, classify
from conformance.zoo_model import BACKENDS
from int8rt.lint import Severity, lint_model
from int8rt.schema import read_model
from int8rt.verify.compare import compare_with, run_reference
from int8rt.verify.inputs import KINDS as INPUTS
from int8rt.verify.inputs import Kind, make_inputs
from int8rt.verify.oracle import Oracle

FOLDER = Path(__file__).resolve().parent.parent / "models"
MODELS = {path.stem: path for path in sorted(FOLDER.glob("*.tflite"))}


@pytest.fixture(scope="module")
def oracles() -> Iterator[tuple[Oracle, Oracle]]:
    with Oracle() as first, Oracle() as second:
        yield first, second


def check(name: str, oracles: tuple[Oracle, Oracle], kinds: tuple[Kind, ...]) -> None:
    content = MODELS[name].read_bytes()
    model = read_model(content)
    for kind in kinds:
        inputs = make_inputs(model, kind)
        reference = run_reference(model, content, inputs, *oracles)
        for backend in BACKENDS:
            run = compare_with(reference, model, inputs, label=kind, backend=backend)
            assert run.equal, f"{kind} inputs, {backend}: {run.first}"
            assert run.outputs


@pytest.mark.litert
@pytest.mark.parametrize("name", MODELS)
def test_exact(name: str, oracles: tuple[Oracle, Oracle]) -> None:
    check(name, oracles, ("random",))


@pytest.mark.slow
@pytest.mark.litert
@pytest.mark.parametrize("name", MODELS)
def test_exact_on_all_inputs(name: str, oracles: tuple[Oracle, Oracle]) -> None:
    check(name, oracles, INPUTS)


@pytest.mark.parametrize("name", MODELS)
def test_the_converter_keeps_to_the_specification(name: str) -> None:
    findings = lint_model(read_model(MODELS[name].read_bytes()))
    errors = {finding.rule for finding in findings if finding.severity is Severity.ERROR}
    # The older quantizer, which makes 16x8 models, lets convolutions share a bias of equal numbers, and then
    # its scale can be that of one of them only: those models' other convolutions add a wrong bias.
    assert errors == ({"bias-scale-is-the-product"} if name.startswith("network_16x8") else set())


def test_small() -> None:
    assert len(MODELS) > 40
    assert sum(path.stat().st_size for path in MODELS.values()) < 1_000_000


def test_all_kinds_but_custom_operators_are_there() -> None:
    found = {kind for path in MODELS.values() for kind in classify(read_model(path.read_bytes()))}
    assert set(KINDS) - found == {"custom", "other"}
