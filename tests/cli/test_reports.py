"""Reports as files, their schemas, and the scripts that stand for commands."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import numpy as np
import pytest
from typer.testing import CliRunner

from int8rt.cli.app import app
from int8rt.conformance.cases import all_cases
from int8rt.schema import write_model
from int8rt.verify.identify import Finding, Identification
from int8rt.verify.report import identified
from int8rt.verify.report.document import Cell, Document, Histogram, Histograms, Table, TestCase
from int8rt.verify.report.files import Files
from int8rt.verify.report.html import bars, html
from int8rt.verify.report.markdown import markdown
from int8rt.verify.report.schemas import schema

REPOSITORY = Path(__file__).resolve().parents[2]
TIES = "CONV_2D/int8/ties/multiplier=powers"
OTHER = ["--sut", "int8rt:tflite-opt"]
NAMES = ["compare", "conformance", pytest.param("identify", marks=pytest.mark.slow)]
VOID = {"meta", "br", "hr", "img", "input", "link"}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A convolution whose sums are ties."""
    made, inputs = next(case for case in all_cases() if case.name == TIES).make()
    path = tmp_path / "model <b>.tflite"
    path.write_bytes(write_model(made))
    np.save(tmp_path / "in.npy", inputs[0])
    return path


def call(*arguments: object, status: int = 1) -> str:
    done = CliRunner().invoke(app, list(map(str, arguments)))
    assert done.exit_code == status, done.output
    return done.stdout


def commands(model: Path) -> dict[str, list[object]]:
    given = ["--input", model.parent / "in.npy"]
    return {
        "compare": ["compare", model, *OTHER, "--backend", "numpy", *given],
        "identify": ["identify", model, *OTHER, *given],
        "conformance": ["conformance", "run", *OTHER, "--operator", "CONV_2D", "--type", "int8", "--case", "rescale"],
    }


class Balanced(HTMLParser):
    """Fails where tags do not match; collects what would be fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.fetched += [tag for name, _ in attributes if name in ("src", "href", "srcset")]
        if tag in ("script", "link", "iframe"):
            self.fetched.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def check_html(text: str) -> None:
    page = Balanced()
    page.feed(text)
    assert (page.open, page.fetched) == ([], [])
    assert "url(" not in text
    assert "@import" not in text


@pytest.mark.parametrize("name", NAMES)
def test_all_renderings(name: str, model: Path, tmp_path: Path) -> None:
    files = {kind: tmp_path / f"report.{kind}" for kind in ("html", "junit", "markdown")}
    options = [part for kind, path in files.items() for part in (f"--{kind}", path)]
    status = 0 if name == "identify" else 1
    data = json.loads(call(*commands(model)[name], *options, "--json", status=status))
    jsonschema.validate(data, closed(schema(name)))
    page = files["html"].read_text(encoding="utf-8")
    check_html(page)
    assert "model <b>" not in page
    assert "prefers-color-scheme: dark" in page
    assert files["markdown"].read_text(encoding="utf-8").startswith("## ")
    (suite,) = ElementTree.parse(files["junit"]).getroot()
    assert int(suite.get("tests", "")) == len(suite.findall("testcase")) > 0
    assert (int(suite.get("failures", "")) > 0) == (status == 1)
    if name != "identify":
        for text in ("tflite-opt", "<svg", "with TIES_UP", "two roundings, both with"):
            assert text in page
        assert "two roundings, both with ties up: gives" in files["markdown"].read_text(encoding="utf-8")


FINDINGS = (
    Finding("CONV_2D", "int8", "truncation", (), 100, 30, "floor", 2, "ties"),
    Finding("ADD", "int8", None, (), 100, 30, "floor", 2, "ties"),
    Finding("MUL", "int8", None, (), 0, 0, None, 0, "", ("ties: crashed: oh",)),
)


def test_what_is_not_identified() -> None:
    document = identified.document(Identification("runtime", FINDINGS, ("PAD int8",)), "m")
    assert (document.good, [case.outcome for case in document.cases]) == (False, ["passed", "failure", "error"])
    check_html(html(document))
    assert "none of the known ones; nearest: floor, 2 of 100 elements differ" in markdown(document)
    assert ("not looked at", "PAD int8") in document.facts


@pytest.mark.litert
def test_comparing_with_the_reference_kernels_has_a_schema(model: Path) -> None:
    data = json.loads(call("compare", model, "--json", "--input", model.parent / "in.npy", status=0))
    jsonschema.validate(data, closed(schema("compare")))


def test_faults_fit_the_schema(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    for function in ("nan", "refuse"):
        sut = ["--sut", f"python:tests.verify.runtimes.functions:{function}", "--input", model.parent / "in.npy"]
        data = json.loads(call("compare", model, "--json", "--backend", "numpy", *sut))
        jsonschema.validate(data, closed(schema("compare")))


def closed(found: Any) -> Any:
    """The schema, in which objects have no other properties than those that it names."""
    if isinstance(found, dict):
        more = {"additionalProperties": False} if "properties" in found and "type" in found else {}
        return more | {key: closed(value) for key, value in found.items()}
    return [closed(item) for item in found] if isinstance(found, list) else found


@pytest.mark.parametrize("name", ["compare", "identify", "conformance", "suite", "case"])
def test_schemas_are_printed_and_are_schemas(name: str) -> None:
    printed = json.loads(call("schema", name, status=0))
    jsonschema.Draft202012Validator.check_schema(printed)
    assert printed == schema(name)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"schema_version": 2}, printed)


@pytest.mark.parametrize("name", NAMES)
def test_the_printed_script_gives_the_same_verdict(name: str, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = call(*commands(model)[name], "--print-python", status=0)
    assert execute(script) == (0 if name == "identify" else 1)
    expected = {
        "compare": "0 CONV_2D EXACT (tflite-opt)",
        "identify": "CONV_2D int8 two roundings, both with ties up",
        "conformance": "CONV_2D/int8/rescale/multiplier=odd EXACT in tflite-opt",
    }
    assert expected[name] in capsys.readouterr().out
    right = script.replace("int8rt:tflite-opt", "int8rt:tflite-ref")
    assert right != script
    assert execute(right) == 0


def execute(script: str) -> Any:
    """The status with which a script ends."""
    with pytest.raises(SystemExit) as end:
        exec(compile(script, "script", "exec"), {})
    return end.value.code


def test_the_script_of_run_prints_the_outputs(model: Path, tmp_path: Path) -> None:
    options = ["--input", model.parent / "in.npy"]
    call("run", model, *options, "--output", tmp_path / "out.npz", status=0)
    with np.load(tmp_path / "out.npz") as archive:
        (expected,) = archive.values()
    script = call("run", model, *options, "--print-python", status=0)
    scope: dict[str, Any] = {}
    exec(compile(script, "script", "exec"), scope)
    output = scope["model"].subgraphs[0].outputs[0]
    np.testing.assert_array_equal(scope["interpreter"].get_tensor(output), expected)
    assert "make_inputs(model, 'random', 3)" in call("run", model, "--random", "--seed", 3, "--print-python", status=0)


@pytest.mark.litert
def test_the_script_of_a_comparison_with_the_reference(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = call("compare", model, "--input", model.parent / "in.npy", "--print-python", status=0)
    assert execute(script) == 0
    assert capsys.readouterr().out == "given equal\n"


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (
            ["--delegate", "./x.so", "--delegate-option", "a=b", "--timeout", "9"],
            "open_runtime('litert', delegate='./x.so', delegate_options={'a': 'b'}, timeout=9.0)",
        ),
        (["--command", "prog {model}"], "open_runtime('command:prog {model}', timeout=120.0)"),
        (["--dump", "out", "--input", "x.npy"], "DumpRuntime(Path('out'), [label for label, _ in runs], {})"),
    ],
)
def test_scripts_name_the_runtime(options: list[str], line: str) -> None:
    script = call("compare", "m.tflite", *options, "--print-python", status=0)
    compile(script, "script", "exec")
    assert f"runtime = {line}\n" in script


HOSTILE = '<script>|`*&"\n## x'
DOCUMENT = Document(
    HOSTILE,
    False,
    HOSTILE,
    (HOSTILE,),
    ((HOSTILE, HOSTILE),),
    (
        Table(HOSTILE, (HOSTILE,), ((Cell(HOSTILE, "bad"),),), HOSTILE, folded=True),
        Histograms(HOSTILE, (Histogram(HOSTILE, HOSTILE, "near", {-3: 1, 0: 99999, 2: 7}, 4),), HOSTILE),
    ),
    (TestCase(HOSTILE, HOSTILE + "\x00", "failure", HOSTILE, HOSTILE, HOSTILE),),
    "```\n" + HOSTILE,
)


def test_what_models_say_is_escaped() -> None:
    page = html(DOCUMENT)
    check_html(page)
    assert "<script" not in page
    text = markdown(DOCUMENT)
    blocks = text.split("````")
    assert len(blocks) == 3  # the script's fence is longer than the one in it
    assert "<script" not in blocks[0]
    assert "\n## x" not in blocks[0]
    assert "&#60;script&#62;&#124;\\`\\*&#38;" in blocks[0]


def test_bars_are_in_order_and_none_is_missing() -> None:
    width, drawn = bars(Histogram("", "", "near", {-3: 1, 0: 99999, 2: 7}, 4))
    assert [(bar.label, bar.count) for bar in drawn] == [
        ("-3", 1),
        ("-2", 0),
        ("-1", 0),
        ("0", 99999),
        ("+1", 0),
        ("+2", 7),
        ("more", 4),
    ]
    assert [bar.height > 0 for bar in drawn] == [True, False, False, True, False, True, True]
    assert drawn[-1].x + drawn[-1].width <= width
    _, many = bars(Histogram("", "", "near", dict.fromkeys(range(-15, 16), 12345), 0))
    assert [bar.label for bar in many if bar.label_fits] == ["-15", "-12", "-8", "-4", "0", "+4", "+8", "+12"]
    assert not any(bar.count_fits for bar in many)


def test_a_jobs_summary_is_added_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "summary.md"
    for _ in range(2):
        Files(markdown=path).write(lambda: DOCUMENT)
    once = path.read_text(encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    Files(markdown=path).write(lambda: DOCUMENT)
    assert path.read_text(encoding="utf-8") == 2 * once
