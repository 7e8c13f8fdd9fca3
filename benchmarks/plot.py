"""A plot of what `benchmarks.models --json` wrote: `python -m benchmarks.plot RESULT.json PLOT.svg`.

For each model, the time of LiteRT's reference kernels, optimised kernels and XNNPACK as multiples of int8rt's. Needs
matplotlib (the extra `bench`).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks.models import OPTIMISED, REFERENCE, XNNPACK

_STYLES = {REFERENCE: ("s", "#b2182b"), OPTIMISED: ("^", "#888888"), XNNPACK: ("o", "#2166ac")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("result", type=Path)
    parser.add_argument("plot", type=Path, help="the format follows from its ending")
    parser.add_argument("--most", type=int, default=40, help="how many models, the largest first")
    arguments = parser.parse_args()
    plot(json.loads(arguments.result.read_text()), arguments.plot, arguments.most)


def plot(result: dict[str, Any], path: Path, most: int) -> None:
    """Draw the models that ran beside LiteRT."""
    from matplotlib.figure import Figure

    rows = [row for row in result["models"] if row.get("ratios")][:most][::-1]
    figure = Figure(figsize=(9, 1.4 + 0.22 * len(rows)), layout="constrained")
    axes = figure.subplots()
    for name, (marker, colour) in _STYLES.items():
        points = [(row["ratios"][name], place) for place, row in enumerate(rows) if name in row["ratios"]]
        if points:
            axes.scatter(*zip(*points, strict=True), marker=marker, color=colour, s=22, label=name, zorder=3)
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xscale("log")
    axes.set_yticks(range(len(rows)), [f"{row['model'][:48]}" for row in rows], fontsize=7)
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.grid(axis="x", which="both", linewidth=0.3)
    threads = f"{result['threads']} thread{'s' if result['threads'] > 1 else ''}"
    axes.set_xlabel(f"time as a multiple of int8rt's, {threads}, {result['machine']['cpu']}", fontsize=8)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, fontsize=8, frameon=False)
    figure.savefig(path)


if __name__ == "__main__":
    main()
