"""int8rt as a delegate by text, as external delegates have their options: `--delegate int8rt --delegate-option ...`."""

from __future__ import annotations

from collections.abc import Mapping

from int8rt.errors import InputError
from int8rt.schema import read_model
from int8rt.schema.names import BUILTIN_CODES
from int8rt.verify.delegate.delegate import Int8rtDelegate, Which


def delegate_from_options(content: bytes, options: Mapping[str, str]) -> Int8rtDelegate:
    """The delegate for a model. Raises `InputError` for options that it does not have.

    operators: names or positions, with commas between. profile: a profile's name. mutate: "OPERATOR: MISTAKE", for
    example "CONV_2D: no bias" or "3: no bias".
    """
    unknown = sorted(set(options) - {"operators", "profile", "mutate"})
    if unknown:
        raise InputError(f"int8rt as a delegate has no option {unknown[0]!r}; it has operators, profile and mutate")
    names = [operator.name for operator in read_model(content).subgraphs[0].operators]
    mutate: dict[Which, str] = {}
    if "mutate" in options:
        which, separator, wrong = options["mutate"].partition(":")
        if not separator:
            raise InputError(f"mutate={options['mutate']!r} is not OPERATOR: MISTAKE, such as 'CONV_2D: no bias'")
        mutate = {which: wrong.strip() for which in _present(which, names)}
    operators = _present(options["operators"], names) if "operators" in options else None
    return Int8rtDelegate(content, operators, options.get("profile", "tflite-ref"), mutate)


def _present(text: str, names: list[str]) -> list[Which]:
    """Those of the operators that this model has: probes and cut-out operators are other models than the user's."""
    found: list[Which] = []
    for part in (part.strip() for part in text.split(",")):
        if part.isdecimal():
            found += [int(part)] if int(part) < len(names) else []
        elif part.upper() not in BUILTIN_CODES:
            raise InputError(f"there is no operator {part!r}")
        else:
            found += [part.upper()] if part.upper() in names else []
    return found
