"""Every rule finds what breaks it, and nothing else."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from int8rt.errors import Int8rtError
from int8rt.lint import RULES, Severity, lint_model
from int8rt.lint.defects import DEFECTS
from int8rt.lint.documentation import pages
from int8rt.model import Model
from int8rt.samples import digits
from int8rt.schema import Limits, read_model, write_model
from tests.hostile.bases import made_by_hand
from tests.hostile.mutations import mutants
from tests.lint.examples import BROKEN, CLEAN

REPOSITORY = Path(__file__).resolve().parent.parent.parent
# Beginnings of the names of real models that are known to be outside the specification: quantized by tools of other
# makers, or with the random weights of a test.
NOT_BY_THE_CONVERTER = {
    "weights-avoid-the-lowest-code": ("sscma-model-zoo-", "tflite-micro-conv", "tflite-micro-keyword_scrambled"),
    "scale-is-positive": ("mcunet-",),
    "equal-parameters": ("mcunet-",),
    "int16-is-symmetric": ("tflite-micro-keyword_scrambled",),
    "activations-have-one-type": ("tflite-micro-keyword_scrambled",),
    "fixed-output-parameters": ("tflite-micro-keyword_scrambled",),
}
CASES = {f"{name}-{i}": (name, *example) for name, examples in BROKEN.items() for i, example in enumerate(examples)}


def test_every_rule_has_an_example() -> None:
    names = [rule.name for rule in RULES]
    assert sorted(BROKEN) == sorted(names)
    assert len(set(names)) == len(names)
    assert all(rule.text.strip() for rule in RULES)


@pytest.mark.parametrize(("name", "make", "found"), CASES.values(), ids=CASES)
def test_a_model_that_breaks_a_rule(name: str, make: Callable[[], Model], found: str) -> None:
    findings = [finding for finding in lint_model(make()) if finding.rule == name]
    assert [finding.found for finding in findings if finding.found.startswith(found)], findings
    (rule,) = (rule for rule in RULES if rule.name == name)
    assert {finding.severity for finding in findings} == {rule.severity}
    assert findings == lint_model(make(), [rule])


@pytest.mark.parametrize("name", CLEAN)
def test_models_that_break_no_rule(name: str) -> None:
    make, rules = CLEAN[name]
    assert [finding.rule for finding in lint_model(make())] == list(rules)


def test_every_defect_that_the_file_can_tell_has_an_example() -> None:
    found = {finding.found for make, _ in BROKEN["reference-is-right"] for finding in lint_model(make())}
    missing = {
        defect.what
        for defect in DEFECTS
        if defect.applies is not None and f"a known defect: {defect.what.rstrip('.')}" not in found
    }
    assert missing == set()


def test_messages_name_operator_and_tensor() -> None:
    (finding,) = lint_model(CLEAN["hybrid, few columns"][0]())
    assert str(finding) == (
        "error: operator 0 (FULLY_CONNECTED), tensor 1 'input1': found 1 of 2 weights are -128; expected -127 to 127 "
        "[weights-avoid-the-lowest-code]"
    )


def test_the_sample_breaks_no_rule() -> None:
    assert lint_model(read_model(digits().model)) == []


def test_pages_are_up_to_date() -> None:
    for name, text in pages().items():
        assert (REPOSITORY / "docs" / name).read_text(encoding="utf-8") == text, (
            "python -m int8rt.lint.documentation docs"
        )


def test_broken_files_do_not_break_the_rules() -> None:
    files = made_by_hand()
    for name, (_, make, _) in CASES.items():
        data = write_model(make())
        # The reader refuses some of what the rules are about; and broken files should be small.
        with contextlib.suppress(Int8rtError):
            read_model(data)
            if len(data) < 10_000:
                files[name] = data
    assert len(files) > 50
    counts: Counter[str] = Counter()
    for mutant in mutants(files, 3000):
        try:
            model = read_model(mutant.data, limits=Limits(max_tensor_bytes=1 << 20, max_total_bytes=1 << 22))
        except Int8rtError:
            continue
        counts.update(finding.rule for finding in lint_model(model))
    assert len(counts) > len(RULES) / 2


@pytest.mark.zoo
def test_real_models(zoo_dir: Path) -> None:
    """Models as TensorFlow's converter makes them are within the specification; the others are known by name."""
    errors: dict[str, set[str]] = {}
    count = 0
    for path in sorted(zoo_dir.rglob("*.tflite")):
        try:
            model = read_model(path.read_bytes())
        except Int8rtError:
            continue
        count += 1
        for finding in lint_model(model):
            if finding.severity is Severity.ERROR:
                errors.setdefault(finding.rule, set()).add(path.name)
    assert count > 100
    unknown = {
        rule: {name for name in names if not name.startswith(NOT_BY_THE_CONVERTER.get(rule, ()))}
        for rule, names in errors.items()
    }
    assert {rule: names for rule, names in unknown.items() if names} == {}
