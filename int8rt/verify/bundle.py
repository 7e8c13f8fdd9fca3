"""A bundle for a device: a model, inputs, what is expected, and how to bring results back; written and read here."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.errors import InputError
from int8rt.files import load_arrays, parse_json
from int8rt.interpreter import Backend
from int8rt.model import Model
from int8rt.schema import read_model
from int8rt.verify import device
from int8rt.verify.bundle_text import readme
from int8rt.verify.compare import run_int8rt
from int8rt.verify.runtimes.dump import file_name
from int8rt.verify.runtimes.names import tensor_keys

Array = npt.NDArray[Any]
Runs = Sequence[tuple[str, Sequence[Array]]]

SCHEMA_VERSION = 1
MANIFEST = "manifest.json"
_LABEL = re.compile(r"[A-Za-z0-9_][\w.-]*")
_LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a folder holds. runs: label and inputs in the order of the model's."""

    content: bytes
    model: Model
    runs: tuple[tuple[str, tuple[Array, ...]], ...]


def write_bundle(
    folder: Path, content: bytes, runs: Runs, *, profile: str = "tflite-ref", backend: Backend = "auto"
) -> dict[str, Any]:
    """Fill a folder, which must be empty or not there yet; returns the manifest.

    content: the model's file. runs: label and inputs; a label becomes the name of a folder.
    Raises `InputError` where the folder is not empty or a model's input can't be written, and what int8rt raises.
    """
    from int8rt import __version__

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is there already, and is no empty folder")
    model = read_model(content)
    subgraph = model.subgraphs[0]
    if any(subgraph.tensors[i].type.dtype.kind == "O" for i in (*subgraph.inputs, *subgraph.outputs)):
        raise InputError("inputs and outputs of strings can't be packed")
    entries = []
    expected = [run_int8rt(model, inputs, profile, backend, keep=False)[0] for _, inputs in runs]
    folder.mkdir(parents=True, exist_ok=True)
    for (label, inputs), values in zip(runs, expected, strict=True):
        given = [_write(folder, f"inputs/{label}", model, i, v) for i, v in zip(subgraph.inputs, inputs, strict=True)]
        wanted = [_write(folder, f"expected/{label}", model, i, values[i], p) for p, i in enumerate(subgraph.outputs)]
        entries.append({"label": label, "inputs": given, "outputs": wanted})
    (folder / "model.tflite").write_bytes(content)
    manifest = {
        "schema_version": SCHEMA_VERSION,
        "int8rt": __version__,
        "profile": profile,
        "model": {"file": "model.tflite", "bytes": len(content), "sha256": _sha256(content)},
        "runs": entries,
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    (folder / "run.py").write_bytes(Path(device.__file__).read_bytes())
    (folder / "README.md").write_text(readme(manifest), encoding="utf-8")
    return manifest


def read_bundle(folder: Path) -> Bundle:
    """What `write_bundle` wrote; `InputError` where something was changed, lacks, or lies outside of the folder."""
    try:
        manifest = parse_json((folder / MANIFEST).read_bytes(), folder / MANIFEST)
        content = _checked(folder, manifest["model"])
        model = read_model(content)
        runs = tuple(
            (_label(run["label"]), tuple(_input(folder, i) for i in run["inputs"])) for run in manifest["runs"]
        )
    except (KeyError, TypeError) as error:
        raise InputError(f"{folder / MANIFEST} is no manifest of a bundle: {type(error).__name__}: {error}") from None
    for label, inputs in runs:
        if len(inputs) != len(model.subgraphs[0].inputs):
            raise InputError(f"run {label!r} of the bundle has {len(inputs)} inputs, the model another number")
    return Bundle(content, model, runs)


def _write(folder: Path, place: str, model: Model, index: int, value: Array, position: int = -1) -> dict[str, Any]:
    """Write a tensor as .npy and as raw data; its entry in the manifest."""
    tensor = model.subgraphs[0].tensors[index]
    (key,) = tensor_keys(model, [index])
    stem = f"{place}/{file_name(key)[:_LONGEST_NAME]}" if position < 0 else f"{place}/output_{position}"
    path = folder / f"{stem}.npy"
    if path.exists():
        stem = f"{stem}_{index}"
        path = folder / f"{stem}.npy"
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, value)
    raw = np.ascontiguousarray(value, value.dtype.newbyteorder("<")).tobytes()
    (folder / f"{stem}.bin").write_bytes(raw)
    return {
        "tensor": key,
        "index": index,
        "type": tensor.type.label,
        "shape": list(value.shape),
        "npy": {"file": f"{stem}.npy", "sha256": _sha256(path.read_bytes())},
        "raw": {"file": f"{stem}.bin", "sha256": _sha256(raw)},
    }


def _input(folder: Path, entry: dict[str, Any]) -> Array:
    from io import BytesIO

    loaded = load_arrays(BytesIO(_checked(folder, entry["npy"])), "an input of the bundle")
    if not isinstance(loaded, np.ndarray):
        raise InputError("an input of the bundle is no .npy file")
    return loaded


def _checked(folder: Path, entry: dict[str, Any]) -> bytes:
    path = (folder / str(entry["file"])).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise InputError(f"the bundle names a file outside of its folder: {entry['file']}")
    data = path.read_bytes()
    if _sha256(data) != entry["sha256"]:
        raise InputError(f"{path.name} of the bundle is not what was packed: its hash differs")
    return data


def _label(text: Any) -> str:
    if not isinstance(text, str) or not _LABEL.fullmatch(text):
        raise InputError(f"{text!r} is no label of a run")
    return text


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
