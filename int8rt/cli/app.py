"""The command `int8rt`: finds and runs a subcommand, and turns errors into messages and exit codes.

To add a subcommand, write `int8rt/cli/<name>.py` with a function `<name>` whose parameters are annotated for typer, and
put the name into `COMMANDS`. The module is imported for `int8rt --help` too, so it imports NumPy, the interpreter and
whatever else is heavy inside the function.
"""

from __future__ import annotations

import importlib
import runpy
import signal
import sys
import traceback
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from int8rt import __version__
from int8rt.errors import InputError, Int8rtError

COMMANDS = (
    "demo",
    "run",
    "inspect",
    "compare",
    "identify",
    "reduce",
    "conformance",
    "explain",
    "pack",
    "calibrate",
    "quantize",
    "debug-quantization",
    "eval",
    "lint",
    "schema",
    "operators",
    "profiles",
    "bench",
    "cache",
)


class ExitCode(IntEnum):
    """What the status of the process means; a command ends with `raise typer.Exit(ExitCode...)`."""

    OK = 0
    NOT_CONFORMANT = 1
    USAGE = 2
    INPUT = 3
    INTERNAL = 4


class _Commands(TyperGroup):
    """A group that imports a subcommand's module when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        module = importlib.import_module(f"int8rt.cli.{name}")
        command = typer.Typer(add_completion=False)
        command.command(cmd_name)(getattr(module, name))
        return typer.main.get_command(command)


app = typer.Typer(
    name="int8rt",
    cls=_Commands,
    epilog="Exit status: 0 done or conformant, 1 not conformant, 2 wrong usage, 3 unreadable or unsupported input, "
    "4 an error inside int8rt.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"int8rt {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    custom_ops: Annotated[
        list[Path] | None,
        typer.Option(
            "--custom-ops",
            metavar="FILE.py",
            help="Run this Python file first: it calls int8rt.register_custom_op. May be repeated.",
        ),
    ] = None,
) -> None:
    """Runs quantized TensorFlow Lite models with the same bits as the reference interpreter."""
    for path in custom_ops or ():
        try:
            runpy.run_path(str(path))
        except (Int8rtError, OSError):
            raise
        except Exception as error:
            raise InputError(f"{path} fails with {error!r}") from error


def _end(number: int, _: object) -> NoReturn:
    """As with Ctrl-C: what was started, a runtime that hangs for example, is ended, too."""
    sys.exit(128 + number)


def main() -> NoReturn:
    """Runs the command line of this process and exits with an `ExitCode`."""
    signal.signal(signal.SIGTERM, _end)
    try:
        app(prog_name="int8rt")
    except Int8rtError as error:
        message = str(error)
    except OSError as error:
        message = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    except Exception:
        traceback.print_exc()
        print("int8rt: internal error: please report it with the lines above", file=sys.stderr)
        sys.exit(ExitCode.INTERNAL)
    else:
        sys.exit(ExitCode.OK)
    print(f"int8rt: {message}", file=sys.stderr)
    sys.exit(ExitCode.INPUT)
