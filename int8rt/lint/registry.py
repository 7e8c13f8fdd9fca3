"""The one table of rules, and how they are applied to a model."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from int8rt.lint import activations, arithmetic, defects, parameters, weights
from int8rt.lint.rule import Finding, Found, Operand, OperatorView, Rule
from int8rt.model import Model, Subgraph

RULES: tuple[Rule, ...] = (
    *parameters.RULES,
    *activations.RULES,
    *weights.RULES,
    *arithmetic.RULES,
    *defects.RULES,
)


def lint_model(model: Model, rules: Collection[Rule] = RULES) -> list[Finding]:
    """All places where the rules do not hold, in the order of the operators of each subgraph.

    Rules on tensors are reported at the operator that writes the tensor, else at the first that reads it.
    """
    return [
        finding
        for index, graph in enumerate(model.subgraphs)
        for finding in sorted(_lint_subgraph(model, index, graph, rules), key=lambda finding: finding.operator)
    ]


def _lint_subgraph(model: Model, index: int, graph: Subgraph, rules: Collection[Rule]) -> Iterator[Finding]:
    users = _users(graph)

    def finding(rule: Rule, position: int, found: Found) -> Finding:
        name = graph.operators[position].label if position >= 0 else ""
        operand = found.operand
        return Finding(
            rule.name,
            rule.severity,
            index,
            position,
            name,
            operand.index,
            operand.tensor.label,
            found.found,
            found.expected,
        )

    for tensor_index, tensor in enumerate(graph.tensors):
        operand = Operand(tensor_index, tensor)
        for rule in rules:
            if rule.check_tensor is not None:
                position = users.get(tensor_index, -1)
                yield from (finding(rule, position, found) for found in rule.check_tensor(operand))
    for position in range(len(graph.operators)):
        view = OperatorView(model, index, position)
        for rule in rules:
            check: Callable[[OperatorView], Iterator[Found]] | None = rule.check
            if check is not None:
                yield from (finding(rule, position, found) for found in check(view))


def _users(graph: Subgraph) -> dict[int, int]:
    """Tensor index to the operator that writes it, else to the first that reads it."""
    users: dict[int, int] = {}
    for position, operator in enumerate(graph.operators):
        users.update({tensor: users.get(tensor, position) for tensor in operator.inputs})
    for position, operator in enumerate(graph.operators):
        users.update(dict.fromkeys(operator.outputs, position))
    return users
