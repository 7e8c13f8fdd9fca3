"""`int8rt inspect`: what a model consists of, and what of it can't run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from int8rt.inspection import ModelSummary, SubgraphSummary, TensorSummary


def inspect(
    model: Annotated[Path, typer.Argument(help="A .tflite file.")],
    tensors: Annotated[bool, typer.Option("--tensors", help="List all tensors, not only inputs and outputs.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Show a model's operators, tensors, size, multiply-accumulates and signatures, and what of it int8rt can't run."""
    import dataclasses

    from int8rt.inspection import inspect_model
    from int8rt.schema import read_model
    from int8rt.text import print_json

    content = model.read_bytes()
    summary = inspect_model(read_model(content, name=model), len(content))
    if as_json:
        print_json(dataclasses.asdict(summary))
    else:
        _show(summary, model, tensors)


def _show(summary: ModelSummary, path: Path, all_tensors: bool) -> None:
    from int8rt.model import shown
    from int8rt.text import quantity

    print(f"{path}: {summary.bytes:,} bytes, of which {summary.constant_bytes:,} constants")
    if summary.description:
        print(f"description: {shown(summary.description)}")
    for signature in summary.signatures:
        names = f"({', '.join(map(shown, signature.inputs))}) -> ({', '.join(map(shown, signature.outputs))})"
        print(f"signature {shown(signature.key)!r}, subgraph {signature.subgraph}: {names}")
    for name, size in summary.metadata:
        print(f"metadata {shown(name)!r}: {size:,} bytes")
    for index, graph in enumerate(summary.subgraphs):
        print()
        count = sum(kind.count for kind in graph.operators)
        title = f"subgraph {index} {shown(graph.name)!r}: " if len(summary.subgraphs) > 1 else ""
        print(f"{title}{count} operators, {len(graph.tensors)} tensors, {quantity(graph.macs)} multiply-accumulates")
        _show_graph(graph, all_tensors)


def _show_graph(graph: SubgraphSummary, all_tensors: bool) -> None:
    from int8rt.text import columns

    rows = [
        (
            kind.operator,
            str(kind.count),
            "" if kind.compiled is None else str(kind.compiled),
            f"{kind.macs:,}" if kind.macs else "",
            _versions(kind.versions),
            kind.types,
        )
        for kind in graph.operators
    ]
    print(columns(("operator", "count", "compiled", "MACs", "version", "types"), rows, right=(1, 2, 3)))
    if graph.custom:
        print()
        custom = [(item.operator, item.source, item.options) for item in graph.custom]
        print(columns(("custom operator", "from", "options"), custom))
    roles = dict.fromkeys(graph.inputs, "input") | dict.fromkeys(graph.outputs, "output")
    shown = graph.tensors if all_tensors else [graph.tensors[index] for index in roles]
    if shown:
        print()
        header = ("tensor", "", "type", "shape", "scale", "zero point", "name")
        print(columns(header, [_row(tensor, roles.get(tensor.index, "")) for tensor in shown], right=(0,)))
    if graph.unsupported:
        print("\nint8rt can't run:")
        for kind in graph.unsupported:
            print(f"  {kind}")
    if graph.refusal:
        print(f"\nint8rt can't run this: {graph.refusal}")


def _versions(versions: tuple[int, ...]) -> str:
    return ",".join(map(str, versions))


def _row(tensor: TensorSummary, role: str) -> tuple[str, ...]:
    from int8rt.model import shown

    role = role or ("constant" if tensor.constant else "variable" if tensor.variable else "")
    shape = str(list(tensor.shape))
    if -1 in tensor.shape_signature:
        shape += f" of {list(tensor.shape_signature)}"
    scale, zero_point = "", ""
    if len(tensor.scale) == 1:
        scale, zero_point = f"{tensor.scale[0]:.7g}", ",".join(map(str, tensor.zero_point))
    elif tensor.scale:
        scale = f"{min(tensor.scale):.4g} .. {max(tensor.scale):.4g}"
        least, most = min(tensor.zero_point, default=0), max(tensor.zero_point, default=0)
        zero_point = f"{least}" if least == most else f"{least} .. {most}"
        scale += f" ({len(tensor.scale)} along {tensor.quantized_dimension})"
    return str(tensor.index), role, tensor.type, shape, scale, zero_point, shown(tensor.name)
