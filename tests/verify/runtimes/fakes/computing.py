"""What the fake packages compute with: int8rt itself, on the files that the engines write."""

from __future__ import annotations

from pathlib import Path
from typing import Any


class Model:
    """model.tflite, or a copy of it under another name: what `convert` of a fake makes."""

    def __init__(self, path: str) -> None:
        from int8rt import Interpreter

        self.interpreter = Interpreter(model_content=Path(path).read_bytes(), backend="numpy")
        self.interpreter.allocate_tensors()
        self.inputs = self.interpreter.get_input_details()
        self.outputs = self.interpreter.get_output_details()

    def run(self, values: dict[str, Any]) -> dict[str, Any]:
        """Outputs by name. Values have the bits of the model's types."""
        for detail in self.inputs:
            self.interpreter.set_tensor(detail["index"], values[detail["name"]].view(detail["dtype"]))
        self.interpreter.invoke()
        return {detail["name"]: self.interpreter.get_tensor(detail["index"]) for detail in self.outputs}

    def run_in_order(self, values: list[Any]) -> list[Any]:
        """Signed integers in place of unsigned ones, as TOSA has them."""
        names = [detail["name"] for detail in self.inputs]
        found = self.run(dict(zip(names, values, strict=True)))
        return [v.view(f"i{v.itemsize}") if v.dtype.kind == "u" else v for v in found.values()]
