from __future__ import annotations

from pathlib import Path

import pytest

from int8rt.verify.runtimes.modules import module_files
from int8rt.verify.runtimes.remember import files_of

FILES = {
    "run.py": "import numpy, helper\nfrom package import part, value\n\ndef late():\n    import package.deep.inner\n",
    "helper.py": "import run  # in a circle\n",
    "package/__init__.py": "from . import near\n",
    "package/near.py": "",
    "package/part.py": "from .deep import *\nfrom ..beyond import x\n",
    "package/deep/__init__.py": "",
    "package/deep/inner.py": "from ..other import x\n",
    "package/other.py": "this is no Python\n",
    "package/unused.py": "",
    "unused.py": "",
}


def test_what_a_module_imports(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = {str(file.relative_to(tmp_path)) for file in module_files("run", tmp_path)}
    assert found == {name for name in FILES if "unused" not in name}
    names = "__init__", "near", "deep/__init__", "deep/inner", "other"
    inner = {str(file.relative_to(tmp_path / "package")) for file in module_files("package.deep.inner", tmp_path)}
    assert inner == {f"{name}.py" for name in names}
    assert module_files("numpy", tmp_path) == module_files("", tmp_path) == module_files("..", tmp_path) == []


def test_a_function_is_another_one_when_what_it_imports_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.py").write_text("import helper\n")
    (tmp_path / "helper.py").write_text("ONE = 1\n")
    before = files_of("python:run:function")
    assert files_of("python:run:function") == before
    (tmp_path / "helper.py").write_text("ONE = 2\n")
    assert files_of("python:run:function") != before
