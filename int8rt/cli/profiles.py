"""`int8rt profiles`: the arithmetics that int8rt computes, and how each differs from the one before it."""

from __future__ import annotations

import textwrap
from typing import Annotated

import typer


def profiles(as_json: Annotated[bool, typer.Option("--json", help="Print the profiles as JSON.")] = False) -> None:
    """Explain the profiles: which runtime each stands for, and how it differs from the one before it."""
    from int8rt.kernels.variants import VARIANTS
    from int8rt.quantization.profiles import PROFILES
    from int8rt.text import print_json

    if as_json:
        print_json({"profiles": [_plain(name, sorted(VARIANTS.get(name, ()))) for name in PROFILES]})
        return
    for number, profile in enumerate(PROFILES.values()):
        own = sorted({*profile.roundings, *profile.int32_roundings, *VARIANTS.get(profile.name, ())})
        print(("\n" if number else "") + f"{profile.name}: {profile.description}")
        print(_paragraph(profile.about))
        if own:
            print(_paragraph(f"Arithmetic of its own: {', '.join(own)}."))
        if profile.instructions:
            print(_paragraph(f"Its kernels for real numbers are those for {', '.join(profile.instructions)}."))
        if not profile.compiled:
            print("  Computed with NumPy; what is not done raises an error that names the operator.")


def _paragraph(text: str) -> str:
    return textwrap.fill(text, 100, initial_indent="  ", subsequent_indent="  ")


def _plain(name: str, kernels: list[str]) -> dict[str, object]:
    from int8rt.quantization.profiles import PROFILES

    profile = PROFILES[name]
    roundings = {**profile.roundings, **profile.int32_roundings}
    return {
        "name": name,
        "description": profile.description,
        "about": profile.about,
        "default": profile.default.name,
        "default_int64": profile.default_int64.name,
        "roundings": {operator: rounding.name for operator, rounding in roundings.items()},
        "kernels": kernels,
        "instructions": list(profile.instructions),
        "compiled": profile.compiled,
    }
