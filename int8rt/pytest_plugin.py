"""A pytest plugin: a conformance job in a few lines. pytest finds it where int8rt is installed.

Two fixtures are enough for most: `int8rt_verdict`, which makes a test out of every case of the operator suite, and
`int8rt_judge`, which judges a model. Which runtime they are about is said on the command line (`--int8rt-delegate`) or
in pytest's configuration (`int8rt_delegate`). Only pytest is imported before a test asks for one of the fixtures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from int8rt.cli.judging import Choice
    from int8rt.conformance.cases import Case
    from int8rt.conformance.run import Verdict
    from int8rt.verify.runtimes.base import Array, Runtime
    from int8rt.verify.verdict import Judgement

# name, what the value is called, help; the last ones may be repeated. All can stand in pytest's configuration, too.
_ONE = (
    ("sut", "RUNTIME", "the runtime to judge, as for `int8rt compare --sut`"),
    ("delegate", "LIBRARY", "judge LiteRT with this external delegate"),
    ("command", "LINE", "judge a program, as for `int8rt compare --command`"),
    ("python", "PATH", "the Python that has the runtime installed"),
    ("timeout", "SECONDS", "seconds that the runtime has for one answer (30)"),
    ("case", "TEXT", "only cases of the suite whose names hold this"),
)
_SEVERAL = (
    ("delegate-option", "KEY=VALUE", "an option of the delegate"),
    ("operator", "NAME", "only this operator's cases of the suite"),
    ("type", "TYPE", "only cases of this type"),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--int8rt-...` and the same in the configuration."""
    group = parser.getgroup("int8rt", "conformance of a runtime or delegate (int8rt)")
    for name, metavar, text in _ONE:
        group.addoption(f"--int8rt-{name}", metavar=metavar, help=text)
        parser.addini(f"int8rt_{name}", text, default="")
    for name, metavar, text in _SEVERAL:
        group.addoption(f"--int8rt-{name}", metavar=metavar, action="append", default=[], help=f"{text}; repeatable")
        parser.addini(f"int8rt_{name.replace('-', '_')}s", text, type="linelist", default=[])


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for a case, or for the verdict on one, is run for every case that is wanted."""
    if "int8rt_case" in metafunc.fixturenames:
        cases = _cases(metafunc.config)
        metafunc.parametrize("int8rt_case", cases, ids=[case.name for case in cases], scope="function")


@pytest.fixture(scope="session")
def int8rt_runtime(pytestconfig: pytest.Config) -> Iterator[Runtime]:
    """The runtime that the options name; tests that need it are skipped where they name none."""
    choice = _choice(pytestconfig)
    if choice is None:
        pytest.skip("no runtime to judge: --int8rt-sut, --int8rt-delegate or --int8rt-command names one")
    import typer

    try:
        runtime = choice.open([])
    except typer.BadParameter as error:
        raise pytest.UsageError(str(error).replace("--", "--int8rt-")) from None
    yield runtime
    runtime.close()


@pytest.fixture
def int8rt_verdict(int8rt_case: Case, int8rt_runtime: Runtime, request: pytest.FixtureRequest) -> Verdict:
    """The runtime's verdict on one case of the operator suite; JUnit files get it as properties."""
    from int8rt.conformance.run import judge

    verdict = judge(int8rt_case, int8rt_runtime)
    properties: list[tuple[str, object]] = [("operator", verdict.operator), ("type", verdict.type)]
    properties.append(("verdict", verdict.label))
    if verdict.statistics is not None:
        properties.append(("largest", verdict.statistics.largest))
    # Not by `record_property`, which warns of its own effect in the default family of JUnit files.
    request.node.user_properties.extend((f"int8rt_{name}", value) for name, value in properties)
    return verdict


@pytest.fixture
def int8rt_judge(int8rt_runtime: Runtime) -> Callable[..., Judgement]:
    """A function from a model's file to the judgement on it.

    Arguments: the path; inputs (arrays, in the model's order; made ones by default), profile and bound as for
    `int8rt compare`.
    """

    def judged(
        path: str | Path,
        inputs: Sequence[Array] | None = None,
        *,
        profile: str = "tflite-ref",
        bound: float = 0,
    ) -> Judgement:
        from int8rt.schema import read_model
        from int8rt.verify.inputs import KINDS, make_inputs
        from int8rt.verify.judge import judge

        content = Path(path).read_bytes()
        model = read_model(content)
        runs = [("given", inputs)] if inputs is not None else [(kind, make_inputs(model, kind)) for kind in KINDS]
        return judge(model, content, int8rt_runtime, runs, profile=profile, bound=bound)

    return judged


def _option(config: pytest.Config, name: str) -> Any:
    """The command line's, else the configuration's."""
    return config.getoption(f"--int8rt-{name}") or config.getini(f"int8rt_{name.replace('-', '_')}")


def _options(config: pytest.Config, name: str) -> list[str]:
    return list(config.getoption(f"--int8rt-{name}") or config.getini(f"int8rt_{name.replace('-', '_')}s"))


def _choice(config: pytest.Config) -> Choice | None:
    """What `int8rt compare` would be given; None where no runtime is named."""
    sut, delegate, command = (_option(config, name) or None for name in ("sut", "delegate", "command"))
    if not (sut or delegate or command):
        return None
    from int8rt.cli.judging import Choice

    timeout = _option(config, "timeout") or "30"
    try:
        seconds = float(timeout)
    except ValueError:
        raise pytest.UsageError(f"--int8rt-timeout {timeout!r} is no number") from None
    options = _options(config, "delegate-option")
    return Choice(sut, delegate, options, command, _option(config, "python") or None, seconds)


def _cases(config: pytest.Config) -> list[Case]:
    """Those of the suite that are wanted; `pytest.UsageError` where there is none."""
    from int8rt.conformance.cases import chosen_cases
    from int8rt.errors import InputError

    try:
        return chosen_cases(_options(config, "operator"), _options(config, "type"), _option(config, "case"))
    except InputError as error:
        raise pytest.UsageError(f"--int8rt-...: {error}") from None
