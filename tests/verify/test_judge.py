from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings

from int8rt.conformance.cases import all_cases
from int8rt.errors import ModelError, UnsupportedError
from int8rt.model import Model, Quantization, TensorType
from int8rt.quantization import profiles
from int8rt.quantization.requantization import Rounding
from int8rt.schema import ModelBuilder, TensorSpec, read_model, single_operator_model, write_model
from int8rt.schema.options import Conv2DOptions, UnpackOptions
from int8rt.verify.compare import run_int8rt
from int8rt.verify.judge import judge
from int8rt.verify.report import beside, plain, text
from int8rt.verify.report.judged import document as judged_document
from int8rt.verify.report.junit import junit
from int8rt.verify.runtimes.base import Answer, Capabilities, Fault
from int8rt.verify.statistics import measure
from int8rt.verify.verdict import Judgement, Verdict
from tests.differential.cases import Case
from tests.differential.test_custom import detections
from tests.interpreter import models

Array = Any
Wrong = Callable[[str, Array], Array]
INPUTS = [np.array([[1, 2, 3, 4]], np.int8), np.array([[9, -7, 5, 100]], np.int8)]
RUNS = [("one", INPUTS), ("two", [-INPUTS[0], INPUTS[1]])]


RUNS_OF_ONE = [("one", [INPUTS[1]])]
RESHAPED = [("one", [np.array([1, 2, 30], np.int8)])]


class Pretender:
    """int8rt with operators that go wrong: a function by the operator's name, applied to what it writes."""

    def __init__(
        self, wrong: Mapping[str, Wrong], *, profile: str = "tflite-ref", intermediates: bool, any_model: bool = True
    ) -> None:
        self._wrong, self._profile = dict(wrong), profile
        self._capabilities = Capabilities("pretender", intermediates, any_model)
        self.models = 0

    def capabilities(self) -> Capabilities:
        return self._capabilities

    def prepare(self, model: Model, content: bytes) -> None:
        self.model = read_model(content)
        self.models += 1

    def run(self, inputs: Sequence[Array], read: Sequence[int] = ()) -> Answer:
        from int8rt.verify.teacher import Teacher

        teacher = Teacher(self.model, inputs, self._profile)
        graph = self.model.subgraphs[0]
        values = dict(zip(graph.inputs, inputs, strict=True))
        for position, operator in enumerate(graph.operators):
            wrong = self._wrong.get(operator.name, lambda value: value)
            own = teacher.inputs(position, values)
            assert own is not None
            values |= {index: wrong(value) for index, value in teacher.outputs(position, own).items()}
        outputs = tuple(values[index] for index in graph.outputs)
        return Answer(outputs, {index: values[index] for index in read})

    def close(self) -> None: ...


def add_and_mul() -> bytes:
    """y = (x + x) * x, z = y + x."""
    builder = ModelBuilder()
    for name, scale in (("x", 0.5), ("s", 0.5), ("y", 80.0), ("z", 160.0)):
        add = {"x": builder.input, "z": builder.output}.get(name, builder.tensor)
        add(name, TensorType.INT8, (1, 4), Quantization.per_tensor(scale))
    builder.operator("ADD", ["x", "x"], ["s"]).operator("MUL", ["s", "x"], ["y"])
    return write_model(builder.operator("ADD", ["y", "y"], ["z"]).build())


def judged(runtime: Any, content: bytes | None = None, runs: Any = None, **options: Any) -> Judgement:
    content = content or add_and_mul()
    runs = runs or RUNS_OF_ONE
    return judge(read_model(content), content, runtime, runs, backend="numpy", **options)


def one_more(value: Array) -> Array:
    return value + value.dtype.type(1)


@pytest.mark.parametrize("intermediates", [True, False])
def test_only_the_operator_that_goes_wrong_is_blamed(intermediates: bool) -> None:
    runtime = Pretender({"MUL": one_more}, intermediates=intermediates)
    judgement = judged(runtime)
    assert not judgement.conformant
    assert [str(operator) for operator in judgement.operators] == ["EXACT", "BOUNDED(±1)", "EXACT"]
    assert judgement.first is judgement.operators[1]
    assert judgement.least_bound == 1
    local = judgement.operators[1].local
    assert local is not None
    assert (local.histogram, local.run) == ({1: 4}, "one")
    assert judgement.operators[1].alone == (not intermediates)
    accumulated = judgement.operators[2].accumulated
    assert (accumulated is not None) == intermediates
    if accumulated is not None:
        assert accumulated.different > 0
    assert judgement.outputs[0].statistics.different > 0
    assert runtime.models == (1 if intermediates else 4)
    assert judged(Pretender({"MUL": one_more}, intermediates=intermediates), bound=1).conformant


class Whole(Pretender):
    """What is right operator by operator, and wrong in the whole model: where nothing is read, or always."""

    def __init__(self, wrong: Mapping[str, Wrong], *, reading_matters: bool, intermediates: bool = True) -> None:
        super().__init__(wrong, intermediates=intermediates)
        self._capabilities = Capabilities("whole", intermediates, True, reading_matters)

    def run(self, inputs: Sequence[Array], read: Sequence[int] = ()) -> Answer:
        answer = super().run(inputs, read)
        if len(self.model.subgraphs[0].operators) == 1 or (read and self._capabilities.reading_matters):
            return answer
        return Answer(tuple(value ^ np.int8(64) for value in answer.outputs), answer.tensors)


@pytest.mark.parametrize("bound", [0, 1, 5])
@pytest.mark.parametrize("wrong", [{}, {"MUL": one_more}], ids=["exact", "a step"])
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"reading_matters": True}, "is up to 64 off what operators wrote there"),
        ({"reading_matters": False}, "is up to 64 off what operators wrote there"),
        ({"reading_matters": False, "intermediates": False}, "differs, though each|is further off than ±"),
    ],
    ids=["fused", "memory", "unseen"],
)
def test_an_output_that_no_operator_explains(options: Any, words: str, wrong: Any, bound: float) -> None:
    judgement = judged(Whole(wrong, **options), bound=bound)
    assert not judgement.conformant
    assert [output.index for output in judgement.unexplained] == [3]
    if bound or not wrong or options.get("intermediates", True):
        assert re.search(words, text.whole(judgement))
        assert re.search(words, " ".join(judged_document(judgement, "model").summary))


def test_an_output_beyond_the_bound_that_follows_from_its_operators() -> None:
    builder = ModelBuilder()
    for name, scale in (("x", 0.5), ("y", 0.5), ("z", 0.05)):
        add = {"x": builder.input, "z": builder.output}.get(name, builder.tensor)
        add(name, TensorType.INT8, (1, 4), Quantization.per_tensor(scale))
    content = write_model(builder.operator("ADD", ["x", "x"], ["y"]).operator("MUL", ["y", "x"], ["z"]).build())
    runs = [("one", [np.array([[1, 2, 2, -1]], np.int8)])]
    for intermediates in (True, False):
        judgement = judged(Pretender({"ADD": one_more}, intermediates=intermediates), content, runs, bound=1)
        assert judgement.outputs[0].statistics.largest > 1
        assert judgement.outputs[0].gap == (0 if intermediates else None)
        assert judgement.conformant == intermediates
        assert ("does not show the tensors" in text.whole(judgement)) == (not intermediates)


def test_equal_in_all_runs() -> None:
    judgement = judged(Pretender({}, intermediates=True), models.two_adds(), RUNS)
    assert judgement.conformant
    assert judgement.runs == ("one", "two")
    assert [operator.verdict for operator in judgement.operators] == [Verdict.EXACT] * 2
    assert judgement.first is None
    assert judgement.operators[0].local is not None
    assert judgement.operators[0].local.elements == 8
    assert (judgement.outputs[0].rows, judgement.outputs[0].agreeing) == (2, 2)


def test_without_operators() -> None:
    judgement = judged(Pretender({"MUL": one_more}, intermediates=True), operators=False)
    assert (judgement.operators, judgement.conformant) == ((), False)


def test_a_recording_that_shows_only_outputs() -> None:
    judgement = judged(Pretender({}, intermediates=False, any_model=False))
    assert [operator.verdict for operator in judgement.operators] == [Verdict.UNKNOWN] * 3
    assert judgement.conformant
    assert not judged(Pretender({"MUL": one_more}, intermediates=False, any_model=False)).conformant


@pytest.mark.parametrize(
    ("wrong", "verdict"),
    [
        (lambda value: value - np.int8(3), "DIFFERENT"),
        (lambda value: value[None], "FAILED"),
        (lambda value: np.full(value.shape, np.nan, np.float32), "FAILED"),
    ],
    ids=["three less", "another shape", "NaN"],
)
def test_answers_that_are_not_near(wrong: Any, verdict: str) -> None:
    content, runs = models.two_outputs(), RESHAPED
    judgement = judged(Pretender({"ADD": wrong}, intermediates=False), content, runs)
    assert [str(operator) for operator in judgement.operators] == ["EXACT", verdict]
    assert not judgement.conformant
    if verdict == "FAILED":
        assert judgement.least_bound is None
        assert not judged(Pretender({"ADD": wrong}, intermediates=False), content, runs, bound=100).conformant


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [("refused", "UNSUPPORTED"), ("crashed", "FAILED"), ("timeout", "FAILED"), ("answer", "FAILED")],
)
def test_faults_are_verdicts(kind: Any, verdict: str) -> None:
    def fail(value: Array) -> Array:
        raise Fault(kind, "its words")

    judgement = judged(Pretender({"MUL": fail}, intermediates=True))
    assert [(fault.run, fault.kind, fault.message) for fault in judgement.faults] == [("one", kind, "its words")]
    assert [str(operator) for operator in judgement.operators] == ["EXACT", verdict, "EXACT"]
    assert judgement.operators[1].message == "its words"
    assert not judgement.conformant


def conv() -> bytes:
    """CONV_2D that divides every code by 4, which has ties of both signs."""
    builder = ModelBuilder().input("x", TensorType.INT8, (1, 16, 16, 1), Quantization.per_tensor(1.0))
    builder.constant("w", np.ones((1, 1, 1, 1), np.int8), Quantization.per_tensor(0.25))
    builder.constant("b", np.zeros(1, np.int32), Quantization.per_tensor(0.25))
    builder.output("y", TensorType.INT8, (1, 16, 16, 1), Quantization.per_tensor(1.0))
    options = Conv2DOptions(stride_w=1, stride_h=1)
    return write_model(builder.operator("CONV_2D", ["x", "w", "b"], ["y"], options, version=3).build())


def test_an_operator_that_is_exact_in_another_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    other = replace(profiles.TFLITE_REF, name="other", roundings={}, default=Rounding.TIES_UP)
    third = replace(other, name="third", default=Rounding.FLOAT64)
    for place in ("int8rt.quantization.profiles", "int8rt.verify.operators"):
        monkeypatch.setattr(f"{place}.PROFILES", {p.name: p for p in (profiles.TFLITE_REF, other, third)})
    every = np.arange(-128, 128).astype(np.int8).reshape(1, 16, 16, 1)
    judgement = judged(Pretender({}, profile="other", intermediates=True), conv(), [("ties", [every])])
    (operator,) = judgement.operators
    assert (operator.verdict, str(operator)) == (Verdict.OTHER_PROFILE, "EXACT (other)")
    assert operator.local is not None
    assert operator.local.histogram == {0: 192, 1: 64}
    assert not judgement.conformant
    divergence = judgement.divergence
    assert divergence is not None
    assert next(iter(divergence.roundings.items())) == ("TIES_UP", 256)
    assert "DOUBLE" not in divergence.roundings
    assert divergence.derivation is not None
    assert divergence.derivation.result + 1 == divergence.answered


def test_a_profile_that_lacks_an_operator_is_no_explanation() -> None:
    spec = TensorSpec(TensorType.FLOAT32, (1, 1, 1, 3))
    content = write_model(single_operator_model("LOCAL_RESPONSE_NORMALIZATION", [spec], [spec]))
    with pytest.raises(UnsupportedError, match="tflite-opt"):
        run_int8rt(read_model(content), [np.ones(spec.shape, np.float32)], "tflite-opt", keep=True)
    wrong: dict[str, Wrong] = {"LOCAL_RESPONSE_NORMALIZATION": lambda value: value + np.float32(1)}
    judgement = judged(Pretender(wrong, intermediates=True), content, [("one", [np.ones(spec.shape, np.float32)])])
    assert judgement.operators[0].verdict is Verdict.DIFFERENT


def test_intermediate_tensors_of_another_form_are_not_computed_with() -> None:
    runtime = Pretender({}, intermediates=True)
    run = runtime.run

    def odd(inputs: Sequence[Array], read: Sequence[int] = ()) -> Answer:
        answer = run(inputs, read)
        wider = {index: value.astype(np.int16 if index == 2 else np.int8) for index, value in answer.tensors.items()}
        return replace(answer, tensors=wider)

    runtime.run = odd  # type: ignore[method-assign]
    judgement = judged(runtime, models.two_adds(), RUNS)
    assert judgement.operators[0].verdict is Verdict.FAILED
    assert judgement.operators[0].accumulated is not None
    assert judgement.operators[0].accumulated.mismatch == "type int16, expected int8"
    assert (judgement.operators[1].verdict, judgement.operators[1].alone) == (Verdict.EXACT, True)


def described(judgement: Judgement, **options: bool) -> str:
    parts = text.lines(judgement, **options)
    return "\n".join(part if isinstance(part, str) else "\n".join(map(" ".join, part)) for part in parts)


def test_the_text() -> None:
    shown = described(judged(Pretender({"MUL": one_more}, intermediates=True)))
    assert "pretender beside int8rt, tflite-ref; inputs: one" in shown
    assert "1 MUL BOUNDED(±1) 4 of 4, ±1 4 of 4, ±1 +1: 4" in shown
    assert "3 operators: 2 EXACT, 1 BOUNDED(±1); the least bound that passes: 1" in shown
    assert "the first that differs by itself: operator 1 MUL, at [0, 0]:" in shown
    assert shown.endswith("\nnot conformant")
    exact = described(judged(Pretender({}, intermediates=True)), all_operators=True)
    assert exact.endswith("\nconformant")
    assert "0 ADD EXACT equal equal" in exact


def test_the_first_divergence_is_derived() -> None:
    judgement = judged(Pretender({"MUL": one_more}, intermediates=True), runs=RUNS_OF_ONE)
    divergence = judgement.divergence
    assert divergence is not None
    assert (divergence.position, divergence.elements, divergence.roundings) == (1, 4, {})
    assert divergence.derivation is not None
    assert divergence.derivation.result + 1 == divergence.answered
    shown = described(judgement)
    assert f"the runtime's answer is {divergence.answered}:" in shown
    assert divergence.derivation.title in shown
    assert all(f"\n{line.name}" in shown for line in divergence.derivation.lines)
    without = judged(Pretender({"RESHAPE": one_more}, intermediates=True), models.two_outputs(), RESHAPED)
    assert without.divergence is not None
    assert (without.divergence.position, without.divergence.derivation) == (0, None)
    assert "what int8rt computes" not in described(without)


def test_the_largest_difference_of_the_first_operator_is_kept() -> None:
    calls = iter((1, 5, 2))

    def worse(value: Array) -> Array:
        return value - np.int8(next(calls))

    runs = [(str(i), [INPUTS[1] // 2 - i]) for i in range(3)]
    judgement = judged(Pretender({"MUL": worse, "ADD": lambda value: value}, intermediates=True), runs=runs)
    assert judgement.divergence is not None
    assert judgement.divergence.derivation is not None
    assert judgement.divergence.derivation.result - 5 == judgement.divergence.answered


def test_the_text_of_a_crash() -> None:
    def crash(value: Array) -> Array:
        raise Fault("crashed", "boom\x1b[31m")

    shown = described(judged(Pretender({"MUL": crash}, intermediates=True)))
    assert "one: crashed: boom?[31m" in shown
    assert "no bound would pass" in shown


def test_a_histogram_with_many_steps_is_cut_short() -> None:
    found = np.concatenate([np.full(20 + i, i, np.int8) for i in range(12)] + [np.full(3, 99, np.int8)])
    shown = text.histogram(measure(found, np.zeros_like(found)))
    assert shown == "+5: 25  +6: 26  +7: 27  +8: 28  +9: 29  +10: 30  +11: 31  5 other steps  beyond ±16: 3"


def test_junit() -> None:
    def crash(value: Array) -> Array:
        raise Fault("refused", "no \x00 such thing")

    def suite(judgement: Judgement) -> ElementTree.Element:
        return ElementTree.fromstring(junit(judged_document(judgement, "model \x01")).partition("\n")[2])[0]

    for wrong, counts in ((one_more, ("2", "0")), (crash, ("0", "2"))):
        found = suite(judged(Pretender({"MUL": wrong}, intermediates=True)))
        assert (found.get("failures"), found.get("errors")) == counts
        names = [case.get("name") for case in found.findall("testcase")]
        assert names[-3:] == ["operator 0 ADD", "operator 1 MUL", "operator 2 ADD"]
    assert suite(judged(Pretender({}, intermediates=False, any_model=False))).get("skipped") == "3"


def test_each_tensor_of_an_operator_has_its_own_statistics() -> None:
    halves = [TensorSpec(TensorType.INT8, (3,))] * 2
    options = UnpackOptions(num=2, axis=0)
    model = single_operator_model("UNPACK", [TensorSpec(TensorType.INT8, (2, 3))], halves, options)
    wrong = {"UNPACK": lambda value: value + np.int8(value[0] == 4)}  # the second one only
    value = np.array([[1, 2, 3], [4, 5, 6]], np.int8)
    judgement = judged(Pretender(wrong, intermediates=True), write_model(model), [("one", [value])])
    (operator,) = judgement.operators
    assert operator.local is not None
    assert operator.local.histogram == {0: 3, 1: 3}
    assert [(t.name, t.local and t.local.histogram) for t in operator.written] == [
        ("output0", {0: 3}),
        ("output1", {1: 3}),
    ]
    assert [t.accumulated == t.local for t in operator.written] == [True, True]


def test_plain_data() -> None:
    data = plain.plain(judged(Pretender({"MUL": one_more}, intermediates=True)))
    assert (data["conformant"], data["first"], data["least_bound"]) == (False, 1, 1)
    assert [(entry["text"], entry["passes"]) for entry in data["operators"]] == [
        ("EXACT", True),
        ("BOUNDED(±1)", False),
        ("EXACT", True),
    ]


@pytest.mark.litert
@pytest.mark.parametrize("resolver", ["ref", "opt", "xnnpack"])
def test_litert_on_real_ties(resolver: str) -> None:
    from int8rt.verify.runtimes.choose import open_runtime

    every = np.arange(-128, 128).astype(np.int8).reshape(1, 16, 16, 1)
    runtime = open_runtime(f"litert:{resolver}")
    judgement = judged(runtime, conv(), [("ties", [every])])
    runtime.close()
    expected, _ = run_int8rt(read_model(conv()), [every], backend="numpy", keep=True)
    assert judgement.operators[0].local is not None
    assert judgement.operators[0].local.elements == expected[3].size
    assert judgement.conformant == (resolver == "ref")
    if resolver != "ref":
        assert judgement.operators[0].bound == 1


@pytest.mark.litert
def test_rows_that_litert_leaves_unwritten_are_no_difference() -> None:
    from int8rt.verify.runtimes.choose import open_runtime

    runtime = open_runtime("litert:ref")
    judgements: list[Judgement] = []

    @settings(max_examples=15)
    @given(detections())
    def run(case: Case) -> None:
        content = write_model(case.model)
        with contextlib.suppress(ModelError):  # what LiteRT refuses, too
            judgements.append(judge(read_model(content), content, runtime, [("drawn", case.inputs)], backend="numpy"))

    run()
    runtime.close()
    assert len(judgements) > 5
    assert all(judgement.conformant for judgement in judgements)


def test_the_first_divergence_stands_beside_the_runtimes_arithmetic() -> None:
    model, inputs = next(case for case in all_cases() if case.name == "CONV_2D/int8/ties/multiplier=powers").make()
    runtime = Pretender({}, profile="tflite-opt", intermediates=False)
    judgement = judge(model, write_model(model), runtime, [("ties", inputs)], backend="numpy")
    divergence = judgement.divergence
    assert divergence is not None
    assert divergence.derivation is not None
    assert divergence.other is not None
    assert divergence.other.result == divergence.answered != divergence.derivation.result
    assert divergence.arithmetics["two roundings, both with ties up"] == divergence.elements
    assert divergence.arithmetics.get("two roundings (gemmlowp)", 0) < divergence.elements
    rows = list(beside.rows(divergence))
    (accumulator,) = [row for row in rows if row.name == "accumulator"]
    (rounding,) = [row for row in rows if row.name == "rounding"]
    assert (accumulator.answered, rounding.expected, rounding.answered) == ("", "DOUBLE", "TIES_UP")
    assert (rows[-1].expected, rows[-1].answered) == (str(divergence.derivation.result), str(divergence.answered))
    shown = "\n".join(map(str, text.lines(judgement)))
    assert f"two roundings, both with ties up: gives {divergence.answered} there, and all " in shown


def test_a_value_in_another_form_is_guessed_where_it_is_shown() -> None:
    real = Pretender({"MUL": lambda value: value.astype(np.float32) * np.float32(80)}, intermediates=False)
    shown = text.whole(judged(real))
    assert "quantized with the tensor's scale and zero point, 4 of 4 elements would be equal" in shown
    (row,) = (line for line in shown.splitlines() if line.startswith("1  MUL"))
    assert "type float32, expected int8" in row
    assert "quantized" not in row


def test_little_that_speaks_for_another_profile_is_said() -> None:
    few = "part from tflite-ref on fewer than 10 elements|parts from tflite-ref on fewer than 10 elements"
    tie = np.arange(-128, 128, dtype=np.int16).astype(np.int8).reshape(1, 16, 16, 1)
    for value, said in ((tie, False), (np.where(tie == -2, tie, np.int8(4)), True)):
        runtime = Pretender({}, profile="tflite-single-rounding", intermediates=True)
        judgement = judged(runtime, conv(), [("one", [value])])
        assert judgement.operators[0].verdict is Verdict.OTHER_PROFILE
        assert bool(re.search(few, text.whole(judgement))) == said
        assert bool(re.search(few, " ".join(judged_document(judgement, "model").summary))) == said


class Folding(Pretender):
    """Leaves tensors that are known without running as they are in memory; refuses models of constants alone."""

    def run(self, inputs: Sequence[Array], read: Sequence[int] = ()) -> Answer:
        if not self.model.subgraphs[0].inputs:
            raise Fault("refused", "nothing to do")
        answer = super().run(inputs, read)
        garbage = {index: np.full_like(answer.tensors[index], 1e30) for index in read if index == 1}
        return Answer(answer.outputs, {**answer.tensors, **garbage})


@pytest.mark.parametrize("any_model", [True, False])
def test_a_runtime_that_computes_constants_as_it_loads_the_model(any_model: bool) -> None:
    builder = ModelBuilder().constant("c", np.array([[0.5, -1, 2, 3]], np.float16))
    builder.tensor("f", TensorType.FLOAT32, (1, 4)).input("x", TensorType.FLOAT32, (1, 4))
    builder.output("y", TensorType.FLOAT32, (1, 4))
    content = write_model(builder.operator("DEQUANTIZE", ["c"], ["f"]).operator("ADD", ["f", "x"], ["y"]).build())
    runs = [("one", [np.array([[1, 2, 3, 4]], np.float32)])]
    judgement = judged(Folding({}, intermediates=True, any_model=any_model), content, runs)
    assert judgement.conformant
    assert [str(operator) for operator in judgement.operators] == ["UNKNOWN", "EXACT"]
    wrong = judged(Pretender({"DEQUANTIZE": lambda value: value + 1}, intermediates=True), content, runs)
    assert str(wrong.operators[0]) == "DIFFERENT"
