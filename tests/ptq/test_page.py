"""docs/quantizers.md says what its command says, as far as that needs no files from outside."""

from __future__ import annotations

from pathlib import Path

from conformance.pages import DOCS
from conformance.quantizers_identity import report

MODELS = Path(__file__).parent.parent / "models"


def test_numbers_of_the_small_models() -> None:
    page = (DOCS / "quantizers.md").read_text(encoding="utf-8").splitlines()
    lines = [line for line in report(Path("nowhere"), MODELS) if line]
    assert len(lines) > 25
    assert [line for line in lines if line not in page] == []
    assert not any("not explained" in line for line in page)
