from __future__ import annotations

import numpy as np

from int8rt.quantization.division import divide_int32_truncate
from tests.quantization.exact import boundary_values, int64


def test_truncated_quotients_of_all_boundary_pairs() -> None:
    values = [x for x in boundary_values() if -(2**31) <= x < 2**31]
    divisors = [x for x in values if x]
    found = divide_int32_truncate(
        *np.broadcast_arrays(int64(values).astype(np.int32)[:, np.newaxis], int64(divisors).astype(np.int32))
    )
    expected = [[abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1) for b in divisors] for a in values]
    assert found.tolist() == expected
