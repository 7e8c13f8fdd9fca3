from __future__ import annotations

from conformance.floats import PAGE, page, real_types
from int8rt.kernels.registry import KERNELS


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_one_builtin_operator_is_not_exact() -> None:
    assert [kernel.name for kernel in KERNELS.values() if kernel.bound] == ["RFFT2D"]


def test_types_of_real_numbers() -> None:
    assert real_types(KERNELS["RFFT2D"]) == ["float32", "complex64"]
    assert real_types(KERNELS["BITWISE_XOR"]) == []
    assert real_types(KERNELS["SHAPE"]) == []
