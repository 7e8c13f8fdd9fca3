"""What a folder of the reducer is about, as its report says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

# What a report of the reducer says of its model's output.
_OUTPUT = re.compile(r"^\| .* \| output \| (\w+) ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Defect:
    """operator, runtime: its description. type: of the codes; "" where the report does not say."""

    operator: str
    runtime: str
    type: str

    def __str__(self) -> str:
        return f"{self.operator} {self.type}: {self.runtime}".replace(" :", ":")

    @staticmethod
    def read(report: Path) -> Defect:
        """What a report of the reducer is about."""
        text = report.read_text(encoding="utf-8")
        type = _OUTPUT.search(text)
        operator, _, runtime = text.splitlines()[0].lstrip("# ").partition(" beside ")[0].partition(": ")
        return Defect(operator, runtime, type[1] if type else "")
