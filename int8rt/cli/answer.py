"""What `int8rt run` says about the outputs of a model."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.model import Tensor, shown
from int8rt.quantization.affine import dequantize

Array = npt.NDArray[Any]

# Outputs of up to so many elements are shown whole.
_FEW = 16


def describe(tensor: Tensor, value: Array, top: int, labels: Sequence[str]) -> dict[str, Any]:
    """An output in plain types. Values are real where the tensor is quantized; `code` is the stored integer.

    A vector (any shape with one dimension above 1) gets its `top` largest values with their index and label.
    """
    real = _real(tensor, value)
    numeric = real.dtype.kind in "biuf" and real.size > 0
    answer: dict[str, Any] = {
        "name": tensor.name,
        "type": tensor.type.label,
        "shape": list(value.shape),
        "least": real.min().item() if numeric else None,
        "most": real.max().item() if numeric else None,
        "mean": float(real.mean(dtype=np.float64)) if numeric else None,
        "values": [_plain(item) for item in real.ravel().tolist()] if real.size <= _FEW else None,
        "top": None,
    }
    if numeric and sum(size > 1 for size in value.shape) == 1:
        flat, codes = real.ravel(), value.ravel()
        order = np.argsort(-flat.astype(np.float64), kind="stable")[:top]
        answer["top"] = [
            {
                "index": int(i),
                "label": labels[i] if i < len(labels) else None,
                "value": flat[i].item(),
                "code": codes[i].item() if codes.dtype.kind in "iu" else None,
            }
            for i in order
        ]
    return answer


def show(answer: dict[str, Any]) -> None:
    """Print an answer of `describe`."""
    print(f"{shown(answer['name'])}: {answer['type']} {answer['shape']}")
    if answer["top"]:
        for item in answer["top"]:
            code = f"  (code {item['code']})" if item["code"] is not None else ""
            print(f"{item['index']:6d}  {item['value']:<12.7g}{code}  {item['label'] or ''}".rstrip())
    elif answer["values"] is not None:
        print("  " + ", ".join(f"{v:.7g}" if isinstance(v, float) else str(v) for v in answer["values"]))
    elif answer["least"] is not None:
        print(f"  from {answer['least']:.7g} to {answer['most']:.7g}, mean {answer['mean']:.7g}")


def save(path: Path, outputs: Sequence[tuple[Tensor, Array]]) -> None:
    """Write the outputs as they are, by their tensors' names, into an .npz file."""
    taken: set[str] = set()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for position, (tensor, value) in enumerate(outputs):
            name = tensor.name if tensor.name and tensor.name not in taken else f"output_{position}"
            taken.add(name)
            numbers = value if value.dtype.kind != "O" else np.array(value.tolist(), np.bytes_)
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(numbers), allow_pickle=False)


def _real(tensor: Tensor, value: Array) -> Array:
    quantization = tensor.quantization
    if value.dtype.kind in "iu" and quantization is not None and quantization.scale.size == 1:
        return dequantize(value, quantization.scale[0], quantization.zero_point[0])
    return value


def _plain(item: Any) -> Any:
    return item.decode(errors="backslashreplace") if isinstance(item, bytes) else item
