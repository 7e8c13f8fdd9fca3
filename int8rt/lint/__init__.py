"""The quantization specification as rules, and what is legal but suspicious: `lint_model` applies them to a model.

rule             what a rule is, what it finds, and the operator and the tensor that it looks at
specification    tables: what the specification says of which operator
parameters       rules on the scales and zero points of every tensor
activations      rules on the inputs and outputs of operators
weights          rules on weights and biases
arithmetic       what the numbers of an operator lead to: overflow, outputs that never change
defects          where the reference interpreter itself is wrong
registry         the one table of rules
documentation    the pages of the documentation that are generated from all this

Nothing is run: the rules see the file, and of an operator the parameters that running it would use.
"""

from __future__ import annotations

from int8rt.lint.registry import RULES, lint_model
from int8rt.lint.rule import Finding, Rule, Severity

__all__ = ["RULES", "Finding", "Rule", "Severity", "lint_model"]
