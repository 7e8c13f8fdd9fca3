"""What `--print-python` prints: a command as a script with the library, which gives the same verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from int8rt.cli.judging import Choice

_END = "raise SystemExit(0 if {} else 1)\n"


def compare_script(
    choice: Choice, path: Path, input: Sequence[str], seed: int, options: Mapping[str, Any], bound: float
) -> str:
    """`int8rt compare` with a runtime. options: profile, backend and operators of `judge`."""
    body = f"judgement = judge(model, content, runtime, runs, {_arguments(dict(options) | {'bound': bound})})"
    return _script(
        ["from int8rt.verify.judge import judge", *_run_imports(path, input), *_runtime_imports(choice)],
        [*_runs(path, input, seed), *_runtime(choice, "[label for label, _ in runs]"), *_with_runtime(body)],
        [
            "for operator in judgement.operators:",
            "    print(operator.position, operator.operator, operator)",
            "for output in judgement.outputs:",
            "    print(output.name, output.statistics)",
        ],
        "judgement.conformant",
    )


def oracle_script(path: Path, input: Sequence[str], seed: int, options: Mapping[str, Any]) -> str:
    """`int8rt compare` with LiteRT's reference kernels. options: profile and backend of `compare_run`."""
    arguments = f"label=label, second_oracle=second, {_arguments(options)}"
    return _script(
        [
            "from int8rt.verify.compare import compare_run",
            "from int8rt.verify.oracle import Oracle",
            *_run_imports(path, input),
        ],
        [
            *_runs(path, input, seed),
            "with Oracle() as first, Oracle() as second:",
            "    results = [",
            f"        compare_run(model, content, values, first, {arguments})",
            "        for label, values in runs",
            "    ]",
        ],
        [
            "for result in results:",
            '    print(result.label, "equal" if result.equal else result.first)',
        ],
        "all(result.equal for result in results)",
    )


def identify_script(choice: Choice, path: Path, input: Sequence[str], seed: int) -> str:
    """`int8rt identify`."""
    return _script(
        ["from int8rt.verify.identify import identify", *_run_imports(path, input), *_runtime_imports(choice)],
        [
            *_runs(path, input, seed),
            *_runtime(choice, "[label for label, _ in runs]"),
            *_with_runtime(f"found = identify(model, content, runtime, runs, seed={seed})"),
        ],
        ["for finding in found.findings:", "    print(finding.operator, finding.type, finding)"],
        "found.known",
    )


def reduce_script(
    choice: Choice, path: Path, input: Sequence[str], seed: int, options: Mapping[str, Any], output: Path
) -> str:
    """`int8rt reduce`. options: of `reduce`; output: the folder."""
    body = f"found = reduce(model, runtime, runs, {_arguments(options)})"
    return _script(
        [
            "from pathlib import Path",
            "from int8rt.verify.reduce import reduce",
            "from int8rt.verify.reduce.folder import write_folder",
            *_run_imports(path, input),
            *_runtime_imports(choice),
        ],
        [*_runs(path, input, seed), *_runtime(choice, "[label for label, _ in runs]"), *_with_runtime(body)],
        ["if found is not None:", f"    print(write_folder(Path({str(output)!r}), found))"],
        "found is None",
    )


def explain_script(
    path: Path, input: Sequence[str], seed: int, op: int, at: tuple[int, ...] | None, profile: str
) -> str:
    """`int8rt explain`."""
    imports = ["from int8rt.explain import explain", *_run_imports(path, input)]
    body = _runs(path, input, seed)
    if not input and not path.is_dir():
        imports = [line.replace("KINDS, ", "") for line in imports]
        body[-1] = f"inputs = make_inputs(model, 'random', {seed})"
    else:
        body.append("inputs = runs[0][1]")
    body.append(f"derivation = explain(model, {op}, {at}, inputs, profile={profile!r})")
    return _script(imports, body, ["print(derivation)"])


def conformance_script(choice: Choice, operators: Sequence[str], types: Sequence[str], text: str) -> str:
    """`int8rt conformance run`, without its journal."""
    conditions = [f"case.operator in {list(operators)!r}"] if operators else []
    conditions += [f"case.type in {list(types)!r}"] if types else []
    conditions += [f"{text!r} in case.name"] if text else []
    chosen = f"[case for case in all_cases() if {' and '.join(conditions)}]" if conditions else "all_cases()"
    return _script(
        [
            "from int8rt.conformance.cases import all_cases",
            "from int8rt.conformance.run import judge",
            *_runtime_imports(choice),
        ],
        [
            f"cases = {chosen}",
            *_runtime(choice, "[]"),
            *_with_runtime("verdicts = [judge(case, runtime) for case in cases]"),
        ],
        ["for verdict in verdicts:", "    print(verdict.case, verdict.label, verdict.message)"],
        "all(verdict.conformant for verdict in verdicts)",
    )


def run_script(
    path: Path, input: Sequence[str], seed: int, levels: tuple[float, float] | None, profile: str, backend: str
) -> str:
    """`int8rt run`: the outputs, as they are."""
    imports = ["import int8rt", "from int8rt.schema import load_model"]
    arguments = _arguments({"profile": profile, "backend": backend})
    if input:
        imports.append("from int8rt.cli.feed import read_inputs")
        values = f"read_inputs(model, {list(input)!r}, {levels!r})"
    else:
        imports.append("from int8rt.verify.inputs import make_inputs")
        values = f"make_inputs(model, 'random', {seed})"
    return _script(
        imports,
        [
            f"model = load_model({str(path)!r})",
            f"inputs = {values}",
            f"interpreter = int8rt.Interpreter(model_content=model, {arguments})",
            "for index, value in zip(model.subgraphs[0].inputs, inputs, strict=True):",
            "    interpreter.resize_tensor_input(index, value.shape)",
            "interpreter.allocate_tensors()",
            "for index, value in zip(model.subgraphs[0].inputs, inputs, strict=True):",
            "    interpreter.set_tensor(index, value)",
            "interpreter.invoke()",
        ],
        [
            "for detail in interpreter.get_output_details():",
            "    print(detail['name'], interpreter.get_tensor(detail['index']))",
        ],
    )


def _script(imports: Sequence[str], body: Sequence[str], end: Sequence[str], good: str = "") -> str:
    ordered = sorted(set(imports), key=lambda line: (line.partition("int8rt")[1] != "", line))
    standard = [line for line in ordered if "int8rt" not in line]
    ours = [line for line in ordered if "int8rt" in line]
    lines = [*standard, *([""] if standard else []), *ours, "", *body, *end]
    return "\n".join(lines) + "\n" + (_END.format(good) if good else "")


def _arguments(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in values.items())


def _run_imports(path: Path, input: Sequence[str]) -> list[str]:
    imports = ["from pathlib import Path"]
    if path.is_dir():
        imports.append("from int8rt.verify.bundle import read_bundle")
    else:
        imports.append("from int8rt.schema import read_model")
    if input:
        imports.append("from int8rt.cli.feed import read_inputs")
    elif not path.is_dir():
        imports.append("from int8rt.verify.inputs import KINDS, make_inputs")
    return imports


def _runs(path: Path, input: Sequence[str], seed: int) -> list[str]:
    """`content`, `model` and `runs`."""
    if path.is_dir():
        lines = [f"bundle = read_bundle(Path({str(path)!r}))", "content, model = bundle.content, bundle.model"]
        made = "runs = bundle.runs"
    else:
        lines = [f"content = Path({str(path)!r}).read_bytes()", "model = read_model(content)"]
        made = f"runs = [(kind, make_inputs(model, kind, {seed})) for kind in KINDS]"
    return [*lines, f"runs = [('given', read_inputs(model, {list(input)!r}))]" if input else made]


def _runtime_imports(choice: Choice) -> list[str]:
    if choice.dump is not None:
        return ["from pathlib import Path", "from int8rt.verify.runtimes.dump import DumpRuntime"]
    if choice.resume is not None:
        return ["from pathlib import Path", "from int8rt.verify.runtimes.remember import remembered"]
    return ["from int8rt.verify.runtimes.choose import open_runtime"]


def _runtime(choice: Choice, labels: str) -> list[str]:
    if choice.dump is not None:
        return [f"runtime = DumpRuntime(Path({str(choice.dump)!r}), {labels}, {choice.read_names()!r})"]
    sut, options = choice.named()
    if choice.resume is not None:
        return [f"runtime = remembered(Path({str(choice.resume)!r}), {sut!r}, {_arguments(options)})"]
    return [f"runtime = open_runtime({sut!r}, {_arguments(options)})"]


def _with_runtime(line: str) -> list[str]:
    return ["try:", f"    {line}", "finally:", "    runtime.close()"]
