"""Which tensor of a quantized model is which of the float model that it was made of."""

from __future__ import annotations

from collections.abc import Mapping

from int8rt.model import Model, Subgraph

_ENDINGS = ("_int8", "_uint8", "_int16", "_float32", "_requantized")
_CONVERSIONS = ("QUANTIZE", "DEQUANTIZE")


def match_tensors(float_model: Model, quantized: Model) -> dict[int, int]:
    """Activations of the quantized model's first subgraph to the float model's: inputs, outputs, and states.

    By their names, where these have one shape in both; then, where both models have the same operators in the same
    order (QUANTIZE and DEQUANTIZE aside), by what writes them; what is only converted goes with what it is made of.
    """
    source, target = float_model.subgraphs[0], quantized.subgraphs[0]
    found = _by_name(source, target)
    for theirs, own in _by_position(source, target):
        if own not in found and theirs not in found.values():
            found[own] = theirs
    known = activations(target)
    conversions = [o for o in target.operators if o.name in _CONVERSIONS and o.inputs[0] in known]
    for operator in conversions:
        before, after = operator.inputs[0], operator.outputs[0]
        if after not in found and before in found:
            found[after] = found[before]
    for operator in reversed(conversions):
        before, after = operator.inputs[0], operator.outputs[0]
        if before not in found and after in found:
            found[before] = found[after]
    return found | _states(source, target, found)


def _by_name(source: Subgraph, target: Subgraph) -> dict[int, int]:
    known = {source.tensors[t].name: t for t in activations(source)}
    found = {}
    for t in activations(target):
        name = _plain(target.tensors[t].name, known)
        if name is not None and _alike(source, known[name], target, t):
            found[t] = known[name]
    return found


def _by_position(source: Subgraph, target: Subgraph) -> list[tuple[int, int]]:
    """Pairs (tensor of the float model, of the quantized model)."""
    ends = [*zip(source.inputs, target.inputs, strict=False), *zip(source.outputs, target.outputs, strict=False)]
    kept = [
        [operator for operator in graph.operators if operator.name not in _CONVERSIONS] for graph in (source, target)
    ]
    if [operator.name for operator in kept[0]] == [operator.name for operator in kept[1]]:
        for theirs, own in zip(*kept, strict=True):
            ends += zip(theirs.outputs, own.outputs, strict=False)
    return [(theirs, own) for theirs, own in ends if _alike(source, theirs, target, own)]


def _states(source: Subgraph, target: Subgraph, found: Mapping[int, int]) -> dict[int, int]:
    """Variables of operators whose outputs are matched, by their places among the inputs."""
    writer = {t: operator for operator in source.operators for t in operator.outputs}
    states = {}
    for operator in target.operators:
        theirs = next((writer.get(found[t]) for t in operator.outputs if t in found), None)
        if theirs is None or theirs.name != operator.name:
            continue
        for before, own in zip(theirs.inputs, operator.inputs, strict=False):
            if min(before, own) < 0 or not _alike(source, before, target, own):
                continue
            if source.tensors[before].is_variable and target.tensors[own].is_variable:
                states[own] = before
    return states


def activations(graph: Subgraph) -> dict[int, None]:
    """The tensors, in order, that are inputs or that operators write; without constants that are only converted."""
    known = dict.fromkeys(graph.inputs)
    for operator in graph.operators:
        if operator.name not in _CONVERSIONS or operator.inputs[0] in known:
            known |= dict.fromkeys(operator.outputs)
    return known


def _alike(source: Subgraph, theirs: int, target: Subgraph, own: int) -> bool:
    return source.tensors[theirs].shape == target.tensors[own].shape


def _plain(name: str, known: Mapping[str, int]) -> str | None:
    while name not in known:
        shorter = next((name[: -len(ending)] for ending in _ENDINGS if name.endswith(ending)), None)
        if shorter is None:
            return None
        name = shorter
    return name
