"""What scripts rely on, run on int8rt and on LiteRT: views of tensors' memory."""

from __future__ import annotations

import numpy as np
import pytest

from tests.interpreter import models
from tests.interpreter.conftest import Make, ones, ready


def test_tensor_is_a_view(make: Make) -> None:
    interpreter = ready(make, models.two_adds())
    access = interpreter.tensor(0)
    access()[:] = 5
    np.testing.assert_array_equal(interpreter.get_tensor(0), np.full((1, 4), 5))
    interpreter.set_tensor(0, ones(1, 4))
    np.testing.assert_array_equal(access(), ones(1, 4))
    interpreter.set_tensor(1, np.full((1, 4), 3, np.int8))
    output = interpreter.tensor(3)
    interpreter.invoke()
    np.testing.assert_array_equal(output(), [[4, 5, 6, 7]])


def test_a_view_follows_set_tensor(make: Make) -> None:
    interpreter = ready(make, models.two_adds())
    view = interpreter.tensor(0)()
    interpreter.set_tensor(0, ones(1, 4))
    np.testing.assert_array_equal(view, ones(1, 4))


def test_held_views_stop_what_would_leave_them_behind(make: Make) -> None:
    interpreter = ready(make, models.two_adds())
    access = interpreter.tensor(0)
    assert interpreter._safe_to_run()
    part = access()[:, :2]
    assert not interpreter._safe_to_run()
    for call in (
        interpreter.invoke,
        interpreter.allocate_tensors,
        lambda: interpreter.resize_tensor_input(0, [1, 4]),
    ):
        with pytest.raises(RuntimeError, match=r"There is at least 1 reference"):
            call()
    del part
    assert interpreter._safe_to_run()
    interpreter.allocate_tensors()
    interpreter.invoke()
