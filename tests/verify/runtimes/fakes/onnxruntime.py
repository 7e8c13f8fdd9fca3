from __future__ import annotations

from typing import Any

import computing


class SessionOptions:
    pass


class InferenceSession:
    def __init__(self, path: str, options: SessionOptions, providers: list[str]) -> None:
        assert providers == ["CPUExecutionProvider"]
        self.model = computing.Model(path)

    def run(self, names: list[str], feed: dict[str, Any]) -> list[Any]:
        found = self.model.run(feed)
        return [found[name] for name in names]
