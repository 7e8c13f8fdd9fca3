"""int8rt as a delegate by text, as external delegates have their options: `--delegate int8rt --delegate-option ...`."""

from __future__ import annotations

from collections.abc import Mapping

from int8rt.errors import InputError
from int8rt.verify.delegate.delegate import Int8rtDelegate, Which

NAME = "int8rt"


def delegate_from_options(content: bytes, options: Mapping[str, str]) -> Int8rtDelegate:
    """The delegate for a model. Raises `InputError` for options that it does not have.

    operators: names or positions, with commas between. profile: a profile's name. mutate: "OPERATOR: MISTAKE", for
    example "CONV_2D: no bias" or "3: no bias".
    """
    unknown = sorted(set(options) - {"operators", "profile", "mutate"})
    if unknown:
        raise InputError(f"int8rt as a delegate has no option {unknown[0]!r}; it has operators, profile and mutate")
    mutate: dict[Which, str] = {}
    if "mutate" in options:
        which, separator, wrong = options["mutate"].partition(":")
        if not separator:
            raise InputError(f"mutate={options['mutate']!r} is not OPERATOR: MISTAKE, such as 'CONV_2D: no bias'")
        mutate[_which(which)] = wrong.strip()
    operators = [_which(text) for text in options["operators"].split(",")] if "operators" in options else None
    return Int8rtDelegate(content, operators, options.get("profile", "tflite-ref"), mutate)


def _which(text: str) -> Which:
    text = text.strip()
    return int(text) if text.isdecimal() else text.upper()
