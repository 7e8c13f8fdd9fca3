"""`python -m conformance.delegate --output libexample.so`: compile the delegate."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from conformance.delegate import build


def main() -> None:
    """Compile to where the command line says."""
    parser = argparse.ArgumentParser(prog="python -m conformance.delegate", description=__doc__)
    parser.add_argument("--output", "-o", type=Path, default=Path("libexample.so"), help="the library to write")
    library = parser.parse_args().output
    try:
        build(library)
    except RuntimeError as error:
        sys.exit(str(error))
    print(f"{library}: int8rt compare MODEL --delegate {library} --delegate-option rounding=single")


if __name__ == "__main__":
    main()
