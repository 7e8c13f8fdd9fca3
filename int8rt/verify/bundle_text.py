"""The README of a bundle: how to run the model on a device, and how to have the results judged."""

from __future__ import annotations

from typing import Any

_TEXT = """# A model to be run on a device

`model.tflite` (sha256 `{sha256}`), inputs for it, and what int8rt {version} expects in its profile `{profile}`.

- `inputs/RUN/`: each input as `.npy` and as raw data (`.bin`: little-endian, row by row, no header);
- `expected/RUN/output_N`: each output in the same two forms;
- `manifest.json`: all of it, with shapes, types and SHA-256 hashes.

Runs: {labels}.

## Running it

With Python and LiteRT (or tflite-runtime, or TensorFlow) on the device, this writes `outputs/RUN.npz` and says at once
what equals the expected outputs; `--tensors` records intermediate tensors too:

```sh
python run.py
python run.py --delegate libvendor.so --delegate-option key=value --tensors
```

With `benchmark_model`, which can write the outputs of one run as raw data:

```sh
mkdir -p outputs
{commands}
```

With anything else: write each output of each run, raw or as `.npy`, to `outputs/RUN/output_N.bin` (`.npy`).
Intermediate tensors can stand beside them, under the tensor's name (letters, digits, `.`, `-` and `_`; all else as
`_`), or under other names with a file for `--names`: `{{"name in the dump": "name of the tensor"}}`.

## Judging the results

Where int8rt is installed, with this folder and `outputs` in it:

```sh
int8rt compare . --dump outputs
```
"""


def readme(manifest: dict[str, Any]) -> str:
    """The text for a manifest."""
    return _TEXT.format(
        sha256=manifest["model"]["sha256"],
        version=manifest["int8rt"],
        profile=manifest["profile"],
        labels=", ".join(f"`{run['label']}`" for run in manifest["runs"]),
        commands="\n".join(_benchmark(run) for run in manifest["runs"]),
    )


def _benchmark(run: dict[str, Any]) -> str:
    """The command line for one run. A colon in a tensor's name is doubled where a file follows."""
    names = ",".join(entry["tensor"] for entry in run["inputs"])
    shapes = ":".join(",".join(map(str, entry["shape"])) for entry in run["inputs"])
    files = ",".join(f"{entry['tensor'].replace(':', '::')}:{entry['raw']['file']}" for entry in run["inputs"])
    parts = [
        "benchmark_model --graph=model.tflite --num_runs=1",
        f"--input_layer={_quoted(names)} --input_layer_shape={_quoted(shapes)}",
        f"--input_layer_value_files={_quoted(files)}",
        f"--output_filepath=outputs/{run['label']}.bin",
    ]
    return " \\\n  ".join(parts)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
