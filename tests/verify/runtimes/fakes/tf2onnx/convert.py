from __future__ import annotations

import shutil


def from_tflite(path: str, opset: int, output_path: str) -> None:
    shutil.copy(path, output_path)
