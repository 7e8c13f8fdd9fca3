from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from int8rt.kernels.padding import sliding_window
from int8rt.kernels.taps import blocks, grouped_windows, pad_input, reachable_taps, windows
from int8rt.model import Padding

sizes = st.tuples(
    st.integers(1, 8),
    st.integers(1, 5),
    st.integers(1, 4),
    st.integers(1, 4) | st.just(30000),
    st.sampled_from(Padding),
)


@given(sizes, sizes)
def test_windows_see_what_a_loop_over_the_taps_sees(rows: tuple[int, ...], columns: tuple[int, ...]) -> None:
    height, width = sliding_window(*rows), sliding_window(*columns)
    if height.output < 1 or width.output < 1:
        return
    image = np.arange(1, height.input * width.input + 1, dtype=np.int16).reshape(1, height.input, width.input, 1)
    filter = np.arange(height.kernel * width.kernel).reshape(1, height.kernel, width.kernel, 1)
    new_height, new_width, left = reachable_taps(height, width, filter)
    padded = pad_input(image, new_height, new_width, -5)
    assert padded.size <= 9 * max(image.size, height.output * width.output)
    seen = windows(padded[0], new_height, new_width)[..., 0]
    for row in range(height.output):
        for column in range(width.output):
            expected = {}
            for tap_row in range(height.kernel):
                for tap_column in range(width.kernel):
                    y = row * height.stride - height.pad_before + tap_row * height.dilation
                    x = column * width.stride - width.pad_before + tap_column * width.dilation
                    if 0 <= y < height.input and 0 <= x < width.input:
                        expected[int(filter[0, tap_row, tap_column, 0])] = int(image[0, y, x, 0])
            taps = zip(left[0, :, :, 0].ravel().tolist(), seen[row, column].ravel().tolist(), strict=True)
            assert {tap: value for tap, value in taps if value != -5} == expected


def test_a_zero_point_outside_the_type_widens_the_input() -> None:
    window = sliding_window(1, 3, 1, 1, Padding.SAME)
    padded = pad_input(np.full((1, 1, 1, 1), 7, np.int8), window, window, 300)
    assert padded[0, :, :, 0].tolist() == [[300, 300, 300], [300, 7, 300], [300, 300, 300]]


@given(st.integers(0, 9), st.integers(1, 9), st.integers(0, 30))
def test_blocks_are_the_pixels_in_order(height: int, width: int, pixels: int) -> None:
    image = np.arange(height * width).reshape(height, width)
    parts = [image[place] for place in blocks(height, width, pixels)]
    assert [pixel for part in parts for pixel in part.ravel().tolist()] == list(range(height * width))
    assert all(0 < part.size <= max(1, pixels) and part.flags.c_contiguous for part in parts)


def test_windows_of_groups() -> None:
    window = sliding_window(3, 2, 1, 1, Padding.VALID)
    image = np.arange(3 * 3 * 6).reshape(3, 3, 6)
    grouped = grouped_windows(image, window, window, 3)
    np.testing.assert_array_equal(np.concatenate(list(grouped), axis=4), windows(image, window, window))
