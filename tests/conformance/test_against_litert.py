"""The whole suite against its oracle: the answers that ship are LiteRT's."""

from __future__ import annotations

import pytest

from int8rt.conformance.cases import all_cases
from int8rt.conformance.run import judge
from int8rt.verify.runtimes.choose import open_runtime

pytest.importorskip("ai_edge_litert")


def test_every_case() -> None:
    runtime = open_runtime("litert:ref")
    try:
        assert [verdict for verdict in (judge(case, runtime) for case in all_cases()) if not verdict.conformant] == []
    finally:
        runtime.close()
