"""The pytest plugin, as its user meets it; and what those notice of it who don't use it: nothing."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytest_plugins = ["pytester"]

REPOSITORY = Path(__file__).resolve().parent.parent
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
PLUGIN = [] if entry_points(group="pytest11", name="int8rt") else ["-p", "int8rt.pytest_plugin"]
FEW = ["--int8rt-operator", "CONV_2D", "--int8rt-type", "int8", "--int8rt-case", "rescale"]
OTHER = ["--int8rt-sut", "int8rt:tflite-opt"]
SUITE = """
    def test_suite(int8rt_verdict):
        assert int8rt_verdict.conformant, str(int8rt_verdict)

    def test_closely(int8rt_verdict):
        assert int8rt_verdict.within(1)
"""


@pytest.fixture(autouse=True, scope="module")
def loaded() -> None:
    """pytester forgets modules that were not there before it, and NumPy can't be loaded twice."""
    import int8rt.cli.judging
    import int8rt.conformance.run
    import int8rt.verify.judge
    from int8rt.samples import digits
    from int8rt.schema import read_model
    from int8rt.verify.inputs import make_inputs

    model = read_model(digits().model)
    runtime = int8rt.cli.judging.Choice("int8rt", None, [], None, None, 30).open([])
    runs = [("random", make_inputs(model, "random"))]
    assert int8rt.verify.judge.judge(model, digits().model, runtime, runs).conformant


@pytest.fixture(autouse=True)
def found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_inprocess(*PLUGIN, "-p", "no:cacheprovider", "-p", "no:xdist", *arguments)


def test_every_case_is_a_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SUITE)
    done = run(pytester, *FEW, *OTHER, "--junit-xml", "j.xml")
    done.assert_outcomes(passed=5, failed=3)
    done.stdout.fnmatch_lines(["*CONV_2D/int8/rescale/multiplier=odd: EXACT in tflite-opt: * elements differ*"])
    cases = ElementTree.parse(pytester.path / "j.xml").getroot().iter("testcase")
    properties = {p.get("name"): p.get("value") for p in next(cases).iter("property")}
    assert properties == {
        "int8rt_operator": "CONV_2D",
        "int8rt_type": "int8",
        "int8rt_verdict": "EXACT in tflite-opt",
        "int8rt_largest": "1.0",
    }


def test_the_configuration_can_name_the_runtime(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SUITE)
    named = {"int8rt_sut": "int8rt", "int8rt_operators": "CONV_2D", "int8rt_types": "int8", "int8rt_case": "ties"}
    pytester.makeini("[pytest]\n" + "".join(f"{name} = {value}\n" for name, value in named.items()))
    run(pytester).assert_outcomes(passed=2)


def test_a_model_is_judged(pytester: pytest.Pytester) -> None:
    model = str(REPOSITORY / "int8rt/samples/digits.tflite")
    pytester.makepyfile(
        f"""
        from int8rt.schema import load_model
        from int8rt.verify.inputs import make_inputs

        def test_model(int8rt_judge):
            inputs = make_inputs(load_model({model!r}), "random")
            judgement = int8rt_judge({model!r}, inputs)
            assert judgement.conformant, str(judgement)

        def test_bound(int8rt_judge):
            inputs = make_inputs(load_model({model!r}), "random")
            assert int8rt_judge({model!r}, inputs, bound=2, profile="tflite-opt").conformant
        """
    )
    done = run(pytester, *OTHER)
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(["*the first that differs by itself: operator * CONV_2D, at *"])


def test_without_a_runtime_tests_are_skipped(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SUITE)
    done = run(pytester, *FEW, "-rs")
    done.assert_outcomes(skipped=8)
    done.stdout.fnmatch_lines(["*no runtime to judge: --int8rt-sut, --int8rt-delegate or --int8rt-command names one"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--int8rt-operator", "NONE", *OTHER], "*the suite has no operator NONE; it has ABS, ADD, *"),
        ([*FEW, *OTHER, "--int8rt-timeout", "soon"], "*--int8rt-timeout 'soon' is no number*"),
        ([*FEW, *OTHER, "--int8rt-delegate-option", "a=b"], "*--int8rt-delegate-option needs --int8rt-delegate*"),
    ],
)
def test_wrong_options_say_so(arguments: list[str], message: str, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SUITE)
    done = run(pytester, *arguments)
    assert done.ret != 0
    pytest.LineMatcher([*done.outlines, *done.errlines]).fnmatch_lines([message])


def test_who_does_not_use_it_pays_nothing(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_nothing_is_imported():
            assert "int8rt.pytest_plugin" in sys.modules
            heavy = {"numpy", "numba", "typer", "jinja2", "int8rt.model", "int8rt.conformance.cases"}
            assert heavy & set(sys.modules) == set()
        """
    )
    plugins = ["-p", "no:xdist", "-p", "no:cacheprovider", "-p", "no:hypothesispytest"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *PLUGIN, *plugins, "-W", "error"],
        cwd=pytester.path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
