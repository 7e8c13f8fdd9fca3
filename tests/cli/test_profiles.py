from __future__ import annotations

import json

import pytest

from int8rt.cli.profiles import profiles
from int8rt.quantization.profiles import PROFILES


def test_every_profile_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    profiles(as_json=False)
    text = capsys.readouterr().out
    for profile in PROFILES.values():
        assert f"{profile.name}: {profile.description}" in text
        assert profile.about.split()[0] in text
    assert "real numbers are those for avx512f, avx512vnni" in text


def test_json_has_the_roundings(capsys: pytest.CaptureFixture[str]) -> None:
    profiles(as_json=True)
    found = {each["name"]: each for each in json.loads(capsys.readouterr().out)["profiles"]}
    assert list(found) == list(PROFILES)
    assert found["tflite-opt"]["roundings"]["DEPTHWISE_CONV_2D"] == "TIES_UP_IN_EIGHTS"
    assert found["xnnpack"]["instructions"] == ["avx512f", "avx512vnni"]
    assert found["tflite-ref"]["roundings"] == {"FULLY_CONNECTED": "FLOAT64"}
