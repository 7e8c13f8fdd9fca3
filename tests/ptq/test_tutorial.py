"""The tutorial says what its commands print."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

SCRIPT = Path(__file__).parent.parent.parent / "scripts" / "run_tutorial.py"


def test_quantizing_digits(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("run_tutorial", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    tutorial = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tutorial)
    shutil.copytree(tutorial.DOCS / "digits", tmp_path / "digits")
    page = tutorial.PAGE.read_text(encoding="utf-8")
    assert tutorial.with_outputs(page, tmp_path / "digits") == page
