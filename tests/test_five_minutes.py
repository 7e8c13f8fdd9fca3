"""README's "Verify your delegate in five minutes": its commands run, and print what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from conformance.delegate import compiler

REPOSITORY = Path(__file__).resolve().parent.parent
SECTION = re.search(
    r"\n## Verify your delegate in five minutes\n(.*?)\n## ", (REPOSITORY / "README.md").read_text("utf-8"), re.DOTALL
)
assert SECTION is not None
# (what is run, the output that stands below it), without the first one, which installs.
STEPS = re.findall(r"```sh\n(.*?)```\n(?:```\n(.*?)```\n)?", SECTION[1], re.DOTALL)[1:]
PLUGIN = "" if entry_points(group="pytest11", name="int8rt") else "-p int8rt.pytest_plugin"


def test_the_section_has_its_steps() -> None:
    commands = "".join(command for command, _ in STEPS)
    for name in ("conformance.delegate", "compare", "identify", "reduce", "conformance run", "pytest"):
        assert f"{name} " in commands
    assert sum(bool(output) for _, output in STEPS) == 6


def written() -> dict[str, str]:
    """The files that the section writes for the job."""
    return dict(re.findall(r"cat >(\S+) <<'END'\n(.*?)END\n", STEPS[-1][0], re.DOTALL))


def test_the_job_has_ten_lines_and_works(tmp_path: Path) -> None:
    files = written()
    assert sum(1 for text in files.values() for line in text.splitlines() if line) <= 10
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "model.tflite").write_bytes((REPOSITORY / "int8rt/samples/digits.tflite").read_bytes())
    plugin = [*PLUGIN.split(), "-p", "no:cacheprovider", "-p", "no:xdist"]
    options = ["-o", "int8rt_delegate=", "--int8rt-sut", "int8rt", "--int8rt-case", "int8/ties"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugin, *options],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert " 5 passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.litert
@pytest.mark.skipif(compiler() is None, reason="needs a C compiler")
def test_the_commands_print_what_the_section_says(tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, program in {"python": "", "int8rt": "-m int8rt", "pytest": f"-m pytest {PLUGIN}"}.items():
        (tools / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {program} "$@"\n', encoding="utf-8")
        (tools / name).chmod(0o755)
    (tmp_path / "int8rt").symlink_to(REPOSITORY / "int8rt")
    environment = os.environ | {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(REPOSITORY)}
    folder = tmp_path
    for command, output in STEPS:
        done = subprocess.run(
            ["bash", "-c", command + '\nstatus=$?; pwd >"$0"; exit "$status"', str(tmp_path / "where")],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        folder = Path((tmp_path / "where").read_text(encoding="utf-8").strip())
        mistaken = "rounding=truncate" in command or "mutate=" in command
        wrong = mistaken and "identify" not in command
        assert done.returncode == wrong, done.stderr
        shown = done.stdout
        for line in output.splitlines():
            if line.strip() == "...":
                continue
            if any(name in command for name in ("conformance run", "identify", "pytest")):  # the suite grows
                line, shown = counted(line), counted(shown)
            assert line in shown, f"{line!r} in:\n{done.stdout}\n{done.stderr}"
    names = {path.name for path in (tmp_path / "try").iterdir()}
    assert {"compare.html", "report", "suite.html", "suite.xml", "job.xml"} <= names


def counted(text: str) -> str:
    """`text` with every number the same, and columns one blank apart."""
    return re.sub(r"[ ]+", " ", re.sub(r"\d+", "N", text))
