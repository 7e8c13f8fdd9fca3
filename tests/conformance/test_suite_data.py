"""The operator suite as data: its schemas, its declared coverage, and what it separates."""

from __future__ import annotations

import copy
import inspect
import itertools
import json
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from conformance.coverage import PAGE, page
from int8rt.conformance.cases import all_cases
from int8rt.conformance.files import write_case
from int8rt.conformance.makers import MAKERS
from int8rt.conformance.run import separates
from int8rt.quantization.profiles import PROFILES
from int8rt.verify.report.schemas import schema

SUITE: dict[str, Any] = json.loads((resources.files("int8rt.conformance") / "suite.json").read_text(encoding="utf-8"))


def test_the_suite_is_what_its_schema_says() -> None:
    jsonschema.Draft202012Validator.check_schema(schema("suite"))
    jsonschema.validate(SUITE, schema("suite"))


def test_the_schema_knows_every_parameter_of_every_maker() -> None:
    known = {
        rule["if"]["properties"]["maker"]["const"]: rule["then"]["properties"]["grid"]["propertyNames"]["enum"]
        for rule in schema("suite")["$defs"]["group"]["allOf"]
    }
    assert known == {name: list(inspect.signature(maker).parameters)[3:] for name, maker in MAKERS.items()}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda group: group.update(maker="magic"),
        lambda group: group.update(rule=""),
        lambda group: group.update(expect="close"),
        lambda group: group["types"].append("int7"),
        lambda group: group["grid"].update(speed=[1]),
        lambda group: group["grid"].update(height=[]),
        lambda group: group.update(tolerance=1),
    ],
    ids=["maker", "rule", "expect", "type", "parameter", "no values", "field"],
)
def test_what_the_schema_forbids(spoil: Callable[[dict[str, Any]], None]) -> None:
    wrong = copy.deepcopy(SUITE)
    spoil(wrong["groups"][0])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema("suite"))


def test_cases_as_files_are_what_their_schema_says(tmp_path: Path) -> None:
    cases = {case.maker: case for case in all_cases() if case.expect == "refused" or case.maker == "pad"}
    for case in cases.values():
        text = json.loads((write_case(case, tmp_path) / "case.json").read_text(encoding="utf-8"))
        jsonschema.validate(text, schema("case"))
        assert text["name"] == case.name


def test_every_operator_has_a_rule_and_most_are_refused_something() -> None:
    operators = {case.operator for case in all_cases()}
    assert len(operators) >= 38
    assert len({case.operator for case in all_cases() if case.expect == "refused"}) >= 22


@pytest.mark.slow
def test_every_pair_of_profiles_is_separated() -> None:
    left = set(itertools.combinations(PROFILES, 2))
    for case in all_cases():
        if left:
            left -= set(separates(case))
    assert left == set()


def test_the_page_is_in_step() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()
