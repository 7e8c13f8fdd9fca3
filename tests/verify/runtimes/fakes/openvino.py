from __future__ import annotations

from typing import Any

import computing


class Port:
    def __init__(self, name: str) -> None:
        self.name = name

    def get_names(self) -> set[str]:
        return {self.name}


class Compiled:
    def __init__(self, model: computing.Model) -> None:
        self.model = model

    def __call__(self, feed: dict[str, Any]) -> dict[Port, Any]:
        return {Port(name): value for name, value in reversed(self.model.run(feed).items())}


class Core:
    def read_model(self, path: str) -> computing.Model:
        return computing.Model(path)

    def compile_model(self, model: computing.Model, device: str, options: dict[str, Any]) -> Compiled:
        assert device == "CPU"
        assert options["INFERENCE_PRECISION_HINT"] in ("f32", "bf16")
        return Compiled(model)
