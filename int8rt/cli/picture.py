"""Small grey pictures in the terminal: two pixels a character, one above the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy.typing as npt
    from rich.console import Console
    from rich.text import Text


def picture(pixels: npt.NDArray[Any], console: Console) -> Text:
    """A picture of real-valued `pixels` [height, width], 0 black and 1 white, of height / 2 lines of width characters.

    On a terminal with colours, half blocks in grey; elsewhere black and white, with ASCII characters where the
    encoding has no others.
    """
    from rich.style import Style
    from rich.text import Text

    text = Text(no_wrap=True)
    halves = " '.#" if console.options.ascii_only else " ▀▄█"
    for top, bottom in zip(pixels[0::2], pixels[1::2], strict=True):
        if text:
            text.append("\n")
        for upper, lower in zip(top.tolist(), bottom.tolist(), strict=True):
            if console.color_system is None:
                text.append(halves[(upper > 0.5) + 2 * (lower > 0.5)])
            else:
                text.append("▀", Style(color=_grey(upper), bgcolor=_grey(lower)))
    return text


def _grey(value: float) -> str:
    level = min(255, max(0, round(value * 255)))
    return f"rgb({level},{level},{level})"
