from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthgen.train.loader import ShuffledRows


@given(n_rows=st.integers(1, 40), batch_size=st.integers(1, 60), seed=st.integers(0, 99))
def test_every_row_occurs_once_per_epoch(n_rows: int, batch_size: int, seed: int) -> None:
    rows = ShuffledRows(n_rows, batch_size, seed)
    stream = np.concatenate([rows.batch(k) for k in range(3 * n_rows // batch_size + 1)])
    for start in range(0, len(stream) - n_rows + 1, n_rows):
        assert sorted(stream[start : start + n_rows]) == list(range(n_rows))


@pytest.mark.parametrize("order", [[5, 0, 2, 9, 1], [9, 5, 2, 1, 0]])
def test_batches_are_a_function_of_seed_and_number(order: list[int]) -> None:
    expected = [ShuffledRows(17, 8, 3).batch(k) for k in range(10)]
    rows = ShuffledRows(17, 8, 3)
    for k in order:
        np.testing.assert_array_equal(rows.batch(k), expected[k])


def test_seeds_and_epochs_differ() -> None:
    first, second = ShuffledRows(50, 50, 0), ShuffledRows(50, 50, 1)
    assert first.batch(0).tolist() != second.batch(0).tolist()
    assert first.batch(0).tolist() != first.batch(1).tolist()
