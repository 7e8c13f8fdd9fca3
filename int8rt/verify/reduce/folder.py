"""A reduced case as a folder that can be attached to a bug report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from int8rt.errors import Int8rtError
from int8rt.model import Tensor, shown
from int8rt.verify.first import Divergence, Evidence, diverging
from int8rt.verify.reduce.search import Reduction
from int8rt.verify.reduce.trial import Case
from int8rt.verify.report import beside
from int8rt.verify.teacher import Teacher

_MOST_SCALES = 8


def write_folder(folder: Path, reduction: Reduction) -> list[str]:
    """Write model.tflite, the arrays and REPORT.md, and tell their names. The folder is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    case = reduction.case
    names = ["model.tflite"]
    (folder / "model.tflite").write_bytes(case.content)
    for role, arrays in (("input", case.inputs), ("expected", case.expected), ("actual", case.actual)):
        for place, array in enumerate(arrays):
            if array is not None and array.dtype != object:
                names.append(f"{role}_{place}.npy")
                np.save(folder / names[-1], array)
    (folder / "REPORT.md").write_text("\n".join(report(reduction)) + "\n", encoding="utf-8")
    return [*names, "REPORT.md"]


def divergence(reduction: Reduction) -> Divergence | None:
    """The largest difference of a single operator, derived; None where there is no answer to compare with."""
    case = reduction.case
    graph = case.model.subgraphs[0]
    actual = case.actual[0] if case.actual else None
    if case.kind != "different" or actual is None or len(graph.operators) != 1 or not case.statistics[0].different:
        return None
    try:
        teacher = Teacher(case.model, case.inputs, reduction.profile)
        values = teacher.inputs(0, dict(zip(graph.inputs, case.inputs, strict=True)))
        return None if values is None else diverging(Evidence(0, teacher, values, actual, case.statistics[0]))
    except Int8rtError:
        return None


def summary(case: Case) -> str:
    """One line: what goes wrong."""
    if case.kind != "different":
        return f"{case.kind}: {case.message}"
    different, elements = (sum(getattr(s, name) for s in case.statistics) for name in ("different", "elements"))
    return f"{different} of {elements} elements differ, by at most {max(s.largest for s in case.statistics):g}"


def report(reduction: Reduction) -> Iterator[str]:
    """The text, line by line."""
    from int8rt import __version__

    case = reduction.case
    graph = case.model.subgraphs[0]
    names = " -> ".join(operator.label for operator in graph.operators)
    yield f"# {names}: {reduction.runtime} beside {reduction.profile}"
    yield ""
    yield f"`model.tflite`, run on `input_*.npy` by {reduction.runtime}: {summary(case)}."
    yield f"Expected is what int8rt {__version__} computes in its profile `{reduction.profile}`."
    if reduction.profile == "tflite-ref":
        yield "That is the arithmetic of TensorFlow Lite's reference kernels (`OpResolverType.BUILTIN_REF`)."
    yield ""
    yield "| tensor | role | type | shape | scale | zero point |"
    yield "|---|---|---|---|---|---|"
    for index, tensor in enumerate(graph.tensors):
        role = "constant" if tensor.buffer else "input" if index in graph.inputs else ""
        yield _row(index, tensor, role or ("output" if index in graph.outputs else "between"))
    yield ""
    for operator in graph.operators:
        yield f"- {operator.label} version {operator.version}: {operator.options}"
    yield ""
    found = divergence(reduction)
    if found is not None:
        statistics = case.statistics[0]
        yield f"At {list(statistics.at)}: {found.answered} instead of {statistics.expected}."
        yield ""
        if found.derivation is not None:
            yield from ("```", beside.table(found), "```", "")
        yield from (f"- {line}" for line in beside.explanations(found))
        yield ""
    places = reduction.operators
    which = f"operator {places.start}" if len(places) == 1 else f"operators {places.start} to {places[-1]}"
    yield f"Reduced from {which} of a larger model ({reduction.run} inputs): {reduction.original.size} elements in all"
    yield f"its tensors became {case.size}."
    yield ""
    yield from _recipe(len(case.inputs), len(case.expected))


def _row(index: int, tensor: Tensor, role: str) -> str:
    quantization = tensor.quantization
    scale = zero_point = ""
    if quantization is not None:
        scale, zero_point = _listed(quantization.scale.tolist()), _listed(quantization.zero_point.tolist())
    name = shown(tensor.name).replace("|", "/")
    return f"| {index} {name} | {role} | {tensor.type.label} | {list(tensor.shape)} | {scale} | {zero_point} |"


def _listed(values: Sequence[float]) -> str:
    """Numbers for a cell; one where all are equal, the first few where there are many."""
    if len(set(values)) <= 1:
        values = values[:1]
    rest = ", ..." if len(values) > _MOST_SCALES else ""
    return ", ".join(f"{value:.9g}" for value in values[:_MOST_SCALES]) + rest


def _recipe(inputs: int, outputs: int) -> Iterator[str]:
    yield "To see it with the reference kernels, and with a delegate in their place:"
    yield ""
    yield "```python"
    yield "import numpy as np"
    yield "from ai_edge_litert.interpreter import Interpreter, OpResolverType, load_delegate"
    yield ""
    yield "resolver = OpResolverType.BUILTIN_REF"
    yield 'delegates = []  # or [load_delegate("libvendor.so", {})]'
    yield 'options = {"experimental_op_resolver_type": resolver, "experimental_delegates": delegates}'
    yield 'runtime = Interpreter("model.tflite", **options)'
    yield "runtime.allocate_tensors()"
    yield f"for place in range({inputs}):"
    yield '    runtime.set_tensor(runtime.get_input_details()[place]["index"], np.load(f"input_{place}.npy"))'
    yield "runtime.invoke()"
    yield f"for place in range({outputs}):"
    yield '    found = runtime.get_tensor(runtime.get_output_details()[place]["index"])'
    yield '    expected = np.load(f"expected_{place}.npy")'
    yield '    print(np.count_nonzero(found != expected), "of", expected.size, "elements differ")'
    yield "```"
