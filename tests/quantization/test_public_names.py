from __future__ import annotations

import inspect

import pytest

import int8rt.quantization
from int8rt.errors import InputError
from int8rt.quantization import PROFILES, Rounding, get_profile


def test_every_public_name_is_there_and_explained() -> None:
    names = int8rt.quantization.__all__
    assert names == sorted(set(names), key=lambda name: (not name.isupper(), not name[0].isupper(), name))
    for name in names:
        value = getattr(int8rt.quantization, name)
        if inspect.isfunction(value) or inspect.isclass(value):
            assert inspect.getdoc(value), name


def test_profiles() -> None:
    reference = get_profile("tflite-ref")
    assert reference.rounding("CONV_2D") is Rounding.DOUBLE
    assert reference.rounding("FULLY_CONNECTED") is Rounding.FLOAT64
    with pytest.raises(InputError, match=r"unknown profile 'nosuch'; known: .*tflite-ref"):
        get_profile("nosuch")
    assert all(profile.name == name and profile.description for name, profile in PROFILES.items())
