"""int8rt inside LiteRT's interpreter."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from int8rt.conformance.cases import all_cases
from int8rt.conformance.run import expected
from int8rt.errors import InputError, UnsupportedError
from int8rt.model import ActivationFunctionType, Quantization, TensorType
from int8rt.samples import digits
from int8rt.schema import ModelBuilder, read_model, write_model
from int8rt.schema.options import AddOptions
from int8rt.verify.delegate import Int8rtDelegate, abi
from int8rt.verify.delegate.chosen import Chosen
from int8rt.verify.delegate.options import delegate_from_options
from int8rt.verify.judge import judge
from int8rt.verify.runtimes.choose import open_runtime
from int8rt.verify.verdict import Verdict
from tests.interpreter import models

litert = pytest.importorskip("ai_edge_litert.interpreter")
pytestmark = pytest.mark.litert

DIGITS = digits()
Array = Any
RESOLVERS = litert.OpResolverType


def interpreter(content: bytes, delegate: Int8rtDelegate | None, keep: bool = False, resolver: str = "ref") -> Any:
    names = {"ref": RESOLVERS.BUILTIN_REF, "default": RESOLVERS.AUTO}
    made = litert.Interpreter(
        model_content=content,
        num_threads=1,
        experimental_delegates=[delegate] if delegate is not None else None,
        experimental_op_resolver_type=names[resolver],
        experimental_preserve_all_tensors=keep,
    )
    made.allocate_tensors()
    return made


def outputs(made: Any, *inputs: Array) -> list[Array]:
    for detail, value in zip(made.get_input_details(), inputs, strict=True):
        made.set_tensor(detail["index"], value)
    made.invoke()
    return [made.get_tensor(detail["index"]) for detail in made.get_output_details()]


@pytest.mark.parametrize("keep", [False, True], ids=["fused", "all tensors kept"])
@pytest.mark.parametrize("operators", [None, ["CONV_2D"], ["CONV_2D", "ADD", "SOFTMAX"], [3, 4, 5, 9]], ids=str)
def test_it_gives_what_the_reference_gives(operators: Any, keep: bool) -> None:
    delegate = Int8rtDelegate(DIGITS.model, operators)
    (found,) = outputs(interpreter(DIGITS.model, delegate, keep), DIGITS.inputs[:1])
    np.testing.assert_array_equal(found, DIGITS.recorded.outputs[:1])
    assert delegate.calls == len(delegate.taken) > 0
    assert delegate.left == {}


def test_every_intermediate_tensor_is_equal() -> None:
    graph = read_model(DIGITS.model).subgraphs[0]
    delegate = Int8rtDelegate(DIGITS.model)
    made, right = interpreter(DIGITS.model, delegate, keep=True), interpreter(DIGITS.model, None, keep=True)
    for one in (made, right):
        outputs(one, DIGITS.inputs[3:4])
    for operator in graph.operators:
        for index in operator.outputs:
            np.testing.assert_array_equal(made.get_tensor(index), right.get_tensor(index))


def test_it_comes_before_xnnpack_and_follows_other_shapes() -> None:
    delegate = Int8rtDelegate(DIGITS.model)
    made = interpreter(DIGITS.model, delegate, resolver="default")
    made.resize_tensor_input(made.get_input_details()[0]["index"], (3, 16, 16, 1))
    made.allocate_tensors()
    (found,) = outputs(made, DIGITS.inputs[:3])
    np.testing.assert_array_equal(found, DIGITS.recorded.outputs[:3])
    assert delegate.calls == 15


@pytest.mark.parametrize("profile", ["tflite-ref@2.19", "tflite-opt"])
def test_a_profile_is_computed(profile: str) -> None:
    from int8rt.interpreter import Interpreter

    (found,) = outputs(interpreter(DIGITS.model, Int8rtDelegate(DIGITS.model, profile=profile)), DIGITS.inputs[:1])
    own = Interpreter(model_content=DIGITS.model, profile=profile, backend="numpy")
    own.allocate_tensors()
    np.testing.assert_array_equal(found, outputs(own, DIGITS.inputs[:1])[0])


def test_a_mistake_is_made_where_it_is_asked_for() -> None:
    graph = read_model(DIGITS.model).subgraphs[0]
    place = [position for position, operator in enumerate(graph.operators) if operator.name == "CONV_2D"][1]
    delegate = Int8rtDelegate(DIGITS.model, [place], mutate={place: "no bias"})
    made, right = interpreter(DIGITS.model, delegate, keep=True), interpreter(DIGITS.model, None, keep=True)
    for one in (made, right):
        outputs(one, DIGITS.inputs[:1])
    wrong = [
        position
        for position, operator in enumerate(graph.operators)
        if not np.array_equal(made.get_tensor(operator.outputs[0]), right.get_tensor(operator.outputs[0]))
    ]
    assert wrong[0] == place


def add_with(shape: tuple[int, ...] = (1, 4), name: str = "x") -> bytes:
    builder = ModelBuilder().input(name, TensorType.INT8, shape, Quantization.per_tensor(0.5))
    builder.output("y", TensorType.INT8, shape, Quantization.per_tensor(0.5))
    options = AddOptions(fused_activation_function=ActivationFunctionType.NONE)
    return write_model(builder.operator("ADD", [name, name], ["y"], options).build())


def broken(delegate: Int8rtDelegate, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def run(self: Chosen, values: Any) -> Any:
        raise error

    monkeypatch.setattr(Chosen, "run", run)


@pytest.mark.parametrize(
    "error", [ValueError("what went wrong: 100%s"), KeyboardInterrupt()], ids=["error", "interrupt"]
)
def test_what_goes_wrong_inside_is_a_failed_run(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    delegate = Int8rtDelegate(add_with())
    made = interpreter(add_with(), delegate)
    broken(delegate, monkeypatch, error)
    with pytest.raises(RuntimeError, match=f"int8rt: {type(error).__name__}: {error}"):
        outputs(made, np.zeros((1, 4), np.int8))
    assert delegate.error is error
    monkeypatch.undo()
    np.testing.assert_array_equal(outputs(made, np.ones((1, 4), np.int8))[0], [[2, 2, 2, 2]])


@pytest.mark.parametrize(
    "other", [add_with((1, 5)), add_with(name="z"), models.two_adds()], ids=["shape", "name", "count"]
)
def test_another_model_than_the_interpreter_s_is_refused(other: bytes) -> None:
    with pytest.raises(RuntimeError, match="another model"):
        interpreter(add_with(), Int8rtDelegate(other))


def test_it_is_for_one_interpreter() -> None:
    delegate = Int8rtDelegate(add_with())
    interpreter(add_with(), delegate)
    with pytest.raises(InputError, match="for one interpreter"):
        interpreter(add_with(), delegate)


def test_only_releases_of_known_layout_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnsupportedError, match=r"64-bit ai-edge-litert 2\.3\.0 only"):
        Int8rtDelegate(add_with())._get_native_delegate_pointer()  # from a module that is no interpreter
    monkeypatch.setattr(abi.metadata, "version", lambda name: "2.4.0")
    with pytest.raises(UnsupportedError, match=r"not for ai-edge-litert 2\.4\.0"):
        interpreter(add_with(), Int8rtDelegate(add_with()))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Int8rtDelegate(add_with(), ["MUL"]), "no operator 'MUL'; it has ADD"),
        (lambda: Int8rtDelegate(add_with(), [1]), "no operator 1"),
        (lambda: Int8rtDelegate(add_with(), mutate={"ADD": "x"}), "unknown mutation 'x' of ADD"),
        (lambda: Int8rtDelegate(models.accumulator(), mutate={"ADD": "no activation"}), "it is not taken"),
        (lambda: Int8rtDelegate(add_with(), profile="x"), "unknown profile"),
        (lambda: delegate_from_options(add_with(), {"x": "y"}), "no option 'x'"),
        (lambda: delegate_from_options(add_with(), {"mutate": "ADD"}), "is not OPERATOR: MISTAKE"),
    ],
)
def test_what_it_cannot_do_is_said_at_once(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()


def test_operators_that_stay_with_the_interpreter_are_told() -> None:
    delegate = Int8rtDelegate(models.accumulator())
    assert (delegate.taken, delegate.left) == ((), {0: "it has variables"})
    (found,) = outputs(interpreter(models.accumulator(), delegate), np.array([1, 2], np.int8))
    np.testing.assert_array_equal(found, outputs(interpreter(models.accumulator(), None), np.array([1, 2], np.int8))[0])


def test_options_as_text() -> None:
    delegate = delegate_from_options(
        DIGITS.model, {"operators": "conv_2d, 4", "profile": "tflite-opt", "mutate": "CONV_2D: no bias"}
    )
    assert set(delegate.taken) == set(Int8rtDelegate(DIGITS.model, ["CONV_2D", 4]).taken)


@pytest.mark.parametrize(
    ("options", "blamed"),
    [
        ({"operators": "CONV_2D,ADD"}, set()),
        ({"mutate": "MEAN: the shift one too small"}, {"MEAN"}),
        ({"operators": "DEPTHWISE_CONV_2D", "mutate": "DEPTHWISE_CONV_2D: no bias"}, {"DEPTHWISE_CONV_2D"}),
    ],
)
def test_compare_finds_the_operator_with_an_injected_mistake(options: dict[str, str], blamed: set[str]) -> None:
    runtime = open_runtime("litert", delegate="int8rt", delegate_options=options)
    try:
        result = judge(read_model(DIGITS.model), DIGITS.model, runtime, [("digit", [DIGITS.inputs[:1]])])
    finally:
        runtime.close()
    assert result.runtime == "delegate int8rt over BUILTIN_REF of ai-edge-litert 2.3.0"
    assert {report.operator for report in result.operators if report.verdict is not Verdict.EXACT} == blamed
    assert result.conformant == (not blamed)


def test_operators_that_a_model_lacks_are_left_out_of_text_but_must_exist() -> None:
    assert delegate_from_options(add_with(), {"operators": "CONV_2D,7"}).taken == ()
    with pytest.raises(InputError, match="there is no operator 'CONV'"):
        delegate_from_options(add_with(), {"operators": "CONV"})


def test_interpreter_and_delegate_go_together() -> None:
    delegate = Int8rtDelegate(add_with())
    gone = weakref.ref(delegate)
    made = interpreter(add_with(), delegate)
    del delegate
    gc.collect()
    outputs(made, np.zeros((1, 4), np.int8))
    del made
    gc.collect()
    assert gone() is None


def test_several_signatures_and_subgraphs() -> None:
    content = models.two_signatures()
    delegate = Int8rtDelegate(content)
    made = interpreter(content, delegate)
    x = np.array([1, 2], np.float32)
    np.testing.assert_array_equal(made.get_signature_runner("add")(x=x, y=x)["output_0"], x + x)
    np.testing.assert_array_equal(made.get_signature_runner("mul")(x=x, y=x)["output_0"], x * x)
    assert delegate.calls == 1


@pytest.mark.parametrize("operator", dict.fromkeys(case.operator for case in all_cases()))
def test_cases_of_the_suite_through_it(operator: str) -> None:
    cases = {case.type: case for case in all_cases() if (case.operator, case.expect) == (operator, "exact")}
    for case in cases.values():  # the last of each type
        model, inputs = case.make()
        delegate = Int8rtDelegate(write_model(model))
        (found,) = outputs(interpreter(write_model(model), delegate), *inputs)
        np.testing.assert_array_equal(found, expected(model, inputs))
        assert delegate.calls == 1
